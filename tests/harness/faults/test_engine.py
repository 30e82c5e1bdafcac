"""The life of a fault: planned, hit, healed; one that misses decides nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import harness.world
from harness.bench import Bench
from harness.case import Case, conclude
from harness.faults.engine import MAX_IN_FORCE
from harness.watch import await_session
from simulator.faults import FaultPlanError, plan
from simulator.station import ImpossibleError

Make = Callable[..., Bench]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness.world, "RETRY_PLAN_MS", 3_600_000)


def lives(bench: Bench, name: str = "") -> list[tuple[Any, Any]]:
    return [
        (record["event"], record["name"])
        for record in bench.trace.records
        if record["kind"] == "fault" and name in ("", record["name"])
    ]


def in_force(bench: Bench) -> list[tuple[str, str, str]]:
    return [(one.fault_id, one.name, one.state) for one in bench.faults.in_force()]


def test_what_simply_happens_hits_at_once(make_bench: Make) -> None:
    bench = make_bench()
    bench.faults.put("charger_fault", connector=1, code="GroundFailure")
    assert lives(bench) == [("planned", "charger_fault"), ("hit", "charger_fault")]
    bench.faults.heal_all()
    assert lives(bench)[-1] == ("healed", "charger_fault")


def test_the_trace_says_it_in_the_words_of_the_catalogue(make_bench: Make) -> None:
    bench = make_bench()
    bench.faults.put("meter_jump", connector=2, amount=5)
    (planned, _) = [r for r in bench.trace.records if r["kind"] == "fault"]
    assert planned["detail"] == "the meter of connector 2 jumps by 5 Wh"


def test_faults_are_healed_by_their_id(make_bench: Make) -> None:
    bench = make_bench()
    first = bench.faults.inject(plan("host_down"))
    second = bench.faults.inject(plan("cable_lose", message="Reset"))
    assert (first, second) == ("F1", "F2")
    assert in_force(bench) == [
        ("F1", "host_down", "hit"),
        ("F2", "cable_lose", "planned"),
    ]
    assert bench.faults.in_force()[1].params["message"] == "Reset"
    bench.faults.heal_one(first)
    assert in_force(bench) == [("F2", "cable_lose", "planned")]
    with pytest.raises(KeyError):
        bench.faults.heal_one(first)
    bench.faults.heal_one(second)
    assert bench.lines.psp.faults == []


def test_the_last_fault_is_healed_first(make_bench: Make) -> None:
    bench = make_bench()
    bench.faults.put("bay_down")
    bench.faults.put("charger_fault", code="GroundFailure")
    bench.faults.put("charger_fault", code="OtherError")
    bench.faults.put("host_down")
    bench.faults.heal("charger_fault", code="GroundFailure")
    bench.faults.heal_all()
    healed = [r for r in bench.trace.records if r.get("event") == "healed"]
    assert [record["fault"] for record in healed] == ["F2", "F4", "F3", "F1"]
    bench.faults.heal_all()
    assert len(lives(bench)) == 12, "nothing is healed twice"


def test_what_lasts_for_a_while_heals_by_itself(make_bench: Make) -> None:
    bench = make_bench()
    bench.faults.put("host_down", for_s=30)
    bench.run_for(29_999)
    assert not bench.court.host_link_up
    bench.run_for(1)
    assert bench.court.host_link_up
    assert lives(bench)[-1] == ("healed", "host_down")
    assert in_force(bench) == []


def test_what_waits_lasts_from_its_hit_on(make_bench: Make) -> None:
    bench = make_bench()
    bench.faults.put("cable_cut_at", message="Void Session", byte=2, for_s=30)
    bench.run_for(60_000)
    assert in_force(bench) == [("F1", "cable_cut_at", "planned")]
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    await_session(bench, driver)
    assert bench.run_until(lambda: in_force(bench)[0][2] == "hit", 400_000)
    bench.run_for(29_999)
    assert bench.lines.psp.outages
    bench.run_for(1)
    assert not bench.lines.psp.outages
    assert in_force(bench) == []


def test_what_was_healed_early_is_not_healed_again(make_bench: Make) -> None:
    bench = make_bench()
    bench.faults.put("host_down", for_s=30)
    bench.faults.heal("host_down")
    bench.faults.put("host_down")
    bench.run_for(60_000)
    assert not bench.court.host_link_up


def test_what_happens_once_is_gone_with_its_hit(make_bench: Make) -> None:
    bench = make_bench()
    bench.faults.put("meter_jump")
    assert in_force(bench) == []
    bench.faults.put("store_lost_write")
    assert in_force(bench) == [("F2", "store_lost_write", "planned")]
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    await_session(bench, driver)
    bench.faults.put("controller_killed")
    assert in_force(bench) == [("F3", "controller_killed", "hit")]


def test_power_comes_back_with_the_last_cut(make_bench: Make) -> None:
    bench = make_bench()
    bench.faults.put("site_power_cut", for_s=60)
    bench.faults.put("terminal_off")
    bench.faults.put("controller_killed", for_s=90)
    bench.run_for(61_000)
    assert not bench.court.terminal.is_running
    assert not bench.device.is_alive
    assert bench.court.station.site.powered
    bench.run_for(30_000)
    assert bench.device.is_alive
    assert bench.device.boots == 2
    bench.faults.heal("terminal_off")
    bench.run_for(30_000)
    assert bench.court.terminal.is_running


def test_of_two_pilot_errors_the_other_one_stays(make_bench: Make) -> None:
    bench = make_bench()
    bench.faults.put("pilot", reason="E")
    second = bench.faults.put("pilot", reason="F")
    assert bench.court.station.connector(1).pilot == "F"
    bench.faults.heal_one(second)
    assert bench.court.station.connector(1).pilot == "E"
    bench.faults.heal_all()
    assert bench.court.station.connector(1).pilot == "A"


def test_what_waits_hits_when_it_strikes(make_bench: Make) -> None:
    bench = make_bench()
    bench.faults.put("cable_lose", direction="to_terminal", message="Void Session")
    assert lives(bench) == [("planned", "cable_lose")]
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    await_session(bench, driver)
    bench.run_for(310_000)
    assert lives(bench) == [("planned", "cable_lose"), ("hit", "cable_lose")]


@pytest.mark.parametrize("column", ["p6x", "apollo", "cps"])
def test_a_fault_that_never_hits_makes_the_case_inconclusive(
    make_bench: Make, column: str
) -> None:
    bench = make_bench(column)
    bench.faults.put("cable_lose", message="Reset")
    bench.faults.put("http_lost_before", route="E14")
    result = conclude(Case(bench=bench, tags=(), path=Path("x.feature")), None)
    assert result.conduct == "INCONCLUSIVE"
    assert not result.is_green
    assert [found.expected for found in result.findings] == [
        "the planned fault cable_lose hits",
        "the planned fault http_lost_before hits",
    ]


def test_a_trouble_hits_with_the_record_that_shows_it(make_bench: Make) -> None:
    bench = make_bench()
    bench.faults.put("refuses")
    assert lives(bench) == [("planned", "refuses")]
    driver = bench.driver(1)
    bench.drivers.plug(driver, 1, driver.vehicle)
    bench.drivers.tap(driver, driver.card)
    await_session(bench, driver)
    bench.run_for(10_000)
    assert lives(bench) == [("planned", "refuses"), ("hit", "refuses")]


def test_issuer_faults_are_in_force_together(make_bench: Make) -> None:
    bench = make_bench()
    slow = bench.faults.put("issuer_slow", delay_ms=9_000)
    bench.faults.put("issuer_silent", ask="capture")
    silent = bench.faults.put("issuer_silent")
    bench.faults.heal_one(silent)
    driver = bench.driver(1)
    bench.drivers.plug(driver, 1, driver.vehicle)
    bench.drivers.tap(driver, driver.card)
    tapped_ms = bench.now_ms
    await_session(bench, driver)
    assert bench.now_ms - tapped_ms > 9_000
    bench.faults.heal_one(slow)
    bench.run_for(60_000)
    bench.drivers.leave(driver, 1)
    bench.run_for(30_000)
    assert ("hit", "issuer_silent") in lives(bench), "still silent on captures"
    assert bench.open_sessions() == 1


def test_a_site_without_power_comes_back_as_a_whole(make_bench: Make) -> None:
    bench = make_bench()
    bench.open()
    bench.faults.put("site_power_cut")
    assert not bench.device.is_alive
    assert not bench.lines.psp.is_open
    assert not bench.lines.bay.is_open
    bench.run_for(60_000)
    bench.faults.heal_all()
    bench.run_for(60_000)
    assert bench.device.is_alive
    assert bench.lines.psp.is_open
    assert bench.lines.bay.is_open
    assert bench.device.boots == 2


def test_a_connector_that_there_is_not_changes_nothing(make_bench: Make) -> None:
    bench = make_bench()
    with pytest.raises(ImpossibleError, match=r"found 9, allowed 1\.\."):
        bench.faults.put("meter_frozen", connector=9)
    assert lives(bench) == []
    assert in_force(bench) == []


def test_what_a_device_cannot_do_changes_nothing(
    make_bench: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench()
    faults = bench.faults

    def refuse(kind: str) -> None:
        raise RuntimeError(kind)

    monkeypatch.setattr(bench.device, "fail_storage", refuse)
    with pytest.raises(RuntimeError, match="full"):
        faults.put("store_full")
    assert lives(bench) == []
    assert in_force(bench) == []


def test_the_number_of_faults_is_bounded(make_bench: Make) -> None:
    bench = make_bench()
    for _ in range(MAX_IN_FORCE):
        bench.faults.put("refuse_close")
    with pytest.raises(FaultPlanError, match="found 64, allowed 64"):
        bench.faults.put("refuse_close")
    bench.faults.heal_all()
    bench.faults.put("refuse_close")


def test_a_fault_of_an_answer_lets_all_other_answers_pass(make_bench: Make) -> None:
    bench = make_bench("apollo")
    bench.run_for(1_000)
    bench.faults.put("cable_lose", message="Get Status Response", answers="Reset")
    bench.run_for(60_000)
    assert not hits(bench)
    bench.lines.psp.reset()
    bench.run_for(20_000)
    assert hits(bench)[0]["detail"].startswith("Get Status Response to_controller")
    bench.faults.heal_all()
    assert bench.lines.psp.faults == []


def test_a_question_that_was_never_asked_leaves_nothing_behind(
    make_bench: Make,
) -> None:
    bench = make_bench("apollo")
    bench.faults.put("cable_lose", message="Result", answers="Commit Session")
    bench.faults.heal_all()
    assert bench.lines.psp.faults == []


@pytest.mark.parametrize("message", ["", "Get Status"])
def test_a_terminal_may_reboot_at_the_second_message(
    make_bench: Make, message: str
) -> None:
    bench = make_bench("apollo")
    bench.run_for(1_000)
    bench.faults.put("terminal_reboot_at", message=message, after=1, effect="lost")
    bench.run_for(20_000)
    assert not hits(bench)
    bench.run_for(15_000)
    assert len(hits(bench)) == 1
    assert not bench.court.terminal.is_running


def test_a_terminal_may_reboot_at_a_call_to_the_cloud(make_bench: Make) -> None:
    bench = make_bench("cps")
    bench.run_for(1_000)
    bench.faults.put("terminal_reboot_at", message="E4")
    assert bench.run_until(lambda: bool(hits(bench)), 120_000)
    bench.run_for(1)
    assert not bench.court.terminal.is_running


def test_a_terminal_without_extended_blocks_cannot_change_to_them(
    make_bench: Make,
) -> None:
    bench = make_bench("p6x")
    bench.faults.put("terminal_extended_blocks")
    bench.run_for(200_000)
    assert not hits(bench)


def hits(bench: Bench) -> list[Any]:
    return [
        record
        for record in bench.trace.records
        if record["kind"] == "fault" and record["event"] == "hit"
    ]
