"""The dialogue with a PSP terminal: set-up, silence, refusals, damaged bytes."""

from collections.abc import Callable
from typing import Any

import pytest

from wire.machine import CloseLink, Link, OpenLink
from wire.psp import Name, Option, State, message

NOT_READY = 0x11
CARD, OTHER_CARD = "A1" * 20, "B2" * 20
SERIAL = {"terminal": "p6x", "link": "serial"}
SET_UP = [
    Name.RESET,
    Name.SYNCHRONIZE,
    Name.PROTOCOL,
    Name.SETUP,
    Name.ENABLE,
    Name.GET_STATUS,
]
Make = Callable[..., Any]


def said(rig: Any, name: Name) -> Any:
    return next(each for each in reversed(rig.terminal.heard) if each.name is name)


class TestSetUp:
    @pytest.mark.parametrize(
        ("claims", "options"),
        [
            ({}, Option.AUTHORIZATION_DOL | Option.DETAILED),
            (SERIAL, Option.AUTHORIZATION_DOL),
        ],
    )
    def test_the_sequence(self, rig_of: Make, claims: Any, options: int) -> None:
        rig = rig_of(**claims).boot()
        assert rig.terminal.names()[:6] == SET_UP
        assert said(rig, Name.PROTOCOL).number("options") == options
        assert said(rig, Name.SETUP).number("action") == 1
        assert said(rig, Name.SETUP).number("timeout_s") > 8 * 86_400
        assert said(rig, Name.START_SESSION).number("amount_minor") == 5000

    def test_synchronize_is_polled(self, rig_of: Make) -> None:
        rig = rig_of(**SERIAL)
        rig.terminal.is_dead = True
        rig.boot(settle_ms=60_500)
        assert rig.terminal.count(Name.SYNCHRONIZE) == 31
        rig.run(600_000)
        assert rig.terminal.count(Name.SYNCHRONIZE) <= 52
        rig.terminal.is_dead = False
        rig.run(31_000)
        assert rig.terminal.state is State.WAIT_CARD

    def test_a_deaf_connection_is_given_up(self, rig_of: Make) -> None:
        rig = rig_of()
        rig.terminal.is_dead = True
        rig.boot(settle_ms=23_000)
        opened = [each for each in rig.actions if each == OpenLink(link=Link.PSP)]
        assert len(opened) == 2

    def test_a_reset_that_was_lost_is_sent_again(self, rig_of: Make) -> None:
        """A terminal that reads cards refuses Synchronize (psp.md 9, A29)."""
        rig = rig_of(**SERIAL)
        rig.terminal.rules[Name.RESET] = lambda _: []
        rig.terminal.rules[Name.SYNCHRONIZE] = lambda _: rig.terminal.not_ok()
        rig.boot(settle_ms=5_000)
        sent = rig.terminal.names()
        assert sent[:6] == [Name.RESET, Name.SYNCHRONIZE] * 3

    def test_refused_connections_are_tried_ever_more_slowly(self, rig_of: Make) -> None:
        rig = rig_of()
        rig.terminal.is_reachable = False
        rig.boot(settle_ms=600_000)
        opened = [each for each in rig.actions if each == OpenLink(link=Link.PSP)]
        assert 20 < len(opened) < 30
        rig.terminal.is_reachable = True
        rig.run(31_000)
        assert rig.terminal.state is State.WAIT_CARD

    def test_protocol_may_be_answered_by_a_result(self, rig_of: Make) -> None:
        rig = rig_of()
        rig.terminal.rules[Name.PROTOCOL] = lambda _: [message(Name.RESULT, result=0)]
        assert rig.boot().terminal.state is State.WAIT_CARD

    @pytest.mark.parametrize("name", [Name.SETUP, Name.ENABLE])
    def test_a_refused_step_begins_anew(self, rig_of: Make, name: Name) -> None:
        rig = rig_of(**SERIAL)
        rig.terminal.rules[name] = lambda _: rig.terminal.not_ok()
        rig.boot()
        rig.terminal.rules.clear()
        assert rig.run(5_000).terminal.state is State.WAIT_CARD

    @pytest.mark.parametrize("reach", [SERIAL, {}], ids=["serial", "tcp"])
    def test_refused_steps_are_tried_ever_more_slowly(
        self, rig_of: Make, reach: Any
    ) -> None:
        """A terminal that is not ready for minutes is not hammered (R-RTY-04)."""
        rig = rig_of(**reach)
        rig.terminal.rules[Name.SETUP] = lambda _: rig.terminal.not_ok(NOT_READY)
        rig.boot(settle_ms=600_000)
        assert 30 < rig.terminal.count(Name.SETUP) < 50
        rig.terminal.rules.clear()
        assert rig.run(61_000).terminal.state is State.WAIT_CARD

    def test_status_under_the_other_header(self, rig_of: Make) -> None:
        rig = rig_of()
        status = bytes.fromhex("AA 04 3C 00 08 00 F2")
        usual = rig.terminal._usual

        def other_header(request: Any) -> Any:
            rig.later(lambda: rig.noise(status))
            return []

        rig.terminal.rules[Name.GET_STATUS] = other_header
        rig.boot()
        assert rig.terminal.state is State.WAIT_CARD
        assert usual is not None


class TestKeepAlive:
    def test_never_more_than_15_seconds(self, rig_of: Make) -> None:
        rig = rig_of().boot()
        before = rig.terminal.count(Name.GET_STATUS)
        rig.run(150_000)
        assert rig.terminal.count(Name.GET_STATUS) - before == 10

    def test_also_while_a_close_is_not_answered(self, rig_of: Make) -> None:
        rig = rig_of().boot().tap()
        rig.terminal.rules[Name.VOID_SESSION] = lambda _: []
        rig.press("cancel")
        before = rig.terminal.count(Name.GET_STATUS)
        rig.run(55_000)
        assert rig.terminal.count(Name.GET_STATUS) - before == 3
        assert rig.terminal.count(Name.VOID_SESSION) == 1

    def test_a_silent_terminal_is_called_anew(self, rig_of: Make) -> None:
        rig = rig_of().boot()
        rig.terminal.is_dead = True
        rig.run(21_000)
        assert CloseLink(link=Link.PSP) in rig.actions
        rig.terminal.is_dead = False
        assert rig.run(10_000).terminal.state is State.WAIT_CARD

    def test_serial_asks_once_and_then_rarely(self, rig_of: Make) -> None:
        rig = rig_of(**SERIAL).boot()
        before = rig.terminal.count(Name.GET_STATUS)
        rig.run(1_900_000)
        assert rig.terminal.count(Name.GET_STATUS) - before == 16


class TestReader:
    def test_expiry_is_followed_by_a_new_start(self, rig_of: Make) -> None:
        rig = rig_of().boot().say(message(Name.SESSION_CANCELLED))
        assert rig.terminal.count(Name.START_SESSION) == 2

    @pytest.mark.parametrize("state", [State.ENABLED, State.DISABLED, State.OFFLINE])
    def test_a_silent_end_is_noticed(self, rig_of: Make, state: State) -> None:
        rig = rig_of().boot()
        rig.terminal.state = state
        assert rig.run(20_000).terminal.state is State.WAIT_CARD

    def test_a_missed_card_is_dropped(self, rig_of: Make) -> None:
        rig = rig_of().boot()
        rig.terminal.state = State.WAIT_AUTH
        rig.run(20_000)
        assert rig.terminal.count(Name.CANCEL_SESSION) == 1
        assert rig.terminal.state is State.WAIT_CARD

    def test_a_stalled_read_is_started_again(self, rig_of: Make) -> None:
        rig = rig_of().boot()
        fields = {"state": 0x10, "running": 0}
        stalled = message(Name.GET_STATUS_RESPONSE, **fields)
        rig.terminal.rules[Name.GET_STATUS] = lambda _: [stalled]
        rig.run(16_000)
        assert rig.terminal.count(Name.START_SESSION) == 2

    def test_a_refused_start_asks_for_the_state(self, rig_of: Make) -> None:
        rig = rig_of()
        rig.terminal.rules[Name.START_SESSION] = lambda _: rig.terminal.not_ok(0x05)
        rig.boot()
        assert rig.terminal.names()[-2:].count(Name.GET_STATUS) == 1
        rig.terminal.rules.clear()
        assert rig.run(3_000).terminal.state is State.WAIT_CARD

    def test_a_start_may_be_acknowledged(self, rig_of: Make) -> None:
        rig = rig_of()
        ok = message(Name.RESULT, result=0)
        usual = rig.terminal._usual
        rig.terminal.rules[Name.START_SESSION] = lambda it: [*usual(it), ok]
        rig.boot().tap()
        assert list(rig.terminal.open) == [41]

    def test_a_read_that_goes_on_is_adopted(self, rig_of: Make) -> None:
        rig = rig_of().boot()
        rig.terminal.rules[Name.START_SESSION] = lambda _: rig.terminal.not_ok(0x05)
        rig.say(message(Name.SESSION_CANCELLED))
        rig.terminal.state = State.WAIT_CARD
        rig.run(1_000).tap()
        assert list(rig.terminal.open) == [41]

    def test_a_card_dropped_before_it_was_authorised(self, rig_of: Make) -> None:
        rig = rig_of(connectors=2).boot().tap().run(5_000)
        rig.terminal.rules[Name.VOID_SESSION] = lambda _: []
        rig.press("cancel", 1).tap(OTHER_CARD)
        rig.say(message(Name.SESSION_CANCELLED)).run(1_000)
        assert rig.charger.codes()[-1] == "declined"
        assert rig.terminal.count(Name.AUTH_SESSION) == 1

    def test_a_card_that_comes_as_reading_ends(self, rig_of: Make) -> None:
        rig = rig_of(scanning="on_plug").boot().pilot("B").run(1_000)
        rig.terminal.rules[Name.CANCEL_SESSION] = lambda _: [
            rig.terminal.card(),
            message(Name.SESSION_CANCELLED),
        ]
        rig.pilot("A").run(1_000)
        assert rig.terminal.count(Name.AUTH_SESSION) == 0


class TestAuthorising:
    def _slow(self, make: Make, **claims: Any) -> Any:
        rig = make(**claims).boot()
        rig.terminal.rules[Name.AUTH_SESSION] = lambda _: []
        rig.tap()
        rig.terminal.rules[Name.GET_STATUS] = lambda _: [
            message(Name.GET_STATUS_RESPONSE, state=0x20, running=1)
        ]
        return rig

    def test_declined(self, rig_of: Make) -> None:
        rig = self._slow(rig_of).say(message(Name.SESSION_DECLINED, reason=9))
        assert rig.charger.codes() == ["declined"]
        assert "issuer" in rig.charger.told("show")[-1]["text"]

    def test_cancelled_at_the_pin(self, rig_of: Make) -> None:
        rig = self._slow(rig_of).say(message(Name.SESSION_CANCELLED))
        assert rig.charger.codes() == ["declined"]

    def test_the_answer_may_take_200_seconds(self, rig_of: Make) -> None:
        rig = self._slow(rig_of).run(200_000).say(rig_approval(41)).run(1_000)
        assert rig.charger.codes() == ["plug_in"]

    def test_in_part(self, rig_of: Make) -> None:
        rig = self._slow(rig_of)
        part = Name.SESSION_PARTIALLY_APPROVED
        rig.say(message(part, session_id=41, amount_minor=1000, data=()))
        rig.terminal.open[41] = 1000
        rig.terminal.rules.clear()
        rig.plug().charge(30_000, power_w=22_000).run(3_000)
        [(_, amount)] = rig.closes
        assert 990 <= amount <= 1000

    def test_no_answer_at_all(self, rig_of: Make) -> None:
        rig = self._slow(rig_of).run(213_000)
        assert rig.charger.codes() == ["unavailable"]
        assert rig.charger.alarms() == ["unknown_outcome"]
        assert CloseLink(link=Link.PSP) not in rig.actions
        rig.terminal.rules.clear()
        rig.run(10_000).say(rig_approval(41)).run(1_000)
        assert rig.closes == [("void", 41 * 0)]

    def test_late_approval_during_the_set_up(self, rig_of: Make) -> None:
        rig = self._slow(rig_of)
        rig.terminal.rules[Name.SYNCHRONIZE] = lambda _: []
        rig.run(212_000).say(rig_approval(41))
        rig.terminal.rules.clear()
        rig.terminal.open[41] = 5000
        rig.run(5_000)
        assert rig.closes == [("void", 0)]

    def test_p6x_looks_for_what_it_missed(self, rig_of: Make) -> None:
        rig = self._slow(rig_of, **SERIAL).run(33_000)
        rig.terminal.rules.clear()
        rig.terminal.open[77] = 5000
        rig.run(40_000)
        assert said(rig, Name.VOID_SESSION).number("session_id") == 77
        assert "orphan" in rig.charger.alarms()

    def test_p6x_finds_nothing(self, rig_of: Make) -> None:
        rig = self._slow(rig_of, **SERIAL).run(33_000)
        rig.terminal.rules.clear()
        rig.run(600_000)
        assert rig.charger.alarms() == []
        assert rig.terminal.count(Name.LIST_SESSIONS) >= 5

    def test_a_slow_decline_is_looked_into(self, rig_of: Make) -> None:
        rig = self._slow(rig_of, **SERIAL).run(28_500)
        rig.say(message(Name.SESSION_DECLINED))
        rig.terminal.rules.clear()
        rig.terminal.open[77] = 5000
        rig.run(20_000)
        assert rig.closes == [("void", 0)]

    def test_a_lost_answer_shows_in_the_state(self, rig_of: Make) -> None:
        rig = self._slow(rig_of)
        rig.terminal.rules.clear()
        rig.terminal.state = State.ENABLED
        rig.run(20_000)
        assert rig.charger.alarms() == ["unknown_outcome"]

    def test_a_damaged_approval_still_tells_its_session(self, rig_of: Make) -> None:
        rig = self._slow(rig_of)
        block = bytearray(rig.terminal.say(rig.terminal.approve()))
        block[-1] ^= 1
        rig.noise(bytes(block))
        rig.terminal.rules.clear()
        rig.run(5_000)
        assert rig.closes == [("void", 0)]
        assert rig.terminal.open == {}

    def test_other_damage_is_nothing(self, rig_of: Make) -> None:
        rig = self._slow(rig_of)
        rig.noise(b"\x00\x01\x02")
        block = bytearray(rig.terminal.say(message(Name.SESSION_DECLINED)))
        block[-1] ^= 1
        rig.noise(bytes(block))
        rig.run(2_000).say(rig_approval(41)).run(1_000)
        assert rig.charger.codes() == ["plug_in"]

    def test_the_line_breaks(self, rig_of: Make) -> None:
        rig = self._slow(rig_of).hang_up().run(5_000)
        assert rig.charger.alarms() == ["unknown_outcome"]

    def test_refused(self, rig_of: Make) -> None:
        rig = self._slow(rig_of).say(*rig_of().terminal.not_ok(0x0E)).run(1_000)
        assert rig.charger.codes() == ["declined"]

    def test_twice_the_same_is_one(self, rig_of: Make) -> None:
        rig = self._slow(rig_of).say(rig_approval(41), rig_approval(41)).run(1_000)
        assert rig.closes == []

    def test_two_ids_are_one_too_many(self, rig_of: Make) -> None:
        rig = self._slow(rig_of).say(rig_approval(41), rig_approval(42)).run(1_000)
        assert said(rig, Name.VOID_SESSION).number("session_id") == 42
        assert rig.terminal.count(Name.VOID_SESSION) == 1

    def test_a_close_meanwhile_is_put_off(self, rig_of: Make) -> None:
        rig = rig_of(connectors=2).boot().plug().tap().charge(1000)
        rig.terminal.rules[Name.AUTH_SESSION] = lambda _: []
        rig.tap(OTHER_CARD)
        rig.terminal.rules[Name.COMMIT_SESSION] = lambda _: rig.terminal.not_ok(0x05)
        rig.unplug()
        assert rig.closes == [("commit", 50)]
        rig.terminal.rules.clear()
        rig.say(rig.terminal.approve()).run(1_000)
        assert rig.closes == [("commit", 50), ("commit", 50)]
        assert [op for _, op, _ in rig.terminal.closed] == ["Commit Session"]

    def test_an_unanswered_close_meanwhile(self, rig_of: Make) -> None:
        rig = rig_of(connectors=2).boot().plug().tap().charge(1000)
        rig.terminal.rules[Name.AUTH_SESSION] = lambda _: []
        rig.tap(OTHER_CARD)
        rig.terminal.rules[Name.GET_STATUS] = lambda _: [
            message(Name.GET_STATUS_RESPONSE, state=0x20, running=1)
        ]
        rig.terminal.rules[Name.COMMIT_SESSION] = lambda _: []
        rig.unplug().run(65_000)
        assert CloseLink(link=Link.PSP) not in rig.actions
        rig.terminal.rules.clear()
        rig.say(rig.terminal.approve()).run(5_000)
        assert CloseLink(link=Link.PSP) in rig.actions
        assert len(rig.terminal.closed) == 1


def rig_approval(session_id: int) -> Any:
    return message(Name.SESSION_APPROVED, session_id=session_id, data=())


class TestClosing:
    def _charged(self, make: Make, **claims: Any) -> Any:
        return make(**claims).boot().plug().tap().charge(1000)

    def test_a_lost_answer_and_not_known(self, rig_of: Make) -> None:
        rig = self._charged(rig_of)
        usual = rig.terminal._usual

        def silent(request: Any) -> Any:
            usual(request)
            return []

        rig.terminal.rules[Name.COMMIT_SESSION] = silent
        rig.unplug().run(1_000)
        rig.terminal.rules.clear()
        rig.run(70_000)
        assert rig.closes == [("commit", 50)] * 2
        assert rig.charger.alarms() == []

    def test_wrong_state_is_set_up_and_repeated(self, rig_of: Make) -> None:
        rig = self._charged(rig_of)
        usual = rig.terminal._usual
        rig.terminal.rules[Name.COMMIT_SESSION] = lambda it: (
            usual(it) if rig.terminal.count(Name.RESET) > 1 else rig.terminal.not_ok(5)
        )
        rig.unplug().run(2_000)
        assert rig.closes == [("commit", 50)] * 2
        assert rig.terminal.open == {}

    @pytest.mark.parametrize("reason", [0x03, 0x04])
    def test_a_damaged_request_is_repeated_once(
        self, rig_of: Make, reason: int
    ) -> None:
        rig = self._charged(rig_of)
        rig.terminal.rules[Name.COMMIT_SESSION] = lambda _: rig.terminal.not_ok(reason)
        rig.unplug().run(30_000)
        assert len(rig.closes) == 2
        rig.terminal.rules.clear()
        rig.run(60_000)
        assert rig.terminal.open == {}

    def test_a_line_that_damages_every_request_is_not_hammered(
        self, rig_of: Make
    ) -> None:
        """One repeat at once in all, not one with each attempt of the plan."""
        rig = self._charged(rig_of)
        rig.terminal.rules[Name.COMMIT_SESSION] = lambda _: rig.terminal.not_ok(4)
        rig.unplug().run(250_000)
        assert len(rig.closes) == 6

    def test_not_ready_waits_for_the_schedule(self, rig_of: Make) -> None:
        rig = self._charged(rig_of)
        rig.terminal.rules[Name.COMMIT_SESSION] = lambda _: rig.terminal.not_ok(0x11)
        rig.unplug().run(125_000)
        assert len(rig.closes) == 3
        rig.terminal.rules.clear()
        rig.run(60_000)
        assert rig.terminal.open == {}

    def test_not_known_without_an_attempt_is_an_alarm(self, rig_of: Make) -> None:
        rig = self._charged(rig_of)
        rig.terminal.open.clear()
        rig.unplug().run(400_000)
        assert len(rig.closes) == 6
        assert rig.charger.alarms() == ["unknown_outcome"]
        assert rig.terminal.state is State.WAIT_CARD

    def test_p6x_restarted_meanwhile(self, rig_of: Make) -> None:
        rig = self._charged(rig_of, **SERIAL)
        rig.terminal.state = State.OFFLINE
        usual = rig.terminal._usual

        def only_set_up(request: Any) -> Any:
            is_up = rig.terminal.state >= State.DISABLED
            return usual(request) if is_up else rig.terminal.not_ok()

        for name in (Name.COMMIT_SESSION, Name.LIST_SESSIONS):
            rig.terminal.rules[name] = only_set_up
        rig.unplug().run(5_000)
        assert rig.terminal.open == {}

    def test_p6x_restarted_meanwhile_and_lists_all_the_same(self, rig_of: Make) -> None:
        """The list says that the session is open, and not why it was refused."""
        rig = self._charged(rig_of, **SERIAL)
        rig.terminal.state = State.OFFLINE
        usual = rig.terminal._usual

        def only_set_up(request: Any) -> Any:
            is_up = rig.terminal.state >= State.DISABLED
            return usual(request) if is_up else rig.terminal.not_ok()

        rig.terminal.rules[Name.COMMIT_SESSION] = only_set_up
        rig.unplug().run(70_000)
        assert rig.terminal.open == {}

    def test_p6x_refuses_everything(self, rig_of: Make) -> None:
        rig = self._charged(rig_of, **SERIAL)
        for name in (Name.COMMIT_SESSION, Name.LIST_SESSIONS):
            rig.terminal.rules[name] = lambda _: rig.terminal.not_ok()
        rig.unplug().run(25_000)
        assert len(rig.closes) == 2

    def test_p6x_already_closed(self, rig_of: Make) -> None:
        rig = self._charged(rig_of, **SERIAL)
        rig.terminal.open.clear()
        rig.unplug().run(5_000)
        assert rig.charger.alarms() == ["unknown_outcome"]

    def test_p6x_breaks_while_it_is_asked(self, rig_of: Make) -> None:
        rig = self._charged(rig_of, **SERIAL)
        rig.terminal.rules[Name.COMMIT_SESSION] = lambda _: rig.terminal.not_ok()
        rig.terminal.rules[Name.LIST_SESSIONS] = lambda _: []
        rig.unplug().run(20_000)
        rig.terminal.rules.clear()
        rig.run(60_000)
        assert rig.terminal.open == {}

    def test_the_line_breaks_in_the_middle(self, rig_of: Make) -> None:
        rig = self._charged(rig_of)
        rig.terminal.rules[Name.COMMIT_SESSION] = lambda _: []
        rig.unplug().hang_up()
        rig.terminal.rules.clear()
        rig.run(70_000)
        assert rig.closes == [("commit", 50)] * 2
        assert rig.terminal.open == {}

    def test_a_result_that_comes_twice_closes_one(self, rig_of: Make) -> None:
        rig = rig_of(connectors=2).boot().plug(1).tap().plug(2).tap(OTHER_CARD)
        rig.charge(100).charge(100, 2)
        usual = rig.terminal._usual
        not_ready = rig.terminal.not_ok(0x11)

        def twice_then_not_ready(request: Any) -> Any:
            is_first = rig.terminal.count(Name.COMMIT_SESSION) == 1
            return usual(request) * 2 if is_first else not_ready

        rig.terminal.rules[Name.COMMIT_SESSION] = twice_then_not_ready
        for number in (1, 2):
            for line in rig.charger.switch(number, is_closed=False):
                rig.bay(line)
        rig.run(5_000)
        assert len(rig.terminal.open) == 1
        rig.terminal.rules.clear()
        rig.run(60_000)
        assert rig.terminal.open == {}

    def test_standing_down_and_coming_back(self, rig_of: Make) -> None:
        rig = self._charged(rig_of)
        rig.terminal.rules[Name.COMMIT_SESSION] = lambda _: rig.terminal.not_ok(0x11)
        rig.unplug().run(400_000)
        assert rig.charger.alarms() == ["close_failed"]
        before = len(rig.terminal.heard)
        rig.run(3_000_000)
        assert len(rig.terminal.heard) == before
        rig.terminal.rules.clear()
        rig.run(600_000)
        assert rig.terminal.open == {}
        assert rig.terminal.state is State.WAIT_CARD

    def test_a_terminal_that_never_answers_is_not_hammered(self, rig_of: Make) -> None:
        rig = self._charged(rig_of)
        rig.terminal.rules[Name.COMMIT_SESSION] = lambda _: []
        rig.unplug().run(300_000 + 3 * 3_600_000)
        assert len(rig.closes) <= 6 + 2 * 3 + 1

    def test_standing_down_on_a_serial_line(self, rig_of: Make) -> None:
        rig = self._charged(rig_of, **SERIAL)
        rig.terminal.rules[Name.COMMIT_SESSION] = lambda _: rig.terminal.not_ok()
        rig.unplug().run(400_000)
        assert rig.terminal.state is State.ENABLED
        rig.tap(OTHER_CARD)
        assert rig.terminal.count(Name.AUTH_SESSION) == 1


class TestRecovery:
    def test_p6x_disposes_of_strangers_in_pages(self, rig_of: Make) -> None:
        rig = rig_of(**SERIAL)
        rig.terminal.open.update({1000 + number: 5000 for number in range(70)})
        rig.boot(settle_ms=60_000)
        assert rig.terminal.open == {}
        assert rig.charger.alarms() == ["orphan"] * 70
        assert rig.terminal.count(Name.REMOVE_SESSIONS) == 0

    def test_p6x_says_open_what_was_confirmed(self, rig_of: Make) -> None:
        rig = rig_of(**SERIAL).boot().tap().press("cancel").run(2_000)
        rig.terminal.open[41] = 5000
        rig.die()
        rig.boot()
        rig.die()
        rig.boot()
        assert rig.charger.alarms() == ["orphan"] * 2
        assert len(rig.closes) == 1

    def test_apollo_remembers_the_question(self, rig_of: Make) -> None:
        rig = rig_of().boot()
        rig.terminal.rules[Name.AUTH_SESSION] = lambda _: []
        rig.tap()
        rig.die()
        rig.boot()
        assert rig.charger.alarms() == ["unknown_outcome"]


class TestScreen:
    def test_told_on_the_terminal_while_the_charger_is_away(self, rig_of: Make) -> None:
        rig = rig_of().boot()
        rig.charger.is_reachable = False
        rig.hang_up(Link.BAY).run(1_000).tap()
        request = said(rig, Name.UI_REQUEST)
        assert request["properties"] == (("title", "Not available at the moment"),)

    def test_no_screen_no_words(self, rig_of: Make) -> None:
        rig = rig_of(**SERIAL).boot()
        rig.charger.is_reachable = False
        rig.hang_up(Link.BAY).run(1_000).tap()
        assert rig.terminal.count(Name.UI_REQUEST) == 0
