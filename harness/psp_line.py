"""The PSP line: a TCP connection or a serial cable between controller and terminal.

Bytes take ``LATENCY_MS``. Whatever is written on a connection dies with it: an answer
that is still under way when the link goes down is recorded as lost and never delivered
on a new one. A serial cable has no connection to lose; bytes on a cut one vanish
unnoticed. A TCP line is taken for one with a serial device server in it: what a cable
loses stays lost.

A connection has two ends. When nothing passes, whoever hangs up is not heard: the other
end stands until it finds out by itself, and a terminal that still holds the old
connection may turn the new one away (psp.md 9, A22).

A line between two programs in one process takes ``latency_ms``; a real port has a way
of its own and sets it to 0, then nothing waits.

What can go wrong is in two lists, filled by ``harness.faults``: outages let nothing
pass, ``faults`` change single blocks. Both say when they strike.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Literal

from harness.line_faults import LineFault, Outage, Way, telling_pieces
from harness.psp_log import Messages, PspLog
from simulator import events
from simulator.cable import Arrivals, first_struck
from simulator.forecourt import Forecourt
from simulator.wiretap import Wiretap
from wire.machine import BytesReceived, Fact, Link, LinkClosed, LinkOpened
from wire.psp import Direction, Reading

LATENCY_MS: Final = 2

_DIRECTIONS: Final[Mapping[Way, Direction]] = {
    "to_terminal": Direction.TO_TERMINAL,
    "to_controller": Direction.TO_HOST,
}


class PspLine:
    """See the module's text. ``kind`` is how the controller is wired."""

    def __init__(
        self, court: Forecourt, *, kind: Literal["tcp", "serial"], reading: Reading
    ) -> None:
        self._court = court
        self._kind = kind
        self._profile = reading.profile
        self._tap = Wiretap(reading)
        self._log = PspLog(court)
        self._connection = 0
        #: The terminal's end stands, perhaps of a connection that is long gone.
        self._is_held = False
        self._has_stranger = False
        #: Beginnings of blocks, kept while a fault waits for whole ones.
        self._parts: dict[Way, tuple[bytes, Messages]] = {}
        #: Blocks among ``_parts`` that a fault keeps until the next one comes.
        self._joining: dict[Way, LineFault] = {}
        self.deliver: Callable[[Fact], None] = lambda _fact: None
        #: A real port stops listening, and listens again (``refuses``).
        self.on_refusing: Callable[[], None] = lambda: None
        self.latency_ms = LATENCY_MS
        self.takes_over = reading.profile.second_client == "take_over"
        self.is_open = False
        self._terminal_powered = True
        self.faults: list[LineFault] = []
        self.outages: list[Outage] = []

    # --- What is the matter with it ---------------------------------------------

    def begin_outage(self, outage: Outage) -> None:
        """From now on less passes."""
        self.outages.append(outage)
        self.on_refusing()

    def end_outage(self, outage: Outage) -> None:
        self.outages.remove(outage)
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
        is_out = any(outage.refuses for outage in self.outages)
        return self._kind == "tcp" and (is_out or not self.terminal_powered)

    # --- The controller's end ---------------------------------------------------

    def open(self) -> None:
        """The controller connects, or opens its port."""
        self._connection += 1
        if self.refuses:
            self._strike_refusals()
            self._tell(LinkClosed(link=Link.PSP, reason="refused"))
            return
        self.is_open = True
        self._note_link("up")
        # Told first: the terminal may hang up at once.
        self._tell(LinkOpened(link=Link.PSP))
        self._is_held = True
        self._court.tell_terminal(events.PspConnected())

    def _strike_refusals(self) -> None:
        for outage in self.outages:
            if outage.refuses:
                outage.strike("a connection is refused")

    def close(self, reason: str = "closed") -> None:
        """The controller's end goes away; the terminal notices over TCP only."""
        is_heard = self._outage("to_terminal") is None
        self._connection += 1
        if not self.is_open:
            return
        self.is_open = False
        self._parts.clear()
        self._joining.clear()
        if self._kind == "tcp":
            self._tap.line_lost(by_host=True)
        self._note_link("down", reason)
        if is_heard:
            self._leave_terminal()

    def _leave_terminal(self) -> None:
        if self._is_held:
            self._is_held = False
            self._court.tell_terminal(events.PspDisconnected())

    def send(self, data: bytes) -> None:
        """Bytes from the controller."""
        if not self.is_open:
            return
        self._carry("to_terminal", data)
        is_void = self._kind == "tcp" and not self._is_held
        if is_void and self._outage("to_terminal") is None:
            self.reset()

    # --- The terminal's end -----------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Bytes from the terminal."""
        if self.is_open:
            self._carry("to_controller", data)

    def hang_up(self, reason: str) -> None:
        """The terminal closes the connection, or the connection is reset."""
        if self._kind == "serial":
            return
        if reason == "second_client":
            keeps_old = self._profile.second_client == "close_new"
            if keeps_old == self._has_stranger:
                return  # it is not the controller's connection that ends
        else:
            self._is_held = False
        if self.is_open and self._outage("to_controller") is None:
            self._end(reason)

    def _end(self, reason: str) -> None:
        """The controller's end is closed, and the controller is told."""
        self.is_open = False
        self._connection += 1
        self._parts.clear()
        self._joining.clear()
        self._tap.line_lost()
        self._note_link("down", reason)
        told: Literal["reset", "closed"] = "reset" if reason == "reset" else "closed"
        self._tell(LinkClosed(link=Link.PSP, reason=told))

    def names_of(self, data: bytes) -> list[str]:
        """The messages that the controller would complete with these bytes, by name."""
        now_ms = self._court.kernel.now_ms
        return self._tap.foresee(Direction.TO_TERMINAL, data, now_ms)

    # --- What befalls a connection ----------------------------------------------

    @property
    def connection(self) -> int:
        """Number of the connection of this moment."""
        return self._connection

    def reset(self) -> bool:
        """The connection is reset; both ends hear of it. False: there is none."""
        if not self.is_open or self._kind == "serial":
            return False
        self._end("reset")
        self._leave_terminal()
        return True

    def close_from_terminal(self) -> bool:
        """The terminal closes in good order. False: there is no connection."""
        if not self.is_open or self._kind == "serial":
            return False
        self._end("closed")
        self._leave_terminal()
        return True

    def meet_stranger(self) -> str:
        """Somebody else connects and leaves at once; tells what became of it."""
        if self._kind == "serial":
            return ""
        was_held, was_open = self._is_held, self.is_open
        self._has_stranger = True
        self._court.tell_terminal(events.PspConnected())
        self._has_stranger = False
        if was_held and self._profile.second_client == "close_new":
            return "the second client is turned away"
        self._is_held = True
        self._leave_terminal()
        return "the first client is hung up on" if was_open else "nobody was there"

    # --- Between them -----------------------------------------------------------

    def _outage(self, way: Way) -> Outage | None:
        for outage in self.outages:
            if outage.stops(way, self._connection):
                return outage
        return None

    def _carry(self, way: Way, data: bytes) -> None:
        now_ms = self._court.kernel.now_ms
        messages: Messages = self._tap.see(_DIRECTIONS[way], data, now_ms)
        if self.faults or self._parts:
            data, messages = self._with_parts(way, data, messages)
            if self._waits_for_more(way):
                self._keep(way, data, messages, self._profile.inter_byte_ms)
                return
            if (joining := self._joins(way, messages, len(data))) is not None:
                self._keep(way, data, messages, joining.hold_ms)
                self._joining[way] = joining
                return
        self._forward(way, data, messages)

    def _with_parts(
        self, way: Way, data: bytes, messages: Messages
    ) -> tuple[bytes, Messages]:
        """``data`` behind what was kept of this direction."""
        before, known = self._parts.pop(way, (b"", ()))
        joining = self._joining.pop(way, None)
        if not before:
            return data, messages
        if joining is not None:
            together = f"{_words(list(known))} and {_words(messages)} {way}"
            joining.hit(f"{together}, in one piece of {len(before) + len(data)} bytes")
        return before + data, [*known, *messages]

    def _joins(self, way: Way, messages: Messages, size: int) -> LineFault | None:
        """The fault that keeps this block until the next one comes."""
        names = [str(message.get("message")) for message in messages]
        for fault in self.faults:
            if fault.hold_ms and fault.strikes(way, names, size) is not None:
                return fault
        return None

    def _waits_for_more(self, way: Way) -> bool:
        """Whether this is half a block and a fault waits for whole ones."""
        return self._tap.is_midway(_DIRECTIONS[way]) and any(
            fault.wants_block(way) for fault in self.faults
        )

    def _keep(self, way: Way, data: bytes, messages: Messages, for_ms: int) -> None:
        self._parts[way] = (data, messages)
        connection = self._connection

        def give_up() -> None:
            """The rest has not come: what came goes its way."""
            if connection == self._connection and self._parts.get(way) is kept:
                self._joining.pop(way, None)
                self._forward(way, *self._parts.pop(way))

        kept = self._parts[way]
        due_ms = self._court.kernel.now_ms + for_ms
        self._court.kernel.at(due_ms, give_up)

    def _forward(self, way: Way, data: bytes, messages: Messages) -> None:
        noted = None if self._log.is_muted else messages
        outage = self._outage(way) if self.outages else None
        if outage is not None:
            outage.strike(f"{_words(messages)} {way} lost")
            self._log.keep(way, data, fate="lost", messages=noted)
            return
        connection = self._connection
        if not self.faults:
            whole = partial(
                self._arrive, connection, way, data, fate="delivered", messages=noted
            )
            self._after(self.latency_ms, whole)
            return
        pieces, fault = self._through_faults(way, data, messages)
        arriving = [piece for _, piece in pieces]
        telling = telling_pieces(way, data, arriving)
        changed = data not in (b"".join(arriving), *arriving)
        fate = "changed" if changed else "delivered"
        if not pieces:
            self._log.keep(way, data, fate="lost", messages=noted)
        elif way == "to_terminal" and pieces[telling[0]][0] and not changed:
            # Said now; whatever becomes of it on the way is not said again.
            self._log.keep(way, data, fate="late", messages=noted)
            noted = noted and []
        for index, (delay_ms, piece) in enumerate(pieces):
            known = noted if index in telling or noted is None else []
            arrive = partial(
                self._arrive, connection, way, piece, fate=fate, messages=known
            )
            self._after(self.latency_ms + delay_ms, arrive)
        if fault is not None and fault.then is not None:
            self._after(self.latency_ms, partial(self._then, connection, fault.then))

    def _after(self, delay_ms: int, call: Callable[[], None]) -> None:
        if delay_ms > 0:
            self._court.kernel.at(self._court.kernel.now_ms + delay_ms, call)
        else:
            call()

    def _then(self, connection: int, follows: Callable[[], object]) -> None:
        """What a fault does to the line, once the bytes before it have arrived."""
        if connection == self._connection:
            follows()

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
        if not is_alive and not messages and way == "to_terminal":
            return  # told of already, or with the piece that ends it
        shown = fate if is_alive else "lost"
        is_kept = self._log.keep(way, data, fate=shown, messages=messages)
        if not is_alive:
            return
        if way == "to_controller":
            self.deliver(BytesReceived(link=Link.PSP, data=data))
            return
        self._log.is_muted = not is_kept
        self._court.tell_terminal(events.PspBytes(data=data))
        self._log.is_muted = False

    def _through_faults(
        self, way: Way, data: bytes, messages: Messages
    ) -> tuple[Arrivals, LineFault | None]:
        """What arrives of ``data``, and the fault that struck, if any did."""
        names = [str(message.get("message")) for message in messages]
        for fault in self.faults:
            byte = None if fault.hold_ms else fault.strikes(way, names, len(data))
            if byte is not None:
                pieces = fault.change(data, byte)
                at = first_struck(data, pieces)
                fault.hit(f"{_words(messages)} {way}, byte {at} of {len(data)}")
                return pieces, fault
        return [(0, data)], None

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
        self._log.tell_of_flood()
        fields = {"link": "psp", "state": state} | (
            {"reason": reason} if reason else {}
        )
        self._court.note(events.Note(kind="link", fields=fields))


def _words(messages: Messages) -> str:
    """The messages that some bytes complete, by name."""
    names = [str(message.get("message", "a bad block")) for message in messages]
    return " and ".join(names) or "bytes"
