"""A pseudo-terminal for PSP over a serial line.

The controller opens the path as it would open a real port. The terminal keeps its state
when the port is closed and opened again, because a serial line has no connection.

A real line takes its time and knows only its own rate; so does this one. Both ways are
paced, against absolute deadlines, so that the pace holds whatever one wake-up costs:
what the terminal says at the terminal's rate, what the controller writes at the rate
that it has set. What waits is bounded: in the kernel's buffer, where a full one stops
the controller, and here, where it is lost as in a full UART. Bytes at another rate than
the other end's become the garbage that a UART would make of them (``simulator.uart``).

While nobody has the port open, nothing is kept: what the terminal said then is not
there for the next who opens it. The system does not tell of an opening, so it is looked
for every ``LOOK_S``.
"""

import fcntl
import os
import select
import struct
import termios
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from harness.psp_line import PspLine
from harness.shells.loop import Loop
from simulator.kernel import Kernel
from simulator.uart import duration_us, heard
from wire.machine import BytesReceived, Fact

#: Bytes handed over at once; at 9600 baud one such piece takes 17 ms.
PIECE_BYTES: Final = 16
READ_BYTES: Final = 4096
#: What the terminal has said and the line has not yet carried.
MAX_UNSENT: Final = 16 * 1024
#: Between two looks whether somebody has opened the port, in real seconds.
LOOK_S: Final = 0.02
#: The rate of the terminal's line (psp.md 8, C1).
BAUD: Final = 115_200

#: The names that the system has for rates.
_SPEEDS: Final = {
    getattr(termios, name): int(name[1:])
    for name in dir(termios)
    if name.startswith("B") and name[1:].isdigit()
}
#: Linux: the flags, the line, the characters, both speeds as numbers.
_TERMIOS2: Final = struct.Struct("4I20s2I")
_TCGETS2: Final = 0x802C542A


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast the terminal's line is, and whether anybody keeps to it."""

    baud: int = BAUD
    #: How many times faster than life the run's time passes.
    time_scale: int = 1
    is_kept: bool = True


USUAL: Final = Pace()


class PtyPort:
    """One pseudo-terminal; ``path`` is what the controller opens."""

    def __init__(
        self, loop: Loop, line: PspLine, *, kernel: Kernel, pace: Pace = USUAL
    ) -> None:
        self._loop = loop
        self._line = line
        self._kernel = kernel
        self._paced = pace.is_kept
        # As much as passes in the same real time: a short block stays in one piece, so
        # that a machine that is busy cannot tear it where a real line would not.
        self._piece_bytes = PIECE_BYTES * pace.time_scale
        #: Counts the controllers that have died on this line.
        self._life = 0
        self.terminal_baud = pace.baud
        #: Bytes that the terminal has said, and when the line has carried the last one.
        self._unsent = bytearray()
        self._sent_at_us = 0
        self._heard_at_us = 0
        self._is_open = True
        #: Since the port was last found to be closed.
        self._has_written = False
        self._master, slave = os.openpty()
        _make_raw(slave)
        self.path = os.ttyname(slave)
        os.close(slave)
        os.set_blocking(self._master, False)
        line.deliver = self._deliver
        line.latency_ms = 0
        line.open()
        self._look()

    def fileno(self) -> int:
        return self._master

    @property
    def baud(self) -> int:
        """The rate that the controller has set, in bits per second; 0 is unknown.

        Before anybody has set one it is 9600, as on a real port.
        """
        name = termios.tcgetattr(self._master)[5]
        return _SPEEDS.get(name) or _odd_rate(self._master)

    @property
    def unsent(self) -> int:
        """Bytes that wait for the line."""
        return len(self._unsent)

    # --- who is there -----------------------------------------------------------

    @property
    def _is_held(self) -> bool:
        """Whether somebody has the port open."""
        poll = select.poll()
        poll.register(self._master, 0)
        return not poll.poll(0)

    def _look(self) -> None:
        """Listen once somebody has opened the port."""
        if not self._is_open:
            return
        if self._is_held:
            self._loop.watch(self, self._readable)
            return
        if self._has_written:
            self._forget_unread()
        self._loop.call_in(LOOK_S, self._look)

    def _forget_unread(self) -> None:
        """Nobody has the port open any more: what was not read is gone."""
        self._has_written = False
        self._unsent.clear()
        with suppress(OSError, termios.error):
            slave = os.open(self.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            termios.tcflush(slave, termios.TCIFLUSH)
            os.close(slave)

    # --- from the controller ----------------------------------------------------

    def _readable(self) -> None:
        data = self._read()
        if data is None:
            self._loop.forget(self)
            self._look()
        elif data and not self._paced:
            self._take(data)
        elif data:
            self._loop.forget(self)
            self._pace(data, max(self._heard_at_us, self._kernel.now_ms * 1000))

    def _read(self) -> bytes | None:
        """What has come; empty: nothing; None: nobody has the port open any more."""
        try:
            size = self._piece_bytes if self._paced else READ_BYTES
            data = os.read(self._master, size)
        except BlockingIOError:
            return b""
        except OSError:
            return None
        return data or None

    def _pace(self, data: bytes, began_us: int) -> None:
        """Hand ``data`` over when the line has carried it, then see what follows."""
        self._heard_at_us = began_us + duration_us(len(data), self.baud or BAUD)
        carried = partial(self._carried, data, self._life)
        self._kernel.at(-(-self._heard_at_us // 1000), carried)

    def _carried(self, data: bytes, life: int) -> None:
        if not self._is_open:
            return
        if life == self._life:
            self._take(data)
        more = self._read()
        if more:
            self._pace(more, self._heard_at_us)
        else:
            self._look()

    def _take(self, data: bytes) -> None:
        baud = self.baud
        if baud:
            data = heard(data, sent_baud=baud, read_baud=self.terminal_baud)
            # Whoever has started anew on this line speaks first.
            if not self._line.is_open:
                self._line.open()
            self._line.send(data)

    # --- from the terminal ------------------------------------------------------

    def _deliver(self, fact: Fact) -> None:
        if not isinstance(fact, BytesReceived) or not self._is_open:
            return
        if not self._is_held:
            return  # nobody is there to hear it
        if not self._paced:
            self._write(fact.data)
            return
        is_idle = not self._unsent
        self._unsent += fact.data[: MAX_UNSENT - len(self._unsent)]
        if is_idle and self._unsent:
            self._sent_at_us = max(self._sent_at_us, self._kernel.now_ms * 1000)
            self._send_piece()

    def _send_piece(self) -> None:
        size = min(len(self._unsent), self._piece_bytes)
        self._sent_at_us += duration_us(size, self.terminal_baud)
        self._kernel.at(-(-self._sent_at_us // 1000), self._piece_sent)

    def _piece_sent(self) -> None:
        if not self._is_open:
            return
        self._write(bytes(self._unsent[: self._piece_bytes]))
        del self._unsent[: self._piece_bytes]
        if self._unsent:
            self._send_piece()

    def _write(self, data: bytes) -> None:
        baud = self.baud
        if not baud or not self._is_held:
            return
        self._has_written = True
        # Nobody reads: a full line loses bytes, as a real one does.
        with suppress(OSError):
            os.write(
                self._master, heard(data, sent_baud=self.terminal_baud, read_baud=baud)
            )

    def forget(self) -> None:
        """The controller has died: what is under way, in either direction, is lost."""
        self._life += 1
        self._forget_unread()
        while self._read():
            pass

    def close(self) -> None:
        """Unplug the line: the controller's next read fails."""
        if not self._is_open:
            return
        self._is_open = False
        with suppress(KeyError):  # not watched at this moment
            self._loop.forget(self)
        os.close(self._master)


def _odd_rate(fd: int) -> int:
    """A rate without a name (14400, 250000); 0 where the system cannot tell."""
    try:
        found = fcntl.ioctl(fd, _TCGETS2, bytes(_TERMIOS2.size))
    except OSError:
        return 0
    return int(_TERMIOS2.unpack(found)[-1])


def _make_raw(fd: int) -> None:
    """No echo, no line editing, eight bits, and the rate of a port nobody has set."""
    attributes = termios.tcgetattr(fd)
    attributes[0] = attributes[1] = attributes[3] = 0
    attributes[2] = termios.CS8 | termios.CREAD | termios.CLOCAL
    attributes[4] = attributes[5] = termios.B9600
    termios.tcsetattr(fd, termios.TCSANOW, attributes)
