"""A real serial port for PSP: a box on the bench, wired to this machine.

The port is opened at the terminal's rate, 8N1 without flow control (psp.md 1), and is
ours alone. The wire gives the pace. A device that disappears (an adapter that is pulled
out) is written down as a cut link and looked for again every ``REOPEN_MS``; a
controller with another rate shows as garbage, as it would to a terminal.
"""

import os
from contextlib import suppress
from typing import Final

import serial

from harness.declaration import SetupError
from harness.psp_line import PspLine
from harness.shells.loop import Loop
from simulator.kernel import Kernel
from simulator.uart import BAUD_RATES
from wire.machine import BytesReceived, Fact

READ_BYTES: Final = 4096
#: What the wire has not carried yet; beyond it bytes are lost, as in a full UART.
MAX_UNSENT: Final = 16 * 1024
#: Between two attempts to open a device that has gone, in milliseconds of the run.
REOPEN_MS: Final = 500


class SerialPort:
    """One serial port; ``device`` is its path. Raises SetupError."""

    def __init__(
        self, loop: Loop, line: PspLine, *, kernel: Kernel, device: str, baud: int
    ) -> None:
        if baud not in BAUD_RATES:
            allowed = ", ".join(map(str, BAUD_RATES))
            raise SetupError(f"baud: found {baud}, allowed is one of {allowed}")
        self._loop = loop
        self._line = line
        self._kernel = kernel
        self._unsent = bytearray()
        self._is_closed = False
        self.path = device
        self.baud = baud
        try:
            self._port: serial.Serial | None = self._opened()
        except OSError as error:
            raise SetupError(
                f"serial port {device}: {error}; allowed is the path of a port that "
                "exists and that nobody else has open"
            ) from None
        line.deliver = self._deliver
        line.latency_ms = 0
        line.open()

    def _opened(self) -> serial.Serial:
        port = serial.Serial(self.path, self.baud, timeout=0, exclusive=True)
        os.set_blocking(port.fileno(), False)
        self._loop.watch(port, self._readable)
        return port

    @property
    def unsent(self) -> int:
        """Bytes that wait for the wire."""
        return len(self._unsent)

    # --- from the controller ----------------------------------------------------

    def _readable(self) -> None:
        assert self._port is not None
        try:
            data = os.read(self._port.fileno(), READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        # Said to be readable, and nothing there: that is how a lost device shows.
        if data:
            self._line.send(data)
        else:
            self._lost()

    # --- from the terminal ------------------------------------------------------

    def _deliver(self, fact: Fact) -> None:
        if isinstance(fact, BytesReceived) and self._port is not None:
            self._unsent += fact.data[: MAX_UNSENT - len(self._unsent)]
            self._write()

    def _write(self) -> None:
        if self._port is None:
            return
        try:
            del self._unsent[: os.write(self._port.fileno(), self._unsent)]
        except BlockingIOError:
            pass
        except OSError:
            # The line is in the middle of it: it is told afterwards.
            self._loop.call_in(0, self._lost)
            return
        writable = self._write if self._unsent else None
        self._loop.watch(self._port, self._readable, writable=writable)

    # --- a device that comes and goes -------------------------------------------

    def _lost(self) -> None:
        if self._port is None:
            return
        self._let_go()
        self._line.close("cut")
        self._look_again()

    def _look_again(self) -> None:
        self._kernel.at(self._kernel.now_ms + REOPEN_MS, self._reopen)

    def _reopen(self) -> None:
        if self._is_closed:
            return
        try:
            self._port = self._opened()
        except OSError:
            self._look_again()
        else:
            self._line.open()

    def _let_go(self) -> None:
        port, self._port = self._port, None
        self._unsent.clear()
        if port is not None:
            self._loop.forget(port)
            with suppress(OSError):
                port.close()

    def close(self) -> None:
        """Give the port back."""
        self._is_closed = True
        self._let_go()
