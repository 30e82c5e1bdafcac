"""The bay link in memory: JSON Lines between the charger and the controller.

The charger listens, the controller connects. Loss of the charger is played by closing
the link and refusing it for a while (device_under_test.md section 1). Each line is
recorded where it arrives; of what makes no sense, and of very long lines, only so much
as somebody will read (``simulator.flood``).

A line between two programs in one process takes ``latency_ms``; a real port has a way
of its own and sets it to 0, then nothing waits.

``faults`` are breaks inside a line, filled by ``harness.faults``.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final, Literal

from harness.line_faults import Turn
from simulator import events
from simulator.flood import MAX_SHOWN_BYTES, Flood
from simulator.forecourt import Forecourt
from wire.bay import BadLine, Direction, LineDecoder, check_line
from wire.machine import BytesReceived, Fact, Link, LinkClosed, LinkOpened

LATENCY_MS: Final = 1
#: Characters of a line that the trace keeps whole; of a longer one, the beginning.
MAX_LINE: Final = 8_192

Way = Literal["to_charger", "to_controller"]


@dataclass(slots=True, kw_only=True, eq=False)
class BayBreak:
    """The link breaks after ``byte`` bytes of a line of this type (any when empty)."""

    way: Way
    #: Told in words where the link broke.
    hit: Callable[[str], None]
    turn: Turn
    line: str = ""
    byte: int = 0

    def strikes(self, way: Way, data: bytes) -> int | None:
        """At which byte of ``data`` the link breaks; None: it does not."""
        start = 0
        for raw in data.splitlines(keepends=True):
            fits = way == self.way and self.line in ("", _type_of(raw))
            if fits and self.turn.comes():
                return start + min(self.byte, len(raw))
            start += len(raw)
        return None


class BayLine:
    """See the module's text."""

    def __init__(self, court: Forecourt) -> None:
        self._court = court
        self._decoder = LineDecoder()
        self._flood = Flood()
        self._connection = 0
        self.deliver: Callable[[Fact], None] = lambda _fact: None
        self.is_open = False
        #: A real port stops listening, and listens again (``refuses``).
        self.on_refusing: Callable[[], None] = lambda: None
        self.latency_ms = LATENCY_MS
        #: The bay link says nothing of a second client: as at the terminal (A22).
        self.takes_over = False
        self.is_refused = False
        self.faults: list[BayBreak] = []

    @property
    def refuses(self) -> bool:
        """Whether a new connection is refused."""
        return self.is_refused

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
        self.on_refusing()
        if self.is_open:
            self._drop("cut")
            self._tell(LinkClosed(link=Link.BAY, reason="closed"))

    def reset(self) -> bool:
        """The connection breaks, and may be opened again. False: there is none."""
        if not self.is_open:
            return False
        self._drop("reset")
        self._tell(LinkClosed(link=Link.BAY, reason="reset"))
        return True

    def restore(self) -> None:
        """The charger can be reached again."""
        self.is_refused = False
        self.on_refusing()

    def send(self, data: bytes) -> None:
        """Bytes from the controller."""
        if self.is_open:
            self._carry("to_charger", data, self._arrive_at_charger)

    def receive(self, data: bytes) -> None:
        """One line from the charger."""
        if self.is_open:
            self._carry("to_controller", data, self._arrive_at_controller)

    def _carry(
        self, way: Way, data: bytes, arrive: Callable[[bytes, int], None]
    ) -> None:
        connection = self._connection
        for fault in self.faults:
            byte = fault.strikes(way, data)
            if byte is not None:
                fault.hit(f"{way}, byte {byte} of {len(data)}")
                self._later(partial(arrive, data[:byte], connection))
                self._later(partial(self._break, connection))
                return
        self._later(partial(arrive, data, connection))

    def _break(self, connection: int) -> None:
        if connection == self._connection:
            self.reset()

    def _arrive_at_charger(self, data: bytes, connection: int) -> None:
        alive = connection == self._connection
        for item in self._decoder.receive(data):
            self._said(item, alive=alive)
        if alive:
            self._court.tell_station(events.BayBytes(data=data))

    def _arrive_at_controller(self, data: bytes, connection: int) -> None:
        alive = connection == self._connection
        if data.endswith(b"\n"):
            self._record("to_controller", _read(data), alive=alive)
        elif data:
            line = {"raw": data.decode("latin-1")}
            self._record("to_controller", line, alive=alive)
        if alive and data:
            self.deliver(BytesReceived(link=Link.BAY, data=data))

    def _said(self, item: Mapping[str, object] | BadLine, *, alive: bool) -> None:
        """Record a line of the controller, unless it is one bad line too many."""
        line = _shown(item)
        bad = isinstance(item, BadLine) or check_line(item, Direction.TO_CHARGER)
        size = len(str(line)) if bad else 0  # of what makes sense nobody counts it
        if self._flood.keeps(size, sense=not bad, garbage=bool(bad)):
            self._tell_of_flood(is_over=not bad)
            self._record("to_charger", line, alive=alive)

    def _tell_of_flood(self, *, is_over: bool) -> None:
        words = self._flood.told() if is_over else ""
        if words:
            self._record("to_charger", {"raw": words}, alive=True)

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
        self._court.trace.append(self._court.kernel.now_ms, "bay", fields)

    def _note_link(self, state: str, reason: str = "") -> None:
        self._tell_of_flood(is_over=True)
        fields = {"link": "bay", "state": state} | (
            {"reason": reason} if reason else {}
        )
        self._court.note(events.Note(kind="link", fields=fields))

    def _later(self, call: Callable[[], None]) -> None:
        if self.latency_ms > 0:
            self._court.kernel.at(self._court.kernel.now_ms + self.latency_ms, call)
        else:
            call()


@lru_cache(maxsize=4096)
def _read(line: bytes) -> Mapping[str, object]:
    """A line of the charger, for the trace, which keeps a copy.

    Remembered, because every case has the same plugs, locks and contactors.
    """
    read: Mapping[str, object] = json.loads(line)
    return read


def _type_of(raw: bytes) -> str:
    """The type of a line; empty when it has none."""
    try:
        line = json.loads(raw)
    except (ValueError, RecursionError):
        return ""
    return str(line.get("type", "")) if isinstance(line, dict) else ""


def _shown(item: Mapping[str, object] | BadLine) -> Mapping[str, object]:
    """A line as the trace keeps it."""
    if isinstance(item, BadLine):
        return {"raw": item.raw.decode("latin-1")}
    text = str(item)
    if len(text) <= MAX_LINE:
        return item
    kind = str(item.get("type"))[:MAX_SHOWN_BYTES]
    return {"type": kind, "raw": text[:MAX_SHOWN_BYTES], "length": len(text)}
