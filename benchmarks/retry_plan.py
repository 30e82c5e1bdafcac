"""Eight days of retries: the terminal refuses a close until the plan is exhausted."""

from benchmarks.stories import COLUMNS, bench_in, measured, pays
from harness.columns import Column
from harness.watch import alarms, count_messages
from harness.world import MARGIN_MS, RETRY_PLAN_MS

#: The first attempt and 5 + 24 + 7 repeats.
ATTEMPTS = 37


def exhaust(column: Column) -> str:
    bench = bench_in(column, "retry plan")
    bench.faults.put("refuse_close", count=0)
    pays(bench)
    window_ms = bench.declaration.number("timing", "plug_in_window") * 1_000
    virtual_ms = window_ms + RETRY_PLAN_MS + MARGIN_MS
    with measured() as wall_s:
        bench.run_for(virtual_ms)
    closes = count_messages(
        bench, "Commit Session", "Void Session", routes=("E9", "E10")
    )
    assert closes == ATTEMPTS, f"{column.name}: found {closes}, allowed {ATTEMPTS}"
    missing = {"close_failed", "close_exhausted"} - set(alarms(bench))
    assert not missing, f"{column.name}: no alarm {missing}"
    return (
        f"{column.title:<8} {virtual_ms // 1_000:>9,} s virtual  {wall_s():6.2f} s wall"
        f"  x {virtual_ms / 1_000 / wall_s():>12,.0f}  {closes} closes  "
        f"{len(bench.trace.records):,} records"
    )


def main() -> None:
    for column in COLUMNS:
        print(exhaust(column))


if __name__ == "__main__":
    main()
