"""What a line tells of a connection concerns whoever had it, and nobody after."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from harness.bay_line import BayLine
from harness.bench import Bench, CaseName
from harness.columns import COLUMNS
from harness.declaration import load
from harness.psp_line import PspLine
from harness.wishes import Wishes
from wire.machine import Fact, Link, LinkClosed, LinkOpened

REFERENCE: Final = Path(__file__).parents[2] / "controller_ref" / "declaration.toml"
APOLLO: Final = COLUMNS[1]

Line = PspLine | BayLine


@pytest.fixture
def bench() -> Bench:
    wishes = Wishes(declaration=APOLLO.fit(load(REFERENCE)), configurable=True)
    return Bench(wishes, column=APOLLO, seed=1, case=CaseName())


@pytest.fixture
def heard(bench: Bench) -> list[Fact]:
    found: list[Fact] = []
    bench.lines.psp.deliver = bench.lines.bay.deliver = found.append
    return found


def _lose_bay(line: Line) -> None:
    assert isinstance(line, BayLine)
    line.lose()
    line.restore()


def _reset_psp(line: Line) -> None:
    assert isinstance(line, PspLine)
    line.hang_up("reset")


LOSSES: Final = [
    pytest.param(Link.BAY, _lose_bay, "closed", id="bay"),
    pytest.param(Link.PSP, _reset_psp, "reset", id="psp"),
]


def line_of(bench: Bench, link: Link) -> Line:
    return bench.lines.psp if link is Link.PSP else bench.lines.bay


@pytest.mark.parametrize(("link", "lose", "reason"), LOSSES)
def test_a_loss_is_told(
    bench: Bench,
    heard: list[Fact],
    link: Link,
    lose: Callable[[Line], None],
    reason: str,
) -> None:
    line = line_of(bench, link)
    line.open()
    bench.run_for(10)
    lose(line)
    bench.run_for(10)
    opened, closed = (fact for fact in heard if not hasattr(fact, "data"))
    assert opened == LinkOpened(link=link)
    assert isinstance(closed, LinkClosed)
    assert closed.reason == reason


@pytest.mark.parametrize(("link", "lose", "_reason"), LOSSES)
def test_a_loss_is_not_told_to_the_next_life(
    bench: Bench,
    heard: list[Fact],
    link: Link,
    lose: Callable[[Line], None],
    _reason: str,
) -> None:
    line = line_of(bench, link)
    line.open()
    bench.run_for(10)
    lose(line)
    line.close("death")
    heard.clear()
    line.open()
    bench.run_for(10)
    assert [fact for fact in heard if not hasattr(fact, "data")] == [
        LinkOpened(link=link)
    ]


@pytest.mark.parametrize("link", list(Link))
def test_a_refusal_is_not_told_to_the_next_life(
    bench: Bench, heard: list[Fact], link: Link
) -> None:
    bench.lines.bay.is_refused = True
    bench.lines.psp.terminal_powered = False
    line = line_of(bench, link)
    line.open()
    line.close("death")
    bench.run_for(10)
    assert heard == []


@pytest.mark.parametrize("link", list(Link))
def test_nobody_hears_of_a_connection_that_was_given_up(
    bench: Bench, heard: list[Fact], link: Link
) -> None:
    line = line_of(bench, link)
    line.open()
    line.close()
    bench.run_for(10)
    assert heard == []
