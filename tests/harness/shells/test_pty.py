"""A serial line on a pseudo-terminal: its pace, its rate, and who has it open."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.shells.pty import Pace, PtyPort
from tests.harness.shells.ends import ASK, READING, DeviceEnd, Yard
from wire.psp import Direction, Name, State, encode, message

REFERENCE: Final = Path(__file__).parents[3] / "controller_ref" / "declaration.toml"
#: A second of the line at 9600 baud.
SECOND: Final = bytes(range(1, 193)) * 5


@pytest.fixture
def yard() -> Iterator[Yard]:
    made = Yard(link="serial")
    yield made
    made.loop.close()


def make(yard: Yard, *, paced: bool = True, baud: int = 115_200) -> PtyPort:
    return PtyPort(
        yard.loop, yard.psp, kernel=yard.kernel, pace=Pace(baud=baud, is_kept=paced)
    )


@pytest.fixture
def port(yard: Yard) -> Iterator[PtyPort]:
    made = make(yard)
    yield made
    made.close()


def listen(yard: Yard, far: DeviceEnd, size: int, within_s: float = 10) -> int:
    """Wait for so many bytes; how long that took, in milliseconds of the run."""
    began_ms = yard.kernel.now_ms

    def look() -> bool:
        far.pump()
        return len(far.heard) >= size

    yard.until(look, within_s)
    return yard.kernel.now_ms - began_ms


def test_both_ways_take_as_long_as_the_line(yard: Yard) -> None:
    yard.court.deaf = True
    port = make(yard, baud=9600)
    far = DeviceEnd(port.path, 9600)
    yard.psp.receive(SECOND)
    assert 950 <= listen(yard, far, len(SECOND)) < 2_000
    assert bytes(far.heard) == SECOND
    began_ms = yard.kernel.now_ms
    far.write(SECOND)
    assert yard.until(lambda: len(yard.court.told) >= len(SECOND))
    assert 950 <= yard.kernel.now_ms - began_ms < 2_000
    assert yard.court.told == SECOND
    far.hang_up()
    port.close()


def test_time_passes_faster_on_the_line_too() -> None:
    yard = Yard(link="serial", time_scale=20)
    yard.court.deaf = True
    port = make(yard, baud=9600)
    far = DeviceEnd(port.path, 9600)
    yard.psp.receive(SECOND)
    assert listen(yard, far, len(SECOND)) >= 950, "of the run: 50 ms of life"
    far.hang_up()
    port.close()
    yard.loop.close()


@pytest.mark.parametrize("baud", [9600, 19200, 38400, 57600])
def test_another_rate_is_garbage_both_ways(
    yard: Yard, port: PtyPort, baud: int
) -> None:
    far = DeviceEnd(port.path, baud)
    far.write(ASK * 3)
    assert yard.until(lambda: yard.records("psp"))
    yard.spend(0.1)
    messages = [m for record in yard.records("psp") for m in _messages(record)]
    assert not any("message" in message for message in messages)
    assert port.baud == baud
    far.heard.clear()
    yard.psp.receive(ASK)
    listen(yard, far, 1, 0.3)
    assert bytes(far.heard) != ASK
    far.hang_up()


def test_a_rate_without_a_name_is_known_too(port: PtyPort) -> None:
    import serial

    with serial.Serial(port.path, 14_400):
        assert port.baud == 14_400


def test_before_anybody_sets_a_rate_it_is_that_of_a_real_port(port: PtyPort) -> None:
    assert port.baud == 9600


def _messages(record: object) -> list[dict[str, object]]:
    assert isinstance(record, dict)
    return list(record["messages"])


def test_the_terminal_keeps_its_state_when_the_port_is_closed(
    yard: Yard, port: PtyPort
) -> None:
    far = DeviceEnd(port.path)
    far.write(encode(message(Name.SYNCHRONIZE), Direction.TO_TERMINAL, READING))
    listen(yard, far, 5)
    state = yard.court.terminal.state
    assert state is not State.OFFLINE
    far.hang_up()
    yard.spend(0.2)
    far = DeviceEnd(port.path)
    far.write(ASK)
    listen(yard, far, 5)
    assert far.heard
    assert yard.court.terminal.state is state
    far.hang_up()


def test_what_nobody_has_read_is_gone_when_the_port_is_opened_again(
    yard: Yard, port: PtyPort
) -> None:
    far = DeviceEnd(port.path)
    far.write(ASK)
    assert yard.until(lambda: len(yard.records("psp")) == 2)
    yard.spend(0.1)
    far.hang_up()
    yard.spend(0.2)
    far = DeviceEnd(port.path)
    listen(yard, far, 1, 0.2)
    assert not far.heard
    far.hang_up()


def test_a_controller_that_only_reads_is_heard_of_later(
    yard: Yard, port: PtyPort
) -> None:
    """An open port without a byte must not cost the loop its rest."""
    far = DeviceEnd(port.path)
    waits = 0
    wait = yard.loop.wait

    def counted(seconds: float) -> None:
        nonlocal waits
        waits += 1
        wait(seconds)

    yard.kernel.clock._wait = counted  # type: ignore[attr-defined]  # to be counted
    yard.spend(0.5)
    assert waits < 60
    far.hang_up()
    waits = 0
    yard.spend(0.5)
    assert waits < 60
    assert os.path.exists(port.path)


# --- through `nohold check` ---------------------------------------------------------

PROGRAM: Final = """
import os, sys, time
from urllib.parse import urlsplit
import serial
path = urlsplit(os.environ["NOHOLD_PSP"]).path
with serial.Serial(path, int(sys.argv[1]), timeout=0.05) as port:
    while True:
        port.write(bytes.fromhex("CC 02 3C 55 5F"))
        port.read(64)
"""


def test_a_wrong_baud_rate_is_a_set_up_error(tmp_path: Path) -> None:
    (tmp_path / "controller.py").write_text(PROGRAM, encoding="utf-8")
    text = REFERENCE.read_text(encoding="utf-8").partition("[reach]")[0]
    reach = f"""[reach]
mode = "process"
command = ["{sys.executable}", "controller.py", "9600"]
psp_link = "serial"
ready_within = 3
time_scale = 2
"""
    path = tmp_path / "declaration.toml"
    path.write_text(text + reach, encoding="utf-8")
    result = CliRunner().invoke(app, ["check", "-d", str(path)])
    assert result.exit_code == 3, result.output
    found = "wrong baud rate: its port is set to 9600 baud, the terminal to 115200"
    assert found in result.output
    assert "SETUP ERROR" in result.output
