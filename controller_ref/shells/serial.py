"""PSP over a serial port, 8N1 without flow control (psp.md 1); a pty works as well.

The port is ours alone while it is open. A device that disappears (an adapter that is
pulled out, the other end of a pty that is closed) reads as the end of the stream or as
an input error, and either way the link is down.
"""

import os
from dataclasses import dataclass

import serial

from controller_ref.shells.link import Channel


class _Device:
    """An open port that reads and writes as a socket does."""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port

    def fileno(self) -> int:
        return int(self._port.fileno())

    def recv(self, size: int, /) -> bytes:
        return os.read(self.fileno(), size)

    def send(self, data: bytes, /) -> int:
        return os.write(self.fileno(), data)

    def close(self) -> None:
        self._port.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialDevice:
    """Meets ``link.Dialler``. ``baud`` in bits per second."""

    path: str
    baud: int

    def dial(self) -> Channel:
        """Raises OSError (pyserial's SerialException is one)."""
        try:
            port = serial.Serial(self.path, self.baud, timeout=0, exclusive=True)
        except ValueError as error:
            raise OSError(f"{self.path}: {error}") from error
        os.set_blocking(port.fileno(), False)
        return _Device(port)

    def trouble(self, channel: Channel) -> str:
        return ""
