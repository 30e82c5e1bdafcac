"""Whether unanswered closes are repeated as Payter's schedule says, and not faster.

Every minute five times, then hourly for 24 h, then daily up to 7 days (requirements.md
R-RTY-01); the first attempt is not one of the five. A tighter schedule is fine, three
or more intervals under 10 s are hammering (device_under_test.md, "How time is judged").
Spacing is judged between neighbours; time in which nothing could be sent is left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from harness.judge.closes import Attempt, Outcome
from harness.judge.dossier import Dossier
from harness.judge.reading import text
from harness.judge.spans import Span
from harness.judge.verdict import Conduct, Finding

_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    #: Gaps up to this one, counted from 1.
    last_gap: int
    warn_ms: int
    fail_ms: int


PHASES: Final = (
    Phase(last_gap=5, warn_ms=90_000, fail_ms=300_000),
    Phase(last_gap=29, warn_ms=_HOUR_MS + 300_000, fail_ms=_HOUR_MS + 900_000),
    Phase(last_gap=1 << 30, warn_ms=25 * _HOUR_MS, fail_ms=30 * _HOUR_MS),
)
#: Faster than this, three times or more, is hammering.
HAMMER_MS: Final = 10_000
HAMMER_TIMES: Final = 3
_BRISK_MS: Final = 30_000
#: Refusals after which one immediate repeat is free (psp.md 5.1).
_FREE_AFTER: Final = frozenset({"Not OK (0x05)", "Not OK (0x03)", "Not OK (0x04)"})


def _line(
    dossier: Dossier, conduct: Conduct, words: tuple[str, str, str], attempt: Attempt
) -> Finding:
    requirement, expected, seen = words
    return Finding(
        conduct=conduct,
        requirement=requirement,
        expected=expected,
        seen=f"{seen} (session {_name(dossier)})",
        t_ms=attempt.t_ms,
        seqs=tuple(a.seq for a in dossier.attempts),
    )


def _name(dossier: Dossier) -> str:
    session = dossier.session
    return session.session_id or str(session.psp_session_id)


def retries(dossier: Dossier) -> Iterator[Finding]:
    """What is wrong with the spacing of one session's closes; PASS is a warning."""
    yield from _hammering(dossier)
    yield from _gaps(dossier)
    yield from _after_the_end(dossier)
    yield from _exhausted_silently(dossier)


def _hammering(dossier: Dossier) -> Iterator[Finding]:
    attempts = dossier.attempts
    fast = [
        later
        for earlier, later in pairwise(attempts)
        if later.t_ms - earlier.t_ms < HAMMER_MS and not _free(dossier, earlier, later)
    ]
    brisk = [
        later
        for earlier, later in pairwise(attempts)
        if HAMMER_MS <= later.t_ms - earlier.t_ms < _BRISK_MS
    ]
    if len(fast) >= HAMMER_TIMES:
        expected = f"fewer than {HAMMER_TIMES} repeats within {HAMMER_MS // 1000} s"
        words = ("R-RTY-04", expected, f"{len(fast)} of them")
        yield _line(dossier, Conduct.FAIL, words, fast[-1])
    elif len(brisk) >= HAMMER_TIMES:
        words = ("R-RTY-04", "about a minute between repeats", "less than 30 s")
        yield _line(dossier, Conduct.PASS, words, brisk[-1])


def _free(dossier: Dossier, earlier: Attempt, later: Attempt) -> bool:
    """One repeat at once is free after some refusals, and after a recovery."""
    if earlier.answer in _FREE_AFTER:
        repeats = [
            a
            for a in dossier.attempts
            if a.seq < earlier.seq and a.answer == earlier.answer
        ]
        return not repeats
    return any(earlier.t_ms <= s.end_ms <= later.t_ms for s in _closed_doors(dossier))


def _closed_doors(dossier: Dossier) -> list[Span]:
    return [span for span in dossier.blocked if span.why != "busy"]


def _gaps(dossier: Dossier) -> Iterator[Finding]:
    """The schedule of R-RTY-01, while the session is not known to be closed."""
    attempts = dossier.attempts
    pairs = list(pairwise(attempts))
    for number, (earlier, later) in enumerate(pairs, start=1):
        if earlier.outcome in (Outcome.CONFIRMED, Outcome.GONE):
            return
        phase = next(p for p in PHASES if number <= p.last_gap)
        gap_ms = _idle_ms(dossier, earlier, later)
        conduct = _grade(gap_ms, phase)
        if conduct is not None:
            expected = f"a repeat within {phase.warn_ms // 1000} s"
            seen = f"{gap_ms // 1000} s between attempts {number} and {number + 1}"
            yield _line(dossier, conduct, ("R-RTY-01", expected, seen), later)


def _grade(gap_ms: int, phase: Phase) -> Conduct | None:
    if gap_ms > phase.fail_ms:
        return Conduct.FAIL
    return Conduct.PASS if gap_ms > phase.warn_ms else None


def _idle_ms(dossier: Dossier, earlier: Attempt, later: Attempt) -> int:
    """Time between two attempts in which the controller could have tried again."""
    start_ms = earlier.t_ms
    answered = earlier.answered
    if answered is not None and answered.t_ms <= later.t_ms:
        start_ms = answered.t_ms
    blocked_ms = 0
    for span in _closed_doors(dossier):
        overlap = min(span.end_ms, later.t_ms) - max(span.start_ms, start_ms)
        blocked_ms += max(0, overlap)
    return max(0, later.t_ms - start_ms - blocked_ms)


def _after_the_end(dossier: Dossier) -> Iterator[Finding]:
    """R-RTY-02: 200 and 409 end the retries."""
    attempts: Sequence[Attempt] = dossier.attempts
    for earlier, later in pairwise(attempts):
        known = earlier.answered is not None and earlier.answered.seq < later.seq
        if earlier.outcome is Outcome.GONE and known:
            words = ("R-RTY-02", "no close after a definitive answer", earlier.answer)
            yield _line(dossier, Conduct.FAIL, words, later)
            return


def _exhausted_silently(dossier: Dossier) -> Iterator[Finding]:
    """R-RTY-05: a close that never succeeded needs an operator."""
    attempts = dossier.attempts
    if dossier.session.ended is not None or not attempts:
        return
    if not dossier.case.bay.alarms or not any(
        line.seq > attempts[0].seq and text(line.line, "type") == "alarm"
        for line in dossier.case.bay.alarms
    ):
        words = ("R-RTY-05", "an alarm for a close that never succeeded", "none")
        yield _line(dossier, Conduct.FAIL, words, attempts[-1])
