"""Money: exact, rounded once, and never over the limit in time."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller_ref.tariff import (
    PARTS,
    Rounding,
    Tariff,
    amount_minor,
    running_cost,
    time_to_cost_ms,
)

tariffs = st.builds(
    Tariff,
    per_kwh=st.integers(0, 5_000),
    per_minute=st.integers(0, 500),
    per_session=st.integers(0, 1_000),
    minimum=st.integers(0, 3_000),
    rounding=st.sampled_from(Rounding),
)
energies = st.integers(0, 200_000)
times = st.integers(0, 48 * 3_600_000)


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [("half_up", 3), ("half_even", 2), ("up", 3), ("down", 2)],
)
def test_rounding_of_a_half(rounding: str, expected: int) -> None:
    tariff = Tariff(per_kwh=50, rounding=Rounding(rounding))
    assert amount_minor(tariff, energy_wh=50, energised_ms=0) == expected


def test_parts_add_up() -> None:
    tariff = Tariff(per_kwh=59, per_minute=10, per_session=35)
    assert amount_minor(tariff, energy_wh=12_345, energised_ms=90_000) == 778


def test_minimum_needs_energy() -> None:
    tariff = Tariff(per_kwh=50, per_session=20, minimum=300)
    assert amount_minor(tariff, energy_wh=1, energised_ms=0) == 300
    assert amount_minor(tariff, energy_wh=0, energised_ms=3_600_000) == 0


@given(tariffs, energies, times)
def test_like_the_formula(tariff: Tariff, energy_wh: int, energised_ms: int) -> None:
    exact = (
        Fraction(energy_wh * tariff.per_kwh, 1000)
        + Fraction(energised_ms, 1000) * tariff.per_minute / 60
        + tariff.per_session
    )
    exact = max(exact, Fraction(tariff.minimum)) if energy_wh else Fraction(0)
    amount = amount_minor(tariff, energy_wh=energy_wh, energised_ms=energised_ms)
    assert abs(amount - exact) < 1
    if exact.denominator == 1:
        assert amount == exact


@given(tariffs, energies, times, st.integers(1, 350_000), st.integers(0, 20_000))
def test_stopping_in_time_keeps_the_limit(
    tariff: Tariff, energy_wh: int, energised_ms: int, power_w: int, limit: int
) -> None:
    spent = running_cost(tariff, energy_wh=energy_wh, energised_ms=energised_ms)
    left_ms = time_to_cost_ms(tariff, spent=spent, limit_minor=limit, power_w=power_w)
    cost = Fraction(spent, PARTS)
    if left_ms is None or cost > limit:
        assert left_ms in (0, None)
        return
    rate = Fraction(power_w * tariff.per_kwh, 3_600_000_000)
    rate += Fraction(tariff.per_minute, 60_000)
    assert cost + rate * left_ms <= limit < cost + rate * (left_ms + 1)


def test_what_is_free_has_no_limit() -> None:
    tariff = Tariff(per_kwh=0)
    assert time_to_cost_ms(tariff, spent=0, limit_minor=1, power_w=9) is None
