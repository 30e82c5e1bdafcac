"""The few things that have to be read from raw PSP bytes.

A lost or damaged block may never have completed a message, but the controller did send
it, and a close that was sent may be half of a double close. Noise in front of a good
block changes the bytes without hurting anybody. The layouts (psp.md 2.1 to 2.3, 4.3)
are small enough to be recognised here, apart from any code that plays the terminal.
"""

import re
from collections.abc import Iterator
from typing import Final

#: Commit Session: Session ID and amount. Void Session: Session ID. Classic or
#: extended length.
_CLOSE: Final = re.compile(
    rb"\xcc(?:\x0a|\x00\x00\x00\x0a)\x3c\x35(?P<commit>.{8})"
    rb"|\xcc(?:\x06|\x00\x00\x00\x06)\x3c\x33(?P<void>.{4})",
    re.DOTALL,
)


def closes_in(hex_pairs: str) -> Iterator[tuple[str, dict[str, object]]]:
    """(message name, fields) of each close in these bytes; nothing if not hex."""
    try:
        data = bytes.fromhex(hex_pairs)
    except ValueError:
        return
    for match in _CLOSE.finditer(data):
        body = match["commit"] or match["void"]
        fields: dict[str, object] = {"session_id": int.from_bytes(body[:4], "big")}
        if match["commit"]:
            fields["amount_minor"] = int.from_bytes(body[4:], "big")
        yield ("Commit Session" if match["commit"] else "Void Session"), fields


_MAGIC: Final = 0x3C
#: Length field of a block: classic 1 byte, extended 4 (psp.md 2.2).
_LENGTH_BYTES: Final = (1, 4)


def is_sound(hex_pairs: str) -> bool:
    """Whether one whole block with a right checksum stands somewhere in the bytes."""
    try:
        data = bytes.fromhex(hex_pairs)
    except ValueError:
        return False
    return any(
        _block_at(data, start, width)
        for start in range(len(data))
        for width in _LENGTH_BYTES
    )


def _block_at(data: bytes, start: int, width: int) -> bool:
    if data[start] not in (0xAA, 0xCC):
        return False
    magic_at = start + 1 + width
    length = int.from_bytes(data[start + 1 : magic_at], "big")
    checksum_at = magic_at + length
    if length < 2 or checksum_at >= len(data) or data[magic_at] != _MAGIC:
        return False
    return sum(data[start:checksum_at]) & 0xFF == data[checksum_at]
