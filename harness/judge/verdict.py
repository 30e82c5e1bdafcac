"""What a judgement says: two axes that are never mixed, and the lines behind them.

Conduct asks whether the controller did what a requirement wants; settlement asks, for
each session, what became of the cardholder's money. Both are ordered from best to
worst, and over several the worst wins. Names and meaning: device_under_test.md
section 3. This module must not know how anything is found out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Conduct(StrEnum):
    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_APPLICABLE = "NOT APPLICABLE"
    ERROR = "ERROR"


class Settlement(StrEnum):
    CLOSED = "CLOSED"
    LATE = "LATE"
    WRONG_AMOUNT = "WRONG AMOUNT"
    TWICE = "TWICE"
    LEFT_OPEN = "LEFT OPEN"
    UNKNOWN = "UNKNOWN"


#: Best first. A breach that was seen outranks a situation that was not reached; an
#: examiner that failed outranks both, because then nothing else can be trusted.
CONDUCT_ORDER: Final = (
    Conduct.PASS,
    Conduct.NOT_APPLICABLE,
    Conduct.INCONCLUSIVE,
    Conduct.FAIL,
    Conduct.ERROR,
)

#: Best first: from a hold that is gone to a hold that is still there.
SETTLEMENT_ORDER: Final = (
    Settlement.CLOSED,
    Settlement.UNKNOWN,
    Settlement.LATE,
    Settlement.WRONG_AMOUNT,
    Settlement.TWICE,
    Settlement.LEFT_OPEN,
)


def worst_conduct(conducts: Iterable[Conduct]) -> Conduct:
    """The worst of several; PASS when there is none."""
    return max(conducts, key=CONDUCT_ORDER.index, default=Conduct.PASS)


def worst_settlement(settlements: Iterable[Settlement]) -> Settlement | None:
    """The worst of several; None when there was no session at all."""
    return max(settlements, key=SETTLEMENT_ORDER.index, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the judgement: a requirement, what it wants, what was seen."""

    conduct: Conduct
    #: ``R-...``, or ``examiner`` when the examiner itself is in doubt.
    requirement: str
    expected: str
    seen: str
    t_ms: int
    #: The slice of the trace that shows it, as ``seq`` numbers.
    seqs: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionVerdict:
    """What became of one session; amounts in minor units, times in ms of the run."""

    session_id: str
    psp_session_id: int
    settlement: Settlement
    why: str
    authorised_minor: int
    #: Lowest and highest right amount; (0, 0) means release. None: nobody can tell.
    expected_minor: tuple[int, int] | None
    #: What was committed; 0 after a release, None while open.
    closed_minor: int | None
    #: What told the controller that a close was due; empty when nothing did.
    trigger: str
    known_at_ms: int | None
    attempted_at_ms: int | None
    closed_at_ms: int | None
    #: How long the cardholder's money was held; None while it still is.
    held_ms: int | None
    connector: int | None
    driver: str | None
    #: Requirements breached by the settlement of this session.
    requirements: tuple[str, ...]
    seqs: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """What a case demands beyond the rules that hold for every case."""

    #: Marks (``seen`` records) without which the case has shown nothing.
    must_see: tuple[str, ...] = ()
    #: A session that no controller could have known of is fine in this case.
    allow_unknown: bool = False
    #: The outage outlasts this scheme's window (R-EXT-01 or R-EXT-02): a session has to
    #: be LATE by that rule, and may be late by nothing but schemes' rules.
    scheme_late: str = ""
    sessions_at_least: int | None = None
    sessions_exactly: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    conduct: Conduct
    #: The worst over all sessions; None when there was none.
    settlement: Settlement | None
    findings: tuple[Finding, ...]
    #: Lines that do not fail a case: the WARN column of requirements.md 3.9.
    warnings: tuple[Finding, ...]
    sessions: tuple[SessionVerdict, ...]
    expectations: Expectations = Expectations()

    @property
    def green(self) -> bool:
        """Conduct PASS, and every session settled as this case may end."""
        return self.conduct is Conduct.PASS and self.is_settled

    @property
    def is_settled(self) -> bool:
        """Every session has ended as this case may end."""
        return all(_may_end(s, self.expectations) for s in self.sessions)


def _may_end(session: SessionVerdict, expectations: Expectations) -> bool:
    match session.settlement:
        case Settlement.CLOSED:
            return True
        case Settlement.UNKNOWN:
            return expectations.allow_unknown
        case Settlement.LATE:
            return is_scheme_late(session, expectations.scheme_late)
        case _:
            return False


def is_scheme_late(session: SessionVerdict, requirement: str) -> bool:
    """Whether it is LATE by this scheme's rule, and by nothing but schemes' rules."""
    breached = session.requirements
    is_late = session.settlement is Settlement.LATE and requirement in breached
    return is_late and all(name.startswith("R-EXT-") for name in breached)
