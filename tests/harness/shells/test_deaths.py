"""What is said to a program that is dead is lost, on every kind of line."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.bench import Bench, CaseName
from harness.columns import COLUMNS
from harness.declaration import load
from harness.places import REFERENCE
from harness.shells.wall import WallWorld
from harness.wishes import Wishes
from wire.machine import CallHttp

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def bench_in(tmp_path: Path) -> Iterator[Callable[[str], Bench]]:
    made: list[Bench] = []

    def make(name: str) -> Bench:
        column = next(one for one in COLUMNS if one.name == name)
        path = tmp_path / "declaration.toml"
        text = REFERENCE.read_text(encoding="utf-8")
        command = f"[reach]\ncommand = {json.dumps(SLEEPER)}\n"
        path.write_text(text.replace("[reach]\n", command), encoding="utf-8")
        wishes = Wishes(declaration=column.fit(load(path)), configurable=False)
        world = WallWorld(tmp_path, path, time_scale=1)
        case = CaseName(scenario="death")
        made.append(Bench(wishes, column=column, seed=1, case=case, world=world))
        made[-1].start_device()
        return made[-1]

    yield make
    for bench in made:
        bench.close()


@pytest.mark.parametrize("column", ["p6x", "apollo"])
def test_a_death_ends_the_lines(bench_in: Callable[[str], Bench], column: str) -> None:
    bench = bench_in(column)
    for line in (bench.lines.psp, bench.lines.bay):
        if not line.is_open:
            line.open()
    bench.device.kill()
    assert not bench.lines.psp.is_open
    assert not bench.lines.bay.is_open
    ends = [r for r in bench.trace.records if r.get("reason") == "death"]
    assert {r["link"] for r in ends} == {"psp", "bay"}


def test_nobody_hears_the_answer_to_a_call_of_a_dead_program(
    bench_in: Callable[[str], Bench],
) -> None:
    """Whether it was killed after the call or before the call was read."""
    bench = bench_in("cps")
    head = (("Authorization", f"CPS apikey={bench.api_key}"),)
    call = CallHttp(
        call_id=1, method="GET", target="/terminals", headers=head, timeout_ms=60_000
    )
    bench.lines.cloud.call(call)
    bench.device.kill()
    bench.lines.cloud.call(call)
    bench.run_until(
        lambda: sum(r["kind"] == "http_answer" for r in bench.trace.records) == 2,
        10_000,
    )
    answers = [r for r in bench.trace.records if r["kind"] == "http_answer"]
    assert [r["fate"] for r in answers] == ["lost", "lost"]
