"""``nohold serve``: the bench with its ports open.

One thread runs the forecourt, its lines and the desk; calls of the control interface
are carried out between two turns of the kernel. The ports are those of a real-time run.
"""

import json
import ssl
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import Final, Protocol

from harness.declaration import SetupError
from harness.serve.desk import Desk
from harness.serve.play import Play
from harness.serve.settings import Settings
from harness.shells.control import ControlPort
from harness.shells.loop import Loop
from harness.shells.pty import Pace, PtyPort
from harness.shells.tcp import TcpPort
from harness.shells.web import CloudPort
from reports.words import Chatter, in_words
from simulator.clock import WallClock
from wire.records import Record

#: How far the kernel is told to run at once; it stops when something is wanted.
ONE_RUN_MS: Final = 86_400_000

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where to listen; 0 takes a port that is free."""

    host: str = "127.0.0.1"
    psp: int = 3201
    cps: int = 8201
    bay: int = 8202
    control: int = 8200
    #: The terminal on a pseudo-terminal instead of TCP.
    pty: bool = False
    #: The terminal on this serial device instead of TCP.
    serial: str = ""
    #: The rate of the serial device, or of the pseudo-terminal.
    baud: int = 57_600
    #: For the terminal on TCP: whoever connects has to speak TLS.
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the person at the command line asked for."""

    settings: Settings
    ports: Ports = field(default_factory=Ports)
    #: Append every record here.
    trace: Path | None = None


class Listening(Protocol):
    """A port of TCP, whatever is spoken there."""

    host: str
    port: int


class Server:
    """The bench, its ports and its loop. Raises SetupError when one cannot be had."""

    def __init__(self, options: Options, *, say: Say) -> None:
        self._say = say
        self._stopping = False
        self._chatter = Chatter()
        self._hang_ups: list[Callable[[], None]] = []
        with ExitStack() as opened:
            self._loop = Loop()
            opened.callback(self._loop.close)
            self._trace = _open_trace(options.trace)
            if self._trace is not None:
                opened.callback(self._trace.close)
            clock = WallClock(wait=self._loop.wait)
            self._play = Play(options.settings, clock=clock)
            self.addresses = self._open(options.ports, opened)
            self._opened = opened.pop_all()
        self._play.drop_controllers = self._hang_up
        self._desk = Desk(self._play, addresses=self.addresses)

    def _open(self, ports: Ports, opened: ExitStack) -> Mapping[str, str]:
        """Open all ports; where a controller and a person connect."""
        play, loop, host = self._play, self._loop, ports.host
        at_psp = self._open_terminal(ports, opened)
        bay = TcpPort(loop, play.lines.bay, host=host, port=ports.bay)
        opened.callback(bay.close)
        self._hang_ups.append(bay.drop)
        cloud = CloudPort(loop, play.lines.cloud, host=host, port=ports.cps)
        opened.callback(cloud.close)
        self._control = ControlPort(loop, host=host, port=ports.control)
        opened.callback(self._control.close)
        return {
            "psp": at_psp,
            "cps": _url("http", cloud),
            "bay": _url("tcp", bay),
            "bench": _url("http", self._control),
        }

    def _hang_up(self) -> None:
        for hang_up in self._hang_ups:
            hang_up()

    def _open_terminal(self, ports: Ports, opened: ExitStack) -> str:
        play, loop = self._play, self._loop
        if ports.pty:
            pace = Pace(baud=ports.baud)
            pty = PtyPort(loop, play.lines.psp, kernel=play.kernel, pace=pace)
            opened.callback(pty.close)
            return f"serial://{pty.path}?baud={ports.baud}"
        if ports.serial:
            return self._open_serial(ports, opened)
        tcp = TcpPort(
            loop, play.lines.psp, host=ports.host, port=ports.psp, tls=ports.tls
        )
        opened.callback(tcp.close)
        self._hang_ups.append(tcp.drop)
        return _url("tls" if ports.tls else "tcp", tcp)

    def _open_serial(self, ports: Ports, opened: ExitStack) -> str:
        # Late: pyserial is only loaded for a real port.
        from harness.shells.serial import SerialPort

        play = self._play
        serial = SerialPort(
            self._loop,
            play.lines.psp,
            kernel=play.kernel,
            device=ports.serial,
            baud=ports.baud,
        )
        opened.callback(serial.close)
        return f"serial://{serial.path}?baud={ports.baud}"

    def run(self) -> None:
        """Serve until ``stop``."""
        for line in self._play.tail.since(0).lines:
            self._happened(json.loads(line), line)
        self._play.followers.append(self._happened)
        self._control.start(self._play)
        while not self._stopping:
            until_ms = self._play.now_ms + ONE_RUN_MS
            self._play.kernel.run_until(until_ms, stop=self._is_wanted)
            self._control.answer_calls(self._desk)

    def _is_wanted(self) -> bool:
        return self._stopping or self._control.has_calls

    def stop(self) -> None:
        """End ``run`` soon; may be called by a signal."""
        self._stopping = True

    def close(self) -> None:
        """Give the ports back, the control interface first."""
        self._opened.close()

    def _happened(self, record: Record, line: str) -> None:
        if not self._chatter.has(record):
            self._say(in_words(record))
        if self._trace is not None:
            self._keep(self._trace, line)

    def _keep(self, trace: FileIO, line: str) -> None:
        data = f"{line}\n".encode("ascii")
        try:
            while data:
                data = data[trace.write(data) :]
        except OSError as error:
            # A full disk must not end a charge that is going on.
            self._trace = None
            self._say(f"trace file: {error}; nothing more is written there")


def _open_trace(path: Path | None) -> FileIO | None:
    if path is None:
        return None
    try:
        return FileIO(path, "ab")
    except OSError as error:
        raise SetupError(f"--trace {path}: {error.strerror}") from None


def _url(scheme: str, port: Listening) -> str:
    host = f"[{port.host}]" if ":" in port.host else port.host
    return f"{scheme}://{host}:{port.port}"
