"""A calendar that lies, tried on a real program."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.declaration import NotClaimed
from harness.shells import lying_clock
from harness.shells.lying_clock import LyingClock, find_library

#: Tells its calendar and its monotonic clock, once for each line that it is sent.
TELLS = """
import sys, time
for _ in sys.stdin:
    print(time.time(), time.monotonic(), flush=True)
"""
Program = subprocess.Popen[str]
#: libfaketime looks at its file once a second; a loaded machine may be slow.
WITHIN_S = 15


@pytest.fixture
def clock(tmp_path: Path) -> LyingClock:
    try:
        find_library()
    except NotClaimed as reason:
        pytest.skip(str(reason))
    return LyingClock(tmp_path / "clock", wanted=True)


@pytest.fixture
def start(clock: LyingClock) -> Iterator[Callable[[], Program]]:
    started: list[Program] = []

    def run() -> Program:
        clock.boot()
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", TELLS],
                env={**os.environ, **clock.environment()},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield run
    for program in started:
        program.communicate()


def ask(program: Program) -> tuple[float, float]:
    """How far its calendar and its monotonic clock are from ours, seconds."""
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write("\n")
    program.stdin.flush()
    wall_s, monotonic_s = map(float, program.stdout.readline().split())
    return wall_s - time.time(), monotonic_s - time.monotonic()


def reaches(program: Program, low_s: float, high_s: float) -> bool:
    """Whether its calendar gets there in time; its monotonic clock must not move."""
    until_s = time.monotonic() + WITHIN_S
    while time.monotonic() < until_s:
        ahead_s, monotonic_s = ask(program)
        assert abs(monotonic_s) < 5
        if low_s <= ahead_s <= high_s:
            return True
    return False


def test_the_calendar_jumps_while_the_program_runs(
    clock: LyingClock, start: Callable[[], Program]
) -> None:
    program = start()
    assert reaches(program, -5, 5)
    clock.shift(3_600, ppm=0, epoch=False, running=[program.pid])
    assert reaches(program, 3_590, 3_610)


def test_the_next_boot_is_in_1970(
    clock: LyingClock, start: Callable[[], Program]
) -> None:
    program = start()
    clock.shift(0, ppm=0, epoch=True, running=[program.pid])
    assert reaches(program, -5, 5)
    assert ask(start())[0] + time.time() < 60


def test_two_shifts_and_a_drift_are_written_as_one(tmp_path: Path) -> None:
    made = LyingClock(tmp_path / "clock", wanted=True)
    if not made.environment():
        pytest.skip("no libfaketime")
    made.shift(60, ppm=0, epoch=False, running=[])
    back = made.shift(-10, ppm=-500, epoch=False, running=[])
    assert (tmp_path / "clock").read_text("ascii") == "+50 x0.999500\n"
    back()
    assert (tmp_path / "clock").read_text("ascii") == "+60\n"


def test_a_program_that_has_not_loaded_it_is_not_played(
    clock: LyingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lying_clock, "_LOADS_WITHIN_S", 0.1)
    with pytest.raises(NotClaimed, match="not loaded in it; is it a static binary"):
        clock.shift(1, ppm=0, epoch=False, running=[os.getpid()])


def test_without_the_library_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lying_clock, "_installed", lambda: iter(()))
    made = LyingClock(tmp_path / "clock", wanted=True)
    assert made.environment() == {}
    with pytest.raises(NotClaimed, match="libfaketime is not installed"):
        made.shift(1, ppm=0, epoch=False, running=[])


def test_a_library_that_spoils_sleep_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoils = tmp_path / "libfaketime.so.1"
    monkeypatch.setattr(lying_clock, "_installed", lambda: iter([spoils]))
    monkeypatch.setattr(lying_clock, "_lets_sleep", lambda _library: False)
    with pytest.raises(NotClaimed, match="spoils sleeping on the monotonic clock"):
        find_library()


def test_unless_a_case_speaks_of_the_clock_nothing_is_put_around_the_program(
    tmp_path: Path,
) -> None:
    made = LyingClock(tmp_path / "clock", wanted=False)
    assert made.environment() == {}
    with pytest.raises(NotClaimed, match="started without libfaketime for this case"):
        made.shift(1, ppm=0, epoch=False, running=[])
