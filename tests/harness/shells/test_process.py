"""A controller that is a program: started, killed, started again."""

import sys
import time
from collections.abc import Callable
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


def test_nothing_of_its_group_survives_also_when_it_has_ended(tmp_path: Path) -> None:
    """A shell that starts the controller and ends leaves it behind."""
    made = process(tmp_path, "sh", "-c", "sleep 60 & echo $! > child")
    made.start()
    child = tmp_path / "child"
    until(lambda: child.exists() and bool(child.read_text().strip()))
    until(lambda: made.exit_status == 0)
    pid = int(child.read_text())
    assert is_running(pid)
    made.kill()
    until(lambda: not is_running(pid))
    made.close()


def test_it_stands_still_while_its_files_are_read(tmp_path: Path) -> None:
    counts = "import itertools\nfor n in itertools.count(): print(n, flush=True)"
    made = process(tmp_path, sys.executable, "-c", counts)
    made.start()
    until(lambda: made.last_words().isdigit())
    (pid,) = made.pids()
    with made.held():
        until(lambda: state_of(pid) == "T")
        assert made.last_words() == made.last_words()
    until(lambda: state_of(pid) != "T")
    made.close()
    assert made.pids() == []


def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition, at most as long as a loaded machine may need."""
    limit_s = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < limit_s
        time.sleep(0.01)


def state_of(pid: int) -> str:
    """R running, S asleep, T stopped, Z dead but not yet buried; empty: gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return ""


def is_running(pid: int) -> bool:
    return state_of(pid) not in ("", "Z")
