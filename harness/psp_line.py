"""The PSP line in memory: a TCP connection or a serial cable between two machines.

Bytes take ``LATENCY_MS``. Whatever is written on a connection dies with it: an answer
that is still under way when the link goes down is recorded as lost and never delivered
on a new one. A serial cable has no connection to lose; bytes on a cut one vanish
unnoticed.

A line between two programs in one process takes ``latency_ms``; a real port has a way
of its own and sets it to 0, then nothing waits. What nobody can understand is recorded
within limits (``simulator.flood``).

Faults are values: a ``LineFault`` names the direction, the message it waits for and a
pure function from bytes to ``(delay_ms, bytes)`` pieces. Each hit is written to the
trace, so a planned fault that never hit shows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from simulator import events
from simulator.flood import MAX_SHOWN_BYTES, Flood
from simulator.forecourt import Forecourt
from simulator.trace import hex_pairs
from simulator.wiretap import Wiretap
from wire.machine import BytesReceived, Fact, Link, LinkClosed, LinkOpened
from wire.psp import Direction, Reading

LATENCY_MS: Final = 2

Manipulator = Callable[[bytes], Sequence[tuple[int, bytes]]]
Way = Literal["to_terminal", "to_controller"]
Messages = Sequence[Mapping[str, object]]


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
        self._flood = Flood()
        #: The terminal answers garbage that was not recorded.
        self._is_muted = False
        self._connection = 0
        self.deliver: Callable[[Fact], None] = lambda _fact: None
        #: A real port stops listening, and listens again (``refuses``).
        self.on_refusing: Callable[[], None] = lambda: None
        self.latency_ms = LATENCY_MS
        self.takes_over = reading.profile.second_client == "take_over"
        self.is_open = False
        self._is_cut = False
        self._terminal_powered = True
        self.faults: list[LineFault] = []

    # --- what is the matter with it ---------------------------------------------

    @property
    def is_cut(self) -> bool:
        """Whether bytes vanish, either way, and nobody is told."""
        return self._is_cut

    @is_cut.setter
    def is_cut(self, cut: bool) -> None:
        self._is_cut = cut
        self.on_refusing()

    @property
    def terminal_powered(self) -> bool:
        """Whether there is a terminal to connect to."""
        return self._terminal_powered

    @terminal_powered.setter
    def terminal_powered(self, powered: bool) -> None:
        self._terminal_powered = powered
        self._tap.line_lost()
        self.on_refusing()

    @property
    def refuses(self) -> bool:
        """Whether a new connection is refused; a serial cable has none."""
        return self._kind == "tcp" and (self.is_cut or not self.terminal_powered)

    # --- the controller's end ---------------------------------------------------

    def open(self) -> None:
        """The controller connects, or opens its port."""
        self._connection += 1
        if self.refuses:
            self._tell(LinkClosed(link=Link.PSP, reason="refused"))
            return
        self.is_open = True
        self._note_link("up")
        self._court.tell_terminal(events.PspConnected())
        self._tell(LinkOpened(link=Link.PSP))

    def close(self, reason: str = "closed") -> None:
        """The controller's end goes away; the terminal notices over TCP only."""
        self._connection += 1
        if not self.is_open:
            return
        self.is_open = False
        if self._kind == "tcp":
            self._tap.line_lost(by_host=True)
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
        self._tap.line_lost()
        self._note_link("down", reason)
        told: Literal["reset", "closed"] = "reset" if reason == "reset" else "closed"
        self._tell(LinkClosed(link=Link.PSP, reason=told))

    # --- between them -----------------------------------------------------------

    def _carry(self, way: Way, direction: Direction, data: bytes) -> None:
        now_ms = self._court.kernel.now_ms
        messages = self._tap.see(direction, data, now_ms)
        pieces = self._through_faults(way, data, messages)
        noted = None if self._is_muted else messages
        if self.is_cut or not pieces:
            self._keep(way, data, fate="lost", messages=noted)
            return
        changed = b"".join(piece for _, piece in pieces) != data
        fate = "changed" if changed else "delivered"
        connection = self._connection
        for index, (delay_ms, piece) in enumerate(pieces):
            is_last = index == len(pieces) - 1
            known = noted if is_last or noted is None else []
            arrive = partial(
                self._arrive, connection, way, piece, fate=fate, messages=known
            )
            self._after(self.latency_ms + delay_ms, arrive)

    def _after(self, delay_ms: int, arrive: Callable[[], None]) -> None:
        if delay_ms > 0:
            self._court.kernel.at(self._court.kernel.now_ms + delay_ms, arrive)
        else:
            arrive()

    def _arrive(
        self,
        connection: int,
        way: Way,
        data: bytes,
        *,
        fate: str,
        messages: Messages | None,
    ) -> None:
        """Bytes come to the end of the line, if their connection still stands."""
        is_alive = connection == self._connection
        shown = fate if is_alive else "lost"
        kept = self._keep(way, data, fate=shown, messages=messages)
        if not is_alive:
            return
        if way == "to_controller":
            self.deliver(BytesReceived(link=Link.PSP, data=data))
            return
        self._is_muted = not kept
        self._court.tell_terminal(events.PspBytes(data=data))
        self._is_muted = False

    def _through_faults(
        self, way: Way, data: bytes, messages: Messages
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

    def _keep(
        self, way: Way, data: bytes, *, fate: str, messages: Messages | None
    ) -> bool:
        """Record what came, unless it is more garbage than anybody will read."""
        if messages is None:
            return False
        if way == "to_terminal":
            sense = any("message" in message for message in messages)
            garbage = bool(messages) and not sense
            if not self._flood.keeps(len(data), sense=sense, garbage=garbage):
                return False
            self._tell_of_flood(is_over=sense)
        self._record(way, data, fate=fate, messages=messages)
        return True

    def _tell_of_flood(self, *, is_over: bool) -> None:
        words = self._flood.told() if is_over else ""
        if words:
            malformed = [{"malformed": words}]
            self._record("to_terminal", b"", fate="delivered", messages=malformed)

    def _record(self, way: Way, data: bytes, *, fate: str, messages: Messages) -> None:
        fields: dict[str, object] = {
            "direction": way,
            "hex": hex_pairs(data[:MAX_SHOWN_BYTES]),
            "fate": fate,
            "messages": messages,
        }
        if len(data) > MAX_SHOWN_BYTES:
            fields["length"] = len(data)
        self._court.trace.append(self._court.kernel.now_ms, "psp", fields)

    def _tell(self, fact: LinkOpened | LinkClosed) -> None:
        """Tell the controller what became of this connection, and of no other.

        Whoever has hung up, died or connected again meanwhile never hears of it.
        """
        connection = self._connection

        def arrive() -> None:
            if connection == self._connection:
                self.deliver(fact)

        self._after(self.latency_ms, arrive)

    def _note_link(self, state: str, reason: str = "") -> None:
        self._tell_of_flood(is_over=True)
        fields = {"link": "psp", "state": state} | (
            {"reason": reason} if reason else {}
        )
        self._court.note(events.Note(kind="link", fields=fields))
