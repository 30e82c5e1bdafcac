# ruff: noqa: E501 - tables
"""The control interface against whatever may come: strangers, slow ones, tools."""

import json
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from harness.serve.desk import Desk
from harness.serve.play import Play
from harness.serve.settings import Settings
from harness.shells.control import ControlPort
from harness.shells.loop import Loop
from simulator.clock import WallClock
from tests.harness.shells.bench_program import Served, environment, until

#: What a bench may grow by under fire, in KiB.
MAY_GROW_KIB = 60_000
#: A server that refuses has read at least so much, bytes.
ONE_READ = 50_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One bench for all that comes; it has to live through it."""
    bench = Served(tmp_path_factory.mktemp("served"))
    yield bench
    try:
        assert not bench.has_ended, bench.errors()
        assert bench.errors() == ""
        assert bench.end() == 0
    finally:
        bench.close()


def head(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1")


def fired(served: Served, data: bytes, *, waits: bool) -> bytes:
    """Send ``data`` to the control port; what is answered until it hangs up."""
    host, _, port = served.address.partition(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        with suppress(ConnectionError):  # it may hang up before it has heard all
            connection.sendall(data)
        with suppress(ConnectionError):
            while waits and (piece := connection.recv(65_536)):
                answer += piece
    return answer


_RANDOM = random.Random(4)

# fmt: off
#: What a stranger says, and the statuses of an answer; none: the stranger hangs up.
STRANGERS: dict[str, tuple[bytes, tuple[int, ...]]] = {
    "nothing": (b"", ()),
    "random bytes": (_RANDOM.randbytes(100_000), (400,)),
    "random bytes after a head": (head("POST /bench/tap HTTP/1.1", "Host: x", "Connection: close", "Content-Length: 5000") + _RANDOM.randbytes(5_000), (422,)),
    "a header line without an end": (b"GET /bench HTTP/1.1\r\nX: " + b"a" * 5_000_000, (400, 431)),
    "a target without an end": (b"GET /" + b"a" * 5_000_000, (400, 414)),
    "many headers": (head("GET /bench HTTP/1.1", *(f"X-{n}: {n}" for n in range(50_000))), (400, 431)),
    "broken JSON": (head("POST /bench/tap HTTP/1.1", "Host: x", "Connection: close", "Content-Length: 9") + b'{"card": ', (422,)),
    "deep JSON": (head("POST /bench/tap HTTP/1.1", "Host: x", "Connection: close", "Content-Length: 60000") + b"[" * 60_000, (422,)),
    "half a character": (head("POST /bench/tap HTTP/1.1", "Host: x", "Connection: close", "Content-Length: 18") + b'{"card": "\\ud800"}', (404,)),
    "half a character for a name": (head("POST /bench/tap HTTP/1.1", "Host: x", "Connection: close", "Content-Length: 13") + b'{"\\ud800": 1}', (422,)),
    "a host of no kind": (head("GET /bench HTTP/1.1", "Host: [x", "Connection: close"), (200,)),
    "a wrong verb": (head("BREW /bench HTTP/1.1", "Host: x", "Connection: close"), (405,)),
    "a verb for another path": (head("DELETE /bench/tap HTTP/1.1", "Host: x", "Connection: close"), (405,)),
    "1 GiB to come": (head("POST /bench/tap HTTP/1.1", "Host: x", "Content-Length: 1073741824") + b"x" * 100_000, (413,)),
    "a length that is no number": (head("POST /bench/tap HTTP/1.1", "Host: x", "Content-Length: lots"), (400,)),
    "a length below nothing": (head("POST /bench/tap HTTP/1.1", "Host: x", "Content-Length: -1"), (400,)),
    "a length of a thousand digits": (head("POST /bench/tap HTTP/1.1", "Host: x", "Content-Length: " + "9" * 1_000), (400, 413)),
    "pieces without an end": (head("POST /bench/tap HTTP/1.1", "Host: x", "Transfer-Encoding: chunked") + b"ffff\r\n" + b"x" * 65_535 + b"\r\nffff\r\n" + b"x" * 5_000_000, (413,)),
    "a protocol of another kind": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + _RANDOM.randbytes(500), (400,)),
    "a request to upgrade": (head("GET /bench HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade, close", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: eA=="), (200,)),
    "a body that does not come": (head("POST /bench/tap HTTP/1.1", "Host: x", "Content-Length: 10"), ()),
    "a path with odd characters": (head("GET /bench/%00%ff/..%2f HTTP/1.1", "Host: x", "Connection: close"), (404,)),
}
# fmt: on


def test_strangers_do_no_harm(served: Served) -> None:
    before = served.memory_kib()
    for _ in range(3):
        for name, (data, statuses) in STRANGERS.items():
            answer = fired(served, data, waits=bool(statuses))
            found = int(answer.split()[1]) if answer else 0
            # Who goes on sending may be hung up on before he has read the answer.
            is_cut = not statuses or len(data) > ONE_READ
            assert found in (*statuses, *((0,) if is_cut else ())), (name, answer)
    assert served.bench()["clock"]["t_ms"] > 0
    assert served.memory_kib() - before < MAY_GROW_KIB


def test_many_at_once_are_served_or_turned_away(served: Served) -> None:
    host, _, port = served.address.partition(":")
    before = served.memory_kib()
    crowd = [
        socket.create_connection((host, int(port)), timeout=10) for _ in range(200)
    ]
    for one in crowd:
        one.sendall(b"POST /bench/tap HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
    for one in crowd:
        one.close()
    until(lambda: served.call("GET", "/bench")[0] == 200, what="an answer")
    assert served.memory_kib() - before < MAY_GROW_KIB


@pytest.fixture
def bench() -> Iterator[tuple[Play, ControlPort]]:
    """A bench of which only the control port is open; the test is its loop."""
    loop = Loop()
    play = Play(Settings(), clock=WallClock(wait=loop.wait))
    control = ControlPort(loop, host="127.0.0.1", port=0)
    control.start(play)
    yield play, control
    control.close()
    loop.close()


def test_a_listener_who_does_not_read_is_dropped(
    bench: tuple[Play, ControlPort],
) -> None:
    play, control = bench
    desk = Desk(play, addresses={})
    with socket.create_connection((control.host, control.port), timeout=30) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        slow.sendall(head("GET /bench/events HTTP/1.1", "Host: x"))
        play.kernel.run_until(play.now_ms + 30_000, stop=lambda: control.has_calls)
        control.answer_calls(desk)
        # More than the system keeps for a slow reader and the bench together.
        for _ in range(150):
            play.note("seen", mark="x" * 60_000)
        heard = b""
        while b"event: dropped" not in heard[-200:]:
            piece = slow.recv(65_536)
            assert piece, heard[-200:]
            heard = heard[-200:] + piece
    assert b'data: {"reason": "this listener was too slow"}' in heard
    # What is kept is the end, and whoever asks for the rest is told.
    trace = desk.call("GET", "/bench/trace")
    first = json.loads((trace.lines or [""])[0])["seq"]
    assert int(trace.headers["Nohold-Dropped"]) == first > 0


def test_only_so_many_may_listen(served: Served) -> None:
    served.hang_up()
    until(lambda: listens(served), what="room for a listener")
    while listens(served):
        assert len(served.listening) < 100
    assert served.call("GET", "/bench/events") == (503, {"error": "32 listen already"})
    served.hang_up()
    until(lambda: listens(served), what="room for a listener again")


def listens(served: Served) -> bool:
    """Whether one more may listen; it does then."""
    try:
        served.listen()
    except AssertionError:
        return False
    return True


def test_who_comes_back_hears_what_it_has_missed(served: Served) -> None:
    served.hang_up()
    until(lambda: listens(served), what="room for a listener")
    served.post("reset")
    seq = served.post("park", connector=2)["seq"]
    events = served.listen("", **{"Last-Event-ID": str(seq - 1)})
    assert events.headers["Content-Type"].startswith("text/event-stream")
    assert events.readline().decode() == f"id: {seq}\n"
    assert json.loads(events.readline().removeprefix(b"data: "))["connector"] == 2


def test_schemathesis_finds_nothing(served: Served) -> None:
    """The document and the bench say the same, whatever is asked."""
    config = Path(__file__).with_name("schemathesis.toml")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
            *("run", f"http://{served.address}/openapi.json"),
            *("--max-examples", "4", "--seed", "1", "--no-color"),
        ],
        cwd=served.folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "18 selected" in done.stdout or "Selected: 18/19" in done.stdout
