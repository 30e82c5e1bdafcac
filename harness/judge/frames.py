"""Closes in raw PSP bytes that no decoder of the run has seen.

A lost or damaged block never completed a message, but the controller did send it, and
a close that was sent may be half of a double close. The two layouts (psp.md 2.1, 2.2,
4.3) are small enough to be recognised here, apart from any code that plays the
terminal. The checksum is not looked at: damage is why these bytes are here.
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
