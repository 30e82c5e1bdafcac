"""Ten hours of charging at 2 kW, with a meter reading each ten seconds."""

from benchmarks.stories import COLUMNS, bench_in, measured, pays
from harness.columns import Column
from harness.watch import bay_lines

CHARGE_MS = 10 * 3_600_000
POWER_W = 2_000


def charge(column: Column) -> str:
    bench = bench_in(column, "charging")
    driver = pays(bench)
    bench.drivers.plug(driver, 1, "estate")
    bench.run_for(10_000)
    bench.drivers.draw(driver, 1, POWER_W)
    with measured() as wall_s:
        bench.run_for(CHARGE_MS)
    assert bench.court.station.connector(1).power_w == POWER_W
    readings = sum(1 for _ in bay_lines(bench, "to_controller", "meter"))
    return (
        f"{column.title:<8} {CHARGE_MS // 1_000:>7,} s virtual  {wall_s():6.2f} s wall"
        f"  x {CHARGE_MS / 1_000 / wall_s():>10,.0f}  {readings:,} readings"
    )


def main() -> None:
    for column in COLUMNS:
        print(charge(column))


if __name__ == "__main__":
    main()
