"""Records a second that the judge judges: one long charge, and one after another."""

from benchmarks.stories import COLUMNS, bench_in, measured, pays
from harness.bench import Bench
from harness.columns import Column
from harness.epilogue import run_epilogue
from harness.judge import judge

DRIVERS = 30
STAY_MS = 600_000
LONG_MS = 6 * 3_600_000


def long_charge(column: Column) -> Bench:
    bench = bench_in(column, "one long charge")
    driver = pays(bench)
    bench.drivers.plug(driver, 1, "estate")
    bench.run_for(LONG_MS)
    return bench


def many_drivers(column: Column) -> Bench:
    bench = bench_in(column, "many drivers")
    for who in range(1, DRIVERS + 1):
        driver = bench.driver(who)
        bench.drivers.tap(driver, driver.card)
        bench.run_for(8_000)
        bench.drivers.plug(driver, 1, driver.vehicle)
        bench.run_for(STAY_MS)
        bench.drivers.leave(driver, 1)
        bench.run_for(20_000)
    return bench


def main() -> None:
    for story in (long_charge, many_drivers):
        for column in COLUMNS:
            bench = story(column)
            run_epilogue(bench)
            records = bench.trace.records
            with measured() as wall_s:
                judgement = judge(records)
            assert judgement.green, judgement.findings
            name = story.__name__.replace("_", " ")
            print(
                f"{name:<14} {column.title:<8} {len(records):>7,} records  "
                f"{len(records) / wall_s():>9,.0f} records/s  "
                f"{len(judgement.sessions)} sessions"
            )


if __name__ == "__main__":
    main()
