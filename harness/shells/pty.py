"""A pseudo-terminal for PSP over a serial line.

The controller opens the path as it would open a real port. The terminal keeps its state
when the port is closed and opened again, because a serial line has no connection. What
we write is paced at the baud rate that the controller has set, against absolute
deadlines, so that the pace holds whatever one wake-up costs.
"""

import os
import termios
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from harness.psp_line import PspLine
from harness.shells.loop import Loop
from simulator.kernel import Kernel
from wire.machine import BytesReceived, Fact

READ_BYTES: Final = 4096
#: One start bit, eight data bits, one stop bit (psp.md 1).
BITS_PER_BYTE: Final = 10
#: Bytes written at once; at 9600 baud one such piece takes 17 ms.
PIECE_BYTES: Final = 16

_SPEEDS: Final = {
    getattr(termios, f"B{baud}"): baud for baud in (9600, 19200, 38400, 57600, 115200)
}


class PtyPort:
    """One pseudo-terminal; ``path`` is what the controller opens."""

    def __init__(
        self,
        loop: Loop,
        line: PspLine,
        *,
        kernel: Kernel,
        time_scale: int = 1,
        paced: bool = True,
    ) -> None:
        self._loop = loop
        self._line = line
        self._kernel = kernel
        self._paced = paced
        # As much as passes in the same real time: a short block stays in one piece, so
        # that a machine that is busy cannot tear it where a real line would not.
        self._piece_bytes = PIECE_BYTES * time_scale
        self._free_at_ms = 0
        #: Counts the controllers that have died on this line.
        self._life = 0
        # The other end is kept open, so that a controller may come and go.
        self._master, self._slave = os.openpty()
        _make_raw(self._slave)
        self.path = os.ttyname(self._slave)
        os.set_blocking(self._master, False)
        line.deliver = self._deliver
        line.open()
        loop.watch(self, self._readable)

    def fileno(self) -> int:
        return self._master

    @property
    def baud(self) -> int | None:
        """The rate that the controller has set; None for one that is not allowed."""
        return _SPEEDS.get(termios.tcgetattr(self._master)[4])

    def _readable(self) -> None:
        try:
            data = os.read(self._master, READ_BYTES)
        except OSError:
            return
        if data:
            # Whoever has started anew on this line speaks first.
            if not self._line.is_open:
                self._line.open()
            self._line.send(data)

    def _deliver(self, fact: Fact) -> None:
        if not isinstance(fact, BytesReceived):
            return
        if not self._paced:
            self._write(fact.data)
            return
        at_ms = max(self._free_at_ms, self._kernel.now_ms)
        for start in range(0, len(fact.data), self._piece_bytes):
            piece = fact.data[start : start + self._piece_bytes]
            at_ms += len(piece) * BITS_PER_BYTE * 1000 // (self.baud or 57_600)
            self._kernel.at(at_ms, self._writer(piece))
        self._free_at_ms = at_ms

    def _writer(self, data: bytes) -> Callable[[], None]:
        life = self._life

        def write() -> None:
            if life == self._life:
                self._write(data)

        return write

    def _write(self, data: bytes) -> None:
        try:
            os.write(self._master, data)
        except OSError:
            return  # nobody reads: a full line loses bytes, as a real one does

    def forget(self) -> None:
        """The controller has died: what is under way, in either direction, is lost."""
        self._life += 1
        self._free_at_ms = 0
        termios.tcflush(self._slave, termios.TCIFLUSH)
        with suppress(BlockingIOError):
            while os.read(self._master, READ_BYTES):
                pass

    def close(self) -> None:
        """Unplug the line: the controller's next read fails."""
        self._loop.forget(self)
        os.close(self._master)
        os.close(self._slave)


def _make_raw(fd: int) -> None:
    """No echo, no line editing, eight bits."""
    attributes = termios.tcgetattr(fd)
    attributes[0] = attributes[1] = attributes[3] = 0
    attributes[2] = termios.CS8 | termios.CREAD | termios.CLOCAL
    termios.tcsetattr(fd, termios.TCSANOW, attributes)
