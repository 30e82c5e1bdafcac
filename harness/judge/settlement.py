"""The verdict on each session: device_under_test.md section 3, table "Settlement".

Every rule looks for one way in which a session can have gone wrong and yields a
*fault*: a settlement, the requirements it breaches, and words. The worst fault is the
session's settlement; a session without any is CLOSED. Rules know the truth (the
terminal's store) and what the controller could know (deliveries and answers), and never
mix the two: money is judged by the first, haste and doubt by the second.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from harness.judge.deadlines import requirements_of
from harness.judge.dossier import (
    Dossier,
    Fault,
    first_attempt,
    is_right,
    pick_trigger,
    right_amount,
    slice_of,
    words_of,
)
from harness.judge.doubles import twice
from harness.judge.facts import At
from harness.judge.reading import text
from harness.judge.schemes import scheme_late
from harness.judge.sessions import Session, TrueClose
from harness.judge.spans import Span
from harness.judge.unstored import died_with_it
from harness.judge.verdict import (
    SETTLEMENT_ORDER,
    Conduct,
    Finding,
    SessionVerdict,
    Settlement,
)

_DAY_MS: Final = 86_400_000
#: The longest retry schedule; a last attempt this late has exhausted it.
_SCHEDULE_MS: Final = 7 * _DAY_MS - _DAY_MS // 2


def examine(dossier: Dossier) -> tuple[SessionVerdict, list[Finding]]:
    """The verdict on one session, and a line for each requirement it breaches."""
    pick_trigger(dossier)
    dossier.expected = right_amount(dossier)
    faults = [fault for rule in _RULES for fault in rule(dossier)]
    faults.sort(key=lambda f: SETTLEMENT_ORDER.index(f.settlement), reverse=True)
    findings = [line for fault in faults for line in _lines(dossier, fault)]
    return _verdict(dossier, faults), findings


def _lines(dossier: Dossier, fault: Fault) -> Iterator[Finding]:
    if fault.settlement is Settlement.UNKNOWN:
        return
    for requirement in fault.requirements:
        finding = Finding(
            conduct=Conduct.PASS if fault.excused else Conduct.FAIL,
            requirement=requirement,
            expected=fault.expected,
            seen=f"{fault.settlement}: {fault.seen}",
            t_ms=fault.at.t_ms,
            seqs=slice_of(dossier),
        )
        if fault.excused:
            dossier.warnings.append(finding)
        else:
            yield finding


# --- Rules ----------------------------------------------------------------------


def _left_open(dossier: Dossier) -> Iterator[Fault]:
    session = dossier.session
    if session.closed is not None or _cannot_know(dossier) or _exhausted(dossier):
        return
    if session.expired is not None and _was_overtaken(dossier):
        return
    seen = "never closed"
    if session.expired is not None:
        seen = "the terminal's own time-out closed it"
    if dossier.attempts:
        seen += f"; last attempt: {words_of(dossier.attempts[-1])}"
    else:
        seen += "; no close was ever sent" + _wrong_operation(dossier)
    yield Fault(
        settlement=Settlement.LEFT_OPEN,
        requirements=_open_requirements(dossier),
        expected="one effective commit or cancel/void",
        seen=seen,
        at=session.opened,
    )


def _open_requirements(dossier: Dossier) -> tuple[str, ...]:
    found = ["R-SES-01"]
    if dossier.session.told is None:
        return (*found, "R-RTY-07", "R-SES-05")
    energy = dossier.case.energy_at() is not None
    found.append("R-SES-06" if energy else "R-NOS-01")
    if dossier.trigger is not None:
        found += requirements_of(dossier.trigger)
    if _wrong_operation(dossier):
        found.append("R-SES-10")
    if dossier.attempts:
        answer = dossier.attempts[-1].answer
        found.append(_ANSWER_REQUIREMENTS.get(answer, "R-SES-07"))
    if any(s.why == "dead" and _spans(dossier, s) for s in dossier.blocked):
        found.append("R-RTY-03")
    return tuple(dict.fromkeys(found))


_ANSWER_REQUIREMENTS: Final = {"200 FAILED": "R-CPS-05", "404": "R-CPS-08"}


def _spans(dossier: Dossier, span: Span) -> bool:
    return span.end_ms > dossier.session.opened.t_ms


def _wrong_operation(dossier: Dossier) -> str:
    """Drops a card where a hold should have been released (R-SES-10)."""
    trigger, timeline = dossier.trigger, dossier.case.timeline
    if trigger is None:
        return ""
    drops: list[tuple[At, str]] = [
        (m, "Cancel Session")
        for m in timeline.messages
        if m.outbound and m.name == "Cancel Session"
    ]
    drops += [(c, "stop") for c in timeline.calls if c.route == "E5"]
    for at, name in drops:
        if abs(at.t_ms - trigger.t_ms) <= 60_000 and at.seq > dossier.case.told.seq:
            return f"; {name} was sent, which does not release a hold"
    return ""


def _cannot_know(dossier: Dossier) -> bool:
    """Nobody could have told the controller of this session in time."""
    session, lists = dossier.session, dossier.case.promises.claims.lists_sessions
    if dossier.attempts or lists:
        return False
    return session.told is None or died_with_it(dossier.case.timeline, session.told)


def _tried_in_time(dossier: Dossier) -> bool:
    return dossier.late is not None and not dossier.late.failed


def _was_overtaken(dossier: Dossier) -> bool:
    """The terminal's own time-out ended a session that was not neglected.

    A close was due and tried in time, or none was due yet and one was tried later. A
    time-out that the controller has chosen too short is judged by itself (R-PER-05).
    """
    if dossier.trigger is None:
        return bool(dossier.attempts)
    return _tried_in_time(dossier)


def _exhausted(dossier: Dossier) -> bool:
    """Retried to the end of the schedule, and told the operator."""
    if not dossier.attempts or dossier.trigger is None:
        return False
    tried_ms = dossier.attempts[-1].t_ms - dossier.trigger.t_ms
    return tried_ms >= _SCHEDULE_MS and alarmed(dossier, _GIVEN_UP)


_GIVEN_UP: Final = frozenset({"close_failed", "close_exhausted"})
_ORPHANED: Final = frozenset({"orphan", "unknown_outcome"})


def alarmed(dossier: Dossier, codes: frozenset[str]) -> bool:
    """Whether the operator was told since the session was asked for.

    A controller may give up waiting before a slow issuer approves, and says so then.
    """
    asked = dossier.session.asked or dossier.session.opened
    return any(
        line.seq > asked.seq and text(line.line, "code") in codes
        for line in dossier.case.bay.alarms
    )


def _unknown(dossier: Dossier) -> Iterator[Fault]:
    session = dossier.session
    if session.closed is not None and not dossier.attempts:
        yield _unsettled(session, "closed by somebody else; the controller never tried")
    if session.closed is not None:
        return
    if _cannot_know(dossier):
        yield _unsettled(session, "no controller could have known of it")
    elif _exhausted(dossier):
        yield _unsettled(session, "the retry schedule ended, and the operator was told")
    elif session.expired is not None and _was_overtaken(dossier):
        yield _unsettled(session, "the terminal's own time-out was faster")


def _unsettled(session: Session, seen: str) -> Fault:
    return Fault(
        settlement=Settlement.UNKNOWN,
        requirements=("R-SES-01",),
        expected="",
        seen=seen,
        at=session.opened,
    )


def _orphaned(dossier: Dossier) -> Iterator[Fault]:
    """What was possible for an approval that was lost: tell the operator."""
    session = dossier.session
    lost = session.closed is None and _cannot_know(dossier)
    if lost and not alarmed(dossier, _ORPHANED):
        yield Fault(
            settlement=Settlement.CLOSED,
            requirements=("R-RTY-07",),
            expected="an alarm (orphan or unknown_outcome) for the lost approval",
            seen="none",
            at=session.opened,
        )


def _late(dossier: Dossier) -> Iterator[Fault]:
    session, trigger, late = dossier.session, dossier.trigger, dossier.late
    if session.closed is None or trigger is None or late is None:
        return
    seen = f"first attempt {_seconds(late.late_ms)} after {trigger.kind}"
    expected = f"a close within {_seconds(late.limit.fail_ms)} of {trigger.kind}"
    if late.failed:
        yield Fault(
            settlement=Settlement.LATE,
            requirements=requirements_of(trigger),
            expected=expected,
            seen=seen,
            at=trigger,
        )
    elif late.warned:
        expected = f"a close within {_seconds(late.limit.pass_ms)} of {trigger.kind}"
        dossier.warnings.append(
            Finding(
                conduct=Conduct.PASS,
                requirement=requirements_of(trigger)[0],
                expected=expected,
                seen=seen,
                t_ms=trigger.t_ms,
                seqs=slice_of(dossier),
            )
        )


def _seconds(ms: int) -> str:
    return f"{ms // 1000} s" if ms % 1000 == 0 else f"{ms / 1000:.1f} s"


def _wrong_amount(dossier: Dossier) -> Iterator[Fault]:
    close = dossier.session.closed
    if close is None or not _ours(dossier, close) or dossier.expected is None:
        return
    low, high = dossier.expected
    amount = close.amount_minor
    zero_commit = close.op == "commit" and amount == 0 and low == 0
    if zero_commit:
        yield Fault(
            settlement=Settlement.CLOSED,
            requirements=("R-AMT-05",),
            expected="cancel/void, since nothing is due",
            seen="a commit of 0",
            at=close,
        )
        return
    if is_right(dossier, amount):
        return
    requirements = ["R-SES-12"]
    if amount == 0:
        requirements.append("R-SES-06")
    yield Fault(
        settlement=Settlement.WRONG_AMOUNT,
        requirements=tuple(requirements),
        expected=_range_words(low, high),
        seen="released" if close.op == "cancel" else f"committed {amount}",
        at=close,
    )


def _range_words(low: int, high: int) -> str:
    if high == 0:
        return "a release: nothing is due"
    return f"a commit of {low}" if low == high else f"a commit of {low} to {high}"


def _ours(dossier: Dossier, close: TrueClose) -> bool:
    return any(a.effect is close for a in dossier.attempts)


_RULES: Final[tuple[Callable[[Dossier], Iterator[Fault]], ...]] = (
    _left_open,
    _unknown,
    _orphaned,
    twice,
    _wrong_amount,
    _late,
    scheme_late,
)


# --- The verdict ----------------------------------------------------------------


def _verdict(dossier: Dossier, faults: Sequence[Fault]) -> SessionVerdict:
    session, trigger, close = dossier.session, dossier.trigger, dossier.session.closed
    worst = faults[0] if faults else None
    settlement = worst.settlement if worst else Settlement.CLOSED
    same = [f for f in faults if f.settlement is settlement]
    requirements = [r for f in same for r in f.requirements]
    ended = session.ended
    attempt = None if trigger is None else first_attempt(dossier, trigger)
    first = attempt or next(iter(dossier.attempts), None)
    return SessionVerdict(
        session_id=session.session_id,
        psp_session_id=session.psp_session_id,
        settlement=settlement,
        why="; ".join(f.seen for f in same) or _closedwords_of(close),
        authorised_minor=session.authorised_at(dossier.end_ms),
        expected_minor=dossier.expected,
        closed_minor=None if close is None else close.amount_minor,
        trigger="" if trigger is None else str(trigger.kind),
        known_at_ms=None if trigger is None else trigger.t_ms,
        attempted_at_ms=None if first is None else first.t_ms,
        closed_at_ms=None if close is None else close.t_ms,
        held_ms=None if ended is None else ended.t_ms - session.opened.t_ms,
        connector=dossier.case.connector,
        driver=dossier.case.driver or None,
        requirements=tuple(dict.fromkeys(requirements)),
        seqs=slice_of(dossier),
    )


def _closedwords_of(close: TrueClose | None) -> str:
    if close is None or close.op == "cancel":
        return "released"
    return f"committed {close.amount_minor}"
