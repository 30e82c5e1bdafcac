"""The wiretap: meanings from bytes, by somebody who is not the terminal."""

from simulator.wiretap import MAX_BAD, Wiretap
from wire.psp import Direction, Family, Profile, Reading

TO_TERMINAL, TO_HOST = Direction.TO_TERMINAL, Direction.TO_HOST


def see(tap: Wiretap, direction: Direction, text: str) -> list[object]:
    return list(tap.see(direction, bytes.fromhex(text), 0))


def test_it_reads_a_block_that_comes_in_pieces() -> None:
    tap = Wiretap(Reading(family=Family.P6X))
    assert see(tap, TO_TERMINAL, "CC 0A 3C 35 00 00 00") == []
    assert see(tap, TO_TERMINAL, "04 00 00 00 6A B5") == [
        {"message": "Commit Session", "fields": {"session_id": 4, "amount_minor": 106}}
    ]


def test_it_says_what_is_malformed() -> None:
    tap = Wiretap(Reading(family=Family.P6X))
    assert {"malformed": "checksum"} in see(tap, TO_TERMINAL, "CC 02 3C 36 41 CC")


def test_it_follows_the_protocol_options_and_a_reset() -> None:
    tap = Wiretap(Reading(family=Family.APOLLO))
    see(tap, TO_TERMINAL, "CC 07 3C 13 03 00 00 00 0F 34")
    see(tap, TO_HOST, "AA 07 3C 13 03 00 00 00 0F 12")
    assert see(tap, TO_TERMINAL, "CC 00 00 00 02 3C 26 30") == [
        {"message": "Get Status", "fields": {}}
    ]
    see(tap, TO_TERMINAL, "CC 00 00 00 02 3C 55 5F")
    see(tap, TO_HOST, "AA 00 00 00 04 3C 00 00 00 EA")
    assert see(tap, TO_TERMINAL, "CC 02 3C 26 30") == [
        {"message": "Get Status", "fields": {}}
    ]


def test_a_refused_protocol_changes_nothing() -> None:
    tap = Wiretap(Reading(family=Family.APOLLO))
    see(tap, TO_TERMINAL, "CC 07 3C 13 03 00 00 00 0F 34")
    see(tap, TO_HOST, "AA 03 3C 00 01 EA")
    assert see(tap, TO_TERMINAL, "CC 02 3C 26 30") == [
        {"message": "Get Status", "fields": {}}
    ]


EXTENDED = ("CC 07 3C 13 03 00 00 00 0F 34", "AA 07 3C 13 03 00 00 00 0F 12")
CLASSIC_STATUS = "CC 02 3C 26 30"
STATUS = [{"message": "Get Status", "fields": {}}]


def test_a_lost_line_goes_back_to_the_classic_format() -> None:
    tap = Wiretap(Reading(family=Family.APOLLO))
    for by_host in (False, True):
        see(tap, TO_TERMINAL, EXTENDED[0])
        see(tap, TO_HOST, EXTENDED[1])
        tap.line_lost(by_host=by_host)
        assert see(tap, TO_TERMINAL, CLASSIC_STATUS) == STATUS


def test_a_terminal_that_keeps_its_options_is_followed() -> None:
    profile = Profile(host_hangup="kept")
    tap = Wiretap(Reading(family=Family.APOLLO, profile=profile))
    see(tap, TO_TERMINAL, EXTENDED[0])
    see(tap, TO_HOST, EXTENDED[1])
    tap.line_lost(by_host=True)
    assert see(tap, TO_TERMINAL, "CC 00 00 00 02 3C 26 30") == STATUS


def test_half_a_block_dies_with_its_line() -> None:
    tap = Wiretap(Reading(family=Family.P6X))
    see(tap, TO_TERMINAL, "CC 0A 3C 35 00")
    tap.line_lost()
    assert see(tap, TO_TERMINAL, CLASSIC_STATUS) == STATUS


def test_of_many_bad_blocks_the_first_are_told() -> None:
    tap = Wiretap(Reading(family=Family.P6X))
    found = see(tap, TO_TERMINAL, "CC 02 3C 26 00 " * 20)
    assert len(found) == MAX_BAD + 1
    assert found[-1] == {"malformed": "12 more"}
