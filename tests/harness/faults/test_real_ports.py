"""The same faults behind real ports: sockets on loopback, in real time."""

import http.client
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.bench import Bench, CaseName
from harness.columns import COLUMNS
from harness.declaration import load
from harness.device import Device, InProcessDevice
from harness.places import REFERENCE
from harness.shells.loop import Loop
from harness.shells.tcp import TcpPort
from harness.shells.web import CloudPort
from harness.wishes import Wishes
from harness.world import Desk, Limits
from simulator.clock import Clock, WallClock
from simulator.faults import Value
from tests.harness.mute import mute
from wire.cps import build
from wire.machine import Fact, HttpFailed, LinkClosed
from wire.psp import Direction, Family, Name, Reading, encode, message

ASK = encode(
    message(Name.SYNCHRONIZE), Direction.TO_TERMINAL, Reading(family=Family.APOLLO)
)
#: Far more than a loaded machine needs, in milliseconds.
PATIENCE_MS = 20_000


@dataclass
class Ports:
    """A world of ports that nobody is wired to: the test speaks to them itself."""

    loop: Loop = field(default_factory=Loop)
    slack_ms: int = 1_000
    limits: Limits = field(
        default_factory=lambda: Limits(settle_ms=1, look_ms=1, rest_ms=1)
    )
    baud: int | None = None
    desk: Desk | None = None
    wiring: Mapping[str, str] = field(default_factory=dict)
    terminal_baud: int = 0
    heard: list[Fact] = field(default_factory=list)
    open: list[TcpPort | CloudPort] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock: Clock = WallClock(wait=self.loop.wait)

    def build(self, bench: Bench) -> Device:
        """An object that does nothing stands in for the program."""
        lines = bench.lines
        device = InProcessDevice(
            mute,
            bench.place,
            lines=lines,
            court=bench.court,
            wall_ms=0,
        )
        self.open = [TcpPort(self.loop, lines.psp), CloudPort(self.loop, lines.cloud)]
        for line in (lines.psp, lines.cloud):
            line.deliver = self._overhear(line.deliver)
        return device

    def _overhear(self, deliver: Callable[[Fact], None]) -> Callable[[Fact], None]:
        def hear(fact: Fact) -> None:
            self.heard.append(fact)
            deliver(fact)

        return hear

    def written(self, bench: Bench) -> tuple[bytes, ...]:
        return ()

    def close(self) -> None:
        for port in self.open:
            port.close()
        self.loop.close()


def bench_with_ports(name: str) -> Bench:
    column = next(one for one in COLUMNS if one.name == name)
    wishes = Wishes(declaration=column.fit(load(REFERENCE)), configurable=True)
    case = CaseName(scenario="a case")
    return Bench(wishes, column=column, seed=1, case=case, world=Ports())


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    made = bench_with_ports(request.param)
    made.start_device()
    with closing(made):
        yield made


def port_of(bench: Bench, index: int) -> Any:
    assert isinstance(bench.world, Ports)
    return bench.world.open[index]


def heard(bench: Bench, kind: type[Fact]) -> list[Any]:
    assert isinstance(bench.world, Ports)
    return [fact for fact in bench.world.heard if isinstance(fact, kind)]


# --- TCP ----------------------------------------------------------------------------


@dataclass
class Host:
    """A controller's socket; reads whatever has come."""

    socket: socket.socket
    data: bytes = b""
    is_over: bool = False

    def read(self) -> None:
        try:
            piece = self.socket.recv(4096)
        except BlockingIOError:
            return
        except ConnectionResetError:
            self.is_over = True
            return
        self.data += piece
        self.is_over = not piece

    def has(self, size: int) -> bool:
        self.read()
        return len(self.data) >= size or self.is_over


@pytest.fixture
def host(bench: Bench) -> Iterator[Host]:
    connection = socket.create_connection(("127.0.0.1", port_of(bench, 0).port))
    connection.settimeout(0)
    with closing(connection):
        assert bench.run_until(lambda: bench.lines.psp.is_open, PATIENCE_MS)
        yield Host(connection)


def is_over(host: Host) -> bool:
    host.read()
    return host.is_over


@pytest.mark.parametrize("bench", ["apollo"], indirect=True)
@pytest.mark.parametrize("byte", [0, 3])
def test_the_bytes_before_a_reset_arrive(bench: Bench, host: Host, byte: int) -> None:
    bench.faults.put("tcp_reset_at", direction="to_controller", byte=byte)
    host.socket.send(ASK)
    assert bench.run_until(lambda: is_over(host), PATIENCE_MS)
    assert len(host.data) == byte
    assert [fact.reason for fact in heard(bench, LinkClosed)] == ["reset"]


@pytest.mark.parametrize("bench", ["apollo"], indirect=True)
def test_a_block_to_the_terminal_is_cut_after_a_byte(bench: Bench, host: Host) -> None:
    bench.faults.put("tcp_reset_at", direction="to_terminal", byte=2)
    host.socket.send(ASK)
    assert bench.run_until(lambda: is_over(host), PATIENCE_MS)
    (record,) = [r for r in bench.trace.records if r["kind"] == "psp"]
    assert (record["hex"], record["fate"]) == (ASK[:2].hex(" ").upper(), "changed")


@pytest.mark.parametrize("bench", ["apollo"], indirect=True)
def test_a_half_open_connection_is_silent_until_it_is_healed(
    bench: Bench, host: Host
) -> None:
    fault = bench.faults.put("tcp_half_open")
    host.socket.send(ASK)
    lost = [("to_terminal", "lost")]

    def fates() -> list[tuple[object, object]]:
        records = [r for r in bench.trace.records if r["kind"] == "psp"]
        return [(r["direction"], r["fate"]) for r in records]

    assert bench.run_until(lambda: fates() == lost, PATIENCE_MS)
    bench.run_for(200)
    assert not is_over(host)
    assert host.data == b""
    bench.faults.heal_one(fault)
    assert bench.run_until(lambda: is_over(host), PATIENCE_MS)
    assert [fact.reason for fact in heard(bench, LinkClosed)] == ["reset"]


@pytest.mark.parametrize("bench", ["apollo"], indirect=True)
def test_bytes_are_changed_delayed_and_heal(bench: Bench, host: Host) -> None:
    whole: list[bytes] = []
    for params in ({}, {"byte": 0, "bit": 0}):
        host.data = b""
        if params:
            bench.faults.put("cable_flip", direction="to_controller", **params)
        host.socket.send(ASK)
        assert bench.run_until(lambda: host.has(5), PATIENCE_MS)
        whole.append(host.data)
    good, bad = whole
    assert bad == bytes((good[0] ^ 1,)) + good[1:]


# --- HTTP ---------------------------------------------------------------------------


def ask_cloud(bench: Bench) -> tuple[list[str], threading.Thread]:
    """One call from a thread of its own; what became of it is written down."""
    request = build(
        "E2", api_key=bench.api_key, serial_number=bench.serial_number, params={}
    )
    ends: list[str] = []

    def ask() -> None:
        port = port_of(bench, 1).port
        with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
            connection.request("GET", request.target, headers=dict(request.headers))
            try:
                ends.append(str(connection.getresponse().status))
            except (http.client.HTTPException, OSError):
                ends.append("broken")

    thread = threading.Thread(target=ask)
    thread.start()
    return ends, thread


@pytest.mark.parametrize("bench", ["cps"], indirect=True)
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("http_lost_before", "reset"),
        ("http_lost_after", "reset"),
        ("http_refused", "refused"),
    ],
)
def test_the_port_is_told_of_a_call_that_breaks(
    bench: Bench, name: str, reason: str
) -> None:
    """What the caller sees of it is the port's affair."""
    bench.faults.put(name)
    ends, thread = ask_cloud(bench)
    assert bench.run_until(lambda: bool(ends), PATIENCE_MS)
    thread.join()
    assert [fact.reason for fact in heard(bench, HttpFailed)] == [reason]
    assert ends == ["broken"]


@pytest.mark.parametrize("bench", ["cps"], indirect=True)
@pytest.mark.parametrize(
    ("name", "params", "end"),
    [
        ("http_status", {"status": 503}, "503"),
        ("http_status_after", {"status": 502}, "502"),
        ("http_slow", {"delay_ms": 300}, "200"),
        ("http_empty_body", {}, "200"),
    ],
)
def test_a_call_is_answered_otherwise_and_healed(
    bench: Bench, name: str, params: dict[str, Value], end: str
) -> None:
    bench.faults.put(name, **params)
    ends, thread = ask_cloud(bench)
    assert bench.run_until(lambda: bool(ends), PATIENCE_MS)
    thread.join()
    assert ends == [end]
    bench.faults.heal_all()
    ends, thread = ask_cloud(bench)
    assert bench.run_until(lambda: bool(ends), PATIENCE_MS)
    thread.join()
    assert ends == ["200"]
