"""The bay link in memory: JSON Lines between the charger and the controller.

The charger listens, the controller connects. Loss of the charger is played by closing
the link and refusing it for a while (device_under_test.md section 1). Each line is
recorded where it arrives.
"""

import json
from collections.abc import Callable
from typing import Final

from simulator import events
from simulator.forecourt import Forecourt
from wire.bay import BadLine, LineDecoder
from wire.machine import BytesReceived, Fact, Link, LinkClosed, LinkOpened

LATENCY_MS: Final = 1


class BayLine:
    """See the module's text."""

    def __init__(self, court: Forecourt) -> None:
        self._court = court
        self._decoder = LineDecoder()
        self._connection = 0
        self.deliver: Callable[[Fact], None] = lambda _fact: None
        self.is_open = False
        self.is_refused = False

    def open(self) -> None:
        """The controller connects; refused while the charger is lost."""
        self._connection += 1
        if self.is_refused:
            self._tell(LinkClosed(link=Link.BAY, reason="refused"))
            return
        self._decoder = LineDecoder()
        self.is_open = True
        self._note_link("up")
        self._tell(LinkOpened(link=Link.BAY))
        self._court.tell_station(events.BayConnected())

    def close(self, reason: str = "closed") -> None:
        """The controller's end goes away."""
        if self.is_open:
            self._drop(reason)
        else:
            self._connection += 1

    def lose(self) -> None:
        """The charger is gone: close, and refuse until ``restore``."""
        self.is_refused = True
        if self.is_open:
            self._drop("cut")
            self._tell(LinkClosed(link=Link.BAY, reason="closed"))

    def restore(self) -> None:
        """The charger can be reached again."""
        self.is_refused = False

    def send(self, data: bytes) -> None:
        """Bytes from the controller."""
        if not self.is_open:
            return
        connection = self._connection

        def arrive() -> None:
            alive = connection == self._connection
            for item in self._decoder.receive(data):
                line: object = item
                if isinstance(item, BadLine):
                    line = {"raw": item.raw.decode("latin-1")}
                self._record("to_charger", line, alive=alive)
            if alive:
                self._court.tell_station(events.BayBytes(data=data))

        self._later(arrive)

    def receive(self, data: bytes) -> None:
        """One line from the charger."""
        if not self.is_open:
            return
        connection = self._connection

        def arrive() -> None:
            alive = connection == self._connection
            self._record("to_controller", json.loads(data), alive=alive)
            if alive:
                self.deliver(BytesReceived(link=Link.BAY, data=data))

        self._later(arrive)

    def _drop(self, reason: str) -> None:
        self.is_open = False
        self._connection += 1
        self._note_link("down", reason)
        self._court.tell_station(events.BayDisconnected())

    def _tell(self, fact: LinkOpened | LinkClosed) -> None:
        """Tell the controller what became of this connection, and of no other.

        Whoever has hung up, died or connected again meanwhile never hears of it.
        """
        connection = self._connection

        def arrive() -> None:
            if connection == self._connection:
                self.deliver(fact)

        self._later(arrive)

    def _record(self, way: str, line: object, *, alive: bool) -> None:
        fields = {
            "direction": way,
            "line": line,
            "fate": "delivered" if alive else "lost",
        }
        self._court.note(events.Note(kind="bay", fields=fields))

    def _note_link(self, state: str, reason: str = "") -> None:
        fields = {"link": "bay", "state": state} | (
            {"reason": reason} if reason else {}
        )
        self._court.note(events.Note(kind="link", fields=fields))

    def _later(self, call: Callable[[], None]) -> None:
        self._court.kernel.at(self._court.kernel.now_ms + LATENCY_MS, call)
