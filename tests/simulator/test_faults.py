"""The catalogue of faults, and what a bad cable does to bytes."""

import dataclasses
import re
from itertools import pairwise
from typing import get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.events import Trouble
from simulator.fault_codes import FAULT_CODES
from simulator.faults import (
    FAULTS,
    Fault,
    FaultPlanError,
    Seam,
    Value,
    manipulate,
    plan,
)

BLOCK = bytes.fromhex("aa 04 3c 21 03 66 74")
BLOCKS = st.binary(min_size=1, max_size=300)
GIVEN: dict[str, dict[str, Value]] = {
    "charger_fault": {"code": "GroundFailure"},
    "station_fault": {"code": "OtherError"},
}


def planned(name: str) -> Fault:
    return plan(name, **GIVEN.get(name, {}))


def arrived(fault: Fault, block: bytes) -> bytes:
    return b"".join(data for _, data in manipulate(fault, block))


def test_every_seam_of_the_architecture_has_faults() -> None:
    assert {kind.seam for kind in FAULTS.values()} == set(Seam)


@pytest.mark.parametrize("name", FAULTS)
def test_every_row_can_be_planned_and_said(name: str) -> None:
    kind = FAULTS[name]
    fault = planned(name)
    assert fault.name == kind.name == name
    assert fault.kind is kind
    assert fault.seam is kind.seam
    assert set(fault.params) == set(kind.parameters)
    assert set(re.findall(r"{(\w+)}", kind.words)) <= set(kind.parameters)
    assert kind.about
    assert "{" not in fault.words
    assert "  " not in fault.words


def test_the_words_are_unique() -> None:
    words = [kind.words for kind in FAULTS.values()]
    assert len(words) == len(set(words))


def test_every_trouble_of_the_charger_is_in_the_catalogue_by_its_own_name() -> None:
    assert set(get_args(get_type_hints(Trouble)["part"])) <= set(FAULTS)


def test_the_charger_reports_every_code_of_its_table() -> None:
    assert FAULTS["charger_fault"].parameters["code"].words == tuple(FAULT_CODES)


def test_a_fault_says_itself_in_the_words_of_a_scenario() -> None:
    fault = plan("cable_lose", fault_id="f1", message="Commit Session", count=2)
    assert fault.fault_id == "f1"
    assert fault.words == "the next Commit Session is lost on the cable"
    assert (fault.number("count"), fault.text("message")) == (2, "Commit Session")


def test_a_fault_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        planned("cable_cut").name = "other"  # type: ignore[misc]  # that is the test


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("gremlins", {}, "fault: found 'gremlins', allowed cable_cut, "),
        ("tcp_reset", {"x": 1}, "tcp_reset: found 'x', allowed no parameters"),
        ("host_down", {"x": 1}, "host_down: found 'x', allowed for_s"),
        ("host_down", {"for_s": -1}, "host_down.for_s: found -1, allowed 0..604800"),
        ("host_down", {"for_s": True}, "host_down.for_s: found True, allowed 0"),
        ("host_down", {"for_s": "9"}, "host_down.for_s: found '9', allowed 0"),
        ("pilot", {"reason": "G"}, "pilot.reason: found 'G', allowed E, F"),
        ("charger_fault", {}, "charger_fault.code: found None, allowed Connector"),
        ("charger_fault", {"code": "NoError"}, "found 'NoError', allowed Connector"),
        ("refuses", {"reason": 5}, "refuses.reason: found 5, allowed text of at"),
        ("refuses", {"reason": "x" * 201}, "allowed text of at most 200"),
    ],
)
def test_a_plan_that_does_not_fit_names_found_and_allowed(
    name: str, params: dict[str, Value], message: str
) -> None:
    with pytest.raises(FaultPlanError, match=re.escape(message)):
        plan(name, **params)


def test_a_parameter_of_the_wrong_kind_is_named() -> None:
    with pytest.raises(
        TypeError, match=r"cable_lose\.message: found '', allowed a num"
    ):
        plan("cable_lose").number("message")
    with pytest.raises(TypeError, match=r"cable_lose\.count: found 1, allowed a text"):
        plan("cable_lose").text("count")


CABLE = sorted(name for name, kind in FAULTS.items() if kind.seam is Seam.CABLE)


@pytest.mark.parametrize("name", CABLE)
@given(block=BLOCKS)
def test_every_cable_fault_gives_bytes_in_order_of_time(
    name: str, block: bytes
) -> None:
    arrivals = manipulate(plan(name), block)
    delays = [0, *(delay_ms for delay_ms, _ in arrivals)]
    assert all(before <= after for before, after in pairwise(delays))
    assert all(data for _, data in arrivals)


@pytest.mark.parametrize("name", ["cable_cut", "cable_deaf", "cable_lose"])
def test_a_lost_block_does_not_arrive(name: str) -> None:
    assert manipulate(plan(name), BLOCK) == []


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


@pytest.mark.parametrize("name", CABLE)
def test_no_bytes_in_no_wrong_bytes_out(name: str) -> None:
    assert b"".join(d for _, d in manipulate(plan(name), b"")) in (
        b"",
        bytes.fromhex("00 ff 55"),
    )


def test_a_fault_of_another_seam_does_nothing_to_bytes() -> None:
    with pytest.raises(FaultPlanError, match="found 'host_down', allowed cable_cut"):
        manipulate(plan("host_down"), BLOCK)
