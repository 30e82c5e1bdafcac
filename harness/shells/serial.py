"""A real serial port for PSP: the terminal's end of a cable to a box on a bench.

The hardware keeps the pace, so nothing is paced here. A cable has no connection: the
line is open as long as the port is. An adapter that is pulled out is a set-up that has
failed, and reads as silence.
"""

import os

import serial

from harness.declaration import SetupError
from harness.psp_line import PspLine
from harness.shells.loop import Loop
from simulator.kernel import Kernel
from wire.machine import BytesReceived, Fact

READ_BYTES = 4096
#: What the port has not taken by then is lost, as on a cable that nobody reads.
SEND_LIMIT_S = 1.0


class SerialPort:
    """8N1 without flow control. ``kernel`` is not needed here, but by a port of ours.

    Raises SetupError when ``device`` cannot be opened.
    """

    def __init__(
        self, loop: Loop, line: PspLine, *, kernel: Kernel, device: str, baud: int
    ) -> None:
        del kernel
        self._loop = loop
        self._line = line
        self.path = device
        self.baud: int | None = baud
        try:
            self._port = serial.Serial(
                device, baud, timeout=0, write_timeout=SEND_LIMIT_S, exclusive=True
            )
        except (OSError, ValueError) as error:
            number = getattr(error, "errno", None)
            why = os.strerror(number) if number else error
            raise SetupError(
                f"serial port {device}: {why}; allowed is the path of a port that "
                "exists and that nobody else has open"
            ) from None
        os.set_blocking(self._port.fileno(), False)
        line.deliver = self._deliver
        line.open()
        loop.watch(self, self._readable)

    def fileno(self) -> int:
        return int(self._port.fileno())

    def _readable(self) -> None:
        try:
            data = os.read(self.fileno(), READ_BYTES)
        except OSError:
            return
        if data:
            self._line.send(data)

    def _deliver(self, fact: Fact) -> None:
        if isinstance(fact, BytesReceived):
            try:
                self._port.write(fact.data)
            except (OSError, serial.SerialException):
                return

    def close(self) -> None:
        """Let the port go."""
        self._loop.forget(self)
        self._port.close()
