"""The judge: a pure function from a recorded trace to verdicts.

It reads nothing but the records of ``wire.records`` and imports nothing of the
simulator, so that a mistake of the virtual terminal cannot hide itself and a stored
trace can be judged years later. ``judge`` never raises on records that are JSON
objects: what cannot be read is absent, and an unusable trace is an ERROR.

    records -> timeline -> what was said (bay), which sessions, which closes
            -> who paid for what (binding), energy (metering), price (tariff)
            -> when a close was due (triggers, deadlines) -> settlement
            -> conduct: settlement's lines, retries, universal oracles
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from harness.judge.bay import Bay
from harness.judge.binding import Binding, announced, bind, confusable
from harness.judge.case import Case
from harness.judge.closes import Closes
from harness.judge.conduct import oracles
from harness.judge.deadlines import blockages, deaths
from harness.judge.dossier import Dossier
from harness.judge.facts import At
from harness.judge.retries import retries
from harness.judge.scene import Scene
from harness.judge.sessions import Ledger, Session
from harness.judge.settlement import examine
from harness.judge.timeline import Timeline
from harness.judge.verdict import (
    Conduct,
    Expectations,
    Finding,
    Judgement,
    SessionVerdict,
    Settlement,
    is_scheme_late,
    worst_conduct,
    worst_settlement,
)
from wire.records import Record

__all__ = [
    "Conduct",
    "Expectations",
    "Finding",
    "Judgement",
    "SessionVerdict",
    "Settlement",
    "judge",
    "load",
    "worst_conduct",
    "worst_settlement",
]

_NO_EXPECTATIONS = Expectations()


def load(lines: Iterable[str]) -> list[Record]:
    """Records from JSON Lines. Raises ValueError naming the line that is no object."""
    found: list[Record] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        record = json.loads(line)
        if not isinstance(record, dict):
            raise ValueError(f"line {number}: found {line[:40]!r}, allowed an object")
        found.append(record)
    return found


def judge(
    records: Sequence[Record], *, expectations: Expectations = _NO_EXPECTATIONS
) -> Judgement:
    """Judge one run: conduct, and the settlement of every session in it."""
    timeline = Timeline.of(records)
    bay = Bay.of(timeline)
    ledger = Ledger.of(timeline)
    closes = Closes.of(timeline, ledger)
    lines, verdicts = _best_world(timeline, bay, ledger, closes)
    lines += ledger.doubts
    lines += _vacuity(timeline, expectations, verdicts)
    return Judgement(
        conduct=worst_conduct(line.conduct for line in lines),
        settlement=worst_settlement(v.settlement for v in verdicts),
        findings=tuple(line for line in lines if line.conduct is not Conduct.PASS),
        warnings=tuple(line for line in lines if line.conduct is Conduct.PASS),
        sessions=tuple(verdicts),
        expectations=expectations,
    )


# --- Worlds ---------------------------------------------------------------------


def _best_world(
    timeline: Timeline, bay: Bay, ledger: Ledger, closes: Closes
) -> tuple[list[Finding], list[SessionVerdict]]:
    """Pair sessions and connectors by people; else as a controller would have to.

    Where somebody else chose a connector or plugged in between a driver's tap and plug,
    a controller cannot know who is who. First come, first served is then as right as
    the truth, and so is what the controller says on its screens.
    """
    by_people = bind(ledger.sessions, bay, timeline.acts)
    world = _world(timeline, bay, ledger, closes, by_people)
    if not _wrongs(world) or not confusable(ledger.sessions, timeline.acts):
        return world
    unnamed = [replace(act, driver="") for act in timeline.acts]
    # Where no energy flowed, only a plug that nobody is known to have put there counts.
    unseen = [act for act in unnamed if act.act != "plug"]
    shown = announced(ledger.sessions, bay)
    bindings = (
        bind(ledger.sessions, bay, unnamed),
        bind(ledger.sessions, bay, unseen),
        bind(ledger.sessions, bay, unnamed, shown=shown),
    )
    others = [_world(timeline, bay, ledger, closes, each) for each in bindings]
    return min(world, *others, key=_wrongs)


def _wrongs(world: tuple[list[Finding], list[SessionVerdict]]) -> int:
    return sum(v.settlement is not Settlement.CLOSED for v in world[1])


def _world(
    timeline: Timeline, bay: Bay, ledger: Ledger, closes: Closes, binding: Binding
) -> tuple[list[Finding], list[SessionVerdict]]:
    blocked = blockages(timeline)
    dossiers = [
        Dossier(
            case=_case(session, timeline, bay, ledger, binding),
            attempts=closes.of_session(session),
            closes=closes,
            binding=binding,
            blocked=blocked,
        )
        for session in ledger.sessions
    ]
    lines: list[Finding] = []
    verdicts: list[SessionVerdict] = []
    for dossier in dossiers:
        verdict, found = examine(dossier)
        verdicts.append(verdict)
        lines += [*found, *dossier.warnings, *retries(dossier)]
    scene = Scene(
        timeline=timeline,
        ledger=ledger,
        bay=bay,
        binding=binding,
        closes=closes,
        dossiers=dossiers,
    )
    return [*lines, *oracles(scene)], verdicts


def _case(
    session: Session, timeline: Timeline, bay: Bay, ledger: Ledger, binding: Binding
) -> Case:
    twins = [
        other
        for other in ledger.sessions
        if other is not session
        and other.card == session.card
        and other.open_at(session.opened.seq)
    ]
    return Case(
        session=session,
        told=session.told or session.opened,
        promises=timeline.promises,
        bay=bay,
        timeline=timeline,
        intervals=binding.intervals(session),
        connector=binding.connectors.get(session.index),
        driver=binding.drivers.get(session.index, ""),
        plugged=binding.plugged.get(session.index),
        deaths=deaths(timeline.lives),
        twins=bool(twins),
    )


# --- Has the case shown anything? -----------------------------------------------


def _vacuity(
    timeline: Timeline, expectations: Expectations, sessions: Sequence[SessionVerdict]
) -> Iterator[Finding]:
    end = At(seq=timeline.last_seq, t_ms=timeline.end_ms)
    for conduct, expected, seen in _shortfalls(timeline, expectations, sessions):
        yield Finding(
            conduct=conduct,
            requirement="examiner",
            expected=expected,
            seen=seen,
            t_ms=end.t_ms,
            seqs=(end.seq,),
        )


def _shortfalls(
    timeline: Timeline, expectations: Expectations, sessions: Sequence[SessionVerdict]
) -> Iterator[tuple[Conduct, str, str]]:
    if not timeline.started:
        yield Conduct.ERROR, "a trace that begins with a run record", "none"
    if "ended" not in timeline.epilogue:
        yield Conduct.ERROR, "an epilogue that ended", "a trace that was cut short"
    if timeline.lives and not any(life.event == "ready" for life in timeline.lives):
        yield Conduct.ERROR, "a controller that becomes ready", "it never was"
    hit = {fault.fault for fault in timeline.faults if fault.event == "hit"}
    for fault in timeline.faults:
        if fault.event == "planned" and fault.fault not in hit:
            expected = f"the planned fault {fault.name} hits"
            words = f" ({fault.detail})" if fault.detail else ""
            yield Conduct.INCONCLUSIVE, expected, f"it did not{words}"
    for mark in expectations.must_see:
        if mark not in timeline.marks:
            yield Conduct.INCONCLUSIVE, f"to see {mark}", "it did not happen"
    yield from _headcount(expectations, len(sessions))
    rule = expectations.scheme_late
    if rule and not any(is_scheme_late(session, rule) for session in sessions):
        yield Conduct.INCONCLUSIVE, f"a session LATE by {rule} alone", "none"


def _headcount(
    expectations: Expectations, sessions: int
) -> Iterator[tuple[Conduct, str, str]]:
    least, exact = expectations.sessions_at_least, expectations.sessions_exactly
    wanted = max(least or 0, exact or 0)
    if sessions < wanted:
        yield Conduct.INCONCLUSIVE, f"at least {wanted} sessions", str(sessions)
    elif exact is not None and sessions > exact:
        yield Conduct.FAIL, f"{exact} sessions", str(sessions)
