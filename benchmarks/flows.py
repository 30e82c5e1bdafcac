"""The flows in which things go wrong for the reference controller: a driver's visits.

Nobody in them knows of a fault; people wait, and go on as people do.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from harness.bench import Bench, CaseName
from harness.columns import COLUMNS, Column
from harness.declaration import load
from harness.places import REFERENCE
from harness.watch import sessions_of
from harness.wishes import Wishes

#: People wait so long for an approval, and for energy.
_PATIENCE_MS: Final = 20_000
_STAY_MS: Final = 40_000


def _taps(bench: Bench) -> None:
    """Tap, and wait for an answer."""
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    bench.run_until(lambda: bool(sessions_of(bench, driver)), _PATIENCE_MS)
    bench.run_for(1_000)


def _plugs(bench: Bench) -> None:
    driver = bench.driver(1)
    bench.drivers.plug(driver, 1, driver.vehicle)


def _stays(bench: Bench) -> None:
    """Wait for energy, and charge for a while."""
    view = bench.court.station.connector
    bench.run_until(lambda: view(1).power_w > 0, _PATIENCE_MS)
    bench.run_for(_STAY_MS)


def _leaves(bench: Bench) -> None:
    if 1 in bench.drivers.parked:
        bench.drivers.leave(bench.driver(1), 1)
    bench.run_for(10_000)


def _charge(bench: Bench) -> None:
    _taps(bench)
    _plugs(bench)
    _stays(bench)
    _leaves(bench)


def _plug_first(bench: Bench) -> None:
    _plugs(bench)
    bench.run_for(2_000)
    _taps(bench)
    _stays(bench)
    _leaves(bench)


def _no_start(bench: Bench) -> None:
    _taps(bench)
    bench.run_for(75_000)


def _tap_to_stop(bench: Bench) -> None:
    _taps(bench)
    _plugs(bench)
    _stays(bench)
    bench.drivers.tap(bench.driver(1), bench.driver(1).card)
    bench.run_for(10_000)
    _leaves(bench)


def _declined(bench: Bench) -> None:
    bench.drivers.tap(bench.driver(1), bench.driver(1).card)
    bench.run_for(_PATIENCE_MS)


def _with_rfid(bench: Bench) -> None:
    bench.drivers.tap(bench.driver(1), "rfid")
    bench.run_for(2_000)
    _plugs(bench)
    _stays(bench)
    _leaves(bench)


def _refused(bench: Bench) -> None:
    """The close of a charge is refused twice, if there is a charge."""
    _taps(bench)
    _plugs(bench)
    _stays(bench)
    if bench.court.station.connector(1).contactor_closed:
        bench.faults.put("refuse_close", count=2)
    _leaves(bench)
    bench.run_for(130_000)


def _raised(bench: Bench) -> None:
    """Charge until the reservation has to be raised."""
    _taps(bench)
    _plugs(bench)
    _stays(bench)
    bench.run_for(200_000)
    _leaves(bench)


def _after_a_death(bench: Bench) -> None:
    """The start after a death in the middle of a charge."""
    bench.faults.heal("controller_killed")
    bench.run_for(_PATIENCE_MS)
    _leaves(bench)


def _dies_charging(bench: Bench) -> None:
    _taps(bench)
    _plugs(bench)
    _stays(bench)
    bench.faults.put("controller_killed", for_s=0)
    bench.run_for(10_000)


def _dies_owing(bench: Bench) -> None:
    """The vehicle leaves while the controller is dead."""
    _dies_charging(bench)
    bench.drivers.leave(bench.driver(1), 1)
    bench.run_for(5_000)


def _idle(_bench: Bench) -> None:
    """Nothing goes before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A visit: what goes before, and what things go wrong in."""

    story: Callable[[Bench], None]
    before: Callable[[Bench], None] = _idle
    card: str = "visa"
    vehicle: str = "hatchback"
    claims: tuple[tuple[str, str, int | str | bool], ...] = ()
    columns: tuple[str, ...] = ("p6x", "apollo", "cps")


FLOWS: Final = {
    "charge": Flow(story=_charge),
    "no-start": Flow(story=_no_start, claims=(("timing", "plug_in_window", 60),)),
    "no-start-one": Flow(  # bound to the only connector before anybody plugs in
        story=_no_start,
        claims=(("timing", "plug_in_window", 60), ("claims", "connectors", 1)),
    ),
    "tap-to-stop": Flow(story=_tap_to_stop),
    "declined": Flow(story=_declined, card="declined"),
    "partial": Flow(story=_charge, card="partial", columns=("apollo",)),
    "raised": Flow(
        story=_raised,
        claims=(("claims", "amount_strategy", "increment"), ("tariff", "reserve", 30)),
        columns=("apollo",),
    ),
    "refused": Flow(story=_refused),
    "rfid": Flow(story=_with_rfid, claims=(("claims", "rfid", True),)),
    "plug-first": Flow(story=_plug_first),
    "start": Flow(story=_after_a_death, before=_dies_charging),
    "start-owing": Flow(story=_after_a_death, before=_dies_owing),
}


def column_named(name: str) -> Column:
    return next(column for column in COLUMNS if column.name == name)


def bench_for(flow: Flow, column: Column, *, rest_ms: int | None = None) -> Bench:
    """A bench with the reference controller and what the flow needs, still cold.

    ``rest_ms``: how long the two silences of the epilogue are; None: past the longest
    retry.
    """
    declaration = column.fit(load(REFERENCE))
    for table, key, value in flow.claims:
        declaration = declaration.replaced(table, **{key: value})
    wishes = Wishes(declaration=declaration, configurable=True)
    bench = Bench(wishes, column=column, seed=1, case=CaseName(scenario="a flow"))
    bench.allow_unknown = column.name == "apollo"
    bench.recast(1, card=flow.card, vehicle=flow.vehicle)
    if rest_ms is not None:
        ends = {"settle_ms": rest_ms, "rest_ms": rest_ms}
        bench.world.limits = replace(bench.world.limits, **ends)
    return bench
