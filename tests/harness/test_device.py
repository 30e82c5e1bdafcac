"""The controller in process: its clock, its store, its death."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.bench import STARTED_AT
from harness.declaration import SetupError
from harness.device import MemoryStore, find_factory
from wire.machine import LinkClosed, LinkOpened, Started

Make = Callable[[str], Any]


def test_each_boot_begins_at_zero_with_the_time_of_day(rig: Make) -> None:
    made = rig("apollo")
    made.bench.run_for(90_000)
    made.bench.device.kill()
    assert not made.bench.device.is_alive
    made.bench.run_for(10_000)
    made.bench.device.start()
    starts = [(at, fact) for at, fact in made.controller.heard if type(fact) is Started]
    began_ms = int(STARTED_AT.timestamp() * 1000)
    assert starts == [
        (0, Started(boot=1, wall_ms=began_ms)),
        (0, Started(boot=2, wall_ms=began_ms + 100_000)),
    ]
    events = [(r["event"], r["boot"]) for r in made.records("controller")]
    assert events == [("started", 1), ("killed", 1), ("started", 2)]


def test_a_dead_controller_hears_nothing(rig: Make) -> None:
    made = rig("apollo")
    made.bench.lines.psp.open()
    made.bench.lines.bay.open()
    made.bench.device.kill()
    made.bench.run_for(1_000)
    assert made.controller.of(LinkOpened) == []
    assert made.controller.of(LinkClosed) == []
    assert {record["state"] for record in made.records("link")} == {"up", "down"}
    assert [r["reason"] for r in made.records("link") if "reason" in r] == ["death"] * 2


def test_what_was_saved_survives_and_nothing_else(rig: Make) -> None:
    made = rig("apollo")
    (place,) = made.controller.places
    place.store.save(b"acknowledged")
    made.bench.store.fault = "disk full"
    with pytest.raises(OSError, match="disk full"):
        place.store.save(b"never written")
    made.bench.device.kill()
    made.bench.device.start()
    assert made.controller.places[1].store.load() == b"acknowledged"


def test_a_store_begins_empty() -> None:
    assert MemoryStore().load() is None


@pytest.mark.parametrize(
    "name", ["nowhere:build", "controller_ref.core:nothing", ":", ""]
)
def test_a_factory_that_cannot_be_imported_is_a_setup_error(name: str) -> None:
    with pytest.raises(SetupError, match=r"allowed is package\.module:factory"):
        find_factory(name)


def test_a_factory_is_found_by_its_name() -> None:
    from controller_ref.core import build

    assert find_factory("controller_ref.core:build") is build


@dataclass
class Ticking:
    """Wants to be called at a time of its own clock."""

    called: list[int] = field(default_factory=list)

    def handle(self, event: Any, now_ms: int) -> tuple[()]:
        return ()

    def deadline_ms(self) -> int | None:
        return None if self.called else 2_000

    def on_deadline(self, now_ms: int) -> tuple[()]:
        self.called.append(now_ms)
        return ()


def test_deadlines_are_those_of_the_controllers_own_clock(make_bench: Any) -> None:
    lives: list[Ticking] = []

    def build(place: Any) -> Ticking:
        lives.append(Ticking())
        return lives[-1]

    bench = make_bench("apollo", factory=build)
    bench.court.outbox = bench.device
    bench.kernel.add(bench.device.seat)
    bench.device.start()
    bench.run_for(1_000)
    bench.device.kill()
    bench.run_for(10_000)
    bench.device.start()
    bench.run_for(5_000)
    assert [life.called for life in lives] == [[], [2_000]]
