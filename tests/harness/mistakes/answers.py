"""Mistakes in how the terminal and the cloud are understood."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from tests.harness.mistakes.boundary import Mistaken, Said, unchanged
from wire import cps, psp
from wire.machine import (
    Action,
    AnswerCallback,
    BytesReceived,
    CallbackReceived,
    CallHttp,
    Controller,
    Fact,
    HttpAnswered,
    Link,
    Place,
    SendBytes,
    earliest,
)
from wire.psp import Direction, Name

#: How long a P6X takes to authorise; an Apollo may ask for the PIN meanwhile.
_P6X_LIMIT_MS: Final = 30_000


class GivesUpEarly(Mistaken):
    """Takes 30 s without an answer for a decline, and does not read what comes then."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, unchanged)
        self._due_ms: int | None = None
        self._is_deaf = False

    def handle(self, event: Fact, now_ms: int) -> Sequence[Action]:
        approved = len(self._memory.approved)
        self._listen(event, now_ms)
        if len(self._memory.approved) > approved:
            self._due_ms = None
            if self._is_deaf:
                return ()
        return self._alter(self._inner.handle(event, now_ms), now_ms)

    def deadline_ms(self) -> int | None:
        return earliest(self._inner.deadline_ms(), self._due_ms)

    def on_deadline(self, now_ms: int) -> Sequence[Action]:
        if self._due_ms is None or now_ms < self._due_ms:
            return super().on_deadline(now_ms)
        self._due_ms, self._is_deaf = None, True
        said = psp.message(Name.SESSION_DECLINED)
        data = psp.encode(said, Direction.TO_HOST, self._reading)
        declined = BytesReceived(link=Link.PSP, data=data)
        return self._alter(self._inner.handle(declined, now_ms), now_ms)

    def _altered(self, action: Action, now_ms: int) -> Iterator[Action]:
        said = self._understand(action, now_ms)
        if said is not None and said.what == "authorise":
            self._due_ms = now_ms + _P6X_LIMIT_MS
        yield action


class TakesFailureForSuccess(Mistaken):
    """Over CPS: a close that was answered is a close, whatever the answer says."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, unchanged)
        self._closes: dict[int, tuple[CallHttp, Said]] = {}

    def handle(self, event: Fact, now_ms: int) -> Sequence[Action]:
        if isinstance(event, HttpAnswered) and _has_failed(event):
            close = self._closes.get(event.call_id)
            event = self._success(*close) if close else event
        return super().handle(event, now_ms)

    def _altered(self, action: Action, now_ms: int) -> Iterator[Action]:
        said = self._understand(action, now_ms)
        is_close = said is not None and said.what in ("commit", "void")
        if is_close and isinstance(action, CallHttp) and said is not None:
            self._closes[action.call_id] = (action, said)
        yield action


class KnowsTheCardAlready(Mistaken):
    """Over CPS: takes every further tap of a card for a repeated callback."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, unchanged)
        self._seen: set[str] = set()

    def handle(self, event: Fact, now_ms: int) -> Sequence[Action]:
        if isinstance(event, CallbackReceived | HttpAnswered):
            card_id = _card_read(event.body)
            if card_id in self._seen:
                return self._ignore(event, now_ms)
            self._seen |= {card_id} - {""}
        return super().handle(event, now_ms)

    def _ignore(
        self, event: CallbackReceived | HttpAnswered, now_ms: int
    ) -> Sequence[Action]:
        if isinstance(event, CallbackReceived):
            return (AnswerCallback(callback_id=event.callback_id, status=200),)
        return super().handle(replace(event, status=204, body=b""), now_ms)


class WipesAtBoot(Mistaken):
    """Over PSP: begins with an empty terminal, and does not ask what was in it."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, unchanged)
        self._has_wiped = False

    def _altered(self, action: Action, now_ms: int) -> Iterator[Action]:
        name = self._name(action)
        if name is Name.LIST_SESSIONS:
            nothing = psp.message(Name.LIST_SESSIONS_RESPONSE, total=0)
            data = psp.encode(nothing, Direction.TO_HOST, self._reading)
            empty = BytesReceived(link=Link.PSP, data=data)
            yield from self._alter(self._inner.handle(empty, now_ms), now_ms)
            return
        if name is Name.GET_STATUS and not self._has_wiped:
            self._has_wiped = True
            wipe = psp.message(Name.REMOVE_SESSIONS)
            data = psp.encode(wipe, Direction.TO_TERMINAL, self._reading)
            yield SendBytes(link=Link.PSP, data=data)
        yield action

    def _name(self, action: Action) -> Name | None:
        if not isinstance(action, SendBytes) or action.link is not Link.PSP:
            return None
        found = psp.BlockDecoder(Direction.TO_TERMINAL).receive(action.data, 0)
        if len(found) != 1 or not isinstance(found[0], psp.Block):
            return None
        said = psp.decode(found[0], Direction.TO_TERMINAL, self._reading)
        return said.name if isinstance(said, psp.Message) else None


def _card_read(body: bytes) -> str:
    """The id of a card that was read; empty when the body is about something else."""
    found = cps.parse_json(body)
    is_card = isinstance(found, dict) and "sessionId" not in found
    return str(found.get("cardId", "")) if is_card and isinstance(found, dict) else ""


def _has_failed(event: HttpAnswered) -> bool:
    found = cps.parse_json(event.body)
    state = found.get("state") if isinstance(found, dict) else None
    return event.status == 404 or state == cps.SessionState.FAILED


# --- Factories ----------------------------------------------------------------------


def gives_up_early(place: Place) -> Controller:
    """M4"""
    return GivesUpEarly(place)


def takes_failure_for_success(place: Place) -> Controller:
    """M7"""
    return TakesFailureForSuccess(place)


def knows_the_card_already(place: Place) -> Controller:
    """M14"""
    return KnowsTheCardAlready(place)


def wipes_at_boot(place: Place) -> Controller:
    """M15"""
    return WipesAtBoot(place)
