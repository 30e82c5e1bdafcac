"""What the benchmarks have in common: a bench in a column, a driver, and a watch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Final

from harness.bench import Bench, CaseName
from harness.columns import COLUMNS, Column
from harness.declaration import load
from harness.watch import await_session
from harness.wishes import Wishes
from simulator.people import Person

REFERENCE: Final = Path(__file__).parent.parent / "controller_ref" / "declaration.toml"

__all__ = ["COLUMNS", "bench_in", "measured", "pays", "rate"]


def bench_in(column: Column, name: str) -> Bench:
    """A bench with the reference controller, ready for the first card."""
    wishes = Wishes(declaration=column.fit(load(REFERENCE)), configurable=True)
    bench = Bench(wishes, column=column, seed=1, case=CaseName(scenario=name))
    bench.open()
    return bench


def pays(bench: Bench) -> Person:
    """The first driver taps and is authorised."""
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    await_session(bench, driver)
    return driver


@contextmanager
def measured() -> Iterator[Callable[[], float]]:
    """Yields a function that tells the seconds that the block took."""
    began = perf_counter()
    ended: list[float] = []
    yield lambda: (ended[0] if ended else perf_counter()) - began
    ended.append(perf_counter())


def rate(work: Callable[[int], object], times: int, *, repeats: int = 3) -> float:
    """How often a second ``work`` can be done: the best of some repeats."""
    best = float("inf")
    for _ in range(repeats):
        began = perf_counter()
        for number in range(times):
            work(number)
        best = min(best, perf_counter() - began)
    return times / best
