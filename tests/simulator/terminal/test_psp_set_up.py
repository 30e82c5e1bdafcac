"""The set-up sequence over PSP, in real bytes (psp.md 5.2, 6)."""

import pytest

from simulator.events import (
    PspBytes,
    PspConnected,
)
from tests.simulator.terminal.pair import Court, PspHost, psp
from wire.psp import (
    Family,
    Name,
    Option,
    Reason,
    SetupAction,
    State,
)

_MINUTE_MS = 60_000


def _names(host: PspHost) -> list[Name]:
    return [one.name for one in host.heard()]


def test_published_dumps_of_the_set_up() -> None:
    """psp.md 6.0: bytes that our own encoder did not produce."""
    court = Court()
    court.tell(PspConnected())
    for sent, answered in (
        ("CC 02 3C 26 30", "AA 04 3C 26 01 00 11"),
        ("CC 02 3C 24 2E", "AA 02 3C 24 0C"),
        ("CC 07 3C 13 03 00 00 00 02 27", "AA 07 3C 13 03 00 00 00 02 05"),
        ("CC 07 3C 23 00 02 A3 00 00 D7", "AA 03 3C 00 00 E9"),
        ("CC 02 3C 12 1C", "AA 03 3C 00 00 E9"),
        ("CC 0A 3C 34 00 00 09 C4 00 00 00 0A 1D", ""),
        ("CC 02 3C 26 30", "AA 04 3C 26 10 01 21"),
        ("CC 02 3C 37 41", "AA 02 3C 33 1B"),
        ("CC 02 3C 37 41", "AA 03 3C 00 01 EA"),
    ):
        court.tell(PspBytes(data=bytes.fromhex(sent)))
        assert b"".join(court.bytes_out) == bytes.fromhex(answered), sent
        court.bytes_out.clear()


def test_set_up_leads_to_enabled_step_by_step() -> None:
    host = PspHost(Court())
    assert host.status() == (State.OFFLINE, 0)
    host.ask(Name.SYNCHRONIZE)
    assert host.status() == (State.ONLINE, 0)
    assert host.is_ok(Name.SETUP, timeout_s=60, action=SetupAction.VOID)
    assert host.status() == (State.DISABLED, 0)
    assert host.is_ok(Name.ENABLE)
    assert host.status() == (State.ENABLED, 0)
    assert host.is_ok(Name.ENABLE)
    assert host.is_ok(Name.DISABLE)
    assert host.status() == (State.DISABLED, 0)


def test_extended_blocks_hold_until_reset() -> None:
    host = PspHost(Court())
    host.set_up(Option.EXTENDED | Option.DETAILED)
    session = host.approve()
    assert host.commit(session, 1)
    assert host.is_ok(Name.RESET)
    court = host.court
    court.tell(PspBytes(data=bytes.fromhex("CC 02 3C 26 30")))
    assert court.bytes_out == [bytes.fromhex("AA 04 3C 26 01 00 11")]


def test_p6x_ignores_options_it_does_not_have() -> None:
    host = PspHost(psp(Family.P6X).court)
    host.ask(Name.SYNCHRONIZE)
    echo = host.ask(Name.PROTOCOL, version=3, options=0x1F)
    assert echo.number("options") == 0x1F
    assert host.ask(Name.START_SESSION, amount_minor=1, reference=1).fields == {
        "result": 1
    }


def test_ids_of_both_families() -> None:
    for family in Family:
        ids = psp(family).ask(Name.REQUEST_IDS)
        assert ids.text("serial_number") == "APO20240000001"


@pytest.mark.parametrize(
    ("name", "family"),
    [(Name.UPDATE_SESSION, Family.P6X), (Name.LIST_SESSIONS, Family.APOLLO)],
)
def test_a_command_of_the_other_family_is_refused(name: Name, family: Family) -> None:
    other = PspHost(psp(family).court)
    blocks = {
        Name.UPDATE_SESSION: "CC 0A 3C 42 00 00 00 42 00 00 1F 40 F5",
        Name.LIST_SESSIONS: "CC 03 3C 30 00 3B",
    }
    other.court.tell(PspBytes(data=bytes.fromhex(blocks[name])))
    sent = b"".join(other.court.bytes_out)
    expected = "AA 03 3C 00 01 EA" if family is Family.P6X else "AA 04 3C 00 01 02 ED"
    assert sent == bytes.fromhex(expected)


def test_a_damaged_block_is_answered_and_changes_nothing() -> None:
    host = psp()
    host.court.tell(PspBytes(data=bytes.fromhex("CC 02 3C 55 5E")))
    (answer,) = host.heard()
    assert answer.number("reason") == Reason.INCORRECT_CHECKSUM
    assert host.status() == (State.ENABLED, 0)


def test_a_block_in_pieces_with_noise_around_it() -> None:
    host = psp()
    for byte in bytes.fromhex("00 FF CC 02 3C 26 30"):
        host.court.tell(PspBytes(data=bytes([byte])))
    assert _names(host) == [Name.GET_STATUS_RESPONSE]
