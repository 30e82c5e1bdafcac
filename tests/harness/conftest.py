"""A bench whose controller does nothing by itself: tests speak for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

import harness.world
from harness.bench import Bench, CaseName
from harness.columns import COLUMNS
from harness.declaration import load
from harness.epilogue import run_epilogue
from harness.judge import Conduct, Settlement, judge
from harness.places import REFERENCE
from harness.wishes import Wishes
from wire.machine import Action, ControllerFactory, Fact, Place


@dataclass
class Silent:
    """A controller that hears everything and says nothing."""

    heard: list[tuple[int, Fact]] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)

    def build(self, place: Place) -> "Silent":
        self.places.append(place)
        return self

    def handle(self, event: Fact, now_ms: int) -> Sequence[Action]:
        self.heard.append((now_ms, event))
        return ()

    def deadline_ms(self) -> int | None:
        return None

    def on_deadline(self, now_ms: int) -> Sequence[Action]:
        return ()

    def of(self, kind: type[Fact]) -> list[Any]:
        """The facts of one kind, in their order."""
        return [fact for _, fact in self.heard if isinstance(fact, kind)]


@dataclass
class Rig:
    """A bench with its lines connected, and the controller that listens."""

    bench: Bench
    controller: Silent

    def records(self, kind: str) -> list[dict[str, Any]]:
        return [dict(r) for r in self.bench.trace.records if r["kind"] == kind]


MakeBench = Callable[..., Bench]


@pytest.fixture
def make_bench() -> MakeBench:
    """A cold bench: a column, a seed, perhaps another controller or a fixed one."""

    def make(
        column: str = "apollo",
        *,
        seed: int = 1,
        factory: ControllerFactory | None = None,
        configurable: bool = True,
        **claims: Any,
    ) -> Bench:
        found = next(one for one in COLUMNS if one.name == column)
        declaration = found.fit(load(REFERENCE))
        for table in ("claims", "reach"):
            known = {k: v for k, v in claims.items() if k in declaration.tables[table]}
            declaration = declaration.replaced(table, **known)
        wishes = Wishes(
            declaration=declaration, configurable=configurable, factory=factory
        )
        return Bench(wishes, column=found, seed=seed, case=CaseName(scenario="a case"))

    return make


@pytest.fixture
def rig(make_bench: MakeBench) -> Callable[[str], Rig]:
    """Lines, forecourt and a silent controller that has just been started."""

    def make(column: str) -> Rig:
        controller = Silent()
        bench = make_bench(column, factory=controller.build)
        bench.court.outbox = bench.lines
        bench.device.start()
        return Rig(bench, controller)

    return make


#: Long enough for a session to be left open; eight days add nothing but time.
PATIENCE_MS = 2 * 3_600_000


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits a week for a wrong controller."""
    monkeypatch.setattr(harness.world, "RETRY_PLAN_MS", PATIENCE_MS)


def settles(bench: Bench) -> None:
    """Play the epilogue, and demand that all is well."""
    run_epilogue(bench)
    verdict = judge(bench.trace.records)
    assert verdict.findings == ()
    assert (verdict.conduct, verdict.settlement) == (Conduct.PASS, Settlement.CLOSED)
