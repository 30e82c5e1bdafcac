"""What an oracle may look at, and how it says what it found."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.judge.bay import Bay
from harness.judge.binding import Binding
from harness.judge.closes import Attempt, Closes
from harness.judge.dossier import Dossier
from harness.judge.facts import At
from harness.judge.promises import Claims
from harness.judge.sessions import Ledger
from harness.judge.timeline import Timeline
from harness.judge.verdict import Conduct, Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything an oracle may look at."""

    timeline: Timeline
    ledger: Ledger
    bay: Bay
    binding: Binding
    closes: Closes
    dossiers: Sequence[Dossier]

    @property
    def claims(self) -> Claims:
        return self.timeline.promises.claims


def fail(at: At | Attempt, requirement: str, *, expected: str, seen: str) -> Finding:
    return Finding(
        conduct=Conduct.FAIL,
        requirement=requirement,
        expected=expected,
        seen=seen,
        t_ms=at.t_ms,
        seqs=(at.seq,),
    )


def warn(at: At, requirement: str, *, expected: str, seen: str) -> Finding:
    return Finding(
        conduct=Conduct.PASS,
        requirement=requirement,
        expected=expected,
        seen=seen,
        t_ms=at.t_ms,
        seqs=(at.seq,),
    )
