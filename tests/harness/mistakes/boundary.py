"""A mistake is made at the controller's boundary, around the reference controller.

It is a function of what the controller is about to say of a session: ``Said`` in,
another ``Said`` or nothing out. ``Mistaken`` applies it, so the same mistake is made
over PSP and over CPS, whatever the reference controller looks like inside. What is
swallowed is answered with success: a controller with the mistake believes that all is
well.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from controller_ref.core import build as build_reference
from wire import cps, psp
from wire.machine import (
    Action,
    BytesReceived,
    CallbackReceived,
    CallHttp,
    Controller,
    Fact,
    HttpAnswered,
    Link,
    Place,
    SendBytes,
)
from wire.psp import Direction, Name

What = Literal["void", "commit", "drop", "authorise"]

PSP_NAMES: Final[Mapping[What, Name]] = {
    "void": Name.VOID_SESSION,
    "commit": Name.COMMIT_SESSION,
    "drop": Name.CANCEL_SESSION,
    "authorise": Name.AUTH_SESSION,
}
ROUTES: Final[Mapping[What, str]] = {
    "void": "E10",
    "commit": "E9",
    "drop": "E5",
    "authorise": "E6",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing that the controller says about money."""

    what: What
    session_id: str = ""
    amount_minor: int = 0


@dataclass(slots=True)
class Memory:
    """What a mistake may look at."""

    reserve_minor: int
    #: Sessions that a commit was sent for, with its amount.
    committed: dict[str, int] = field(default_factory=dict)
    #: Whether the last thing that came from the terminal was a card.
    has_card: bool = False
    #: Sessions that were approved, in their order.
    approved: list[str] = field(default_factory=list)


Mistake = Callable[[Said, Memory], Said | None]


class Mistaken:
    """Meets ``wire.machine.Controller``."""

    def __init__(self, place: Place, mistake: Mistake) -> None:
        self._inner: Controller = build_reference(place)
        self._place = place
        self._mistake = mistake
        declaration: Any = place.declaration
        claims = declaration["claims"]
        self._reading = psp.Reading(family=psp.Family(claims["terminal"]))
        self._memory = Memory(declaration["tariff"]["reserve"])
        self._decoder = psp.BlockDecoder(Direction.TO_TERMINAL)
        self._heard = psp.BlockDecoder(Direction.TO_HOST)

    def handle(self, event: Fact, now_ms: int) -> Sequence[Action]:
        self._listen(event, now_ms)
        return self._alter(self._inner.handle(event, now_ms), now_ms)

    def deadline_ms(self) -> int | None:
        return self._inner.deadline_ms()

    def on_deadline(self, now_ms: int) -> Sequence[Action]:
        return self._alter(self._inner.on_deadline(now_ms), now_ms)

    def _alter(self, actions: Sequence[Action], now_ms: int) -> Sequence[Action]:
        return [
            altered for action in actions for altered in self._altered(action, now_ms)
        ]

    def _altered(self, action: Action, now_ms: int) -> Iterator[Action]:
        said = self._understand(action, now_ms)
        if said is None:
            yield action
            return
        instead = self._mistake(said, self._memory)
        if said.what == "commit":
            self._memory.committed[said.session_id] = said.amount_minor
        if instead is None:
            answer = self._success(action, said)
            yield from self._alter(self._inner.handle(answer, now_ms), now_ms)
        else:
            yield action if instead == said else self._say(action, instead)

    # --- The boundary -----------------------------------------------------------

    def _understand(self, action: Action, now_ms: int) -> Said | None:
        match action:
            case SendBytes(link=Link.PSP, data=data):
                found = self._decoder.receive(data, now_ms)
                return self._of_block(found[0]) if len(found) == 1 else None
            case CallHttp(method=method, target=target, headers=headers):
                call = cps.parse_call(cps.Request(method, target, headers))
                return _of_call(call) if isinstance(call, cps.Call) else None
        return None

    def _of_block(self, block: psp.Block | psp.BadBlock) -> Said | None:
        if isinstance(block, psp.BadBlock):
            return None
        found = psp.decode(block, Direction.TO_TERMINAL, self._reading)
        for what, name in PSP_NAMES.items():
            if isinstance(found, psp.Message) and found.name is name:
                return Said(
                    what=what,
                    session_id=str(found.get("session_id", "")),
                    amount_minor=found.number("amount_minor", 0),
                )
        return None

    def _say(self, action: Action, said: Said) -> Action:
        if isinstance(action, SendBytes):
            fields: dict[str, int] = {}
            if said.session_id:
                fields["session_id"] = int(said.session_id)
            if said.what == "commit":
                fields["amount_minor"] = said.amount_minor
            told = psp.message(PSP_NAMES[said.what], **fields)
            data = psp.encode(told, Direction.TO_TERMINAL, self._reading)
            return replace(action, data=data)
        assert isinstance(action, CallHttp)
        is_commit = said.what == "commit"
        request = cps.build(
            ROUTES[said.what],
            api_key=self._place.cps_api_key,
            serial_number=self._place.terminal_serial,
            session_id=said.session_id if said.what in ("commit", "void") else "",
            params={"commitAmount": said.amount_minor} if is_commit else None,
        )
        return replace(action, method=request.method, target=request.target)

    def _success(self, action: Action, said: Said) -> Fact:
        if isinstance(action, SendBytes):
            result = psp.message(Name.RESULT, result=psp.ResultCode.OK)
            data = psp.encode(result, Direction.TO_HOST, self._reading)
            return BytesReceived(link=Link.PSP, data=data)
        assert isinstance(action, CallHttp)
        state = cps.SessionState.CANCELLED if said.what == "void" else "COMMITED"
        session = cps.Session(session_id=said.session_id, state=state)
        body = cps.to_json(session.to_json())
        return HttpAnswered(call_id=action.call_id, status=200, body=body)

    def _listen(self, event: Fact, now_ms: int) -> None:
        memory = self._memory
        match event:
            case BytesReceived(link=Link.PSP, data=data):
                for block in self._heard.receive(data, now_ms):
                    self._hear_block(block)
            case CallbackReceived(body=body):
                memory.has_card = b"cardId" in body
            case HttpAnswered(status=200, body=body):
                found = cps.parse_json(body)
                session_id = found.get("sessionId") if isinstance(found, dict) else None
                if session_id and session_id not in memory.approved:
                    memory.approved.append(session_id)

    def _hear_block(self, block: psp.Block | psp.BadBlock) -> None:
        if isinstance(block, psp.BadBlock):
            return
        said = psp.decode(block, Direction.TO_HOST, self._reading)
        if not isinstance(said, psp.Message):
            return
        self._memory.has_card = said.name is Name.CARD_READ
        if said.name is Name.SESSION_APPROVED:
            self._memory.approved.append(str(said.number("session_id")))


def _of_call(call: cps.Call) -> Said | None:
    for what, route in ROUTES.items():
        if call.route == route:
            amount_minor = call.params.get("commitAmount", 0)
            assert isinstance(amount_minor, int)
            return Said(
                what=what, session_id=call.session_id, amount_minor=amount_minor
            )
    return None


def unchanged(said: Said, memory: Memory) -> Said:
    """No mistake."""
    return said
