"""A box on a bench: the reference controller, started by the test and left running."""

import os
import pty
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import harness.check
import harness.epilogue
import harness.shells.wall
from harness.bench import Bench, CaseName
from harness.case import Case, conclude
from harness.cli import app
from harness.columns import column_of
from harness.deaths import Doom
from harness.declaration import Declaration, NotClaimed, SetupError, load
from harness.line_faults import Turn
from harness.shells.endpoint import EndpointDevice
from harness.shells.wall import Setup, WallWorld
from harness.wishes import Wishes
from harness.world import Desk
from simulator.seed import Seed

REFERENCE = Path(__file__).parents[2] / "controller_ref" / "declaration.toml"
SEED = 1

#: Starts the box and writes down its process; ends it first when there is one.
POWER = """
import os, pathlib, signal, subprocess, sys
pid, words = pathlib.Path("pid"), pathlib.Path("words").read_text().splitlines()
if pid.exists():
    os.kill(int(pid.read_text()), signal.SIGKILL)
with open("box.log", "ab") as log:
    box = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)
pid.write_text(str(box.pid))
"""
FEATURE = """
Feature: A box
  Scenario: The driver pays for a charge
    Given the driver has been authorised
    And the driver has plugged in at connector 1
    And 20 seconds have passed
    When the driver unplugs at connector 1
    Then the driver's session is committed within 100 seconds

  Scenario: The driver changes their mind
    Given the driver has been authorised
    When the driver presses cancel at connector 1
    Then the driver's session is released within 100 seconds

  Scenario: The box dies during a charge
    Given the driver has been authorised
    And the driver has plugged in at connector 1
    And 20 seconds have passed
    And the controller has died and started again
    When the driver unplugs at connector 1
    Then the driver's session is committed within 100 seconds
"""


class Box:
    """The reference controller with its own folder, and what declares it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "declaration.toml"
        self.ports = _free_ports(3)
        (folder / "power.py").write_text(POWER, encoding="utf-8")

    def declare(self, *, interface: str = "psp", **reach: str) -> "Box":
        text = REFERENCE.read_text("utf-8").partition("[reach]")[0]
        text = text.replace('interface = "psp"', f'interface = "{interface}"')
        keys = {
            "mode": '"endpoint"',
            "psp_port": str(self.ports[0]),
            "cps_port": str(self.ports[1]),
            "bay_port": str(self.ports[2]),
            "time_scale": "20",
            **reach,
        }
        lines = [f"{key} = {value}" for key, value in keys.items()]
        self.path.write_text("\n".join([text, "[reach]", *lines]), encoding="utf-8")
        return self

    def with_power(self) -> dict[str, str]:
        return {"power_command": f'["{sys.executable}", "power.py"]'}

    def configure(self, *words: str) -> None:
        """What an operator does; then it is switched on."""
        state = self.folder / "state"
        state.mkdir()
        whole = [
            *(sys.executable, "-m", "controller_ref", *words),
            *("--bay", f"tcp://127.0.0.1:{self.ports[2]}", "--state", str(state)),
            *("--declaration", str(self.path), "--time-scale", "20"),
        ]
        (self.folder / "words").write_text("\n".join(whole), encoding="utf-8")
        self._power()

    def configure_psp(self) -> None:
        self.configure("--psp", f"tcp://127.0.0.1:{self.ports[0]}")

    def _power(self) -> None:
        words = (sys.executable, "power.py")
        subprocess.run(words, cwd=self.folder, check=True)

    def switch_off(self) -> None:
        pid = self.folder / "pid"
        if pid.exists():
            os.kill(int(pid.read_text()), 9)
            pid.unlink()


def _free_ports(number: int) -> list[int]:
    """Ports that were free a moment ago: a box cannot be told another each time."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = Box(tmp_path)
    yield made
    made.switch_off()


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a late second close here."""
    monkeypatch.setattr(harness.shells.wall, "LOOK_MS", 5_000)
    monkeypatch.setattr(harness.shells.wall, "REST_MS", 5_000)


def run(box: Box, *words: str) -> tuple[int, str]:
    feature = box.folder / "box.feature"
    feature.write_text(FEATURE, encoding="utf-8")
    asked = ("run", str(feature), "-d", str(box.path), *words)
    result = CliRunner().invoke(app, asked)
    return result.exit_code, result.output


def check(box: Box) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["check", "-d", str(box.path)])
    return result.exit_code, result.output


# --- cases one after another on the same box --------------------------------------


@pytest.mark.usefixtures("_short")
def test_without_a_power_command_nobody_can_kill_it(box: Box) -> None:
    box.declare().configure_psp()
    status, output = run(box)
    assert status == 0, output
    assert f"terminal (PSP)         tcp://127.0.0.1:{box.ports[0]}" in output
    assert "3 cases: 2 PASS, 1 NOT APPLICABLE" in output
    assert "2 sessions: 2 CLOSED" in output


@pytest.mark.usefixtures("_short")
def test_with_a_power_command_it_dies_and_comes_back(box: Box) -> None:
    box.declare(**box.with_power()).configure_psp()
    first = (box.folder / "pid").read_text()
    status, output = run(box, "-k", "dies")
    assert status == 0, output
    assert "1 case: 1 PASS" in output
    assert (box.folder / "pid").read_text() != first


@pytest.mark.usefixtures("_short")
def test_over_cps_one_key_serves_all_cases(box: Box) -> None:
    key = f"{Seed(SEED).stream('api key').getrandbits(128):032x}"
    url = f"http://127.0.0.1:{box.ports[1]}"
    box.declare(interface="cps")
    box.configure(
        *("--cps-url", url, "--cps-api-key", key),
        *("--terminal-serial", "APO20260300042"),
    )
    status, output = run(box, "-k", "driver")
    assert status == 0, output
    for told in (url, key, "APO20260300042", "callbacks only to      127.0.0.1"):
        assert output.count(told) == 1
    assert "2 cases: 2 PASS" in output


def test_there_is_one_box(box: Box) -> None:
    status, output = run(box.declare(), "-j", "2")
    assert status == 2
    assert "-j: found 2, allowed is 1: an endpoint is one box" in output


# --- nohold check -----------------------------------------------------------------


def test_a_box_is_ready_and_its_power_is_tried(box: Box) -> None:
    box.declare(**box.with_power()).configure_psp()
    status, output = check(box)
    assert status == 0, output
    assert "its power was cut and came back, ready again" in output
    assert "READY" in output


def test_a_power_command_that_fails_is_named(box: Box) -> None:
    box.declare(power_command='["sh", "-c", "echo the relay is stuck; exit 7"]')
    box.configure_psp()
    status, output = check(box)
    assert status == 3
    line = "[reach] power_command: 'sh' ended with status 7: the relay is stuck"
    assert line in output
    assert "SETUP ERROR" in output


def test_a_power_command_that_is_not_there(box: Box) -> None:
    box.declare(power_command='["./relay"]').configure_psp()
    status, output = check(box)
    assert status == 3
    assert "[reach] power_command: './relay': No such file or directory" in output


def test_a_box_that_nobody_has_configured(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness.check, "OPERATOR_S", 2)
    monkeypatch.setattr(harness.check, "REMIND_S", 1)
    box.declare()
    for status, output in (check(box), run(box)):
        assert status == 3
        assert "nothing has come from the box yet, 1 of 2 s" in output
        assert "the box has made no contact within 2 s" in output


def test_a_serial_box_needs_its_port(box: Box) -> None:
    status, output = check(box.declare(psp_link='"serial"'))
    assert status == 3
    assert "[reach] psp_device: missing, allowed is the path of a serial port" in output
    status, output = check(box.declare(psp_device='"/dev/no-such-port"'))
    assert status == 3
    assert "[reach] psp_device: serial port /dev/no-such-port: " in output
    status, output = check(box.declare(psp_device='"/dev/null?baud=300"'))
    assert "[reach] psp_device: found baud rate '300', allowed are 9600" in output


def test_a_box_on_a_serial_port(box: Box) -> None:
    """A pseudo-terminal stands for the port; its other end for the cable."""
    ours, theirs = pty.openpty()
    box_end, box_line = pty.openpty()
    cable = subprocess.Popen(
        [sys.executable, "-c", CABLE, str(ours), str(box_end)],
        pass_fds=(ours, box_end),
    )
    try:
        box.declare(psp_device=f'"{os.ttyname(theirs)}?baud=57600"')
        box.configure("--psp", f"serial://{os.ttyname(box_line)}?baud=57600")
        status, output = check(box)
    finally:
        # First: it would open a port of this name again, whoever has it by then.
        box.switch_off()
        cable.kill()
        cable.wait()
        for end in (ours, theirs, box_end, box_line):
            os.close(end)
    assert status == 0, output
    assert "terminal set up over serial at 57600 baud" in output


#: Carries bytes between two pseudo-terminals, both ways.
CABLE = """
import os, select, sys, tty
a, b = map(int, sys.argv[1:])
other = {a: b, b: a}
while True:
    for end in select.select([a, b], [], [])[0]:
        os.write(other[end], os.read(end, 4096))
"""

# --- from case to case ------------------------------------------------------------


@pytest.fixture
def stand(box: Box) -> Iterator[Callable[[Desk], Bench]]:
    """A cold bench for the box, on the desk given."""
    box.declare()
    made: list[Bench] = []

    def build(desk: Desk) -> Bench:
        declaration: Declaration = load(box.path)
        world = WallWorld(box.folder, box.path, time_scale=20, setup=Setup(desk=desk))
        made.append(
            Bench(
                Wishes(declaration=declaration, configurable=False),
                column=column_of(declaration),
                seed=SEED,
                case=CaseName(scenario=f"case {len(made) + 1}"),
                world=world,
            )
        )
        return made[-1]

    yield build
    for bench in made:
        bench.close()


def case_of(bench: Bench) -> Case:
    return Case(bench=bench, tags=(), path=Path("box.feature"))


def test_the_charger_goes_on_where_it_was(stand: Callable[[Desk], Bench]) -> None:
    desk = Desk(registers_wh=(4_000, 5_000), boot=7)
    bench = stand(desk)
    assert bench.court.station.boot == 7
    bench.start_device()
    conclude(case_of(bench), SetupError("the cable is gone"))
    assert desk.registers_wh == (4_000, 5_000)
    assert desk.boot == 7


def test_a_case_after_one_that_left_a_session_open_says_so(
    stand: Callable[[Desk], Bench],
) -> None:
    desk = Desk(stained_by="the night before")
    bench = stand(desk)
    bench.start_device()
    result = conclude(case_of(bench), SetupError("the cable is gone"))
    assert result.reason == (
        "the cable is gone; played after 'the night before', which left a session "
        "open: the box may have been busy with it"
    )


def test_nobody_gets_at_its_storage_or_clock(stand: Callable[[Desk], Bench]) -> None:
    device = stand(Desk()).device
    assert isinstance(device, EndpointDevice)
    with pytest.raises(NotClaimed, match="storage of a box cannot be made full"):
        device.fail_storage("full")
    with pytest.raises(NotClaimed, match="clock of a box cannot be moved"):
        device.shift_clock(60)
    with pytest.raises(NotClaimed, match="counter of a box"):
        device.wrap_counter(60_000, passed=print)
    doom = Doom(moment="before", what="E9", turn=Turn(), strike=print)
    with pytest.raises(NotClaimed, match="cannot be cut right before a E9"):
        device.die_at(doom)
