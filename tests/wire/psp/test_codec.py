"""Every row there and back, and whatever else may come along a line.

The strategies are derived from the table: a new row is fuzzed the day it is added.
"""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wire.psp import (
    MESSAGES,
    TAGS,
    Block,
    BlockDecoder,
    Direction,
    Family,
    Field,
    LocalProtocolError,
    Malformed,
    Message,
    Name,
    Profile,
    Reading,
    Reason,
    Row,
    Value,
    decode,
    encode,
    encode_block,
    message,
)
from wire.psp.fields import (
    Bytes,
    Kind,
    Number,
    Numbers,
    PaddedText,
    Raw,
    TagList,
    Text,
    TextPairs,
    Tlv,
)

HOST = Direction.TO_HOST
TERMINAL = Direction.TO_TERMINAL
ALL_ON = Reading().with_options(0x1B)


# --- Strategies from the table --------------------------------------------------


def texts(most_bytes: int) -> st.SearchStrategy[str]:
    characters = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
    return st.text(characters, max_size=max(0, min(most_bytes - 1, 24) // 4))


def tags() -> st.SearchStrategy[int]:
    return st.sampled_from(sorted(TAGS))


def values(kind: Kind) -> st.SearchStrategy[Value]:
    """What a field of this kind may hold, small enough for a classic block."""
    match kind:
        case Number(size, None):
            return st.integers(0, (1 << 8 * size) - 1)
        case Number(_, allowed):
            return st.sampled_from([int(value) for value in allowed or ()])
        case Text(limit):
            return texts(limit)
        case PaddedText(size):
            return texts(size)
        case Bytes(size):
            return st.binary(min_size=size, max_size=size)
        case Raw():
            return st.binary(min_size=1, max_size=20)
        case TagList():
            return st.lists(tags(), max_size=6).map(tuple)
        case Tlv():
            pairs = st.tuples(tags(), st.binary(max_size=20))
            return st.lists(pairs, max_size=4).map(tuple)
        case Numbers(size):
            return st.lists(st.integers(0, (1 << 8 * size) - 1), max_size=9).map(tuple)
        case TextPairs(limit):
            return st.lists(st.tuples(texts(limit), texts(limit)), max_size=3).map(
                tuple
            )
        case _:
            raise AssertionError(f"no strategy for {kind}: add one")


@st.composite
def readings(draw: st.DrawFn, row: Row) -> Reading:
    """A reading under which this row is in force."""
    switch = dict([row.only_when]) if row.only_when else {}
    return Reading(
        family=draw(st.sampled_from(sorted(row.families))),
        extended=draw(st.booleans()),
        detailed=draw(st.booleans()),
        authorization_dol=draw(st.booleans()),
        declined_dol=draw(st.booleans()),
        profile=Profile.from_mapping(switch),
    )


@st.composite
def contents(draw: st.DrawFn, row: Row, family: Family) -> dict[str, Value]:
    """Fields for a row: what must be there, and any number of the optional ones."""
    usable = [item for item in row.fields if family in item.families]
    fixed = sum(not item.is_optional for item in usable)
    count = draw(st.integers(fixed, len(usable)))
    return {item.name: draw(values(item.kind)) for item in usable[:count]}


def is_on(item: Field, reading: Reading) -> bool:
    match item.needs:
        case None:
            return True
        case "any_decline":
            return reading.detailed or reading.declined_dol
        case need:
            return bool(getattr(reading, need))


def survivors(
    row: Row, given_fields: Mapping[str, Value], reading: Reading
) -> dict[str, Value]:
    """What must come out of the other end, told from the row alone."""
    found: dict[str, Value] = {}
    for item in row.fields:
        if reading.family not in item.families:
            continue
        if item.omit_when and given_fields[item.omit_when[0]] == item.omit_when[1]:
            continue
        if is_on(item, reading):
            is_free = item.is_optional and item.needs is None
            if item.name in given_fields or not is_free:
                value = given_fields.get(item.name, item.default)
                assert value is not None
                found[item.name] = value
        elif item.without == "default":
            assert item.default is not None
            found[item.name] = item.default
    return found


def through(item: Message, row: Row, reading: Reading) -> Message | Malformed:
    raw = encode(item, row.direction, reading)
    decoder = BlockDecoder(row.direction, extended=reading.extended)
    (block,) = decoder.receive(raw, 0)
    assert isinstance(block, Block)
    # The only ambiguity: a status under 0x00 is understood when it was asked for.
    asked = Name.GET_STATUS if row.name is Name.GET_STATUS_RESPONSE else Name.ENABLE
    return decode(block, row.direction, reading, expecting=asked)


def label(row: Row) -> str:
    return f"{row.direction.value}-{row.name.value}-{row.only_when}"


@pytest.mark.parametrize("row", MESSAGES, ids=label)
class TestEveryRow:
    @settings(max_examples=25, deadline=None)
    @given(data=st.data())
    def test_round_trip(self, row: Row, data: st.DataObject) -> None:
        reading = data.draw(readings(row))
        fields = data.draw(contents(row, reading.family))
        if row.name is Name.GET_STATUS_RESPONSE and row.header == 0x00:
            fields["running"] = fields["running"] if fields["state"] != 1 else 0
        item = Message(row.name, fields)
        assert through(item, row, reading) == Message(
            row.name, survivors(row, fields, reading)
        )

    @settings(max_examples=15, deadline=None)
    @given(data=st.data())
    def test_any_content_is_a_message_or_malformed(
        self, row: Row, data: st.DataObject
    ) -> None:
        reading = data.draw(readings(row))
        payload = data.draw(st.binary(max_size=40))
        block = Block(row.header, payload, b"")
        found = decode(block, row.direction, reading)
        assert isinstance(found, Message | Malformed)
        if isinstance(found, Malformed):
            assert found.payload == payload
            assert found.reason
            assert "allowed" in found.reason or "found" in found.reason

    @settings(max_examples=15, deadline=None)
    @given(data=st.data())
    def test_what_was_read_can_be_written_and_read_again(
        self, row: Row, data: st.DataObject
    ) -> None:
        switch = dict([row.only_when]) if row.only_when else {}
        family = sorted(row.families)[0]
        reading = replace(ALL_ON, family=family, profile=Profile.from_mapping(switch))
        payload = data.draw(st.binary(max_size=40))
        block = Block(row.header, payload, b"")
        first = decode(block, row.direction, reading, expecting=Name.GET_STATUS)
        if isinstance(first, Message) and "reason" not in first:
            again = through(first, row, reading)
            assert isinstance(again, Message)
            assert first.fields.items() <= again.fields.items()

    def test_too_short_is_malformed(self, row: Row) -> None:
        family = sorted(row.families)[0]
        switch = dict([row.only_when]) if row.only_when else {}
        reading = Reading(family=family, profile=Profile.from_mapping(switch))
        usable = [item for item in row.fields if family in item.families]
        must = [
            item
            for item in usable
            if not item.is_optional and item.default is None and item.needs is None
        ]
        found = decode(Block(row.header, b"", b""), row.direction, reading)
        if must:
            assert isinstance(found, Malformed)
            assert found.answer is Reason.INCORRECT_MESSAGE
            assert found.name is row.name or row.header == 0x00


# --- Result and status under one header -----------------------------------------


@pytest.mark.parametrize(
    ("payload", "expecting", "name"),
    [
        # psp.md 4.6: the rule by content
        ("00", None, Name.RESULT),
        ("01", None, Name.RESULT),
        ("00 00", None, Name.RESULT),
        ("01 02", None, Name.RESULT),
        ("01 11", None, Name.RESULT),
        ("01 00", None, Name.GET_STATUS_RESPONSE),
        ("01 01", None, Name.GET_STATUS_RESPONSE),
        ("02 00", None, Name.GET_STATUS_RESPONSE),
        ("20 01", None, Name.GET_STATUS_RESPONSE),
        # what is outstanding decides where content cannot
        ("01 00", Name.GET_STATUS, Name.GET_STATUS_RESPONSE),
        ("01 02", Name.GET_STATUS, Name.RESULT),
        ("00 00", Name.GET_STATUS, Name.RESULT),
        ("01 00", Name.COMMIT_SESSION, Name.RESULT),
        ("01 01", Name.COMMIT_SESSION, Name.RESULT),
        ("08 00", Name.COMMIT_SESSION, Name.GET_STATUS_RESPONSE),
    ],
)
@pytest.mark.parametrize("header", [0x26, 0x00])
def test_result_or_status(
    payload: str, expecting: Name | None, name: Name, header: int
) -> None:
    # A controller understands both whatever the switch of the terminal says.
    profile = Profile.from_mapping({"get_status_header": header})
    block = Block(0x00, bytes.fromhex(payload), b"")
    found = decode(block, HOST, Reading(profile=profile), expecting=expecting)
    assert isinstance(found, Message)
    assert found.name is name


@pytest.mark.parametrize("payload", ["", "03", "03 00", "00 00 00"])
def test_neither_result_nor_status(payload: str) -> None:
    found = decode(Block(0x00, bytes.fromhex(payload), b""), HOST, Reading())
    assert isinstance(found, Malformed)


# --- Options, switches, families ------------------------------------------------


def wire(item: Message, direction: Direction, reading: Reading) -> str:
    return encode(item, direction, reading)[3:-1].hex(" ")


CARD = ((0xDFF006, b"AB"),)


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (Reading(), "32"),
        (Reading(detailed=True), "32 09"),
        (Reading(detailed=True, declined_dol=True), "32 09"),
        (Reading(profile=Profile(declined_dol="reason_length_data")), "32"),
        (
            Reading(
                declined_dol=True, profile=Profile(declined_dol="reason_length_data")
            ),
            "32 09 06 df f0 06 02 41 42",
        ),
    ],
)
def test_declined(reading: Reading, expected: str) -> None:
    fields: dict[str, Value] = {"reason": 9}
    if reading.profile.declined_dol != "off":
        fields["data"] = CARD
    assert wire(Message(Name.SESSION_DECLINED, fields), HOST, reading) == expected


def test_approved_keeps_data_off_the_wire_without_the_option() -> None:
    item = message(Name.SESSION_APPROVED, session_id=66, data=CARD)
    zero = Reading(profile=Profile(approved_without_dol="zero_length"))
    full = Reading(authorization_dol=True)
    assert wire(item, HOST, Reading()) == "31 00 00 00 42"
    assert wire(item, HOST, zero) == "31 00 00 00 42 00"
    assert wire(item, HOST, full) == "31 00 00 00 42 06 df f0 06 02 41 42"


def test_data_is_read_even_without_the_option() -> None:
    block = Block(0x31, bytes.fromhex("00 00 00 42 06 DF F0 06 02 41 42"), b"")
    found = decode(block, HOST, Reading())
    assert isinstance(found, Message)
    assert found.tags() == {0xDFF006: b"AB"}


def test_session_id_survives_broken_data() -> None:
    # Money hangs on the id: what could be read is kept.
    found = decode(
        Block(0x31, bytes.fromhex("00 00 00 42 09 DF"), b""), HOST, Reading()
    )
    assert isinstance(found, Malformed)
    assert found.fields == {"session_id": 66}
    assert found.name is Name.SESSION_APPROVED


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("width", [1, 2])
def test_card_read_in_either_width(extended: bool, width: int) -> None:
    body = bytes.fromhex("DF F0 06 02 41 42")
    payload = len(body).to_bytes(width, "big") + body
    found = decode(Block(0x34, payload, b""), HOST, Reading(extended=extended))
    if extended or width == 1:
        assert found == message(Name.CARD_READ, data=CARD)
    else:
        assert isinstance(found, Malformed)


def test_width_of_card_read_is_switched() -> None:
    item = message(Name.CARD_READ, data=CARD)
    narrow = Reading(extended=True, profile=Profile(card_read_length=1))
    assert encode(item, HOST, narrow)[6:9].hex() == "3406df"
    assert encode(item, HOST, Reading(extended=True))[6:9].hex() == "340006"


def test_earlier_optional_fields_are_filled_in() -> None:
    item = message(Name.START_SESSION, amount_minor=1, qr="u")
    assert wire(item, TERMINAL, Reading()) == (
        "34 00 00 00 01 00 00 00 00 00 00 00 00 75 00"
    )


def test_p6x_start_session_ends_with_the_tags() -> None:
    item = message(Name.START_SESSION, amount_minor=1, dol=(0xDFF006,), logo="x")
    reading = Reading(family=Family.P6X)
    assert wire(item, TERMINAL, reading) == "34 00 00 00 01 00 00 00 00 03 df f0 06"


def test_tails() -> None:
    tail = Block(0x36, b"\x01", b"")
    strict = Reading(profile=Profile(auth_session_tail="refused"))
    assert decode(tail, TERMINAL, Reading()) == message(Name.AUTH_SESSION)
    assert isinstance(decode(tail, TERMINAL, strict), Malformed)
    cancelled = Block(0x33, b"\x01\x02", b"")
    assert decode(cancelled, HOST, Reading()) == message(Name.SESSION_CANCELLED)
    found = decode(Block(0x24, b"\x01", b""), TERMINAL, Reading())
    assert isinstance(found, Malformed)
    assert found.reason == "Synchronize: found 1 bytes, allowed 0"


def test_headers_of_read_card_and_select_language_swap() -> None:
    list_reading = Reading(profile=Profile(read_card_header=0x40))
    card = message(Name.READ_CARD, reference=1)
    language = message(Name.SELECT_LANGUAGE, data=b"nl")
    assert wire(card, TERMINAL, Reading())[:2] == "41"
    assert wire(card, TERMINAL, list_reading)[:2] == "40"
    assert wire(language, TERMINAL, Reading())[:2] == "40"
    assert wire(language, TERMINAL, list_reading)[:2] == "41"


def test_p6x_preamble_and_magic_are_the_profiles() -> None:
    profile = Profile(terminal_preamble=0xE0, terminal_magic=0x55)
    reading = Reading(family=Family.P6X, profile=profile)
    assert encode(message(Name.RESULT, result=0), HOST, reading).hex() == "e00355000038"
    assert encode(message(Name.ENABLE), TERMINAL, reading).hex() == "cc023c121c"


def test_command_of_another_family_is_unknown() -> None:
    found = decode(Block(0x48, b"\0", b""), TERMINAL, Reading(family=Family.P6X))
    assert isinstance(found, Malformed)
    assert found.answer is Reason.UNKNOWN_COMMAND
    assert found.name is Name.CONTROL
    assert found.reason == (
        "header 0x48: found Control, allowed the messages to_terminal of p6x"
    )


def test_header_that_nobody_has() -> None:
    found = decode(Block(0x99, b"", b""), TERMINAL, Reading())
    assert isinstance(found, Malformed)
    assert found.name is None
    assert found.answer is Reason.UNKNOWN_COMMAND
    assert "found no message" in found.reason


# --- Our own mistakes -----------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "direction", "words"),
    [
        (message(Name.CARD_READ), TERMINAL, "found Card Read, allowed Synchronize, "),
        (
            message(Name.LIST_SESSIONS, offset=0),
            TERMINAL,
            "apollo: found List Sessions",
        ),
        (message(Name.VOID_SESSION), TERMINAL, "session_id: found nothing, allowed a"),
        (
            message(Name.VOID_SESSION, session_id=-1),
            TERMINAL,
            "Void Session: session_id: found -1, allowed 0 to 4294967295",
        ),
        (
            message(Name.VOID_SESSION, session=1),
            TERMINAL,
            "found field session, allowed session_id",
        ),
        (message(Name.ENABLE, now=1), TERMINAL, "found field now, allowed no fields"),
        (message(Name.RECEIPT, data=bytes(254)), HOST, "found 259 bytes, allowed"),
    ],
)
def test_errors_say_what_was_found_and_what_is_allowed(
    item: Message, direction: Direction, words: str
) -> None:
    with pytest.raises(LocalProtocolError, match=words):
        encode(item, direction, Reading())


def test_smaller_frame_limit_of_the_profile() -> None:
    item = message(Name.RECEIPT, data=bytes(253))
    small = Reading(profile=Profile(frame_limit_bytes=257))
    assert len(encode(item, HOST, Reading())) == 258
    with pytest.raises(LocalProtocolError, match="found 258 bytes, allowed 257"):
        encode(item, HOST, small)


def test_same_bytes_in_both_block_formats() -> None:
    payload = encode(message(Name.ENABLE), TERMINAL, Reading(extended=True))
    assert payload == encode_block(0x12, b"", direction=TERMINAL, extended=True)
    assert payload.hex() == "cc000000023c121c"
