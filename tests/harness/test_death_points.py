"""A controller dies right before or after something that it sends or writes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from harness.bench import Bench, NotReached
from harness.deaths import Died, Doom, names_in
from harness.line_faults import Turn
from harness.watch import closes_between, last_death
from wire.machine import Action, AnswerCallback, Fact, Link, Place, SendBytes, Started

MakeBench = Callable[..., Bench]
LINES = (b'{"type":"hello"}\n', b'{"type":"alarm"}\n{"type":"lock"}\n', b"[]\n?\n")
WRAP_MS = 1 << 32


class Writer:
    """Writes, speaks, writes and speaks at its start; nothing later."""

    def __init__(self, place: Place, *, early: bool = False) -> None:
        self._store = place.store
        self.heard: list[int] = []
        if early:
            place.store.save(b"before the start")

    def handle(self, event: Fact, now_ms: int) -> Sequence[Action]:
        self.heard.append(now_ms)
        if not isinstance(event, Started):
            return ()
        self._store.save(b"one")
        self._store.save(b"two")
        lines = [SendBytes(link=Link.BAY, data=data) for data in LINES]
        return (*lines, AnswerCallback(callback_id=1, status=200))

    def deadline_ms(self) -> int | None:
        return None

    def on_deadline(self, now_ms: int) -> Sequence[Action]:
        self._store.save(b"late")
        return ()


class Swallower(Writer):
    """Catches whatever its storage throws at it."""

    def handle(self, event: Fact, now_ms: int) -> Sequence[Action]:
        try:
            return super().handle(event, now_ms)
        except BaseException:  # noqa: BLE001 - the mistake that is tried here
            return (SendBytes(link=Link.BAY, data=LINES[0]),)


@pytest.fixture
def doomed(make_bench: MakeBench) -> Callable[..., tuple[Bench, list[str]]]:
    """A controller that dies at its start; what it died of."""

    def make(
        moment: Any,
        what: str,
        *,
        after: int = 0,
        factory: Callable[[Place], Any] = Writer,
    ) -> tuple[Bench, list[str]]:
        bench = make_bench("apollo", factory=factory)
        bench.court.outbox = bench.lines
        struck: list[str] = []
        doom = Doom(
            moment=moment, what=what, turn=Turn(after=after), strike=struck.append
        )
        bench.device.die_at(doom)
        bench.lines.bay.open()
        bench.run_for(10)
        bench.device.start()
        bench.run_for(10)
        return bench, struck

    return make


def said(bench: Bench) -> list[str]:
    return [
        str(record["line"].get("type"))  # type: ignore[attr-defined]  # lines are dicts
        for record in bench.trace.records
        if record["kind"] == "bay" and record["direction"] == "to_charger"
    ]


@dataclass(frozen=True)
class Row:
    """A point, and what is left of a death there."""

    moment: str
    what: str
    after: int
    struck: str
    kept: bytes | None
    #: Lines that have arrived at the charger.
    lines: int


# fmt: off
POINTS = (
    Row("before", "write", 0, "before write, number 1", None, 0),
    Row("after", "write", 0, "after write, number 1", b"one", 0),
    Row("before", "write", 1, "before write, number 2", b"one", 0),
    Row("after", "write", 1, "after write, number 2", b"two", 0),
    Row("before", "hello", 0, "before hello, number 1", b"two", 0),
    Row("after", "send", 0, "after hello, number 1", b"two", 1),
    Row("before", "lock", 0, "before alarm and lock, number 1", b"two", 1),
    Row("after", "send", 1, "after alarm and lock, number 2", b"two", 3),
    Row("before", "?", 0, "before ? and ?, number 1", b"two", 3),
    Row("after", "callback answer", 0, "after callback answer, number 1", b"two", 5),
)
# fmt: on


@pytest.mark.parametrize("row", POINTS, ids=lambda row: row.struck)
def test_it_dies_at_its_point(
    doomed: Callable[..., tuple[Bench, list[str]]], row: Row
) -> None:
    bench, told = doomed(row.moment, row.what, after=row.after)
    assert told == [row.struck]
    assert not bench.device.is_alive
    assert bench.store.load() == row.kept
    assert len(said(bench)) == row.lines, "what it had said arrives, the rest does not"
    downs = [r for r in bench.trace.records if r.get("reason") == "death"]
    assert downs, "its lines close behind it"
    bench.device.start()
    assert bench.device.is_alive
    assert bench.store.load() == b"two"


def test_it_may_die_before_it_has_begun(
    doomed: Callable[..., tuple[Bench, list[str]]],
) -> None:
    bench, told = doomed(
        "after", "write", factory=lambda place: Writer(place, early=True)
    )
    assert told == ["after write, number 1"]
    assert bench.store.load() == b"before the start"
    bench.device.start()
    assert bench.store.load() == b"two"


def test_nobody_survives_by_catching_everything(
    doomed: Callable[..., tuple[Bench, list[str]]],
) -> None:
    bench, told = doomed("before", "write", factory=Swallower)
    assert told == ["before write, number 1"]
    assert said(bench) == []
    assert not bench.device.is_alive


def test_a_death_is_no_error_that_can_be_handled() -> None:
    assert not issubclass(Died, Exception)


def test_a_point_that_is_taken_back_or_asleep_never_comes(
    make_bench: MakeBench,
) -> None:
    bench = make_bench("apollo", factory=Writer)
    bench.court.outbox = bench.lines
    asleep = Doom(moment="before", what="write", turn=Turn(), strike=pytest.fail)
    asleep.is_asleep = True
    bench.device.die_at(asleep)
    gone = Doom(moment="before", what="send", turn=Turn(), strike=pytest.fail)
    bench.device.die_at(gone)()
    bench.device.start()
    assert bench.device.is_alive


def test_the_counter_passes_its_end_after_the_next_start(
    make_bench: MakeBench,
) -> None:
    lives: list[Writer] = []

    def build(place: Place) -> Writer:
        lives.append(Writer(place))
        return lives[-1]

    bench = make_bench("apollo", factory=build)
    bench.court.outbox = bench.lines
    passed: list[str] = []
    heal = bench.device.wrap_counter(60_000, passed=passed.append)
    bench.device.start()
    bench.run_for(59_000)
    assert lives[0].heard == [WRAP_MS - 60_000]
    assert passed == []
    bench.run_for(2_000)
    assert passed == [f"the counter of boot 1 passes {WRAP_MS} ms"]
    heal()
    bench.device.kill()
    bench.device.start()
    assert lives[1].heard == [0]
    bench.run_for(120_000)
    assert len(passed) == 1


def test_a_life_that_ends_before_passes_nothing(make_bench: MakeBench) -> None:
    bench = make_bench("apollo", factory=Writer)
    bench.court.outbox = bench.lines
    bench.device.wrap_counter(60_000, passed=pytest.fail)
    bench.device.start()
    bench.device.kill()
    bench.run_for(120_000)


def test_what_is_said_has_the_names_of_its_protocol() -> None:
    message = {"message": "Auth Session", "fields": {}}
    records: dict[str, dict[str, Any]] = {
        "Auth Session": {"kind": "psp", "direction": "to_terminal"},
        "lock": {"kind": "bay", "direction": "to_charger", "line": {"type": "lock"}},
        "E12": {"kind": "http", "route": "E12-set"},
        "callback answer": {"kind": "callback_answer"},
        "": {"kind": "psp", "direction": "to_controller"},
    }
    for name, record in records.items():
        found = names_in({"messages": [message], **record})
        assert list(found) == ([name] if name else [])
    raw = {"kind": "bay", "direction": "to_charger", "line": "noise"}
    assert list(names_in(raw)) == []


def test_a_death_that_has_not_come_has_no_time(make_bench: MakeBench) -> None:
    bench = make_bench("cps")
    bench.open()
    with pytest.raises(NotReached, match="has not died"):
        last_death(bench)
    bench.faults.put("controller_killed", for_s=5)
    bench.run_for(6_000)
    died_ms, started_ms = last_death(bench)
    assert started_ms == died_ms + 5_000
    assert closes_between(bench, 0, bench.now_ms) == 0


def test_a_damaged_storage_that_was_empty_is_no_hit(make_bench: MakeBench) -> None:
    bench = make_bench("apollo")
    bench.open()
    bench.faults.put("store_corrupt")
    bench.faults.put("controller_killed", for_s=5)
    bench.run_for(6_000)
    states = {one.name: one.state for one in bench.faults.in_force()}
    assert states["store_corrupt"] == "planned"
