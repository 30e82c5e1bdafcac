"""From Get Status to its answer, over TCP and over a pseudo-terminal.

The controller is a process of its own that asks one question after the other and waits
for each answer. The pseudo-terminal is not paced: a line at 115200 baud alone would
take 1 ms for these 12 bytes. On a busy machine most of it is the machine, so an echo
that does nothing else is measured the same way, for comparison.
"""

import os
import socket
import statistics
import termios
import tty
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from time import perf_counter

from benchmarks.forecourts import RealTime, request
from harness.shells.pty import BAUD, Pace, PtyPort
from harness.shells.tcp import TcpPort
from wire.psp import Name

TIMES = 20_000
WARM_UP = 500
ANSWER_BYTES = 7

Ask = Callable[[bytes], int]


def over_tcp(address: str) -> Ask:
    peer = socket.create_connection(("127.0.0.1", int(address)))
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(data: bytes) -> int:
        peer.sendall(data)
        return len(peer.recv(64))

    return ask


def over_pty(address: str) -> Ask:
    port = os.open(address, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(port)
    attributes = termios.tcgetattr(port)
    attributes[4] = attributes[5] = getattr(termios, f"B{BAUD}")
    termios.tcsetattr(port, termios.TCSANOW, attributes)

    def ask(data: bytes) -> int:
        os.write(port, data)
        return len(os.read(port, 64))

    return ask


CONTROLLERS = {"TCP": over_tcp, "pseudo-terminal": over_pty}


def controller(kind: str, address: str, report: Connection) -> None:
    """Ask, wait, note how long it took."""
    ask, data = CONTROLLERS[kind](address), request(Name.GET_STATUS)
    took = []
    for _ in range(WARM_UP + TIMES):
        began = perf_counter()
        assert ask(data) == ANSWER_BYTES
        took.append(perf_counter() - began)
    report.send(took[WARM_UP:])


def echo_over_tcp() -> tuple[str, Callable[[], None]]:
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        peer, _ = server.accept()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(WARM_UP + TIMES):
            peer.recv(64)
            peer.sendall(bytes(ANSWER_BYTES))

    return str(server.getsockname()[1]), serve


def echo_over_pty() -> tuple[str, Callable[[], None]]:
    master, slave = os.openpty()
    tty.setraw(slave)

    def serve() -> None:
        for _ in range(WARM_UP + TIMES):
            os.read(master, 64)
            os.write(master, bytes(ANSWER_BYTES))

    return os.ttyname(slave), serve


ECHOES = {"TCP": echo_over_tcp, "pseudo-terminal": echo_over_pty}


def echoes(kind: str) -> list[float]:
    """The same question, to somebody who only says something back."""
    address, serve = ECHOES[kind]()
    ours, theirs = get_context("fork").Pipe()
    process = get_context("fork").Process(
        target=controller, args=(kind, address, theirs)
    )
    process.start()
    serve()
    found: list[float] = ours.recv()
    process.join()
    return found


def round_trips(kind: str) -> list[float]:
    bench = RealTime()
    if kind == "TCP":
        tcp = TcpPort(bench.loop, bench.forecourt(1).psp)
        address = str(tcp.port)
    else:
        line = bench.forecourt(1, link="serial").psp
        pty = PtyPort(bench.loop, line, kernel=bench.kernel, pace=Pace(is_kept=False))
        address = pty.path
    ours, theirs = get_context("fork").Pipe()
    process = get_context("fork").Process(
        target=controller, args=(kind, address, theirs)
    )
    process.start()
    theirs.close()  # so that its end shows
    found: list[float] = []
    bench.loop.watch(ours, lambda: found.extend(ours.recv()))
    bench.kernel.run_until(1 << 40, stop=lambda: bool(found))
    process.join()
    return found


def main() -> None:
    for kind in CONTROLLERS:
        for what, found in (("terminal", round_trips(kind)), ("echo", echoes(kind))):
            took = statistics.quantiles(found, n=1_000)
            p50, p99, p999 = (1_000 * took[place] for place in (499, 989, 998))
            figures = f"p50 {p50:.3f} ms  p99 {p99:.3f} ms  p99.9 {p999:.3f} ms"
            print(f"{kind:<16} {what:<9} {figures}")


if __name__ == "__main__":
    main()
