"""Controllers that make one known mistake each, around the reference controller.

A mistake is a function of what the controller is about to say of a session: ``Said``
in, another ``Said`` or nothing out. ``Mistaken`` applies it at the boundary, so the
same mistake is made over PSP and over CPS, whatever the reference controller looks like
inside. What is swallowed is answered with success: a controller with the mistake
believes that all is well.

The factories at the end are named in declarations, ``wrong_controllers:never_cancels``.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from controller_ref.core import build as build_reference
from tests.harness.mute import Mute
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
#: A number that passes the check digit, put together so that it stands nowhere.
CARD_NUMBER: Final = "4" + "1" * 15


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


class Talkative(Mistaken):
    """Says a number wherever a driver or a back office may read it."""

    def __init__(
        self,
        place: Place,
        *,
        on_bay: str = "",
        in_context: str = "",
        in_cloud: str = "",
    ) -> None:
        super().__init__(place, _none)
        self._on_bay = on_bay
        self._in_context = in_context
        self._in_cloud = in_cloud

    def _altered(self, action: Action, now_ms: int) -> Iterator[Action]:
        match action:
            case SendBytes(link=Link.BAY, data=data) if self._on_bay:
                yield replace(action, data=_with_text(data, self._on_bay))
            case CallHttp(target=target) if self._in_cloud and "uiMessage=" in target:
                head, _, tail = target.partition("uiMessage=")
                rest = tail.partition("&")
                said = f"{head}uiMessage={self._in_cloud}{rest[1]}{rest[2]}"
                yield replace(action, target=said)
            case SendBytes(link=Link.PSP, data=data) if self._in_context:
                yield self._with_context(action)
            case _:
                yield action

    def _with_context(self, action: SendBytes) -> SendBytes:
        """Once, instead of asking how the terminal is."""
        found = psp.BlockDecoder(Direction.TO_TERMINAL).receive(action.data, 0)
        block = found[0] if found else None
        if not isinstance(block, psp.Block):
            return action
        said = psp.decode(block, Direction.TO_TERMINAL, self._reading)
        is_poll = isinstance(said, psp.Message) and said.name is Name.GET_STATUS
        if not is_poll or not self._memory.approved:
            return action
        told = psp.message(
            Name.ADD_TRANSACTION_CONTEXT,
            session_id=int(self._memory.approved[-1]),
            text=self._in_context,
        )
        self._in_context = ""
        data = psp.encode(told, Direction.TO_TERMINAL, self._reading)
        return replace(action, data=data)


def _with_text(data: bytes, text: str) -> bytes:
    line = json.loads(data)
    if line.get("type") == "show":
        line["text"] = text
    return json.dumps(line).encode() + b"\n"


# --- The mistakes -----------------------------------------------------------------


def _none(said: Said, memory: Memory) -> Said:
    return said


def _forget_voids(said: Said, memory: Memory) -> Said | None:
    return None if said.what == "void" else said


def _drop_instead_of_void(said: Said, memory: Memory) -> Said:
    return Said(what="drop") if said.what == "void" else said


def _commit_the_reserve(said: Said, memory: Memory) -> Said:
    if said.what != "commit":
        return said
    return replace(said, amount_minor=memory.reserve_minor)


def _commit_nothing(said: Said, memory: Memory) -> Said:
    return replace(said, what="commit") if said.what == "void" else said


def _authorise_every_card(said: Said, memory: Memory) -> Said:
    if said.what == "drop" and memory.has_card:
        memory.has_card = False
        return Said(what="authorise")
    return said


def _commit_another(said: Said, memory: Memory) -> Said:
    others = [one for one in memory.approved if one != said.session_id]
    others = [one for one in others if one not in memory.committed]
    if said.what != "commit" or not others:
        return said
    return replace(said, session_id=others[0])


def _add_a_cent(said: Said, memory: Memory) -> Said:
    if said.what != "commit" or said.session_id not in memory.committed:
        return said
    return replace(said, amount_minor=memory.committed[said.session_id] + 1)


def _void_after_a_commit(said: Said, memory: Memory) -> Said:
    if said.what != "commit" or said.session_id not in memory.committed:
        return said
    return Said(what="void", session_id=said.session_id)


def _drop_after_a_commit(said: Said, memory: Memory) -> Said:
    if said.what != "commit" or said.session_id not in memory.committed:
        return said
    return Said(what="drop")


class _Amnesia:
    """A store that forgets."""

    def load(self) -> bytes | None:
        return None

    def save(self, image: bytes) -> None:
        """Nothing is kept."""


# --- Factories --------------------------------------------------------------------


def makes_no_mistake(place: Place) -> Controller:
    """The control: everything goes through the same code, and nothing is altered."""
    return Mistaken(place, _none)


def never_cancels(place: Place) -> Controller:
    """M1"""
    return Mistaken(place, _forget_voids)


def drops_instead_of_voiding(place: Place) -> Controller:
    """M2"""
    return Mistaken(place, _drop_instead_of_void)


def forgets_its_ledger(place: Place) -> Controller:
    """M3"""
    return Mistaken(replace(place, store=_Amnesia()), _none)


def commits_the_reserve(place: Place) -> Controller:
    """M5"""
    return Mistaken(place, _commit_the_reserve)


def moves_on_after_a_failed_commit(place: Place) -> Controller:
    """M6"""
    return Mistaken(place, _drop_after_a_commit)


def commits_nothing(place: Place) -> Controller:
    """M8"""
    return Mistaken(place, _commit_nothing)


def commits_another_session(place: Place) -> Controller:
    """M9"""
    return Mistaken(place, _commit_another)


def retries_with_a_new_amount(place: Place) -> Controller:
    """M10"""
    return Mistaken(place, _add_a_cent)


def voids_after_a_commit(place: Place) -> Controller:
    """M11"""
    return Mistaken(place, _void_after_a_commit)


def shows_the_card_on_its_screen(place: Place) -> Controller:
    return Talkative(place, on_bay=CARD_NUMBER)


def shows_the_card_in_groups(place: Place) -> Controller:
    number = " ".join(CARD_NUMBER[at : at + 4] for at in range(0, 16, 4))
    return Talkative(place, on_bay=f"Card {number}")


def writes_the_card_into_the_context(place: Place) -> Controller:
    return Talkative(place, in_context=CARD_NUMBER)


def shows_the_card_on_the_terminal(place: Place) -> Controller:
    return Talkative(place, in_cloud=CARD_NUMBER)


def authorises_every_card(place: Place) -> Controller:
    """M13"""
    return Mistaken(place, _authorise_every_card)


def never_ready(place: Place) -> Controller:
    return Mute()
