"""The dialogue with the payment cloud: callbacks, states, statuses, silence."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from wire.machine import CallHttp

CARD, OTHER_CARD = "A1" * 20, "B2" * 20
Make = Callable[..., Any]


@pytest.fixture
def rig(rig_of: Make) -> Any:
    return rig_of(interface="cps").boot()


def target(rig: Any) -> str:
    return str(urlsplit(rig.cloud.callback).path)


class TestReading:
    def test_start_up(self, rig: Any) -> None:
        assert rig.cloud.words()[:3] == ["terminal", "start", "sessions"]
        call = next(each for each in rig.actions if isinstance(each, CallHttp))
        assert ("Authorization", 'CPS apikey="key"') in call.headers
        assert rig.cloud.calls[1][2]["authorizedAmount"] == "5000"

    def test_each_read_has_its_own_secret_address(self, rig: Any) -> None:
        first = rig.cloud.callback
        rig.tap().run(1_000)
        assert rig.cloud.callback != first
        assert not any(letter.isdigit() for letter in first.rpartition("/")[2])

    def test_left_over_reads_are_stopped(self, rig_of: Make) -> None:
        rig = rig_of(interface="cps")
        rig.cloud.state = "CARD"
        rig.boot()
        assert rig.cloud.words()[:4] == ["terminal", "stop", "sessions", "start"]

    def test_a_card_twice_is_one(self, rig: Any) -> None:
        rig.callback().callback().run(1_000)
        assert rig.cloud.count("authorize") == 1
        assert [status for _, status in rig.cloud.answered] == [200, 200]

    def test_a_late_card_is_nothing(self, rig: Any) -> None:
        old = target(rig)
        rig.tap().press("cancel").run(1_000)
        body = {"serialNumber": "APO20260300042", "cardId": OTHER_CARD}
        card = {**body, "ifd": "CONTACTLESS", "maskedPan": "541333******1234"}
        rig.post(old, json.dumps(card).encode()).run(1_000)
        assert rig.cloud.count("authorize") == 1

    def test_a_second_real_card_is_one(self, rig: Any) -> None:
        rig.tap().press("cancel").run(5_000).tap().run(1_000)
        assert rig.cloud.count("authorize") == 2

    @pytest.mark.parametrize(
        ("path", "body", "status"),
        [
            ("/callbacks/guess", b"{}", 404),
            (None, b"no json", 404),
            (None, b'{"serialNumber": "P68", "cardId": "AA"}', 200),
        ],
    )
    def test_forged_callbacks(
        self, rig: Any, path: Any, body: bytes, status: int
    ) -> None:
        rig.post(path or target(rig), body).run(1_000)
        assert rig.cloud.answered == [(1, status)]
        assert rig.cloud.count("authorize") == 0

    def test_a_callback_before_the_answer(self, rig_of: Make) -> None:
        rig = rig_of(interface="cps")
        usual = rig.cloud._usual

        def early(session_id: str, params: Any) -> Any:
            reply = usual("start", session_id, params)
            if rig.cloud.count("start") == 1:
                rig.later(rig.callback, 1)
            return reply

        rig.cloud.rules["start"] = early
        rig.boot()
        assert rig.cloud.count("authorize") == 1

    def test_a_lost_callback_costs_nothing(self, rig_of: Make) -> None:
        rig = rig_of(interface="cps")
        card = {"serialNumber": "APO20260300042", "cardId": CARD, "maskedPan": "5**1"}
        rig.cloud.rules["card"] = lambda *_: rig.reply(body=card)
        rig.boot()
        assert rig.cloud.count("authorize") >= 1

    def test_a_callback_that_names_no_card_is_asked_about(self, rig: Any) -> None:
        """One mock posts a stub; the card is there all the same."""
        card = {"serialNumber": "APO20260300042", "cardId": CARD, "maskedPan": "5**1"}
        rig.run(30_000)
        rig.cloud.state = "CARD"
        rig.cloud.rules["card"] = lambda *_: rig.reply(body=card)
        rig.post(target(rig), b'{"sessionId": "", "maskedPan": "5**1"}').run(1_000)
        assert rig.cloud.count("authorize") == 1

    def test_a_cloud_that_does_not_wait_is_not_hammered(self, rig: Any) -> None:
        rig.cloud.rules["card"] = lambda *_: rig.reply(status=404)
        before = len(rig.cloud.calls)
        rig.run(600_000)
        assert len(rig.cloud.calls) - before < 95

    def test_reading_that_ended_is_started_again(self, rig: Any) -> None:
        """Also where the cloud lets a poll wait although nothing is read any more."""
        rig.cloud.state = "IDLE"
        rig.run(45_000)
        assert rig.cloud.count("start") == 1
        rig.run(10_000)
        assert rig.cloud.count("start") == 2

    def test_a_state_that_lags_is_given_time(self, rig_of: Make) -> None:
        rig = rig_of(interface="cps")
        rig.cloud.rules["card"] = lambda *_: rig.reply(status=404)
        rig.cloud.rules["start"] = lambda *_: rig.reply(status=204)
        rig.boot(settle_ms=2_000)
        rig.run(10_000)
        rig.cloud.state = "READING"
        rig.run(10_000)
        assert rig.cloud.count("start") == 1

    def test_busy_is_stopped_and_started(self, rig_of: Make) -> None:
        rig = rig_of(interface="cps")
        rig.cloud.rules["start"] = lambda *_: rig.reply(status=409, body={})
        rig.boot(settle_ms=1_000)
        assert rig.cloud.count("stop") == 1
        rig.cloud.rules.clear()
        rig.run(6_000)
        assert rig.cloud.state == "READING"

    def test_a_start_that_fails(self, rig_of: Make) -> None:
        rig = rig_of(interface="cps")
        rig.cloud.rules["start"] = lambda *_: rig.reply(status=503, body={})
        rig.boot(settle_ms=50_000)
        assert rig.cloud.count("start") == 1
        rig.cloud.rules.clear()
        rig.run(20_000)
        assert rig.cloud.state == "READING"

    def test_not_wanted_any_more(self, rig_of: Make) -> None:
        rig = rig_of(interface="cps", scanning="on_plug").boot()
        assert rig.cloud.count("start") == 0
        rig.pilot("B").run(1_000).pilot("A").run(1_000)
        assert rig.cloud.words()[-2:].count("stop") == 1

    def test_a_stop_that_fails(self, rig_of: Make) -> None:
        rig = rig_of(interface="cps", scanning="on_plug").boot()
        rig.pilot("B").run(1_000)
        rig.cloud.rules["stop"] = lambda *_: rig.reply(failure="reset")
        rig.pilot("A").run(1_000)
        rig.cloud.rules.clear()
        rig.run(10_000)
        assert rig.cloud.state == "IDLE"

    def test_offline_and_back(self, rig: Any) -> None:
        rig.cloud.online = False
        rig.run(60_000)
        rig.cloud.state = "IDLE"
        started = rig.cloud.count("start")
        rig.run(600_000)
        assert rig.cloud.count("start") == started
        rig.cloud.online = True
        rig.run(61_000)
        assert rig.cloud.count("start") == started + 1

    def test_a_cloud_that_is_away_is_not_hammered(self, rig: Any) -> None:
        """Its own failure must not shorten the pause before the next look."""
        rig.cloud.rules["terminal"] = lambda *_: rig.reply(failure="refused")
        rig.cloud.rules["card"] = lambda *_: rig.reply(failure="refused")
        rig.run(600_000)
        before = len(rig.cloud.calls)
        rig.run(600_000)
        assert 9 <= len(rig.cloud.calls) - before <= 11


class TestAuthorising:
    def test_declined(self, rig: Any) -> None:
        body = {"state": "DECLINED", "result": "DECLINED"}
        rig.cloud.rules["authorize"] = lambda *_: rig.reply(body=body)
        rig.tap()
        assert rig.charger.codes() == ["declined"]
        assert rig.cloud.count("start") == 2

    @pytest.mark.parametrize("status", [409, 400, 429])
    def test_turned_away(self, rig: Any, status: int) -> None:
        rig.cloud.rules["authorize"] = lambda *_: rig.reply(status=status, body={})
        rig.tap()
        assert rig.charger.codes() == ["declined"]

    @pytest.mark.parametrize(
        "reply", [{"status": 500}, {"status": 204}, {"failure": "reset"}, {"body": 5}]
    )
    def test_an_unknown_outcome_is_looked_for(self, rig: Any, reply: Any) -> None:
        def lost(*_: Any) -> Any:
            rig.cloud.open()
            return rig.reply(**reply)

        rig.cloud.rules["authorize"] = lost
        rig.tap().run(10_000)
        assert rig.cloud.states() == ["CANCELLED"]
        assert rig.charger.alarms() == ["orphan"]

    def test_a_time_out_is_looked_for(self, rig: Any) -> None:
        rig.cloud.rules["authorize"] = lambda *_: rig.reply(failure="timeout")
        rig.tap().run(230_000)
        rig.cloud.open()
        rig.run(60_000)
        assert rig.cloud.states() == ["CANCELLED"]

    def test_another_card_is_somebody_elses(self, rig: Any) -> None:
        rig.cloud.rules["authorize"] = lambda *_: rig.reply(failure="reset")
        rig.tap()
        rig.cloud.open(OTHER_CARD)
        rig.run(600_000)
        assert rig.cloud.states() == ["AUTHORIZED"]
        assert rig.charger.alarms() == ["orphan"]

    def test_a_second_session_of_the_card_is_ours_as_well(self, rig: Any) -> None:
        """The answer named the other one; nothing else would ever tell (R-SES-11)."""
        rig.tap()
        second = rig.cloud.open()["sessionId"]
        rig.cloud.open(OTHER_CARD)
        rig.run(12_000)
        assert rig.cloud.sessions[second]["state"] == "CANCELLED"
        assert rig.cloud.states().count("AUTHORIZED") == 2, "ours, and somebody else's"

    def test_the_list_may_be_wrong(self, rig: Any) -> None:
        rig.cloud.rules["authorize"] = lambda *_: rig.reply(failure="reset")
        bodies = [5, {"sessions": [5, {}]}, {"sessions": []}]
        rig.cloud.rules["sessions"] = lambda *_: rig.reply(body=bodies.pop(0))
        rig.tap().run(100_000)
        rig.cloud.rules["sessions"] = lambda *_: rig.reply(status=500, body=[])
        rig.run(600_000)
        assert rig.charger.alarms() == []

    def test_a_lost_ledger_releases_what_is_open(self, rig_of: Make) -> None:
        rig = rig_of(interface="cps")
        rig.store.image = b"rubbish"
        rig.cloud.open()
        rig.boot(settle_ms=5_000)
        assert rig.cloud.states() == ["CANCELLED"]
        assert rig.charger.alarms() == ["ledger", "orphan"]


class TestClosing:
    @pytest.fixture
    def charged(self, rig: Any) -> Any:
        return rig.plug().tap().charge(1000)

    def test_lost_answer_then_conflict(self, charged: Any) -> None:
        usual = charged.cloud._usual

        def lost(session_id: str, params: Any) -> Any:
            usual("commit", session_id, params)
            return charged.reply(failure="timeout")

        charged.cloud.rules["commit"] = lost
        charged.unplug().run(1_000)
        charged.cloud.rules.clear()
        charged.run(130_000)
        assert charged.closes == [("commit", 50)] * 2
        assert charged.charger.alarms() == []

    @pytest.mark.parametrize("reply", [{"status": 204}, {"body": "text"}])
    def test_an_answer_without_a_session_is_looked_up(
        self, charged: Any, reply: Any
    ) -> None:
        usual = charged.cloud._usual

        def silent(session_id: str, params: Any) -> Any:
            usual("commit", session_id, params)
            return charged.reply(**reply)

        charged.cloud.rules["commit"] = silent
        charged.unplug().run(60_000)
        assert charged.closes == [("commit", 50)]

    def test_done_and_yet_open_is_repeated(self, charged: Any) -> None:
        charged.cloud.rules["commit"] = lambda *_: charged.reply(status=204)
        charged.unplug().run(1_000)
        charged.cloud.rules.clear()
        charged.run(60_000)
        assert charged.cloud.states() == ["COMMITED"]

    def test_failed_is_not_paid(self, charged: Any) -> None:
        def fail(session_id: str, _: Any) -> Any:
            session = charged.cloud.sessions[session_id]
            session["state"] = "FAILED"
            return charged.reply(body=session)

        charged.cloud.rules["commit"] = fail
        charged.unplug().run(350_000)
        assert len(charged.closes) == 6
        assert charged.charger.alarms() == ["close_failed"]

    def test_somebody_else_was_first(self, charged: Any) -> None:
        [session] = charged.cloud.sessions.values()
        session["state"] = "CANCELLED"
        charged.unplug().run(200_000)
        assert charged.closes == [("commit", 50)]
        assert charged.charger.alarms() == ["unknown_outcome"]

    def test_another_amount_was_taken(self, charged: Any) -> None:
        def take_all(session_id: str, _: Any) -> Any:
            session = charged.cloud.sessions[session_id]
            session.update(state="COMMITED", finalAmount=5000)
            return charged.reply(body=session)

        charged.cloud.rules["commit"] = take_all
        charged.unplug().run(200_000)
        assert charged.closes == [("commit", 50)]
        assert charged.charger.alarms() == ["unknown_outcome"]

    def test_a_conflict_that_nobody_explains(self, charged: Any) -> None:
        [session] = charged.cloud.sessions.values()
        session["state"] = "CANCELLED"
        charged.cloud.rules["session"] = lambda *_: charged.reply(status=500)
        charged.unplug().run(200_000)
        assert charged.closes == [("commit", 50)]
        assert charged.charger.alarms() == ["unknown_outcome"]

    def test_looking_up_fails(self, charged: Any) -> None:
        charged.cloud.rules["commit"] = lambda *_: charged.reply(status=204)
        charged.cloud.rules["session"] = lambda *_: charged.reply(status=500)
        charged.unplug().run(1_000)
        charged.cloud.rules.clear()
        charged.run(60_000)
        assert charged.cloud.states() == ["COMMITED"]

    @pytest.mark.parametrize(
        ("reply", "alarms"),
        [
            ({"status": 404}, ["other"]),
            ({"status": 429}, []),
            ({"status": 400}, []),
            ({"status": 500}, []),
            ({"failure": "refused"}, []),
        ],
    )
    def test_not_closed_by(self, charged: Any, reply: Any, alarms: Any) -> None:
        charged.cloud.rules["commit"] = lambda *_: charged.reply(**reply)
        charged.unplug().run(130_000)
        assert len(charged.closes) == 3
        assert charged.charger.alarms() == alarms
        charged.cloud.rules.clear()
        charged.run(60_000)
        assert charged.cloud.states() == ["COMMITED"]

    def test_a_revoked_key_is_an_alarm_at_once(self, charged: Any) -> None:
        for word in ("commit", "terminal", "card", "start", "stop"):
            charged.cloud.rules[word] = lambda *_: charged.reply(status=401, body={})
        charged.unplug().run(200_000)
        assert charged.charger.alarms() == ["key"]
        charged.cloud.rules.clear()
        charged.run(61_000)
        assert charged.cloud.states() == ["COMMITED"]

    def test_standing_down_and_coming_back(self, charged: Any) -> None:
        charged.cloud.rules["commit"] = lambda *_: charged.reply(status=500, body={})
        charged.unplug().run(400_000)
        assert charged.cloud.state == "IDLE"
        started = charged.cloud.count("start")
        charged.tap(OTHER_CARD).run(3_000_000)
        assert charged.cloud.count("start") == started
        charged.cloud.rules.clear()
        charged.run(900_000)
        assert charged.cloud.states() == ["COMMITED"]
        assert charged.cloud.state == "READING"

    def test_a_service_that_returns_is_used_soon(self, charged: Any) -> None:
        for word in ("commit", "terminal", "card", "start", "stop"):
            charged.cloud.rules[word] = lambda *_: charged.reply(failure="refused")
        charged.unplug().run(3_000_000)
        charged.cloud.rules.clear()
        charged.run(310_000)
        assert charged.cloud.states() == ["COMMITED"]

    def test_the_receipt_is_kept(self, charged: Any) -> None:
        [session] = charged.cloud.sessions.values()
        session["authorizationHostReference"] = "H-42"
        charged.unplug().run(2_000)
        assert b"H-42" in charged.store.image
