"""Both ends talk to each other, and every wrong call is refused with its reason."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.cps import (
    ROUTES,
    Call,
    LocalProtocolError,
    Param,
    ParamType,
    Refusal,
    Request,
    Route,
    Value,
    build,
    is_callback_url,
    key_of,
    parse_call,
    token_of,
)
from wire.cps.codec import MAX_PARAMS
from wire.cps.http import MAX_BODY_BYTES, MAX_TARGET_BYTES

SERIAL = "APO20242802258"
SESSION = "ba02c30b-ad50-4ef3-b75e-1158b21ad580"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
URLS = st.sampled_from(
    [
        "https://csms.example/cb/9f2c/card",
        "http://127.0.0.1:8080/x?y=1&z=%20",
        "https://csms.example/ä?a=b&callbackUrl=c",
    ]
)


def values_of(param: Param) -> st.SearchStrategy[Value]:
    match param.type:
        case ParamType.INTEGER:
            return st.integers(param.minimum, param.maximum)
        case ParamType.BOOLEAN:
            return st.booleans()
        case ParamType.URL:
            return URLS
        case ParamType.STRING if param.repeatable:
            return st.lists(TEXTS, min_size=1, max_size=4).map(tuple)
        case ParamType.STRING:
            return TEXTS


def params_of(route: Route) -> st.SearchStrategy[dict[str, Value]]:
    rows = {param.name: values_of(param) for param in route.params}
    needed = {p.name: rows.pop(p.name) for p in route.params if p.required}
    return st.fixed_dictionaries(needed, optional=rows)


@st.composite
def calls(draw: st.DrawFn) -> tuple[Route, dict[str, Value], str, str]:
    route = draw(st.sampled_from(list(ROUTES.values())))
    return route, draw(params_of(route)), draw(NAMES), draw(NAMES)


def post(target: str, body: bytes = b"") -> Call | Refusal:
    return parse_call(Request("POST", target, (), body))


def refused(answer: Call | Refusal) -> Refusal:
    assert isinstance(answer, Refusal)
    return answer


def taken(answer: Call | Refusal) -> Call:
    assert isinstance(answer, Call)
    return answer


@given(calls())
def test_what_one_end_builds_the_other_reads(
    drawn: tuple[Route, dict[str, Value], str, str],
) -> None:
    route, params, serial, session = drawn
    body = {"id": "1", "type": "info", "properties": {"title": "ä"}}
    request = build(
        route.id,
        api_key="key",
        serial_number=serial,
        session_id=session,
        params=params,
        body=body if route.body else None,
    )
    call = taken(parse_call(request))
    assert call.route == route.id
    assert call.params == params
    assert call.unknown == ()
    assert call.serial_number == (serial if "{serialNumber}" in route.path else "")
    assert call.session_id == (session if "{sessionId}" in route.path else "")
    assert call.body == (body if route.body else None)


def test_the_worked_example_is_built_to_the_letter() -> None:
    request = build(
        "E3",
        api_key="KEY",
        serial_number=SERIAL,
        params={
            "authorizedAmount": 5000,
            "callbackUrl": "https://csms.example/cb/9f2c/card",
            "uiMessage": "Tap your card",
        },
    )
    assert request.method == "POST"
    assert request.target == (
        "/terminals/APO20242802258/start?authorizedAmount=5000"
        "&callbackUrl=https%3A%2F%2Fcsms.example%2Fcb%2F9f2c%2Fcard"
        "&uiMessage=Tap%20your%20card"
    )
    assert request.body == b""
    assert request.headers == (
        ("Authorization", 'CPS apikey="KEY"'),
        ("Accept", "application/json"),
    )


def test_a_plus_in_a_query_is_a_space() -> None:
    call = taken(post(f"/terminals/{SERIAL}/stop?uiMessage=Bye+now"))
    assert call.text("uiMessage") == "Bye now"


def test_repeated_keys_are_a_list_even_when_there_is_one() -> None:
    one = taken(post(f"/terminals/{SERIAL}/authorize?receiptLine=a"))
    two = taken(post(f"/terminals/{SERIAL}/authorize?receiptLine=a&receiptLine=b"))
    assert one.lines("receiptLine") == ("a",)
    assert two.lines("receiptLine") == ("a", "b")


def test_the_key_is_the_token_where_a_key_is_bought() -> None:
    request = build("E13", api_key="token")
    assert token_of(request) == "token"
    assert key_of(request) is None


def test_reading_a_parameter_by_its_type() -> None:
    call = Call(route="E9", params={"n": 3, "t": "x", "l": ("a",)})
    assert (call.number("n"), call.number("t"), call.number("no")) == (3, 0, 0)
    assert (call.text("t"), call.text("n"), call.text("no")) == ("x", "", "")
    assert (call.lines("l"), call.lines("t"), call.lines("no")) == (("a",), (), ())


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/terminal",
        "/terminals/",
        f"/terminals/{SERIAL}/",
        f"/terminals/{SERIAL}/begin",
        "/terminals//start?authorizedAmount=1",
        f"/terminals/{SERIAL}/sessions//commit?commitAmount=1",
        f"/terminals/{SERIAL}/sessions/{SESSION}/commit/",
    ],
)
def test_an_unknown_address_is_404(path: str) -> None:
    assert refused(post(path)).status == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", f"/terminals/{SERIAL}/start?authorizedAmount=1", "POST"),
        ("POST", f"/terminals/{SERIAL}", "GET"),
        ("post", f"/terminals/{SERIAL}/stop", "POST"),
        ("PUT", "/webhook", "GET, POST, DELETE"),
    ],
)
def test_a_wrong_verb_is_405_and_names_the_right_one(
    method: str, path: str, allowed: str
) -> None:
    answer = refused(parse_call(Request(method, path)))
    assert answer.status == 405
    assert answer.message == f"Found method {method}, allowed {allowed}"
    assert ", ".join(ROUTES[one].verb for one in answer.routes) == allowed


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "commitAmount: found nothing, allowed integer 0 to 4294967295"),
        ("commitAmount=", "found ''"),
        ("commitAmount=12.5", "found '12.5'"),
        ("commitAmount=-1", "found '-1'"),
        ("commitAmount=%2B1", r"found '\+1'"),
        ("commitAmount=%201", "found ' 1'"),
        ("commitAmount=1e3", "found '1e3'"),
        ("commitAmount=1_000", "found '1_000'"),
        ("commitAmount=%D9%A1", "found '١'"),
        ("commitAmount=4294967296", "found '4294967296'"),
        ("commitAmount=" + "9" * 5000, "found '9999"),
        ("commitAmount=1&commitAmount=1", "found 2 values, allowed one"),
        ("commitAmount=1&uiMessageTimeout=soon", "uiMessageTimeout: found 'soon'"),
        ("commitAmount=1&uiMessage=%FF", "no UTF-8 query"),
        ("commitAmount=1" + "&a=b" * MAX_PARAMS, f"at most {MAX_PARAMS}"),
    ],
)
def test_a_wrong_parameter_is_400_and_names_it(query: str, message: str) -> None:
    answer = refused(post(f"/terminals/{SERIAL}/sessions/{SESSION}/commit?{query}"))
    assert answer.status == 400
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(answer.message)


@pytest.mark.parametrize("text", ["true", "True", "FALSE"])
def test_booleans_have_no_case(text: str) -> None:
    call = taken(
        post(f"/terminals/{SERIAL}/start?authorizedAmount=0&hideAmount={text}")
    )
    assert call.params["hideAmount"] is (text.lower() == "true")


@pytest.mark.parametrize("text", ["yes", "1", ""])
def test_other_words_are_no_booleans(text: str) -> None:
    answer = refused(
        post(f"/terminals/{SERIAL}/start?authorizedAmount=0&hideAmount={text}")
    )
    assert answer.message == f"hideAmount: found {text!r}, allowed true or false"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/card",
        "csms.example/card",
        "ftp://csms.example/",
        "http://",
        "https://[::1/card",
        "https://csms.example:99999/",
        "https://csms.example:0/",
        "javascript:alert(1)",
    ],
)
def test_a_callback_needs_an_absolute_address(url: str) -> None:
    assert not is_callback_url(url)
    answer = refused(
        post(f"/terminals/{SERIAL}/start?authorizedAmount=0&callbackUrl={url}")
    )
    assert answer.message.endswith("allowed absolute http or https URL")


def test_unknown_parameters_are_ignored_and_reported() -> None:
    call = taken(post(f"/terminals/{SERIAL}/stop?colour=red&uiMessage=x&colour=b"))
    assert call.unknown == ("colour",)
    assert call.params == {"uiMessage": "x"}


@pytest.mark.parametrize("body", [b"", b"{}", b"no json", b"\xff"])
def test_a_body_where_none_belongs_is_ignored(body: bytes) -> None:
    assert taken(post(f"/terminals/{SERIAL}/stop", body)).body is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "found no JSON object"),
        (b"[]", "found no JSON object"),
        (b"{}", "type: found nothing"),
        (b'{"type":""}', "type: found nothing"),
        (b'{"type":7}', "type: found no text"),
        (b'{"type":"info","id":7}', "id: found no text"),
        (b'{"type":"info","properties":[]}', "properties: found no object"),
        (b'{"type":"info","x":"' + b"a" * MAX_BODY_BYTES + b'"}', "no JSON object"),
    ],
)
def test_a_screen_call_needs_its_body(body: bytes, message: str) -> None:
    answer = refused(post(f"/terminals/{SERIAL}/ui", body))
    assert answer.status == 400
    assert message in answer.message


def test_numbers_in_properties_are_tolerated() -> None:
    body = b'{"id":"1","type":"info","properties":{"offset":10}}'
    assert taken(post(f"/terminals/{SERIAL}/ui", body)).body == {
        "id": "1",
        "type": "info",
        "properties": {"offset": 10},
    }


def test_an_endless_target_is_refused() -> None:
    answer = refused(post("/terminals?" + "a" * MAX_TARGET_BYTES))
    assert (answer.status, answer.message) == (
        400,
        f"target: found over {MAX_TARGET_BYTES} bytes",
    )


@given(st.text(max_size=200), st.sampled_from(["GET", "POST", "DELETE"]))
def test_no_target_breaks_the_parser(target: str, method: str) -> None:
    assert isinstance(parse_call(Request(method, target)), Call | Refusal)


@given(st.text(max_size=200))
def test_no_query_breaks_the_parser(query: str) -> None:
    assert isinstance(post(f"/terminals/{SERIAL}/start?{query}"), Call | Refusal)


@pytest.mark.parametrize(
    ("route", "extra", "message"),
    [
        ("E99", {}, "found route 'E99', allowed E1, E2"),
        ("E2", {}, "serialNumber: found nothing"),
        ("E9", {"serial_number": "x", "params": {"commitAmount": 1}}, "sessionId"),
        ("E3", {"serial_number": "x"}, "authorizedAmount: found nothing"),
        ("E2", {"serial_number": "x", "params": {"a": "b"}}, "allowed none"),
        ("E5", {"serial_number": "x", "params": {"a": "b"}}, "allowed uiMessage, ui"),
        ("E2", {"serial_number": "x", "body": {}}, "allowed no body"),
        ("E11", {"serial_number": "x"}, "allowed a JSON body"),
    ],
)
def test_what_no_row_allows_is_our_mistake(
    route: str, extra: Mapping[str, object], message: str
) -> None:
    with pytest.raises(LocalProtocolError, match=message):
        build(route, api_key="k", **extra)  # type: ignore[arg-type]  # rows of the table above


@pytest.mark.parametrize("value", [-1, 2**32, "5", True, (), 1.5, None], ids=repr)
def test_an_amount_is_a_whole_number_in_range(value: object) -> None:
    with pytest.raises(LocalProtocolError, match="allowed integer 0 to 4294967295"):
        build(
            "E9",
            api_key="k",
            serial_number="x",
            session_id="y",
            params={"commitAmount": value},  # type: ignore[dict-item]  # wrong on purpose
        )


def test_repeatable_means_texts() -> None:
    with pytest.raises(LocalProtocolError, match="allowed texts"):
        build("E6", api_key="k", serial_number="x", params={"receiptLine": "a"})


def test_repeatable_texts_stand_once_each_in_the_query() -> None:
    lines = ("6.21 EUR", "connector 1")
    request = build("E6", api_key="k", serial_number="x", params={"receiptLine": lines})
    assert request.target.count("receiptLine=") == 2
    assert taken(parse_call(request)).lines("receiptLine") == lines


@pytest.mark.parametrize(("flag", "text"), [(True, "true"), (False, "false")])
def test_a_flag_is_written_as_a_word(flag: bool, text: str) -> None:
    params: dict[str, Value] = {"authorizedAmount": 5000, "hideAmount": flag}
    request = build("E3", api_key="k", serial_number="x", params=params)
    assert f"hideAmount={text}" in request.target
    assert taken(parse_call(request)).params["hideAmount"] is flag
