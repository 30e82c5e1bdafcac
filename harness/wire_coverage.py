"""What happened on the wire, counted, and what could have happened.

PSP: a command, the terminal's state when it arrived, and what came back, with the
reason where the terminal gave one. CPS: a route and the status that came back. What was
seen is read from the trace alone; what could be seen comes from the tables of ``wire``:
which command is accepted where (``permissions``), what may answer it (``messages``),
which statuses a route has (``routes``) under any reading. Counts are plain values, so
that they may travel from process to process.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import IntEnum
from typing import Final

from reports.results import WireLine
from wire.cps import POLICY_SWITCHES, ROUTES
from wire.cps.routes import Status
from wire.psp import Family, Name, Profile, State, answer_limit_ms
from wire.psp.codes import Decline, Reason
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
#: What makes a terminal forget everything else that it was asked.
_SET_UP: Final = frozenset({Name.RESET, Name.SYNCHRONIZE})
#: What a terminal with detailed codes says of a refusal, and always of a decline.
_REASONS: Final[Mapping[Name, type[IntEnum]]] = {
    Name.RESULT: Reason,
    Name.SESSION_DECLINED: Decline,
}
#: What ends an HTTP call besides a status.
FAILURES: Final = ("refused", "reset", "timeout")


def happened(records: Iterable[Record]) -> Counter[str]:
    """Keys of one play, counted."""
    seen: Counter[str] = Counter()
    listener = _PspListener(seen)
    routes: dict[object, object] = {}
    for record in records:
        match record["kind"]:
            case "reader" | "psp" | "link" | "fault" | "controller":
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
    """Puts answers to commands; events stand for nothing.

    A Result does not say what it answers: it is the oldest command that has none yet.
    So a command whose answer cannot come any more must not stand in the way.
    """

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
                self._hear_blocks(record)
            case "reader" if record["face"] == "psp":
                self._enters(str(record["state"]), _time(record))
            case "link" if record["link"] == "psp" and record["state"] == "down":
                self.end()
            case "controller" if record["event"] == "killed":
                self.end()
            case "fault" if record["event"] == "hit" and record["name"] == FALLS_BACK:
                self._fell_ms = _time(record)

    def _enters(self, state: str, now_ms: int) -> None:
        """The terminal is in another state; a restart forgets what it was asked."""
        self._state = state
        if now_ms == self._fell_ms and self._owed:
            # It fell first; what has just come met it so.
            self._owed[list(self._owed)[-1]] = (state, now_ms)
        elif state == State.OFFLINE.name:
            self.end(but=_SET_UP)

    def _hear_blocks(self, record: Record) -> None:
        messages = record["messages"]
        if not isinstance(messages, list):
            return
        self._forget(_time(record))
        is_lost = record["fate"] == "lost"
        for one in messages:
            if "message" not in one:
                continue
            name = Name(one["message"])
            if record["direction"] == "to_controller":
                outcome = SILENCE if is_lost else _outcome(name, one["fields"])
                self._answered(name, outcome)
            elif not is_lost:
                self._asked(name, _time(record))

    def _forget(self, now_ms: int) -> None:
        """Nobody waits for an answer beyond its limit: another takes its place."""
        for name, (_, asked_ms) in list(self._owed.items()):
            if now_ms - asked_ms > _LIMITS_MS.get(name, now_ms):
                self._put(name, SILENCE)

    def _asked(self, name: Name, now_ms: int) -> None:
        if name not in PERMISSION_ROWS:
            return
        if name in self._owed:
            self._put(name, SILENCE)
        if name in _SET_UP:
            self.end(but=_SET_UP)
        self._owed[name] = (self._state, now_ms)

    def _answered(self, name: Name, outcome: str) -> None:
        fits = [one for one in self._owed if name in (Name.RESULT, *answers_of(one))]
        if not fits:
            return
        asked = min(fits, key=lambda one: one in _LATE)
        if name is not Name.RESULT and asked not in _LATE:
            self._end_older(asked)
        owed = self._owed[asked]
        self._put(asked, outcome)
        if asked in _LATE and outcome == OK:
            self._owed[asked] = owed  # taken; what was asked for is yet to come

    def _end_older(self, than: Name) -> None:
        """An answer that names its command: those before it get none."""
        for asked in list(self._owed):
            if asked is than:
                return
            if asked not in _LATE:
                self._put(asked, SILENCE)

    def _put(self, asked: Name, outcome: str) -> None:
        state, _ = self._owed.pop(asked)
        _count(self._seen, "psp", asked.value, state, outcome)

    def end(self, *, but: Collection[Name] = ()) -> None:
        """Nothing that is owed comes any more, but the answers to ``but``."""
        for asked in [one for one in self._owed if one not in but]:
            self._put(asked, SILENCE)


def _time(record: Record) -> int:
    at_ms = record["t_ms"]
    assert isinstance(at_ms, int)
    return at_ms


def _outcome(name: Name, fields: Mapping[str, object]) -> str:
    if name is Name.RESULT and fields.get("result") == 0:
        return OK
    plain = NOT_OK if name is Name.RESULT else name.value
    codes, reason = _REASONS.get(name), fields.get("reason")
    if codes is None or not isinstance(reason, int) or not reason:
        return plain
    known = codes(reason).name if reason in set(codes) else "not in any table"
    return f"{plain} 0x{reason:02X} {known}"


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
    # With its reason, it is what could have happened all the same.
    reasoned = {key.partition(" 0x")[0] for key in seen if " 0x" in key}
    could = [key for key in possible() if key in seen or key not in reasoned]
    return tuple(
        WireLine(
            interface=face,
            ask=ask_in_words(face, ask),
            state=state,
            result=result,
            count=seen.get(key, 0),
        )
        for key in dict.fromkeys([*could, *sorted(seen)])
        for face, ask, state, result in [key.split(_BAR)]
    )


def ask_in_words(face: str, ask: str) -> str:
    """A command as it is; a route by its verb and path, which everybody knows."""
    if face == "psp":
        return ask
    route = ROUTES[ask]
    return f"{route.verb} {route.path}"
