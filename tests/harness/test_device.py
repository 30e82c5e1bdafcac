"""The controller in process: its clock, its store, its death."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.bench import STARTED_AT
from harness.declaration import SetupError
from harness.guarded import find_factory
from harness.memory_store import MemoryStore
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
    made.bench.store.failures.append("disk full")
    with pytest.raises(OSError, match="disk full"):
        place.store.save(b"never written")
    made.bench.device.kill()
    made.bench.device.start()
    assert made.controller.places[1].store.load() == b"acknowledged"


def test_a_store_begins_empty() -> None:
    assert MemoryStore().load() is None


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("full", "no space left"), ("read_only", "read-only file system")],
)
def test_a_store_that_cannot_be_written_says_why(
    rig: Make, kind: str, reason: str
) -> None:
    made = rig("apollo")
    store = made.bench.store
    heal = made.bench.device.fail_storage(kind)
    with pytest.raises(OSError, match=reason):
        store.save(b"never written")
    heal()
    store.save(b"written")
    assert store.load() == b"written"


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("torn", b"acknow"),
        ("corrupt", b"acknow" + b"\xff" * 6),
        ("lost_write", b"earlier"),
    ],
)
def test_a_death_damages_what_was_written_last(
    rig: Make, kind: str, found: bytes
) -> None:
    made = rig("apollo")
    store, device = made.bench.store, made.bench.device
    store.save(b"earlier")
    store.save(b"acknowledged")
    heal = device.fail_storage(kind)
    assert store.load() == b"acknowledged", "only a death shows it"
    device.kill()
    assert store.load() == found
    device.start()
    device.kill()
    assert store.load() == found, "it happens once"
    heal()
    assert store.load() == (found if kind == "lost_write" else None), "a new disk"


def test_damage_that_was_written_over_stays(rig: Make) -> None:
    made = rig("apollo")
    store = made.bench.store
    store.save(b"acknowledged")
    heal = made.bench.device.fail_storage("torn")
    made.bench.device.kill()
    store.save(b"a new life")
    heal()
    assert store.load() == b"a new life"


def test_damage_that_no_death_has_done_is_called_off(rig: Make) -> None:
    made = rig("apollo")
    made.bench.store.save(b"acknowledged")
    made.bench.device.fail_storage("corrupt")()
    made.bench.device.kill()
    assert made.bench.store.load() == b"acknowledged"


@pytest.mark.parametrize(
    ("shift", "ahead_ms"),
    [
        ({"seconds": 3_600}, 3_600_000),
        ({"seconds": -86_400}, -86_400_000),
        ({"seconds": 0, "ppm": 500}, 500),
        ({"seconds": 0, "ppm": -100_000}, -100_000),
    ],
)
def test_a_wrong_clock_shows_at_the_next_boot(
    rig: Make, shift: dict[str, int], ahead_ms: int
) -> None:
    made = rig("apollo")
    device = made.bench.device
    heal = device.shift_clock(**shift)
    made.bench.run_for(1_000_000)
    device.kill()
    device.start()
    heal()
    device.kill()
    device.start()
    _, wrong, right = made.controller.of(Started)
    assert wrong.wall_ms - right.wall_ms == ahead_ms
    assert right.wall_ms == made.bench.wall_ms + 1_000_000


def test_a_clock_without_a_battery_begins_in_1970(rig: Make) -> None:
    made = rig("apollo")
    made.bench.device.shift_clock(0, epoch=True)
    made.bench.run_for(1_000_000)
    made.bench.device.kill()
    made.bench.device.start()
    assert made.controller.of(Started)[-1].wall_ms == 0


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
