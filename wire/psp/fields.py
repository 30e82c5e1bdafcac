"""Kinds of fields: how one value stands on the wire (psp.md 2.4, 2.5, 4).

A kind packs a value into bytes and unpacks it at a place in a payload, and knows
nothing of messages. ``pack`` raises LocalProtocolError (our mistake), ``unpack`` raises
RemoteProtocolError (theirs); both name what was found and what is allowed. Kinds that
take the rest of the payload stand last in a row.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from wire.psp.errors import LocalProtocolError, RemoteProtocolError
from wire.psp.message import Value
from wire.psp.tlv import decode_tag_list, decode_tlv, encode_tag_list, encode_tlv

_SHOWN_CHARACTERS: Final = 40


class Kind(Protocol):
    def pack(self, value: Value) -> bytes:
        """The bytes of a value."""

    def unpack(self, payload: bytes, at: int) -> tuple[Value, int]:
        """The value at this place, and the place behind it."""


def _refused(found: object, allowed: str) -> LocalProtocolError:
    shown = repr(found)[:_SHOWN_CHARACTERS]
    return LocalProtocolError(f"found {shown}, allowed {allowed}")


@dataclass(frozen=True, slots=True)
class Number:
    """Unsigned, most significant byte first."""

    size: int
    allowed: tuple[int, ...] | None = None

    def pack(self, value: Value) -> bytes:
        if self.allowed is not None and value not in self.allowed:
            raise _refused(value, f"one of {self.allowed}")
        try:
            return value.to_bytes(self.size, "big")  # type: ignore[union-attr] # below
        except (AttributeError, OverflowError):
            raise _refused(value, f"0 to {(1 << 8 * self.size) - 1}") from None

    def unpack(self, payload: bytes, at: int) -> tuple[Value, int]:
        end = at + self.size
        if end > len(payload):
            found = len(payload) - at
            raise RemoteProtocolError(f"found {found} bytes, allowed {self.size}")
        value = int.from_bytes(payload[at:end], "big")
        if self.allowed is not None and value not in self.allowed:
            raise RemoteProtocolError(f"found {value}, allowed one of {self.allowed}")
        return value, end


@dataclass(frozen=True, slots=True)
class Text:
    """UTF-8 that ends with a NUL; ``limit`` bytes at most, the NUL included."""

    limit: int

    def pack(self, value: Value) -> bytes:
        if not isinstance(value, str) or "\0" in value:
            raise _refused(value, "text without NUL")
        data = value.encode() + b"\0"
        if len(data) > self.limit:
            raise _refused(value, f"{self.limit} bytes with its NUL")
        return data

    def unpack(self, payload: bytes, at: int) -> tuple[Value, int]:
        end = payload.find(0, at)
        if end < 0:
            raise RemoteProtocolError("found text without its NUL at the end")
        if end + 1 - at > self.limit:
            found = end + 1 - at
            raise RemoteProtocolError(f"found {found} bytes, allowed {self.limit}")
        return _decoded(payload[at:end]), end + 1


@dataclass(frozen=True, slots=True)
class PaddedText:
    """UTF-8 in a place of fixed size, filled up with NULs, one at least."""

    size: int

    def pack(self, value: Value) -> bytes:
        if not isinstance(value, str) or "\0" in value:
            raise _refused(value, "text without NUL")
        data = value.encode()
        if len(data) >= self.size:
            raise _refused(value, f"{self.size} bytes with its NUL")
        return data.ljust(self.size, b"\0")

    def unpack(self, payload: bytes, at: int) -> tuple[Value, int]:
        data, end = Bytes(self.size).unpack(payload, at)
        assert isinstance(data, bytes)
        return _decoded(data.partition(b"\0")[0]), end


@dataclass(frozen=True, slots=True)
class Bytes:
    """So many bytes, not looked into."""

    size: int

    def pack(self, value: Value) -> bytes:
        if not isinstance(value, bytes) or len(value) != self.size:
            raise _refused(value, f"{self.size} bytes")
        return value

    def unpack(self, payload: bytes, at: int) -> tuple[Value, int]:
        end = at + self.size
        if end > len(payload):
            found = len(payload) - at
            raise RemoteProtocolError(f"found {found} bytes, allowed {self.size}")
        return payload[at:end], end


@dataclass(frozen=True, slots=True)
class Raw:
    """All that is left, not looked into: its layout is not published, or opaque."""

    def pack(self, value: Value) -> bytes:
        if not isinstance(value, bytes):
            raise _refused(value, "bytes")
        return value

    def unpack(self, payload: bytes, at: int) -> tuple[Value, int]:
        return payload[at:], len(payload)


@dataclass(frozen=True, slots=True)
class TagList:
    """One byte that counts the bytes of the list, then tags without lengths."""

    def pack(self, value: Value) -> bytes:
        tags = _numbers(value)
        data = encode_tag_list(tags)
        if len(data) > 0xFF:
            raise _refused(value, "255 bytes of tags")
        return bytes((len(data),)) + data

    def unpack(self, payload: bytes, at: int) -> tuple[Value, int]:
        size, start = Number(1).unpack(payload, at)
        assert isinstance(size, int)
        data, end = Bytes(size).unpack(payload, start)
        assert isinstance(data, bytes)
        return decode_tag_list(data), end


@dataclass(frozen=True, slots=True)
class Tlv:
    """A length of ``width`` bytes, then BER-TLV up to the end of the payload.

    ``reads`` lists the widths understood: at most one of 1 and 2 can fit (A8).
    """

    width: int
    reads: tuple[int, ...]

    def pack(self, value: Value) -> bytes:
        data = encode_tlv(_tags(value))
        if len(data) >= 1 << 8 * self.width:
            raise _refused(len(data), f"{(1 << 8 * self.width) - 1} bytes of tags")
        return len(data).to_bytes(self.width, "big") + data

    def unpack(self, payload: bytes, at: int) -> tuple[Value, int]:
        rest = payload[at:]
        for width in self.reads:
            left = len(rest) - width
            if left >= 0 and int.from_bytes(rest[:width], "big") == left:
                return decode_tlv(rest[width:]), len(payload)
        raise RemoteProtocolError(
            f"found {len(rest)} bytes that start with {rest[:2].hex(' ')}, "
            f"allowed a length of {self.reads} bytes that counts the rest"
        )


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers of ``size`` bytes up to the end of the payload."""

    size: int

    def pack(self, value: Value) -> bytes:
        number = Number(self.size)
        return b"".join(number.pack(item) for item in _numbers(value))

    def unpack(self, payload: bytes, at: int) -> tuple[Value, int]:
        rest = payload[at:]
        if len(rest) % self.size:
            raise RemoteProtocolError(
                f"found {len(rest)} bytes, allowed a multiple of {self.size}"
            )
        steps = range(0, len(rest), self.size)
        found = tuple(
            int.from_bytes(rest[step : step + self.size], "big") for step in steps
        )
        return found, len(payload)


@dataclass(frozen=True, slots=True)
class TextPairs:
    """Keys and values, each UTF-8 with a NUL, up to the end of the payload."""

    limit: int

    def pack(self, value: Value) -> bytes:
        text = Text(self.limit)
        return b"".join(text.pack(key) + text.pack(item) for key, item in _pairs(value))

    def unpack(self, payload: bytes, at: int) -> tuple[Value, int]:
        text = Text(self.limit)
        found = []
        while at < len(payload):
            key, at = text.unpack(payload, at)
            item, at = text.unpack(payload, at)
            found.append((str(key), str(item)))
        return tuple(found), at


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise RemoteProtocolError(f"found {data.hex()}, allowed UTF-8") from None


def _numbers(value: Value) -> tuple[int, ...]:
    if not isinstance(value, tuple):
        raise _refused(value, "a tuple of numbers")
    found = tuple(item for item in value if isinstance(item, int))
    if len(found) != len(value):
        raise _refused(value, "a tuple of numbers")
    return found


def _tags(value: Value) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    for item in value if isinstance(value, tuple) else (None,):
        match item:
            case (int() as tag, bytes() as data):
                found.append((tag, data))
            case _:
                raise _refused(value, "a tuple of (tag, bytes)")
    return found


def _pairs(value: Value) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for item in value if isinstance(value, tuple) else (None,):
        match item:
            case (str() as key, str() as text):
                found.append((key, text))
            case _:
                raise _refused(value, "a tuple of (key, text)")
    return found
