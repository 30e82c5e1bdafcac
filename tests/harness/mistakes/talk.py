"""Mistakes in how the terminal and the cloud are talked to, beyond what they answer."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from controller_ref.closing import Closing
from controller_ref.cps_side import CpsSide
from controller_ref.psp_line import PspLine
from controller_ref.transitions import State
from tests.harness.mistakes.boundary import Memory, Mistaken, Said, unchanged
from tests.harness.mistakes.own import exchanged
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
)
from wire.psp import Direction, Message, Name

#: How long every other command may take; a close may take 60 s.
_OTHERS_MS: Final = 10_000
#: An Apollo may take 5 s for a status.
_AT_ONCE_MS: Final = 2_000
_CLOSES: Final = (Name.COMMIT_SESSION, Name.VOID_SESSION)


class _TakesNothingForNo(Mistaken):
    """Over CPS: an authorisation that was not answered with a session was declined."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, unchanged)
        self._asked: set[int] = set()

    def handle(self, event: Fact, now_ms: int) -> Sequence[Action]:
        if isinstance(event, HttpAnswered) and event.call_id in self._asked:
            event = self._read(event)
        return super().handle(event, now_ms)

    def _read(self, answer: HttpAnswered) -> HttpAnswered:
        found = cps.parse_json(answer.body)
        if answer.status == 200 and isinstance(found, dict) and "state" in found:
            return answer
        no = cps.Session(session_id="", state=cps.SessionState.DECLINED)
        return replace(answer, status=200, body=cps.to_json(no.to_json()))

    def _altered(self, action: Action, now_ms: int) -> Iterator[Action]:
        said = self._understand(action, now_ms)
        if isinstance(action, CallHttp) and said and said.what == "authorise":
            self._asked.add(action.call_id)
        yield from super()._altered(action, now_ms)


def _keep_cards(said: Said, memory: Memory) -> Said | None:
    return None if said.what == "drop" and memory.has_card else said


class _OnEachConnection(Closing):
    """Sends every close that is owed as soon as there is a line."""

    def on_ready(self) -> None:
        for session in self._desk.ledger.within(State.CLOSING):
            self._queue_attempt(session, is_free=bool(session.attempts))


class _Hasty(PspLine):
    """Gives a close no more time than other commands."""

    def ask(
        self, request: Message, now_ms: int, *, limit_ms: int | None = None
    ) -> None:
        limit_ms = _OTHERS_MS if request.name in _CLOSES else limit_ms
        super().ask(request, now_ms, limit_ms=limit_ms)


class _Impatient(PspLine):
    """Takes a line for dead on which a status is not answered at once."""

    def check(self, now_ms: int) -> None:
        super().check(now_ms)
        if self.status is not None:
            due_ms = min(self.status.due_ms, now_ms + _AT_ONCE_MS)
            self.status = replace(self.status, due_ms=due_ms)


class _TakesOldNews(CpsSide):
    """Does not ask which reading a card belongs to."""

    def _take_callback(self, fact: CallbackReceived, now_ms: int) -> bool:
        is_taken = super()._take_callback(fact, now_ms)
        token = fact.target.rpartition("/")[2]
        if is_taken and token != self._tokens[-1]:
            self._take_card(cps.Card.from_json(cps.parse_json(fact.body)))
        return is_taken


class _OneBlockAtATime(Mistaken):
    """Over PSP: what comes in one piece is one block."""

    def handle(self, event: Fact, now_ms: int) -> Sequence[Action]:
        if isinstance(event, BytesReceived) and event.link is Link.PSP:
            found = psp.BlockDecoder(Direction.TO_HOST).receive(event.data, now_ms)
            if found:
                event = replace(event, data=found[0].raw)
        return super().handle(event, now_ms)


# --- Factories ----------------------------------------------------------------------


def takes_nothing_for_no(place: Place) -> Controller:
    """M16"""
    return _TakesNothingForNo(place)


def leaves_cards_to_themselves(place: Place) -> Controller:
    """M17"""
    return Mistaken(place, _keep_cards)


def closes_on_each_connection(place: Place) -> Controller:
    """M18"""
    return exchanged(place, [("_closing", _OnEachConnection)])


def gives_closes_ten_seconds(place: Place) -> Controller:
    """M19"""
    return exchanged(place, [("_desk.terminal._line", _Hasty)])


def takes_old_news(place: Place) -> Controller:
    """M20"""
    return exchanged(place, [("_desk.terminal", _TakesOldNews)])


def reads_one_block_at_a_time(place: Place) -> Controller:
    """M21"""
    return _OneBlockAtATime(place, unchanged)


def gives_statuses_two_seconds(place: Place) -> Controller:
    """M22"""
    return exchanged(place, [("_desk.terminal._line", _Impatient)])
