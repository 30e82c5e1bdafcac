"""Faults are values: they hit what they name, as often as they say, and are noted."""

import pytest

from simulator.terminal import ABOUT, Impairment, Kind
from simulator.terminal.impairments import MAX_IMPAIRMENTS, Impairments
from simulator.terminal.outbox import Outbox


def _faults(*impairments: Impairment) -> tuple[Impairments, Outbox]:
    out = Outbox()
    faults = Impairments(out)
    for one in impairments:
        faults.add(one)
    return faults, out


def test_every_kind_has_a_row_and_reads_real_fields() -> None:
    assert set(ABOUT) == set(Kind)
    known = set(Impairment.__dataclass_fields__)
    for row in ABOUT.values():
        assert row.reads <= known


def test_a_fault_passes_skips_hits_and_is_gone() -> None:
    faults, out = _faults(
        Impairment(fault="F1", kind=Kind.NOT_READY, skip=1, times=2, message="Setup")
    )
    hits = [faults.hit(Kind.NOT_READY, name) for name in ("Enable", *["Setup"] * 4)]
    assert [hit is not None for hit in hits] == [False, False, True, True, False]
    assert len(out.take()) == 2
    assert not faults
    assert not faults.heal("F1")


def test_a_fault_without_a_count_hits_until_healed() -> None:
    faults, _ = _faults(Impairment(fault="F1", kind=Kind.NOT_READY, times=None))
    assert all(faults.hit(Kind.NOT_READY) for _ in range(50))
    assert faults.in_force() == ("F1",)
    assert faults.heal("F1")
    assert faults.hit(Kind.NOT_READY) is None


def test_a_fault_of_one_operation_leaves_the_other_alone() -> None:
    faults, _ = _faults(
        Impairment(fault="F1", kind=Kind.REFUSE_CLOSE, operation="commit")
    )
    assert faults.hit(Kind.REFUSE_CLOSE, operation="cancel") is None
    assert faults.hit(Kind.REFUSE_CLOSE, operation="commit") is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"times": 0},
        {"status": 409},
        {"status": 99},
        {"operation": "refund"},
        {"delay_ms": -1},
        {"skip": -1},
    ],
)
def test_impossible_faults_say_what_is_allowed(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="allowed"):
        Impairment(fault="F1", kind=Kind.NOT_READY, **wrong)  # type: ignore[arg-type]  # on purpose


def test_the_number_of_faults_is_bounded() -> None:
    faults, _ = _faults()
    for number in range(MAX_IMPAIRMENTS):
        faults.add(Impairment(fault=f"F{number}", kind=Kind.NOT_READY))
    with pytest.raises(ValueError, match="allowed 64"):
        faults.add(Impairment(fault="one more", kind=Kind.NOT_READY))
