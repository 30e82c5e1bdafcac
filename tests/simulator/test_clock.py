"""The clocks: one that jumps, one that waits."""

from simulator.clock import VirtualClock, WallClock


def test_the_virtual_clock_jumps_and_never_goes_back() -> None:
    clock = VirtualClock()
    clock.wait_until(691_500_000)
    assert clock.now_ms == 691_500_000
    clock.wait_until(5)
    assert clock.now_ms == 691_500_000


def test_the_wall_clock_waits() -> None:
    clock = WallClock()
    clock.wait_until(clock.now_ms + 5)
    assert clock.now_ms >= 5
    before_ms = clock.now_ms
    clock.wait_until(0)
    assert clock.now_ms - before_ms < 1000
