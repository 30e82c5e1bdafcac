"""When a close that was not confirmed is tried again.

Payter's own plan: at once, then each minute five times, each hour for a day, each day
for a week (R-RTY-01). The gaps are counted from attempt to attempt, so the last one
comes 691,500 s after the first. The plan survives a restart: attempts made and the next
due time are in the ledger, in calendar time, because the monotonic clock starts at 0 at
each boot. A calendar clock that jumped while we were dead must neither fire nor
stretch a gap, so what is left of one is never taken longer than the gap itself
(R-RTY-08).
"""

from typing import Final

GAPS_MS: Final = (60_000,) * 5 + (3_600_000,) * 24 + (86_400_000,) * 7
#: Attempts after which the minutes are over: the close is overdue.
PHASE_1_ATTEMPTS: Final = 6
#: Attempts after which a day is over, and with it the schemes' limit (R-EXT-01).
DAY_ATTEMPTS: Final = PHASE_1_ATTEMPTS + 24
#: After a boot or a reconnect one attempt is free when the last is this old.
FREE_ATTEMPT_MS: Final = 30_000


def gap_ms(attempts: int) -> int | None:
    """From attempt number ``attempts`` (from 1) to the next; None after the last."""
    return GAPS_MS[attempts - 1] if attempts <= len(GAPS_MS) else None


def remaining_ms(*, due_wall_ms: int, wall_ms: int, attempts: int) -> int:
    """What is left until the next attempt; the calendar clock may have jumped."""
    longest = gap_ms(attempts) if attempts else 0
    return min(max(due_wall_ms - wall_ms, 0), longest or 0)
