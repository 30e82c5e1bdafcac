"""From energy and time to money, exactly.

Integers and fractions only: the total is rounded once, at the end, so that the amount
on the receipt can be worked out again from the meter by anybody (R-AMT-09, S-N10).
An amount of 0 means that the session is released, never that 0 is committed (R-AMT-05).
"""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor
from typing import assert_never


class Rounding(StrEnum):
    """How the total becomes whole minor units."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """Prices in minor units; ``minimum`` and ``per_session`` need delivered energy."""

    per_kwh: int
    per_minute: int = 0
    per_session: int = 0
    minimum: int = 0
    rounding: Rounding = Rounding.HALF_UP


def running_cost(tariff: Tariff, *, energy_wh: int, energised_ms: int) -> Fraction:
    """The unrounded cost so far, in minor units, without regard to the minimum."""
    energy = Fraction(energy_wh * tariff.per_kwh, 1000)
    time = Fraction(energised_ms * tariff.per_minute, 60_000)
    return energy + time + tariff.per_session


def amount_minor(tariff: Tariff, *, energy_wh: int, energised_ms: int) -> int:
    """What the driver owes, in whole minor units.

    Without energy nothing is charged, whatever the clock says: a charge that did not
    happen is released (R-FLT-03, R-EXT-09).
    """
    if energy_wh == 0:
        return 0
    total = running_cost(tariff, energy_wh=energy_wh, energised_ms=energised_ms)
    total = max(total, Fraction(tariff.minimum))
    match tariff.rounding:
        case Rounding.HALF_UP:
            return floor(total + Fraction(1, 2))
        case Rounding.HALF_EVEN:
            return round(total)
        case Rounding.UP:
            return ceil(total)
        case Rounding.DOWN:
            return floor(total)
        case _:
            assert_never(tariff.rounding)


def time_to_cost_ms(
    tariff: Tariff, *, spent: Fraction, limit_minor: int, power_w: int
) -> int | None:
    """How long until ``spent`` reaches the limit at full power; None when never.

    Cost rises in a straight line, so this is exact: stopping within this time keeps the
    total at or below the limit whatever the meter says next (R-AMT-02). Never negative.
    """
    rate = Fraction(power_w * tariff.per_kwh, 1000 * 3_600_000)
    rate += Fraction(tariff.per_minute, 60_000)
    if rate == 0:
        return None
    return max(0, floor((limit_minor - spent) / rate))
