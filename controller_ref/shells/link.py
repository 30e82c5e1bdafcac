"""One end of a link: what TCP and a serial port have in common.

A *dialler* begins to open a *channel*; it is open once it can be written to and the
dialler has nothing against it. From then on bytes go both ways until one side hangs up.
What cannot be written at once waits, up to ``MAX_UNSENT`` bytes; a peer that leaves
more than that unread is not listening, and is hung up on.

Facts go to the loop: LinkOpened, BytesReceived, and exactly one LinkClosed unless the
controller itself hangs up.
"""

from selectors import EVENT_READ, EVENT_WRITE
from typing import Final, Literal, Protocol

from controller_ref.shells.loop import Loop
from wire.machine import BytesReceived, Link, LinkClosed, LinkOpened

MAX_UNSENT: Final = 256 * 1024
_READ_SIZE: Final = 64 * 1024


class Channel(Protocol):
    """A socket, or what looks like one. Never blocks; raises OSError when broken."""

    def fileno(self) -> int: ...
    def recv(self, size: int, /) -> bytes: ...
    def send(self, data: bytes, /) -> int: ...
    def close(self) -> None: ...


class Dialler(Protocol):
    def dial(self) -> Channel:
        """Begin to open a channel. Raises OSError when that is refused."""

    def trouble(self, channel: Channel) -> str:
        """What keeps a channel that has become ready from being open; empty: none."""


class LinkPort:
    """Meets ``loop.Port``."""

    def __init__(self, link: Link, *, dialler: Dialler, loop: Loop) -> None:
        self._link = link
        self._dialler = dialler
        self._loop = loop
        self._channel: Channel | None = None
        self._is_open = False
        self._unsent = bytearray()

    def open(self) -> None:
        self.close()
        try:
            channel = self._dialler.dial()
        except OSError:
            self._loop.tell(LinkClosed(link=self._link, reason="refused"))
            return
        self._channel = channel
        self._loop.watch(channel.fileno(), EVENT_WRITE, self._ready)

    def close(self) -> None:
        """Hang up; what has not been heard or sent is gone."""
        self._loop.forget(self._link)
        self._let_go()

    def send(self, data: bytes) -> None:
        if self._channel is None or not self._is_open:
            return
        self._unsent += data
        if len(self._unsent) > MAX_UNSENT:
            self._lose("reset")
        else:
            self._write(self._channel)

    # --- Whatever the loop sees ---------------------------------------------------

    def _ready(self, events: int) -> None:
        channel = self._channel
        if channel is None:
            return
        if not self._is_open:
            self._opened(channel)
            return
        if events & EVENT_READ:
            self._read(channel)
        if events & EVENT_WRITE and self._channel is channel:
            self._write(channel)

    def _opened(self, channel: Channel) -> None:
        if self._dialler.trouble(channel):
            self._lose("refused")
            return
        self._is_open = True
        self._watch(channel)
        self._loop.tell(LinkOpened(link=self._link))

    def _read(self, channel: Channel) -> None:
        try:
            data = channel.recv(_READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            self._lose("reset")
            return
        if data:
            self._loop.tell(BytesReceived(link=self._link, data=data))
        else:
            self._lose("closed")

    def _write(self, channel: Channel) -> None:
        try:
            del self._unsent[: channel.send(bytes(self._unsent))]
        except BlockingIOError:
            pass
        except OSError:
            self._lose("reset")
            return
        self._watch(channel)

    def _watch(self, channel: Channel) -> None:
        events = EVENT_READ | EVENT_WRITE if self._unsent else EVENT_READ
        self._loop.watch(channel.fileno(), events, self._ready)

    def _lose(self, reason: Literal["refused", "closed", "reset"]) -> None:
        self._let_go()
        self._loop.tell(LinkClosed(link=self._link, reason=reason))

    def _let_go(self) -> None:
        channel, self._channel = self._channel, None
        self._is_open = False
        self._unsent.clear()
        if channel is not None:
            self._loop.unwatch(channel.fileno())
            channel.close()
