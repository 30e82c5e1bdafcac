"""The integral: exact, and the same however often it is looked at."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.energy import MJ_PER_WH, Integral, whole_wh

POWERS = st.integers(0, 350_000)
SPANS = st.integers(0, 100_000_000)


def test_one_kilowatt_for_one_hour_is_one_kilowatt_hour() -> None:
    integral = Integral()
    integral.set_power(1000)
    integral.advance(3_600_000)
    assert whole_wh(integral.total_mj) == 1000


@given(st.lists(st.tuples(POWERS, SPANS), max_size=20), st.integers(1, 20))
def test_the_integral_is_the_sum_of_power_times_time(
    course: list[tuple[int, int]], rate: int
) -> None:
    integral = Integral(rate=rate)
    now_ms = 0
    for power_w, span_ms in course:
        integral.set_power(power_w)
        now_ms += span_ms
        integral.advance(now_ms)
    assert integral.total_mj == rate * sum(power * span for power, span in course)


@given(POWERS, st.lists(SPANS, min_size=1, max_size=20))
def test_looking_does_not_change_what_is_seen(power_w: int, looks: list[int]) -> None:
    looked, left_alone = Integral(), Integral()
    for integral in (looked, left_alone):
        integral.set_power(power_w)
    for now_ms in sorted(looks):
        assert looked.at_mj(now_ms) == left_alone.at_mj(now_ms)
        looked.advance(now_ms)
    left_alone.advance(max(looks))
    assert looked.total_mj == left_alone.total_mj


@given(st.lists(st.integers(0, 10_000), min_size=2, max_size=20), POWERS)
def test_the_integral_never_falls_even_when_time_does(
    moments: list[int], power_w: int
) -> None:
    integral = Integral()
    integral.set_power(power_w)
    totals = []
    for now_ms in moments:
        integral.advance(now_ms)
        totals.append(integral.total_mj)
    assert all(before <= after for before, after in pairwise(totals))


@given(st.integers(1, 350_000), st.integers(1, 10**12), st.integers(1, 20))
def test_a_bound_is_reached_in_exactly_the_millisecond_named(
    power_w: int, missing_mj: int, rate: int
) -> None:
    integral = Integral(rate=rate)
    integral.set_power(power_w)
    at_ms = integral.reaches_at_ms(missing_mj)
    assert at_ms is not None
    assert integral.at_mj(at_ms - 1) < missing_mj <= integral.at_mj(at_ms)


def test_a_bound_is_never_reached_without_power() -> None:
    integral = Integral()
    assert integral.reaches_at_ms(1) is None
    assert integral.reaches_at_ms(0) == 0


def test_whole_watt_hours_leave_the_rest_out() -> None:
    assert whole_wh(2 * MJ_PER_WH - 1) == 1


def test_power_and_rate_out_of_range_are_named() -> None:
    with pytest.raises(ValueError, match="found -1 W, allowed 0 and up"):
        Integral().set_power(-1)
    with pytest.raises(ValueError, match="found 0, allowed 1 and up"):
        Integral(rate=0)
