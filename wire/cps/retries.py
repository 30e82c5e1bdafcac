"""When a close that was not answered definitively is tried again (cps.md 4.4, DOC).

A suggestion of Payter's, not a rule: once a minute for five tries, then hourly for a
day, then daily for seven days. 200 and 409 end the tries; 200 with state FAILED ends
them too by that rule, and still is no success.
"""

from dataclasses import dataclass
from typing import Final

from wire.cps.routes import Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPhase:
    """``times`` tries, each ``interval_ms`` after the one before."""

    times: int
    interval_ms: int
    grade: Grade = Grade.DOC


CLOSE_RETRIES: Final = (
    RetryPhase(times=5, interval_ms=60_000),
    RetryPhase(times=24, interval_ms=3_600_000),
    RetryPhase(times=7, interval_ms=86_400_000),
)
#: From the first attempt to the last retry, in milliseconds.
LONGEST_RETRY_MS: Final = sum(row.times * row.interval_ms for row in CLOSE_RETRIES)
#: Answers after which a close is not tried again.
DEFINITIVE_STATUSES: Final = frozenset({200, 409})


def close_delay_ms(retry: int) -> int | None:
    """Wait before retry number ``retry`` (from 0); None when the schedule is over."""
    left = retry
    for phase in CLOSE_RETRIES:
        if left < phase.times:
            return phase.interval_ms
        left -= phase.times
    return None
