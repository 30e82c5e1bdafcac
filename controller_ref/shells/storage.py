"""The state directory: the ledger, the number of this boot, and who may use it.

``ledger.db`` is written by SQLite (``controller_ref.ledger``); ``boots`` holds the
number of starts so far and the calendar time of the first, and is replaced as a whole.
The directory itself is locked for as long as the program lives, by the kernel: a lock
that needs no room on a full disk, cannot be damaged, and does not outlive a kill.

A directory that cannot be written is no reason not to start. What is owed can still be
read, and closed; the ledger says that it cannot write, and then nothing new is begun.
"""

import contextlib
import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from controller_ref.ledger import Ledger, restore_file

_LEDGER: Final = "ledger.db"
_BOOTS: Final = "boots"


class InUse(Exception):
    """Another copy of the program works on this directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    #: Counts from 1.
    number: int
    #: The calendar at this boot, milliseconds since 1970 (UTC).
    wall_ms: int


class StateDirectory:
    """Raises InUse, or OSError when there is no such directory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(self._directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._directory)
            raise InUse(f"{path}: another copy of this program uses it") from None

    def ledger(self) -> Ledger:
        return restore_file(str(self._path / _LEDGER))

    def boot(self, time_scale: int) -> Boot:
        """Count this start, and tell the calendar time.

        With ``time_scale`` N the calendar runs N times faster too, from the first start
        on. Otherwise it would jump back at each start by what it had gained, and with
        it every time that the ledger remembers.
        """
        wall_ms = time.time_ns() // 1_000_000
        starts, first_ms = self._read() or (0, wall_ms)
        starts += 1
        # The count is lost when this fails; the ledger's own alarm tells of the disk.
        with contextlib.suppress(OSError):
            self._write(f"{starts} {first_ms}\n")
        return Boot(number=starts, wall_ms=first_ms + (wall_ms - first_ms) * time_scale)

    def close(self) -> None:
        os.close(self._directory)

    def _read(self) -> tuple[int, int] | None:
        """None when this is the first start, or nobody can tell."""
        try:
            starts, first_ms = (self._path / _BOOTS).read_text("ascii").split()
            return int(starts), int(first_ms)
        except (OSError, ValueError):
            return None

    def _write(self, text: str) -> None:
        whole, part = self._path / _BOOTS, self._path / f"{_BOOTS}.new"
        with part.open("w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(whole)
        os.fsync(self._directory)


class NoImage:
    """The store of a place whose ledger is a file: there is no image to keep."""

    def load(self) -> bytes | None:
        return None

    def save(self, image: bytes) -> None:
        raise OSError("the ledger is a file; no image can be saved")
