"""Which session paid for which energised interval of which connector.

The judge knows people: the one whose card was tapped and the one who plugged in. A
controller does not, so where no person decides, the oldest open session that pays for
nothing yet is taken, which is what a controller can do too. An interval without any
session is energy that nobody authorised.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from harness.judge.bay import PLUGGED, Bay, Said, Story, is_shut, last, since
from harness.judge.facts import Act, At
from harness.judge.reading import number
from harness.judge.sessions import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """The contactor of one connector was closed, as the controller was told."""

    connector: int
    start: Said[bool]
    #: None: still closed when the trace ends.
    end: Said[bool] | None
    #: The latest time at which it was surely still closed.
    surely_until_ms: int | None

    @property
    def end_seq(self) -> int:
        return 1 << 62 if self.end is None else self.end.seq

    def live_at(self, seq: int) -> bool:
        return self.start.seq < seq < self.end_seq


@dataclass(slots=True)
class Binding:
    #: Session index -> what it paid for, in order.
    paid: dict[int, list[Interval]] = field(default_factory=dict)
    unpaid: list[Interval] = field(default_factory=list)
    drivers: dict[int, str] = field(default_factory=dict)
    #: By what a controller knows a session's card again; empty: by nothing.
    cards: dict[int, str] = field(default_factory=dict)
    #: Where the session's vehicle is, also when no energy ever flowed.
    connectors: dict[int, int] = field(default_factory=dict)
    #: Where the controller says that it is, when that is to be believed.
    shown: Mapping[int, int] = field(default_factory=dict)
    #: When the controller was told that the session's vehicle is plugged in.
    plugged: dict[int, At] = field(default_factory=dict)

    def intervals(self, session: Session) -> list[Interval]:
        return self.paid.get(session.index, [])


def intervals_of(bay: Bay) -> list[Interval]:
    """All energised intervals, in the order in which they began."""
    found = [i for story in bay.stories.values() for i in _intervals(bay, story)]
    return sorted(found, key=lambda i: i.start.seq)


def _intervals(bay: Bay, story: Story) -> Iterator[Interval]:
    start: Said[bool] | None = None
    for said in story.contactor:
        if said.value and start is None:
            start = said
        elif not said.value and start is not None:
            yield _interval(bay, story, start, said)
            start = None
    if start is not None:
        yield _interval(bay, story, start, None)


def _interval(
    bay: Bay, story: Story, start: Said[bool], end: Said[bool] | None
) -> Interval:
    """With the link down in between, the true end lies somewhere in the outage."""
    surely = None if end is None else end.t_ms
    if end is not None and end.welcome:
        # A welcome ends an outage, if not in the very moment in which the link is up.
        outages = [each for each in bay.outages if each.start_ms < end.t_ms]
        for outage in outages[-1:]:
            surely = max(outage.start_ms, start.t_ms)
    return Interval(
        connector=story.connector, start=start, end=end, surely_until_ms=surely
    )


# --- People ---------------------------------------------------------------------


def _driver_of(session: Session, acts: Sequence[Act]) -> str:
    for act in reversed(acts):
        tapped = act.act == "tap" and act.seq < session.opened.seq
        if tapped and (not session.card or act.card in ("", session.card)):
            return act.driver
    return ""


def confusable(sessions: Sequence[Session], acts: Sequence[Act]) -> bool:
    """Whether somebody else could be taken for the driver of a session.

    A person who presses start shortly before the tap, or plugs in before the one who
    has tapped does, looks to a controller like the one who pays.
    """
    return any(_is_crossed(session, acts) for session in sessions)


def _is_crossed(session: Session, acts: Sequence[Act]) -> bool:
    driver = _driver_of(session, acts)
    ended_seq = (1 << 62) if session.ended is None else session.ended.seq
    for act in acts:
        if act.seq > ended_seq:
            return False
        is_start = act.act == "press" and act.button == "start"
        if session.opened.t_ms - act.t_ms > _CHOICE_MS:
            continue
        if act.act == "plug" and act.driver == driver and act.seq > session.opened.seq:
            return False
        if (is_start or act.act == "plug") and act.driver not in ("", driver):
            return True
    return False


def _plugger(connector: int, seq: int, acts: Sequence[Act]) -> str:
    for act in reversed(acts):
        if act.act == "plug" and act.connector == connector and act.seq < seq:
            return act.driver
    return ""


def announced(sessions: Sequence[Session], bay: Bay) -> dict[int, int]:
    """Session index -> the connector that the controller first showed it at."""
    found: dict[int, int] = {}
    for line in bay.shows:
        connector, named = number(line.line, "connector"), line.line.get("session_id")
        for session in sessions:
            if connector and named in (session.psp_session_id, session.session_id):
                found.setdefault(session.index, connector)
    return found


def bind(
    sessions: Sequence[Session],
    bay: Bay,
    acts: Sequence[Act],
    *,
    shown: Mapping[int, int] = MappingProxyType({}),
) -> Binding:
    """Pair sessions with intervals, then place those that never got energy.

    ``shown``: where the controller says that they are (``announced``); people count
    only where it says nothing.
    """
    binding = Binding(shown=shown)
    for session in sessions:
        binding.cards[session.index] = session.card_id
        driver = _driver_of(session, acts)
        if driver:
            binding.drivers[session.index] = driver
    holders: dict[int, Session] = {}
    for interval in intervals_of(bay):
        payer = _payer(sessions, bay, acts, (interval, binding, holders))
        if payer is None:
            binding.unpaid.append(interval)
            continue
        holders[interval.connector] = payer
        binding.paid.setdefault(payer.index, []).append(interval)
        binding.connectors.setdefault(payer.index, interval.connector)
    for session in sessions:
        _place(session, bay, acts, binding)
    return binding


def _payer(
    sessions: Sequence[Session],
    bay: Bay,
    acts: Sequence[Act],
    state: tuple[Interval, Binding, dict[int, Session]],
) -> Session | None:
    interval, binding, holders = state
    seq = interval.start.seq
    holder = holders.get(interval.connector)
    plugger = _plugger(interval.connector, seq, acts)
    if holder is not None and holder.open_at(seq):
        paid = binding.intervals(holder)[-1]
        story = bay.story(interval.connector)
        if not _left_between(story, paid.start.seq, seq):
            return holder
    candidates = [
        session
        for session in sessions
        if session.open_at(seq) and _eligible(session, interval, plugger, binding)
    ]
    # What the controller has not heard of yet, no charge of its can rest on.
    candidates.sort(
        key=lambda s: (s.index in binding.paid, s.is_forgotten, not s.known_at(seq))
    )
    here = [s for s in candidates if binding.shown.get(s.index) == interval.connector]
    own = [s for s in candidates if plugger and _is(s, plugger, binding)]
    return next(iter([*here, *own, *candidates]), None)


def _is(session: Session, driver: str, binding: Binding) -> bool:
    return binding.drivers.get(session.index) == driver


def _eligible(
    session: Session, interval: Interval, plugger: str, binding: Binding
) -> bool:
    """A session that has paid already goes on only for the same person."""
    if session.index not in binding.paid:
        return True
    driver = binding.drivers.get(session.index)
    ended = binding.paid[session.index][-1].end_seq < interval.start.seq
    return ended and (not plugger or driver in (None, plugger))


def _left_between(story: Story, from_seq: int, to_seq: int) -> bool:
    return any(
        said.value == "A" and said.seq < to_seq
        for said in since(story.pilots, from_seq)
    )


# --- Places ---------------------------------------------------------------------


def _place(session: Session, bay: Bay, acts: Sequence[Act], binding: Binding) -> None:
    """Find the session's connector, and when it was known to be plugged in."""
    chosen = binding.shown.get(session.index) or _chosen(session, acts, binding)
    at = session.told or session.opened
    if chosen is not None and not _is_no_place(chosen, at, session, (bay, binding)):
        binding.connectors.setdefault(session.index, chosen)
    plug = _plug_act(session, acts, binding)
    if session.index not in binding.connectors:
        connector = plug.connector if plug is not None else None
        if connector is None and not any(act.act == "plug" for act in acts):
            connector = _likely_connector(session, bay, binding)
        if connector is None:
            return
        if plug is not None and plug.seq > at.seq:
            at = plug
        if _is_no_place(connector, at, session, (bay, binding)):
            return
        binding.connectors[session.index] = connector
    story = bay.story(binding.connectors[session.index])
    from_seq = _vehicle_since(session, plug, story, binding)
    told = _told_plugged(session, story, from_seq)
    paid = binding.intervals(session)
    if told is None and paid:
        told = paid[0].start
    if told is not None:
        binding.plugged[session.index] = told


def _is_no_place(
    connector: int, at: At, session: Session, state: tuple[Bay, Binding]
) -> bool:
    """Shut where another is not: the next connector is meant, whatever people think."""
    bay, binding = state
    if not is_shut(bay.story(connector), at.t_ms):
        return False
    return any(
        not is_shut(story, at.t_ms) and not _busy(number, session, binding)
        for number, story in bay.stories.items()
    )


#: A start pressed longer than this before the approval belongs to something else.
_CHOICE_MS: Final = 600_000


def _chosen(session: Session, acts: Sequence[Act], binding: Binding) -> int | None:
    """The connector at which this session's driver pressed start before tapping."""
    driver = binding.drivers.get(session.index)
    for act in reversed(acts):
        before = act.seq < session.opened.seq and act.driver == driver
        if not before or session.opened.t_ms - act.t_ms > _CHOICE_MS:
            continue
        if act.act == "plug":
            return None
        if act.act == "press" and act.button == "start":
            return act.connector
    return None


def _plug_act(session: Session, acts: Sequence[Act], binding: Binding) -> Act | None:
    """The plug of this session's driver that belongs to this session."""
    driver = binding.drivers.get(session.index)
    connector = binding.connectors.get(session.index)
    ended_seq = (1 << 62) if session.ended is None else session.ended.seq
    found: Act | None = None
    for act in acts:
        mine = act.driver == driver and connector in (None, act.connector)
        if not mine or act.seq > ended_seq:
            continue
        is_plug = act.act == "plug" and _better(found, act, session)
        is_taken = _busy(act.connector, session, binding) or _is_served(
            act, session, binding
        )
        if is_plug and not is_taken:
            found = act
        elif act.act in ("unplug", "leave") and act.seq < session.opened.seq:
            found = None
    return found


def _likely_connector(session: Session, bay: Bay, binding: Binding) -> int | None:
    """Without acts: a plugged connector on which no other session has energy."""
    ended_seq = (1 << 62) if session.ended is None else session.ended.seq
    best: tuple[int, int] | None = None
    for story in bay.stories.values():
        if _busy(story.connector, session, binding):
            continue
        told = _told_plugged(session, story, -1)
        if told is not None and told.seq < ended_seq:
            rank = (told.seq, story.connector)
            best = rank if best is None else min(best, rank)
    return None if best is None else best[1]


def _better(found: Act | None, act: Act, session: Session) -> bool:
    """The last plug before the approval, else the first after it."""
    return found is None or act.seq < session.opened.seq


def _busy(connector: int | None, session: Session, binding: Binding) -> bool:
    """Another session had energy there when this one was approved."""
    at = session.told or session.opened
    return any(
        interval.connector == connector and interval.live_at(at.seq)
        for index, paid in binding.paid.items()
        if index != session.index
        for interval in paid
    )


def _is_served(plug: Act, session: Session, binding: Binding) -> bool:
    """This vehicle was charged for another card before.

    Who stands before the terminal with a new one, only people can see.
    """
    others = [
        interval
        for index, paid in binding.paid.items()
        if binding.cards[index] != session.card_id or not session.card_id
        for interval in paid
        if index != session.index and interval.connector == plug.connector
    ]
    return any(
        plug.seq < each.start.seq and each.end_seq < session.opened.seq
        for each in others
    )


def _vehicle_since(
    session: Session, plug: Act | None, story: Story, binding: Binding
) -> int:
    if plug is not None:
        return plug.seq
    paid = binding.intervals(session)
    if not paid:
        return -1
    seqs = [s.seq for s in story.pilots if s.seq < paid[0].start.seq]
    return seqs[-1] - 1 if seqs else -1


def _told_plugged(session: Session, story: Story, from_seq: int) -> At | None:
    """When the controller knew of both: the session and its plugged vehicle."""
    at = session.told or session.opened
    if last(story.pilots, at.t_ms, "A") in PLUGGED and _plug_seq(story, at) > from_seq:
        return at
    for said in since(story.pilots, max(from_seq, at.seq)):
        if said.value in PLUGGED:
            return said
    return None


def _plug_seq(story: Story, at: At) -> int:
    """The latest pilot that was said up to ``at``."""
    said = [s.seq for s in story.pilots if s.t_ms <= at.t_ms]
    return said[-1] if said else -1
