"""The end of a trace that never ends.

A bench runs for days, so what is kept has a bound, in records and in characters; the
oldest go first and nobody is left to wonder: whoever asks for what is gone is told how
many records that was. Records are kept as the lines they are sent as.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

MAX_RECORDS: Final = 20_000
MAX_CHARACTERS: Final = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What is kept from one number on."""

    lines: tuple[str, ...]
    #: How many of the records asked for are gone.
    dropped: int


class Tail:
    """The last records of one trace, each a line of JSON without its newline."""

    def __init__(
        self, *, max_records: int = MAX_RECORDS, max_characters: int = MAX_CHARACTERS
    ) -> None:
        self._max_records = max_records
        self._max_characters = max_characters
        self._lines: deque[str] = deque()
        self._characters = 0
        #: Number of the next record.
        self.next_seq = 0

    def keep(self, line: str) -> None:
        """Keep the next record; the latest is kept however long it is."""
        self._lines.append(line)
        self._characters += len(line)
        self.next_seq += 1
        while len(self._lines) > 1 and self._is_too_much():
            self._characters -= len(self._lines.popleft())

    def _is_too_much(self) -> bool:
        return (
            len(self._lines) > self._max_records
            or self._characters > self._max_characters
        )

    def since(self, seq: int) -> Since:
        """The records from number ``seq`` on, as far as they are kept."""
        first = self.next_seq - len(self._lines)
        kept = tuple(self._lines)
        wanted = min(seq, self.next_seq)
        return Since(
            lines=kept[max(0, wanted - first) :], dropped=max(0, first - wanted)
        )
