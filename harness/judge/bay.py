"""What the controller was told about each connector, and what it ordered.

Built from the bay lines that arrived: a fact that was lost with its link does not
exist here until a ``welcome`` brings it, because deadlines run from what could be
known. A welcome is compared with what was said last and yields only the differences;
the story survives a restart of the controller, since a restarted controller can know
from its storage what it was told before.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from harness.judge.facts import At, Line, LinkChange
from harness.judge.reading import Table, flag, number, rows, text
from harness.judge.spans import Span, spans_of
from harness.judge.timeline import Timeline

ValueT = TypeVar("ValueT")

PLUGGED: Final = frozenset({"B", "C", "D"})
DRAWING: Final = frozenset({"C", "D"})
#: Faults that say nothing about the power path (requirements.md 1.15).
HARMLESS: Final = frozenset(
    {"ReaderFailure", "WeakSignal", "LocalListConflict", "ResetFailure", "NoError"}
)
#: A final meter line follows the contactor's within 1 s; one more for the road.
FINAL_METER_MS: Final = 2_000
#: How long after the end of a process its lines may still look open.
_LINGER_MS: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Said(At, Generic[ValueT]):
    """One fact as the controller heard it. ``welcome``: found so after a reconnect."""

    value: ValueT
    welcome: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(At):
    energy_wh: int
    power_w: int
    good: bool


@dataclass(slots=True)
class Story:
    """One connector, each list in the order of delivery."""

    connector: int
    pilots: list[Said[str]] = field(default_factory=list)
    contactor: list[Said[bool]] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    occupied: list[Said[bool]] = field(default_factory=list)
    available: list[Said[bool]] = field(default_factory=list)
    #: (code, active) of faults that concern the power path, the station's included.
    faults: list[Said[tuple[str, bool]]] = field(default_factory=list)
    presses: list[Said[str]] = field(default_factory=list)
    rejected: list[Said[str]] = field(default_factory=list)
    #: Contactor commands of the controller: True closes.
    commands: list[Said[bool]] = field(default_factory=list)


@dataclass(slots=True)
class Bay:
    stories: dict[int, Story] = field(default_factory=dict)
    emergency: list[Said[bool]] = field(default_factory=list)
    #: The bay link was down.
    outages: tuple[Span, ...] = ()
    #: The controller was dead, from the last line that it had heard before.
    unseen: tuple[Span, ...] = ()
    shows: list[Line] = field(default_factory=list)
    alarms: list[Line] = field(default_factory=list)

    @classmethod
    def of(cls, timeline: Timeline) -> "Bay":
        outages = _outages(timeline.links)
        bay = cls(outages=outages, unseen=tuple(_unseen(timeline, outages)))
        for line in timeline.lines:
            if line.outbound:
                _note_order(bay, line)
            elif line.fate != "lost":
                _note_fact(bay, line)
        return bay

    def story(self, connector: int) -> Story:
        found = self.stories.get(connector)
        if found is None:
            found = self.stories[connector] = Story(connector)
        return found


def _outages(links: Iterable[LinkChange]) -> tuple[Span, ...]:
    return spans_of([(c.t_ms, c.up) for c in links if c.link == "bay"], "down")


def _unseen(timeline: Timeline, outages: Iterable[Span]) -> Iterator[Span]:
    """Outages that are deaths: calendars may have been put, and no clock ran on."""
    kills = [life.t_ms for life in timeline.lives if life.event == "killed"]
    for outage in outages:
        if any(outage.start_ms - _LINGER_MS <= at <= outage.end_ms for at in kills):
            heard = [
                line.t_ms
                for line in timeline.lines
                if not line.outbound and line.t_ms <= outage.start_ms
            ]
            yield Span(heard[-1] if heard else 0, outage.end_ms, "dead")


# --- Reading lines --------------------------------------------------------------


def _say(
    history: list[Said[ValueT]], value: ValueT, line: Line, *, welcome: bool = False
) -> None:
    """Add to a history; a welcome repeats what is known, and that is no news."""
    if welcome and history and history[-1].value == value:
        return
    said = Said(seq=line.seq, t_ms=line.t_ms, value=value, welcome=welcome)
    history.append(said)


def _note_fact(bay: Bay, line: Line) -> None:
    kind = text(line.line, "type")
    if kind == "welcome":
        _note_welcome(bay, line)
    elif kind == "emergency_stop":
        _say(bay.emergency, flag(line.line, "active") or False, line)
    elif kind == "fault":
        _note_fault(bay, line)
    else:
        connector = number(line.line, "connector")
        if connector is not None:
            _note_connector(bay.story(connector), kind, line)


def _note_connector(story: Story, kind: str, line: Line) -> None:
    fields = line.line
    match kind:
        case "plug":
            _say(story.pilots, text(fields, "pilot"), line)
        case "contactor":
            _say(story.contactor, flag(fields, "closed") or False, line)
        case "meter":
            _note_reading(story, fields, line)
        case "bay":
            _say(story.occupied, flag(fields, "occupied") or False, line)
        case "available":
            _say(story.available, flag(fields, "available") or False, line)
        case "press":
            _say(story.presses, text(fields, "button"), line)
        case "rejected":
            _say(story.rejected, text(fields, "command"), line)
        case _:
            pass


def _note_reading(story: Story, fields: Table, line: Line) -> None:
    """A register that is not a whole number, or is negative, is no good reading."""
    energy_wh = number(fields, "energy_wh")
    readable = energy_wh is not None and energy_wh >= 0
    story.readings.append(
        Reading(
            seq=line.seq,
            t_ms=line.t_ms,
            energy_wh=energy_wh or 0,
            power_w=number(fields, "power_w") or 0,
            good=readable and text(fields, "quality") != "suspect",
        )
    )


def _note_fault(bay: Bay, line: Line) -> None:
    code = text(line.line, "code")
    if code in HARMLESS:
        return
    connector = number(line.line, "connector")
    value = (code, flag(line.line, "active") or False)
    stories = bay.stories.values() if connector is None else [bay.story(connector)]
    for story in stories:
        _say(story.faults, value, line)


def _note_welcome(bay: Bay, line: Line) -> None:
    stop = flag(line.line, "emergency_stop") or False
    if stop or bay.emergency:
        _say(bay.emergency, stop, line, welcome=True)
    for row in rows(line.line, "connectors"):
        connector = number(row, "connector")
        if connector is not None:
            _note_state(bay.story(connector), row, line)


def _note_state(story: Story, row: Table, line: Line) -> None:
    _say(story.pilots, text(row, "pilot"), line, welcome=True)
    closed = flag(row, "contactor_closed") or False
    _say(story.contactor, closed, line, welcome=True)
    _note_reading(story, row, line)
    for key, history in (("occupied", story.occupied), ("available", story.available)):
        value = flag(row, key)
        if value is not None:
            _say(history, value, line, welcome=True)
    _note_welcome_faults(story, row, line)


def _note_welcome_faults(story: Story, row: Table, line: Line) -> None:
    listed = row.get("faults")
    codes = listed if isinstance(listed, Sequence) else ()
    now = [c for c in codes if isinstance(c, str) and c not in HARMLESS]
    known = active_faults(story, line.t_ms)
    for code in now:
        if code not in known:
            _say(story.faults, (code, True), line)
    for code in known:
        if code not in now:
            _say(story.faults, (code, False), line)


def _note_order(bay: Bay, line: Line) -> None:
    match text(line.line, "type"):
        case "contactor":
            connector = number(line.line, "connector")
            if connector is not None:
                close = flag(line.line, "close") or False
                _say(bay.story(connector).commands, close, line)
        case "show":
            bay.shows.append(line)
        case "alarm":
            bay.alarms.append(line)
        case _:
            pass


# --- Asking ---------------------------------------------------------------------


def _time(at: At) -> int:
    return at.t_ms


def _seq(at: At) -> int:
    return at.seq


AtT = TypeVar("AtT", bound=At)


def until(history: Sequence[AtT], t_ms: int) -> Sequence[AtT]:
    """The part of a history up to and including ``t_ms``."""
    return history[: bisect_right(history, t_ms, key=_time)]


def after(history: Sequence[AtT], t_ms: int) -> Sequence[AtT]:
    """The part of a history later than ``t_ms``."""
    return history[bisect_right(history, t_ms, key=_time) :]


def since(history: Sequence[AtT], seq: int) -> Sequence[AtT]:
    """The facts that came later in the trace than ``seq``."""
    return history[bisect_right(history, seq, key=_seq) :]


def last(history: Sequence[Said[ValueT]], t_ms: int, default: ValueT) -> ValueT:
    """What was said last, up to and including ``t_ms``."""
    end = bisect_right(history, t_ms, key=_time)
    return history[end - 1].value if end else default


def active_faults(story: Story, t_ms: int) -> Mapping[str, Said[tuple[str, bool]]]:
    """Codes of the faults in force at ``t_ms``, each with when it began."""
    active: dict[str, Said[tuple[str, bool]]] = {}
    for said in until(story.faults, t_ms):
        code, on = said.value
        if on:
            active.setdefault(code, said)
        else:
            active.pop(code, None)
    return active


def is_shut(story: Story, t_ms: int) -> bool:
    """Whether its connector reports a fault, a vehicle's too, or is out of service."""
    served = last(story.available, t_ms, default=True)
    is_wrong = last(story.pilots, t_ms, "A") in ("E", "F")
    return not served or is_wrong or bool(active_faults(story, t_ms))
