"""Both ends of a port: a forecourt in real time, and whoever connects to it.

One thread plays both, so nothing here blocks: a far end writes what fits, and takes
what has come, whenever the yard looks whether it may stop waiting.
"""

import os
import selectors
import socket
import ssl
import termios
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal, Protocol

from harness.bay_line import BayLine
from harness.cloud_line import CloudLine
from harness.device import Lines
from harness.psp_line import PspLine
from harness.shells.loop import Loop
from simulator import events
from simulator.clock import WallClock
from simulator.forecourt import Forecourt, ForecourtSettings
from simulator.kernel import Kernel
from simulator.seed import Seed
from simulator.station import StationSettings
from simulator.terminal import TerminalEvent, TerminalSettings
from simulator.trace import Trace
from wire.machine import BytesReceived, Fact
from wire.psp import Direction, Family, Name, Profile, Reading, encode, message

READING: Final = Reading(family=Family.APOLLO)
#: A whole request, and one that shows that somebody answers.
ASK: Final = encode(message(Name.GET_STATUS), Direction.TO_TERMINAL, READING)
#: Long enough for a busy machine; nobody waits for it when all is well.
WITHIN_S: Final = 10.0

Record = Mapping[str, object]


class Court(Forecourt):
    """A forecourt whose terminal may be ``deaf``: what it would hear is kept."""

    deaf = False
    told = b""

    def tell_terminal(self, event: TerminalEvent) -> None:
        if not self.deaf:
            super().tell_terminal(event)
        elif isinstance(event, events.PspBytes):
            self.told += event.data


class Yard:
    """A forecourt in real time, its lines, and the loop that its ports share."""

    def __init__(
        self,
        *,
        link: Literal["tcp", "serial"] = "tcp",
        time_scale: int = 1,
        profile: Profile | None = None,
    ) -> None:
        self.time_scale = time_scale
        self.loop = Loop()
        self.trace = Trace()
        clock = WallClock(scale=time_scale, wait=self.loop.wait)
        self.kernel = Kernel(clock)
        reading = Reading(family=Family.APOLLO, profile=profile or Profile())
        settings = ForecourtSettings(
            terminal=TerminalSettings(link=link, psp_profile=reading.profile),
            station=StationSettings(connectors=1),
        )
        self.court = Court(settings, kernel=self.kernel, trace=self.trace, seed=Seed(1))
        self.psp = PspLine(self.court, kind=link, reading=reading)
        self.bay = BayLine(self.court)
        cloud = CloudLine(self.court, api_key="key", callback_hosts=("127.0.0.1",))
        self.court.outbox = Lines(psp=self.psp, cloud=cloud, bay=self.bay)

    def until(self, stop: Callable[[], object], within_s: float = WITHIN_S) -> bool:
        """Let real time pass until ``stop``; tells whether it came to that."""
        until_ms = self.kernel.now_ms + int(within_s * 1000 * self.time_scale)
        return self.kernel.run_until(until_ms, stop=lambda: bool(stop()))

    def spend(self, seconds: float) -> None:
        """Let so much real time pass."""
        self.until(lambda: False, seconds)

    def records(self, kind: str) -> list[Record]:
        return [record for record in self.trace.records if record["kind"] == kind]

    def downs(self, link: str = "psp") -> list[object]:
        """Why a link went down, each time."""
        return [
            record.get("reason")
            for record in self.records("link")
            if record["link"] == link and record["state"] == "down"
        ]


class FarEnd(Protocol):
    """The controller's end."""

    #: What has been heard so far.
    heard: bytearray
    #: Whether the other side has ended it, as far as this one knows.
    ended: str

    def write(self, data: bytes) -> None: ...
    def pump(self) -> None:
        """Write what still waits, take what has come."""

    def hang_up(self) -> None: ...


class MemoryEnd:
    """A controller in the same process."""

    def __init__(self, line: PspLine) -> None:
        self.heard = bytearray()
        self.ended = ""
        self._line = line
        line.deliver = self._deliver
        line.open()

    def _deliver(self, fact: Fact) -> None:
        if isinstance(fact, BytesReceived):
            self.heard += fact.data

    def write(self, data: bytes) -> None:
        self._line.send(data)

    def pump(self) -> None:
        """There is nothing between the ends."""

    def hang_up(self) -> None:
        self._line.close()


class StreamEnd:
    """A socket or a terminal device."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.ended = ""
        self._unsent = bytearray()

    def receive(self) -> bytes:
        raise NotImplementedError

    def transmit(self, data: bytes) -> int:
        raise NotImplementedError

    def hang_up(self) -> None:
        raise NotImplementedError

    def write(self, data: bytes) -> None:
        self._unsent += data
        self.pump()

    def pump(self) -> None:
        with suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            while self._unsent and not self.ended:
                del self._unsent[: self.transmit(bytes(self._unsent[:1024]))]
        with suppress(BlockingIOError, ssl.SSLWantReadError):
            while not self.ended:
                self._took(self.receive())

    def _took(self, data: bytes) -> None:
        if data:
            self.heard += data
        else:
            self.ended = "closed"


class SocketEnd(StreamEnd):
    """A client of a TCP port, with TLS if there is a context."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        super().__init__()
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=WITHIN_S)
        self.socket.settimeout(0)
        if tls is not None:
            self.socket = tls.wrap_socket(
                self.socket,
                server_hostname="localhost",
                do_handshake_on_connect=False,
            )

    def receive(self) -> bytes:
        try:
            return self.socket.recv(4096)
        except ConnectionResetError:
            self.ended = "reset"
            return b""
        except ssl.SSLEOFError:
            return b""

    def _took(self, data: bytes) -> None:
        if not self.ended:
            super()._took(data)

    def transmit(self, data: bytes) -> int:
        try:
            return self.socket.send(data)
        except (ConnectionResetError, BrokenPipeError):
            self.ended = "reset"
            return 0

    def hang_up(self) -> None:
        self.socket.close()
        self.ended = "gone"


class DeviceEnd(StreamEnd):
    """A program that has a serial port open, or the wire behind a serial port."""

    def __init__(
        self,
        device: str | int,
        baud: int = 115_200,
        *,
        held: int = -1,
        node: Path | None = None,
    ) -> None:
        super().__init__()
        #: The path of the adapter, which goes with it: the system gives its number to
        #: the next pseudo-terminal, perhaps one of another test.
        self._node = node
        #: The adapter's own end, open as long as it is plugged in.
        self._held = held
        if isinstance(device, str):
            flags = os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK
            self.fd = os.open(device, flags)
            set_baud(self.fd, baud)
        else:
            self.fd = device
            os.set_blocking(device, False)

    def receive(self) -> bytes:
        with selectors.DefaultSelector() as selector:
            selector.register(self.fd, selectors.EVENT_READ)
            if not selector.select(0):
                raise BlockingIOError
        try:
            return os.read(self.fd, 4096)
        except BlockingIOError:
            raise
        except OSError:
            return b""

    def transmit(self, data: bytes) -> int:
        try:
            return os.write(self.fd, data)
        except BlockingIOError:
            raise
        except OSError:
            self.ended = "closed"
            return 0

    def hang_up(self) -> None:
        if self.ended != "gone":
            if self._node is not None:
                self._node.unlink(missing_ok=True)
            os.close(self.fd)
            if self._held >= 0:
                os.close(self._held)
        self.ended = "gone"


def set_baud(fd: int, baud: int) -> None:
    """Set a serial port to raw bytes at ``baud``, as a controller would."""
    attributes = termios.tcgetattr(fd)
    attributes[0] = attributes[1] = attributes[3] = 0
    attributes[2] = termios.CS8 | termios.CREAD | termios.CLOCAL
    attributes[4] = attributes[5] = getattr(termios, f"B{baud}")
    termios.tcsetattr(fd, termios.TCSANOW, attributes)


class Cable:
    """A serial adapter: a path that leads to a pseudo-terminal while plugged in."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ttyUSB0"

    def plug_in(self) -> DeviceEnd:
        """The other end of the wire."""
        master, slave = os.openpty()
        set_baud(slave, 115_200)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(slave))
        return DeviceEnd(master, held=slave, node=self.path)
