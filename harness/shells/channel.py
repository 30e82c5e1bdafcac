"""One connection that a controller has opened to us: plain TCP, or TLS over it.

It never blocks. What the controller does not take at once waits here, up to
``MAX_UNSENT`` bytes; who leaves more than that unread is not listening, and the
connection is reset. Bytes that still wait when a connection ends are dropped: what was
written on a connection dies with it.

How it ends is what the other side sees: a *close* is a FIN, a *reset* is an RST.
"""

import socket
import ssl
import struct
from contextlib import suppress
from typing import Final, Protocol

from harness.shells.loop import Loop

#: One read; a flood is taken in small bites, so that others have their turn.
READ_BYTES: Final = 4096
MAX_UNSENT: Final = 256 * 1024
#: Linger for no time: closing sends an RST and drops what was not sent.
RESET: Final = struct.pack("ii", 1, 0)
#: Reads that empty the buffer of a connection before it is closed.
_LAST_READS: Final = 64

#: A peer that is gone without a word is noticed within 20 s: by unanswered probes when
#: nothing is said, by unanswered data otherwise. Linux names; who lacks one does
#: without.
_GONE_MS: Final = 20_000
_TCP_OPTIONS: Final = (
    ("TCP_NODELAY", 1),
    ("TCP_USER_TIMEOUT", _GONE_MS),
    ("TCP_KEEPIDLE", 10),
    ("TCP_KEEPINTVL", 5),
    ("TCP_KEEPCNT", 2),
)


class Owner(Protocol):
    """Whoever has accepted the connection."""

    def ready(self, channel: "Channel") -> None:
        """It can be used: at once over TCP, after the handshake over TLS."""

    def heard(self, channel: "Channel", data: bytes) -> None:
        """Bytes from the controller."""

    def lost(self, channel: "Channel", reason: str) -> None:
        """The controller has hung up (``closed``), or does not read (``unread``)."""


class Channel:
    """See the module's text. ``lost`` never comes from within ``send``."""

    def __init__(
        self,
        loop: Loop,
        peer: socket.socket,
        owner: Owner,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._loop = loop
        self._owner = owner
        self._unsent = bytearray()
        self.is_open = True
        _prepare(peer)
        self._peer = peer
        if tls is not None:
            self._peer = tls.wrap_socket(
                peer, server_side=True, do_handshake_on_connect=False
            )

    def begin(self) -> None:
        """Watch the connection; ``ready`` follows, perhaps at once."""
        if isinstance(self._peer, ssl.SSLSocket):
            self._shake_hands()
        else:
            self._opened()

    # --- bytes out --------------------------------------------------------------

    @property
    def unsent(self) -> int:
        """Bytes that wait for the controller to read."""
        return len(self._unsent)

    def send(self, data: bytes) -> None:
        """Send what can be sent now, keep the rest."""
        if not self.is_open:
            return
        had_rest = bool(self._unsent)
        self._unsent += data
        self._write()
        if len(self._unsent) > MAX_UNSENT:
            self._give_up("unread")
        elif self.is_open and bool(self._unsent) != had_rest:
            self._watch()

    def _write(self) -> None:
        try:
            while self._unsent:
                del self._unsent[: self._peer.send(self._unsent)]
        except _NOT_NOW:
            return
        except OSError:
            self._give_up("closed")

    def _flush(self) -> None:
        self._write()
        if self.is_open and not self._unsent:
            self._watch()

    def _give_up(self, reason: str) -> None:
        """Reset it; the owner is told later, because it may be in the middle of it."""
        if self.is_open:
            self.close(reset=True)
            self._loop.call_in(0, lambda: self._owner.lost(self, reason))

    # --- bytes in ---------------------------------------------------------------

    def look(self) -> None:
        """Take what has come: afterwards a hang-up that was under way is known."""
        if self.is_open:
            self._readable()

    def _readable(self) -> None:
        try:
            data = self._peer.recv(READ_BYTES)
        except _NOT_NOW:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            self._owner.lost(self, "closed")
            return
        self._owner.heard(self, data)
        # What TLS has decrypted already, no selector knows of.
        if self.is_open and self._has_more:
            self._readable()

    @property
    def _has_more(self) -> bool:
        return isinstance(self._peer, ssl.SSLSocket) and self._peer.pending() > 0

    def _watch(self) -> None:
        writable = self._flush if self._unsent else None
        self._loop.watch(self._peer, self._readable, writable=writable)

    # --- beginning and end ------------------------------------------------------

    def _opened(self) -> None:
        self._watch()
        self._owner.ready(self)

    def _shake_hands(self) -> None:
        assert isinstance(self._peer, ssl.SSLSocket)
        try:
            self._peer.do_handshake()
        except ssl.SSLWantReadError:
            self._loop.watch(self._peer, self._shake_hands)
        except ssl.SSLWantWriteError:
            self._loop.watch(self._peer, _nothing, writable=self._shake_hands)
        except OSError:
            self.close(reset=True)
            self._owner.lost(self, "closed")
        else:
            self._opened()

    def close(self, *, reset: bool = False) -> None:
        """End it with a FIN, or with an RST. The owner is not told."""
        if not self.is_open:
            return
        self.is_open = False
        self._unsent.clear()
        with suppress(KeyError):  # not watched yet
            self._loop.forget(self._peer)
        if reset:
            self._peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        else:
            self._say_goodbye()
        self._peer.close()

    def _say_goodbye(self) -> None:
        """Leave nothing unread, because closing with bytes unread sends an RST."""
        with suppress(OSError, ValueError):
            if isinstance(self._peer, ssl.SSLSocket):
                self._peer.unwrap()
        with suppress(OSError, ValueError):
            for _ in range(_LAST_READS):
                if not self._peer.recv(READ_BYTES):
                    return


_NOT_NOW: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def _nothing() -> None:
    """Reading has to wait until the handshake has been written."""


def _prepare(peer: socket.socket) -> None:
    peer.settimeout(0)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _TCP_OPTIONS:
        if (option := getattr(socket, name, None)) is not None:
            peer.setsockopt(socket.IPPROTO_TCP, option, value)
