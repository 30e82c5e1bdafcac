"""Mistakes in what is said in words, and one change that is no mistake at all."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from tests.harness.mistakes.boundary import Mistaken, unchanged
from wire import psp
from wire.machine import Action, CallHttp, Controller, Link, Place, SendBytes
from wire.psp import Direction, Name

#: A number that passes the check digit, put together so that it stands nowhere.
CARD_NUMBER: Final = "4" + "1" * 15


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
        super().__init__(place, unchanged)
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
    if line.get("type") in ("show", "alarm"):
        line["text"] = text
    return json.dumps(line).encode() + b"\n"


def renames_a_log_line(place: Place) -> Controller:
    """The control mistake: other words to driver and operator, and nothing else."""
    return Talkative(place, on_bay="In other words")


def shows_the_card_on_its_screen(place: Place) -> Controller:
    return Talkative(place, on_bay=CARD_NUMBER)


def shows_the_card_in_groups(place: Place) -> Controller:
    number = " ".join(CARD_NUMBER[at : at + 4] for at in range(0, 16, 4))
    return Talkative(place, on_bay=f"Card {number}")


def writes_the_card_into_the_context(place: Place) -> Controller:
    return Talkative(place, in_context=CARD_NUMBER)


def shows_the_card_on_the_terminal(place: Place) -> Controller:
    return Talkative(place, in_cloud=CARD_NUMBER)
