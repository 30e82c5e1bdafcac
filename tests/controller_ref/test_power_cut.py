"""The ledger's file and a power cut: what was acknowledged is there, whatever was lost.

The real store works for the real controller during the whole life of a session, on a
bench in virtual time. Every write and every sync of its files is recorded; then the
power is cut after each of them, in turn, and the store is opened on what a disk may
have kept. It must hold the last transaction that was acknowledged, or the one that was
under way, whole; and it must not take itself for damaged.

The controls show that the test can fail: a store that does not sync, or syncs too
rarely, loses what it has acknowledged.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from random import Random
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller_ref.core import assemble
from controller_ref.ledger import Ledger, restore_file
from controller_ref.transitions import State
from harness.bench import Bench, CaseName
from harness.columns import COLUMNS
from harness.declaration import load
from harness.places import REFERENCE
from harness.watch import await_session
from harness.wishes import Wishes
from tests.controller_ref.disk import (
    Choose,
    Create,
    Delete,
    Disk,
    Fate,
    Operation,
    Sync,
    Truncate,
    Write,
)
from tests.controller_ref.recorder import NoLibrary, Recorder

#: Pages in the write-ahead log before they are moved into the file: few, so that the
#: log is moved, and begun anew, several times in one session.
CHECKPOINT_PAGES: Final = 25
NAME: Final = "ledger.db"

Rows = tuple[tuple[object, ...], ...]


def rows(ledger: Ledger) -> Rows:
    """All that the store holds: sessions and audit trail."""
    execute = ledger._connection.execute
    sessions = execute("SELECT * FROM session ORDER BY key").fetchall()
    audit = execute("SELECT * FROM audit ORDER BY number").fetchall()
    return (*sessions, *audit)


@dataclass(slots=True)
class Life:
    """What a store did to its files, and what it acknowledged when."""

    folder: Path
    operations: list[Operation] = field(default_factory=list, repr=False)
    #: How many operations had been made, and what the store held then.
    acknowledged: list[tuple[int, Rows]] = field(
        default_factory=lambda: [(0, ())], repr=False
    )

    def acknowledge(self, ledger: Ledger) -> None:
        self.acknowledged.append((len(self.operations), rows(ledger)))

    def allowed(self, cut: int) -> list[Rows]:
        """After ``cut`` operations: the last that was promised, and the next."""
        promised = [i for i, (at, _) in enumerate(self.acknowledged) if at <= cut]
        last = promised[-1]
        return [held for _, held in self.acknowledged[last : last + 2]]


def record(folder: Path, synchronous: str = "") -> Life:
    """A session from its intent to its commit; ``synchronous`` spoils the store."""
    life = Life(folder)
    try:
        recorder = Recorder(folder, life.operations.append)
    except NoLibrary as missing:
        pytest.skip(str(missing))
    with recorder.installed():
        ledger = restore_file(str(folder / NAME))
        ledger._connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        if synchronous:
            ledger._connection.execute(f"PRAGMA synchronous={synchronous}")
        ledger._saved = lambda: life.acknowledge(ledger)
        charge(ledger)
        ledger.close()
    assert [session.state for session in ledger.sessions.values()] == [State.CLOSED]
    return life


def charge(ledger: Ledger) -> None:
    """A driver taps, plugs in, charges for a quarter of an hour and leaves."""
    column = COLUMNS[1]
    wishes = Wishes(
        declaration=column.fit(load(REFERENCE)),
        configurable=True,
        factory=lambda place: assemble(place, ledger),
    )
    bench = Bench(wishes, column=column, seed=1, case=CaseName(scenario="power cut"))
    bench.open()
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    await_session(bench, driver)
    bench.drivers.plug(driver, 1, driver.vehicle)
    bench.run_for(900_000)
    bench.drivers.leave(driver, 1)
    bench.run_for(60_000)


def lost(life: Life, cut: int, files: dict[str, bytes], folder: Path) -> str:
    """What the store gets wrong when it is opened on ``files``; empty: nothing."""
    rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    ledger = restore_file(str(folder / NAME))
    try:
        if ledger.is_damaged:
            return f"cut {cut}: damaged"
        if (found := rows(ledger)) not in life.allowed(cut):
            return f"cut {cut}: holds {found[-1:]}, {len(found)} rows"
        if not ledger.put(ledger.new(State.INTENT, wall_ms=1)):
            return f"cut {cut}: cannot be written any more"
        return ""
    finally:
        ledger.close()


def losses(life: Life, choose: Callable[[int], Choose], folder: Path) -> Iterator[str]:
    """The power is cut after every operation; ``choose`` is made anew for each cut."""
    disk = Disk()
    for cut in range(len(life.operations) + 1):
        if found := lost(life, cut, disk.after_a_cut(choose(cut)), folder):
            yield found
        if cut < len(life.operations):
            disk.do(life.operations[cut])


@pytest.fixture(scope="module")
def life() -> Iterator[Life]:
    with TemporaryDirectory() as folder:
        yield record(Path(folder))


def always(fate: Fate) -> Callable[[int], Choose]:
    return lambda _: lambda: fate


def by_chance(cut: int) -> Choose:
    chance = Random(cut)
    return lambda: chance.choice(("kept", "lost", "torn"))


# --- The store --------------------------------------------------------------------


@pytest.mark.parametrize(
    "choose",
    [always("lost"), always("torn"), by_chance],
    ids=["lost", "torn", "by_chance"],
)
def test_nothing_acknowledged_is_lost_wherever_the_power_is_cut(
    life: Life, choose: Callable[[int], Choose], tmp_path: Path
) -> None:
    assert list(losses(life, choose, tmp_path / "after")) == []


@settings(deadline=None)
@given(
    st.integers(min_value=0, max_value=10_000),
    st.lists(st.sampled_from(("kept", "lost", "torn")), min_size=1, max_size=40),
    st.booleans(),
)
def test_nothing_acknowledged_is_lost_whatever_the_disk_kept(
    life: Life, where: int, fates: Sequence[Fate], has_index: bool
) -> None:
    """The index of the log (``-shm``) is shared memory: it may come back as noise."""
    cut = where % (len(life.operations) + 1)
    disk = Disk()
    for operation in life.operations[:cut]:
        disk.do(operation)
    in_turn = cycle(fates)
    with TemporaryDirectory() as folder:
        files = disk.after_a_cut(lambda: next(in_turn))
        if has_index:
            files[f"{NAME}-shm"] = b"\xa5" * 32_768
        assert lost(life, cut, files, Path(folder) / "after") == ""


@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL"])
def test_a_store_that_does_not_wait_for_the_disk_turns_this_red(
    tmp_path: Path, synchronous: str
) -> None:
    careless = record(tmp_path, synchronous)
    assert any(losses(careless, always("lost"), tmp_path / "after"))


# --- The recording and the disk ---------------------------------------------------


def test_the_life_has_everything_in_it(life: Life) -> None:
    """Several checkpoints, and a commit for each moment of a session."""
    moved = [
        operation
        for operation in life.operations
        if isinstance(operation, Sync) and operation.name == NAME
    ]
    assert len(moved) >= 3
    assert len(life.acknowledged) > 20
    kinds = {type(operation) for operation in life.operations}
    assert kinds == {Create, Write, Truncate, Sync, Delete}


def test_the_recording_is_complete(life: Life) -> None:
    """With everything kept, the disk holds what the file system holds, to the byte."""
    disk = Disk()
    for operation in life.operations:
        disk.do(operation)
    on_disk = {path.name: path.read_bytes() for path in life.folder.iterdir()}
    assert disk.after_a_cut(lambda: "kept") == on_disk


def test_a_disk_keeps_what_was_synced() -> None:
    disk = Disk()
    for operation in (
        Create("a-wal"),
        Write("a-wal", 0, b"x" * 600),
        Sync("a-wal"),
        Write("a-wal", 512, b"y" * 600),
    ):
        disk.do(operation)
    assert disk.after_a_cut(lambda: "lost") == {"a-wal": b"x" * 600}
    fates: Iterator[Fate] = iter(("lost", "kept"))
    found = disk.after_a_cut(lambda: next(fates))["a-wal"]
    assert found == b"x" * 600 + bytes(424) + b"y" * 88
    torn = disk.after_a_cut(lambda: "torn")["a-wal"]
    assert torn[:512] == b"x" * 512
    assert torn[512:768] == b"y" * 256
    assert b"y" not in torn[768:1024]


def test_a_disk_may_forget_files_until_their_folder_is_synced() -> None:
    disk = Disk()
    disk.do(Create("a"))
    disk.do(Write("a", 0, b"x"))
    disk.do(Sync("a"))
    assert disk.after_a_cut(lambda: "lost") == {}
    disk.do(Delete("b", is_synced=True))
    assert disk.after_a_cut(lambda: "lost") == {"a": b"x"}
    disk.do(Truncate("a", 0))
    disk.do(Delete("a", is_synced=False))
    assert disk.after_a_cut(lambda: "lost") == {"a": b"x"}
    assert disk.after_a_cut(lambda: "kept") == {}
