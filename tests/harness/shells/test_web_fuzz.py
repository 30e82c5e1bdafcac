"""Nothing that can be sent to the cloud's port stops it or makes it grow.

Raw sockets send what no client would: noise, endless lines, bodies that are announced
and never come, broken chunks, broken JSON, crowds. Memory stays within a bound, and
afterwards a good client is served. Chance comes from one seed.
"""

import random
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from harness.shells.guest import MAX_CONNECTIONS
from tests.harness.shells.served import PATIENCE_S, Served

#: What the whole process may grow by; each of the floods below is larger.
GROWTH_BYTES: Final = 48 << 20
FLOOD_BYTES: Final = 64 << 20
PIECE: Final = b"x" * 65_536


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """One server for all of it: what one test leaves behind, the next one finds."""
    made = Served()
    yield made
    made.close()


def resident_bytes() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


def connect(served: Served) -> socket.socket:
    return socket.create_connection(
        (served.port.host, served.port.port), timeout=PATIENCE_S
    )


def throw(served: Served, data: bytes, *, is_whole: bool = False) -> bytes:
    """Send and take what comes back; hang up unless it is a whole request."""
    heard = b""
    with connect(served) as peer, suppress(OSError):
        peer.sendall(data)
        if not is_whole:
            peer.shutdown(socket.SHUT_WR)
        while (piece := peer.recv(65_536)) and len(heard) < 1 << 20:
            heard += piece
    return heard


def flood(served: Served, head: bytes) -> int:
    """Send without end; how many bytes were taken before the server hung up."""
    sent = 0
    with connect(served) as peer, suppress(OSError):
        peer.sendall(head)
        while sent < FLOOD_BYTES:
            sent += peer.send(PIECE)
    return sent


def assert_well(served: Served) -> None:
    assert served.is_well()
    assert served.failure is None
    served.wait_for(lambda: not served.port._waiting)
    served.wait_for(lambda: not served.line._pending)


def request(served: Served, head: str, *more: str, body: bytes = b"") -> bytes:
    ((name, value),) = served.headers.items()
    lines = [head.replace("{me}", f"/terminals/{served.serial}"), "Host: x"]
    lines.append("Connection: close")
    return "\r\n".join([*lines, f"{name}: {value}", *more, "", ""]).encode() + body


def test_noise_is_refused(served: Served) -> None:
    chance = random.Random(1)
    for _ in range(80):
        heard = throw(served, chance.randbytes(chance.randrange(1, 3_000)))
        assert heard == b"" or heard.startswith(b"HTTP/1.1 400")
    good = request(served, "GET {me} HTTP/1.1")
    for _ in range(80):
        spoilt = bytearray(good)
        for _ in range(chance.randrange(1, 6)):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        assert b" 500 " not in throw(served, bytes(spoilt))[:40]
    assert_well(served)


POST: Final = b"POST / HTTP/1.1\r\nHost: x\r\n"
GET: Final = b"GET / HTTP/1.1\r\nHost: x\r\n"
CHUNKED: Final = b"Transfer-Encoding: chunked\r\n"
ODD: Final = {
    "no colon": b"GET / HTTP/1.1\r\nHost x\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two lengths": POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "negative length": POST + b"Content-Length: -1\r\n\r\n",
    "length and chunks": POST + b"Content-Length: 3\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
    "no chunk size": POST + CHUNKED + b"\r\nzz\r\n",
    "huge chunk size": POST + CHUNKED + b"\r\nffffffffffffffffffff\r\n",
    "unknown coding": POST + b"Transfer-Encoding: zip\r\n\r\n",
    "version 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "version 0.9": b"GET /\r\n\r\n",
    "web socket": GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "other verb": b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
    "connect": b"CONNECT cps:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "absolute": b"GET http://x/terminals HTTP/1.1\r\nHost: x\r\n\r\n",
    "many headers": GET + b"A: b\r\n" * 20_000 + b"\r\n",
    "long line": b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "continue": POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    "empty lines": b"\r\n" * 10_000,
}


@pytest.mark.parametrize("data", ODD.values(), ids=ODD)
def test_odd_requests_end_in_a_refusal_or_in_silence(
    served: Served, data: bytes
) -> None:
    heard = throw(served, data)
    assert heard == b"" or re.match(rb"HTTP/1.1 (100|4\d\d) ", heard), heard[:80]
    assert_well(served)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[" * 100_000,
        b'{"type":' * 10_000,
        b'{"type":"info","properties":{"title":' + b"9" * 100_000 + b"}}",
        b'{"type":"info","properties":{"title":1e999}}',
        b'{"type":"info","id":"\\ud800"}',
        b'{"type":"info","properties":{"title":"\\u0000\\udfff"}}',
        b"\xff\xfe{\x00}",
        b"null",
    ],
    ids=range(9),
)
def test_broken_json_is_a_refusal(served: Served, body: bytes) -> None:
    data = request(
        served, "POST {me}/ui HTTP/1.1", f"Content-Length: {len(body)}", body=body
    )
    assert re.match(rb"HTTP/1.1 (2|4)\d\d ", throw(served, data, is_whole=True))
    assert_well(served)
    served.bench.trace.render()


def test_targets_with_any_escapes_are_answered(served: Served) -> None:
    chance = random.Random(2)
    alphabet = "%0fFaA/?&=+;:@.~é\\\"'<>{}|^`[]#"
    for _ in range(80):
        noise = "".join(chance.choices(alphabet, k=chance.randrange(1, 60)))
        for head in (f"GET /{noise} HTTP/1.1", f"POST {{me}}/start?{noise} HTTP/1.1"):
            heard = throw(served, request(served, head), is_whole=True)
            assert re.match(rb"HTTP/1.1 (2|4)\d\d ", heard), (head, heard[:80])
    assert_well(served)


def test_endless_input_is_cut_and_leaves_no_trace_in_memory(served: Served) -> None:
    assert_well(served)
    before = resident_bytes()
    announced = f"Content-Length: {1 << 30}"
    heads = [
        b"GET /",
        b"GET / HTTP/1.1\r\nX: ",
        request(served, "POST {me}/ui HTTP/1.1", announced),
        request(served, "POST {me}/ui HTTP/1.1", "Transfer-Encoding: chunked")
        + b"40000000\r\n",
        request(served, "GET {me} HTTP/1.1", announced),
    ]
    for head in heads:
        assert flood(served, head) < FLOOD_BYTES, head[:40]
    assert_well(served)
    assert resident_bytes() - before < GROWTH_BYTES


def test_a_crowd_of_connections_is_bounded(served: Served) -> None:
    before = threading.active_count()
    for _ in range(500):
        with suppress(OSError):
            connect(served).close()
    crowd = []
    for number in range(MAX_CONNECTIONS + 100):
        peer = connect(served)
        crowd.append(peer)
        with suppress(OSError):
            peer.sendall(b"GET / HTTP/1.1\r\n" if number % 2 else b"")
    assert_well(served)
    assert len(served.port._server.server_state.connections) <= MAX_CONNECTIONS + 1
    for peer in crowd:
        peer.close()
    assert threading.active_count() <= before


def test_calls_that_are_answered_leave_only_their_records(served: Served) -> None:
    """Time-outs and callers are forgotten as soon as a call is answered."""
    client = served.client()
    for _ in range(150):
        client.request("GET", f"/terminals/{served.serial}", headers=served.headers)
        assert client.getresponse().read()
    kernel = served.bench.kernel
    assert len(kernel._due) < 50
    assert_well(served)


def test_random_callers_disturb_nobody(served: Served) -> None:
    """A good client polls while others send noise and hang up at any moment."""
    stop = threading.Event()

    def disturb(seed: int) -> None:
        chance = random.Random(seed)
        good = request(served, "POST {me}/start?authorizedAmount=1 HTTP/1.1") * 3
        while not stop.is_set():
            with suppress(OSError), connect(served) as peer:
                peer.sendall(good[: chance.randrange(len(good))])

    others = [threading.Thread(target=disturb, args=[seed]) for seed in range(3)]
    for other in others:
        other.start()
    try:
        assert all(served.is_well() for _ in range(40))
    finally:
        stop.set()
        for other in others:
            other.join(PATIENCE_S)
    assert_well(served)
