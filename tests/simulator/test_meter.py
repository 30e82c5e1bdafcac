"""The meter shows an integral, and refuses a register that cannot be."""

import pytest

from simulator.energy import Integral
from simulator.meter import Meter


def test_the_register_goes_on_from_what_it_was() -> None:
    integral = Integral()
    meter = Meter(integral, initial_wh=148_200)
    integral.set_power(3_600)
    assert meter.true_wh(10_000) == meter.shown_wh(10_000) == 148_210
    assert meter.reading(999) == (148_200, 3_600)


def test_a_register_below_zero_is_named() -> None:
    with pytest.raises(ValueError, match="found -1 Wh, allowed 0 and up"):
        Meter(Integral(), initial_wh=-1)


def test_a_meter_that_has_said_nothing_freezes_at_what_it_shows() -> None:
    integral = Integral()
    meter = Meter(integral, initial_wh=7)
    meter.frozen = True
    meter.hold(0)
    integral.set_power(3_600_000)
    assert (meter.shown_wh(1_000), meter.true_wh(1_000)) == (7, 1_007)
    meter.frozen = False
    meter.hold(1_000)
    assert meter.shown_wh(1_000) == 1_007
