"""The controller's state directory, whose format nobody knows, and what befalls it.

``full`` and ``read_only`` need a small disk under it (``small_disk``). Linux makes no
disk read-only while a file on it is open for writing, so ``read_only`` is for a
controller that is dead, or that opens its files for each write.

``torn`` and ``lost_write`` strike at the next start: what a power cut leaves behind of
writes that were never synced. From outside nobody sees a sync. But a controller that
has *said* something must have synced whatever that rests on. So once one of them is
planned, the directory is copied after everything that the controller says, and only
what was written after the last copy can be lost. That spares more than a real power
cut would; it never takes what a right controller had to keep.

* ``lost_write``: the directory is as in the last copy.
* ``torn``: the file written last loses the second half of what has changed in it.
* ``corrupt``: the last bytes of every file are overwritten, acknowledged or not.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.declaration import NotClaimed
from harness.shells.small_disk import SmallDisk

#: A larger directory is not copied again and again.
MAX_BYTES: Final = 16 * 1024 * 1024
#: What ``corrupt`` overwrites of each file, and with what.
DAMAGED_BYTES: Final = 64
DAMAGE: Final = 0xA5

AT_ONCE: Final = ("full", "read_only")
AT_NEXT_START: Final = ("torn", "lost_write", "corrupt")
_COPIED: Final = ("torn", "lost_write")


@dataclass(frozen=True, slots=True)
class Kept:
    """One file as it was."""

    mtime_ns: int
    data: bytes


Copy = dict[Path, Kept]


class StateFolder:
    """See the module's text. ``path`` is what the controller is told."""

    def __init__(self, path: Path, *, on_small_disk: bool = False) -> None:
        path.mkdir()
        self.path = path
        self._disk: SmallDisk | None = None
        self._no_disk = "its state was not put on a small disk for this case"
        self._planned: list[str] = []
        self._copy: Copy = {}
        if on_small_disk:
            try:
                self._disk = SmallDisk(path)
            except NotClaimed as reason:
                self._no_disk = str(reason)

    def front(self, folder: Path) -> tuple[str, ...]:
        """What goes in front of the controller's command, run in ``folder``."""
        return self._disk.front(folder) if self._disk else ()

    @property
    def has_state(self) -> bool:
        return any(self._inside.iterdir())

    @property
    def _inside(self) -> Path:
        return self._disk.inside if self._disk else self.path

    # --- faults -----------------------------------------------------------------

    def fail(self, kind: str) -> Callable[[], None]:
        """Begin a fault; returns what heals it. Raises NotClaimed with the reason."""
        if kind in AT_ONCE:
            return self._fail_disk(kind)
        if kind not in AT_NEXT_START:
            allowed = ", ".join((*AT_ONCE, *AT_NEXT_START))
            raise ValueError(f"storage fault: found {kind!r}, allowed {allowed}")
        if kind in _COPIED:
            self._copy = _copy(self._inside, {})
        self._planned.append(kind)
        return lambda: self._forget(kind)

    def _fail_disk(self, kind: str) -> Callable[[], None]:
        if self._disk is None:
            raise NotClaimed(self._no_disk)
        disk = self._disk
        disk.tell(kind)
        return lambda: disk.tell("heal")

    def _forget(self, kind: str) -> None:
        if kind in self._planned:
            self._planned.remove(kind)

    @property
    def wants_copies(self) -> bool:
        """Whether ``copy`` is to be called after what the controller says."""
        return any(kind in _COPIED for kind in self._planned)

    def copy(self) -> None:
        """All that is written by now counts as synced."""
        self._copy = _copy(self._inside, self._copy)

    def strike(self) -> list[str]:
        """The controller is dead and about to start: do what is planned, and say it."""
        told, planned = [], self._planned
        self._planned = []
        for kind in planned:
            match kind:
                case "lost_write":
                    hit = _lose(self._inside, self._copy)
                case "torn":
                    hit = _tear(self._inside, self._copy)
                case _:
                    hit = _damage(self._inside)
            told.append(f"state {kind}: {hit or 'nothing was at risk'}")
        return told

    def close(self) -> None:
        """Let go of the disk, and remove what was written."""
        if self._disk is not None:
            self._disk.close()
        shutil.rmtree(self.path, ignore_errors=True)


# --- on a directory -----------------------------------------------------------------


def _files(folder: Path) -> list[Path]:
    """What a start may rest on; SQLite makes its shared memory anew each time."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if not path.name.endswith("-shm"))


def _copy(folder: Path, before: Copy) -> Copy:
    """Every file; what has not changed is taken over. Raises NotClaimed."""
    copy: Copy = {}
    room = MAX_BYTES
    for path in _files(folder):
        stat = path.stat()
        room -= stat.st_size
        if room < 0:
            raise NotClaimed(f"its state is larger than {MAX_BYTES} bytes")
        name = path.relative_to(folder)
        old = before.get(name)
        if old and (old.mtime_ns, len(old.data)) == (stat.st_mtime_ns, stat.st_size):
            copy[name] = old
        else:
            copy[name] = Kept(stat.st_mtime_ns, path.read_bytes())
    return copy


def _changed(folder: Path, copy: Copy) -> list[Path]:
    """Names of files that differ from the copy, the one written last at the end."""
    found = []
    for path in _files(folder):
        old = copy.get(path.relative_to(folder))
        if old is None or old.data != path.read_bytes():
            found.append(path)
    found.sort(key=lambda path: path.stat().st_mtime_ns)
    return [path.relative_to(folder) for path in found]


def _lose(folder: Path, copy: Copy) -> str:
    changed = _changed(folder, copy)
    gone = [name for name in copy if not (folder / name).is_file()]
    for name in changed:
        if name not in copy:
            (folder / name).unlink()
    for name in (*changed, *gone):
        if name in copy:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(copy[name].data)
    return ", ".join(str(name) for name in (*changed, *gone))


def _tear(folder: Path, copy: Copy) -> str:
    changed = _changed(folder, copy)
    if not changed:
        return ""
    name = changed[-1]
    old = copy[name].data if name in copy else b""
    (folder / name).write_bytes(torn(old, (folder / name).read_bytes()))
    return str(name)


def torn(old: bytes, new: bytes) -> bytes:
    """``new`` without the second half of what has changed in it since ``old``."""
    common = min(len(old), len(new))
    first = next((at for at in range(common) if old[at] != new[at]), common)
    last = len(new)
    if len(old) == len(new):
        differing = (
            at for at in range(common, first, -1) if old[at - 1] != new[at - 1]
        )
        last = next(differing, first)
    middle = first + (last - first) // 2
    return new[:middle] + old[middle:]


def _damage(folder: Path) -> str:
    hit = []
    for path in _files(folder):
        data = path.read_bytes()
        if data:
            kept = data[: -min(DAMAGED_BYTES, len(data))]
            path.write_bytes(kept + bytes([DAMAGE]) * (len(data) - len(kept)))
            hit.append(str(path.relative_to(folder)))
    return ", ".join(hit)
