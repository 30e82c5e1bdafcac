# ruff: noqa: E501
"""DOL: lists of tags in requests, BER-TLV in answers (psp.md 2.5).

A request names the tags it wants, one after the other without lengths. The answer holds
tag, length, value for those that exist. Tags are integers made of all their bytes
(0xDFF006); lengths are the definite form of BER up to 0x82. Values stay bytes: the
table says which are text, not this code.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from wire.psp.codes import Mark
from wire.psp.errors import LocalProtocolError, RemoteProtocolError
from wire.psp.message import Tags

#: Our bound on the bytes of one tag; the published ones have three.
MAX_TAG_BYTES: Final = 4
MAX_VALUE_BYTES: Final = 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """One row of the vendor's list of DOL tags."""

    meaning: str
    is_text: bool = False
    at_card: bool = False
    at_auth: bool = False
    mark: Mark = Mark.DOC


# fmt: off
TAGS: Final[Mapping[int, Tag]] = {
    0xDFAA01: Tag(meaning="acquirer data, csv", is_text=True, at_auth=True),
    0xDFAA02: Tag(meaning="gateway data, csv", is_text=True, at_auth=True),
    0xDFAA6C: Tag(meaning="encrypted card data", at_card=True, at_auth=True),
    0xDFAA6D: Tag(meaning="KSN of the encrypted card data", at_card=True, at_auth=True),
    0xDFAA6E: Tag(meaning="IV of the encrypted card data", at_card=True, at_auth=True),
    0xDFAA6F: Tag(meaning="MAC of the encrypted card data", at_card=True, at_auth=True),
    0xDFAA70: Tag(meaning="Payter card hash, extended", at_card=True, at_auth=True),
    0xDFCA02: Tag(meaning="host response code", is_text=True, at_auth=True),
    0xDFCA03: Tag(meaning="transaction reference from host", at_auth=True),
    0xDFCA07: Tag(meaning="brand id for acquirer matching", at_card=True, at_auth=True),
    0xDFCA08: Tag(meaning="acquirer id", at_auth=True),
    0xDFCA09: Tag(meaning="item reference for a transaction", at_card=True, at_auth=True),
    0xDFCA0A: Tag(meaning="brand name", is_text=True, at_auth=True),
    0xDFCA0B: Tag(meaning="masked PAN", is_text=True, at_card=True, at_auth=True),
    0xDFF002: Tag(meaning="not published", mark=Mark.ASSUMPTION),
    0xDFF003: Tag(meaning="not published", mark=Mark.ASSUMPTION),
    0xDFF006: Tag(meaning="Payter card hash: 40 hexadecimal characters", is_text=True, at_card=True, mark=Mark.DUMP),
}
# fmt: on

#: What a terminal answers when no list is given (psp.md 2.5, C9).
DEFAULT_TAGS: Final = (0xDFF006, 0xDFCA0B, 0xDFCA09, 0xDFF002, 0xDFF003, 0xDFCA03)
#: The other reading of C9, for Card Read only.
TWO_DEFAULT_TAGS: Final = (0xDFF006, 0xDFCA0B)
CARD_HASH_TAG: Final = 0xDFF006
MASKED_PAN_TAG: Final = 0xDFCA0B


def encode_tlv(pairs: Iterable[tuple[int, bytes]]) -> bytes:
    """Tags with their values. Raises LocalProtocolError: not a tag, or too long."""
    return b"".join(
        encode_tag(tag) + _encode_length(len(value)) + value for tag, value in pairs
    )


def decode_tlv(data: bytes) -> Tags:
    """The tags with their values. Raises RemoteProtocolError when they do not fit."""
    found = []
    at = 0
    while at < len(data):
        tag, at = _decode_tag(data, at)
        size, at = _decode_length(data, at)
        if at + size > len(data):
            left = len(data) - at
            raise RemoteProtocolError(
                f"tag {tag:X}: found {left} bytes of value, its length says {size}"
            )
        found.append((tag, data[at : at + size]))
        at += size
    return tuple(found)


def encode_tag_list(tags: Iterable[int]) -> bytes:
    """Tags without lengths, as a request carries them."""
    return b"".join(encode_tag(tag) for tag in tags)


def decode_tag_list(data: bytes) -> tuple[int, ...]:
    found = []
    at = 0
    while at < len(data):
        tag, at = _decode_tag(data, at)
        found.append(tag)
    return tuple(found)


@lru_cache(maxsize=256)
def encode_tag(tag: int) -> bytes:
    """The bytes of one tag. Raises LocalProtocolError when BER has no such tag."""
    if not 0 <= tag < 1 << 8 * MAX_TAG_BYTES:
        raise LocalProtocolError(
            f"tag: found {tag:#x}, allowed at most {MAX_TAG_BYTES} bytes"
        )
    data = tag.to_bytes(max(1, (tag.bit_length() + 7) // 8), "big")
    try:
        _, end = _decode_tag(data, 0)
    except RemoteProtocolError:
        end = 0
    if end != len(data):
        raise LocalProtocolError(f"tag: found {tag:#x}, allowed one BER tag")
    return data


def _encode_length(size: int) -> bytes:
    if size < 0x80:
        return bytes((size,))
    if size <= 0xFF:
        return bytes((0x81, size))
    if size <= MAX_VALUE_BYTES:
        return b"\x82" + size.to_bytes(2, "big")
    raise LocalProtocolError(
        f"value of a tag: found {size} bytes, allowed at most {MAX_VALUE_BYTES}"
    )


def _decode_tag(data: bytes, at: int) -> tuple[int, int]:
    """The tag at this place and the place behind it."""
    end = at + 1
    if data[at] & 0x1F == 0x1F:
        while end < len(data) and data[end] & 0x80:
            end += 1
        end += 1
    if end > len(data):
        raise RemoteProtocolError(f"tag: found only {data[at:].hex()}, it goes on")
    if end - at > MAX_TAG_BYTES:
        raise RemoteProtocolError(
            f"tag: found {end - at} bytes, allowed at most {MAX_TAG_BYTES}"
        )
    return int.from_bytes(data[at:end], "big"), end


def _decode_length(data: bytes, at: int) -> tuple[int, int]:
    """The length at this place and the place behind it."""
    if at >= len(data):
        raise RemoteProtocolError("length of a tag: found the end of the data")
    first = data[at]
    if first < 0x80:
        return first, at + 1
    if first not in (0x81, 0x82):
        raise RemoteProtocolError(
            f"length of a tag: found {first:#04x}, allowed 00-7f, 81 or 82"
        )
    end = at + 1 + (first & 0x0F)
    if end > len(data):
        raise RemoteProtocolError("length of a tag: found the end of the data")
    return int.from_bytes(data[at + 1 : end], "big"), end
