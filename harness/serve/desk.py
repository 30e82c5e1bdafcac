"""The counter of the bench: a call in, an answer out.

Pure: method, path, query and body decide, with the forecourt behind the counter, what
happens and what is answered; nothing here knows how a call travels. Whoever carries
calls makes them between two turns of the kernel, never inside one, because a reset
takes the machines away that might just be at it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from harness.declaration import NotClaimed
from harness.faults.engine import MAX_IN_FORCE
from harness.serve import views
from harness.serve.acts import Acts, Given, check_room
from harness.serve.faulting import why_not
from harness.serve.fields import (
    NOT_NOW,
    UNKNOWN,
    WRONG,
    Refused,
    Value,
    read_all,
    wrong,
)
from harness.serve.openapi import document
from harness.serve.play import Play
from harness.serve.routes import Route, read_object, routes
from simulator.faults import FAULTS, FaultPlanError, plan
from simulator.site import ImpossibleError

OK: Final = 200
NO_SUCH_CALL: Final = 405
JSON_LINES: Final = "application/jsonl"
EVENTS: Final = "text/event-stream"
MAX_PARAMETERS: Final = 8
#: The fault that opens sessions by itself.
OLD_SESSIONS: Final = "terminal_stale_sessions"
#: Longer numbers in a query are no numbers of ours.
MAX_DIGITS: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``body`` is a plain value for JSON; with ``lines`` those are sent instead."""

    status: int
    body: object = None
    lines: Sequence[str] | None = None
    #: The lines go on with what happens from now.
    goes_on: bool = False
    media: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class NoSuchCall(Refused):
    """The path is known, the method is not one of its ``methods``."""

    def __init__(self, method: str, methods: Sequence[str]) -> None:
        self.methods = ", ".join(methods)
        super().__init__(
            NO_SUCH_CALL, f"method: found {method[:20]!r}, allowed {self.methods}"
        )


class Desk:
    """See the module's text. ``addresses``: where a controller connects, in words."""

    def __init__(self, play: Play, *, addresses: Mapping[str, str]) -> None:
        self._play = play
        self._addresses = addresses
        self._acts = Acts(play)
        self._routes = routes(play.settings.connectors)
        self._document = document(self._routes)

    def call(
        self, method: str, path: str, *, query: str = "", body: bytes = b""
    ) -> Answer:
        """Carry out one call."""
        try:
            route, named = self._find(method, path)
            given = {**named, **_read_query(route, query), **_read_body(route, body)}
            return self._carry_out(route, given)
        except NoSuchCall as refused:
            allow = {"Allow": refused.methods}
            return Answer(status=refused.status, body=refused.body(), headers=allow)
        except Refused as refused:
            return Answer(status=refused.status, body=refused.body())
        except ImpossibleError as error:
            return Answer(status=NOT_NOW, body={"error": str(error)})

    def _find(self, method: str, path: str) -> tuple[Route, Mapping[str, Value]]:
        matching = [one for one in self._routes if one.match(path) is not None]
        if not matching:
            raise Refused(UNKNOWN, "no such path; GET /openapi.json lists the calls")
        # A path without a parameter in it is meant before one that has one.
        meant = min(matching, key=lambda one: one.path.count("{")).path
        there = [one for one in matching if one.path == meant]
        for route in there:
            if route.method == method:
                return route, dict(route.match(path) or {})
        raise NoSuchCall(method, [one.method for one in there])

    def _carry_out(self, route: Route, given: Given) -> Answer:
        act = _ACTS.get(route.name)
        if act is None:
            return _HANDLERS[route.name](self, given)
        seq = self._play.tail.next_seq
        act(self._acts, given)
        return Answer(status=OK, body={"seq": seq})

    # --- Looking ----------------------------------------------------------------

    def _overview(self, _given: Given) -> Answer:
        shown = views.overview(self._play, self._addresses)
        return Answer(status=OK, body=shown)

    def _sessions(self, _given: Given) -> Answer:
        return Answer(status=OK, body=views.sessions(self._play))

    def _cards(self, _given: Given) -> Answer:
        return Answer(status=OK, body=views.cards(self._play))

    def _catalogue(self, _given: Given) -> Answer:
        return Answer(status=OK, body=views.catalogue(self._play))

    def _openapi(self, _given: Given) -> Answer:
        return Answer(status=OK, body=self._document)

    def _trace(self, given: Given) -> Answer:
        found = self._play.tail.since(int(given.get("since", 0)))
        return Answer(
            status=OK,
            lines=found.lines,
            media=JSON_LINES,
            headers={"Nohold-Dropped": str(found.dropped)},
        )

    def _events(self, given: Given) -> Answer:
        found = self._play.tail.since(int(given.get("since", self._play.tail.next_seq)))
        return Answer(
            status=OK,
            lines=found.lines,
            goes_on=True,
            media=EVENTS,
            headers={"Nohold-Dropped": str(found.dropped), "Cache-Control": "no-store"},
        )

    # --- Faults and reset -------------------------------------------------------

    def _inject(self, given: Given) -> Answer:
        name = str(given.pop("name"))
        self._check_fault(name, given)
        seq = self._play.tail.next_seq
        try:
            fault_id = self._play.faults.inject(plan(name, **given))
        except (NotClaimed, FaultPlanError) as error:
            raise Refused(NOT_NOW, f"{name}: {error}") from None
        return Answer(status=OK, body={"id": fault_id, "seq": seq})

    def _check_fault(self, name: str, params: Given) -> None:
        play = self._play
        why = why_not(FAULTS[name], link=play.settings.link)
        if why:
            raise Refused(NOT_NOW, f"{name}: {why}")
        if len(play.faults.in_force()) >= MAX_IN_FORCE:
            raise Refused(NOT_NOW, f"{MAX_IN_FORCE} faults are in force; heal some")
        if name == OLD_SESSIONS:
            check_room(play, int(params["count"]))

    def _heal(self, given: Given) -> Answer:
        fault_id = str(given["id"])
        try:
            self._play.faults.heal_one(fault_id)
        except KeyError:
            there = ", ".join(one.fault_id for one in self._play.faults.in_force())
            raise wrong(
                "id", fault_id, there or "none: no fault is in force", status=UNKNOWN
            ) from None
        return Answer(status=OK, body={"healed": [fault_id]})

    def _heal_all(self, _given: Given) -> Answer:
        healed = [one.fault_id for one in self._play.faults.in_force()]
        self._play.faults.heal_all()
        return Answer(status=OK, body={"healed": healed})

    def _reset(self, _given: Given) -> Answer:
        self._play.reset()
        return Answer(status=OK, body={"seq": self._play.first_seq})


_ACTS: Final[Mapping[str, Callable[[Acts, Given], None]]] = {
    "tap": Acts.tap,
    "park": Acts.park,
    "leave": Acts.leave,
    "plug": Acts.plug,
    "draw": Acts.draw,
    "pause": Acts.pause,
    "unplug": Acts.unplug,
    "press": Acts.press,
    "terminal_button": Acts.terminal_button,
}
_HANDLERS: Final[Mapping[str, Callable[[Desk, Given], Answer]]] = {
    "overview": Desk._overview,
    "sessions": Desk._sessions,
    "cards": Desk._cards,
    "catalogue": Desk._catalogue,
    "inject": Desk._inject,
    "heal": Desk._heal,
    "heal_all": Desk._heal_all,
    "trace": Desk._trace,
    "events": Desk._events,
    "reset": Desk._reset,
    "document": Desk._openapi,
}


def _read_body(route: Route, body: bytes) -> Given:
    """The fields of the body; a call without one takes none."""
    if route.method == "GET":
        return {}
    found = read_object(body)
    return read_all({}, found) if route.body is None else route.body.read(found)


def _read_query(route: Route, query: str) -> Given:
    """The parameters behind the question mark; each once, and none that is unknown."""
    found: dict[str, object] = {}
    for name, text in _pairs(query):
        if name in found:
            allowed = "each parameter once"
            raise Refused(WRONG, f"{name}: found twice", field=name, allowed=allowed)
        is_number = text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
        found[name] = int(text) if is_number else text
    return read_all(route.query, found)


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        allowed = f"at most {MAX_PARAMETERS} parameters"
        why = f"query: too many parameters, {allowed}"
        raise Refused(WRONG, why, field="query", allowed=allowed) from None
