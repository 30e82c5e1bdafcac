"""A controller that is a program: started, killed, started again."""

import sys
from pathlib import Path

import pytest

from harness.declaration import SetupError
from harness.shells.process import ControllerProcess, Wiring


def process(tmp_path: Path, *command: str) -> ControllerProcess:
    wiring = Wiring(values={"bay": "tcp://127.0.0.1:7"})
    log = tmp_path / "controller.log"
    return ControllerProcess(command, wiring, folder=tmp_path, log=log)


def test_it_is_dead_once_killed_and_alive_once_started_again(tmp_path: Path) -> None:
    """Else nobody would start it again after a death."""
    code = "import signal; signal.pause()"
    made = process(tmp_path, sys.executable, "-c", code, "{bay}")
    assert not made.is_running
    made.start()
    assert made.is_running
    made.kill()
    assert not made.is_running
    made.start()
    assert made.is_running
    made.close()
    assert not made.is_running


def test_placeholders_stand_in_words_and_in_the_environment() -> None:
    wiring = Wiring(values={"bay": "tcp://127.0.0.1:7", "time_scale": "20"})
    assert wiring.fill(["run", "--bay={bay}", "{time_scale}"]) == [
        "run",
        "--bay=tcp://127.0.0.1:7",
        "20",
    ]
    assert wiring.environment()["NOHOLD_TIME_SCALE"] == "20"


def test_a_program_that_is_not_there_is_a_set_up_error(tmp_path: Path) -> None:
    made = process(tmp_path, "./not-here")
    with pytest.raises(SetupError, match=r"cannot start '\./not-here'"):
        made.start()
    made.close()
