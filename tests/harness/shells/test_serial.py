"""A real serial port, with a pseudo-terminal as its adapter."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.declaration import SetupError
from harness.shells.serial import REOPEN_MS, SerialPort
from tests.harness.shells.ends import ASK, Cable, DeviceEnd, Yard


@pytest.fixture
def yard() -> Iterator[Yard]:
    made = Yard(link="serial")
    yield made
    made.loop.close()


@pytest.fixture
def cable(tmp_path: Path) -> Cable:
    return Cable(tmp_path)


def make(yard: Yard, cable: Cable, baud: int = 115_200) -> SerialPort:
    return SerialPort(
        yard.loop, yard.psp, kernel=yard.kernel, device=str(cable.path), baud=baud
    )


def answered(yard: Yard, far: DeviceEnd) -> bool:
    before = len(far.heard)
    far.write(ASK)

    def look() -> bool:
        far.pump()
        return len(far.heard) > before

    return yard.until(look)


def test_a_device_that_is_not_there_is_a_set_up_error(yard: Yard, cable: Cable) -> None:
    with pytest.raises(SetupError, match=r"serial port .*ttyUSB0: .*No such file"):
        make(yard, cable)


def test_a_file_is_no_serial_port(yard: Yard, cable: Cable) -> None:
    cable.path.write_text("not a port")
    with pytest.raises(SetupError, match=r"serial port .*ttyUSB0"):
        make(yard, cable)


def test_a_rate_that_no_terminal_has_is_a_set_up_error(
    yard: Yard, cable: Cable
) -> None:
    allowed = "9600, 19200, 38400, 57600, 115200"
    with pytest.raises(SetupError, match=f"found 14400, allowed is one of {allowed}"):
        make(yard, cable, 14_400)


def test_an_adapter_that_is_pulled_out_is_written_down_and_looked_for(
    yard: Yard, cable: Cable
) -> None:
    far = cable.plug_in()
    port = make(yard, cable, 57_600)
    assert (port.path, port.baud) == (str(cable.path), 57_600)
    assert answered(yard, far)
    for _ in range(2):
        far.hang_up()
        assert yard.until(lambda: not yard.psp.is_open)
        assert yard.downs()[-1] == "cut"
        # The terminal goes on, and what it says is lost.
        yard.psp.receive(ASK)
        yard.spend(2 * REOPEN_MS / 1000)
        assert not yard.psp.is_open
        far = cable.plug_in()
        assert yard.until(lambda: yard.psp.is_open)
        assert answered(yard, far)
    far.hang_up()
    port.close()


def test_a_port_that_was_closed_is_not_opened_again(yard: Yard, cable: Cable) -> None:
    far = cable.plug_in()
    port = make(yard, cable)
    far.hang_up()
    assert yard.until(lambda: not yard.psp.is_open)
    port.close()
    far = cable.plug_in()
    yard.spend(2 * REOPEN_MS / 1000)
    assert not yard.psp.is_open
    far.hang_up()
