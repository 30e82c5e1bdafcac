"""What a state directory keeps, for whom, and what happens when it cannot."""

import os
import resource
import sqlite3
import time
from pathlib import Path

import pytest

from controller_ref.ledger import Ledger, restore_file
from controller_ref.shells.storage import InUse, NoImage, StateDirectory
from controller_ref.transitions import State


def pragma(path: Path, name: str) -> object:
    connection = sqlite3.connect(path / "ledger.db")
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    connection.close()
    return value


def put(ledger: Ledger, session_id: str) -> None:
    session = ledger.new(State.CHARGING, wall_ms=7)
    session.session_id = session_id
    assert ledger.put(session)


def test_a_ledger_survives_being_closed_and_opened(tmp_path: Path) -> None:
    directory = StateDirectory(tmp_path)
    ledger = directory.ledger()
    put(ledger, "66")
    ledger.close()
    again = directory.ledger()
    assert again.sessions == ledger.sessions
    assert not again.is_damaged
    again.close()
    directory.close()


def test_a_ledger_survives_without_being_closed(tmp_path: Path) -> None:
    """The files as a kill leaves them: the rows are in the write-ahead log only."""
    first, second = tmp_path / "first", tmp_path / "second"
    for each in (first, second):
        each.mkdir()
    ledger = restore_file(str(first / "ledger.db"))
    put(ledger, "66")
    for name in ("ledger.db", "ledger.db-wal"):
        (second / name).write_bytes((first / name).read_bytes())
    ledger.close()
    again = restore_file(str(second / "ledger.db"))
    assert [each.session_id for each in again.sessions.values()] == ["66"]
    again.close()


def test_the_file_is_written_ahead_and_synced_at_each_commit(tmp_path: Path) -> None:
    ledger = restore_file(str(tmp_path / "ledger.db"))
    assert pragma(tmp_path, "journal_mode") == "wal"
    connection = ledger._connection
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    put(ledger, "66")
    assert not connection.in_transaction
    ledger.close()


@pytest.mark.parametrize("damage", ["garbage", "half", "other"])
def test_a_damaged_file_is_left_as_it_is(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "ledger.db"
    ledger = restore_file(str(path))
    for number in range(50):
        put(ledger, f"{number}")
    ledger.close()
    image = path.read_bytes()
    path.write_bytes(
        {
            "garbage": b"garbage" * 1_000,
            "half": image[: len(image) // 2],
            "other": image[:-4_096] + bytes(range(256)) * 16,
        }[damage]
    )
    before = path.read_bytes()
    found = restore_file(str(path))
    assert found.is_damaged
    assert not found.put(found.new(State.INTENT, wall_ms=1))
    found.close()
    assert path.read_bytes() == before


def test_a_log_is_not_written_into_a_damaged_file(tmp_path: Path) -> None:
    """As a kill leaves it, and then the file behind the log is overwritten."""
    first, second = tmp_path / "first.db", tmp_path / "second.db"
    ledger = restore_file(str(first))
    for number in range(50):
        put(ledger, f"{number}")
    ledger._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    put(ledger, "last")
    image = first.read_bytes()
    damaged = image[:8_192] + b"x" * (len(image) - 8_192)
    second.write_bytes(damaged)
    log = Path(f"{first}-wal").read_bytes()
    Path(f"{second}-wal").write_bytes(log)
    ledger.close()
    found = restore_file(str(second))
    found.close()
    assert found.is_damaged
    assert second.read_bytes() == damaged
    assert Path(f"{second}-wal").read_bytes() == log


def test_a_full_disk_loses_nothing_and_is_made_up_for(tmp_path: Path) -> None:
    """Full, as far as this process can tell: no file may grow any more."""
    path = tmp_path / "ledger.db"
    ledger = restore_file(str(path))
    put(ledger, "66")
    size = Path(f"{path}-wal").stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    session = ledger.new(State.CHARGING, wall_ms=8)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        was_put = ledger.put(session)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not was_put
    assert not ledger.is_healthy
    assert ledger.flush()
    assert ledger.is_healthy
    ledger.close()
    again = restore_file(str(path))
    assert list(again.sessions) == [1, 2]
    again.close()


def test_a_path_that_cannot_be_had_is_a_damaged_ledger(tmp_path: Path) -> None:
    assert restore_file(str(tmp_path / "nowhere" / "ledger.db")).is_damaged


def test_one_directory_serves_one_program(tmp_path: Path) -> None:
    first = StateDirectory(tmp_path)
    with pytest.raises(InUse, match="another copy"):
        StateDirectory(tmp_path)
    first.close()
    StateDirectory(tmp_path).close()


def test_there_must_be_a_directory(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        StateDirectory(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        StateDirectory(tmp_path / "file")


def test_starts_are_counted_and_calendar_time_is_told(tmp_path: Path) -> None:
    directory = StateDirectory(tmp_path)
    before_ms = time.time_ns() // 1_000_000
    boots = [directory.boot(1) for _ in range(3)]
    assert [boot.number for boot in boots] == [1, 2, 3]
    assert all(before_ms <= b.wall_ms <= time.time_ns() // 1_000_000 for b in boots)
    directory.close()


def test_a_fast_calendar_does_not_jump_back_at_a_start(tmp_path: Path) -> None:
    """An hour ago the first start: twenty hours by a clock 20 times faster."""
    now_ms = time.time_ns() // 1_000_000
    (tmp_path / "boots").write_text(f"4 {now_ms - 3_600_000}\n")
    directory = StateDirectory(tmp_path)
    boot = directory.boot(20)
    assert boot.number == 5
    assert 0 <= boot.wall_ms - (now_ms + 19 * 3_600_000) < 60_000
    directory.close()


@pytest.mark.parametrize("found", [b"", b"x y\n", b"\xff\xfe", b"3\n"])
def test_a_lost_count_begins_anew(tmp_path: Path, found: bytes) -> None:
    (tmp_path / "boots").write_bytes(found)
    directory = StateDirectory(tmp_path)
    assert directory.boot(1).number == 1
    directory.close()


def test_a_count_that_cannot_be_written_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / "boots").write_text("4 1000\n")
    (tmp_path / "boots.new").mkdir()
    directory = StateDirectory(tmp_path)
    assert directory.boot(1).number == 5
    assert (tmp_path / "boots").read_text() == "4 1000\n"
    directory.close()


def test_the_lock_is_not_inherited(tmp_path: Path) -> None:
    directory = StateDirectory(tmp_path)
    assert not os.get_inheritable(directory._directory)
    directory.close()


def test_there_is_no_image_to_keep() -> None:
    assert NoImage().load() is None
    with pytest.raises(OSError, match="file"):
        NoImage().save(b"")
