"""``nohold serve`` as a person starts it: whole stories over its ports."""

import json
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from harness.cli import main
from tests.harness.shells.bench_program import FREE_PORTS, Served, until
from tests.harness.shells.conftest import Certificate
from tests.harness.shells.ends import ASK

Serve = Callable[..., Served]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a bench with these flags; whatever happens, it ends with the test."""
    started: list[Served] = []

    def start(*flags: str) -> Served:
        started.append(Served(tmp_path, *flags))
        return started[-1]

    yield start
    for served in started:
        served.close()


def test_a_driver_pays_over_psp_and_again_after_a_reset(
    serve: Serve, tmp_path: Path
) -> None:
    served = serve("--trace", "trace.jsonl")
    events = served.listen("?since=0")
    served.start_controller("psp")
    session = served.pay_for_a_charge()
    assert session["state"] == "committed"
    assert 0 < session["committed_minor"] < 5000
    assert (session["connector"], session["settlement"]) == (1, "CLOSED")

    served.post("reset")
    assert served.sessions() == []
    # The controller was dropped, comes back, and takes the next card.
    served.wait_for_card_reading()
    served.post("tap", card="mastercard")
    (after,) = until(served.sessions, what="a session after the reset")
    assert after["session_id"] != session["session_id"]

    # Every record is in the file, in the trace and with whoever listens.
    _, trace = served.call("GET", "/bench/trace?since=0")
    lines = (tmp_path / "trace.jsonl").read_text(encoding="ascii").splitlines()
    assert trace.splitlines() == lines[: len(trace.splitlines())]
    assert [json.loads(line)["seq"] for line in lines] == list(range(len(lines)))
    for line in lines[:50]:
        assert events.readline().decode() == f"id: {json.loads(line)['seq']}\n"
        assert events.readline().decode() == f"data: {line}\n"
        assert events.readline() == b"\n"

    assert served.end(signal.SIGTERM) == 0
    assert served.errors() == ""
    assert "the driver              tap, card visa" in served.said()
    assert served.said().endswith("\nclosed\n")


def test_a_driver_pays_over_cps(serve: Serve) -> None:
    served = serve("--api-key", "my-key", "--serial-number", "MINE1", "--seed", "5")
    assert (served.at["api-key"], served.at["seed"]) == ("my-key", "5")
    served.start_controller("cps")
    session = served.pay_for_a_charge()
    assert session["state"] == "committed"
    assert 0 < session["committed_minor"] < 5000
    assert session["settlement"] == "CLOSED"
    # Told to end with a controller that polls, and with a listener.
    events = served.listen()
    assert served.end(signal.SIGINT) == 0
    assert served.errors() == ""
    assert b"event: closed\n" in events.read()


def test_a_terminal_on_a_pseudo_terminal(serve: Serve) -> None:
    served = serve("--pty", "--terminal", "p6x", "--connectors", "5")
    path, baud = served.at["psp"].removeprefix("serial://").split("?")
    assert Path(path).is_char_device()
    assert baud == "baud=57600"
    bench = served.bench()
    assert bench["links"]["psp"] is True
    assert bench["terminal"]["family"] == "p6x"
    assert [one["connector"] for one in bench["connectors"]] == [1, 2, 3, 4, 5]
    assert served.call("POST", "/bench/park", {"connector": 5})[0] == 200
    served.post("reset")
    assert served.bench()["links"]["psp"] is True
    assert served.end() == 0
    assert served.errors() == ""


def test_the_terminal_speaks_tls(serve: Serve, certificate: Certificate) -> None:
    flags = ("--tls-cert", str(certificate.cert), "--tls-key", str(certificate.key))
    served = serve(*flags)
    where = urlsplit(served.at["psp"])
    assert (where.scheme, where.hostname) == ("tls", "127.0.0.1")
    assert where.port is not None
    with socket.create_connection((where.hostname, where.port), 10) as plain:
        client = certificate.client
        with client.wrap_socket(plain, server_hostname="localhost") as line:
            line.sendall(ASK)
            assert line.recv(64)[:1] == b"\xaa", "the preamble of a terminal"
    assert served.end() == 0
    assert served.errors() == ""


# --- Wrong use ------------------------------------------------------------------


Refused = Callable[..., str]


@pytest.fixture
def refused(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Refused:
    """The one line with which a start is refused, with status 2."""
    monkeypatch.chdir(tmp_path)

    def start(*flags: str) -> str:
        monkeypatch.setattr("sys.argv", ["nohold", "serve", *FREE_PORTS, *flags])
        with pytest.raises(SystemExit) as ended:
            main()
        out, error = capfd.readouterr()
        assert (ended.value.code, out) == (2, "")
        assert error.startswith("nohold: ")
        assert error.count("\n") == 1, error
        return error

    return start


@pytest.mark.parametrize("flag", ["--port", "--psp-port", "--cps-port", "--bay-port"])
def test_a_port_in_use_is_one_line_and_status_2(refused: Refused, flag: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = refused(flag, port)
        assert f"port {port} on 127.0.0.1: Address already in use" in told


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--colour", "red"], "No such option: --colour"),
        (["--port", "70000"], "'--port'"),
        (["--terminal", "x"], "--terminal: found 'x', allowed p6x or apollo"),
        (["--connectors", "33"], "'--connectors'"),
        (["--pty", "--serial", "/dev/null"], "--pty, --serial: found both"),
        (["--tls-key", "key.pem"], "--tls-key: found without --tls-cert"),
        (["--tls-cert", "bad.toml"], "--tls-cert bad.toml: [SSL]"),
        (["--tls-cert", "no.pem"], "--tls-cert no.pem: No such file or directory"),
        (["--api-key", "a b"], "--api-key: found 'a b', allowed"),
        (["--profile", "nowhere.toml"], "--profile nowhere.toml: No such file"),
        (["--profile", "bad.toml"], "result_size: found 9, allowed 2, 1"),
        (["--trace", "no/where.jsonl"], "--trace no/where.jsonl: No such file"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(
    refused: Refused, tmp_path: Path, flags: list[str], words: str
) -> None:
    (tmp_path / "bad.toml").write_text("[psp]\nresult_size = 9\n", encoding="utf-8")
    assert words in refused(*flags)
