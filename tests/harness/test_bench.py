"""The bench: cold until it is needed, then a controller that must be ready in time."""

from collections.abc import Callable
from typing import Any

import pytest

from harness.bench import WARM_UP_MS, Bench
from harness.declaration import NotClaimed, SetupError

Make = Callable[..., Bench]
COLUMNS = ("p6x", "apollo", "cps")


@pytest.mark.parametrize("column", COLUMNS)
def test_opening_boots_the_controller_and_waits(make_bench: Make, column: str) -> None:
    bench = make_bench(column)
    assert bench.trace.records == []
    bench.open()
    bench.open()
    kinds = [record["kind"] for record in bench.trace.records]
    assert kinds[:2] == ["run", "controller"]
    assert kinds.count("run") == 1
    events = [r["event"] for r in bench.trace.records if r["kind"] == "controller"]
    assert events == ["started", "ready"]
    assert bench.since_ms == bench.now_ms >= WARM_UP_MS


@pytest.mark.parametrize(
    ("column", "missing"),
    [
        ("p6x", "no hello on the bay link, the set-up sequence did not reach ENABLED"),
        ("apollo", "no hello on the bay link, the set-up sequence did not"),
        ("cps", "no hello on the bay link, no call with the right API key"),
    ],
)
def test_a_controller_that_is_never_ready_is_a_setup_error(
    rig: Callable[[str], Any], make_bench: Make, column: str, missing: str
) -> None:
    controller = rig(column).controller
    bench = make_bench(column, factory=controller.build, ready_within=7)
    with pytest.raises(SetupError, match=f"not ready within 7 s: {missing}"):
        bench.open()
    assert bench.now_ms == 7_000


# --- Claims -----------------------------------------------------------------------


def test_a_configurable_controller_takes_any_claim(make_bench: Make) -> None:
    bench = make_bench()
    bench.wishes.claim("claims", "ventilation", value=True)
    bench.wishes.claim("tariff", "reserve", value=1000)
    bench.wishes.claim_one_of("stop", "tap")
    assert bench.declaration.flag("claims", "ventilation")
    assert bench.declaration.number("tariff", "reserve") == 1000


def test_a_wrong_value_of_a_claim_is_a_setup_error(make_bench: Make) -> None:
    with pytest.raises(SetupError, match="found 0, allowed is a whole number from 1"):
        make_bench().wishes.claim("tariff", "reserve", value=0)


def test_a_list_of_claims_grows_by_one_word(make_bench: Make) -> None:
    bench = make_bench(start=("tap",))
    bench.wishes.claim_one_of("start", "plug")
    assert bench.declaration.listed("claims", "start") == ("tap", "plug")


def test_a_fixed_declaration_claims_what_it_claims(make_bench: Make) -> None:
    bench = make_bench(configurable=False, start=("tap",))
    bench.wishes.claim("claims", "ventilation", value=False)
    bench.wishes.claim_one_of("start", "tap")
    with pytest.raises(NotClaimed, match=r"\[claims\] ventilation: declared False"):
        bench.wishes.claim("claims", "ventilation", value=True)
    with pytest.raises(NotClaimed, match=r"\[claims\] start: declared \('tap',\)"):
        bench.wishes.claim_one_of("start", "ui")


# --- People and numbers -----------------------------------------------------------


def test_drivers_are_people_of_their_own_and_stay_the_same(make_bench: Make) -> None:
    bench = make_bench()
    second = bench.driver(2)
    assert bench.driver(1) != second
    assert bench.driver(2) is second
    assert bench.driver(1).card != second.card
    bench.recast(2, card="wallet")
    assert bench.driver(2).card == "wallet"
    assert bench.driver(2).name == second.name


def test_a_number_of_the_case_follows_the_seed(make_bench: Make) -> None:
    drawn = [make_bench(seed=seed).draw_number("stay", 0, 10**9) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_columns_do_not_share_their_chance(make_bench: Make) -> None:
    drawn = {make_bench(column).draw_number("stay", 0, 10**9) for column in COLUMNS}
    assert len(drawn) == 3


def test_the_api_key_is_the_same_in_all_cases_of_a_run(make_bench: Make) -> None:
    keys = {make_bench(column, seed=4).api_key for column in COLUMNS}
    assert len(keys) == 1
    assert keys != {make_bench(seed=5).api_key}


def test_the_first_record_says_what_is_played(make_bench: Make) -> None:
    bench = make_bench("cps", seed=9)
    bench.open()
    first = bench.trace.records[0]
    assert (first["scenario"], first["column"], first["seed"]) == ("a case", "cps", 9)
    assert first["started_at"] == "2026-03-04T09:00:00+00:00"
    assert bench.api_key not in bench.trace.render()
