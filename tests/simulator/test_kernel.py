"""The kernel: order, time, and the machine that would stop it."""

from collections.abc import Sequence

import pytest

from simulator.clock import VirtualClock
from simulator.kernel import MAX_CALLS_AT_ONE_INSTANT, Kernel, Seat, TimeStandsStill


class Metronome:
    """A machine that wants to be called every ``step_ms``."""

    def __init__(self, step_ms: int) -> None:
        self.step_ms = step_ms
        self.next_ms = step_ms

    def handle(self, event: object, now_ms: int) -> Sequence[str]:
        raise AssertionError(f"nothing sends events here: {event} at {now_ms}")

    def deadline_ms(self) -> int | None:
        return self.next_ms

    def on_deadline(self, now_ms: int) -> Sequence[str]:
        self.next_ms += self.step_ms
        return [f"tick {now_ms}"]


def test_calls_of_one_instant_keep_their_order() -> None:
    kernel = Kernel(VirtualClock())
    seen: list[str] = []
    kernel.at(10, lambda: seen.append("first"))
    kernel.at(5, lambda: seen.append("earlier"))
    kernel.at(10, lambda: seen.append("second"))
    kernel.run_until(10)
    assert seen == ["earlier", "first", "second"]


def test_a_machine_is_woken_at_its_deadline_and_its_actions_are_taken() -> None:
    kernel = Kernel(VirtualClock())
    taken: list[object] = []
    kernel.add(Seat(Metronome(30), taken.extend))
    kernel.run_until(100)
    assert taken == ["tick 30", "tick 60", "tick 90"]
    assert kernel.now_ms == 100


def test_stop_holds_before_anything_happens() -> None:
    kernel = Kernel(VirtualClock())
    kernel.at(1, lambda: pytest.fail("nothing may happen"))
    assert kernel.run_until(10, stop=lambda: True)
    assert kernel.now_ms == 0


def test_stop_ends_the_run_at_the_event_that_made_it_true() -> None:
    kernel = Kernel(VirtualClock())
    seen: list[int] = []
    for at_ms in (10, 20, 30):
        kernel.at(at_ms, lambda: seen.append(kernel.now_ms))
    assert kernel.run_until(100, stop=lambda: len(seen) == 2)
    assert kernel.now_ms == 20
    assert not kernel.run_until(100, stop=lambda: len(seen) == 9)
    assert kernel.now_ms == 100


def test_what_is_scheduled_by_an_event_runs_in_the_same_run() -> None:
    kernel = Kernel(VirtualClock())
    seen: list[int] = []
    kernel.at(5, lambda: kernel.at(7, lambda: seen.append(kernel.now_ms)))
    kernel.run_until(10)
    assert seen == [7]


def test_a_machine_whose_deadline_never_moves_is_an_error_not_a_hang() -> None:
    kernel = Kernel(VirtualClock())
    kernel.add(Seat(Metronome(0), lambda _: None))
    with pytest.raises(TimeStandsStill, match="at 0 ms"):
        kernel.run_until(1)
    assert kernel.events <= MAX_CALLS_AT_ONE_INSTANT + 1


def test_a_machine_that_was_taken_out_is_not_woken() -> None:
    kernel = Kernel(VirtualClock())
    taken: list[object] = []
    seat = Seat(Metronome(30), taken.extend)
    kernel.add(seat)
    kernel.run_until(30)
    kernel.remove(seat)
    kernel.run_until(100)
    assert taken == ["tick 30"]
