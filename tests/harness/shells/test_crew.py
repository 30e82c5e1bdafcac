"""Several processes play what one has collected."""

import os
from pathlib import Path

import pytest

from harness.shells.crew import Crew


class _Listener:
    """Hears the run; in a worker it has to be gone."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.pids: set[str] = set()
        self.crashes: list[str] = []
        self.started: list[str] = []
        self._home = os.getpid()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.started.append(nodeid.rpartition("::")[2])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        assert os.getpid() == self._home
        if report.when == "call":
            self.heard.append((report.nodeid.rpartition("::")[2], report.outcome))
            self.pids |= {str(pid) for name, pid in report.user_properties}

    def pytest_internalerror(self, excrepr: object) -> None:
        self.crashes.append(str(excrepr))


def _play(
    folder: Path, text: str, *, size: int = 3, needs_s: dict[str, int] | None = None
) -> tuple[_Listener, int]:
    # A name of its own: imported modules stay.
    file = folder / f"test_{folder.name}.py"
    file.write_text("import os, signal, pytest\n" + text)
    listener = _Listener()
    crew = Crew(size, needs_s or {}, listener=listener)
    arguments = [str(file), "--rootdir", str(folder), "-c", os.devnull]
    arguments += ["-p", "no:cacheprovider", "-p", "no:terminal", "--assert=plain"]
    arguments += ["--import-mode=importlib"]
    status = pytest.main(
        [*arguments, "--disable-plugin-autoload"], plugins=[listener, crew]
    )
    return listener, int(status)


_CASES = """
@pytest.mark.parametrize("n", range(12))
def test_one(n, record_property):
    record_property("pid", os.getpid())
    assert n != 7
"""


def test_every_case_is_heard_once_and_played_elsewhere(tmp_path: Path) -> None:
    listener, status = _play(tmp_path, _CASES)
    assert sorted(listener.heard) == sorted(
        (f"test_one[{n}]", "failed" if n == 7 else "passed") for n in range(12)
    )
    assert status == pytest.ExitCode.TESTS_FAILED
    assert listener.pids
    assert str(os.getpid()) not in listener.pids


def test_the_longest_go_first(tmp_path: Path) -> None:
    file = f"test_{tmp_path.name}.py"
    needs_s = {f"{file}::test_one[9]": 60, f"{file}::test_one[3]": 90}
    listener, _ = _play(tmp_path, _CASES, size=1, needs_s=needs_s)
    assert listener.started[:3] == ["test_one[3]", "test_one[9]", "test_one[0]"]


def test_a_worker_that_dies_is_a_failure_of_the_run(tmp_path: Path) -> None:
    text = """
def test_dies():
    os.kill(os.getpid(), signal.SIGKILL)

def test_lives():
    pass
"""
    listener, status = _play(tmp_path, text, size=2)
    assert status == pytest.ExitCode.INTERNAL_ERROR
    assert "::test_dies" in listener.crashes[0]


def test_one_case_needs_no_crew(tmp_path: Path) -> None:
    text = """
def test_alone(record_property):
    record_property("pid", os.getpid())
"""
    listener, status = _play(tmp_path, text)
    assert status == pytest.ExitCode.OK
    assert listener.pids == {str(os.getpid())}


def test_a_file_that_cannot_be_collected_is_said(tmp_path: Path) -> None:
    _, status = _play(tmp_path, "import nowhere_at_all\n")
    assert status == pytest.ExitCode.INTERRUPTED
