"""A TCP port that one controller connects to: PSP or the bay link.

Thin and dull: accept, read, write, close. What a connection means is decided by the
line behind it (``harness.psp_line``, ``harness.bay_line``), which refuses, records and
faults. A second client is turned away while the first is connected (psp.md 9, A22).
"""

import socket
from collections.abc import Callable
from typing import Final, Protocol

from harness.declaration import SetupError
from harness.shells.loop import Loop
from wire.machine import BytesReceived, Fact, LinkClosed

READ_BYTES: Final = 65_536
#: What a controller has not taken by then is lost, and the connection with it.
SEND_LIMIT_S: Final = 5.0


class Line(Protocol):
    """What stands behind a port: the forecourt's end of one link."""

    deliver: Callable[[Fact], None]
    is_open: bool

    def open(self) -> None:
        """The controller connects."""

    def close(self, reason: str = "closed") -> None:
        """The controller's end is gone."""

    def send(self, data: bytes) -> None:
        """Bytes from the controller."""


class TcpPort:
    """Listens on loopback (or ``host``); ``port`` 0 takes a free one."""

    def __init__(
        self, loop: Loop, line: Line, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._loop = loop
        self._line = line
        self._client: socket.socket | None = None
        self._server = listen(host, port)
        self.host, self.port = self._server.getsockname()[:2]
        line.deliver = self._deliver
        loop.watch(self._server, self._accept)

    def _accept(self) -> None:
        client, _ = self._server.accept()
        if self._client is not None:
            client.close()
            return
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.settimeout(SEND_LIMIT_S)
        self._client = client
        self._loop.watch(client, self._readable)
        self._line.open()

    def _readable(self) -> None:
        assert self._client is not None
        try:
            data = self._client.recv(READ_BYTES)
        except OSError:
            data = b""
        if data:
            self._line.send(data)
        else:
            self.drop()
            self._line.close("closed")

    def _deliver(self, fact: Fact) -> None:
        """What a controller would hear in process becomes bytes, or a hang-up."""
        if isinstance(fact, BytesReceived) and self._client is not None:
            try:
                self._client.sendall(fact.data)
            except OSError:
                self.drop()
                self._line.close("reset")
        elif isinstance(fact, LinkClosed):
            self.drop()

    def drop(self) -> None:
        """Hang up on the client, if there is one."""
        if self._client is not None:
            self._loop.forget(self._client)
            self._client.close()
            self._client = None

    def close(self) -> None:
        """Stop listening."""
        self.drop()
        self._loop.forget(self._server)
        self._server.close()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; ``port`` 0 takes a free one. Raises SetupError."""
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind((host, port))
    except OSError as error:
        server.close()
        raise SetupError(
            f"port {port} on {host}: {error.strerror or error}; "
            "allowed is a port that nobody else uses (0 takes any)"
        ) from None
    server.listen(4)
    return server
