"""A thousand terminals on TCP in one process, each doing a whole session.

Every terminal has a port and a forecourt of its own; all share one loop and one kernel.
The controllers are one other process. Each sets its terminal up, starts a session, and
commits or voids it when it has been authorised; a driver taps as soon as the terminal
asks for a card. Time passes 5 times faster than life, so that the issuer's half seconds
are not what is measured; terminals still hang up after 4 s of silence.
"""

import selectors
import socket
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection

from benchmarks.forecourts import READING, RealTime, request
from benchmarks.stories import measured
from harness.device import Lines
from harness.shells.tcp import TcpPort
from simulator import events
from wire.psp import Block, BlockDecoder, Direction, Message, Name, decode
from wire.records import Record

TERMINALS = 1_000
TIME_SCALE = 5
AMOUNT_MINOR = 5_000

Talk = Iterator[tuple[bytes, Name]]


def talk(number: int, heard: list[Message]) -> Talk:
    """What a controller says, and the answer that it waits for each time."""
    yield request(Name.SYNCHRONIZE), Name.SYNCHRONIZE
    yield request(Name.SETUP, timeout_s=86_400, action=1), Name.RESULT
    yield request(Name.ENABLE), Name.RESULT
    start = request(Name.START_SESSION, amount_minor=AMOUNT_MINOR, reference=number)
    yield start, Name.CARD_READ
    yield request(Name.AUTH_SESSION), Name.SESSION_APPROVED
    session_id = heard[-1].number("session_id")
    if number % 2:
        yield request(Name.VOID_SESSION, session_id=session_id), Name.RESULT
    else:
        close = request(Name.COMMIT_SESSION, session_id=session_id, amount_minor=621)
        yield close, Name.RESULT


class Controller:
    """One client; ``is_done`` once its session is closed."""

    def __init__(self, number: int, port: int) -> None:
        self.peer = socket.create_connection(("127.0.0.1", port))
        self._decoder = BlockDecoder(Direction.TO_HOST)
        self._heard: list[Message] = []
        self._talk = talk(number, self._heard)
        self._awaited = Name.RESULT
        self.is_done = False
        self._go_on()

    def _go_on(self) -> None:
        following = next(self._talk, None)
        if following is None:
            self.is_done = True
            return
        data, self._awaited = following
        self.peer.sendall(data)

    def readable(self) -> None:
        data = self.peer.recv(4096)
        assert data, "the terminal has hung up"
        for block in self._decoder.receive(data, 0):
            assert isinstance(block, Block)
            self._take(block)

    def _take(self, block: Block) -> None:
        found = decode(block, Direction.TO_HOST, READING, expecting=self._awaited)
        assert isinstance(found, Message)
        self._heard.append(found)
        if found.name is Name.RESULT:
            assert found.number("result") == 0, "refused"
        if found.name is self._awaited:
            self._go_on()


def controllers(ports: list[int], report: Connection) -> None:
    """Play them all, and say when the last session is closed."""
    selector = selectors.DefaultSelector()
    made = [Controller(number, port) for number, port in enumerate(ports)]
    for one in made:
        selector.register(one.peer, selectors.EVENT_READ, one)
    left = len(made)
    while left:
        for key, _ in selector.select():
            key.data.readable()
            if key.data.is_done:
                left -= 1
                selector.unregister(key.data.peer)
    report.send("done")


def let_a_driver_tap(lines: Lines, bench: RealTime) -> None:
    court = lines.psp._court

    def tap() -> None:
        court.tell_terminal(events.CardTapped(card="visa"))

    def look(record: Record) -> None:
        if record["kind"] == "reader" and record["state"] == "WAIT_CARD":
            bench.kernel.at(bench.kernel.now_ms, tap)

    court.trace.watchers.append(look)


def main() -> None:
    bench = RealTime(time_scale=TIME_SCALE)
    with measured() as making_s:
        all_lines = [bench.forecourt(number) for number in range(TERMINALS)]
        ports = [TcpPort(bench.loop, lines.psp).port for lines in all_lines]
        for lines in all_lines:
            let_a_driver_tap(lines, bench)
    ours, theirs = get_context("fork").Pipe()
    process = get_context("fork").Process(target=controllers, args=(ports, theirs))
    done: list[str] = []
    bench.loop.watch(ours, lambda: done.append(ours.recv()))
    with measured() as took_s:
        process.start()
        theirs.close()  # so that its end shows
        bench.kernel.run_until(1 << 40, stop=lambda: bool(done))
    process.join()
    for lines in all_lines:
        sessions = lines.psp._court.terminal.sessions.values()
        assert [session.is_open for session in sessions] == [False]
    print(
        f"{TERMINALS:,} terminals made in {making_s():.2f} s; "
        f"{TERMINALS:,} sessions in {took_s():.2f} s, "
        f"{TERMINALS / took_s():,.0f} sessions/s"
    )


if __name__ == "__main__":
    main()
