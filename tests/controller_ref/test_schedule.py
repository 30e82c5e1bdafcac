"""Payter's plan for repeats."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller_ref import schedule
from wire.cps import CLOSE_RETRIES


def test_it_is_the_published_plan() -> None:
    gaps = [phase.interval_ms for phase in CLOSE_RETRIES for _ in range(phase.times)]
    assert list(schedule.GAPS_MS) == gaps
    assert sum(schedule.GAPS_MS) == 691_500_000


def test_the_first_attempt_is_none_of_the_five() -> None:
    assert [schedule.gap_ms(n) for n in (1, 5, 6, 29, 30, 36, 37)] == [
        60_000,
        60_000,
        3_600_000,
        3_600_000,
        86_400_000,
        86_400_000,
        None,
    ]


def test_milestones_stand_at_the_ends_of_the_phases() -> None:
    assert schedule.gap_ms(schedule.PHASE_1_ATTEMPTS) == 3_600_000
    assert schedule.gap_ms(schedule.DAY_ATTEMPTS) == 86_400_000


@given(st.integers(-(10**13), 10**13), st.integers(0, 40))
def test_a_clock_that_jumps_neither_fires_nor_stretches(jump: int, made: int) -> None:
    left = schedule.remaining_ms(due_wall_ms=jump, wall_ms=0, attempts=made)
    assert 0 <= left <= (schedule.gap_ms(made) if 0 < made < 37 else 0)  # type: ignore[operator]


@pytest.mark.parametrize(("wall_ms", "left"), [(40_000, 20_000), (60_000, 0)])
def test_what_is_left(wall_ms: int, left: int) -> None:
    found = schedule.remaining_ms(due_wall_ms=60_000, wall_ms=wall_ms, attempts=1)
    assert found == left
