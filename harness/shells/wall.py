"""The wall-clock world: a program, or a box, at the ends of real lines.

Ports stand where the in-memory controller stood; behind them are the same lines, the
same forecourt and the same judge. The run's time passes ``time_scale`` times faster
than life, so everything that the examiner does by the clock is divided by it.
"""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.bench import NotClaimed
from harness.device import Device, note_life
from harness.shells.loop import Loop
from harness.shells.process import NOT_IMPLEMENTED, ControllerProcess, Wiring
from harness.shells.pty import PtyPort
from harness.shells.tcp import TcpPort
from harness.shells.web import CloudPort
from harness.world import Limits
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


class WallWorld:
    """One case in real time; ``folder`` is where the declaration stands."""

    def __init__(self, folder: Path, declaration: Path, *, time_scale: int) -> None:
        self._folder = folder
        self._declaration = declaration
        self._time_scale = time_scale
        self._loop = Loop()
        self._home = Path(tempfile.mkdtemp(prefix="nohold-"))
        self._ports: list[TcpPort | PtyPort | CloudPort] = []
        self._device: ProcessDevice | None = None
        self.clock: Clock = WallClock(scale=time_scale, wait=self._loop.wait)
        self.slack_ms = SLACK_MS * time_scale
        self.limits = Limits(settle_ms=SETTLE_MS, look_ms=LOOK_MS, rest_ms=REST_MS)

    @property
    def baud(self) -> int | None:
        ptys = [port for port in self._ports if isinstance(port, PtyPort)]
        return ptys[0].baud if ptys else None

    def build(self, bench: "Bench") -> Device:
        """Open the ports and wire the declared command to them. Raises SetupError."""
        values = {
            **self._open_terminal(bench),
            "bay": self._open_bay(bench),
            "state_dir": str(self._state_folder()),
            "declaration": str(self._declaration.resolve()),
            "time_scale": str(self._time_scale),
        }
        command = bench.declaration.listed("reach", "command")
        process = ControllerProcess(
            command,
            Wiring(values=values),
            folder=self._folder,
            log=self._home / "controller.log",
        )
        self._device = ProcessDevice(
            process, bench=bench, state=self._home / "state", died=self._forget
        )
        return self._device

    def _forget(self) -> None:
        """The controller has died.

        A socket tells by itself that nobody reads any more; a serial line never does.
        """
        for port in self._ports:
            if isinstance(port, PtyPort):
                port.forget()

    def _state_folder(self) -> Path:
        folder = self._home / "state"
        folder.mkdir()
        return folder

    def _open_bay(self, bench: "Bench") -> str:
        port = bench.declaration.number("reach", "bay_port")
        bay = TcpPort(self._loop, bench.lines.bay, port=port)
        self._ports.append(bay)
        return f"tcp://{bay.host}:{bay.port}"

    def _open_terminal(self, bench: "Bench") -> dict[str, str]:
        reach = bench.declaration
        if bench.column.interface == "cps":
            port = reach.number("reach", "cps_port")
            cloud = CloudPort(self._loop, bench.lines.cloud, port=port)
            self._ports.append(cloud)
            return {
                "cps_url": cloud.url,
                "cps_api_key": bench.api_key,
                "terminal_serial": bench.serial_number,
            }
        if bench.psp_link == "serial":
            pty = PtyPort(
                self._loop,
                bench.lines.psp,
                kernel=bench.kernel,
                time_scale=self._time_scale,
            )
            self._ports.append(pty)
            return {"psp": f"serial://{pty.path}?baud=115200"}
        tcp = TcpPort(
            self._loop, bench.lines.psp, port=reach.number("reach", "psp_port")
        )
        self._ports.append(tcp)
        return {"psp": f"tcp://{tcp.host}:{tcp.port}"}

    def close(self) -> None:
        """Stop the program, close the ports, remove its state."""
        if self._device is not None:
            self._device.close()
        for port in self._ports:
            port.close()
        self._loop.close()
        shutil.rmtree(self._home, ignore_errors=True)


class ProcessDevice:
    """A program as a device under test."""

    def __init__(
        self,
        process: ControllerProcess,
        *,
        bench: "Bench",
        state: Path,
        died: Callable[[], None],
    ) -> None:
        self._process = process
        self._died = died
        self._state = state
        self._bench = bench
        self.boots = 0

    @property
    def is_alive(self) -> bool:
        return self._process.is_running

    def start(self) -> None:
        self.boots += 1
        note_life(self._bench.court, "started", self.boots)
        self._bench.lines.cloud.listening = True
        self._process.start()

    def kill(self) -> None:
        self._process.kill()
        note_life(self._bench.court, "killed", self.boots)
        lines = self._bench.lines
        lines.psp.close("death")
        lines.cloud.forget()
        lines.bay.close("death")
        self._died()

    @property
    def has_state(self) -> bool:
        return any(self._state.iterdir())

    def why_unready(self) -> str:
        status = self._process.exit_status
        if status == NOT_IMPLEMENTED:
            raise NotClaimed(f"status 89: {self._process.last_words()}")
        if status is not None:
            return f"it ended with status {status}: {self._process.last_words()}"
        return self._what_came()

    def _what_came(self) -> str:
        """What the trace tells of a controller that lives and is not ready."""
        records = self._bench.trace.records
        calls = [record for record in records if record["kind"] == "http"]
        if calls and not any(record["authorised"] for record in calls):
            return "its calls carry a wrong API key"
        bytes_in = [
            record
            for record in records
            if record["kind"] == "psp" and record["direction"] == "to_terminal"
        ]
        understood = any(
            "message" in message
            for record in bytes_in
            if isinstance(record["messages"], list)
            for message in record["messages"]
        )
        if bytes_in and not understood:
            return "bytes came from it that are no PSP blocks: wrong baud rate?"
        return ""

    def close(self) -> None:
        self._process.close()
