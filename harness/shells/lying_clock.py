"""A calendar that lies to the controller: libfaketime in front of its program.

The monotonic clock is left alone, so timers go on as they should. What the calendar
says is read from a file, at most a second after it was written, so it can jump while
the controller runs. libfaketime is looked for where the ``libfaketime`` package of
Python and Debian put it. Some builds of it spoil a sleep on the monotonic clock once
they are told to leave that clock alone; a controller must not be blamed for that, so
each is tried on a program that sleeps.

Without the library, or in a static binary, which takes none, there is no lying clock,
and what needs one is NOT APPLICABLE with the reason.
"""

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from harness.declaration import NotClaimed

_NAMES: Final = ("libfaketimeMT.so.1", "libfaketime.so.1")
_PLACES: Final = (
    "/usr/lib/*-linux-*/faketime",
    "/usr/lib/faketime",
    "/usr/lib64/faketime",
    "/usr/local/lib/faketime",
)
_SETTINGS: Final = {
    "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    "FAKETIME_CACHE_DURATION": "1",
    "FAKETIME_DISABLE_SHM": "1",
}
#: A program that sleeps for a moment and is not over by then hangs.
_TRIAL_S: Final = 10
#: From the start of a program until its libraries are loaded.
_LOADS_WITHIN_S: Final = 2.0
_LOOK_AGAIN_S: Final = 0.01
_MILLION: Final = 1_000_000


def find_library() -> Path:
    """A libfaketime of this machine that works. Raises NotClaimed with the reason."""
    found = list(_installed())
    for library in found:
        if _lets_sleep(library):
            return library
    if found:
        raise NotClaimed(
            f"{found[0]} spoils sleeping on the monotonic clock; the Python package "
            "libfaketime has one that does not"
        )
    raise NotClaimed("libfaketime is not installed")


def _installed() -> Iterator[Path]:
    spec = importlib.util.find_spec("libfaketime")
    roots = (spec.submodule_search_locations or ()) if spec else ()
    places = [Path(root) / "vendor" / "libfaketime" / "src" for root in roots]
    for pattern in _PLACES:
        places += sorted(Path("/").glob(pattern.lstrip("/")))
    for place in places:
        yield from (place / name for name in _NAMES if (place / name).is_file())


def _lets_sleep(library: Path) -> bool:
    words = (sys.executable, "-I", "-S", "-c", "import time; time.sleep(0.001)")
    more = {"LD_PRELOAD": str(library), "FAKETIME": "+0", **_SETTINGS}
    try:
        subprocess.run(
            words,
            check=True,
            env={**os.environ, **more},
            capture_output=True,
            timeout=_TRIAL_S,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return True


class LyingClock:
    """See the module's text. ``path`` is the file that the controller's clock reads."""

    def __init__(self, path: Path, *, wanted: bool) -> None:
        self._path = path
        self._library: Path | None = None
        self._why_not = "it was started without libfaketime for this case"
        if wanted:
            try:
                self._library = find_library()
            except NotClaimed as reason:
                self._why_not = str(reason)
        #: Seconds and parts per million of what is in force, oldest first.
        self._shifts: list[tuple[int, int]] = []
        self._at_next_boot: list[tuple[int, int]] = []
        self._write()

    def environment(self) -> Mapping[str, str]:
        """What the controller is started with."""
        if self._library is None:
            return {}
        others = os.environ.get("LD_PRELOAD", "")
        return {
            "LD_PRELOAD": f"{self._library} {others}".strip(),
            "FAKETIME_TIMESTAMP_FILE": str(self._path),
            **_SETTINGS,
        }

    def shift(
        self, seconds: int, *, ppm: int, epoch: bool, running: Sequence[int]
    ) -> Callable[[], None]:
        """Move the calendar; returns what moves it back. Raises NotClaimed.

        ``ppm``: it also runs too fast, or too slow when negative. ``epoch``: the next
        boot finds it at 1970 (and ``seconds``). ``running``: the controller's processes
        now; empty while it is dead.
        """
        self._demand_library(running)
        if epoch:
            one = (seconds - int(time.time()), ppm)
            self._at_next_boot.append(one)
        else:
            one = (seconds, ppm)
            self._shifts.append(one)
            self._write()
        return lambda: self._take_back(one)

    def boot(self) -> None:
        """The controller is about to start."""
        self._shifts += self._at_next_boot
        self._at_next_boot = []
        self._write()

    def _take_back(self, one: tuple[int, int]) -> None:
        for shifts in (self._shifts, self._at_next_boot):
            if one in shifts:
                shifts.remove(one)
                break
        self._write()

    def _write(self) -> None:
        seconds = sum(shift[0] for shift in self._shifts)
        ppm = sum(shift[1] for shift in self._shifts)
        rate = f" x{1 + ppm / _MILLION:.6f}" if ppm else ""
        # Replaced as a whole: it may be read at any time.
        new = self._path.with_suffix(".new")
        new.write_text(f"{seconds:+d}{rate}\n", encoding="ascii")
        new.replace(self._path)

    def _demand_library(self, running: Sequence[int]) -> None:
        if self._library is None:
            raise NotClaimed(f"its clock cannot be moved: {self._why_not}")
        if running and not _have_loaded(running):
            raise NotClaimed(
                "its clock cannot be moved: libfaketime is not loaded in it; "
                "is it a static binary?"
            )


def _have_loaded(pids: Sequence[int]) -> bool:
    """Whether one of them has the library; one that has just begun will soon."""
    until_s = time.monotonic() + _LOADS_WITHIN_S
    while not any(_has_loaded(pid) for pid in pids):
        if time.monotonic() > until_s:
            return False
        time.sleep(_LOOK_AGAIN_S)
    return True


def _has_loaded(pid: int) -> bool:
    try:
        return "libfaketime" in Path(f"/proc/{pid}/maps").read_text("utf-8", "replace")
    except OSError:
        return False
