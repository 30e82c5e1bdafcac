"""Whether unanswered closes are repeated as Payter's schedule says, and not faster.

Every minute five times, then hourly for 24 h, then daily up to 7 days (requirements.md
R-RTY-01); the first attempt is not one of the five. What the sentence leaves open is in
``wire.cps.RETRY_QUESTIONS``; a series of attempts is right when it fits one of the
``RETRY_READINGS``, and is judged by the one that it fits best. A tighter schedule is
fine, three or more intervals under 10 s are hammering (device_under_test.md, "How time
is judged"), and stopping before the plan is over is giving up.

Spacing is judged between neighbours; time in which nothing could be sent is left out.
Where a series stands in its plan is told by the number of its attempts and by the time
since the first, whichever is less: a plan that is run through in a hurry does not
earn its daily phase.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from harness.judge.closes import Attempt, Outcome
from harness.judge.dossier import Dossier
from harness.judge.reading import text
from harness.judge.spans import Span
from harness.judge.unstored import is_forgotten
from harness.judge.verdict import Conduct, Finding
from wire.cps import RETRY_READINGS, RetryPhase, RetryReading

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How far apart two attempts of a phase may be (the minutes: requirements 3.9)."""

    warn_ms: int
    fail_ms: int
    #: A phase counts as over this early, in hundredths of its length: jitter.
    over_percent: int


PACES: Final[Mapping[int, Pace]] = {
    _MINUTE_MS: Pace(warn_ms=90_000, fail_ms=300_000, over_percent=50),
    _HOUR_MS: Pace(
        warn_ms=_HOUR_MS + 300_000, fail_ms=_HOUR_MS + 900_000, over_percent=90
    ),
    _DAY_MS: Pace(warn_ms=25 * _HOUR_MS, fail_ms=30 * _HOUR_MS, over_percent=90),
}
#: The last attempt may come so much before the end of the plan.
EARLY_MS: Final = _DAY_MS // 2
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
    pairs = [(b.t_ms - a.t_ms, a, b) for a, b in pairwise(dossier.attempts)]
    hurried = [(a, b) for gap_ms, a, b in pairs if gap_ms < HAMMER_MS]
    free = _free(dossier, hurried)
    fast = [later for _, later in hurried if later.seq not in free]
    brisk = [later for gap_ms, _, later in pairs if HAMMER_MS <= gap_ms < _BRISK_MS]
    if len(fast) >= HAMMER_TIMES:
        expected = f"fewer than {HAMMER_TIMES} repeats within {HAMMER_MS // 1000} s"
        words = ("R-RTY-04", expected, f"{len(fast)} of them")
        yield _line(dossier, Conduct.FAIL, words, fast[-1])
    elif len(brisk) >= HAMMER_TIMES:
        words = ("R-RTY-04", "about a minute between repeats", "less than 30 s")
        yield _line(dossier, Conduct.PASS, words, brisk[-1])


def _free(dossier: Dossier, hurried: Sequence[tuple[Attempt, Attempt]]) -> set[int]:
    """One repeat at once is free after some refusals, and one after a recovery.

    Not one after each recovery: a line that breaks under each attempt would free all.
    """
    first: dict[str, int] = {}
    for attempt in dossier.attempts:
        first.setdefault(attempt.answer, attempt.seq)
    refused, recovered = set(), []
    for earlier, later in hurried:
        if earlier.answer not in _FREE_AFTER:
            recovered += [later.seq] if _recovers(dossier, earlier, later) else []
        elif first[earlier.answer] == earlier.seq:
            refused.add(later.seq)
    return refused | set(recovered[:1])


def _recovers(dossier: Dossier, earlier: Attempt, later: Attempt) -> bool:
    """Between the two, the terminal could be reached again."""
    return any(earlier.t_ms <= s.end_ms <= later.t_ms for s in _closed_doors(dossier))


def _closed_doors(dossier: Dossier) -> list[Span]:
    return [span for span in dossier.blocked if span.why != "busy"]


# --- The schedule ---------------------------------------------------------------


def _gaps(dossier: Dossier) -> Iterator[Finding]:
    """The schedule of R-RTY-01, by the reading that fits best."""
    interface = dossier.case.promises.claims.interface
    found = {
        reading.name: list(_by(reading, dossier))
        for reading in RETRY_READINGS
        if interface in reading.interfaces
    }
    published = [r.name for r in RETRY_READINGS if "cps" in r.interfaces]
    lines = min((found[name] for name in published), key=_badness)
    others = [found[name] for name in found if name not in published]
    if any(not _badness(other)[0] for other in others):
        # Only a reading in which nothing is published for this interface fits.
        lines = [replace(line, conduct=Conduct.PASS) for line in lines]
    yield from lines


def _badness(lines: Sequence[Finding]) -> tuple[int, int]:
    return sum(line.conduct is Conduct.FAIL for line in lines), len(lines)


def _by(reading: RetryReading, dossier: Dossier) -> Iterator[Finding]:
    """Gaps that are too long, while the session is not known to be closed."""
    attempts = dossier.attempts
    for number, (earlier, later) in enumerate(pairwise(attempts), start=1):
        if _is_final(earlier):
            return
        phase = _phase(reading, number, earlier.t_ms - attempts[0].t_ms)
        idle_ms = _idle_ms(dossier, earlier, later.t_ms)
        conduct = _grade(idle_ms, phase)
        if conduct is not None:
            seen = f"{idle_ms // 1000} s between attempts {number} and {number + 1}"
            yield _line(dossier, conduct, (*_demand(phase), seen), later)
    if attempts and not _is_final(attempts[-1]):
        yield from _giving_up(reading, dossier)


def _is_final(attempt: Attempt) -> bool:
    return attempt.outcome in (Outcome.CONFIRMED, Outcome.GONE)


def _giving_up(reading: RetryReading, dossier: Dossier) -> Iterator[Finding]:
    """The session stayed open, and nobody tried any more before the plan was over."""
    attempts, ended = dossier.attempts, dossier.session.ended
    last, tried_ms = attempts[-1], attempts[-1].t_ms - attempts[0].t_ms
    end_ms = dossier.end_ms if ended is None else ended.t_ms
    phase = _phase(reading, len(attempts), tried_ms)
    idle_ms = _idle_ms(dossier, last, end_ms)
    is_over = tried_ms >= reading.length_ms - EARLY_MS
    if not is_over and _grade(idle_ms, phase) is Conduct.FAIL:
        seen = (
            f"none after attempt {len(attempts)}, {tried_ms // 1000} s after the first"
        )
        yield _line(dossier, Conduct.FAIL, (*_demand(phase), seen), last)


def _demand(phase: RetryPhase) -> tuple[str, str]:
    within_ms = PACES[phase.interval_ms].warn_ms
    return "R-RTY-01", f"a repeat within {within_ms // 1000} s"


def _phase(reading: RetryReading, number: int, since_ms: int) -> RetryPhase:
    """Where gap ``number`` (from 1), begun so long after the first attempt, belongs."""
    times = length_ms = 0
    for phase in reading.phases[:-1]:
        times += phase.times
        length_ms += phase.times * phase.interval_ms
        percent = PACES[phase.interval_ms].over_percent
        if number <= times or since_ms * 100 < length_ms * percent:
            return phase
    return reading.phases[-1]


def _grade(idle_ms: int, phase: RetryPhase) -> Conduct | None:
    pace = PACES[phase.interval_ms]
    if idle_ms > pace.fail_ms:
        return Conduct.FAIL
    return Conduct.PASS if idle_ms > pace.warn_ms else None


def _idle_ms(dossier: Dossier, earlier: Attempt, until_ms: int) -> int:
    """Time after an attempt in which the controller could have tried again."""
    start_ms = earlier.t_ms
    answered = earlier.answered
    if answered is not None and answered.t_ms <= until_ms:
        start_ms = answered.t_ms
    blocked_ms = 0
    for span in _closed_doors(dossier):
        overlap = min(span.end_ms, until_ms) - max(span.start_ms, start_ms)
        blocked_ms += max(0, overlap)
    return max(0, until_ms - start_ms - blocked_ms)


def _after_the_end(dossier: Dossier) -> Iterator[Finding]:
    """R-RTY-02: 200 and 409 end the retries, and so does what tells the same."""
    attempts: Sequence[Attempt] = dossier.attempts
    for number, (earlier, later) in enumerate(pairwise(attempts)):
        told = earlier.answered
        if told is None or told.seq > later.seq:
            continue
        before = [a for a in attempts[:number] if not _is_lost(dossier, a, earlier)]
        if _is_over(earlier, before) and not _is_lost(dossier, earlier, later):
            words = ("R-RTY-02", "no close after a definitive answer", earlier.answer)
            yield _line(dossier, Conduct.FAIL, words, later)
            return


def _is_lost(dossier: Dossier, earlier: Attempt, later: Attempt) -> bool:
    """What the earlier attempt was answered had been forgotten by the later one."""
    told = earlier.answered
    return told is not None and is_forgotten(dossier.case.timeline, told, later.seq)


def _is_over(attempt: Attempt, before: Sequence[Attempt]) -> bool:
    """Whether its answer says that the session is closed, as far as we are concerned.

    "Not found" over PSP says so only to whom an earlier close may have counted
    (R-RTY-09); else it may be the wrong terminal, or the wrong id (R-SES-08).
    """
    if attempt.outcome is not Outcome.GONE or attempt.via != "psp":
        return attempt.outcome is Outcome.GONE
    return any(one.outcome in (Outcome.UNKNOWN, Outcome.CONFIRMED) for one in before)


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
