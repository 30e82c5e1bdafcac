"""The wall-clock world: a program, or a box, at the ends of real lines.

Ports stand where the in-memory controller stood; behind them are the same lines, the
same forecourt and the same judge. The run's time passes ``time_scale`` times faster
than life, so everything that the examiner does by the clock is divided by it.
"""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.declaration import SetupError
from harness.device import Device
from harness.shells.endpoint import PORTS, EndpointDevice
from harness.shells.loop import Loop
from harness.shells.lying_clock import LyingClock
from harness.shells.process import ControllerProcess, Wiring
from harness.shells.program import ProgramDevice
from harness.shells.pty import BAUD, Pace, PtyPort
from harness.shells.serial import SerialPort
from harness.shells.state_folder import StateFolder
from harness.shells.tcp import TcpPort
from harness.shells.web import CloudPort
from harness.world import Desk, Limits
from simulator.clock import Clock, WallClock

if TYPE_CHECKING:
    from harness.bench import Bench

#: Real time that every deadline gets on top (device_under_test.md section 2).
SLACK_MS: Final = 1_000
#: Until no session is open: an hourly retry may be next.
SETTLE_MS: Final = 3_700_000
#: After that: a card that is being read is answered, or asked about, by then.
LOOK_MS: Final = 30_000
#: After that: longer than a retry by the minute.
REST_MS: Final = 70_000
#: Rates that ``psp_device`` may name.
BAUDS: Final = (9_600, 19_200, 38_400, 57_600, BAUD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How a case is set up in real time, beyond what is declared."""

    #: Where the ports listen; a box on a network cannot reach loopback.
    host: str = "127.0.0.1"
    #: For an endpoint: what goes on from case to case.
    desk: Desk | None = None
    #: The controller's clock, or its storage, may have to fail in this case.
    lying_clock: bool = False
    small_disk: bool = False


LOOPBACK: Final = Setup()


#: As much of a file as is looked at: its end.
MOST_BYTES: Final = 1 << 20


def read_end(path: Path) -> bytes:
    """The last bytes of a file; none when it has gone meanwhile."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - MOST_BYTES))
            return file.read(MOST_BYTES)
    except OSError:
        return b""


class WallWorld:
    """One case in real time; ``folder`` is where the declaration stands."""

    def __init__(
        self,
        folder: Path,
        declaration: Path,
        *,
        time_scale: int,
        setup: Setup = LOOPBACK,
    ) -> None:
        self._folder = folder
        self._declaration = declaration
        self._time_scale = time_scale
        self._setup = setup
        self._loop = Loop()
        #: Logs, state and other files of this case.
        self.home = Path(tempfile.mkdtemp(prefix="nohold-"))
        self._tcp: dict[str, TcpPort] = {}
        self._serial: PtyPort | SerialPort | None = None
        self._cloud: CloudPort | None = None
        self._device: ProgramDevice | EndpointDevice | None = None
        #: What a controller has to be told to find the examiner.
        self.wiring: Mapping[str, str] = {}
        self.desk = setup.desk
        self.terminal_baud = BAUD
        self.clock: Clock = WallClock(scale=time_scale, wait=self._loop.wait)
        self.slack_ms = SLACK_MS * time_scale
        self.limits = Limits(settle_ms=SETTLE_MS, look_ms=LOOK_MS, rest_ms=REST_MS)

    @property
    def baud(self) -> int | None:
        return self._serial.baud if self._serial else None

    def build(self, bench: "Bench") -> Device:
        """Open the ports, and put what is declared at their ends. Raises SetupError."""
        self.wiring = {**self._open_terminal(bench), "bay": self._open_bay(bench)}
        is_endpoint = bench.declaration.text("reach", "mode") == "endpoint"
        self._device = self._box(bench) if is_endpoint else self._program(bench)
        return self._device

    def written(self, bench: "Bench") -> Sequence[bytes]:
        """State and output of a program; a box shows neither."""
        files = [path for path in self.home.glob("state/**/*") if path.is_file()]
        return [read_end(path) for path in (*files, self.home / "controller.log")]

    # --- devices ----------------------------------------------------------------

    def _program(self, bench: "Bench") -> ProgramDevice:
        state = StateFolder(self.home / "state", on_small_disk=self._setup.small_disk)
        clock = LyingClock(self.home / "clock", wanted=self._setup.lying_clock)
        values = {
            **self.wiring,
            "state_dir": str(state.path),
            "declaration": str(self._declaration.resolve()),
            "time_scale": str(self._time_scale),
        }
        process = ControllerProcess(
            bench.declaration.listed("reach", "command"),
            Wiring(
                values=values,
                front=state.front(self._folder),
                more=clock.environment(),
            ),
            folder=self._folder,
            log=self.home / "controller.log",
        )
        return ProgramDevice(
            process, bench=bench, state=state, clock=clock, died=self._forget
        )

    def _forget(self) -> None:
        """The controller has died.

        A socket tells by itself that nobody reads any more; a serial line never does.
        """
        if isinstance(self._serial, PtyPort):
            self._serial.forget()

    def _box(self, bench: "Bench") -> EndpointDevice:
        return EndpointDevice(
            bench,
            folder=self._folder,
            log=self.home / "power.log",
            forget_links=lambda since: self._forget_links(bench, since),
        )

    def _forget_links(self, bench: "Bench", since: int) -> None:
        """Close connections that have outlived the box at their other end."""
        gone = {
            record["link"]
            for record in bench.trace.records[since:]
            if record["kind"] == "link" and record["state"] == "down"
        }
        for name, line in (("psp", bench.lines.psp), ("bay", bench.lines.bay)):
            if name in self._tcp and name not in gone and line.is_open:
                self._tcp[name].drop()
                line.close("death")

    # --- ports ------------------------------------------------------------------

    def _port(self, bench: "Bench", key: str) -> int:
        """The declared port; a box needs one that stays, a program takes any."""
        declared = bench.declaration.number("reach", key)
        is_endpoint = bench.declaration.text("reach", "mode") == "endpoint"
        return declared or (PORTS[key] if is_endpoint else 0)

    def _open_bay(self, bench: "Bench") -> str:
        host, port = self._setup.host, self._port(bench, "bay_port")
        bay = TcpPort(self._loop, bench.lines.bay, host=host, port=port)
        self._tcp["bay"] = bay
        return f"tcp://{bay.host}:{bay.port}"

    def _open_terminal(self, bench: "Bench") -> dict[str, str]:
        host = self._setup.host
        if bench.column.interface == "cps":
            port = self._port(bench, "cps_port")
            self._cloud = CloudPort(
                self._loop,
                bench.lines.cloud,
                host=host,
                port=port,
                time_scale=self._time_scale,
            )
            return {
                "cps_url": self._cloud.url,
                "cps_api_key": bench.api_key,
                "terminal_serial": bench.serial_number,
            }
        if bench.psp_link == "serial":
            return {"psp": self._open_serial(bench)}
        port = self._port(bench, "psp_port")
        tcp = TcpPort(self._loop, bench.lines.psp, host=host, port=port)
        self._tcp["psp"] = tcp
        return {"psp": f"tcp://{tcp.host}:{tcp.port}"}

    def _open_serial(self, bench: "Bench") -> str:
        """A real port for a box that is wired to one, else a pseudo-terminal."""
        declared = bench.declaration.text("reach", "psp_device")
        if bench.declaration.text("reach", "mode") != "endpoint":
            pty = PtyPort(
                self._loop,
                bench.lines.psp,
                kernel=bench.kernel,
                pace=Pace(time_scale=self._time_scale),
            )
            self._serial = pty
            return f"serial://{pty.path}?baud={self.terminal_baud}"
        device, self.terminal_baud = _rate_of(declared)
        try:
            self._serial = SerialPort(
                self._loop,
                bench.lines.psp,
                kernel=bench.kernel,
                device=device,
                baud=self.terminal_baud,
            )
        except SetupError as error:
            raise SetupError(f"[reach] psp_device: {error}") from None
        return f"serial://{device}?baud={self.terminal_baud}"

    def close(self) -> None:
        """Stop the program, close the ports, remove its state."""
        if self._device is not None:
            self._device.close()
        for port in (*self._tcp.values(), self._serial, self._cloud):
            if port is not None:
                port.close()
        self._loop.close()
        shutil.rmtree(self.home, ignore_errors=True)


def _rate_of(declared: str) -> tuple[str, int]:
    """``/dev/ttyUSB0`` or ``/dev/ttyUSB0?baud=57600``. Raises SetupError."""
    device, mark, rate = declared.partition("?baud=")
    if not mark:
        return device, BAUD
    if rate not in map(str, BAUDS):
        allowed = ", ".join(map(str, BAUDS))
        raise SetupError(
            f"[reach] psp_device: found baud rate {rate!r}, allowed are {allowed}"
        )
    return device, int(rate)
