# ruff: noqa: E501 - tables
"""Every call of the control interface, with every status that it may answer."""

import json
from typing import Any

import pytest

from harness.faults.engine import MAX_IN_FORCE
from harness.serve.acts import MAX_OPEN_SESSIONS
from harness.serve.routes import routes
from simulator.cards import CARDS
from simulator.events import Note
from simulator.faults import FAULTS, Seam
from tests.harness.serve.conftest import MakeStand, Stand
from wire.machine import HttpFailed

#: The calls of the contract, as they stand there.
CONTRACT = {
    ("GET", "/bench"),
    ("GET", "/bench/sessions"),
    ("GET", "/bench/cards"),
    ("POST", "/bench/tap"),
    ("POST", "/bench/park"),
    ("POST", "/bench/leave"),
    ("POST", "/bench/plug"),
    ("POST", "/bench/draw"),
    ("POST", "/bench/pause"),
    ("POST", "/bench/unplug"),
    ("POST", "/bench/press"),
    ("POST", "/bench/terminal-button"),
    ("GET", "/bench/faults/catalogue"),
    ("POST", "/bench/faults"),
    ("DELETE", "/bench/faults/{id}"),
    ("DELETE", "/bench/faults"),
    ("GET", "/bench/trace"),
    ("GET", "/bench/events"),
    ("POST", "/bench/reset"),
    ("GET", "/openapi.json"),
}
CARDS_OF_CONTRACT = [
    "visa",
    "mastercard",
    "amex",
    "insufficient_funds",
    "declined",
    "partial",
    "host_timeout",
    "host_error",
    "slow",
    "late",
    "no_hash",
    "wallet",
    "rfid",
    "rfid_unknown",
    "removed_early",
]

# fmt: off
#: method, path, body, status, a word of the answer.
REFUSED = [
    ("GET", "/", None, 404, "openapi.json"),
    ("GET", "/bench/", None, 404, "no such path"),
    ("GET", "/bench/nothing", None, 404, "no such path"),
    ("PUT", "/bench", None, 405, "allowed GET"),
    ("GET", "/bench/tap", None, 405, "allowed POST"),
    ("DELETE", "/bench/faults/catalogue", None, 405, "allowed GET"),
    ("POST", "/bench/tap", None, 422, "card: missing"),
    ("POST", "/bench/tap", {"card": "diners"}, 404, 'found "diners", allowed visa'),
    ("POST", "/bench/tap", {"card": 5}, 422, "found 5, allowed visa"),
    ("POST", "/bench/tap", {"card": None}, 422, "found null, allowed visa"),
    ("POST", "/bench/tap", {"card": "visa", "pin": 1}, 422, "pin: unknown field, allowed card"),
    ("POST", "/bench/tap", ["visa"], 422, "body: found an array, allowed a JSON object"),
    ("POST", "/bench/park", {"connector": 3}, 404, "connector: found 3, allowed 1..2"),
    ("POST", "/bench/park", {"connector": 0}, 404, "allowed 1..2"),
    ("POST", "/bench/park", {"connector": -1}, 404, "allowed 1..2"),
    ("POST", "/bench/park", {"connector": "1"}, 422, 'found "1", allowed 1..2'),
    ("POST", "/bench/park", {"connector": True}, 422, "found true"),
    ("POST", "/bench/park", {"connector": 1.5}, 422, "found 1.5"),
    ("POST", "/bench/park", {"connector": [1]}, 422, "found an array"),
    ("POST", "/bench/leave", {"connector": 1}, 409, "no vehicle in bay 1"),
    ("POST", "/bench/unplug", {"connector": 1}, 409, "no vehicle is plugged in"),
    ("POST", "/bench/pause", {"connector": 1}, 409, "no vehicle is plugged in"),
    ("POST", "/bench/draw", {"connector": 1}, 409, "no vehicle is plugged in"),
    ("POST", "/bench/draw", {"connector": 1, "power_w": -1}, 422, "allowed 0..1000000"),
    ("POST", "/bench/plug", {"connector": 1, "vehicle": "tank"}, 422, "allowed hatchback"),
    ("POST", "/bench/press", {"connector": 1}, 422, "button: missing, allowed start, stop, cancel"),
    ("POST", "/bench/press", {"connector": 1, "button": "go"}, 422, "allowed start, stop, cancel"),
    ("POST", "/bench/terminal-button", {"id": "c1"}, 409, "there are: none"),
    ("POST", "/bench/terminal-button", {"id": "c" * 201}, 422, "at most 200 characters"),
    ("POST", "/bench/faults", {}, 422, "name: missing"),
    ("POST", "/bench/faults", {"name": 1}, 422, "name: found 1"),
    ("POST", "/bench/faults", {"name": "gremlin"}, 404, 'found "gremlin", allowed cable_cut'),
    ("POST", "/bench/faults", {"name": "host_down", "for_s": "long"}, 422, "for_s: found"),
    ("POST", "/bench/faults", {"name": "host_down", "fault_id": "F1"}, 422, "fault_id: unknown field, allowed for_s"),
    ("POST", "/bench/faults", {"name": "charger_fault"}, 422, "code: missing"),
    ("POST", "/bench/faults", {"name": "charger_fault", "code": "Bad"}, 422, "allowed ConnectorLockFailure"),
    ("POST", "/bench/faults", {"name": "meter_frozen", "connector": 3}, 404, "allowed 1..2"),
    ("DELETE", "/bench/faults/F9", None, 404, "none: no fault is in force"),
    ("POST", "/bench/reset", {"seed": 1}, 422, "seed: unknown field, allowed no fields"),
]
# fmt: on


@pytest.mark.parametrize(("method", "path", "body", "status", "word"), REFUSED)
def test_a_call_is_refused_with_the_reason_and_nothing_happens(
    stand: Stand, method: str, path: str, body: object, status: int, word: str
) -> None:
    before = stand.records()
    answer = stand.call(method, path, body)
    assert isinstance(answer.body, dict)
    assert (answer.status, word in answer.body["error"]) == (status, True), answer
    assert stand.records() == before
    if status == 422:
        assert answer.body["field"]
        assert answer.body["allowed"] in answer.body["error"]


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("since=x", "allowed 0.."),
        ("since=-1", "allowed 0.."),
        ("since=", "allowed 0.."),
        ("since=" + "9" * 30, "allowed 0.."),
        ("since=1&since=2", "found twice"),
        ("from=1", "unknown field, allowed since"),
        ("&".join(f"a{n}=1" for n in range(9)), "too many parameters"),
    ],
)
def test_a_wrong_query_is_422(stand: Stand, query: str, word: str) -> None:
    for path in ("/bench/trace", "/bench/events"):
        answer = stand.call("GET", path, query=query)
        assert answer.status == 422
        assert isinstance(answer.body, dict)
        assert word in answer.body["error"]


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b"[" * 60_000, b'{"connector": ' + b"9" * 5_000 + b"}"]
)
def test_what_is_not_json_is_422(stand: Stand, body: bytes) -> None:
    answer = stand.desk.call("POST", "/bench/park", body=body)
    assert answer.status == 422
    assert isinstance(answer.body, dict)
    assert answer.body["field"] == "body"


def test_the_calls_are_those_of_the_contract(stand: Stand) -> None:
    assert {(one.method, one.path) for one in routes(2)} == CONTRACT
    document = stand.ask("GET", "/openapi.json")
    described = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert described == CONTRACT


def test_every_schema_that_is_referred_to_is_there(stand: Stand) -> None:
    document = stand.ask("GET", "/openapi.json")
    text = json.dumps(document)
    for name in document["components"]["schemas"]:
        assert f'"#/components/schemas/{name}"' in text
    referred = text.split('"#/components/schemas/')[1:]
    assert {one.split('"')[0] for one in referred} == set(
        document["components"]["schemas"]
    )


def test_the_cards_of_the_contract_are_there_with_masked_numbers(stand: Stand) -> None:
    cards = {one["name"]: one for one in stand.ask("GET", "/bench/cards")}
    assert set(CARDS_OF_CONTRACT) <= set(cards)
    assert set(cards) == set(CARDS)
    for card in cards.values():
        assert "*" in card["masked_pan"] or card["kind"] == "rfid"


def test_a_vehicle_comes_and_goes(stand: Stand) -> None:
    def view() -> Any:
        return stand.overview()["connectors"][0]

    stand.post("park", connector=1)
    assert (view()["occupied"], view()["vehicle"], view()["pilot"]) == (True, None, "A")
    stand.post("plug", connector=1, vehicle="sleepy")
    assert (view()["vehicle"], view()["pilot"]) == ("sleepy", "B")
    stand.post("draw", connector=1, power_w=7000)
    assert view()["pilot"] == "C"
    stand.post("pause", connector=1)
    assert view()["pilot"] == "B"
    stand.post("unplug", connector=1)
    assert (view()["pilot"], view()["occupied"]) == ("A", True)
    stand.post("plug", connector=1)
    assert view()["vehicle"] == "hatchback"
    stand.post("leave", connector=1)
    assert (view()["pilot"], view()["occupied"]) == ("A", False)
    acts = [one["act"] for one in stand.records("act")]
    assert acts == [
        "park",
        "plug",
        "draw",
        "pause",
        "unplug",
        "plug",
        "unplug",
        "leave",
    ]


def test_an_act_answers_where_in_the_trace_it_begins(stand: Stand) -> None:
    stand.post("park", connector=2)
    seq = stand.post("plug", connector=2)["seq"]
    first = stand.records(since=seq)[0]
    assert (first["seq"], first["act"], first["connector"]) == (seq, "plug", 2)


def test_a_press_is_told_on_the_bay_link(stand: Stand) -> None:
    stand.play.lines.bay.open()
    stand.pass_ms(10)
    stand.post("press", connector=2, button="stop")
    stand.pass_ms(10)
    line = stand.records("bay")[-1]["line"]
    assert line == {"type": "press", "connector": 2, "button": "stop"}
    assert stand.overview()["links"] == {"psp": False, "bay": True}


def test_a_button_on_the_terminal_can_be_pressed_while_it_is_there(
    stand: Stand,
) -> None:
    stand.cps("E3", authorizedAmount=5000)
    stand.pass_ms(500)
    stand.post("tap", card="pin_slow")
    stand.pass_ms(500)
    stand.cps_later("E6")
    stand.pass_ms(1_000)
    display = stand.overview()["terminal"]["display"]
    assert (display["screen"], display["buttons"]) == ("pin", ["cancel"])
    answer = stand.call("POST", "/bench/terminal-button", {"id": "ok"})
    assert isinstance(answer.body, dict)
    assert (answer.status, "there are: cancel" in answer.body["error"]) == (409, True)
    stand.post("terminal-button", id="cancel")
    stand.pass_ms(1_000)
    assert stand.overview()["terminal"]["display"]["buttons"] == []
    assert [one["button"] for one in stand.records("act")[1:]] == ["cancel"]


def test_a_session_is_shown_from_its_opening_to_its_end(stand: Stand) -> None:
    session_id = stand.authorise()
    (session,) = stand.sessions()
    assert session == {
        "session_id": session_id,
        "psp_session_id": session["psp_session_id"],
        "state": "open",
        "card": "visa",
        "authorised_minor": 5000,
        "committed_minor": None,
        "opened_at_ms": session["opened_at_ms"],
        "closed_at_ms": None,
        "connector": None,
        "settlement": None,
    }
    assert stand.overview()["sessions"] == [session]
    assert stand.cps("E9", session_id=session_id, commitAmount=1234).status == 200
    (session,) = stand.sessions()
    assert session["state"] == "committed"
    assert session["committed_minor"] == 1234
    assert session["opened_at_ms"] < session["closed_at_ms"] <= stand.play.now_ms
    assert session["settlement"] == "CLOSED"


def test_a_cancelled_session_is_closed_and_nothing_is_paid(stand: Stand) -> None:
    assert stand.cps("E10", session_id=stand.authorise()).status == 200
    (session,) = stand.sessions()
    shown = (session["state"], session["committed_minor"], session["settlement"])
    assert shown == ("cancelled", None, "CLOSED")


def test_a_close_that_the_issuer_does_not_know_yet_is_not_settled(
    make_stand: MakeStand,
) -> None:
    stand = make_stand()
    session_id = stand.authorise()
    fault = stand.post("faults", name="host_down")["id"]
    assert stand.cps("E10", session_id=session_id).status == 200
    (session,) = stand.sessions()
    assert (session["state"], session["settlement"]) == ("cancelled", None)
    assert stand.ask("DELETE", f"/bench/faults/{fault}") == {"healed": [fault]}
    stand.pass_ms(5_000)
    (session,) = stand.sessions()
    assert session["settlement"] == "CLOSED"


@pytest.mark.parametrize(("action", "paid"), [("void", None), ("commit", 5000)])
def test_what_the_terminal_ends_by_itself_was_left_open(
    stand: Stand, action: Any, paid: int | None
) -> None:
    stand.play.court.terminal.limit_sessions(60, action)
    stand.authorise()
    stand.play.court.terminal.limit_sessions(60, action)
    stand.pass_ms(90_000)
    (session,) = stand.sessions()
    assert session["state"] == "expired"
    assert session["committed_minor"] == paid
    assert session["settlement"] == "LEFT OPEN"


@pytest.mark.parametrize("by", ["session_id", "psp_session_id"])
def test_the_connector_is_what_the_controller_says(stand: Stand, by: str) -> None:
    stand.authorise()
    (session,) = stand.sessions()
    stand.play.lines.bay.open()
    for line in (
        {"type": "hello", "controller": "x", "version": "1"},
        {"type": "show", "connector": None, "kind": "info", "text": ""},
        {"type": "alarm", "connector": 2, "code": "other", "session_id": session[by]},
    ):
        stand.play.lines.bay.send(json.dumps(line).encode() + b"\n")
    stand.pass_ms(10)
    (session,) = stand.sessions()
    assert session["connector"] == 2


def test_the_overview_has_the_open_sessions_and_the_latest_of_the_rest(
    stand: Stand,
) -> None:
    kept = stand.authorise("mastercard")
    for _ in range(25):
        stand.cps("E10", session_id=stand.authorise())
    shown = [one["session_id"] for one in stand.overview()["sessions"]]
    assert len(shown) == 21
    assert shown[0] == kept
    assert len(stand.sessions()) == 26


# --- Faults ---------------------------------------------------------------------


def test_a_fault_is_put_in_shown_and_taken_out(stand: Stand) -> None:
    answer = stand.post("faults", name="charger_fault", code="GroundFailure")
    (fault,) = stand.overview()["faults"]
    assert fault == {
        "id": answer["id"],
        "name": "charger_fault",
        "params": {"connector": 1, "for_s": 0, "code": "GroundFailure"},
        "state": "hit",
    }
    assert stand.overview()["connectors"][0]["faults"] == ["GroundFailure"]
    assert stand.records(since=answer["seq"])
    stand.ask("DELETE", f"/bench/faults/{answer['id']}")
    assert stand.overview()["faults"] == []
    assert stand.overview()["connectors"][0]["faults"] == []
    assert stand.call("DELETE", f"/bench/faults/{answer['id']}").status == 404


def test_all_faults_are_taken_out_at_once(stand: Stand) -> None:
    put = [stand.post("faults", name=name)["id"] for name in ("host_down", "bay_down")]
    assert stand.ask("DELETE", "/bench/faults") == {"healed": put}
    assert stand.overview()["faults"] == []
    assert stand.ask("DELETE", "/bench/faults") == {"healed": []}


def test_no_more_faults_than_anybody_can_follow(stand: Stand) -> None:
    for _ in range(MAX_IN_FORCE):
        stand.post("faults", name="meter_frozen")
    answer = stand.call("POST", "/bench/faults", {"name": "meter_frozen"})
    assert answer.status == 409


@pytest.mark.parametrize("link", ["tcp", "serial"])
def test_the_catalogue_says_which_faults_this_bench_cannot_play(
    make_stand: MakeStand, link: str
) -> None:
    stand = make_stand(link=link)
    catalogue = {
        one["name"]: one for one in stand.ask("GET", "/bench/faults/catalogue")
    }
    assert list(catalogue) == list(FAULTS)
    of_controller = (Seam.CONTROLLER, Seam.STORE, Seam.CLOCK)
    for name, kind in FAULTS.items():
        no_connection = kind.seam is Seam.TCP and link == "serial"
        why = catalogue[name]["impossible"]
        assert bool(why) == (kind.seam in of_controller or no_connection)
        if why:
            answer = stand.call("POST", "/bench/faults", {"name": name})
            assert answer.status == 409
            assert isinstance(answer.body, dict)
            assert why in answer.body["error"]
    (code,) = [
        one for one in catalogue["station_fault"]["parameters"] if one["name"] == "code"
    ]
    assert code["default"] is None
    assert "GroundFailure" in code["allowed"]


def test_a_terminal_is_not_filled_with_sessions(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_OPEN_SESSIONS > 1_000
    monkeypatch.setattr("harness.serve.acts.MAX_OPEN_SESSIONS", 2)
    stand.authorise("visa")
    stand.authorise("amex")
    for path, body in (
        ("tap", {"card": "visa"}),
        ("faults", {"name": "terminal_stale_sessions", "count": 1}),
    ):
        answer = stand.call("POST", f"/bench/{path}", body)
        assert answer.status == 409
        assert isinstance(answer.body, dict)
        assert "2 sessions are open" in answer.body["error"]


# --- Trace and reset ------------------------------------------------------------


def test_the_trace_is_given_from_a_number_on(stand: Stand) -> None:
    for _ in range(3):
        stand.post("tap", card="visa")
    assert [one["seq"] for one in stand.records(since=2)] == [2, 3]
    assert stand.records(since=99) == []
    assert stand.overview()["next_seq"] == 4


def test_who_asks_for_what_is_gone_is_told_how_much(stand: Stand) -> None:
    for _ in range(21_000):
        stand.play.note("seen", mark="a thing")
    answer = stand.call("GET", "/bench/trace", query="since=500")
    assert answer.headers["Nohold-Dropped"] == "501"
    assert json.loads((answer.lines or [""])[0])["seq"] == 1001
    assert len(answer.lines or ()) == 20_000
    assert stand.play.trace.records == []


def test_events_go_on_from_now_or_from_a_number(stand: Stand) -> None:
    stand.post("tap", card="visa")
    now = stand.call("GET", "/bench/events")
    assert (now.status, now.goes_on, list(now.lines or ())) == (200, True, [])
    earlier = stand.call("GET", "/bench/events", query="since=1")
    assert [json.loads(line)["act"] for line in earlier.lines or ()] == ["tap"]


@pytest.mark.parametrize("link", ["tcp", "serial"])
def test_a_reset_is_a_new_forecourt_with_the_same_settings(
    make_stand: MakeStand, link: str
) -> None:
    stand = make_stand(link=link, connectors=3)
    dropped: list[str] = []
    stand.play.drop_controllers = lambda: dropped.append("controllers")
    stand.play.lines.psp.open()
    stand.play.lines.bay.open()
    first = stand.authorise()
    stand.post("plug", connector=1)
    stand.post("faults", name="meter_frozen")
    seq = stand.ask("POST", "/bench/reset")["seq"]
    shown = stand.overview()
    assert dropped == ["controllers"]
    assert shown["sessions"] == shown["faults"] == []
    assert [one["vehicle"] for one in shown["connectors"]] == [None] * 3
    assert shown["links"] == {"psp": link == "serial", "bay": False}
    assert stand.records(since=seq)[0]["kind"] == "run"
    assert shown["clock"]["t_ms"] == stand.play.now_ms > 0
    # And it works, with sessions that nobody can mistake for the old ones.
    assert stand.authorise() != first
    assert len(stand.sessions()) == 1
    assert not any(one["kind"] == "finding" for one in stand.records())


def test_a_call_that_waits_at_a_reset_is_told(stand: Stand) -> None:
    stand.cps("E3", authorizedAmount=5000)
    stand.pass_ms(500)
    stand.heard.clear()
    stand.cps_later("E4", waitTime=60)
    stand.pass_ms(1_000)
    stand.ask("POST", "/bench/reset")
    assert stand.heard == [HttpFailed(call_id=1, reason="reset")]


def test_what_was_on_its_way_at_a_reset_reaches_nobody(stand: Stand) -> None:
    stand.cps("E3", authorizedAmount=5000)
    stand.pass_ms(500)
    stand.post("tap", card="visa")
    stand.pass_ms(500)
    request = stand.play.lines.cloud
    stand.heard.clear()
    stand.cps_later("E6")
    stand.pass_ms(30)
    seq = stand.ask("POST", "/bench/reset")["seq"]
    assert request.listening
    stand.pass_ms(60_000)
    later = stand.records(since=seq + 1)
    assert not [one for one in later if one["kind"] in ("issuer", "session")]


def test_a_note_of_an_unknown_kind_is_a_mistake_of_ours(stand: Stand) -> None:
    with pytest.raises(ValueError, match="trace kind"):
        stand.play.court.note(Note(kind="gossip", fields={}))
