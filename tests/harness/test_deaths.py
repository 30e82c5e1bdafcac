"""Wherever the reference controller dies, every session is settled all the same.

Each point of each flow, before and after, with one of the four delays in turn; all of
them are ``python -m benchmarks.deaths``.
"""

import os

import pytest

from benchmarks.deaths import (
    DELAYS_S,
    MOMENTS,
    Death,
    deaths,
    play,
    points,
    rotating,
    summary,
)
from benchmarks.flows import FLOWS
from controller_ref.core import build
from harness.columns import COLUMNS
from harness.memory_store import MemoryStore
from wire.machine import Controller, Place

#: Enough for a second close after an hour; eight days are for the benchmark.
REST_MS = 2 * 3_600_000
FEWEST_POINTS = 600
CASES = [(flow, column) for flow, one in FLOWS.items() for column in one.columns]


def planned(flow: str, column: str) -> list[Death]:
    every = rotating(deaths([flow], [column], DELAYS_S[:1]))
    return [
        Death(
            flow=one.flow,
            column=one.column,
            point=one.point,
            moment=one.moment,
            delay_s=one.delay_s,
            rest_ms=REST_MS,
        )
        for one in every
    ]


@pytest.mark.parametrize(("flow", "column"), CASES)
def test_no_death_leaves_money_behind(flow: str, column: str) -> None:
    outcomes = [play(one) for one in planned(flow, column)]
    missed = [str(one.death) for one in outcomes if not one.hit]
    assert not missed, "a death that did not hit:\n" + "\n".join(missed)
    wrong = [f"{one.death}\n{one.why}" for one in outcomes if one.why]
    assert not wrong, "\n".join(wrong[:3])


def test_every_delay_goes_with_every_moment() -> None:
    found = {(one.moment, one.delay_s) for one in planned("charge", "cps")}
    assert found == {(moment, delay) for moment in MOMENTS for delay in DELAYS_S}


def test_there_is_no_flow_without_points() -> None:
    assert {column for _, column in CASES} == {column.name for column in COLUMNS}
    found = [points(flow, column) for flow, column in CASES]
    assert all({one.what for one in some} == {"send", "write"} for some in found)
    assert sum(map(len, found)) > FEWEST_POINTS, os.linesep.join(map(str, found))


def forgetful(place: Place) -> Controller:
    """A controller that begins each life with nothing."""
    return build(
        Place(
            declaration=place.declaration,
            psp_link=place.psp_link,
            store=MemoryStore(),
            cps_url=place.cps_url,
            cps_api_key=place.cps_api_key,
            terminal_serial=place.terminal_serial,
            callback_url=place.callback_url,
        )
    )


@pytest.mark.parametrize("column", ["p6x", "apollo", "cps"])
def test_a_controller_that_forgets_is_found_out(column: str) -> None:
    sends = [
        one
        for one in planned("charge", column)
        if one.point.what == "send" and one.moment == "after"
    ]
    outcomes = [play(one, factory=forgetful) for one in sends]
    assert all(one.hit for one in outcomes)
    assert any("WRONG AMOUNT" in one.why or "LEFT OPEN" in one.why for one in outcomes)
    assert list(summary(outcomes))[-1].startswith(f"{len(sends)} deaths planned, ")
