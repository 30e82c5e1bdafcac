"""What survives, and what happens when nothing can be written."""

import sqlite3
from pathlib import Path

import pytest

from controller_ref.ledger import (
    MAX_AUDIT,
    MAX_ENDED,
    Ledger,
    prepare,
    restore,
    restore_file,
)
from controller_ref.session import Op, Session
from controller_ref.transitions import State


class Store:
    def __init__(self, image: bytes | None = None) -> None:
        self.image = image
        self.fault: type[Exception] | None = None

    def load(self) -> bytes | None:
        if self.fault is not None:
            raise self.fault("broken")
        return self.image

    def save(self, image: bytes) -> None:
        if self.fault is not None:
            raise self.fault("broken")
        self.image = image


def full(ledger: Ledger) -> Session:
    session = ledger.new(State.CLOSING, wall_ms=5)
    session.session_id, session.card_id, session.connector = "66", "A1" * 20, 2
    session.op, session.amount_minor, session.is_in_flight = Op.COMMIT, 1234, True
    session.attempts, session.due_wall_ms, session.is_paid = 3, 99, True
    return session


def test_everything_comes_back() -> None:
    store = Store()
    ledger = restore(store)
    session = full(ledger)
    assert ledger.put(session)
    again = restore(store)
    assert again.sessions == {1: session}
    assert again.sessions[1].is_in_flight is True
    assert again.new(State.INTENT, wall_ms=6).key == 2


def test_what_was_not_put_is_gone() -> None:
    store = Store()
    ledger = restore(store)
    full(ledger)
    assert restore(store).sessions == {}


def test_a_failed_write_keeps_the_session_and_is_made_up_for() -> None:
    store = Store()
    ledger = restore(store)
    store.fault = OSError
    session = full(ledger)
    ledger.note(session, "seen", wall_ms=7)
    assert not ledger.put(session)
    assert not ledger.is_healthy
    assert ledger.open() == [session]
    store.fault = None
    assert ledger.flush()
    assert ledger.is_healthy
    assert list(restore(store).sessions) == [1]


def test_a_database_that_fails() -> None:
    connection = sqlite3.connect(":memory:")
    prepare(connection)
    ledger = Ledger(connection, saved=lambda: None)
    connection.execute("DROP TABLE session")
    assert not ledger.put(full(ledger))


@pytest.mark.parametrize("image", [b"", b"rubbish" * 999, b"SQLite format 3\0" * 99])
def test_a_store_that_cannot_be_read_is_not_written_over(image: bytes) -> None:
    store = Store(image)
    ledger = restore(store)
    assert ledger.is_damaged
    assert not ledger.put(full(ledger))
    assert store.image == image


def test_a_torn_image() -> None:
    store = Store()
    ledger = restore(store)
    for _ in range(40):
        ledger.put(full(ledger))
    assert store.image is not None
    assert restore(Store(store.image[:-4096])).is_damaged
    middle = len(store.image) // 2
    noise = store.image[:middle] + b"\xff" * 4096 + store.image[middle + 4096 :]
    assert restore(Store(noise)).is_damaged


def test_an_image_that_contradicts_itself() -> None:
    ledger = restore(Store())
    ledger.put(full(ledger))
    connection = ledger._connection
    connection.execute("UPDATE session SET outcome = NULL")
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute(
        "UPDATE sqlite_schema SET sql = replace(sql, 'outcome', 'outcome NOT NULL')"
    )
    connection.commit()
    assert restore(Store(connection.serialize())).is_damaged


def test_a_store_that_does_not_answer() -> None:
    store = Store()
    store.fault = OSError
    assert restore(store).is_damaged


def test_old_sessions_go_and_owed_ones_stay() -> None:
    ledger = restore(Store())
    kept = ledger.new(State.DISPUTED, wall_ms=1)
    ledger.put(kept)
    for _ in range(MAX_ENDED + 5):
        ledger.put(ledger.new(State.CLOSED, wall_ms=2))
    assert len(ledger.sessions) == MAX_ENDED + 1
    assert ledger.sessions[kept.key] is kept
    assert 2 not in ledger.sessions


def test_the_audit_trail_is_bounded() -> None:
    ledger = restore(Store())
    session = full(ledger)
    for number in range(MAX_AUDIT + 50):
        ledger.note(None if number % 2 else session, f"line {number}", wall_ms=number)
    ledger.put(session)
    rows = ledger._connection.execute("SELECT key, text FROM audit").fetchall()
    assert len(rows) <= MAX_AUDIT
    assert rows[-1] == (0, f"line {MAX_AUDIT + 49}")


def test_questions() -> None:
    ledger = restore(Store())
    first, second = full(ledger), full(ledger)
    waiting = ledger.new(State.RESERVED, wall_ms=1)
    ended = ledger.new(State.CLOSED, wall_ms=1)
    assert ledger.by_session_id("66") is second
    assert ledger.by_session_id("") is None
    assert ledger.by_session_id("67") is None
    assert ledger.within(State.CLOSING) == [first, second]
    assert ledger.live() == [waiting]
    assert ended not in ledger.open()


def test_in_a_file(tmp_path: Path) -> None:
    path = str(tmp_path / "ledger.db")
    ledger = restore_file(path)
    session = full(ledger)
    assert ledger.put(session)
    other = sqlite3.connect(path)
    assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()
    again = restore_file(path)
    assert again.sessions == {1: session}
    again.close()
    ledger.close()


@pytest.mark.parametrize("column", ["state", "op"])
def test_a_file_with_words_of_another_version(tmp_path: Path, column: str) -> None:
    path = str(tmp_path / "ledger.db")
    ledger = restore_file(path)
    ledger.put(full(ledger))
    ledger._connection.execute(f"UPDATE session SET {column} = 'later'")
    ledger._connection.commit()
    ledger.close()
    assert restore_file(path).is_damaged


def test_a_file_that_is_no_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"rubbish" * 999)
    ledger = restore_file(str(path))
    assert ledger.is_damaged
    assert not ledger.put(full(ledger))
    assert path.read_bytes() == b"rubbish" * 999
