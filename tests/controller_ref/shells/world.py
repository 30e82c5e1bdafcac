"""The virtual forecourt behind real sockets, and the controller as a real process.

The smallest bench on which the program can be tested: simulator machines on a clock
that runs ``SCALE`` times faster than life, a TCP server or a pty for the terminal, a
TCP server for the charger, an HTTP server for the cloud. Everything but HTTP happens in
the test's own thread, while it waits (``until``).
"""

import os
import pty
import selectors
import signal
import socket
import subprocess
import sys
import time
import tomllib
import tty
from collections.abc import Callable, Sequence
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from simulator import events
from simulator.cards import ORDINARY_CARDS
from simulator.forecourt import Forecourt, ForecourtSettings
from simulator.kernel import Kernel
from simulator.seed import Seed
from simulator.station import StationSettings
from simulator.terminal import TerminalSettings
from simulator.trace import Trace
from wire.cps import Request, Response
from wire.psp import Family

SCALE: Final = 20
ROOT: Final = Path(__file__).resolve().parents[3]
#: Long enough for a machine that has better things to do.
LIMIT_S: Final = 20.0
API_KEY: Final = "key-of-the-test"
SERIAL: Final = "APO20260300042"

Interface = Literal["tcp", "serial", "cps"]


class FastClock:
    """Meets ``simulator.clock.Clock``; never really waits."""

    def __init__(self) -> None:
        self._origin_ns = time.monotonic_ns()

    @property
    def now_ms(self) -> int:
        return (time.monotonic_ns() - self._origin_ns) * SCALE // 1_000_000

    @property
    def late_ms(self) -> int:
        return 0

    def wait_until(self, at_ms: int) -> None:
        """The world only runs up to now."""


class Wire:
    """The examiner's end of a TCP link: one peer at a time, or of a pty."""

    def __init__(
        self, selector: selectors.BaseSelector, *, up: Any, down: Any, heard: Any
    ) -> None:
        self._selector = selector
        self._up, self._down, self._heard = up, down, heard
        self._peer: socket.socket | None = None
        self._master = -1
        self.url = ""

    def listen(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(0)
        self._selector.register(self._server, selectors.EVENT_READ, self._accept)
        self.url = f"tcp://127.0.0.1:{self._server.getsockname()[1]}"

    def open_pty(self) -> None:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._selector.register(self._master, selectors.EVENT_READ, self._read_pty)
        self.url = f"serial://{os.ttyname(self._slave)}?baud=115200"

    def send(self, data: bytes) -> None:
        if self._peer is not None:
            self._peer.sendall(data)
        elif self._master >= 0:
            os.write(self._master, data)

    def hang_up(self) -> None:
        if self._peer is not None:
            self._selector.unregister(self._peer)
            self._peer.close()
            self._peer = None
            self._down()

    def close(self) -> None:
        self.hang_up()
        if self._master >= 0:
            self._selector.unregister(self._master)
            os.close(self._master)
            os.close(self._slave)
        else:
            self._selector.unregister(self._server)
            self._server.close()

    def _accept(self) -> None:
        peer, _ = self._server.accept()
        self.hang_up()
        peer.settimeout(LIMIT_S)
        self._peer = peer
        self._selector.register(peer, selectors.EVENT_READ, self._read)
        self._up()

    def _read(self) -> None:
        assert self._peer is not None
        try:
            data = self._peer.recv(65_536)
        except ConnectionResetError:
            data = b""
        if data:
            self._heard(data)
        else:
            self.hang_up()

    def _read_pty(self) -> None:
        self._heard(os.read(self._master, 65_536))


class World:
    """A forecourt with two connectors and an Apollo; meets ``forecourt.Outbox``."""

    def __init__(self, folder: Path, interface: Interface = "tcp") -> None:
        self._folder = folder
        self._interface = interface
        self._selector = selectors.DefaultSelector()
        self.trace = Trace()
        kernel = Kernel(FastClock())
        settings = ForecourtSettings(
            terminal=TerminalSettings(
                family=Family.APOLLO,
                serial_number=SERIAL,
                api_key=API_KEY,
                link="serial" if interface == "serial" else "tcp",
            ),
            station=StationSettings(connectors=2),
        )
        self.court = Forecourt(settings, kernel=kernel, trace=self.trace, seed=Seed(7))
        self.court.outbox = self
        terminal, station = self.court.tell_terminal, self.court.tell_station
        self.psp = Wire(
            self._selector,
            up=lambda: terminal(events.PspConnected()),
            down=lambda: terminal(events.PspDisconnected()),
            heard=lambda data: terminal(events.PspBytes(data=data)),
        )
        self.bay = Wire(
            self._selector,
            up=lambda: station(events.BayConnected()),
            down=lambda: station(events.BayDisconnected()),
            heard=lambda data: station(events.BayBytes(data=data)),
        )
        if interface == "serial":
            self.psp.open_pty()
            terminal(events.PspConnected())
        else:
            self.psp.listen()
        self.bay.listen()
        self.cloud = Cloud(self.court)
        self.state = folder / "state"
        self.state.mkdir()
        self.process: subprocess.Popen[bytes] | None = None

    # --- The controller -----------------------------------------------------------

    def command(self, **changes: str) -> Sequence[str]:
        """How the program is started; ``changes`` replace options by name."""
        options = {
            "psp": "" if self._interface == "cps" else self.psp.url,
            "bay": self.bay.url,
            "state": str(self.state),
            "declaration": str(self._declaration()),
            "time-scale": str(SCALE),
            **({"cps-url": self.cloud.url} if self._interface == "cps" else {}),
            **changes,
        }
        parts = [f"--{name}={value}" for name, value in options.items()]
        return [sys.executable, "-m", "controller_ref", *parts]

    def start(self, **changes: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **_ENVIRONMENT}
        with (self._folder / "out").open("ab") as out:
            self.process = subprocess.Popen(
                self.command(**changes),
                stdout=out,
                stderr=subprocess.STDOUT,
                env=environment,
            )

    def kill(self) -> None:
        """As the power would: nothing is said, nothing is saved."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(LIMIT_S)

    def stop(self) -> int:
        """Ask it to stop; its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(LIMIT_S)

    def said(self) -> str:
        return (self._folder / "out").read_text()

    def _declaration(self) -> Path:
        path = self._folder / "declaration.toml"
        text = (ROOT / "controller_ref" / "declaration.toml").read_text()
        if self._interface == "cps":
            text = text.replace('interface = "psp"', 'interface = "cps"')
            assert tomllib.loads(text)["claims"]["interface"] == "cps"
        path.write_text(text)
        return path

    # --- Time -----------------------------------------------------------------------

    def until(self, holds: Callable[[], object], limit_s: float = LIMIT_S) -> None:
        """Let the world run until something holds; fails when it does not in time."""
        end_s = time.monotonic() + limit_s
        while not holds():
            assert time.monotonic() < end_s, (
                f"never came; the program said\n{self.said()}"
            )
            kernel = self.court.kernel
            kernel.run_until(kernel.now_ms)
            self.cloud.take_calls()
            for key, _ in self._selector.select(0.003):
                key.data()

    def pass_ms(self, duration_ms: int) -> None:
        """Let the world's time pass."""
        end_ms = self.court.kernel.now_ms + duration_ms
        self.until(lambda: self.court.kernel.now_ms >= end_ms)

    def until_ready(self) -> None:
        boots = self.said().count("boot ")
        self.until(lambda: self.said().count("\nready") >= max(boots, 1))
        self.until(lambda: self.state_of_reader() in ("WAIT_CARD", "READING"))

    # --- People ---------------------------------------------------------------------

    def tap(self) -> None:
        self.court.tell_terminal(events.CardTapped(card=ORDINARY_CARDS[0]))

    def plug(self, connector: int) -> None:
        self.court.tell_station(events.VehicleParked(connector=connector))
        plugged = events.PlugInserted(connector=connector, vehicle="hatchback")
        self.court.tell_station(plugged)

    def unplug(self, connector: int) -> None:
        self.court.tell_station(events.PlugRemoved(connector=connector))

    # --- What has happened ------------------------------------------------------------

    def count(self, kind: str, **fields: object) -> int:
        """Records of a kind that have these fields."""
        return sum(
            record["kind"] == kind
            and all(record.get(name) == value for name, value in fields.items())
            for record in self.trace.records
        )

    def fields(self, kind: str, **fields: object) -> Any:
        """The last record of a kind that has these fields."""
        return next(
            record
            for record in reversed(self.trace.records)
            if record["kind"] == kind
            and all(record.get(name) == value for name, value in fields.items())
        )

    def state_of_reader(self) -> str:
        found = [
            each["state"] for each in self.trace.records if each["kind"] == "reader"
        ]
        return str(found[-1]) if found else ""

    def closes(self) -> int:
        return self.count("session", event="committed") + self.count(
            "session", event="cancelled"
        )

    # --- The forecourt's outbox -------------------------------------------------------

    def psp_out(self, data: bytes) -> None:
        self.psp.send(data)

    def psp_hang_up(self, reason: str) -> None:
        self.psp.hang_up()

    def cloud_answer(self, call: int, response: Response) -> None:
        self.cloud.answer(call, response)

    def callback(
        self, what: Literal["card", "ui", "session", "state"], url: str, body: bytes
    ) -> None:
        Thread(target=_post, args=(url, body), daemon=True).start()

    def bay_out(self, data: bytes) -> None:
        self.bay.send(data)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()
        self.psp.close()
        self.bay.close()
        self.cloud.close()
        self._selector.close()


#: What a test does not give as an option comes from here.
_ENVIRONMENT: Final = {
    "NOHOLD_CPS_API_KEY": API_KEY,
    "NOHOLD_TERMINAL_SERIAL": SERIAL,
}


class Cloud:
    """The payment cloud's HTTP server: a call waits for the world to answer it."""

    def __init__(self, court: Forecourt) -> None:
        self._court = court
        self._numbers = count(1)
        self._calls: SimpleQueue[tuple[Request, SimpleQueue[Response]]] = SimpleQueue()
        self._waiting: dict[int, SimpleQueue[Response]] = {}
        self._server = _CloudServer(("127.0.0.1", 0), _CloudHandler)
        self._server.calls = self._calls
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def take_calls(self) -> None:
        try:
            while True:
                request, answers = self._calls.get_nowait()
                number = next(self._numbers)
                self._waiting[number] = answers
                self._court.call_cloud(number, request)
        except Empty:
            pass

    def answer(self, call: int, response: Response) -> None:
        self._waiting.pop(call).put(response)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _CloudServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    calls: SimpleQueue[tuple[Request, SimpleQueue[Response]]]

    def handle_error(self, request: object, client_address: object) -> None:
        """A killed controller leaves broken calls behind."""


class _CloudHandler(BaseHTTPRequestHandler):
    server: _CloudServer

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        answers: SimpleQueue[Response] = SimpleQueue()
        request = Request(
            method=self.command,
            target=self.path,
            headers=tuple(self.headers.items()),
            body=self.rfile.read(length),
        )
        self.server.calls.put((request, answers))
        response = answers.get(timeout=60)
        self.send_response(response.status)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)

    do_GET = do_POST = do_DELETE = do_PUT = _serve

    def log_message(self, format: str, *args: object) -> None:
        """The trace has it."""


def _post(url: str, body: bytes) -> None:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=LIMIT_S)
    try:
        connection.request("POST", parts.path, body)
        connection.getresponse().read()
    except OSError:
        pass  # nobody there: a callback that is lost
    finally:
        connection.close()
