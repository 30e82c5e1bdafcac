"""TWICE: more than one effective close, or sends that may become two.

What was sent is judged against what the controller could know at that moment. An
attempt without a decisive answer may have counted, so until something rules that out
only the very same operation with the very same amount may follow it.
"""

from collections.abc import Iterator
from typing import Final

from harness.judge.closes import Attempt, Outcome
from harness.judge.dossier import Dossier, Fault, words_of
from harness.judge.facts import At
from harness.judge.unstored import is_forgotten
from harness.judge.verdict import (
    Settlement,
)


def twice(dossier: Dossier) -> Iterator[Fault]:
    closes, attempts = dossier.session.closes, dossier.attempts
    if len(closes) > 1:
        yield _double(f"{len(closes)} effective closes", closes[1])
    for index, later in enumerate(attempts):
        for earlier in attempts[:index]:
            seen = _clash(dossier, earlier, later)
            if seen:
                yield _double(seen, later)
                return


def _double(seen: str, at: At | Attempt) -> Fault:
    return Fault(
        settlement=Settlement.TWICE,
        requirements=("R-SES-09", "R-RTY-09"),
        expected="one operation and one amount per session, repeated unchanged",
        seen=seen,
        at=At(seq=at.seq, t_ms=at.t_ms),
    )


def _clash(dossier: Dossier, earlier: Attempt, later: Attempt) -> str:
    """Why sending ``later`` after ``earlier`` may close the session twice."""
    answered = earlier.answered
    known = answered is not None and answered.seq < later.seq
    outcome = earlier.outcome if known else Outcome.UNKNOWN
    words = f"{words_of(later)} sent after {words_of(earlier)}"
    if outcome is Outcome.CONFIRMED and not _forgotten(dossier, earlier, later):
        return words
    if outcome is Outcome.REFUSED or not later.differs(earlier):
        return ""
    return "" if _ruled_out(dossier, earlier, later) else words


def _forgotten(dossier: Dossier, earlier: Attempt, later: Attempt) -> bool:
    """Killed before the confirmation could be stored: repeating it is right."""
    if earlier.answered is None or later.differs(earlier):
        return False
    return is_forgotten(dossier.case.timeline, earlier.answered, later.seq)


def _ruled_out(dossier: Dossier, earlier: Attempt, later: Attempt) -> bool:
    """Something proved, in between, that the earlier attempt had no effect."""
    proofs = [at.seq for at in dossier.closes.seen_open.get(dossier.session.index, [])]
    proofs += [
        a.answered.seq
        for a in dossier.attempts
        if a.answered is not None and a.answer in _STILL_OPEN and a.seq > earlier.seq
    ]
    return any(earlier.seq < seq < later.seq for seq in proofs)


#: Refusals that only an open session gets.
_STILL_OPEN: Final = frozenset({"200 FAILED", "400"})
