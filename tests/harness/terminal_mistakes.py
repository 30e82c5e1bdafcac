"""Controllers that are wrong about their terminal, its line or a single block.

Each is the reference controller behind a filter: ``hear`` changes the facts that reach
it, ``say`` the actions that leave it. A filter keeps what it has to remember in itself;
it is told nothing that a controller could not know.

The factories at the end are named in declarations, ``terminal_mistakes:reads_once``.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from controller_ref.core import build as build_reference
from tests.harness.mistakes import gives_statuses_two_seconds
from wire import cps, psp
from wire.machine import (
    Action,
    BytesReceived,
    CallHttp,
    Controller,
    Fact,
    HttpAnswered,
    HttpFailed,
    Link,
    OpenLink,
    Place,
    SendBytes,
)
from wire.psp import Direction, Message, Name, Option, Reading, ResultCode

READING: Final = Reading().with_options(int(Option.DETAILED | Option.AUTHORIZATION_DOL))
PLAIN: Final = Reading()
CLOSES: Final = (Name.COMMIT_SESSION, Name.VOID_SESSION)
CLOSE_ROUTES: Final = ("E9", "E10")


@dataclass(slots=True)
class Filter:
    """Lets everything pass; mistakes override one of the two."""

    #: What the controller is to hear besides, right after what it has said.
    echoes: list[Fact] = field(default_factory=list)

    def hear(self, fact: Fact) -> Iterator[Fact]:
        yield fact

    def say(self, action: Action) -> Iterator[Action]:
        yield action


class Filtered:
    """Meets ``wire.machine.Controller``."""

    def __init__(self, place: Place, mistake: Filter) -> None:
        self._inner: Controller = build_reference(place)
        self._mistake = mistake

    def handle(self, event: Fact, now_ms: int) -> Sequence[Action]:
        said: list[Action] = []
        for fact in self._mistake.hear(event):
            said += self._out(self._inner.handle(fact, now_ms), now_ms)
        return said

    def deadline_ms(self) -> int | None:
        return self._inner.deadline_ms()

    def on_deadline(self, now_ms: int) -> Sequence[Action]:
        return self._out(self._inner.on_deadline(now_ms), now_ms)

    def _out(self, actions: Sequence[Action], now_ms: int) -> list[Action]:
        said: list[Action] = []
        for action in actions:
            said += self._mistake.say(action)
            echoes, self._mistake.echoes = self._mistake.echoes, []
            for fact in echoes:
                said += self._out(self._inner.handle(fact, now_ms), now_ms)
        return said


# --- What is heard and said -------------------------------------------------------


def asked(action: Action) -> Message | None:
    """The PSP request in an action."""
    if not isinstance(action, SendBytes) or action.link is not Link.PSP:
        return None
    blocks = psp.BlockDecoder(Direction.TO_TERMINAL).receive(action.data, 0)
    if len(blocks) != 1 or isinstance(blocks[0], psp.BadBlock):
        return None
    found = psp.decode(blocks[0], Direction.TO_TERMINAL, PLAIN)
    return found if isinstance(found, Message) else None


def in_words(request: Message) -> SendBytes:
    return SendBytes(
        link=Link.PSP, data=psp.encode(request, Direction.TO_TERMINAL, PLAIN)
    )


def answer(name: Name, **fields: int) -> Fact:
    said = psp.encode(psp.message(name, **fields), Direction.TO_HOST, PLAIN)
    return BytesReceived(link=Link.PSP, data=said)


def blocks_in(fact: Fact) -> list[psp.Block | psp.BadBlock]:
    """The PSP blocks that a fact holds whole."""
    if not isinstance(fact, BytesReceived) or fact.link is not Link.PSP:
        return []
    return psp.BlockDecoder(Direction.TO_HOST).receive(fact.data, 0)


def route_of(action: Action) -> str:
    if not isinstance(action, CallHttp):
        return ""
    call = cps.parse_call(cps.Request(action.method, action.target, action.headers))
    return call.route if isinstance(call, cps.Call) else ""


def done(call_id: int, session_id: str, route: str) -> Fact:
    """The cloud says that a close is done."""
    state = "COMMITED" if route == "E9" else "CANCELLED"
    session = cps.Session(session_id=session_id, state=state)
    body = cps.to_json(session.to_json())
    return HttpAnswered(call_id=call_id, status=200, body=body)


# --- Mistakes ---------------------------------------------------------------------


@dataclass(slots=True)
class BelievesEveryClose(Filter):
    """What has been sent is done, and nobody needs to look it up."""

    calls: dict[int, tuple[str, str]] = field(default_factory=dict)

    def say(self, action: Action) -> Iterator[Action]:
        request = asked(action)
        if request is not None and request.name is Name.LIST_SESSIONS:
            self.echoes.append(answer(Name.LIST_SESSIONS_RESPONSE, total=0))
            return
        yield action
        if request is not None and request.name in CLOSES:
            self.echoes.append(answer(Name.RESULT, result=ResultCode.OK))
        route = route_of(action)
        if isinstance(action, CallHttp) and route in CLOSE_ROUTES:
            session_id = action.target.partition("?")[0].split("/")[-2]
            self.calls[action.call_id] = (session_id, route)

    def hear(self, fact: Fact) -> Iterator[Fact]:
        match fact:
            case HttpAnswered(call_id=call_id) | HttpFailed(call_id=call_id) if (
                call_id in self.calls
            ):
                yield done(call_id, *self.calls.pop(call_id))
            case _:
                yield fact


@dataclass(slots=True)
class ForgetsWithItsTerminal(Filter):
    """A terminal that was away has no sessions any more, so nothing is owed."""

    setups: int = 0
    was_away: bool = False

    def say(self, action: Action) -> Iterator[Action]:
        request = asked(action)
        self.setups += request is not None and request.name is Name.SETUP
        is_over = self.was_away or self.setups > 1
        is_close = request is not None and request.name in CLOSES
        is_close = is_close or route_of(action) in CLOSE_ROUTES
        if not (is_over and is_close):
            yield action
        elif isinstance(action, CallHttp):
            session_id = action.target.partition("?")[0].split("/")[-2]
            self.echoes.append(done(action.call_id, session_id, route_of(action)))
        else:
            self.echoes.append(answer(Name.RESULT, result=ResultCode.OK))

    def hear(self, fact: Fact) -> Iterator[Fact]:
        if isinstance(fact, HttpAnswered):
            self.was_away = self.was_away or b'"online":false' in fact.body
        yield fact


@dataclass(slots=True)
class ConnectsOnce(Filter):
    """A lost connection is the terminal's problem."""

    opened: int = 0

    def say(self, action: Action) -> Iterator[Action]:
        if isinstance(action, OpenLink) and action.link is Link.PSP:
            self.opened += 1
            if self.opened > 1:
                return
        yield action


@dataclass(slots=True)
class BelievesItsReader(Filter):
    """Asks how the terminal is, and does not listen: it reads, it was told to."""

    statuses: int = 0

    def hear(self, fact: Fact) -> Iterator[Fact]:
        found = blocks_in(fact)
        block = found[0] if found else None
        if isinstance(block, psp.Block) and block.header == 0x26:
            self.statuses += 1
            # Not for ever: it would cancel an idle reader without an end.
            if 1 < self.statuses < 12:
                fact = answer(Name.GET_STATUS_RESPONSE, state=0x10, running=1)
        yield fact


@dataclass(slots=True)
class ReadsOnce(Filter):
    """Whoever has started the reader believes that it reads."""

    starts: int = 0

    def say(self, action: Action) -> Iterator[Action]:
        request = asked(action)
        is_psp = request is not None and request.name is Name.START_SESSION
        if not is_psp and route_of(action) != "E3":
            yield action
            return
        self.starts += 1
        if self.starts == 1:
            yield action
        elif isinstance(action, CallHttp):
            self.echoes.append(
                HttpAnswered(call_id=action.call_id, status=204, body=b"")
            )


@dataclass(slots=True)
class NeverAlarms(Filter):
    """The operator has enough to do."""

    def say(self, action: Action) -> Iterator[Action]:
        match action:
            case SendBytes(link=Link.BAY, data=data) if b'"alarm"' in data:
                pass
            case _:
                yield action


@dataclass(slots=True)
class TellsNobody(Filter):
    """Whoever stands before the charger will see what happens."""

    def say(self, action: Action) -> Iterator[Action]:
        match action:
            case SendBytes(link=Link.BAY, data=data) if b'"show"' in data:
                pass
            case _:
                yield action


@dataclass(slots=True)
class SetsUp(Filter):
    """Gives the terminal another session time-out."""

    timeout_s: int = 172_800
    action: int = 0

    def say(self, action: Action) -> Iterator[Action]:
        request = asked(action)
        if request is not None and request.name is Name.SETUP:
            fields = {"timeout_s": self.timeout_s, "action": self.action}
            yield in_words(psp.message(Name.SETUP, **fields))
        else:
            yield action


@dataclass(slots=True)
class TakesDamageForADecline(Filter):
    """An answer that cannot be read is no approval."""

    def hear(self, fact: Fact) -> Iterator[Fact]:
        found = blocks_in(fact)
        is_bad = bool(found) and isinstance(found[0], psp.BadBlock)
        yield answer(Name.SESSION_DECLINED) if is_bad else fact


@dataclass(slots=True)
class OnePieceIsOneBlock(Filter):
    """Reads from the port, and takes what comes for a block."""

    def hear(self, fact: Fact) -> Iterator[Fact]:
        is_psp = isinstance(fact, BytesReceived) and fact.link is Link.PSP
        if is_psp and len(blocks_in(fact)) != 1:
            return
        yield fact


@dataclass(slots=True)
class LosesItsPlace(Filter):
    """Does not look for the next block once a byte was wrong."""

    is_lost: bool = False

    def hear(self, fact: Fact) -> Iterator[Fact]:
        if not isinstance(fact, BytesReceived) or fact.link is not Link.PSP:
            yield fact
            return
        self.is_lost = self.is_lost or fact.data[:1] != b"\xaa"
        if not self.is_lost:
            yield fact


@dataclass(slots=True)
class IgnoresChecksums(Filter):
    """Reads every block as if it were whole."""

    def hear(self, fact: Fact) -> Iterator[Fact]:
        if isinstance(fact, BytesReceived) and fact.link is Link.PSP:
            data = fact.data
            if len(data) > 4 and len(data) == data[1] + 3:
                fact = replace(fact, data=data[:-1] + bytes([sum(data[:-1]) & 0xFF]))
        yield fact


@dataclass(slots=True)
class TakesAStatusForAResult(Filter):
    """Two bytes under the first header are the answer to whatever was asked."""

    waits: bool = False

    def say(self, action: Action) -> Iterator[Action]:
        request = asked(action)
        if request is not None and request.name in CLOSES:
            self.waits = True
        yield action

    def hear(self, fact: Fact) -> Iterator[Fact]:
        found = blocks_in(fact)
        block = found[0] if found else None
        if self.waits and isinstance(block, psp.Block) and block.header == 0x00:
            self.waits = False
            yield answer(Name.RESULT, result=ResultCode.OK)
        else:
            yield fact


@dataclass(slots=True)
class TakesNotFoundForClosed(Filter):
    """A session that the terminal does not know has been settled."""

    def hear(self, fact: Fact) -> Iterator[Fact]:
        found = blocks_in(fact)
        block = found[0] if found else None
        is_gone = isinstance(block, psp.Block) and block.payload == b"\x01\x0c"
        yield answer(Name.RESULT, result=ResultCode.OK) if is_gone else fact


@dataclass(slots=True)
class SwapsItsBytes(Filter):
    """Sends the session id with its lowest byte first."""

    def say(self, action: Action) -> Iterator[Action]:
        request = asked(action)
        if request is None or request.name not in CLOSES:
            yield action
            return
        sent = request.number("session_id").to_bytes(4, "little")
        fields: dict[str, Any] = {"session_id": int.from_bytes(sent, "big")}
        if request.name is Name.COMMIT_SESSION:
            fields["amount_minor"] = request.number("amount_minor")
        yield in_words(psp.message(request.name, **fields))


# --- Factories --------------------------------------------------------------------


def _factory(make: Callable[[], Filter]) -> Callable[[Place], Controller]:
    return lambda place: Filtered(place, make())


makes_no_mistake = _factory(Filter)
believes_every_close = _factory(BelievesEveryClose)
forgets_with_its_terminal = _factory(ForgetsWithItsTerminal)
connects_once = _factory(ConnectsOnce)
believes_its_reader = _factory(BelievesItsReader)
reads_once = _factory(ReadsOnce)
never_alarms = _factory(NeverAlarms)
tells_nobody = _factory(TellsNobody)
commits_what_is_forgotten = _factory(SetsUp)
ends_charges = _factory(lambda: SetsUp(timeout_s=600, action=1))
takes_damage_for_a_decline = _factory(TakesDamageForADecline)
one_piece_is_one_block = _factory(OnePieceIsOneBlock)
loses_its_place = _factory(LosesItsPlace)
ignores_checksums = _factory(IgnoresChecksums)
takes_a_status_for_a_result = _factory(TakesAStatusForAResult)
takes_not_found_for_closed = _factory(TakesNotFoundForClosed)
swaps_its_bytes = _factory(SwapsItsBytes)
is_impatient = gives_statuses_two_seconds
