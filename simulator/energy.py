"""The one integral of energy that each connector has.

P = U·I and ΔE = P·Δt: power is constant between two changes, so the integral is a sum
of products of integers, and it does not matter how often anybody looks. It is counted
in millijoules, because one watt during one millisecond is one millijoule: nothing is
ever rounded. The meter's register, the vehicle's battery, the price and the notes of
the trace all read this number; none of them keeps a sum of its own, so they cannot
drift apart. Whole watt-hours (3.6 million millijoules) exist only where a reader asks.
"""

from typing import Final

MJ_PER_WH: Final = 3_600_000


def whole_wh(energy_mj: int) -> int:
    """Whole watt-hours in ``energy_mj``, the rest left out, as a register shows it."""
    return energy_mj // MJ_PER_WH


class Integral:
    """Energy that has flowed through one contactor since the start of the run.

    ``rate`` (1..20) is how many times faster than life the energy flows, for devices
    that run their timers faster (device_under_test.md, ``time_scale``).
    """

    __slots__ = ("_now_ms", "_power_w", "_rate", "_total_mj")

    def __init__(self, *, rate: int = 1) -> None:
        if rate < 1:
            raise ValueError(f"energy rate: found {rate}, allowed 1 and up")
        self._rate = rate
        self._total_mj = 0
        self._power_w = 0
        self._now_ms = 0

    @property
    def total_mj(self) -> int:
        """The integral up to the last ``advance``."""
        return self._total_mj

    @property
    def power_w(self) -> int:
        return self._power_w

    def at_mj(self, now_ms: int) -> int:
        """What the integral is at ``now_ms`` if the power stays as it is."""
        elapsed_ms = max(0, now_ms - self._now_ms)
        return self._total_mj + self._power_w * self._rate * elapsed_ms

    def advance(self, now_ms: int) -> None:
        """Bring the integral up to ``now_ms``; a time in the past adds nothing."""
        if now_ms > self._now_ms:
            elapsed_ms = now_ms - self._now_ms
            self._total_mj += self._power_w * self._rate * elapsed_ms
            self._now_ms = now_ms

    def set_power(self, power_w: int) -> None:
        """From the time of the last ``advance`` on, ``power_w`` (>= 0) flows."""
        if power_w < 0:
            raise ValueError(f"power: found {power_w} W, allowed 0 and up")
        self._power_w = power_w

    def reaches_at_ms(self, total_mj: int) -> int | None:
        """First millisecond at which the integral is ``total_mj``; None when never."""
        missing_mj = total_mj - self._total_mj
        if missing_mj <= 0:
            return self._now_ms
        if not self._power_w:
            return None
        return self._now_ms - (-missing_mj // (self._power_w * self._rate))
