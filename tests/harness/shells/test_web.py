"""The cloud over real HTTP: what goes wrong is seen by a client as what it is."""

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from harness.cloud_line import CallFault, What
from harness.line_faults import Turn
from harness.shells import guest
from harness.shells.web import LONGEST_CALL_MS
from tests.harness.shells.served import PATIENCE_S, SCALE, Served
from wire.cps import Response
from wire.machine import MAX_BODY_BYTES

INFO = b'{"id": "1", "type": "info", "properties": {"title": "Hello"}}'


@pytest.fixture
def served() -> Iterator[Served]:
    made = Served()
    yield made
    made.close()


def fault(served: Served, what: What, *, count: int | None = 1) -> CallFault:
    """The next call ends this way; all of them with a ``count`` of None."""
    made = CallFault(what=what, hit=lambda _words: None, turn=Turn(count=count))
    served.line.faults.append(made)
    return made


def waiting(served: Served) -> int:
    """How many calls the line has not done with."""
    return len(served.line._pending)


# --- What is served ---------------------------------------------------------------


def test_the_document_is_served_without_a_key(served: Served) -> None:
    client = served.client()
    client.request("GET", "/v3/api-docs")
    answer = client.getresponse()
    assert answer.status == 200
    document = json.loads(answer.read())
    assert document["openapi"].startswith("3.")
    assert "/terminals/{serialNumber}/start" in document["paths"]
    client.request("POST", "/v3/api-docs")
    answer = client.getresponse()
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert served.records("http") == []


def test_answers_have_the_cloud_s_status_headers_and_body(served: Served) -> None:
    found = served.ask("GET", "/terminals/{serial}")
    assert (found.status, found.headers["Content-Type"]) == (200, "application/json")
    assert json.loads(found.body)["serialNumber"] == served.serial
    empty = served.ask("POST", "/terminals/{serial}/start?authorizedAmount=5000")
    assert (empty.status, empty.body) == (204, b"")
    assert "Content-Type" not in empty.headers
    (call, _) = served.records("http")
    assert call["authorised"] is True


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/terminals/{serial}/start", 405),
        ("HEAD", "/terminals/{serial}", 405),
        ("POST", "/terminals/{serial}/start?authorizedAmount=much", 400),
        ("GET", "/terminals/OTHER", 404),
        ("GET", "/terminals/{serial}/card?x=" + "y" * 20_000, 400),
    ],
)
def test_what_fits_no_route_is_refused(
    served: Served, method: str, path: str, status: int
) -> None:
    found = served.ask(method, path)
    assert found.status == status
    assert ("Allow" in found.headers) == (status == 405)
    assert method == "HEAD" or json.loads(found.body)["status"] == status


def test_a_screen_is_read_as_json_whatever_its_type_is_called(served: Served) -> None:
    for kind in ("application/json", "text/plain"):
        header = {"Content-Type": kind}
        assert served.ask("POST", "/terminals/{serial}/ui", INFO, **header).status < 300
    assert served.ask("POST", "/terminals/{serial}/ui", b"<ui/>").status == 400


# --- What goes wrong --------------------------------------------------------------


def test_a_refused_call_ends_in_a_reset_at_once_and_without_effect(
    served: Served,
) -> None:
    fault(served, "refuse")
    with pytest.raises(ConnectionResetError) as seen:
        served.ask("POST", "/terminals/{serial}/start?authorizedAmount=5000")
    assert seen.type is ConnectionResetError, "a reset, not a polite end"
    assert served.bench.court.terminal.info.state == "IDLE"
    assert [one["reason"] for one in served.records("http_failed")] == ["refused"]


def test_a_cut_line_resets_every_call(served: Served) -> None:
    refusal = fault(served, "refuse", count=None)
    for _ in range(3):
        with pytest.raises(ConnectionResetError):
            served.ask("GET", "/terminals/{serial}")
    served.line.faults.remove(refusal)
    assert served.is_well()


@pytest.mark.parametrize(
    ("what", "state"), [("silence_before", "IDLE"), ("silence_after", "READING")]
)
def test_a_lost_call_is_not_answered_until_its_limit(
    served: Served,
    what: What,
    state: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("harness.shells.web.LONGEST_CALL_MS", 20_000)
    fault(served, what)
    began = time.monotonic()
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        served.ask("POST", "/terminals/{serial}/start?authorizedAmount=5000")
    assert time.monotonic() - began >= 20_000 / 1000 / SCALE * 0.9
    assert served.bench.court.terminal.info.state == state
    assert [one["reason"] for one in served.records("http_failed")] == ["timeout"]
    assert waiting(served) == 0


def test_the_longest_call_is_that_of_the_protocol() -> None:
    assert LONGEST_CALL_MS >= 210_000, "an authorisation with a PIN (psp.md 4.1)"


def test_a_caller_that_hangs_up_frees_everything(served: Served) -> None:
    fault(served, "silence_after")
    client = served.client()
    start = f"/terminals/{served.serial}/start?authorizedAmount=5000"
    client.request("POST", start, headers=served.headers)
    served.wait_for(lambda: waiting(served) == 1)
    client.close()
    served.wait_for(lambda: waiting(served) == 0)
    # The controller has given up now, not when the limit would have passed.
    (call,), (failed,) = served.records("http"), served.records("http_failed")
    assert failed["reason"] == "timeout"
    assert failed["t_ms"] - call["t_ms"] < LONGEST_CALL_MS
    assert served.port._waiting == {}


def test_a_call_that_has_arrived_counts_though_its_sender_is_gone(
    served: Served,
) -> None:
    """A controller that is killed right after it has sent a call."""
    client = served.client()
    start = f"/terminals/{served.serial}/start?authorizedAmount=5000"
    client.request("POST", start, headers=served.headers)
    client.close()
    served.wait_for(lambda: served.bench.court.terminal.info.state == "READING")
    assert [one["route"] for one in served.records("http")] == ["E3"]


def test_long_polls_that_nobody_waits_for_are_gone(served: Served) -> None:
    """Else the places for long polls would be taken by ghosts."""
    served.ask("POST", "/terminals/{serial}/start?authorizedAmount=5000")
    served.wait_for(lambda: served.bench.court.terminal.info.state == "READING")
    poll = f"/terminals/{served.serial}/card?waitTime=60"
    for _ in range(50):
        client = served.client()
        client.request("GET", poll, headers=served.headers)
        client.close()
    served.wait_for(lambda: len(served.records("http")) == 51)
    served.wait_for(lambda: waiting(served) == 0)
    reads = served.bench.court.terminal._cps._reads
    served.wait_for(lambda: not reads._polls)
    # Some may have been told at once that there is no place left.
    assert len(served.records("http_failed")) >= 30


@pytest.mark.parametrize(
    "answer",
    [
        Response(500, b'{"status": 500}'),
        Response(503, b""),
        Response(429, b"slow down"),
        Response(200, b"{not json"),
        Response(200, b""),
        Response(204, b""),
    ],
    ids=lambda answer: f"{answer.status} {answer.body!r}",
)
def test_any_answer_of_the_line_arrives_as_it_is(
    served: Served, answer: Response, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Errors, bodies that are malformed or missing: the shell passes them on."""
    plain = served.line.answer
    monkeypatch.setattr(
        served.line, "answer", lambda number, _response: plain(number, answer)
    )
    found = served.ask("GET", "/terminals/{serial}")
    assert (found.status, found.body) == (answer.status, answer.body)


def test_a_late_answer_delays_nobody_else(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = served.line.answer
    held: list[Callable[[], None]] = []
    monkeypatch.setattr(
        served.line, "answer", lambda *given: held.append(lambda: plain(*given))
    )
    slow = served.client()
    slow.request("GET", f"/terminals/{served.serial}", headers=served.headers)
    served.wait_for(lambda: len(held) == 1)
    monkeypatch.setattr(served.line, "answer", plain)
    assert served.is_well()
    served.in_loop(held[0])
    assert slow.getresponse().status == 200


# --- What a caller may cost -------------------------------------------------------


def test_a_body_that_is_too_long_is_refused_before_it_is_read(served: Served) -> None:
    with socket.create_connection((served.port.host, served.port.port)) as peer:
        peer.settimeout(PATIENCE_S)
        head = f"POST /terminals/{served.serial}/ui HTTP/1.1\r\nHost: x\r\n"
        peer.sendall(f"{head}Content-Length: {1 << 30}\r\n\r\n".encode())
        peer.sendall(b"x" * (MAX_BODY_BYTES + 65_536))
        assert peer.recv(12).endswith(b"413")
    assert served.is_well()


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /terminals HTTP/1.1\r\nX: ",
        b"POST /terminals/x/ui HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{",
    ],
    ids=["nothing", "half a head", "half a body"],
)
def test_a_request_that_never_ends_is_cut(
    served: Served, begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guest, "REQUEST_WITHIN_S", 0.3)
    with socket.create_connection((served.port.host, served.port.port)) as peer:
        peer.settimeout(PATIENCE_S)
        peer.sendall(begun)
        assert _ends(peer)
    assert served.records("http") == []


def _ends(peer: socket.socket) -> bool:
    """The other side closes or resets without a word."""
    try:
        return peer.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_crowd_that_says_nothing_locks_nobody_out(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guest, "MAX_CONNECTIONS", 8)
    place = (served.port.host, served.port.port)
    crowd = [socket.create_connection(place) for _ in range(40)]
    try:
        assert served.is_well()
        assert len(served.port._server.server_state.connections) <= 9
        crowd[0].settimeout(PATIENCE_S)
        assert _ends(crowd[0]), "the longest idle has given way"
    finally:
        for peer in crowd:
            peer.close()


def test_places_where_an_answer_is_due_are_not_taken_away(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guest, "MAX_CONNECTIONS", 2)
    fault(served, "silence_after", count=2)
    patient = [served.client() for _ in range(2)]
    for client in patient:
        client.request("GET", "/terminals", headers=served.headers)
    served.wait_for(lambda: waiting(served) == 2)
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        served.ask("GET", "/terminals")
    for client in patient:
        client.close()
    served.wait_for(lambda: waiting(served) == 0)
    assert served.is_well()


def test_pipelined_calls_are_answered_one_after_the_other(served: Served) -> None:
    ((name, value),) = served.headers.items()
    one = f"GET /terminals HTTP/1.1\r\nHost: x\r\n{name}: {value}\r\n\r\n".encode()
    with socket.create_connection((served.port.host, served.port.port)) as peer:
        peer.settimeout(PATIENCE_S)
        peer.sendall(one * 50)
        heard = b""
        while heard.count(b"HTTP/1.1 200") < 50:
            heard += peer.recv(65_536)
    assert waiting(served) == 0


def test_a_record_keeps_little_of_a_huge_call(served: Served) -> None:
    long = "m" * 9_000
    path = f"/terminals/{{serial}}/start?authorizedAmount=5000&uiMessage={long}"
    assert served.ask("POST", path).status == 204
    assert served.ask("GET", f"/terminals/{long}/sessions/{long[:5000]}").status == 404
    screen = json.dumps({"type": "info", "properties": {"title": "x" * 500_000}})
    served.ask("POST", "/terminals/{serial}/stop")
    assert served.ask("POST", "/terminals/{serial}/ui", screen.encode()).status == 204
    for record in served.bench.trace.records:
        assert len(json.dumps(record)) < 8_000, record["kind"]
    assert "9000 characters" in json.dumps(served.records("http")[0])


def test_a_card_number_in_a_long_target_is_not_cut_in_two(served: Served) -> None:
    number = "".join(["411111", "111111", "1111"])
    start = f"/terminals/{served.serial}/start?authorizedAmount=1&uiMessage="
    for fill in range(2_048 - len(start) - 17, 2_048 - len(start) + 1):
        served.ask("POST", f"{start}{'m' * fill}{number}{'m' * 2_000}")
    text = served.bench.trace.render()
    assert number[:10] not in text
    assert served.records("finding")[0]["requirement"] == "R-UI-07"
