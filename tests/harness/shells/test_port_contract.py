"""What every way to a terminal promises, the line in memory included.

Bytes arrive once and in order, both ways. What was written on a dead connection never
arrives later. A fault of the line is recorded whatever carries the bytes. What waits is
bounded. A port may be closed at any moment.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from harness.line_faults import LineFault, Turn
from harness.shells.channel import MAX_UNSENT
from harness.shells.pty import Pace, PtyPort
from harness.shells.serial import SerialPort
from harness.shells.tcp import TcpPort
from tests.harness.shells.conftest import Certificate
from tests.harness.shells.ends import (
    ASK,
    Cable,
    DeviceEnd,
    FarEnd,
    MemoryEnd,
    SocketEnd,
    Yard,
)

#: Every byte there is, no two neighbours alike, more than any buffer of a terminal.
STREAM: Final = bytes(range(256)) * 24


@dataclass
class Way:
    """One way between a forecourt and a controller."""

    yard: Yard
    connect: Callable[[], FarEnd]
    port: TcpPort | PtyPort | SerialPort | None = None
    met: list[FarEnd] = field(default_factory=list)

    def meet(self) -> FarEnd:
        """A connection that both sides know of."""
        far = self.connect()
        self.met.append(far)
        assert self.wait(far, lambda: self.yard.psp.is_open)
        return far

    def wait(
        self, far: FarEnd, stop: Callable[[], object], within_s: float = 10
    ) -> bool:
        def look() -> bool:
            far.pump()
            return bool(stop())

        return self.yard.until(look, within_s)


PORTS: Final = ("tcp", "tls", "pty", "pty, not paced", "serial")
WAYS: Final = ("memory, tcp", "memory, serial", *PORTS)
#: Where something can wait, and be closed.
REAL: Final = pytest.mark.parametrize("way", PORTS, indirect=True)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Way]:
    name: str = request.param
    yard = Yard(link="tcp" if name in ("memory, tcp", "tcp", "tls") else "serial")
    yard.court.deaf = True
    if name == "tls":
        made = _over_tls(yard, request.getfixturevalue("certificate"))
    else:
        made = _way(name, yard, tmp_path)
    yield made
    for far in made.met:
        far.hang_up()
    if made.port is not None:
        made.port.close()
    yard.loop.close()


def _over_tls(yard: Yard, certificate: Certificate) -> Way:
    port = TcpPort(yard.loop, yard.psp, tls=certificate.server)
    return Way(yard, lambda: SocketEnd(port.port, certificate.client), port)


def _way(name: str, yard: Yard, folder: Path) -> Way:
    if name.startswith("memory"):
        return Way(yard, lambda: MemoryEnd(yard.psp))
    if name == "tcp":
        port = TcpPort(yard.loop, yard.psp)
        return Way(yard, lambda: SocketEnd(port.port), port)
    if name == "serial":
        cable = Cable(folder)
        first = [cable.plug_in()]
        device = str(cable.path)
        wired = SerialPort(
            yard.loop, yard.psp, kernel=yard.kernel, device=device, baud=115_200
        )
        return Way(yard, lambda: first.pop() if first else cable.plug_in(), wired)
    paced = name == "pty"
    pty = PtyPort(yard.loop, yard.psp, kernel=yard.kernel, pace=Pace(is_kept=paced))
    return Way(yard, lambda: DeviceEnd(pty.path), pty)


def pieces(data: bytes) -> Iterator[bytes]:
    """Pieces of all lengths."""
    start, size = 0, 1
    while start < len(data):
        yield data[start : start + size]
        start, size = start + size, size % 97 + 1


def test_what_the_controller_writes_arrives_in_order(way: Way) -> None:
    far = way.meet()
    for piece in pieces(STREAM):
        far.write(piece)
    court = way.yard.court
    assert way.wait(far, lambda: len(court.told) >= len(STREAM))
    assert court.told == STREAM


def test_what_the_terminal_says_arrives_in_order(way: Way) -> None:
    far = way.meet()
    for piece in pieces(STREAM):
        way.yard.psp.receive(piece)
        far.pump()
        # A serial line has no flow control: it is given what it can carry.
        assert way.wait(far, lambda: way.port is None or way.port.unsent < 4096)
    assert way.wait(far, lambda: len(far.heard) >= len(STREAM))
    assert bytes(far.heard) == STREAM


def test_what_was_said_on_a_dead_connection_never_arrives(way: Way) -> None:
    far = way.meet()
    way.yard.psp.receive(b"unread")
    far.hang_up()
    way.yard.psp.receive(b"after the end")
    way.yard.spend(0.1)
    way.yard.psp.receive(b"between")
    far = way.meet()
    way.yard.spend(0.1)
    way.yard.psp.receive(b"new")
    assert way.wait(far, lambda: len(far.heard) >= 3)
    way.yard.spend(0.1)
    far.pump()
    assert bytes(far.heard) == b"new"


def test_a_fault_of_the_line_is_recorded(way: Way) -> None:
    far = way.meet()
    hits: list[str] = []
    fault = LineFault(
        way="to_terminal",
        change=lambda _data, _byte: [],
        hit=hits.append,
        turn=Turn(),
        message="Get Status",
    )
    way.yard.psp.faults.append(fault)
    far.write(ASK)
    assert way.wait(far, lambda: hits)
    assert way.yard.court.told == b""
    assert way.yard.records("psp")[-1]["fate"] == "lost"
    far.write(ASK)
    assert way.wait(far, lambda: way.yard.court.told)
    assert way.yard.court.told == ASK


@REAL
def test_who_does_not_read_costs_no_more_than_a_buffer(way: Way) -> None:
    assert way.port is not None
    far = way.meet()
    for _ in range(8 * 1024):
        way.yard.psp.receive(bytes(1024))
        assert way.port.unsent <= MAX_UNSENT
    if isinstance(way.port, TcpPort):
        assert way.yard.until(way.yard.downs)
        assert way.yard.downs() == ["unread"]
        assert way.wait(far, lambda: far.ended)


@REAL
def test_a_port_is_closed_in_the_middle_of_it(way: Way) -> None:
    assert way.port is not None
    far = way.meet()
    far.write(STREAM)
    way.yard.psp.receive(STREAM)
    way.port.close()
    way.yard.psp.receive(STREAM)
    way.yard.spend(0.1)
    if not isinstance(way.port, SerialPort):
        assert way.wait(far, lambda: far.ended)
    told = way.yard.court.told
    far.write(ASK)
    way.yard.spend(0.1)
    assert way.yard.court.told == told
