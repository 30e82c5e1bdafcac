"""A calendar that lies to the controller: libfaketime in front of its program.

The monotonic clock is left alone, so timers go on as they should. What the calendar
says is read from a file, at most a second after it was written, so it can jump while
the controller runs. libfaketime is looked for where Debian and the ``libfaketime``
package of Python put it. Without it, or in a static binary, which takes no library,
there is no lying clock, and what needs one is NOT APPLICABLE with the reason.
"""

import importlib.util
import os
import time
from collections.abc import Callable, Mapping, Sequence
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
_MILLION: Final = 1_000_000


def find_library() -> Path | None:
    """libfaketime on this machine; the one for threads rather than the other."""
    places = [place for at in _PLACES for place in Path("/").glob(at.lstrip("/"))]
    spec = importlib.util.find_spec("libfaketime")
    for root in (spec.submodule_search_locations or ()) if spec else ():
        places.append(Path(root) / "vendor" / "libfaketime" / "src")
    for name in _NAMES:
        for place in places:
            if (place / name).is_file():
                return place / name
    return None


class LyingClock:
    """See the module's text. ``path`` is the file that the controller's clock reads."""

    def __init__(self, path: Path, *, wanted: bool) -> None:
        self._path = path
        self._library = find_library() if wanted else None
        self._why_not = "libfaketime is not installed"
        if not wanted:
            self._why_not = "it was started without libfaketime for this case"
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
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DISABLE_SHM": "1",
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
        if running and not any(_has_loaded(pid) for pid in running):
            raise NotClaimed(
                "its clock cannot be moved: libfaketime is not loaded in it; "
                "is it a static binary?"
            )


def _has_loaded(pid: int) -> bool:
    try:
        return "libfaketime" in Path(f"/proc/{pid}/maps").read_text("utf-8", "replace")
    except OSError:
        return False
