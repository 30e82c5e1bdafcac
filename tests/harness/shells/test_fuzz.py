"""Bad input to the real ports: it never stops the bench, nor grows it without bound.

A thread plays whoever should not be there; the bench goes on meanwhile and is measured
afterwards. That it lives is shown by a good client, who is served.
"""

import gc
import json
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import Final

import pytest

from harness.shells.pty import PtyPort
from harness.shells.tcp import TcpPort
from simulator.flood import MAX_GARBAGE
from simulator.station import MAX_FINDINGS
from tests.harness.shells.ends import ASK, READING, DeviceEnd, SocketEnd, Yard
from wire.psp import Direction, Message, Name, encode, encode_block, message

#: Garbage, the answers to it that were recorded, and what a link leaves.
MOST_RECORDS: Final = 12 * MAX_GARBAGE
MOST_CHARACTERS: Final = 4 << 20
MOST_GROWTH_BYTES: Final = 64 << 20
_PAGE: Final = 4096

Chance = random.Random
Garbage = Callable[[Chance], Iterator[bytes]]


# --- the garbage --------------------------------------------------------------------


def random_bytes(chance: Chance) -> Iterator[bytes]:
    for _ in range(1_000):
        yield chance.randbytes(chance.randrange(1, 4_000))


def lying_lengths(chance: Chance) -> Iterator[bytes]:
    for _ in range(2_000):
        head = bytes((0xCC, chance.randrange(256), 0x3C, chance.randrange(256)))
        yield head + chance.randbytes(chance.randrange(40))


def wrong_checksums(_chance: Chance) -> Iterator[bytes]:
    """Each is answered: more comes out than goes in."""
    for _ in range(100):
        yield bytes.fromhex("CC 02 3C 26 00") * 800


def unknown_messages(chance: Chance) -> Iterator[bytes]:
    for _ in range(4_000):
        header, size = chance.randrange(256), chance.choice((0, 1, 4, 8, 60, 200))
        payload = chance.randbytes(size)
        yield encode_block(header, payload, direction=Direction.TO_TERMINAL)


def asked(wanted: Message) -> bytes:
    return encode(wanted, Direction.TO_TERMINAL, READING)


def a_length_of_1_gib(_chance: Chance) -> Iterator[bytes]:
    """In extended blocks the length has four bytes."""
    yield asked(message(Name.SYNCHRONIZE))
    yield asked(message(Name.PROTOCOL, version=3, options=4))
    yield bytes.fromhex("CC 40 00 00 00 3C 26")
    for _ in range(100):
        yield b"\xcc\x3f" * 2_000


def blocks_in_blocks(_chance: Chance) -> Iterator[bytes]:
    """Every sixth byte begins a block of 16 KiB."""
    yield asked(message(Name.SYNCHRONIZE))
    yield asked(message(Name.PROTOCOL, version=3, options=4))
    for _ in range(60):
        yield bytes.fromhex("CC 00 00 3F F0 3C") * 700


def byte_by_byte(chance: Chance) -> Iterator[bytes]:
    for _ in range(3_000):
        yield b"\xcc" if chance.random() < 0.1 else chance.randbytes(1)


def a_line_without_an_end(_chance: Chance) -> Iterator[bytes]:
    for _ in range(8_000):
        yield b"a" * 4_000


BROKEN: Final = (
    b"{",
    b"[]",
    b'{"type":',
    b'"',
    b"\xff\xfe",
    b"\xc3",
    b'{"type":"x","n":' + b"9" * 5_000 + b"}",
    b'{"a":' * 500 + b"1" + b"}" * 500,
    b"[" * 60_000,
    b'{"type":"x","n":NaN}',
    b'{"type":"show","connector":1,"kind":"info","text":"\\ud800"}',
    b'{"type":"contactor","connector":1e999,"close":true}',
    b'{"type":"contactor","connector":true,"close":1}',
    b'{"type":' + b'"' + b"t" * 60_000 + b'"}',
    b"{}",
    b"",
)


def broken_lines(chance: Chance) -> Iterator[bytes]:
    for _ in range(4_000):
        yield chance.choice(BROKEN) + b"\n"


def half_a_character(_chance: Chance) -> Iterator[bytes]:
    """The other half comes with the next write, or never."""
    text = '{"type":"hello","controller":"é","version":"ü"}\n'.encode()
    for cut in range(1, len(text)):
        yield text[:cut]
        yield text[cut:]
    yield text[:31]


def odd_values(chance: Chance) -> Iterator[bytes]:
    types = ("hello", "contactor", "lock", "show", "alarm", "ping", "pong", "welcome")
    fields = ("connector", "close", "locked", "kind", "text", "code", "n", "version")
    values: tuple[object, ...] = (
        1,
        0,
        -1,
        33,
        1 << 70,
        1e308,
        True,
        None,
        "",
        "info",
        [],
        {},
        [[{}]],
    )
    for _ in range(3_000):
        line = {name: chance.choice(values) for name in fields if chance.random() < 0.7}
        yield json.dumps({"type": chance.choice(types), **line}).encode() + b"\n"


PSP: Final = (
    random_bytes,
    lying_lengths,
    wrong_checksums,
    unknown_messages,
    a_length_of_1_gib,
    blocks_in_blocks,
    byte_by_byte,
)
BAY: Final = (
    random_bytes,
    a_line_without_an_end,
    broken_lines,
    half_a_character,
    odd_values,
    byte_by_byte,
)


# --- the bench ----------------------------------------------------------------------


@pytest.fixture
def yard() -> Iterator[Yard]:
    made = Yard()
    yield made
    made.loop.close()


def resident_bytes() -> int:
    gc.collect()
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * _PAGE


def pour(port: int, garbage: Iterator[bytes], *, reads: bool) -> None:
    """Write garbage until it is through; connect again whenever that is needed."""
    client: socket.socket | None = None
    for data in garbage:
        try:
            if client is None:
                client = socket.create_connection(("127.0.0.1", port), timeout=10)
            client.sendall(data)
            if reads:
                take_all(client)
        except OSError:
            if client is not None:
                client.close()
            client = None
            sleep(0.01)
    if client is not None:
        client.close()


def take_all(client: socket.socket) -> None:
    client.settimeout(0)
    try:
        while client.recv(65_536):
            pass
    except BlockingIOError:
        pass
    client.settimeout(10)


def meanwhile(yard: Yard, work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert yard.until(lambda: not thread.is_alive(), within_s=60)
    thread.join()
    # What is still in the buffers of the system is garbage as well.
    assert yard.until(lambda: not yard.bay.is_open, within_s=60)


def is_served(yard: Yard, connect: Callable[[], SocketEnd], question: bytes) -> bool:
    """Whether a good client is answered, soon after the garbage has ended."""
    for _ in range(20):
        far = connect()
        far.write(question)

        def heard(far: SocketEnd = far) -> bool:
            far.pump()
            return bool(far.heard or far.ended)

        yard.until(heard, within_s=5)
        answer = bytes(far.heard)
        far.hang_up()
        if answer:
            return True
        yard.spend(0.1)
    return False


def check_bounds(yard: Yard, before_bytes: int) -> None:
    records = yard.trace.records
    assert len(records) <= MOST_RECORDS
    assert sum(len(str(record)) for record in records) <= MOST_CHARACTERS
    assert max(len(str(record)) for record in records) <= 16_384
    assert len(yard.records("finding")) <= MAX_FINDINGS
    assert not yard.kernel._due
    assert resident_bytes() - before_bytes < MOST_GROWTH_BYTES


@pytest.mark.parametrize("reads", [True, False], ids=["reads", "deaf"])
@pytest.mark.parametrize("garbage", PSP, ids=lambda one: one.__name__)
def test_garbage_for_the_terminal(yard: Yard, garbage: Garbage, reads: bool) -> None:
    port = TcpPort(yard.loop, yard.psp)
    before = resident_bytes()
    meanwhile(yard, lambda: pour(port.port, garbage(Chance(1)), reads=reads))
    assert yard.until(lambda: not yard.psp.is_open, within_s=60)
    assert is_served(yard, lambda: SocketEnd(port.port), ASK)
    check_bounds(yard, before)
    port.close()


@pytest.mark.parametrize("garbage", BAY, ids=lambda one: one.__name__)
def test_garbage_for_the_charger(yard: Yard, garbage: Garbage) -> None:
    port = TcpPort(yard.loop, yard.bay)
    before = resident_bytes()
    meanwhile(yard, lambda: pour(port.port, garbage(Chance(1)), reads=True))
    assert is_served(yard, lambda: SocketEnd(port.port), b"")
    check_bounds(yard, before)
    yard.trace.render()
    port.close()


def test_garbage_on_a_serial_line() -> None:
    """The line itself is the limit: nobody can say more than it carries."""
    yard = Yard(link="serial", time_scale=20)
    port = PtyPort(yard.loop, yard.psp, kernel=yard.kernel)
    far = DeviceEnd(port.path)
    far.write(Chance(1).randbytes(400_000))

    def heard() -> bool:
        far.pump()
        return bool(far.heard)

    yard.until(lambda: heard() and False, within_s=1)
    assert port.unsent <= 16 * 1024
    assert len(yard.trace.records) <= MOST_RECORDS
    far.hang_up()
    yard.spend(0.3)
    far = DeviceEnd(port.path)
    far.write(ASK)
    assert yard.until(heard)
    far.hang_up()
    port.close()
    yard.loop.close()


def test_thousands_of_connects(yard: Yard) -> None:
    port = TcpPort(yard.loop, yard.bay)
    before = resident_bytes()

    def connect() -> None:
        for _ in range(3_000):
            with suppress(ConnectionResetError):
                socket.create_connection(("127.0.0.1", port.port), timeout=10).close()

    meanwhile(yard, connect)
    assert port.turned_away > 0
    assert is_served(yard, lambda: SocketEnd(port.port), b"")
    check_bounds(yard, before)
    port.close()


def test_the_trace_says_how_much_it_has_not_kept(yard: Yard) -> None:
    """Good messages are kept, whatever came before."""
    yard.psp.latency_ms = 0
    yard.psp.open()
    for _ in range(MAX_GARBAGE + 50):
        yard.psp.send(b"garbage")
    yard.psp.send(ASK)
    heard = [r for r in yard.records("psp") if r["direction"] == "to_terminal"]
    assert len(heard) == MAX_GARBAGE + 2
    told, asked = (record["messages"] for record in heard[-2:])
    assert told == [{"malformed": "50 more pieces, 350 bytes, not kept"}]
    assert asked == [{"message": "Get Status", "fields": {}}]
    assert yard.records("psp")[-1]["direction"] == "to_controller", "and answered"
