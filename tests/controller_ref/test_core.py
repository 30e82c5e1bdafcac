"""The controller as a whole, over real bytes, in the three columns of the suite."""

from collections.abc import Callable
from typing import Any

import pytest

from controller_ref.core import build
from wire.machine import Link, LinkOpened, Place
from wire.psp import Name, State, message

COLUMNS = [
    pytest.param({"terminal": "apollo"}, id="apollo"),
    pytest.param({"terminal": "p6x", "link": "serial"}, id="p6x"),
    pytest.param({"interface": "cps"}, id="cps"),
]
CARD, OTHER_CARD = "A1" * 20, "B2" * 20
Make = Callable[..., Any]


@pytest.mark.parametrize("column", COLUMNS)
class TestEveryColumn:
    def test_tap_plug_charge_unplug(self, rig_of: Make, column: Any) -> None:
        rig = rig_of(**column).boot().tap().plug()
        assert rig.charger.commands() == [True]
        rig.charge(1000).unplug().run(2_000)
        assert rig.closes == [("commit", 50)]
        assert rig.charger.codes() == ["plug_in", "charging", "stopped"]

    def test_plug_then_tap_then_stop_by_tap(self, rig_of: Make, column: Any) -> None:
        rig = rig_of(**column).boot().plug().tap().charge(2000)
        rig.tap().run(3_000)
        assert rig.closes == [("commit", 100)]
        assert rig.charger.commands() == [True, False]

    def test_no_vehicle_comes(self, rig_of: Make, column: Any) -> None:
        rig = rig_of(**column).boot().tap()
        rig.run(295_000)
        assert rig.closes == []
        rig.run(10_000)
        assert [op for op, _ in rig.closes] in (["void"], ["cancel"])
        assert rig.charger.codes()[-1] == "released"

    def test_no_energy_flows(self, rig_of: Make, column: Any) -> None:
        rig = rig_of(**column).boot().tap().pilot("B").run(310_000)
        assert rig.charger.commands() == []
        assert [amount for _, amount in rig.closes] == [0]

    def test_a_fault_before_and_after_energy(self, rig_of: Make, column: Any) -> None:
        rig = rig_of(**column).boot().tap().pilot("B").run(100).fault("GroundFailure")
        assert [amount for _, amount in rig.closes] == [0]
        rig = rig_of(**column).boot().tap().plug().charge(1000).fault("OverVoltage")
        assert rig.closes == [("commit", 50)]

    def test_a_harmless_fault_changes_nothing(self, rig_of: Make, column: Any) -> None:
        rig = rig_of(**column).boot().tap().plug().charge(100).fault("WeakSignal")
        assert rig.closes == []

    def test_death_at_any_time_ends_in_one_close(
        self, rig_of: Make, column: Any
    ) -> None:
        for pause_ms in (0, 1, 3, 5, 400, 502, 510, 1_500, 40_000):
            rig = rig_of(**column).boot().tap(settle_ms=pause_ms)
            rig.die()
            rig.run(1_000).boot().run(700_000)
            sent = [amount for _, amount in rig.closes]
            assert sent in ([0], []), pause_ms
            assert not rig.terminal.open or rig.claims["terminal"] == "apollo"
            assert "AUTHORIZED" not in rig.cloud.states()

    def test_death_while_charging_resumes(self, rig_of: Make, column: Any) -> None:
        rig = rig_of(**column).boot().tap().plug().charge(1000)
        rig.die()
        rig.run(5_000)
        rig.charger.rows[1]["energy_wh"] += 15
        rig.boot().charge(985).unplug().run(2_000)
        assert rig.closes == [("commit", 100)]

    def test_the_vehicle_leaves_while_dead(self, rig_of: Make, column: Any) -> None:
        rig = rig_of(**column).boot().tap().plug().charge(1000)
        rig.die()
        row = rig.charger.rows[1]
        row.update(contactor_closed=False, pilot="A", energy_wh=row["energy_wh"] + 20)
        rig.run(60_000).boot().run(5_000)
        assert rig.closes == [("commit", 51)]

    def test_the_charger_is_lost_for_good(self, rig_of: Make, column: Any) -> None:
        rig = rig_of(**column).boot().tap().plug().charge(1000)
        rig.charger.is_reachable = False
        rig.hang_up(Link.BAY).run(590_000)
        assert rig.closes == []
        rig.run(20_000)
        assert rig.closes == [("commit", 50)]

    def test_storage_fails(self, rig_of: Make, column: Any) -> None:
        rig = rig_of(**column).boot().tap().plug().charge(1000)
        rig.store.fault = "disk full"
        rig.unplug().run(1_000).tap(OTHER_CARD).run(2_000)
        assert rig.closes == [("commit", 50)]
        assert "ledger" in rig.charger.alarms()
        assert rig.charger.codes()[-1] == "unavailable"
        rig.store.fault = ""
        rig.tap(OTHER_CARD)
        assert rig.charger.codes()[-1] == "plug_in"

    def test_an_unreadable_ledger_opens_nothing(
        self, rig_of: Make, column: Any
    ) -> None:
        rig = rig_of(**column)
        rig.store.image = b"SQLite format 3\0 but not really" * 40
        rig.boot().tap()
        assert rig.charger.alarms() == ["ledger"]
        assert rig.charger.codes() == ["unavailable"]
        assert rig.store.image.startswith(b"SQLite format 3\0 but")

    def test_the_cap_is_kept(self, rig_of: Make, column: Any) -> None:
        rig = rig_of(**column, tariff={"reserve": 200}).boot().tap().plug()
        rig.charge(10_000).run(5_000)
        [(op, amount)] = rig.closes
        assert op == "commit"
        assert 190 <= amount <= 200

    def test_emergency_stop(self, rig_of: Make, column: Any) -> None:
        rig = rig_of(**column).boot().tap().plug().charge(1000)
        rig.bay({"type": "emergency_stop", "active": True}).run(3_000)
        assert rig.closes == [("commit", 50)]
        rig.tap(OTHER_CARD)
        assert rig.charger.codes()[-1] == "unavailable"

    def test_reading_goes_on_after_everything(self, rig_of: Make, column: Any) -> None:
        rig = rig_of(**column).boot().tap().plug().charge(100).unplug().run(5_000)
        is_cps = rig.claims["interface"] == "cps"
        assert (rig.cloud.state == "READING") if is_cps else True
        assert is_cps or rig.terminal.state == State.WAIT_CARD


class TestDriver:
    def test_cancel_before_the_answer(self, rig_of: Make) -> None:
        rig = rig_of().boot()
        rig.terminal.rules[Name.AUTH_SESSION] = lambda _: []
        rig.tap().press("cancel").say(rig.terminal.approve()).run(1_000)
        assert rig.closes == [("void", 0)]

    @pytest.mark.parametrize("button", ["cancel", "stop"])
    def test_a_button_before_energy_releases(self, rig_of: Make, button: str) -> None:
        rig = rig_of().boot().tap().press(button).run(1_000)
        assert rig.closes == [("void", 0)]

    def test_cancel_of_an_unbound_session(self, rig_of: Make) -> None:
        rig = rig_of(connectors=2).boot().tap().press("cancel", 2).run(1_000)
        assert rig.closes == [("void", 0)]

    def test_a_press_at_a_connector_we_do_not_have(self, rig_of: Make) -> None:
        rig = rig_of().boot().press("start", 9)
        assert rig.charger.told("show")[1:] == []

    def test_stop_button_wants_the_right_card(self, rig_of: Make) -> None:
        rig = rig_of(stop=["ui"]).boot().tap().plug().charge(1000).press("stop")
        rig.tap(OTHER_CARD)
        assert rig.closes == []
        assert rig.charger.codes()[-1] == "wrong_card"
        rig.press("stop").tap().run(3_000)
        assert rig.closes == [("commit", 50)]

    def test_stop_button_without_the_claim(self, rig_of: Make) -> None:
        rig = rig_of(stop=["tap"]).boot().tap().plug().charge(100).press("stop")
        assert "unplug" in rig.charger.told("show")[-1]["text"]

    def test_a_press_is_forgotten(self, rig_of: Make) -> None:
        rig = rig_of(stop=["ui"]).boot().tap().plug().charge(100).press("stop")
        rig.run(61_000)
        rig.tap(OTHER_CARD)
        assert rig.charger.codes()[-1] == "unavailable"

    def test_stop_pressed_but_the_charge_has_ended(self, rig_of: Make) -> None:
        rig = rig_of(stop=["ui"]).boot().tap().plug().charge(100).press("stop")
        rig.unplug().tap()
        assert rig.charger.told("show")[-1]["text"] == "Nothing to stop"

    def test_start_button_chooses(self, rig_of: Make) -> None:
        rig = rig_of(connectors=2).boot().press("start", 2).tap().plug(2)
        assert rig.charger.told("contactor")[-1]["connector"] == 2
        rig.press("start", 2)
        assert rig.charger.codes()[-1] == "unavailable"

    def test_start_button_after_the_tap(self, rig_of: Make) -> None:
        rig = rig_of(connectors=2).boot().tap().press("start", 1).plug(2)
        assert rig.charger.told("contactor") == []
        rig.plug(1)
        assert rig.charger.told("contactor")[-1]["connector"] == 1

    def test_only_by_button(self, rig_of: Make) -> None:
        rig = rig_of(start=["ui"], connectors=2).boot().tap()
        assert "Press start" in rig.charger.told("show")[-1]["text"]
        rig.press("start", 2).run(61_000).tap()
        assert rig.terminal.count(Name.AUTH_SESSION) == 0

    def test_only_by_plug(self, rig_of: Make) -> None:
        rig = rig_of(start=["plug"]).boot().tap()
        assert "Plug in first" in rig.charger.told("show")[-1]["text"]
        rig.run(5_000).plug().tap()
        assert rig.charger.commands() == [True]

    def test_double_tap(self, rig_of: Make) -> None:
        rig = rig_of().boot().plug().tap(settle_ms=400).tap()
        assert rig.charger.commands() == [True]
        assert rig.closes == []

    def test_second_tap_gives_up(self, rig_of: Make) -> None:
        rig = rig_of().boot().tap().run(5_000).tap().run(2_000)
        assert rig.closes == [("void", 0)]
        assert rig.terminal.count(Name.AUTH_SESSION) == 1

    def test_a_tap_after_a_failed_start(self, rig_of: Make) -> None:
        rig = rig_of().boot().plug()
        refusal = {"type": "rejected", "connector": 1, "command": "contactor"}
        rig.charger.rules["contactor"] = lambda _: [{**refusal, "reason": "Rejected"}]
        rig.tap(settle_ms=500)
        assert rig.closes == [("void", 0)]
        rig.charger.rules.clear()
        rig.tap()
        assert rig.charger.commands()[-1] is True
        assert rig.terminal.count(Name.AUTH_SESSION) == 2

    def test_a_second_hold_waits_for_the_first(self, rig_of: Make) -> None:
        rig = rig_of(interface="cps").boot().tap().run(5_000)
        rig.cloud.rules["cancel"] = lambda *_: rig.reply(failure="timeout")
        rig.press("cancel").tap().run(70_000)
        assert rig.cloud.count("authorize") == 1
        assert rig.charger.codes()[-1] == "unavailable"

    def test_a_card_without_a_name(self, rig_of: Make) -> None:
        rig = rig_of().boot().tap("").plug().charge(1000).tap("")
        assert rig.closes == []
        rig.unplug().run(2_000)
        assert rig.closes == [("commit", 50)]

    def test_the_same_card_on_two_connectors(self, rig_of: Make) -> None:
        rig = rig_of(connectors=2, same_card_twice="allow").boot()
        rig.plug().tap().run(5_000).plug(2).tap().run(5_000)
        assert rig.terminal.count(Name.AUTH_SESSION) == 2
        rig.tap().run(5_000)
        assert "Press stop" in rig.charger.told("show")[-1]["text"]
        rig.charge(100).charge(1000, 2).press("stop", 2).tap().run(3_000)
        assert rig.closes == [("commit", 50)]

    def test_tap_does_not_stop_without_the_claim(self, rig_of: Make) -> None:
        rig = rig_of(stop=["unplug"]).boot().tap().plug().charge(100).tap()
        assert rig.charger.commands() == [True]

    def test_a_tap_while_stopping(self, rig_of: Make) -> None:
        rig = rig_of().boot().tap().plug().charge(100)
        rig.charger.rules["contactor"] = lambda _: []
        rig.tap().run(4_000).tap()
        assert "Already stopping" in [e["text"] for e in rig.charger.told("show")]


class TestStorage:
    """The disk fails at each moment at which something must be durable."""

    def test_before_the_intent(self, rig_of: Make) -> None:
        rig = rig_of().boot()
        rig.store.fault = "disk full"
        rig.tap()
        assert rig.terminal.count(Name.AUTH_SESSION) == 0
        assert rig.charger.codes() == ["unavailable"]
        assert rig.charger.alarms() == ["ledger"]

    def test_before_the_approval(self, rig_of: Make) -> None:
        rig = rig_of().boot()
        usual = rig.terminal._usual

        def approve(request: Any) -> Any:
            rig.store.fault = "disk full"
            return usual(request)

        rig.terminal.rules[Name.AUTH_SESSION] = approve
        rig.tap().run(1_000)
        assert rig.closes == [("void", 0)]

    def test_before_energy(self, rig_of: Make) -> None:
        rig = rig_of().boot().tap()
        rig.store.fault = "disk full"
        rig.plug()
        assert rig.charger.commands() == []
        assert rig.closes == [("void", 0)]


class TestOwnCards:
    def test_accepted_and_stopped(self, rig_of: Make) -> None:
        rig = rig_of(rfid=True).boot().plug()
        card = message(
            Name.PROPRIETARY_CARD_READ,
            data=((0xDFF002, b"\x04\xa2\xb3\xc4\xd5\xe6\x80"),),
        )
        rig.say(card).run(2_000)
        assert rig.charger.commands() == [True]
        rig.charge(500).unplug().run(2_000)
        assert rig.terminal.count(Name.AUTH_SESSION) == 0
        assert rig.closes == []

    def test_turned_away(self, rig_of: Make) -> None:
        rig = rig_of(rfid=True).boot().plug()
        rig.say(message(Name.PROPRIETARY_CARD_READ, data=())).run(2_000)
        assert rig.charger.codes() == ["declined"]
        assert rig.terminal.count(Name.CANCEL_SESSION) == 1

    def test_not_recorded_not_started(self, rig_of: Make) -> None:
        rig = rig_of(rfid=True).boot().plug()
        card = message(
            Name.PROPRIETARY_CARD_READ,
            data=((0xDFF002, b"\x04\xa2\xb3\xc4\xd5\xe6\x80"),),
        )
        rig.store.fault = "disk full"
        rig.say(card).run(2_000)
        assert rig.charger.commands() == []


class TestScanning:
    def test_on_plug(self, rig_of: Make) -> None:
        rig = rig_of(scanning="on_plug").boot()
        assert rig.terminal.count(Name.START_SESSION) == 0
        rig.pilot("B").run(1_000)
        assert rig.terminal.state == State.WAIT_CARD
        rig.pilot("A").run(1_000)
        assert rig.terminal.state == State.ENABLED

    def test_on_plug_reads_to_stop(self, rig_of: Make) -> None:
        rig = rig_of(scanning="on_plug").boot().plug().tap().charge(1000)
        assert rig.terminal.state == State.WAIT_CARD
        rig.tap().run(3_000)
        assert rig.closes == [("commit", 50)]

    def test_on_plug_reads_after_a_press(self, rig_of: Make) -> None:
        rig = rig_of(scanning="on_plug", stop=["unplug"]).boot().press("start")
        assert rig.terminal.state == State.WAIT_CARD
        rig.run(61_000)
        assert rig.terminal.state == State.ENABLED


class TestMachine:
    def test_nothing_before_it_has_started(self, rig_of: Make) -> None:
        rig = rig_of()
        place = Place(declaration={}, psp_link="tcp", store=rig.store)
        controller = build(place)
        assert controller.deadline_ms() is None
        assert controller.handle(LinkOpened(link=Link.PSP), 0) == ()
        assert controller.on_deadline(5) == ()

    def test_ready_once_both_sides_are(self, rig_of: Make) -> None:
        rig = rig_of()
        rig.charger.is_reachable = False
        assert not rig.boot().controller.is_ready
        rig.charger.is_reachable = True
        assert rig.run(31_000).controller.is_ready
        rig.hang_up()
        assert not rig.controller.is_ready

    def test_alarms_of_the_terminal_reach_the_operator(self, rig_of: Make) -> None:
        rig = rig_of().boot()
        rig.terminal.rules[Name.AUTH_SESSION] = lambda _: rig.terminal.not_ok(0x0B)
        rig.tap()
        assert rig.charger.alarms() == ["other"]

    def test_a_declaration_that_cannot_be_followed(self, rig_of: Make) -> None:
        place = Place(
            declaration={"claims": {"connectors": 99}},
            psp_link="tcp",
            store=rig_of().store,
        )
        with pytest.raises(ValueError, match=r"claims.connectors: found 99"):
            build(place)


class TestIncrements:
    def _rig(self, make: Make, answer: Any) -> Any:
        rig = make(amount_strategy="increment", tariff={"reserve": 200}).boot()
        rig.terminal.rules[Name.UPDATE_SESSION] = answer
        return rig.tap().plug()

    def test_granted(self, rig_of: Make) -> None:
        def grant(said: Any) -> Any:
            fields = {"session_id": 41, "amount_minor": said.number("amount_minor")}
            more = {"result": 0, "change_minor": 200, "reason": 0}
            return [message(Name.UPDATE_SESSION_RESULT, **fields, **more)]

        rig = self._rig(rig_of, grant).charge(6000).unplug().run(2_000)
        assert rig.closes == [("commit", 300)]

    def test_granted_in_part_and_then_no_more(self, rig_of: Make) -> None:
        def part(_: Any) -> Any:
            fields = {"session_id": 41, "amount_minor": 250, "change_minor": 50}
            return [message(Name.UPDATE_SESSION_RESULT, result=1, **fields, reason=0)]

        rig = self._rig(rig_of, part).charge(9000).run(3_000)
        [(_, amount)] = rig.closes
        assert 240 <= amount <= 250
        assert rig.terminal.count(Name.UPDATE_SESSION) == 1

    def test_not_answered(self, rig_of: Make) -> None:
        rig = self._rig(rig_of, lambda _: []).charge(9000).run(3_000)
        [(_, amount)] = rig.closes
        assert 190 <= amount <= 200

    def test_answered_too_late(self, rig_of: Make) -> None:
        rig = self._rig(rig_of, lambda _: []).charge(3300).unplug()
        fields = {"session_id": 41, "amount_minor": 400, "change_minor": 200}
        rig.say(message(Name.UPDATE_SESSION_RESULT, result=0, **fields, reason=0))
        rig.run(70_000)
        assert {amount for _, amount in rig.closes} == {165}

    def test_not_asked_for_on_a_terminal_that_cannot(self, rig_of: Make) -> None:
        claims = {"terminal": "p6x", "amount_strategy": "increment"}
        rig = rig_of(**claims, tariff={"reserve": 200}).boot().tap().plug()
        rig.charge(9000).run(3_000)
        assert rig.terminal.count(Name.UPDATE_SESSION) == 0
        assert rig.closes[0][1] <= 200


class TestOverCapture:
    def test_the_full_amount_then_what_is_held(self, rig_of: Make) -> None:
        rig = rig_of(amount_strategy="over_capture", tariff={"reserve": 100}).boot()
        usual = rig.terminal._usual

        def refuse_more(said: Any) -> Any:
            is_over = said.number("amount_minor") > 100
            return rig.terminal.not_ok(0x10) if is_over else usual(said)

        rig.terminal.rules[Name.COMMIT_SESSION] = refuse_more
        rig.tap().plug().charge(3000).unplug().run(2_000)
        assert rig.closes == [("commit", 150), ("commit", 100)]
        assert not rig.terminal.open

    def test_without_reasons_the_list_tells(self, rig_of: Make) -> None:
        claims = {"terminal": "p6x", "link": "serial"}
        tariff = {"reserve": 100}
        rig = rig_of(**claims, amount_strategy="over_capture", tariff=tariff).boot()
        usual = rig.terminal._usual
        rig.terminal.rules[Name.COMMIT_SESSION] = lambda said: (
            rig.terminal.not_ok() if said.number("amount_minor") > 100 else usual(said)
        )
        rig.tap().plug().charge(3000).unplug().run(2_000)
        assert rig.closes == [("commit", 150), ("commit", 100)]

    def test_failed_in_the_cloud(self, rig_of: Make) -> None:
        rig = rig_of(
            interface="cps", amount_strategy="over_capture", tariff={"reserve": 100}
        ).boot()

        def fail_more(session_id: str, params: Any) -> Any:
            if int(params["commitAmount"]) > 100:
                rig.cloud.sessions[session_id]["state"] = "FAILED"
                return rig.reply(body=rig.cloud.sessions[session_id])
            return rig.cloud._usual("commit", session_id, params)

        rig.cloud.rules["commit"] = fail_more
        rig.tap().plug().charge(3000).unplug().run(2_000)
        assert rig.closes == [("commit", 150), ("commit", 100)]
        assert rig.cloud.states() == ["COMMITED"]
