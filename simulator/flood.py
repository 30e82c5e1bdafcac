"""Garbage on a line: how much of it a trace keeps.

A controller gone wrong, or somebody who should not be there, can say more in a second
than anybody will ever read. The first pieces of what nobody understands are kept as
they came; the rest is only counted, and one record tells how much that was, when the
line makes sense again or goes down. What is understood is always kept.
"""

from typing import Final

#: Records of garbage that are kept, for each line of a run.
MAX_GARBAGE: Final = 1_000
#: So many pieces in a row may belong to one message that is not complete yet: a whole
#: classic block byte by byte, with some room.
MAX_PIECES: Final = 300
#: Bytes that one record shows.
MAX_SHOWN_BYTES: Final = 512


class Flood:
    """Decides for one line, record by record."""

    def __init__(self) -> None:
        self._kept = 0
        self._pieces = 0
        self._dropped = 0
        self._dropped_bytes = 0

    def keeps(self, size: int, *, sense: bool, garbage: bool) -> bool:
        """Whether ``size`` bytes are recorded.

        ``sense``: a message in them was understood. ``garbage``: something in them
        cannot be one. Neither: a piece, which counts as garbage when there are too
        many in a row.
        """
        if sense:
            self._pieces = 0
            return True
        self._pieces += 1
        if not garbage and self._pieces <= MAX_PIECES:
            return True
        if self._kept < MAX_GARBAGE:
            self._kept += 1
            return True
        self._dropped += 1
        self._dropped_bytes += size
        return False

    def told(self) -> str:
        """What was dropped since this was last asked, in words; empty: nothing."""
        if not self._dropped:
            return ""
        words = f"{self._dropped} more pieces, {self._dropped_bytes} bytes, not kept"
        self._dropped = self._dropped_bytes = 0
        return words
