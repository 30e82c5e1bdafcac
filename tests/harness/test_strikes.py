"""Whatever befalls a message of the reference controller, its sessions are settled.

Each message of each flow, with one fault in turn; all of them are ``python -m
benchmarks.strikes``.
"""

from dataclasses import replace

import pytest

from benchmarks.flows import FLOWS
from benchmarks.strikes import Strike, planned, play, strikes, summary
from harness.columns import COLUMNS
from tests.harness.mistakes import moves_on_after_a_failed_commit

#: Enough for a second close after an hour; eight days are for the benchmark.
REST_MS = 2 * 3_600_000
CASES = [(flow, column) for flow, one in FLOWS.items() for column in one.columns]
#: A message that is answered by nothing in these flows: no answer can be late.
UNMET = {"delay_answer", "swallow_answer"}


def in_turn(flow: str, column: str) -> list[Strike]:
    every = planned([flow], [column], quick=True)
    return [replace(one, rest_ms=REST_MS) for one in every]


@pytest.mark.parametrize(("flow", "column"), CASES)
def test_no_strike_leaves_money_behind(flow: str, column: str) -> None:
    outcomes = [play(one) for one in in_turn(flow, column)]
    missed = {one.strike.fault for one in outcomes if not one.has_hit}
    assert missed <= UNMET
    wrong = [f"{one.strike}\n{one.why}" for one in outcomes if one.why]
    assert not wrong, "\n".join(wrong[:3])


def test_every_seam_of_every_column_is_struck() -> None:
    found = {
        column.name: {
            strike.fault.partition("_")[0]
            for flow in ("charge", "no-start")
            for every in strikes(flow, column.name)
            for strike in every
        }
        for column in COLUMNS
    }
    cable = {"cable", "ignore", "swallow", "delay", "refuse", "terminal", "bay"}
    assert found["p6x"] == cable
    assert found["apollo"] == {*cable, "tcp"}
    assert found["cps"] == {"http", "callback", "terminal", "bay"}


@pytest.mark.parametrize("column", [column.name for column in COLUMNS])
def test_a_controller_that_moves_on_is_found_out(column: str) -> None:
    closes = [
        replace(strike, rest_ms=REST_MS)
        for every in strikes("charge", column)
        for strike in every
        if strike.message in ("Commit Session", "E9")
    ]
    factory = moves_on_after_a_failed_commit
    outcomes = [play(one, factory=factory) for one in closes]
    assert any("LEFT OPEN" in one.why for one in outcomes)
    last = list(summary(outcomes))[-1]
    assert last.startswith(f"{len(closes)} strikes planned, "), last
