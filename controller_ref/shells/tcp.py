"""PSP over TCP, and the bay link: how a connection is begun.

Small messages must not wait for company (TCP_NODELAY). A peer that is gone without a
word is noticed within about 20 s by the kernel: by unanswered probes when nothing is
being said, by unanswered data otherwise. A connection attempt that nobody answers is
refused after about 15 s (4 attempts), where the kernel alone would take 2 minutes.
"""

import errno
import os
import socket
from dataclasses import dataclass
from typing import Final, cast

from controller_ref.shells.link import Channel

_GONE_MS: Final = 20_000
#: Linux names; a system without one of them does without it.
_OPTIONS: Final = (
    ("TCP_NODELAY", 1),
    ("TCP_SYNCNT", 3),
    ("TCP_USER_TIMEOUT", _GONE_MS),
    ("TCP_KEEPIDLE", 10),
    ("TCP_KEEPINTVL", 5),
    ("TCP_KEEPCNT", 2),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpAddress:
    """Meets ``link.Dialler``. ``host`` is a name or a number, IPv4 or IPv6."""

    host: str
    port: int

    def dial(self) -> Channel:
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        channel = socket.socket(family, kind, protocol)
        try:
            _prepare(channel)
            status = channel.connect_ex(address)
            if status not in (0, errno.EINPROGRESS):
                raise OSError(status, os.strerror(status))
        except OSError:
            channel.close()
            raise
        return channel

    def trouble(self, channel: Channel) -> str:
        opened = cast(socket.socket, channel)
        status = opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return os.strerror(status) if status else ""


def _prepare(channel: socket.socket) -> None:
    channel.settimeout(0)
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _OPTIONS:
        if (option := getattr(socket, name, None)) is not None:
            channel.setsockopt(socket.IPPROTO_TCP, option, value)
