"""The bay link: rows, judgement and a decoder that nothing breaks."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.bay import (
    ALARM_CODES,
    LINES,
    MAX_LINE_BYTES,
    PILOTS,
    BadLine,
    Direction,
    Kind,
    LineDecoder,
    Words,
    check_line,
    encode_line,
)
from wire.errors import LocalProtocolError

IN = Direction.TO_CONTROLLER
OUT = Direction.TO_CHARGER

CONNECTOR: dict[str, object] = {
    "connector": 1,
    "pilot": "A",
    "contactor_closed": False,
    "locked": False,
    "energy_wh": 1_234_567,
    "power_w": 0,
    "quality": "good",
    "faults": [],
    "occupied": False,
    "available": True,
}
WELCOME: dict[str, object] = {
    "type": "welcome",
    "version": 1,
    "boot": 1,
    "emergency_stop": False,
    "connectors": [CONNECTOR],
}

#: One good value and one bad one for each kind of field.
GOOD: dict[object, object] = {
    Kind.CONNECTOR: 32,
    Kind.CONNECTOR_OR_NULL: None,
    Kind.FLAG: True,
    Kind.WHOLE: 0,
    Kind.NUMBER: -1,
    Kind.TEXT: "",
    Kind.TEXT_OR_NUMBER: 7,
    Kind.CONNECTORS: [CONNECTOR],
}
BAD: dict[object, list[object]] = {
    Kind.CONNECTOR: [0, 33, None, "1", True, 1.0],
    Kind.CONNECTOR_OR_NULL: [0, 33, "1", False],
    Kind.FLAG: [0, 1, "true", None],
    Kind.WHOLE: [-1, "0", None, True, 0.5],
    Kind.NUMBER: ["1", None, True],
    Kind.TEXT: [1, None, []],
    Kind.TEXT_OR_NUMBER: [None, True, 1.5],
    Kind.CONNECTORS: [None, {}, [], [CONNECTOR] * 33, [1]],
}

FIELDS = [
    (row.direction, row.type, name, kind)
    for row in LINES.values()
    for name, kind in {**row.required, **row.optional}.items()
]


def good_line(direction: Direction, name: str) -> dict[str, object]:
    row = LINES[direction, name]
    values = {
        field: kind.words[0] if isinstance(kind, Words) else GOOD[kind]
        for field, kind in row.required.items()
    }
    return {"type": name, **values}


def read(data: bytes) -> list[object]:
    return list(LineDecoder().receive(data))


def test_the_rows_of_the_contract() -> None:
    assert {name for direction, name in LINES if direction is IN} == {
        "welcome", "plug", "bay", "meter", "contactor", "lock", "rejected",
        "available", "fault", "emergency_stop", "press", "ping", "pong",
    }  # fmt: skip
    assert {name for direction, name in LINES if direction is OUT} == {
        "hello", "contactor", "lock", "show", "alarm", "ping", "pong",
    }  # fmt: skip
    assert tuple("ABCDEF") == PILOTS
    assert len(ALARM_CODES) == 9


@pytest.mark.parametrize(("direction", "name"), LINES)
def test_a_line_by_its_row_is_fine(direction: Direction, name: str) -> None:
    line = good_line(direction, name)
    assert check_line(line, direction) is None
    assert check_line({**line, "colour": "red"}, direction) is None


@pytest.mark.parametrize(("direction", "name", "field", "kind"), FIELDS)
def test_a_field_of_the_wrong_kind_is_named(
    direction: Direction, name: str, field: str, kind: Kind | Words
) -> None:
    wrong = ["Z", 1, None] if isinstance(kind, Words) else BAD[kind]
    for value in wrong:
        found = check_line({**good_line(direction, name), field: value}, direction)
        assert found is not None
        assert found.startswith(f"{name}: {field}: ")
        assert "allowed" in found


@pytest.mark.parametrize(("direction", "name"), LINES)
def test_a_missing_field_is_named(direction: Direction, name: str) -> None:
    for field in LINES[direction, name].required:
        line = good_line(direction, name)
        del line[field]
        found = check_line(line, direction)
        assert found is not None
        assert found.startswith(f"{name}: {field}: found nothing, allowed ")


def test_the_words_of_a_breach() -> None:
    line = {"type": "meter", "connector": 1, "energy_wh": "x"}
    line |= {"power_w": 0, "quality": "good"}
    assert check_line(line, IN) == "meter: energy_wh: found 'x', allowed integer >= 0"
    plug = {"type": "plug", "connector": 1, "pilot": "Z"}
    assert check_line(plug, IN) == (
        "plug: pilot: found 'Z', allowed A | B | C | D | E | F"
    )


def test_a_long_find_is_cut() -> None:
    found = check_line({"type": "plug", "connector": "x" * 999, "pilot": "A"}, IN)
    assert found is not None
    assert len(found) < 150


def test_a_command_is_not_a_fact() -> None:
    fact = {"type": "contactor", "connector": 1, "closed": True}
    assert check_line(fact, IN) is None
    assert check_line(fact, OUT) == (
        "contactor: close: found nothing, allowed true or false"
    )


def test_an_unknown_type_is_fine_and_no_type_is_not() -> None:
    assert check_line({"type": "weather", "sun": True}, IN) is None
    assert check_line({"type": "hello"}, IN) is None
    assert check_line({}, IN) == "type: found None, allowed text"
    assert check_line({"type": 1}, OUT) == "type: found 1, allowed text"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pilot": "Z"}, "welcome: connectors: [0].pilot: found 'Z', allowed A |"),
        ({"faults": "x"}, "[0].faults: found 'x', allowed a list of texts"),
        ({"faults": [1]}, "[0].faults: found [1], allowed a list of texts"),
        ({"energy_wh": -1}, "[0].energy_wh: found -1, allowed integer >= 0"),
    ],
)
def test_a_connector_of_the_welcome_is_judged_too(
    change: dict[str, object], message: str
) -> None:
    line = {**WELCOME, "connectors": [{**CONNECTOR, **change}]}
    found = check_line(line, IN)
    assert found is not None
    assert message in found


def test_faults_of_a_connector_are_texts() -> None:
    row = {**CONNECTOR, "faults": ["GroundFailure"]}
    assert check_line({**WELCOME, "connectors": [row]}, IN) is None


# --- Bytes ----------------------------------------------------------------------

OBJECTS = st.dictionaries(
    st.text(max_size=5), st.integers() | st.text(max_size=9) | st.none(), max_size=4
)


@given(st.lists(OBJECTS, max_size=5), st.lists(st.integers(1, 30), max_size=20))
def test_lines_survive_any_cut(
    objects: list[dict[str, object]], sizes: list[int]
) -> None:
    rest = b"".join(encode_line(row) for row in objects)
    decoder = LineDecoder()
    found: list[object] = []
    for size in [*sizes, len(rest)]:
        found += decoder.receive(rest[:size])
        rest = rest[size:]
    assert found == objects


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_no_bytes_break_the_decoder(pieces: list[bytes]) -> None:
    decoder = LineDecoder()
    whole = read(b"".join(pieces))
    cut = [line for piece in pieces for line in decoder.receive(piece)]
    assert cut == whole
    assert len(whole) == b"".join(pieces).count(b"\n")


def test_a_line_is_written_one_way() -> None:
    line = encode_line({"type": "show", "text": "5 €", "connector": None})
    assert line == b'{"type":"show","text":"5 \\u20ac","connector":null}\n'


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not_json"),
        (b"\r", "not_json"),
        (b"{", "not_json"),
        (b"\xff{}", "not_json"),
        (b'{"energy_wh":NaN}', "not_json"),
        (b"[" * 60_000, "not_json"),
        (b'{"n":' + b"1" * 5000 + b"}", "not_json"),
        (b"[]", "not_an_object"),
        (b"null", "not_an_object"),
        (b'"x"', "not_an_object"),
        (b'{"n":' * 33 + b"1" + b"}" * 33, "too_deep"),
        (b'{"n":' + b"[" * 400 + b"]" * 400 + b"}", "too_deep"),
        (b'{"text":"\\ud800"}', "not_text"),
    ],
)
def test_a_line_that_is_no_object_is_reported(raw: bytes, reason: str) -> None:
    assert read(raw + b"\n{}\n") == [BadLine(reason, raw[:200]), {}]


@pytest.mark.parametrize(
    "raw",
    [
        b'{"n":' * 32 + b"1" + b"}" * 32,
        b'{"n":[' + b",".join([b"[]"] * 100) + b"]}",
        b'{"text":"\\ud83d\\ude97"}',
    ],
)
def test_deep_or_odd_but_right(raw: bytes) -> None:
    assert read(raw + b"\n") == [json.loads(raw)]


def test_the_other_line_end_is_tolerated() -> None:
    assert read(b'{"n":1}\r\n') == [{"n": 1}]


def exact_line(size: int) -> bytes:
    frame = len(b'{"t":""}\n')
    return b'{"t":"' + b"a" * (size - frame) + b'"}\n'


def test_the_longest_line_is_taken() -> None:
    line = exact_line(MAX_LINE_BYTES)
    assert len(line) == MAX_LINE_BYTES
    assert read(line) == [json.loads(line)]
    assert encode_line(json.loads(line)) == line


def test_one_byte_more_is_reported_once_and_skipped() -> None:
    line = exact_line(MAX_LINE_BYTES + 1)
    assert read(line + b"{}\n") == [BadLine("too_long", line[:200]), {}]


def test_an_endless_line_keeps_nothing() -> None:
    decoder = LineDecoder()
    found = [bad for _ in range(300) for bad in decoder.receive(b"x" * 1000)]
    assert found == [BadLine("too_long", b"x" * 200)]
    assert decoder.receive(b'"}\n{}\n') == [{}]


def test_a_line_that_does_not_fit_is_our_mistake() -> None:
    with pytest.raises(LocalProtocolError, match="found 65537 bytes, allowed at most"):
        encode_line({"t": "a" * (MAX_LINE_BYTES + 1 - len(b'{"t":""}\n'))})


@pytest.mark.parametrize("value", [float("inf"), b"x", {1}])
def test_a_line_that_is_no_json_is_our_mistake(value: object) -> None:
    with pytest.raises(LocalProtocolError, match="no JSON object"):
        encode_line({"t": value})
