"""What a power cut may leave of files: a disk that only promises what it has synced.

A run is a list of operations. A cut after any of them leaves each file as it was at its
last sync, plus whatever the disk happened to have done since: every sector written
after that sync may have been kept, lost, or filled with noise where it was being
written; a file made, shortened or deleted may be so or not yet. Bytes beside a write
are never touched (SQLite's "powersafe overwrite", true of disks with sectors of their
own power).

That a file was made or deleted becomes durable when its folder is synced. SQLite's own
VFS does that with the first sync of a new journal or write-ahead log, and with a
deletion that says so.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, assert_never

SECTOR: Final = 512

#: What became of something that was not synced.
Fate = Literal["kept", "lost", "torn"]


@dataclass(frozen=True, slots=True)
class Create:
    name: str


@dataclass(frozen=True, slots=True)
class Write:
    name: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    name: str


@dataclass(frozen=True, slots=True)
class Delete:
    name: str
    #: The folder was synced as well.
    is_synced: bool


Operation = Create | Write | Truncate | Sync | Delete
Choose = Callable[[], Fate]

#: New files of these kinds take their folder with them when they are synced.
_SYNC_THEIR_FOLDER: Final = ("-journal", "-wal")


@dataclass(slots=True, eq=False)
class _Body:
    """What stands in a file."""

    synced: bytes = b""
    since: list[Write | Truncate] = field(default_factory=list)

    def after_a_cut(self, choose: Choose) -> bytes:
        data = bytearray(self.synced)
        for operation in self.since:
            if isinstance(operation, Write):
                for offset, piece in _sectors(operation):
                    _put(data, offset, piece, choose())
            elif choose() != "lost":
                data = _resized(data, operation.size)
        return bytes(data)

    def sync(self) -> None:
        self.synced = self.after_a_cut(lambda: "kept")
        self.since.clear()


@dataclass(slots=True)
class _Entry:
    """What a name in the folder stands for; None: nothing."""

    synced: _Body | None = None
    since: list[_Body | None] = field(default_factory=list)

    @property
    def now(self) -> _Body | None:
        return self.since[-1] if self.since else self.synced

    def after_a_cut(self, choose: Choose) -> _Body | None:
        """The folder changes in order: what follows a lost change is lost too."""
        found = self.synced
        for body in self.since:
            if choose() == "lost":
                break
            found = body
        return found

    def sync(self) -> None:
        self.synced = self.now
        self.since.clear()


class Disk:
    """Takes operations one by one; ``after_a_cut`` may be asked at any moment."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def do(self, operation: Operation) -> None:
        entry = self._entries.setdefault(operation.name, _Entry())
        body = entry.now
        match operation:
            case Create():
                entry.since.append(_Body())
            case Delete(is_synced=is_synced):
                entry.since.append(None)
                if is_synced:
                    self._sync_folder()
            case Write() | Truncate():
                assert body is not None
                body.since.append(operation)
            case Sync(name=name):
                assert body is not None
                body.sync()
                if entry.since and name.endswith(_SYNC_THEIR_FOLDER):
                    self._sync_folder()
            case _:
                assert_never(operation)

    def _sync_folder(self) -> None:
        for entry in self._entries.values():
            entry.sync()

    def after_a_cut(self, choose: Choose) -> dict[str, bytes]:
        """Name -> content of every file that is there when the power is back."""
        found = {
            name: entry.after_a_cut(choose)
            for name, entry in sorted(self._entries.items())
        }
        return {
            name: body.after_a_cut(choose)
            for name, body in found.items()
            if body is not None
        }


def _resized(data: bytearray, size: int) -> bytearray:
    return data[:size] + bytes(max(0, size - len(data)))


def _sectors(write: Write) -> Iterator[tuple[int, bytes]]:
    """The parts of a write that fall into different sectors."""
    start, end = write.offset, write.offset + len(write.data)
    while start < end:
        stop = min(end, (start // SECTOR + 1) * SECTOR)
        yield start, write.data[start - write.offset : stop - write.offset]
        start = stop


def _put(data: bytearray, offset: int, piece: bytes, fate: Fate) -> None:
    if fate == "lost":
        return
    if fate == "torn":
        # Half of it as it should be, half of it as nobody has ever written it.
        half = len(piece) // 2
        piece = piece[:half] + bytes(byte ^ 0xA5 for byte in piece[half:])
    data.extend(bytes(max(0, offset - len(data))))
    data[offset : offset + len(piece)] = piece
