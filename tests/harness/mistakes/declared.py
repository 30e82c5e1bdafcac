"""Controllers that do not do what they declare, or write what nobody may keep."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.harness.mistakes.boundary import Mistaken, unchanged
from tests.harness.mistakes.words import CARD_NUMBER
from wire import psp
from wire.machine import Action, CallHttp, Controller, DurableStore, Link, Place
from wire.machine import SendBytes as Send
from wire.psp import Direction, Name


def _redeclared(place: Place, table: str, **changes: object) -> Controller:
    """The reference controller, configured otherwise than its declaration says."""
    declaration: Any = place.declaration
    altered = {**declaration, table: {**declaration[table], **changes}}
    return Mistaken(replace(place, declaration=altered), unchanged)


def reserves_more_than_declared(place: Place) -> Controller:
    return _redeclared(place, "tariff", reserve=9000)


def waits_half_the_plug_in_window(place: Place) -> Controller:
    return _redeclared(place, "timing", plug_in_window=150)


def waits_half_the_no_energy_window(place: Place) -> Controller:
    return _redeclared(place, "timing", no_energy_window=150)


def waits_twice_for_the_charger(place: Place) -> Controller:
    return _redeclared(place, "timing", charger_loss_window=1200)


class Altered(Mistaken):
    """Sends one PSP message with other fields, and bay lines with other values."""

    def __init__(
        self,
        place: Place,
        *,
        name: Name | None = None,
        fields: Mapping[str, int] | None = None,
        line: Callable[[dict[str, Any]], None] = lambda line: None,
    ) -> None:
        super().__init__(place, unchanged)
        self._name, self._fields, self._line = name, fields or {}, line

    def _altered(self, action: Action, now_ms: int) -> Iterator[Action]:
        if isinstance(action, CallHttp) or not isinstance(action, Send):
            yield action
        elif action.link is Link.BAY:
            line = json.loads(action.data)
            self._line(line)
            yield replace(action, data=json.dumps(line).encode() + b"\n")
        else:
            yield self._in_psp(action)

    def _in_psp(self, action: Send) -> Send:
        found = psp.BlockDecoder(Direction.TO_TERMINAL).receive(action.data, 0)
        if len(found) != 1 or not isinstance(found[0], psp.Block):
            return action
        said = psp.decode(found[0], Direction.TO_TERMINAL, self._reading)
        if not isinstance(said, psp.Message) or said.name is not self._name:
            return action
        told = psp.message(said.name, **self._fields)
        return replace(
            action, data=psp.encode(told, Direction.TO_TERMINAL, self._reading)
        )


def forgets_too_soon(place: Place) -> Controller:
    """Sessions end at the terminal after an hour."""
    fields = {"timeout_s": 3600, "action": 1}
    return Altered(place, name=Name.SETUP, fields=fields)


def charges_what_is_forgotten(place: Place) -> Controller:
    """Sessions are committed in full at the terminal's time-out."""
    fields = {"timeout_s": 1_209_600, "action": 0}
    return Altered(place, name=Name.SETUP, fields=fields)


def prints_another_amount(place: Place) -> Controller:
    def more(line: dict[str, Any]) -> None:
        if line.get("kind") == "receipt" and "amount_minor" in line:
            line["amount_minor"] += 1

    return Altered(place, line=more)


@dataclass(frozen=True)
class _Diary:
    """A store that writes a card number behind every image."""

    store: DurableStore

    def load(self) -> bytes | None:
        image = self.store.load()
        return image and image.removesuffix(_WRITTEN)

    def save(self, image: bytes) -> None:
        self.store.save(image + _WRITTEN)


_WRITTEN = f" {CARD_NUMBER} ".encode()


def writes_the_card_down(place: Place) -> Controller:
    return Mistaken(replace(place, store=_Diary(place.store)), unchanged)
