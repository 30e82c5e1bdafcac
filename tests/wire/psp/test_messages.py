# ruff: noqa: E501
"""The table of messages, tested as a table."""

import re
from itertools import product

import pytest

from wire.psp import (
    MESSAGES,
    PERMISSION_ROWS,
    PROFILE_SWITCHES,
    Direction,
    Family,
    LocalProtocolError,
    Mark,
    Name,
    Profile,
    Reading,
    Row,
    answers_of,
    row,
    rows_of,
)
from wire.psp.fields import Numbers, Raw, TextPairs, Tlv
from wire.psp.messages import is_in_force

SWITCHED = sorted({item.only_when[0] for item in MESSAGES if item.only_when})
TO_END = (Raw, Tlv, Numbers, TextPairs)


def every_reading() -> list[Reading]:
    """Every family under every value of every switch that chooses between rows."""
    values = [PROFILE_SWITCHES[name].allowed for name in SWITCHED]
    return [
        Reading(
            family=family,
            profile=Profile.from_mapping(dict(zip(SWITCHED, choice, strict=True))),
        )
        for family in Family
        for choice in product(*values)
    ]


READINGS = every_reading()


def label(item: Row) -> str:
    return f"{item.direction.value}-{item.name.value}-{item.only_when}"


@pytest.mark.parametrize("item", MESSAGES, ids=label)
class TestRow:
    def test_says_where_it_comes_from(self, item: Row) -> None:
        assert re.fullmatch(r"4\.[2-6]", item.clause)
        assert isinstance(item.mark, Mark)
        assert 0 <= item.header <= 0xFF
        assert item.families

    def test_switch_exists(self, item: Row) -> None:
        if item.only_when is not None:
            name, value = item.only_when
            assert value in PROFILE_SWITCHES[name].allowed

    def test_fields_can_be_told_apart(self, item: Row) -> None:
        names = [field.name for field in item.fields]
        assert len(names) == len(set(names))
        for field in item.fields[:-1]:
            assert not isinstance(field.kind, TO_END)

    def test_gaps_can_be_filled(self, item: Row) -> None:
        optional = [field.is_optional for field in item.fields]
        assert optional == sorted(optional), (
            "an optional field stands before a fixed one"
        )
        for field in item.fields[:-1]:
            assert not field.is_optional or field.default is not None

    def test_requests_have_answers_and_answers_exist(self, item: Row) -> None:
        if item.direction is Direction.TO_TERMINAL:
            assert item.answers or item.name is Name.READ_FILE_RESPONSE
        outputs = {other.name for other in MESSAGES}
        assert set(item.answers) <= outputs

    def test_unknown_layout_is_a_raw_tail(self, item: Row) -> None:
        if not item.layout_known:
            assert [field.name for field in item.fields] == ["data"]
            assert isinstance(item.fields[0].kind, Raw)
            assert item.note

    def test_is_found_by_its_header(self, item: Row) -> None:
        assert item in rows_of(item.direction, item.header)

    def test_is_in_force_under_some_reading(self, item: Row) -> None:
        assert any(is_in_force(item, reading) for reading in READINGS)


def test_rows_are_unique() -> None:
    keys = {
        (item.direction, item.name, item.only_when, item.families) for item in MESSAGES
    }
    assert len(keys) == len(MESSAGES)


def test_one_row_per_name_and_per_header_under_every_reading() -> None:
    for reading in READINGS:
        rows = [item for item in MESSAGES if is_in_force(item, reading)]
        names = {(item.direction, item.name) for item in rows}
        assert len(names) == len(rows)
        # Result and Get Status Response may share 0x00 (C18); nothing else may.
        headers = {
            (item.direction, item.header)
            for item in rows
            if item.name is not Name.GET_STATUS_RESPONSE
        }
        status = [item for item in rows if item.name is Name.GET_STATUS_RESPONSE]
        assert len(headers) == len(rows) - 1
        assert len(status) == 1


def test_every_switch_value_has_its_row() -> None:
    # A message that has a row for one value of a switch has one for each, in a family.
    for family in Family:
        counts = set()
        for reading in READINGS:
            if reading.family is family:
                counts.add(sum(is_in_force(item, reading) for item in MESSAGES))
        assert len(counts) == 1


def test_every_name_has_a_row() -> None:
    assert {item.name for item in MESSAGES} == set(Name)


def test_command_list_of_the_reference() -> None:
    # psp.md 4.1: header -> request, response, written down here a second time.
    # fmt: off
    listed = {
        0x00: (None, "Result"), 0x11: ("Disable", None), 0x12: ("Enable", None), 0x13: ("Protocol", "Protocol"),
        0x23: ("Setup", None), 0x24: ("Synchronize", "Synchronize"), 0x26: ("Get Status", "Get Status Response"),
        0x27: ("Request Ids", "Request Ids Response"), 0x28: ("UI Request", None), 0x29: (None, "UI Event"),
        0x30: ("List Sessions", "List Sessions Response"), 0x31: (None, "Session Approved"), 0x32: (None, "Session Declined"),
        0x33: ("Void Session", "Session Cancelled"), 0x34: ("Start Session", "Card Read"),
        0x35: ("Commit Session", "Session Partially Approved"), 0x36: ("Auth Session", None), 0x37: ("Cancel Session", None),
        0x38: ("Prop Card Exchange", "Transaction Event"), 0x39: ("Read File", "Read File Response"),
        0x40: ("Select Language", "Proprietary Card Read"), 0x41: ("Read Card", None), 0x42: ("Update Session", "Prop Card Response"),
        0x43: ("MiFare", "Update Session Result"), 0x44: ("Get Connection Info", "Get Connection Info Response"),
        0x45: ("Get Receipt", "Receipt"), 0x46: ("Get Transaction Record", "Transaction Record"),
        0x47: ("Add Transaction Context", None), 0x48: ("Control", None), 0x55: ("Reset", None), 0x56: ("Remove Sessions", None),
    }
    # fmt: on
    defaults = (Reading(), Reading(family=Family.P6X))
    found: dict[int, dict[Direction, str]] = {}
    for item in MESSAGES:
        if any(is_in_force(item, reading) for reading in defaults):
            found.setdefault(item.header, {})[item.direction] = item.name.value
    assert {
        header: (pair.get(Direction.TO_TERMINAL), pair.get(Direction.TO_HOST))
        for header, pair in found.items()
    } == listed


def test_p6x_has_its_own_commands() -> None:
    names = {
        item.name
        for item in MESSAGES
        if item.families == {Family.P6X} and item.direction is Direction.TO_TERMINAL
    }
    assert names == {Name.LIST_SESSIONS, Name.READ_FILE, Name.READ_FILE_RESPONSE}


def test_every_request_has_a_permission_row() -> None:
    requests = {
        item.name for item in MESSAGES if item.direction is Direction.TO_TERMINAL
    }
    assert set(PERMISSION_ROWS) == requests - {Name.READ_FILE_RESPONSE}


def test_row_of_the_default_readings() -> None:
    assert row(Direction.TO_TERMINAL, Name.LIST_SESSIONS).families == {Family.P6X}
    assert row(Direction.TO_HOST, Name.GET_STATUS_RESPONSE).header == 0x26
    other = Reading(profile=Profile(get_status_header=0x00))
    assert row(Direction.TO_HOST, Name.GET_STATUS_RESPONSE, other).header == 0x00


def test_no_row_is_our_mistake() -> None:
    with pytest.raises(LocalProtocolError, match="found Commit Session, allowed"):
        row(Direction.TO_HOST, Name.COMMIT_SESSION)
    with pytest.raises(LocalProtocolError, match="messages of apollo"):
        row(Direction.TO_TERMINAL, Name.LIST_SESSIONS, Reading())
    assert rows_of(Direction.TO_HOST, 0x99) == ()


def test_answers() -> None:
    assert answers_of(Name.COMMIT_SESSION) == (Name.RESULT,)
    assert Name.CARD_READ in answers_of(Name.READ_CARD)
    assert answers_of(Name.CARD_READ) == ()
