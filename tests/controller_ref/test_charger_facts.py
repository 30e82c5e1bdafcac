"""What the charger's lines do to a session; the bay link itself."""

from collections.abc import Callable
from typing import Any

import pytest

from wire.machine import BytesReceived, Link, OpenLink
from wire.psp import State

CARD, OTHER_CARD = "A1" * 20, "B2" * 20
Make = Callable[..., Any]
VOID = [("void", 0)]


class TestLink:
    def test_hello_then_obeys(self, rig_of: Make) -> None:
        rig = rig_of().boot()
        assert rig.charger.heard[0]["type"] == "hello"
        assert rig.charger.told("show")[0]["kind"] == "price"
        assert rig.charger.told("show")[0]["amount_minor"] == 5000

    def test_answers_pings_and_ignores_rubbish(self, rig_of: Make) -> None:
        rig = rig_of().boot().bay({"type": "ping", "n": 7})
        for data in (b"no json\n", b'{"type":"lost"}\n', b'{"type":"plug"}\n'):
            rig.fact(BytesReceived(link=Link.BAY, data=data))
        for line in ({"type": "news"}, {"type": "plug", "connector": 9, "pilot": "B"}):
            rig.bay(line)
        rig.bay({"type": "meter", "connector": "1"})
        assert rig.charger.told("pong") == [{"type": "pong", "n": 7}]
        rig.tap()
        assert rig.charger.codes() == ["plug_in"]

    def test_comes_back_ever_more_slowly(self, rig_of: Make) -> None:
        rig = rig_of().boot()
        rig.charger.is_reachable = False
        rig.hang_up(Link.BAY).run(600_000)
        opened = [each for each in rig.actions if each == OpenLink(link=Link.BAY)]
        assert 20 < len(opened) < 30

    def test_alarms_wait_for_it(self, rig_of: Make) -> None:
        rig = rig_of().boot().tap().plug().charge(100)
        rig.charger.is_reachable = False
        rig.hang_up(Link.BAY).run(610_000)
        assert rig.charger.alarms() == []
        rig.charger.is_reachable = True
        rig.run(31_000)
        assert rig.charger.alarms()[0] == "other"


class TestStarting:
    @pytest.mark.parametrize("command", ["lock", "contactor"])
    def test_rejected(self, rig_of: Make, command: str) -> None:
        rig = rig_of().boot().plug()
        line = {"type": "rejected", "connector": 1, "command": command, "reason": "no"}
        rig.charger.rules[command] = lambda it: (
            [line] if it.get("close") or it.get("locked") else []
        )
        rig.tap().run(1_000)
        assert rig.closes == VOID

    def test_the_chargers_own_time_out(self, rig_of: Make) -> None:
        rig = rig_of().boot().tap()
        line = {"type": "rejected", "connector": 1, "command": "lock", "reason": "late"}
        rig.bay(line).run(1_000)
        assert rig.closes == VOID
        rig.bay(line).run(1_000)
        assert rig.closes == VOID

    @pytest.mark.parametrize("command", ["lock", "contactor"])
    def test_no_feedback(self, rig_of: Make, command: str) -> None:
        rig = rig_of().boot().plug()
        rig.charger.rules[command] = lambda _: []
        rig.tap().run(25_000)
        assert rig.closes == VOID
        assert "contactor" in rig.charger.alarms()

    def test_contradicting_feedback(self, rig_of: Make) -> None:
        rig = rig_of().boot().plug()
        contactor = {"type": "contactor", "connector": 1, "closed": False}
        rig.charger.rules["contactor"] = lambda _: [contactor]
        rig.tap().run(3_000)
        assert rig.closes == VOID
        assert rig.charger.alarms() == ["contactor"]

    def test_the_lock_fails(self, rig_of: Make) -> None:
        rig = rig_of().boot().plug()
        lock = {"type": "lock", "connector": 1, "locked": False}
        rig.charger.rules["lock"] = lambda _: [lock]
        rig.tap().run(3_000)
        assert rig.closes == VOID
        assert rig.charger.commands() == []

    def test_the_answer_to_an_older_unlock_is_no_failure(self, rig_of: Make) -> None:
        """The plug comes before the charger has answered the unlock of the approval."""
        rig = rig_of().boot()
        rig.charger.rules["lock"] = lambda _: []
        rig.tap().pilot("B").run(100)
        assert [line["locked"] for line in rig.charger.told("lock")] == [False, True]
        for locked in (False, True):
            rig.bay({"type": "lock", "connector": 1, "locked": locked})
        rig.pilot("C").run(1_000)
        assert rig.charger.commands() == [True]
        assert rig.closes == []

    def test_a_plug_that_comes_and_goes(self, rig_of: Make) -> None:
        rig = rig_of().boot().tap().pilot("B").run(100).pilot("A").run(3_000)
        rig.pilot("B").run(3_000).pilot("C").run(1_000)
        assert rig.charger.commands() == [True]
        assert rig.closes == []

    def test_a_plug_that_goes(self, rig_of: Make) -> None:
        rig = rig_of().boot().tap().pilot("B").run(100).pilot("A").run(5_000)
        assert rig.closes == VOID

    @pytest.mark.parametrize("pilot", ["D", "E", "F"])
    def test_pilots_that_forbid_it(self, rig_of: Make, pilot: str) -> None:
        rig = rig_of().boot().tap().pilot("B").run(100).pilot(pilot).run(3_000)
        assert rig.closes == VOID

    def test_with_ventilation(self, rig_of: Make) -> None:
        rig = rig_of(ventilation=True).boot().tap().pilot("B").run(100).pilot("D")
        rig.run(1_000)
        assert rig.charger.commands() == [True]

    def test_out_of_service(self, rig_of: Make) -> None:
        line = {"type": "available", "connector": 1, "available": False}
        rig = rig_of(connectors=2).boot().press("start").tap().bay(line).run(1_000)
        assert rig.closes == VOID
        assert rig.terminal.state == State.WAIT_CARD

    def test_a_station_out_of_service_rests(self, rig_of: Make) -> None:
        line = {"type": "available", "connector": 1, "available": False}
        rig = rig_of().boot().tap().bay(line).run(1_000)
        assert rig.closes == VOID
        heard = len(rig.terminal.heard)
        rig.run(3_600_000)
        assert len(rig.terminal.heard) == heard
        rig.bay({**line, "available": True}).run(1_000)
        assert rig.terminal.state == State.WAIT_CARD

    def test_a_fault_of_the_station_leaves_no_place(self, rig_of: Make) -> None:
        rig = rig_of(connectors=2).boot().tap().fault("InternalError", connector=1)
        assert rig.closes == []
        rig.fault("InternalError", connector=2)
        assert rig.closes == VOID
        rig.fault("InternalError", connector=2, active=False).tap()
        assert rig.charger.codes()[-1] == "plug_in"

    def test_the_fault_comes_while_the_issuer_decides(self, rig_of: Make) -> None:
        rig = rig_of().boot().plug()
        rig.tap(settle_ms=0)
        rig.later(lambda: rig.fault("GroundFailure"), 0)
        rig.run(1_000)
        assert [amount for _, amount in rig.closes] == [0]

    def test_two_drivers_in_their_order(self, rig_of: Make) -> None:
        rig = rig_of(connectors=2).boot().tap().run(4_000).tap(OTHER_CARD)
        rig.plug(2).plug(1).charge(300, 2).unplug(2).run(1_000)
        [first] = rig.terminal.closed
        assert first[0] == 41

    def test_more_approvals_than_places(self, rig_of: Make) -> None:
        rig = rig_of(connectors=2).boot().tap().run(4_000).tap(OTHER_CARD)
        rig.fault("GroundFailure", connector=2)
        assert [session_id for session_id, _, _ in rig.terminal.closed] == [42]

    def test_a_served_vehicle_is_not_meant(self, rig_of: Make) -> None:
        rig = rig_of(connectors=2).boot().plug().tap().charge(100).tap().run(5_000)
        rig.tap(OTHER_CARD).plug(2)
        assert rig.charger.told("contactor")[-1]["connector"] == 2


class TestBaySensor:
    def _bay(self, rig: Any, connector: int, *, occupied: bool) -> Any:
        line = {"type": "bay", "connector": connector, "occupied": occupied}
        return rig.bay(line).run(1_000)

    def test_an_empty_bay_releases(self, rig_of: Make) -> None:
        rig = rig_of(connectors=2, bay_sensor=True).boot()
        self._bay(rig, 2, occupied=True).tap()
        self._bay(rig, 2, occupied=False)
        assert rig.closes == VOID

    def test_nobody_is_left(self, rig_of: Make) -> None:
        rig = rig_of(connectors=3, bay_sensor=True).boot()
        for number in (1, 2):
            self._bay(rig, number, occupied=True)
        rig.tap()
        self._bay(rig, 1, occupied=False)
        assert rig.closes == []
        self._bay(rig, 2, occupied=False)
        assert rig.closes == VOID

    def test_a_plug_outranks_the_sensor(self, rig_of: Make) -> None:
        rig = rig_of(bay_sensor=True).boot().tap().plug().charge(100)
        self._bay(rig, 1, occupied=False)
        assert rig.closes == []

    def test_not_claimed_not_used(self, rig_of: Make) -> None:
        rig = rig_of().boot().tap()
        self._bay(rig, 1, occupied=False)
        assert rig.closes == []


class TestEnding:
    def _charging(self, make: Make, **claims: Any) -> Any:
        return make(**claims).boot().tap().plug().charge(1000)

    def test_welded(self, rig_of: Make) -> None:
        rig = self._charging(rig_of)
        welded = {"type": "contactor", "connector": 1, "closed": True}
        rig.charger.rules["contactor"] = lambda _: [welded]
        rig.tap().run(12_000)
        assert rig.closes == [("commit", 50)]
        assert rig.charger.alarms() == ["contactor"]
        rig.tap(OTHER_CARD)
        assert rig.charger.codes()[-1] == "unavailable"

    def test_the_last_reading_counts(self, rig_of: Make) -> None:
        rig = self._charging(rig_of)
        rig.charger.rows[1]["energy_wh"] += 20
        rig.run(8_000).tap().run(3_000)
        assert rig.closes == [("commit", 51)]

    def test_the_charger_opens_by_itself(self, rig_of: Make) -> None:
        rig = self._charging(rig_of)
        for line in rig.charger.switch(1, is_closed=False):
            rig.bay(line)
        rig.run(1_000)
        assert rig.closes == [("commit", 50)]

    def test_no_last_reading(self, rig_of: Make) -> None:
        rig = self._charging(rig_of)
        rig.bay({"type": "contactor", "connector": 1, "closed": False}).run(3_000)
        assert rig.closes == [("commit", 50)]

    def test_the_vehicle_is_full(self, rig_of: Make) -> None:
        rig = self._charging(rig_of).pilot("B").run(3_000)
        assert rig.closes == [("commit", 50)]

    def test_full_but_still_asking(self, rig_of: Make) -> None:
        rig = self._charging(rig_of)
        rig.charger.rows[1]["power_w"] = 0
        rig.bay(rig.charger.meter(1)).run(10_000)
        assert rig.closes == [("commit", 50)]

    def test_a_pause_within_the_window(self, rig_of: Make) -> None:
        rig = self._charging(rig_of, timing={"parked_full_window": 600})
        rig.pilot("B").run(500_000).pilot("C").charge(1000)
        assert rig.closes == []
        rig.pilot("B").run(605_000)
        assert rig.closes == [("commit", 100)]

    def test_a_lock_that_stays(self, rig_of: Make) -> None:
        rig = self._charging(rig_of)
        stuck = {"type": "lock", "connector": 1, "locked": True}
        rig.charger.rules["lock"] = lambda _: [stuck]
        rig.tap().run(2_000)
        assert rig.closes == [("commit", 50)]
        rig.run(120_000)
        assert rig.charger.alarms() == ["other"]

    def test_a_lock_that_comes_free(self, rig_of: Make) -> None:
        rig = self._charging(rig_of)
        stuck = {"type": "lock", "connector": 1, "locked": True}
        rig.charger.rules["lock"] = lambda _: [stuck]
        rig.tap().run(2_000)
        rig.charger.rules.clear()
        rig.run(120_000)
        assert rig.charger.alarms() == []

    def test_both_at_once(self, rig_of: Make) -> None:
        rig = self._charging(rig_of).press("cancel")
        rig.unplug().tap().run(3_000)
        assert rig.closes == [("commit", 50)]

    def test_late_energy_changes_nothing(self, rig_of: Make) -> None:
        rig = self._charging(rig_of).unplug().run(2_000)
        rig.charger.rows[1]["energy_wh"] += 500
        rig.bay(rig.charger.meter(1)).run(2_000)
        assert rig.closes == [("commit", 50)]

    def test_energy_without_a_session_is_stopped(self, rig_of: Make) -> None:
        rig = rig_of().boot().plug()
        rig.bay({"type": "contactor", "connector": 1, "closed": True}).run(1_000)
        assert rig.charger.commands() == [False]
        assert rig.charger.alarms() == ["contactor"]


class TestMeter:
    def _charging(self, make: Make) -> Any:
        return make().boot().tap().plug().charge(1000)

    def test_a_jump(self, rig_of: Make) -> None:
        rig = self._charging(rig_of)
        rig.charger.rows[1]["energy_wh"] += 50_000
        rig.bay(rig.charger.meter(1)).run(10).charge(1000).unplug().run(2_000)
        assert rig.closes == [("commit", 100)]
        assert rig.charger.alarms() == ["meter"]

    @pytest.mark.parametrize("register", [None, "x", -5])
    def test_no_number(self, rig_of: Make, register: Any) -> None:
        rig = self._charging(rig_of)
        rig.bay({**rig.charger.meter(1), "energy_wh": register}).run(10)
        rig.unplug().run(3_000)
        assert rig.closes == [("commit", 50)]
        assert rig.charger.alarms() == ["meter"]

    def test_suspect_to_the_end(self, rig_of: Make) -> None:
        rig = self._charging(rig_of)
        rig.charger.rows[1].update(quality="suspect", energy_wh=99_999)
        rig.bay(rig.charger.meter(1)).unplug().run(3_000)
        assert rig.closes == [("commit", 50)]

    def test_silent(self, rig_of: Make) -> None:
        rig = self._charging(rig_of).run(31_000)
        assert rig.charger.alarms() == ["meter"]
        assert rig.closes == []
        rig.run(610_000)
        assert rig.closes == [("commit", 50)]

    def test_silent_for_a_while(self, rig_of: Make) -> None:
        rig = self._charging(rig_of).run(31_000).charge(1000).unplug().run(2_000)
        assert rig.closes == [("commit", 100)]


class TestReturn:
    def _lost(self, make: Make, **claims: Any) -> Any:
        rig = make(**claims).boot().tap().plug().charge(1000)
        rig.charger.is_reachable = False
        return rig.hang_up(Link.BAY).run(30_000)

    def _back(self, rig: Any) -> Any:
        rig.charger.is_reachable = True
        return rig.run(31_000)

    def test_charging_goes_on(self, rig_of: Make) -> None:
        rig = self._back(self._lost(rig_of))
        assert rig.closes == []
        rig.charge(1000).unplug().run(2_000)
        assert rig.closes == [("commit", 100)]

    def test_it_has_ended_meanwhile(self, rig_of: Make) -> None:
        rig = self._lost(rig_of, tariff={"per_minute": 60})
        row = rig.charger.rows[1]
        row.update(contactor_closed=False, energy_wh=row["energy_wh"] + 40)
        self._back(rig)
        [(op, amount)] = rig.closes
        assert op == "commit"
        assert 52 + 340 <= amount <= 52 + 343

    def test_it_has_failed_meanwhile(self, rig_of: Make) -> None:
        rig = self._lost(rig_of)
        rig.charger.rows[1]["faults"] = ["GroundFailure"]
        self._back(rig)
        assert rig.closes == [("commit", 50)]

    def test_stopped_meanwhile(self, rig_of: Make) -> None:
        rig = self._lost(rig_of).tap()
        assert rig.closes == []
        self._back(rig)
        assert rig.closes == [("commit", 50)]
        assert rig.charger.commands() == [True, False]

    def test_stopped_and_opened_meanwhile(self, rig_of: Make) -> None:
        rig = self._lost(rig_of).tap()
        rig.charger.rows[1]["contactor_closed"] = False
        self._back(rig)
        assert rig.closes == [("commit", 50)]

    def test_the_charger_still_delivers_after_all(self, rig_of: Make) -> None:
        rig = self._lost(rig_of).run(600_000)
        assert rig.closes == [("commit", 50)]
        self._back(rig)
        assert rig.charger.commands() == [True, False]
        assert rig.closes == [("commit", 50)]

    def test_lost_between_approval_and_plug(self, rig_of: Make) -> None:
        rig = rig_of().boot().tap()
        rig.charger.is_reachable = False
        rig.hang_up(Link.BAY).run(1_000)
        rig.charger.rows[1]["pilot"] = "C"
        self._back(rig)
        assert rig.charger.commands() == [True]

    def test_never_back_before_the_plug(self, rig_of: Make) -> None:
        rig = rig_of().boot().tap()
        rig.charger.is_reachable = False
        rig.hang_up(Link.BAY).run(310_000)
        assert rig.closes == VOID

    @pytest.mark.parametrize(
        ("pilot", "closed", "closes"),
        [("C", True, []), ("C", False, []), ("A", False, VOID)],
    )
    def test_lost_while_starting(
        self, rig_of: Make, pilot: str, closed: bool, closes: Any
    ) -> None:
        rig = rig_of().boot().plug()
        rig.charger.rules["contactor"] = lambda _: []
        rig.tap()
        rig.charger.is_reachable = False
        rig.hang_up(Link.BAY).run(1_000)
        rig.charger.rules.clear()
        rig.charger.rows[1].update(pilot=pilot, contactor_closed=closed)
        self._back(rig)
        assert rig.closes == closes

    def test_an_unbound_driver_finds_his_vehicle(self, rig_of: Make) -> None:
        rig = rig_of(connectors=2).boot().tap()
        rig.charger.is_reachable = False
        rig.hang_up(Link.BAY).run(1_000)
        rig.charger.rows[2]["pilot"] = "C"
        self._back(rig)
        assert rig.charger.told("contactor")[-1]["connector"] == 2

    def test_the_window_runs_across_a_death(self, rig_of: Make) -> None:
        rig = self._lost(rig_of).run(300_000)
        rig.die()
        rig.run(100_000).boot().run(180_000)
        assert rig.closes == [("commit", 50)]

    def test_a_reservation_survives_a_death(self, rig_of: Make) -> None:
        rig = rig_of().boot().tap().run(100_000)
        rig.die()
        rig.run(100_000).boot().run(80_000)
        assert rig.closes == []
        rig.run(20_000)
        assert rig.closes == VOID

    def test_who_comes_after_a_driver_who_left_unseen_is_served(
        self, rig_of: Make
    ) -> None:
        """The connector is the next driver's, though nobody saw the first one go."""
        rig = rig_of(connectors=2).boot().tap().plug().charge(100)
        rig.die()
        rig.charger.rows[1].update(pilot="A", contactor_closed=False)
        rig.boot().run(20_000)
        assert rig.closes == [("commit", 5)]
        rig.plug().tap()
        assert rig.charger.commands() == [True, True]

    def test_a_boot_in_1970(self, rig_of: Make) -> None:
        rig = rig_of().boot().tap().plug().charge(1000)
        rig.die()
        rig.wall_ms = -rig.now_ms
        rig.boot().charge(1000).unplug().run(5_000)
        assert rig.closes == [("commit", 100)]


class TestWrittenReadings:
    def test_energy_is_not_lost_with_the_readings_since(self, rig_of: Make) -> None:
        rig = rig_of().boot().tap().plug().charge(100)
        written = rig.store.image
        rig.charge(5)
        assert rig.store.image == written, "nothing more is owed for it"
        rig.die()
        rig.boot().charge(95).unplug().run(5_000)
        assert rig.closes == [("commit", 10)]

    def test_a_reading_that_costs_is_written(self, rig_of: Make) -> None:
        rig = rig_of().boot().tap().plug().charge(100)
        written = rig.store.image
        rig.charge(50)
        assert rig.store.image != written

    def test_where_time_has_a_price_each_reading_is_written(self, rig_of: Make) -> None:
        rig = rig_of(tariff={"per_kwh": 50, "per_minute": 60}).boot()
        rig.tap().plug().charge(100)
        written = rig.store.image
        rig.charge(50)
        assert rig.store.image != written

    def test_a_calendar_put_during_a_death_bills_no_time(self, rig_of: Make) -> None:
        rig = rig_of(tariff={"per_kwh": 50, "per_minute": 60}).boot()
        rig.tap().plug().charge(100)
        rig.die()
        rig.wall_ms += 3_600_000
        rig.boot().charge(100).unplug().run(5_000)
        ((word, amount),) = rig.closes
        assert word == "commit"
        assert 60 < amount < 120
