"""The PSP line in memory: a TCP connection or a serial cable between two machines.

Bytes take ``LATENCY_MS``. Whatever is written on a connection dies with it: an answer
that is still under way when the link goes down is recorded as lost and never delivered
on a new one. A serial cable has no connection to lose; bytes on a cut one vanish
unnoticed.

Faults are values: a ``LineFault`` names the direction, the message it waits for and a
pure function from bytes to ``(delay_ms, bytes)`` pieces. Each hit is written to the
trace, so a planned fault that never hit shows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from simulator import events
from simulator.forecourt import Forecourt
from simulator.trace import hex_pairs
from simulator.wiretap import Wiretap
from wire.machine import BytesReceived, Fact, Link, LinkClosed, LinkOpened
from wire.psp import Direction, Reading

LATENCY_MS: Final = 2

Manipulator = Callable[[bytes], Sequence[tuple[int, bytes]]]
Way = Literal["to_terminal", "to_controller"]


@dataclass(slots=True)
class LineFault:
    """Bytes that carry ``message`` (any when empty) are put through ``change``."""

    fault: str
    name: str
    way: Way
    message: str
    change: Manipulator
    times: int = 1


class PspLine:
    """See the module's text. ``kind`` is how the controller is wired."""

    def __init__(
        self, court: Forecourt, *, kind: Literal["tcp", "serial"], reading: Reading
    ) -> None:
        self._court = court
        self._kind = kind
        self._tap = Wiretap(reading)
        self._connection = 0
        self.deliver: Callable[[Fact], None] = lambda _fact: None
        self.is_open = False
        self.is_cut = False
        self.terminal_powered = True
        self.faults: list[LineFault] = []

    # --- the controller's end ---------------------------------------------------

    def open(self) -> None:
        """The controller connects, or opens its port."""
        reachable = not self.is_cut and self.terminal_powered
        if self._kind == "tcp" and not reachable:
            self._later(lambda: self._closed("refused"))
            return
        self._connection += 1
        self.is_open = True
        self._note_link("up")
        self._court.tell_terminal(events.PspConnected())
        self._later(lambda: self.deliver(LinkOpened(link=Link.PSP)))

    def close(self, reason: str = "closed") -> None:
        """The controller's end goes away; the terminal notices over TCP only."""
        if not self.is_open:
            return
        self.is_open = False
        self._connection += 1
        self._note_link("down", reason)
        self._court.tell_terminal(events.PspDisconnected())

    def send(self, data: bytes) -> None:
        """Bytes from the controller."""
        if self.is_open:
            self._carry("to_terminal", Direction.TO_TERMINAL, data)

    # --- the terminal's end -----------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Bytes from the terminal."""
        if self.is_open:
            self._carry("to_controller", Direction.TO_HOST, data)

    def hang_up(self, reason: str) -> None:
        """The terminal closes the connection, or the connection is reset."""
        if not self.is_open or self._kind == "serial":
            return
        self.is_open = False
        self._connection += 1
        self._note_link("down", reason)
        self._later(lambda: self._closed("reset" if reason == "reset" else "closed"))

    # --- between them -----------------------------------------------------------

    def _carry(self, way: Way, direction: Direction, data: bytes) -> None:
        now_ms = self._court.kernel.now_ms
        messages = self._tap.see(direction, data, now_ms)
        pieces = self._through_faults(way, data, messages)
        if self.is_cut or not pieces:
            self._record(way, data, fate="lost", messages=messages)
            return
        changed = b"".join(piece for _, piece in pieces) != data
        fate = "changed" if changed else "delivered"
        connection = self._connection
        for index, (delay_ms, piece) in enumerate(pieces):
            is_last = index == len(pieces) - 1
            known = messages if is_last else []
            arrive = partial(
                self._arrive, connection, way, piece, fate=fate, messages=known
            )
            self._court.kernel.at(now_ms + LATENCY_MS + delay_ms, arrive)

    def _arrive(
        self,
        connection: int,
        way: Way,
        data: bytes,
        *,
        fate: str,
        messages: Sequence[Mapping[str, object]],
    ) -> None:
        """Bytes come to the end of the line, if their connection still stands."""
        is_alive = connection == self._connection
        shown = fate if is_alive else "lost"
        self._record(way, data, fate=shown, messages=messages)
        if is_alive:
            self._hand_over(way, data)

    def _hand_over(self, way: Way, data: bytes) -> None:
        if way == "to_terminal":
            self._court.tell_terminal(events.PspBytes(data=data))
        else:
            self.deliver(BytesReceived(link=Link.PSP, data=data))

    def _through_faults(
        self, way: Way, data: bytes, messages: Sequence[Mapping[str, object]]
    ) -> Sequence[tuple[int, bytes]]:
        if not self.faults:
            return [(0, data)]
        names = {message.get("message") for message in messages}
        for fault in self.faults:
            wanted = not fault.message or fault.message in names
            if fault.way == way and fault.times > 0 and wanted:
                fault.times -= 1
                self._court.note(
                    events.Note(
                        kind="fault",
                        fields={
                            "event": "hit",
                            "fault": fault.fault,
                            "name": fault.name,
                        },
                    )
                )
                return fault.change(data)
        return [(0, data)]

    def _record(
        self,
        way: Way,
        data: bytes,
        *,
        fate: str,
        messages: Sequence[Mapping[str, object]],
    ) -> None:
        self._court.trace.append(
            self._court.kernel.now_ms,
            "psp",
            {
                "direction": way,
                "hex": hex_pairs(data),
                "fate": fate,
                "messages": messages,
            },
        )

    def _closed(self, reason: Literal["refused", "closed", "reset"]) -> None:
        self.deliver(LinkClosed(link=Link.PSP, reason=reason))

    def _note_link(self, state: str, reason: str = "") -> None:
        fields = {"link": "psp", "state": state} | (
            {"reason": reason} if reason else {}
        )
        self._court.note(events.Note(kind="link", fields=fields))

    def _later(self, call: Callable[[], None]) -> None:
        self._court.kernel.at(self._court.kernel.now_ms + LATENCY_MS, call)
