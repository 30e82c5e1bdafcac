"""The durable memory: which sessions exist, what is owed, what has been tried.

The controller, not the terminal, owns the session ids (R-PER-01). Everything that must
not be forgotten is written *before* it happens: the intent before the authorisation is
asked for, the session before energy flows, operation and amount before they are sent,
the attempt before it leaves. SQLite with a commit for each of these moments.

Two ways to keep it: a file (WAL, ``synchronous=FULL``), or a database in memory whose
image is stored after each commit; ``saved`` is called after a commit and may raise
OSError. The sessions also live in ``sessions``, and that is what the rest of the
controller works with, so a storage that fails makes no session disappear: ``put``
answers False, the rows are written again with the next one, and whoever asked must
not open anything new meanwhile (S-J11).

A store that cannot be read back is ``damaged``: nothing is written over the evidence,
and no new session is opened, until an operator has looked at it.
"""

import sqlite3
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import fields
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Final, Protocol

from controller_ref.session import Op, Session
from controller_ref.transitions import FINAL, LIVE, State

#: Ended sessions that are kept for receipts; card data goes with them (R-UI-07).
MAX_ENDED: Final = 200
#: Lines of the audit trail that are kept (R-PER-08).
MAX_AUDIT: Final = 5_000

_COLUMNS: Final = tuple(field.name for field in fields(Session))
_FLAGS: Final = tuple(f.name for f in fields(Session) if f.type in (bool, "bool"))
_WORDS: Final = ("state", "op")
#: Where a column's plain number or text stands: for anything else, flags and words of
#: an enumeration too, SQLite looks for an adapter, which takes longer than the write.
_PLAIN: Final = {
    **{name: f"{name}.real" for name in _FLAGS},
    **{name: f"{name}.value" for name in _WORDS},
}
#: A session as a row: written at every reading of the meter, so it has to be quick.
_values: Final = attrgetter(*(_PLAIN.get(name, name) for name in _COLUMNS))
_SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS session (
    key INTEGER PRIMARY KEY, {", ".join(name for name in _COLUMNS if name != "key")});
CREATE TABLE IF NOT EXISTS audit (
    number INTEGER PRIMARY KEY, wall_ms INTEGER, key INTEGER, text TEXT);
"""
_PUT: Final = (
    f"INSERT OR REPLACE INTO session ({', '.join(_COLUMNS)}) "
    f"VALUES ({', '.join('?' for _ in _COLUMNS)})"
)
_NOTE: Final = "INSERT INTO audit (wall_ms, key, text) VALUES (?, ?, ?)"
_TRIM: Final = "DELETE FROM audit WHERE number <= (SELECT MAX(number) FROM audit) - ?"


class Store(Protocol):
    """One image that survives a power cut (``wire.machine.DurableStore``)."""

    def load(self) -> bytes | None: ...
    def save(self, image: bytes) -> None: ...


class Ledger:
    """The sessions, in memory and on storage."""

    def __init__(
        self, connection: sqlite3.Connection, *, saved: Callable[[], None]
    ) -> None:
        """Take a connection whose tables exist; raises sqlite3.Error if unreadable."""
        self._connection = connection
        # Transactions begin where this class says so.
        connection.isolation_level = None
        self._saved = saved
        self._dirty: dict[int, Session] = {}
        self._notes: list[tuple[int, int, str]] = []
        #: How many lines the audit trail has ever had.
        self._noted = _count_notes(connection)
        self.is_damaged = False
        #: False after a write that failed, until one succeeds.
        self.is_healthy = True
        self.sessions: dict[int, Session] = {}
        #: Those that were not closed when last written: they are asked for at every
        #: event, while closed ones are many and only kept for receipts.
        self._current: dict[int, Session] = {}
        for row in connection.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM session ORDER BY key"
        ):
            session = _session(row)
            self._remember(session)
        self._last_key = max(self.sessions, default=0)

    def _remember(self, session: Session) -> None:
        self.sessions[session.key] = self._current[session.key] = session

    def close(self) -> None:
        """Let go of the storage; what was put stays. Nothing may be written after."""
        self._connection.close()

    # --- Writing ----------------------------------------------------------------

    def new(self, state: State, *, wall_ms: int) -> Session:
        """A session with the next key; not yet written."""
        self._last_key += 1
        session = Session(key=self._last_key, state=state, opened_wall_ms=wall_ms)
        self._remember(session)
        return session

    def note(self, session: Session | None, text: str, *, wall_ms: int) -> None:
        """A line for the audit trail; written with the next ``put``."""
        self._notes.append((wall_ms, session.key if session else 0, text))
        del self._notes[:-MAX_AUDIT]

    def put(self, session: Session) -> bool:
        """Write a session and all that is still unwritten; True when it is durable."""
        self._dirty[session.key] = session
        return self.flush()

    def flush(self) -> bool:
        """Write what is unwritten; True when everything is durable."""
        if self.is_damaged:
            return False
        try:
            self._write()
            self._notes.clear()
            self._saved()
        except (sqlite3.Error, OSError):
            self.is_healthy = False
            return False
        for session in self._dirty.values():
            if session.state is State.CLOSED:
                self._current.pop(session.key, None)
        self._dirty.clear()
        self.is_healthy = True
        self._forget_old()
        return True

    def _write(self) -> None:
        connection, too_old = self._connection, self._too_old()
        if len(self._dirty) == 1 and not self._notes and not too_old:
            # A reading of the meter, most of what is written: one statement is whole
            # by itself.
            connection.execute(_PUT, *map(_values, self._dirty.values()))
            return
        connection.execute("BEGIN")
        with connection:
            connection.executemany(_PUT, map(_values, self._dirty.values()))
            if self._notes:
                connection.executemany(_NOTE, self._notes)
                if self._noted + len(self._notes) > MAX_AUDIT:
                    connection.execute(_TRIM, (MAX_AUDIT,))
            for ended in too_old:
                connection.execute("DELETE FROM session WHERE key = ?", (ended.key,))
        self._noted += len(self._notes)

    def _forget_old(self) -> None:
        for session in self._too_old():
            del self.sessions[session.key]
            self._current.pop(session.key, None)

    def _too_old(self) -> list[Session]:
        """What may be forgotten now; never what an operator has to settle."""
        if len(self.sessions) <= MAX_ENDED:
            return []
        done = (State.CLOSED, State.DECLINED)
        ended = [each for each in self.sessions.values() if each.state in done]
        return ended[:-MAX_ENDED]

    # --- Asking -----------------------------------------------------------------

    def current(self) -> Collection[Session]:
        """All sessions that are not closed, oldest first; ended ones among them."""
        return self._current.values()

    def open(self) -> list[Session]:
        """Sessions in which something still has to happen, oldest first."""
        return [each for each in self._current.values() if each.state not in FINAL]

    def live(self) -> list[Session]:
        return [each for each in self._current.values() if each.state in LIVE]

    def within(self, *states: State) -> list[Session]:
        """Sessions in these states, oldest first; not for closed ones."""
        return [each for each in self._current.values() if each.state in states]

    def by_session_id(self, session_id: str) -> Session | None:
        """The newest session with this id; ids may come back after years."""
        found = None
        for each in self.sessions.values():
            if each.session_id == session_id and session_id:
                found = each
        return found


def _count_notes(connection: sqlite3.Connection) -> int:
    found = connection.execute("SELECT MAX(number) FROM audit").fetchone()
    return int(found[0] or 0)


def _session(row: tuple[object, ...]) -> Session:
    values = dict(zip(_COLUMNS, row, strict=True))
    values.update({name: bool(values[name]) for name in _FLAGS})
    values["state"], values["op"] = State(str(values["state"])), Op(str(values["op"]))
    return Session(**values)  # type: ignore[arg-type]  # columns are its fields


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables if they are missing, and commit only what is on the disk."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.executescript(_SCHEMA)


def restore(store: Store) -> Ledger:
    """The ledger from the image in ``store``; damaged when it cannot be read."""
    try:
        return _from_image(store, store.load())
    except (sqlite3.Error, OSError, ValueError):
        return _damaged()


def restore_file(path: str) -> Ledger:
    """The ledger in the file at ``path``, made if missing; damaged if unreadable.

    A commit is durable when it returns, so there is nothing to save besides. A file
    that can be read but not written comes back whole: what is owed can still be closed.
    """
    try:
        return _from_file(path)
    except (sqlite3.Error, OSError, ValueError):
        return _damaged()


def _from_image(store: Store, image: bytes | None) -> Ledger:
    connection = sqlite3.connect(":memory:")
    if image is None:
        connection.deserialize(_blank())
    elif image:
        connection.deserialize(image)
        _check(connection)
        prepare(connection)
    else:
        raise ValueError("ledger: found an empty image, allowed a database")
    return Ledger(connection, saved=lambda: store.save(connection.serialize()))


@lru_cache(maxsize=1)
def _blank() -> bytes:
    """The image of a ledger without a row: read sooner than its tables are made."""
    with closing(sqlite3.connect(":memory:")) as connection:
        prepare(connection)
        return connection.serialize()


def _from_file(path: str) -> Ledger:
    file = Path(path).absolute()
    if file.exists():
        # Only read: a connection that could write would, when it is closed. But what a
        # power cut has left of the very first start, before anything was promised, is
        # undone by the journal beside it, and for that SQLite has to write.
        mode = "rw" if Path(f"{file}-journal").exists() else "ro"
        uri = f"{file.as_uri()}?mode={mode}"
        with closing(sqlite3.connect(uri, uri=True)) as reader:
            _check(reader)
    connection = sqlite3.connect(file)
    try:
        prepare(connection)
        return Ledger(connection, saved=_nothing)
    except (sqlite3.Error, ValueError):
        connection.close()
        raise


def _damaged() -> Ledger:
    """Holds nothing, and writes nothing over the evidence."""
    connection = sqlite3.connect(":memory:")
    prepare(connection)
    ledger = Ledger(connection, saved=_nothing)
    ledger.is_damaged = True
    ledger.is_healthy = False
    return ledger


def _check(connection: sqlite3.Connection) -> None:
    found = connection.execute("PRAGMA integrity_check").fetchone()
    if found != ("ok",):
        raise sqlite3.DatabaseError(f"ledger: found {found}, allowed ok")


def _nothing() -> None:
    """Nothing is left to be saved."""
