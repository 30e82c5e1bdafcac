"""Links over real sockets and a pty: opened, refused, cut, flooded."""

import contextlib
import os
import pty
import socket
import struct
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller_ref.shells.link import MAX_UNSENT, Dialler, LinkPort
from controller_ref.shells.serial import SerialDevice
from controller_ref.shells.tcp import TcpAddress
from tests.controller_ref.shells.ear import LIMIT_S, Listening
from wire.machine import BytesReceived, Link, LinkClosed, LinkOpened

OPENED = LinkOpened(link=Link.PSP)


def heard(data: bytes) -> BytesReceived:
    return BytesReceived(link=Link.PSP, data=data)


def port_to(listening: Listening, dialler: Dialler) -> LinkPort:
    port = LinkPort(Link.PSP, dialler=dialler, loop=listening.loop)
    listening.loop.links = {Link.PSP: port}
    return port


class Server:
    """The peer of a link; closes what it has accepted."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(LIMIT_S)
        self._peers: list[socket.socket] = []
        self.address = TcpAddress(host="127.0.0.1", port=self._socket.getsockname()[1])

    def accept(self) -> socket.socket:
        peer, _ = self._socket.accept()
        peer.settimeout(LIMIT_S)
        self._peers.append(peer)
        return peer

    def close(self) -> None:
        for each in (self._socket, *self._peers):
            each.close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def connect(listening: Listening, server: Server) -> tuple[LinkPort, socket.socket]:
    port = port_to(listening, server.address)
    port.open()
    peer = server.accept()
    assert listening.hear(1) == [OPENED]
    return port, peer


def test_bytes_go_both_ways(listening: Listening, server: Server) -> None:
    port, peer = connect(listening, server)
    port.send(b"hello")
    assert peer.recv(100) == b"hello"
    peer.sendall(b"welcome")
    assert listening.hear(2)[1:] == [heard(b"welcome")]
    peer.close()
    assert listening.hear(3)[2] == LinkClosed(link=Link.PSP, reason="closed")
    port.send(b"nobody there")


def test_nobody_there_is_refused(listening: Listening, server: Server) -> None:
    server.close()
    port_to(listening, server.address).open()
    assert listening.hear(1) == [LinkClosed(link=Link.PSP, reason="refused")]


def test_an_address_that_cannot_be_reached_is_refused(listening: Listening) -> None:
    """The broadcast address: refused by our own kernel, at once."""
    port_to(listening, TcpAddress(host="255.255.255.255", port=1)).open()
    assert listening.hear(1) == [LinkClosed(link=Link.PSP, reason="refused")]


def test_a_name_that_nobody_has_is_refused(listening: Listening) -> None:
    port_to(listening, TcpAddress(host="256.1.1.1", port=1)).open()
    assert listening.hear(1) == [LinkClosed(link=Link.PSP, reason="refused")]


def test_a_reset_is_told_as_one(listening: Listening, server: Server) -> None:
    _, peer = connect(listening, server)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    assert listening.hear(2)[1] == LinkClosed(link=Link.PSP, reason="reset")


def test_hanging_up_is_not_answered_and_silences_the_line(
    listening: Listening, server: Server
) -> None:
    port, peer = connect(listening, server)
    peer.sendall(b"too late")
    port.close()
    port.close()
    with contextlib.suppress(ConnectionResetError):
        assert peer.recv(100) == b""
    port.open()
    server.accept().sendall(b"new")
    assert listening.hear(3) == [OPENED, OPENED, heard(b"new")]


def test_opening_again_hangs_up_first(listening: Listening, server: Server) -> None:
    port, peer = connect(listening, server)
    port.open()
    assert peer.recv(100) == b""


def test_what_cannot_be_written_yet_waits_its_turn(
    listening: Listening, server: Server
) -> None:
    port, peer = connect(listening, server)
    sent = [bytes([number]) * 1_000 for number in range(200)]
    for each in sent:
        port.send(each)
    received = bytearray()
    peer.settimeout(0)

    def is_all_there() -> bool:
        with contextlib.suppress(BlockingIOError):
            received.extend(peer.recv(10_000))
        return len(received) == 200_000

    listening.until(is_all_there)
    assert received == b"".join(sent)


def test_a_peer_that_does_not_read_is_hung_up_on(
    listening: Listening, server: Server
) -> None:
    port, _peer = connect(listening, server)
    for _ in range(400):
        port.send(bytes(MAX_UNSENT // 4))
    assert listening.hear(2)[1:] == [LinkClosed(link=Link.PSP, reason="reset")]


# --- Serial -------------------------------------------------------------------------


@pytest.fixture
def cable(tmp_path: Path) -> Iterator[tuple[int, str]]:
    """The far end of a serial cable, and the device at ours.

    By a name of its own: the system soon gives that of a pseudo-terminal to another.
    """
    master, slave = pty.openpty()
    tty.setraw(slave)
    device = tmp_path / "ttyUSB0"
    device.symlink_to(os.ttyname(slave))
    os.close(slave)
    yield master, str(device)
    # Unless the test has pulled it out.
    with contextlib.suppress(OSError):
        os.close(master)


def test_a_serial_port_carries_every_byte(
    listening: Listening, cable: tuple[int, str]
) -> None:
    master, name = cable
    port = port_to(listening, SerialDevice(path=name, baud=115_200))
    port.open()
    assert listening.hear(1) == [OPENED]
    everything = bytes(range(256))
    port.send(everything)
    assert os.read(master, 1_000) == everything
    os.write(master, everything)
    assert listening.hear(2)[1] == heard(everything)


def test_a_device_that_is_pulled_out_is_closed(
    listening: Listening, cable: tuple[int, str]
) -> None:
    master, name = cable
    port = port_to(listening, SerialDevice(path=name, baud=115_200))
    port.open()
    listening.hear(1)
    Path(name).unlink()
    os.close(master)
    closed = listening.hear(2)[1]
    assert isinstance(closed, LinkClosed)
    assert closed.reason in ("closed", "reset")
    port.open()
    assert listening.hear(3)[2] == LinkClosed(link=Link.PSP, reason="refused")


def test_a_port_is_ours_alone(listening: Listening, cable: tuple[int, str]) -> None:
    device = SerialDevice(path=cable[1], baud=115_200)
    first = device.dial()
    port_to(listening, device).open()
    assert listening.hear(1) == [LinkClosed(link=Link.PSP, reason="refused")]
    first.close()


@pytest.mark.parametrize("baud", [115_200, 123_456_789])
def test_what_is_no_serial_port_is_refused(
    listening: Listening, tmp_path: Path, baud: int
) -> None:
    path = tmp_path / "file"
    path.touch()
    port_to(listening, SerialDevice(path=str(path), baud=baud)).open()
    assert listening.hear(1) == [LinkClosed(link=Link.PSP, reason="refused")]
