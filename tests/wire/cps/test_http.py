"""Headers, JSON and the error object (cps.md 1.2, 1.3, 1.5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.cps import (
    LocalProtocolError,
    Request,
    authorization,
    error_response,
    json_response,
    key_of,
    parse_json,
    to_json,
    token_authorization,
    token_of,
)

KEYS = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='"'),
    min_size=1,
    max_size=256,
)


def with_header(*headers: tuple[str, str]) -> Request:
    return Request("GET", "/terminals", headers)


def test_the_header_is_the_documented_one() -> None:
    assert authorization("abc") == ("Authorization", 'CPS apikey="abc"')


@given(KEYS)
def test_a_key_survives_its_header(key: str) -> None:
    assert key_of(with_header(authorization(key))) == key
    assert token_of(with_header(token_authorization(key))) == key


@pytest.mark.parametrize(
    "value",
    [
        "",
        "CPS apikey=abc",
        "CPS apikey='abc'",
        'CPS apikey=""',
        'cps apikey="abc"',
        'CPS  apikey="abc"',
        'CPS apikey="abc" ',
        'CPS apikey="a"b"',
        'Bearer apikey="abc"',
        "abc",
    ],
)
def test_any_other_form_is_no_key(value: str) -> None:
    assert key_of(with_header(("Authorization", value))) is None


def test_the_name_of_the_header_has_no_case() -> None:
    assert key_of(with_header(("authorization", 'CPS apikey="abc"'))) == "abc"


def test_no_header_and_two_headers_are_no_key() -> None:
    assert key_of(with_header()) is None
    assert key_of(with_header(authorization("a"), authorization("b"))) is None


def test_a_token_is_no_key() -> None:
    assert key_of(with_header(token_authorization("abc"))) is None
    assert token_of(with_header(authorization("abc"))) is None


@pytest.mark.parametrize("key", ["", 'a"b', "a b", "a\r\nX: y", "ä", "x" * 257])
def test_a_key_that_breaks_the_header_is_our_mistake(key: str) -> None:
    with pytest.raises(LocalProtocolError, match="allowed 1 to 256") as raised:
        authorization(key)
    assert not key or key not in str(raised.value)


def test_json_is_written_one_way() -> None:
    assert to_json({"b": 1, "a": ["ä", None]}) == b'{"b":1,"a":["\\u00e4",null]}'


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, b"x"])
def test_what_is_not_json_is_our_mistake(value: object) -> None:
    with pytest.raises(LocalProtocolError, match="no JSON value"):
        to_json(value)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"\xff\xfe", b"NaN", b"[" * 100_000, b"1" * 5000],
    ids=["empty", "torn", "null", "no utf-8", "nan", "deep", "huge"],
)
def test_what_is_not_json_reads_as_none(body: bytes) -> None:
    assert parse_json(body) is None


def test_json_is_read() -> None:
    assert parse_json(b' {"a": [1, "x"]} ') == {"a": [1, "x"]}


def test_the_error_object_is_the_known_one() -> None:
    answer = error_response(
        409,
        "Session already committed or cancelled",
        timestamp="2026-07-02T11:52:22.000Z",
    )
    assert answer.status == 409
    assert answer.headers == (("Content-Type", "application/json"),)
    assert answer.body == (
        b'{"timestamp":"2026-07-02T11:52:22.000Z","status":409,"error":"Conflict",'
        b'"message":"Session already committed or cancelled"}'
    )


def test_a_status_without_a_name_is_still_an_error() -> None:
    body = parse_json(error_response(599, "x", timestamp="t").body)
    assert isinstance(body, dict)
    assert body["error"] == "Status 599"


def test_a_json_answer_carries_its_type() -> None:
    assert json_response(200, []).headers == (("Content-Type", "application/json"),)
