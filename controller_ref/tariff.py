"""From energy and time to money, exactly.

Whole numbers only: a cost is counted in ``PARTS`` of a minor unit, which divide a Wh at
a price per kWh and a millisecond at a price per minute without a rest. The total is
rounded once, at the end, so that the amount on the receipt can be worked out again from
the meter by anybody (R-AMT-09, S-N10).
An amount of 0 means that the session is released, never that 0 is committed (R-AMT-05).
"""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor
from typing import Final, assert_never

#: Parts of a minor unit: 60 000 ms are a minute, and 1000 Wh, times 60, are a kWh.
PARTS: Final = 60_000
_MINUTE_MS: Final = 60_000


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


def running_cost(tariff: Tariff, *, energy_wh: int, energised_ms: int) -> int:
    """The cost so far, in ``PARTS`` of a minor unit, without regard to the minimum."""
    energy = energy_wh * tariff.per_kwh * (PARTS // 1000)
    time = energised_ms * tariff.per_minute
    return energy + time + tariff.per_session * PARTS


def amount_minor(tariff: Tariff, *, energy_wh: int, energised_ms: int) -> int:
    """What the driver owes, in whole minor units.

    Without energy nothing is charged, whatever the clock says: a charge that did not
    happen is released (R-FLT-03, R-EXT-09).
    """
    if energy_wh == 0:
        return 0
    parts = running_cost(tariff, energy_wh=energy_wh, energised_ms=energised_ms)
    total = Fraction(max(parts, tariff.minimum * PARTS), PARTS)
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
    tariff: Tariff, *, spent: int, limit_minor: int, power_w: int
) -> int | None:
    """How long until ``spent`` (in parts) reaches the limit at full power.

    None when never. Cost rises in a straight line, so this is exact: stopping within
    this time keeps the total at or below the limit whatever the meter says next
    (R-AMT-02). Never negative.
    """
    # Parts in a minute at this power: W x price per kWh, plus the price of the minute.
    rate = power_w * tariff.per_kwh + tariff.per_minute * PARTS
    if rate == 0:
        return None
    return max(0, (limit_minor * PARTS - spent) * _MINUTE_MS // rate)
