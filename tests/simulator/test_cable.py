"""What a bad cable does to bytes."""

from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.cable import first_struck, manipulate
from simulator.faults import FAULTS, Fault, FaultPlanError, Seam, plan

BLOCK = bytes.fromhex("aa 04 3c 21 03 66 74")
BLOCKS = st.binary(min_size=1, max_size=300)


#: Wait for a block and move it whole, to after what the controller says next: that is
#: no change of one block, so the line does it (harness.faults.cable).
MOVES: Final = ("cable_hold",)


def changes_blocks(name: str) -> bool:
    """Whether a fault waits for blocks and changes what arrives of each."""
    kind = FAULTS[name]
    waits = kind.seam in (Seam.CABLE, Seam.TCP) and "message" in kind.parameters
    return waits and name not in MOVES


def arrived(fault: Fault, block: bytes) -> bytes:
    return b"".join(data for _, data in manipulate(fault, block))


CABLE = sorted(name for name in FAULTS if changes_blocks(name))


@pytest.mark.parametrize("name", CABLE)
@given(block=BLOCKS)
def test_every_cable_fault_gives_bytes_in_order_of_time(
    name: str, block: bytes
) -> None:
    arrivals = manipulate(plan(name), block)
    delays = [0, *(delay_ms for delay_ms, _ in arrivals)]
    assert all(before <= after for before, after in pairwise(delays))
    assert all(data for _, data in arrivals)


@pytest.mark.parametrize(
    "name", ["cable_lose", "cable_cut_at", "tcp_reset_at", "tcp_half_open_at"]
)
def test_a_lost_block_does_not_arrive(name: str) -> None:
    assert manipulate(plan(name), BLOCK) == []


@given(BLOCKS, st.integers(0, 400))
def test_what_stops_at_a_byte_lets_the_bytes_before_it_pass(
    block: bytes, byte: int
) -> None:
    assert arrived(plan("tcp_reset_at", byte=byte), block) == block[:byte]


def test_only_the_checksum_is_damaged() -> None:
    ((delay_ms, data),) = manipulate(plan("cable_corrupt"), BLOCK)
    assert delay_ms == 0
    assert data[:-1] == BLOCK[:-1]
    assert data[-1] != BLOCK[-1]


@given(BLOCKS, st.integers(0, 400), st.integers(0, 7))
def test_exactly_one_bit_is_flipped(block: bytes, byte: int, bit: int) -> None:
    data = arrived(plan("cable_flip", byte=byte, bit=bit), block)
    changed = [a ^ b for a, b in zip(block, data, strict=True) if a != b]
    assert changed == [1 << bit]


@given(BLOCKS, st.integers(1, 400))
def test_a_truncated_block_is_a_beginning_and_never_whole(
    block: bytes, keep: int
) -> None:
    data = arrived(plan("cable_truncate", keep=keep), block)
    assert block.startswith(data)
    assert len(data) == min(keep, len(block) - 1)


def test_a_block_that_comes_twice_is_the_same_both_times() -> None:
    fault = plan("cable_duplicate", gap_ms=40)
    assert manipulate(fault, BLOCK) == [(0, BLOCK), (40, BLOCK)]


@given(BLOCKS, st.integers(1, 50))
def test_noise_comes_first_and_looks_like_no_block(block: bytes, count: int) -> None:
    data = arrived(plan("cable_garbage", bytes=count), block)
    noise = data[: -len(block)]
    assert data.endswith(block)
    assert len(noise) == count
    assert not {0xAA, 0xCC} & set(noise)


@given(BLOCKS, st.integers(1, 300), st.integers(0, 1000))
def test_pieces_make_the_whole(block: bytes, piece: int, gap_ms: int) -> None:
    arrivals = manipulate(plan("cable_split", piece=piece, gap_ms=gap_ms), block)
    assert b"".join(data for _, data in arrivals) == block
    assert all(len(data) <= piece for _, data in arrivals)
    assert [at for at, _ in arrivals] == [n * gap_ms for n in range(len(arrivals))]


def test_a_late_block_is_whole() -> None:
    assert manipulate(plan("cable_delay", delay_ms=700), BLOCK) == [(700, BLOCK)]


def test_a_block_may_be_late_from_one_byte_on() -> None:
    fault = plan("cable_delay", delay_ms=700, byte=3)
    assert manipulate(fault, BLOCK) == [(0, BLOCK[:3]), (700, BLOCK[3:])]
    assert manipulate(fault, BLOCK, byte=7) == [(0, BLOCK)], "whoever carries it says"


@pytest.mark.parametrize(
    ("name", "byte"),
    [
        ("cable_lose", 0),
        ("cable_corrupt", 6),
        ("cable_flip", 3),
        ("cable_truncate", 3),
        ("cable_duplicate", 7),
        ("cable_garbage", 0),
        ("cable_split", 1),
        ("cable_delay", 0),
        ("tcp_reset_at", 0),
    ],
)
def test_the_first_byte_that_is_struck(name: str, byte: int) -> None:
    assert first_struck(BLOCK, manipulate(plan(name), BLOCK)) == byte


def test_what_arrives_as_it_was_sent_is_not_struck() -> None:
    assert first_struck(BLOCK, [(0, BLOCK)]) == len(BLOCK)


@pytest.mark.parametrize("name", CABLE)
def test_no_bytes_in_no_wrong_bytes_out(name: str) -> None:
    assert b"".join(d for _, d in manipulate(plan(name), b"")) in (
        b"",
        bytes.fromhex("00 ff 55"),
    )


@pytest.mark.parametrize("name", ["host_down", *MOVES])
def test_what_changes_no_single_block_is_refused(name: str) -> None:
    with pytest.raises(FaultPlanError, match=f"found '{name}', allowed cable_lose"):
        manipulate(plan(name), BLOCK)
