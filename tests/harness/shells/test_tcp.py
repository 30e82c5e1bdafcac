"""A TCP port: who may connect, when, and how a connection ends."""

import socket
import ssl
from collections.abc import Callable, Iterator

import pytest

from harness.declaration import SetupError
from harness.line_faults import Outage, Way
from harness.shells import tcp
from harness.shells.channel import RESET
from harness.shells.tcp import CONNECTS_AT_ONCE, HANDSHAKE_S, MAX_HANDSHAKES, TcpPort
from tests.harness.shells.conftest import Certificate
from tests.harness.shells.ends import ASK, WITHIN_S, SocketEnd, Yard
from wire.psp import Profile, State

Connect = Callable[[TcpPort], SocketEnd]


@pytest.fixture
def yard() -> Iterator[Yard]:
    made = Yard()
    yield made
    made.loop.close()


@pytest.fixture
def port(yard: Yard) -> Iterator[TcpPort]:
    made = TcpPort(yard.loop, yard.psp)
    yield made
    made.close()


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Clients that are gone at the end of the test."""
    made: list[SocketEnd] = []

    def client(port: TcpPort) -> SocketEnd:
        made.append(SocketEnd(port.port))
        return made[-1]

    yield client
    for one in made:
        one.hang_up()


def cut(yard: Yard) -> Outage:
    """Nothing passes, and new connections fail."""
    ways: tuple[Way, ...] = ("to_terminal", "to_controller")
    outage = Outage(strike=lambda _words: None, ways=ways, refuses=True)
    yard.psp.begin_outage(outage)
    return outage


def answered(yard: Yard, far: SocketEnd) -> bool:
    """Whether the terminal answers this client."""
    before = len(far.heard)
    far.write(ASK)

    def look() -> bool:
        far.pump()
        return bool(far.ended) or len(far.heard) > before

    yard.until(look)
    return len(far.heard) > before


def heard(far: SocketEnd) -> bytes:
    far.pump()
    return bytes(far.heard)


def ended(yard: Yard, far: SocketEnd, within_s: float = WITHIN_S) -> str:
    """How the other side has ended the connection; empty: it has not."""

    def look() -> str:
        far.pump()
        return far.ended

    yard.until(look, within_s)
    return far.ended


# --- how it ends --------------------------------------------------------------------


def test_a_close_is_a_fin_and_a_reset_is_an_rst(
    yard: Yard, port: TcpPort, connect: Connect
) -> None:
    yard.court.deaf = True
    for reason, expected in (("reset", "reset"), ("idle", "closed")):
        far = connect(port)
        assert yard.until(lambda: yard.psp.is_open)
        if expected == "closed":
            # Bytes that nobody reads any more must not turn a close into a reset.
            far.write(bytes(20_000))
        yard.psp.hang_up(reason)
        assert ended(yard, far) == expected


def test_a_client_that_resets_has_hung_up(
    yard: Yard, port: TcpPort, connect: Connect
) -> None:
    far = connect(port)
    assert yard.until(lambda: yard.psp.is_open)
    far.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    far.hang_up()
    assert yard.until(yard.downs)
    # It is no excuse: the terminal could be reached all the time.
    assert yard.downs() == ["closed"]


@pytest.mark.parametrize("time_scale", [20])
def test_the_terminal_hangs_up_after_20_s_of_silence(time_scale: int) -> None:
    yard = Yard(time_scale=time_scale)
    port = TcpPort(yard.loop, yard.psp)
    far = SocketEnd(port.port)
    assert yard.until(lambda: yard.psp.is_open)
    began_ms = yard.kernel.now_ms
    yard.until(lambda: yard.kernel.now_ms >= began_ms + 10_000)
    assert answered(yard, far)
    asked_ms = yard.kernel.now_ms
    assert ended(yard, far) == "closed"
    assert yard.kernel.now_ms - asked_ms >= 19_000
    assert yard.downs() == ["idle"]
    assert yard.court.terminal.state is State.OFFLINE
    far.hang_up()
    port.close()
    yard.loop.close()


def test_the_kernel_looks_after_a_peer_that_is_silent(
    yard: Yard, port: TcpPort, connect: Connect
) -> None:
    far = connect(port)
    assert yard.until(lambda: yard.psp.is_open)
    name = far.socket.getsockname()
    peers = [
        key.fileobj
        for key in yard.loop._selector.get_map().values()
        if isinstance(key.fileobj, socket.socket)
        and key.fileobj.family == socket.AF_INET
        and key.fileobj is not port._server
    ]
    (ours,) = peers
    assert isinstance(ours, socket.socket)
    assert ours.getpeername() == name
    assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


# --- who may connect ----------------------------------------------------------------


def test_a_second_client_is_turned_away(
    yard: Yard, port: TcpPort, connect: Connect
) -> None:
    first = connect(port)
    assert answered(yard, first)
    second = connect(port)
    assert ended(yard, second) == "closed"
    assert answered(yard, first)
    assert port.turned_away == 1


def test_a_second_client_takes_over_if_the_profile_says_so(connect: Connect) -> None:
    yard = Yard(profile=Profile(second_client="take_over"))
    port = TcpPort(yard.loop, yard.psp)
    first = connect(port)
    assert answered(yard, first)
    second = connect(port)
    assert ended(yard, first) == "closed"
    assert answered(yard, second)
    assert yard.downs() == ["second_client"]
    port.close()
    yard.loop.close()


def test_who_was_killed_may_come_back_at_once(
    yard: Yard, port: TcpPort, connect: Connect
) -> None:
    """The new one may be heard of before the end of the old."""
    old = connect(port)
    assert answered(yard, old)
    for _ in range(5):
        yard.spend(0.02)
        new = connect(port)
        old.hang_up()
        assert answered(yard, new)
        old = new
    assert port.turned_away == 0


def test_a_refused_connect_is_refused_by_the_system(
    yard: Yard, port: TcpPort, connect: Connect
) -> None:
    far = connect(port)
    assert answered(yard, far)
    for _ in range(2):
        yard.psp.terminal_powered = False
        with pytest.raises(ConnectionRefusedError):
            connect(port)
        # Nobody else can have the port meanwhile.
        with socket.socket() as thief, pytest.raises(OSError, match="in use"):
            thief.bind(("127.0.0.1", port.port))
        yard.psp.terminal_powered = True
    far.hang_up()
    assert answered(yard, connect(port))


def test_a_port_that_was_taken_meanwhile_is_named(yard: Yard, port: TcpPort) -> None:
    yard.psp.terminal_powered = False
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", port.port))
        thief.listen()
        with pytest.raises(SetupError, match=f"port {port.port} on 127.0.0.1: Address"):
            yard.psp.terminal_powered = True
    yard.psp.terminal_powered = True


def test_the_charger_refuses_while_it_is_lost(yard: Yard, connect: Connect) -> None:
    port = TcpPort(yard.loop, yard.bay)
    far = connect(port)
    assert yard.until(lambda: yard.bay.is_open)
    yard.bay.lose()
    assert ended(yard, far) == "closed"
    with pytest.raises(ConnectionRefusedError):
        connect(port)
    yard.bay.restore()
    far = connect(port)
    assert yard.until(lambda: heard(far))
    assert far.heard.startswith(b'{"type":"welcome"')
    port.close()


def test_a_closed_port_stays_closed(yard: Yard) -> None:
    port = TcpPort(yard.loop, yard.psp)
    port.close()
    outage = cut(yard)
    yard.psp.end_outage(outage)
    with pytest.raises(ConnectionRefusedError):
        SocketEnd(port.port)


def test_half_open_nothing_passes_and_nobody_is_told(
    yard: Yard, port: TcpPort, connect: Connect
) -> None:
    far = connect(port)
    assert answered(yard, far)
    before = heard(far)
    cut(yard)
    far.write(ASK)
    assert ended(yard, far, within_s=0.3) == ""
    assert heard(far) == before
    assert yard.downs() == []
    assert yard.records("psp")[-1]["fate"] == "lost"


def test_a_flood_of_connects_is_not_let_in(yard: Yard, port: TcpPort) -> None:
    for _ in range(2 * CONNECTS_AT_ONCE):
        socket.create_connection(("127.0.0.1", port.port)).close()
        yard.loop.wait(0)
    yard.spend(0.2)
    assert port.turned_away > 0
    assert len(yard.downs()) < 1.5 * CONNECTS_AT_ONCE
    far = SocketEnd(port.port)
    assert answered(yard, far) or answered(yard, SocketEnd(port.port))
    far.hang_up()


# --- TLS ----------------------------------------------------------------------------


def test_over_tls(yard: Yard, certificate: Certificate) -> None:
    port = TcpPort(yard.loop, yard.psp, tls=certificate.server)
    far = SocketEnd(port.port, certificate.client)
    assert answered(yard, far)
    yard.psp.hang_up("idle")
    assert ended(yard, far) == "closed"
    far.hang_up()
    port.close()


def test_who_does_not_shake_hands_keeps_nobody_out(
    yard: Yard,
    certificate: Certificate,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tcp, "HANDSHAKE_S", HANDSHAKE_S / 10)
    port = TcpPort(yard.loop, yard.psp, tls=certificate.server)
    silent = [connect(port) for _ in range(MAX_HANDSHAKES + 3)]
    plain = connect(port)
    plain.write(ASK)
    assert ended(yard, plain)
    good = SocketEnd(port.port, certificate.client)
    assert answered(yard, good)
    assert all(ended(yard, one) for one in silent)
    assert answered(yard, good)
    assert len(yard.records("link")) == 1, "only the good one was let in"
    good.hang_up()
    port.close()


def test_a_client_that_does_not_trust_us_is_no_client(
    yard: Yard, certificate: Certificate
) -> None:
    port = TcpPort(yard.loop, yard.psp, tls=certificate.server)
    far = SocketEnd(port.port, ssl.create_default_context())
    with pytest.raises(ssl.SSLCertVerificationError):
        answered(yard, far)
    far.hang_up()
    yard.spend(0.1)
    assert yard.records("link") == []
    port.close()
