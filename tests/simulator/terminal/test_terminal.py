"""The terminal as a whole: settings, views, and things that come from outside."""

import pytest

from simulator.events import (
    CardTapped,
    CloudLinkMoved,
    HostLinkMoved,
    IssuerAnswered,
    PspBytes,
    TerminalButtonPressed,
    TerminalPower,
)
from simulator.terminal import TRAITS, Kind, TerminalSettings
from tests.simulator.terminal.pair import Court, CpsHost, PspHost, cloud, json_of, psp
from wire.psp import Family, Name, Option, Profile, Reason, SetupAction, State


@pytest.mark.parametrize(
    "wrong", [{"card_detect_s": 0}, {"boot_ms": -1}, {"read_ms": 0}]
)
def test_impossible_settings_say_what_is_allowed(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="allowed"):
        TerminalSettings(**wrong)  # type: ignore[arg-type]  # on purpose


def test_every_family_has_its_traits() -> None:
    assert set(TRAITS) == set(Family)
    assert TRAITS[Family.P6X].authorise_limit_ms == 30_000
    assert TRAITS[Family.APOLLO].authorise_limit_ms == 210_000


def test_an_unknown_card_says_which_there_are() -> None:
    host = psp()
    with pytest.raises(LookupError, match="visa"):
        host.court.tell(CardTapped(card="library"))


def test_a_terminal_without_power_is_dead_to_everybody() -> None:
    host = cloud()
    host.court.tell(TerminalPower(on=False))
    host.court.tell(TerminalPower(on=False))
    host.court.tell(CardTapped(card="visa"))
    host.court.tell(TerminalButtonPressed(button="cancel"))
    host.court.tell(PspBytes(data=bytes.fromhex("CC 02 3C 26 30")))
    assert host.court.bytes_out == []
    assert not host.court.terminal.online
    assert host.court.terminal.screen.screen == "off"
    host.court.tell(TerminalPower(on=True))
    host.court.tell(TerminalPower(on=True))
    assert not host.court.terminal.is_running
    host.court.run(15_000)
    assert host.court.terminal.is_running
    assert host.court.terminal.online


def test_a_reboot_by_itself_takes_the_line_along() -> None:
    host = psp()
    host.court.terminal.reboot()
    host.court.run(15_000)
    assert host.court.hang_ups == ["reboot"]
    assert PspHost(host.court).status() == (State.OFFLINE, 0)
    host.court.tell(TerminalPower(on=False))
    host.court.terminal.reboot()
    assert not host.court.terminal.is_running


def test_the_cloud_link_alone_does_not_disturb_psp() -> None:
    host = psp()
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.tell(CloudLinkMoved(up=False))
    assert host.status() == (State.WAIT_CARD, 1)
    host.court.tap()
    assert [one.name for one in host.heard()] == [Name.CARD_READ]


def test_an_answer_to_nothing_is_ignored() -> None:
    host = psp()
    before = len(host.court.notes)
    host.court.tell(IssuerAnswered(request=999, outcome="approved", hold="H9"))
    assert len(host.court.notes) == before


def test_losing_the_host_while_the_pin_is_asked_for_declines() -> None:
    host = psp()
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.tap("pin_slow")
    host.heard()
    host.send(Name.AUTH_SESSION)
    host.court.tell(HostLinkMoved(up=False))
    assert [one.name for one in host.heard()] == [Name.SESSION_DECLINED]


def test_a_terminal_that_refuses_rfid_goes_on_scanning() -> None:
    settings = TerminalSettings(refuses_rfid=True)
    host = PspHost(Court(settings))
    host.set_up()
    host.send(Name.READ_CARD, reference=1)
    host.court.tap("rfid")
    assert host.heard() == []
    assert host.court.terminal.screen.text == "Not accepted"


def test_an_impairment_of_a_read_that_goes_on() -> None:
    host = psp()
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.impair(Kind.READ_TIMEOUT)
    host.court.run(1)
    assert [one.name for one in host.heard()] == [Name.SESSION_CANCELLED]
    assert len(host.court.noted("fault", event="hit")) == 1


@pytest.mark.parametrize(
    ("readings", "block", "answer"),
    [
        ({"wrong_magic": "not_ok"}, "CC 02 3D 26 31", Reason.INCORRECT_MESSAGE),
        ({}, "CC 03 3C 35 00 40", Reason.INCORRECT_MESSAGE),
        ({}, "CC 02 3C 7F 89", Reason.UNKNOWN_COMMAND),
    ],
)
def test_blocks_that_are_no_requests(
    readings: dict[str, object], block: str, answer: Reason
) -> None:
    host = psp(readings=readings)
    host.court.tell(PspBytes(data=bytes.fromhex(block)))
    (result,) = host.heard()
    assert result.number("reason") == answer


@pytest.mark.parametrize(
    ("readings", "block"),
    [
        ({}, "CC 02 3D 26 31"),
        ({"not_ok_on_bad_checksum": False}, "CC 02 3C 26 31"),
        ({"unsupported_command": "silent"}, "CC 03 3C 30 00 3B"),
    ],
)
def test_blocks_that_are_met_with_silence(
    readings: dict[str, object], block: str
) -> None:
    host = psp(readings=readings)
    host.court.tell(PspBytes(data=bytes.fromhex(block)))
    assert host.court.bytes_out == []


def test_other_readings_of_set_up_and_start() -> None:
    readings = {
        "protocol_answer": "result",
        "reset_answer": "silent",
        "start_session_ack": "result_ok",
        "duplicate_reference": "refuse",
    }
    profile = Profile.from_mapping(readings)
    host = PspHost(Court(TerminalSettings(psp_profile=profile)))
    host.send(Name.RESET)
    assert host.heard() == []
    host.ask(Name.SYNCHRONIZE)
    assert host.is_ok(Name.PROTOCOL, version=3, options=0)
    assert host.is_ok(Name.SETUP, timeout_s=0, action=1)
    assert host.is_ok(Name.ENABLE)
    assert host.is_ok(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.tap()
    host.heard()
    host.ask(Name.AUTH_SESSION, wait_ms=100)
    assert not host.is_ok(Name.START_SESSION, amount_minor=1, reference=1)
    assert host.is_ok(Name.START_SESSION, amount_minor=1, reference=2)


def test_a_life_of_zero_may_end_at_once() -> None:
    profile = Profile.from_mapping({"setup_timeout_zero": "at_once"})
    host = PspHost(Court(TerminalSettings(psp_profile=profile)))
    host.set_up(timeout_s=0)
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.tap()
    host.send(Name.AUTH_SESSION)
    host.court.run(1_000)
    assert host.court.bank.open_holds() == set()


def test_p6x_may_refuse_options_it_does_not_have() -> None:
    host = psp(Family.P6X, link="serial", p6x_options="refused")
    host.ask(Name.SYNCHRONIZE)
    assert not host.is_ok(Name.PROTOCOL, version=3, options=0x08)


def test_the_host_may_hang_up_without_a_trace() -> None:
    host = psp(host_hangup="kept")
    again = PspHost(host.court)
    assert host.court.hang_ups == ["second_client"]
    host.court.bytes_out.clear()
    again.reading = host.reading
    assert again.status() == (State.ENABLED, 0)


def test_where_events_come_and_which_tags_are_the_default() -> None:
    readings = {
        "event_order": "answers_first",
        "complete_event": "before_answer",
        "card_read_default_tags": "two",
    }
    profile = Profile.from_mapping(readings)
    host = PspHost(Court(TerminalSettings(psp_profile=profile)))
    host.set_up(Option.EVENTS)
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.tap()
    event = Name.TRANSACTION_EVENT
    assert [one.name for one in host.heard()] == [event, event, Name.CARD_READ, event]
    host.send(Name.AUTH_SESSION)
    host.court.run(100)
    assert [one.name for one in host.heard()] == [event, Name.SESSION_APPROVED]


def test_unfinished_bytes_are_given_up_and_searched() -> None:
    """psp.md 9, A20: what a false preamble had swallowed is found."""
    host = psp()
    host.court.tell(PspBytes(data=bytes.fromhex("CC 20 3C 26 CC 02 3C 26 30")))
    assert host.heard() == []
    host.court.run(1_000)
    assert [one.name for one in host.heard()] == [Name.GET_STATUS_RESPONSE]


def test_a_short_limit_of_old_versions() -> None:
    host = psp(version_frame_limit="enforced")
    host.ask(Name.SYNCHRONIZE)
    host.ask(Name.PROTOCOL, version=1, options=0)
    long_tags = tuple(0xDFF000 + number for number in range(12))
    plain = PspHost(psp().court)
    host.reading = plain.reading
    host.send(Name.START_SESSION, amount_minor=1, reference=1, dol=long_tags)
    host.court.run(1_000)
    assert all(one.number("result", 0) == 1 for one in host.heard())
    assert host.court.terminal.state is State.ONLINE


def test_a_close_while_another_is_under_way_is_refused() -> None:
    """Over both faces: PSP asks for one thing, the cloud for another."""
    host = psp()
    session = host.approve()
    other = CpsHost(host.court)
    call = other.send("E10", session.session_id)
    number = session.psp_session_id
    fields = {"session_id": number, "amount_minor": 5}
    assert host.reason(Name.COMMIT_SESSION, **fields) == Reason.INCORRECT_STATE
    assert host.reason(Name.UPDATE_SESSION, **fields) == Reason.INCORRECT_STATE
    host.court.run(1_000)
    assert host.court.answers[call].status == 200
    missing = {"session_id": 1, "amount_minor": 5}
    assert host.reason(Name.UPDATE_SESSION, **missing) == Reason.SESSION_ID_NOT_FOUND
    assert host.reason(Name.COMMIT_SESSION, **missing) == Reason.SESSION_ID_NOT_FOUND
    assert len(host.court.noted("session", event="refused", session_id="")) == 1


def test_the_cloud_shows_what_psp_does_with_the_reader() -> None:
    host = psp()
    seen = [host.court.terminal.info.state]
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    seen.append(host.court.terminal.info.state)
    host.court.tap()
    seen.append(host.court.terminal.info.state)
    host.send(Name.AUTH_SESSION)
    seen.append(host.court.terminal.info.state)
    assert seen == ["IDLE", "READING", "CARD", "AUTHORIZING"]


def test_a_session_that_setup_committed_shows_as_committed_in_the_cloud() -> None:
    host = PspHost(Court(TerminalSettings(link="serial")))
    host.set_up(timeout_s=60, action=SetupAction.COMMIT)
    session = host.approve()
    host.court.run(61_000)
    body = json_of(CpsHost(host.court).call("E8", session.session_id))
    assert isinstance(body, dict)
    assert body["state"] == "COMMITED"


def test_an_expiry_while_the_host_is_away_is_forwarded() -> None:
    host = PspHost(Court(TerminalSettings(link="serial")))
    host.set_up(timeout_s=60)
    host.approve()
    host.court.tell(HostLinkMoved(up=False))
    host.court.run(61_000)
    assert host.court.bank.open_holds() == {"H1"}
    host.court.tell(HostLinkMoved(up=True))
    host.court.run(100)
    assert host.court.bank.open_holds() == set()


def test_a_stored_close_that_the_issuer_refuses_is_noted() -> None:
    host = psp()
    session = host.approve()
    host.court.tell(HostLinkMoved(up=False))
    assert host.commit(session, 5)
    host.court.bank.refuses_closes = True
    host.court.tell(HostLinkMoved(up=True))
    host.court.run(1_000)
    (note,) = host.court.noted("session", event="refused")
    assert note["via"] == "terminal"
    assert not host.court.sessions()[0].is_open
