"""A TCP port that one controller connects to: PSP or the bay link.

Thin and dull: accept, read, write, close. What a connection means is decided by the
line behind it (``harness.psp_line``, ``harness.bay_line``), which refuses, records and
faults; how bytes pass is ``harness.shells.channel``.

A second client is turned away while the first is connected, or takes its place, as the
line reads psp.md 9, A22. While the line refuses, nobody listens: the port stays bound,
so that a connect is refused by the system and nobody else can have the port meanwhile.

A flood of connects is answered with resets beyond ``CONNECTS_PER_S``: each connect that
is let in leaves records in the trace.
"""

import socket
import ssl
from collections.abc import Callable
from typing import Final, Protocol

from harness.declaration import SetupError
from harness.shells.channel import RESET, Channel
from harness.shells.loop import Loop
from simulator.clock import wall_time_s
from wire.machine import BytesReceived, Fact, LinkClosed

#: A TLS client that has not shaken hands by then is not going to, in real seconds.
HANDSHAKE_S: Final = 5.0
#: TLS clients that may shake hands at the same time; one more sends the first away.
MAX_HANDSHAKES: Final = 8
#: Connects let in one after another, and per real second once those are used up.
CONNECTS_AT_ONCE: Final = 200
CONNECTS_PER_S: Final = 20
_BACKLOG: Final = 128


class Line(Protocol):
    """What stands behind a port: the forecourt's end of one link."""

    deliver: Callable[[Fact], None]
    #: Told whenever ``refuses`` has changed.
    on_refusing: Callable[[], None]
    #: What the line adds to each byte's way; a real port has a way of its own.
    latency_ms: int
    is_open: bool

    @property
    def refuses(self) -> bool:
        """Whether new connections are refused."""

    @property
    def takes_over(self) -> bool:
        """Whether a second client takes the place of the first."""

    def open(self) -> None:
        """The controller connects."""

    def close(self, reason: str = "closed") -> None:
        """The controller's end is gone."""

    def send(self, data: bytes) -> None:
        """Bytes from the controller."""


class TcpPort:
    """Listens on loopback (or ``host``); ``port`` 0 takes a free one.

    With ``tls`` every connection begins with a handshake, and is none of the line's
    business before. Raises SetupError when the port cannot be had.
    """

    def __init__(
        self,
        loop: Loop,
        line: Line,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._loop = loop
        self._line = line
        self._tls = tls
        self._client: Channel | None = None
        #: Clients that shake hands, and until when.
        self._greeted: dict[Channel, float] = {}
        self._rate = _Rate()
        #: Clients that were not let in: a second one, or one of a flood.
        self.turned_away = 0
        self._server = bind(host, port)
        self.host, self.port = self._server.getsockname()[:2]
        self._listens = False
        line.deliver = self._deliver
        line.on_refusing = self._follow
        line.latency_ms = 0
        self._follow()

    # --- who may come in --------------------------------------------------------

    def _follow(self) -> None:
        """Listen as long as the line does not refuse."""
        is_closed = self._server.fileno() < 0
        if is_closed or self._listens != self._line.refuses:
            return
        if self._line.refuses:
            self._loop.forget(self._server)
            self._listens = False
            self._server.close()
            self._server = bind(self.host, self.port)
        else:
            start_listening(self._server)
            self._loop.watch(self._server, self._accept)
            self._listens = True

    def _accept(self) -> None:
        try:
            peer, _ = self._server.accept()
        except OSError:
            return  # gone already, or there are no descriptors left
        if not self._rate.allows():
            self.turned_away += 1
            _reset(peer)
            return
        try:
            channel = Channel(self._loop, peer, self, tls=self._tls)
        except OSError:
            peer.close()  # it hung up meanwhile
            return
        if self._tls is not None:
            self._greet(channel)
        channel.begin()

    def _greet(self, channel: Channel) -> None:
        if len(self._greeted) >= MAX_HANDSHAKES:
            oldest = next(iter(self._greeted))
            del self._greeted[oldest]
            oldest.close(reset=True)
        if not self._greeted:
            self._loop.call_in(HANDSHAKE_S, self._send_slow_away)
        self._greeted[channel] = wall_time_s() + HANDSHAKE_S

    def _send_slow_away(self) -> None:
        now_s = wall_time_s()
        for channel, until_s in list(self._greeted.items()):
            if until_s <= now_s:
                del self._greeted[channel]
                channel.close(reset=True)
        if self._greeted:
            next_s = min(self._greeted.values())
            self._loop.call_in(next_s - now_s, self._send_slow_away)

    # --- what a channel tells ---------------------------------------------------

    def ready(self, channel: Channel) -> None:
        """A client can be used: let it in unless there is one."""
        self._greeted.pop(channel, None)
        if self._client is not None:
            # It may be gone already: a controller that was killed and came back.
            self._client.look()
        if self._client is not None and not self._client.is_open:
            self.lost(self._client, "closed")
        if self._client is not None and not self._line.takes_over:
            self.turned_away += 1
            channel.close()
            return
        if self._client is not None:
            self.drop()
            self._line.close("second_client")
        self._client = channel
        self._line.open()

    def heard(self, channel: Channel, data: bytes) -> None:
        """Bytes from the controller."""
        if channel is self._client:
            self._line.send(data)

    def lost(self, channel: Channel, reason: str) -> None:
        """The controller has hung up, or was hung up on because it does not read."""
        self._greeted.pop(channel, None)
        if channel is self._client:
            self._client = None
            self._line.close(reason)

    # --- what the line tells ----------------------------------------------------

    @property
    def unsent(self) -> int:
        """Bytes that wait for the controller to read."""
        return 0 if self._client is None else self._client.unsent

    def _deliver(self, fact: Fact) -> None:
        """What a controller would hear in process becomes bytes, or a hang-up."""
        if self._client is None:
            return
        if isinstance(fact, BytesReceived):
            self._client.send(fact.data)
        elif isinstance(fact, LinkClosed):
            self.drop(reset=fact.reason != "closed")

    def drop(self, *, reset: bool = False) -> None:
        """Hang up on the client, if there is one; the line is not told."""
        if self._client is not None:
            client, self._client = self._client, None
            client.close(reset=reset)

    def close(self) -> None:
        """Hang up, and give the port back."""
        self.drop()
        while self._greeted:
            self._greeted.popitem()[0].close(reset=True)
        if self._listens:
            self._loop.forget(self._server)
        self._listens = False
        self._server.close()


class _Rate:
    """How many connects are let in: a bucket that fills again with time."""

    def __init__(self) -> None:
        self._left = float(CONNECTS_AT_ONCE)
        self._at_s = wall_time_s()

    def allows(self) -> bool:
        now_s = wall_time_s()
        self._left += (now_s - self._at_s) * CONNECTS_PER_S
        self._left = min(self._left, CONNECTS_AT_ONCE)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


def _reset(peer: socket.socket) -> None:
    """End a connection that nobody was told of."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    peer.close()


def bind(host: str, port: int) -> socket.socket:
    """A socket that has the port but does not listen yet. Raises SetupError."""
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind((host, port))
    except OSError as error:
        server.close()
        raise _taken(host, port, error) from None
    server.settimeout(0)
    return server


def start_listening(server: socket.socket) -> None:
    """Raises SetupError when somebody else listens there meanwhile."""
    try:
        server.listen(_BACKLOG)
    except OSError as error:
        host, port = server.getsockname()[:2]
        raise _taken(host, port, error) from None


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; ``port`` 0 takes a free one. Raises SetupError."""
    server = bind(host, port)
    try:
        start_listening(server)
    except SetupError:
        server.close()
        raise
    return server


def _taken(host: str, port: int, error: OSError) -> SetupError:
    return SetupError(
        f"port {port} on {host}: {error.strerror or error}; "
        "allowed is a port that nobody else uses (0 takes any)"
    )
