"""The charger's side: keeps the bay link up and turns its lines into plain mappings.

``hello`` is the first line of every connection. After a loss it connects again, at
first after a second, then ever more slowly, at most 30 s apart. Lines that break the
contract are dropped, except a ``meter`` without a number, which is news in itself.
Pings are answered here. Alarms that find the link down wait for it.
"""

from collections.abc import Mapping
from typing import Final

from wire.bay import VERSION, BadLine, Direction, LineDecoder, check_line, encode_line
from wire.machine import (
    Action,
    BytesReceived,
    Fact,
    Link,
    LinkClosed,
    LinkOpened,
    OpenLink,
    SendBytes,
)

Line = Mapping[str, object]

_FIRST_PAUSE_MS: Final = 1_000
_LONGEST_PAUSE_MS: Final = 30_000
#: Alarms kept while nobody listens; the ledger's audit trail has them all.
_MAX_KEPT: Final = 200


class ChargerSide:
    """``out`` collects actions for the world; lines go to whoever calls ``handle``."""

    def __init__(self, name: str, out: list[Action]) -> None:
        self._name = name
        self._out = out
        self._decoder = LineDecoder()
        self._pause_ms = _FIRST_PAUSE_MS
        self._reconnect_ms: int | None = None
        self._kept: list[Mapping[str, object]] = []
        self.is_up = False

    def begin(self) -> None:
        self._out.append(OpenLink(link=Link.BAY))

    def handle(self, fact: Fact, now_ms: int) -> list[Line]:
        """The lines that a fact of the bay link brings; ``lost`` when it is gone."""
        match fact:
            case LinkOpened(link=Link.BAY):
                self._opened()
            case LinkClosed(link=Link.BAY):
                return self._closed(now_ms)
            case BytesReceived(link=Link.BAY, data=data) if self.is_up:
                return self._lines(data)
            case _:
                pass
        return []

    def deadline_ms(self) -> int | None:
        return self._reconnect_ms

    def on_deadline(self, now_ms: int) -> None:
        if self._reconnect_ms is not None and self._reconnect_ms <= now_ms:
            self._reconnect_ms = None
            self.begin()

    def send(self, fields: Mapping[str, object]) -> None:
        """A line for the charger; lost when the link is down."""
        if self.is_up:
            self._out.append(SendBytes(link=Link.BAY, data=encode_line(fields)))

    def send_or_keep(self, fields: Mapping[str, object]) -> None:
        if self.is_up:
            self.send(fields)
        else:
            self._kept.append(fields)
            del self._kept[:-_MAX_KEPT]

    def contactor(self, connector: int, *, close: bool) -> None:
        self.send({"type": "contactor", "connector": connector, "close": close})

    def lock(self, connector: int, *, locked: bool) -> None:
        self.send({"type": "lock", "connector": connector, "locked": locked})

    def _opened(self) -> None:
        self.is_up = True
        self._decoder = LineDecoder()
        self.send({"type": "hello", "controller": self._name, "version": VERSION})
        kept, self._kept = self._kept, []
        for fields in kept:
            self.send(fields)

    def _closed(self, now_ms: int) -> list[Line]:
        was_up, self.is_up = self.is_up, False
        self._pause_ms = (
            _FIRST_PAUSE_MS if was_up else min(self._pause_ms * 2, _LONGEST_PAUSE_MS)
        )
        self._reconnect_ms = now_ms + self._pause_ms
        return [{"type": "lost"}] if was_up else []

    def _lines(self, data: bytes) -> list[Line]:
        found: list[Line] = []
        for line in self._decoder.receive(data):
            if isinstance(line, BadLine):
                continue
            if line.get("type") == "ping":
                self.send({"type": "pong", "n": line.get("n", 0)})
            elif line.get("type") == "meter" and _names_connector(line):
                found.append(line)
            elif check_line(line, Direction.TO_CONTROLLER) is None:
                # ``lost`` is our own word; the world may not say it.
                found.extend([line] if line.get("type") != "lost" else [])
        return found


def _names_connector(line: Line) -> bool:
    return type(line.get("connector")) is int
