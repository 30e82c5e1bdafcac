"""What a charge costs, computed anew: no line is shared with any controller.

Amount = round(energy_wh x per_kwh / 1000 + seconds x per_minute / 60 + per_session),
at least the minimum; the fee per session and the minimum only when energy was
delivered (device_under_test.md section 2). Exact fractions, rounded once, on the total.
"""

from fractions import Fraction

from harness.judge.promises import Prices


def rounded(amount: Fraction, mode: str) -> int:
    """``amount`` (not negative) as whole minor units; an unknown mode is half_up."""
    below = amount.numerator // amount.denominator
    rest = amount - below
    match mode:
        case "down":
            return below
        case "up":
            return below + (rest > 0)
        case "half_even":
            return round(amount)
        case _:
            return below + (rest >= Fraction(1, 2))


def price(prices: Prices, *, energy_wh: int, energised_ms: int) -> int:
    """Minor units for one charge; 0 means that nothing is due."""
    total = Fraction(energy_wh * prices.per_kwh, 1000)
    total += Fraction(energised_ms * prices.per_minute, 60_000)
    if energy_wh <= 0:
        return rounded(total, prices.rounding)
    amount = rounded(total + prices.per_session, prices.rounding)
    return max(amount, prices.minimum)
