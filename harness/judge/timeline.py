"""The trace as typed facts: one pass over the records, one list per kind of fact.

This is the only place that knows how ``wire.records`` spells things. It decides
nothing: rules are elsewhere. Keep-alives are dropped here, since they are most of a
trace and prove nothing; unknown kinds are passed over, so that an old judge reads a
newer trace.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from harness.judge.facts import (
    Act,
    Answer,
    At,
    Breach,
    Call,
    Callback,
    Face,
    Failure,
    Life,
    Line,
    LinkChange,
    Message,
    Money,
    Planned,
    Stored,
)
from harness.judge.frames import closes_in, is_sound
from harness.judge.promises import Promises
from harness.judge.reading import Table, flag, number, rows, table, text
from wire.records import Record

#: Messages that are asked for all the time and decide nothing.
_KEEP_ALIVE: Final = frozenset({"Get Status", "Get Status Response"})
#: The routes that close a session, by the last part of their path (cps.md E9, E10).
_ROUTE_OF: Final[Mapping[str, str]] = {
    "commit": "E9",
    "cancel": "E10",
    "authorize": "E6",
    "stop": "E5",
    "card": "E4",
    "start": "E3",
}


@dataclass(slots=True, kw_only=True)
class Timeline:
    """All that a trace holds, sorted by kind and, within a kind, by time."""

    promises: Promises = field(default_factory=lambda: Promises.read({}))
    started: bool = False
    end_ms: int = 0
    last_seq: int = -1
    acts: list[Act] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    answers: dict[int, Answer] = field(default_factory=dict)
    failures: dict[int, Failure] = field(default_factory=dict)
    callbacks: list[Callback] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    links: list[LinkChange] = field(default_factory=list)
    stored: list[Stored] = field(default_factory=list)
    money: list[Money] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)
    faces: list[Face] = field(default_factory=list)
    faults: list[Planned] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)
    #: When the controller was told of a card; found on first use.
    card_reads: list[At] | None = None
    #: What the terminal shows, while the records are read.
    screen: str = ""
    marks: set[str] = field(default_factory=set)
    epilogue: dict[str, int] = field(default_factory=dict)
    #: (time, heard): bytes were lost on the PSP line; the controller heard again.
    silences: list[tuple[int, bool]] = field(default_factory=list)
    #: When bytes of the controller were lost on the PSP line, keep-alives included.
    lost_ms: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, records: Iterable[Record]) -> "Timeline":
        timeline = cls()
        end_ms, last_seq = timeline.end_ms, timeline.last_seq
        for record in records:
            seq, t_ms = record.get("seq"), record.get("t_ms")
            if type(seq) is not int or type(t_ms) is not int:
                seq, t_ms = number(record, "seq") or 0, number(record, "t_ms") or 0
            if t_ms < end_ms or seq < last_seq:
                # Out of order, as only a damaged trace is.
                end_ms, last_seq = max(end_ms, t_ms), max(last_seq, seq)
            else:
                end_ms, last_seq = t_ms, seq
            read = _READERS.get(text(record, "kind"))
            if read is not None:
                read(timeline, record, seq, t_ms)
        timeline.end_ms, timeline.last_seq = end_ms, last_seq
        return timeline


def _run(timeline: Timeline, record: Record, _seq: int, _t_ms: int) -> None:
    timeline.started = True
    declaration = table(record, "declaration")
    timeline.promises = Promises.read(declaration, text(record, "column"))


#: The terminal has a card in hand, and looks at no other.
_BUSY_SCREENS: Final = frozenset({"reading", "card_read", "authorising", "pin"})


def _display(timeline: Timeline, record: Record, _seq: int, _t_ms: int) -> None:
    timeline.screen = text(record, "screen")


def _act(timeline: Timeline, record: Record, seq: int, t_ms: int) -> None:
    act = text(record, "act")
    if act == "tap" and timeline.screen in _BUSY_SCREENS:
        act = "tap in vain"
    timeline.acts.append(
        Act(
            seq=seq,
            t_ms=t_ms,
            act=act,
            driver=text(record, "driver"),
            connector=number(record, "connector"),
            card=text(record, "card"),
            card_id=text(record, "card_id"),
            button=text(record, "button"),
        )
    )


def _psp(timeline: Timeline, record: Record, seq: int, t_ms: int) -> None:
    if not timeline.silences and _is_keep_alive(record):
        return
    outbound = text(record, "direction") == "to_terminal"
    fate = _fate(timeline, record, outbound, t_ms)
    told = [row for row in rows(record, "messages") if not _is_idle(row)]
    for row in told:
        name, fields = text(row, "message"), table(row, "fields")
        timeline.messages.append(
            Message(
                seq=seq,
                t_ms=t_ms,
                outbound=outbound,
                fate=fate,
                name=name,
                fields=fields,
                malformed=text(row, "malformed"),
            )
        )
    if outbound and fate != "delivered" and not any(text(r, "message") for r in told):
        timeline.messages.extend(_lost_closes(record, fate, seq, t_ms))


def _is_idle(row: Table) -> bool:
    return text(row, "message") in _KEEP_ALIVE


def _is_keep_alive(record: Record) -> bool:
    """Whether it is nothing else, as most records of a long wait are."""
    messages = record.get("messages")
    if not isinstance(messages, list) or len(messages) != 1:
        return False
    only = messages[0]
    is_named = isinstance(only, dict) and only.get("message") in _KEEP_ALIVE
    return is_named and record.get("fate") == "delivered"


def _lost_closes(record: Record, fate: str, seq: int, t_ms: int) -> Iterator[Message]:
    """The closes in bytes that did not arrive as they were sent."""
    for name, fields in closes_in(text(record, "hex")):
        if fate == "changed":
            # The amount may be the very thing that was damaged.
            fields.pop("amount_minor", None)
        yield Message(
            seq=seq,
            t_ms=t_ms,
            outbound=True,
            fate=fate,
            name=name,
            fields=fields,
            malformed="",
        )


def _fate(timeline: Timeline, record: Record, outbound: bool, t_ms: int) -> str:
    """delivered | lost | changed, where noise around a good block is no change."""
    fate = text(record, "fate")
    if fate == "changed" and is_sound(text(record, "hex")):
        fate = "delivered"
    if fate != "delivered":
        timeline.silences.append((t_ms, False))
        if outbound:
            timeline.lost_ms.append(t_ms)
    elif not outbound and timeline.silences:
        timeline.silences.append((t_ms, True))
    return fate


def _http(timeline: Timeline, record: Record, seq: int, t_ms: int) -> None:
    target = text(record, "target")
    path = target.partition("?")[0].rstrip("/").split("/")
    route = text(record, "route") or _ROUTE_OF.get(path[-1], "")
    session_id = text(record, "session_id")
    if not session_id and route in {"E9", "E10"} and len(path) > 1:
        session_id = path[-2]
    timeline.calls.append(
        Call(
            seq=seq,
            t_ms=t_ms,
            call=number(record, "call") or 0,
            route=route,
            target=target,
            session_id=session_id,
            query=table(record, "query"),
            authorised=flag(record, "authorised") is not False,
            fate=text(record, "fate"),
        )
    )


def _http_answer(timeline: Timeline, record: Record, seq: int, t_ms: int) -> None:
    timeline.answers[number(record, "call") or 0] = Answer(
        seq=seq,
        t_ms=t_ms,
        status=number(record, "status") or 0,
        body=record.get("body"),
        fate=text(record, "fate"),
    )


def _http_failed(timeline: Timeline, record: Record, seq: int, t_ms: int) -> None:
    failure = Failure(seq=seq, t_ms=t_ms, reason=text(record, "reason"))
    timeline.failures[number(record, "call") or 0] = failure


def _callback(timeline: Timeline, record: Record, seq: int, t_ms: int) -> None:
    timeline.callbacks.append(
        Callback(
            seq=seq,
            t_ms=t_ms,
            what=text(record, "what"),
            body=table(record, "body"),
            fate=text(record, "fate"),
        )
    )


def _bay(timeline: Timeline, record: Record, seq: int, t_ms: int) -> None:
    line = table(record, "line")
    timeline.lines.append(
        Line(
            seq=seq,
            t_ms=t_ms,
            outbound=text(record, "direction") == "to_charger",
            line=line,
            fate=text(record, "fate"),
        )
    )


def _link(timeline: Timeline, record: Record, seq: int, t_ms: int) -> None:
    timeline.links.append(
        LinkChange(
            seq=seq,
            t_ms=t_ms,
            link=text(record, "link"),
            up=text(record, "state") == "up",
            reason=text(record, "reason"),
        )
    )


def _session(timeline: Timeline, record: Record, seq: int, t_ms: int) -> None:
    timeline.stored.append(
        Stored(
            seq=seq,
            t_ms=t_ms,
            event=text(record, "event"),
            session_id=text(record, "session_id"),
            psp_session_id=number(record, "psp_session_id") or 0,
            hold=text(record, "hold"),
            card=text(record, "card"),
            card_id=text(record, "card_id"),
            amount_minor=number(record, "amount_minor"),
            op=text(record, "op"),
            via=text(record, "via"),
            reason=text(record, "reason"),
        )
    )


def _issuer(timeline: Timeline, record: Record, seq: int, t_ms: int) -> None:
    timeline.money.append(
        Money(
            seq=seq,
            t_ms=t_ms,
            event=text(record, "event"),
            hold=text(record, "hold"),
            amount_minor=number(record, "amount_minor"),
        )
    )


def _controller(timeline: Timeline, record: Record, seq: int, t_ms: int) -> None:
    life = Life(seq=seq, t_ms=t_ms, event=text(record, "event"))
    timeline.lives.append(life)


def _fault(timeline: Timeline, record: Record, seq: int, t_ms: int) -> None:
    timeline.faults.append(
        Planned(
            seq=seq,
            t_ms=t_ms,
            event=text(record, "event"),
            fault=str(record.get("fault")),
            name=text(record, "name"),
            detail=str(record.get("detail", "")),
        )
    )


def _seen(timeline: Timeline, record: Record, _seq: int, _t_ms: int) -> None:
    timeline.marks.add(text(record, "mark"))


def _finding(timeline: Timeline, record: Record, seq: int, t_ms: int) -> None:
    timeline.breaches.append(
        Breach(
            seq=seq,
            t_ms=t_ms,
            requirement=text(record, "requirement"),
            expected=text(record, "expected"),
            seen=text(record, "seen"),
        )
    )


def _reader(timeline: Timeline, record: Record, seq: int, t_ms: int) -> None:
    timeline.faces.append(
        Face(
            seq=seq,
            t_ms=t_ms,
            face=text(record, "face"),
            state=text(record, "state"),
        )
    )


def _epilogue(timeline: Timeline, record: Record, seq: int, t_ms: int) -> None:
    timeline.epilogue[text(record, "event")] = t_ms


_READERS: Final = {
    "run": _run,
    "act": _act,
    "psp": _psp,
    "http": _http,
    "http_answer": _http_answer,
    "http_failed": _http_failed,
    "callback": _callback,
    "bay": _bay,
    "link": _link,
    "session": _session,
    "issuer": _issuer,
    "controller": _controller,
    "fault": _fault,
    "seen": _seen,
    "finding": _finding,
    "reader": _reader,
    "display": _display,
    "epilogue": _epilogue,
}
