"""What happened on the wire, counted, and what could have happened.

PSP: a command, the terminal's state when it arrived, and what came back. CPS: a route
and the status that came back. What was seen is read from the trace alone; what could
be seen comes from the tables of ``wire``: which command is accepted where
(``permissions``), what may answer it (``messages``), which statuses a route has
(``routes``) under any reading. Counts are plain values, so that they may travel from
process to process.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from reports.results import WireLine
from wire.cps import POLICY_SWITCHES, ROUTES
from wire.cps.routes import Status
from wire.psp import Family, Name, Profile, State, answer_limit_ms
from wire.psp.messages import answers_of
from wire.psp.permissions import PERMISSION_ROWS
from wire.records import Record

#: Between the parts of a key.
_BAR: Final = "|"
OK: Final = "Result OK"
NOT_OK: Final = "Result Not OK"
SILENCE: Final = "no answer"
#: Answered when a driver or an issuer has; others are answered in turn meanwhile.
_LATE: Final = frozenset({Name.START_SESSION, Name.READ_CARD, Name.AUTH_SESSION})
#: How long an answer is waited for: the longer limit of the two families.
_LIMITS_MS: Final = {
    name: max(answer_limit_ms(name, family) or 0 for family in Family)
    for name in PERMISSION_ROWS
    if name not in _LATE
}
#: The fault that takes a terminal its set-up while a command is on its way.
FALLS_BACK: Final = "terminal_falls_back"
#: What ends an HTTP call besides a status.
FAILURES: Final = ("refused", "reset", "timeout")


def happened(records: Iterable[Record]) -> Counter[str]:
    """Keys of one play, counted."""
    seen: Counter[str] = Counter()
    listener = _PspListener(seen)
    routes: dict[object, object] = {}
    for record in records:
        match record["kind"]:
            case "reader" | "psp" | "link" | "fault":
                listener.hear(record)
            case "http":
                routes[record["call"]] = record.get("route")
            case "http_answer" if record.get("fate") != "lost":
                _count(seen, "cps", routes.get(record["call"]), "", record["status"])
            case "http_failed":
                _count(seen, "cps", routes.get(record["call"]), "", record["reason"])
    listener.end()
    return seen


def _count(seen: Counter[str], *parts: object) -> None:
    """A call to no route of CPS is none of ours to count."""
    if parts[1] is not None:
        seen[_BAR.join(map(str, parts))] += 1


class _PspListener:
    """Puts answers to commands; events stand for nothing."""

    def __init__(self, seen: Counter[str]) -> None:
        self._seen = seen
        self._state = State.OFFLINE.name
        #: Command -> the state it met, and when; the oldest first.
        self._owed: dict[Name, tuple[str, int]] = {}
        #: When a fault has last thrown the terminal back as a command came.
        self._fell_ms = -1

    def hear(self, record: Record) -> None:
        match record["kind"]:
            case "psp":
                self._hear_block(record)
            case "reader" if record["face"] == "psp":
                self._moves(str(record["state"]), _time(record))
            case "link" if record["link"] == "psp" and record["state"] == "down":
                self.end()
            case "fault" if record["event"] == "hit" and record["name"] == FALLS_BACK:
                self._fell_ms = _time(record)

    def _moves(self, state: str, now_ms: int) -> None:
        self._state = state
        if now_ms == self._fell_ms and self._owed:
            # The terminal fell first; what has just come met it so.
            self._owed[list(self._owed)[-1]] = (state, now_ms)

    def _hear_block(self, record: Record) -> None:
        messages = record["messages"]
        if record["fate"] == "lost" or not isinstance(messages, list):
            return
        self._forget(_time(record))
        for one in messages:
            if "message" not in one:
                continue
            if record["direction"] == "to_terminal":
                self._asked(Name(one["message"]), _time(record))
            else:
                self._answered(Name(one["message"]), one["fields"])

    def _forget(self, now_ms: int) -> None:
        """Nobody waits for an answer beyond its limit: another takes its place."""
        for name, (_, asked_ms) in list(self._owed.items()):
            if now_ms - asked_ms > _LIMITS_MS.get(name, now_ms):
                self._put(name, SILENCE)

    def _asked(self, name: Name, now_ms: int) -> None:
        if name not in PERMISSION_ROWS:
            return
        if name is Name.RESET:
            self.end()
        elif name in self._owed:
            self._put(name, SILENCE)
        self._owed[name] = (self._state, now_ms)

    def _answered(self, name: Name, fields: Mapping[str, object]) -> None:
        fits = [one for one in self._owed if name in (Name.RESULT, *answers_of(one))]
        if not fits:
            return
        asked = min(fits, key=lambda one: one in _LATE)
        owed = self._owed[asked]
        self._put(asked, _outcome(name, fields))
        if asked in _LATE and _outcome(name, fields) == OK:
            self._owed[asked] = owed  # taken; what was asked for is yet to come

    def _put(self, asked: Name, outcome: str) -> None:
        state, _ = self._owed.pop(asked)
        _count(self._seen, "psp", asked.value, state, outcome)

    def end(self) -> None:
        """Nothing that is owed will be answered any more."""
        for asked in list(self._owed):
            self._put(asked, SILENCE)


def _time(record: Record) -> int:
    at_ms = record["t_ms"]
    assert isinstance(at_ms, int)
    return at_ms


def _outcome(name: Name, fields: Mapping[str, object]) -> str:
    if name is not Name.RESULT:
        return name.value
    return OK if fields.get("result") == 0 else NOT_OK


def possible() -> Iterator[str]:
    """Keys of all that the tables know."""
    for name, row in PERMISSION_ROWS.items():
        for state in State:
            is_accepted = row.accepts(state, Profile.default())
            for outcome in _outcomes(name) if is_accepted else (NOT_OK,):
                yield _BAR.join(("psp", name.value, state.name, outcome))
    for route in ROUTES.values():
        codes = {code for status in route.statuses for code in _codes(status)}
        for code in (*sorted(codes), *FAILURES):
            yield _BAR.join(("cps", route.id, "", str(code)))


def _outcomes(name: Name) -> tuple[str, ...]:
    others = (one.value for one in answers_of(name) if one is not Name.RESULT)
    # Whatever is accepted may still fail.
    plain = (OK,) if Name.RESULT in answers_of(name) else ()
    return (*others, *plain, NOT_OK)


def _codes(status: Status) -> tuple[int, ...]:
    switch = POLICY_SWITCHES.get(status.switch)
    if switch is None:
        return (status.code,)
    return tuple(value for value in switch.allowed if isinstance(value, int))


def wire_lines(seen: Mapping[str, int]) -> tuple[WireLine, ...]:
    """Everything that could happen or did, with how often it did."""
    keys = [*possible(), *sorted(seen)]
    return tuple(
        WireLine(interface=face, ask=ask, state=state, result=result, count=count)
        for key, count in ((key, seen.get(key, 0)) for key in dict.fromkeys(keys))
        for face, ask, state, result in [key.split(_BAR)]
    )
