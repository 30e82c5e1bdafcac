"""What befalls a state directory, on a plain directory and on a small disk."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.declaration import NotClaimed
from harness.shells.state_folder import DAMAGED_BYTES, StateFolder, torn


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[StateFolder]:
    made = StateFolder(tmp_path / "state")
    yield made
    made.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[StateFolder]:
    """On a small disk, where this machine allows one."""
    made = StateFolder(tmp_path / "state", on_small_disk=True)
    if not made.front(tmp_path):
        made.close()
        pytest.skip("this machine allows no small disk")
    yield made
    made.close()


def on(disk: StateFolder, script: str) -> subprocess.CompletedProcess[str]:
    """A shell on the disk, in its folder, as the controller is."""
    words = (*disk.front(disk.path.parent), "sh", "-c", f"cd {disk.path}; {script}")
    return subprocess.run(words, capture_output=True, text=True, check=False)


# --- writes that were never synced ------------------------------------------------


def test_a_lost_write_is_as_if_it_had_not_been(folder: StateFolder) -> None:
    log = folder.path / "log"
    log.write_bytes(b"one\n")
    (folder.path / "old").write_bytes(b"kept")
    folder.fail("lost_write")
    log.write_bytes(b"one\ntwo\n")
    (folder.path / "new").write_bytes(b"fresh")
    (folder.path / "old").unlink()
    (told,) = folder.strike()
    assert told == "state lost_write: log, new, old"
    assert log.read_bytes() == b"one\n"
    assert (folder.path / "old").read_bytes() == b"kept"
    assert not (folder.path / "new").exists()
    assert folder.strike() == []


def test_what_was_said_meanwhile_rests_on_what_is_kept(folder: StateFolder) -> None:
    """The controller has said something since, so the write must have been synced."""
    log = folder.path / "log"
    folder.fail("lost_write")
    log.write_bytes(b"one\n")
    assert folder.wants_copies
    folder.copy()
    log.write_bytes(b"one\ntwo\n")
    folder.strike()
    assert log.read_bytes() == b"one\n"


def test_a_torn_write_is_half_there_in_one_file_only(folder: StateFolder) -> None:
    first, last = folder.path / "first", folder.path / "last"
    first.write_bytes(b"a")
    last.write_bytes(b"b")
    folder.fail("torn")
    first.write_bytes(b"a" * 10)
    last.write_bytes(b"b" + b"c" * 10)
    import os

    os.utime(first, ns=(1, 1))
    assert folder.strike() == ["state torn: last"]
    assert first.read_bytes() == b"a" * 10
    assert last.read_bytes() == b"b" + b"c" * 5


def test_what_every_start_makes_anew_is_left_alone(folder: StateFolder) -> None:
    shared = folder.path / "ledger.db-shm"
    shared.write_bytes(b"a")
    folder.fail("torn")
    folder.fail("corrupt")
    shared.write_bytes(b"abc")
    folder.strike()
    assert shared.read_bytes() == b"abc"


def test_nothing_at_risk_is_said(folder: StateFolder) -> None:
    (folder.path / "log").write_bytes(b"one\n")
    folder.fail("torn")
    assert folder.strike() == ["state torn: nothing was at risk"]
    assert (folder.path / "log").read_bytes() == b"one\n"


def test_damage_hits_what_was_acknowledged_too(folder: StateFolder) -> None:
    log = folder.path / "log"
    log.write_bytes(bytes(200))
    folder.fail("corrupt")
    assert folder.strike() == ["state corrupt: log"]
    assert log.read_bytes()[:-DAMAGED_BYTES] == bytes(200 - DAMAGED_BYTES)
    assert 0 not in log.read_bytes()[-DAMAGED_BYTES:]


def test_what_is_healed_before_the_start_does_not_strike(folder: StateFolder) -> None:
    heal = folder.fail("corrupt")
    heal()
    heal()
    assert folder.strike() == []
    assert not folder.wants_copies


def test_a_directory_that_is_too_large_is_not_copied(folder: StateFolder) -> None:
    with (folder.path / "large").open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(NotClaimed, match="its state is larger than 16777216 bytes"):
        folder.fail("torn")


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_a_torn_file_begins_as_written_and_is_not_whole(old: bytes, new: bytes) -> None:
    found = torn(old, new)
    if old == new:
        assert found == new
        return
    same = next(
        (at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b),
        min(len(old), len(new)),
    )
    assert found[:same] == new[:same]
    assert found != new or len(new) < len(old)


# --- the disk ---------------------------------------------------------------------


def test_a_full_disk_takes_nothing_more_until_it_is_healed(disk: StateFolder) -> None:
    assert on(disk, "echo kept > log").returncode == 0
    assert disk.has_state
    heal = disk.fail("full")
    refused = on(disk, "head -c 9000 /dev/zero > more")
    assert "No space left" in refused.stderr
    heal()
    assert on(disk, "head -c 9000 /dev/zero > more && cat log").stdout == "kept\n"


def test_a_read_only_disk_until_it_is_healed(disk: StateFolder) -> None:
    heal = disk.fail("read_only")
    assert "Read-only" in on(disk, "echo one > log").stderr
    heal()
    assert on(disk, "echo one > log").returncode == 0


def test_no_disk_is_read_only_under_an_open_file(disk: StateFolder) -> None:
    holds = f"exec 3> {disk.path}/log; echo open; read _"
    words = (*disk.front(disk.path.parent), "sh", "-c", holds)
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=disk.path.parent
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(NotClaimed, match="read-only now: Device or resource busy"):
            disk.fail("read_only")
        holder.kill()


def test_without_a_small_disk_the_reason_is_told(folder: StateFolder) -> None:
    assert folder.front(folder.path) == ()
    with pytest.raises(NotClaimed, match="not put on a small disk for this case"):
        folder.fail("full")


def test_without_nsenter_there_is_no_small_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    made = StateFolder(tmp_path / "state", on_small_disk=True)
    with pytest.raises(NotClaimed, match="nsenter is not installed"):
        made.fail("full")
    made.close()


def test_an_unknown_fault_names_what_is_allowed(folder: StateFolder) -> None:
    with pytest.raises(ValueError, match="found 'wet', allowed full, read_only, torn"):
        folder.fail("wet")
