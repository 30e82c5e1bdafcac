"""A wiretap on the PSP line: it reads along, so that the trace has meanings, not
bytes.

It has decoders of its own, one per direction, and follows the Protocol options as a
third party would: a Protocol request that the terminal answers switches both
directions, a Reset that it answers switches back. It never changes a byte and the
terminal knows nothing of it, so a mistake in the terminal shows in the trace instead of
hiding there.
"""

from collections.abc import Mapping
from copy import deepcopy
from functools import lru_cache
from typing import Final

from simulator.trace import Clean, mask
from wire.psp import (
    BadBlock,
    Block,
    BlockDecoder,
    Direction,
    Malformed,
    Message,
    Name,
    Reading,
    decode,
    record_of,
)

#: Bad blocks that one record tells of one by one.
MAX_BAD: Final = 8
#: A message as the trace shows it, and whether nothing in it has to be masked.
_Shown = tuple[Mapping[str, object], bool]
#: Blocks that never stand for an answer to a request.
_EVENTS: Final = frozenset({Name.TRANSACTION_EVENT, Name.UI_EVENT})


class Wiretap:
    """Turns the bytes that pass into the ``messages`` of a ``psp`` record."""

    def __init__(self, reading: Reading) -> None:
        self._plain = reading
        self._reading = reading
        self._decoders = {way: BlockDecoder(way) for way in Direction}
        self._asked: Message | None = None

    def line_lost(self, *, by_host: bool = False) -> None:
        """The line is down: unfinished blocks are gone, and the classic format holds.

        Whether it also does after the host hung up is an open question (A23).
        """
        for decoder in self._decoders.values():
            decoder.clear()
        self._asked = None
        if not by_host or self._plain.profile.host_hangup == "offline":
            self._switch(self._plain)

    def see(
        self, direction: Direction, data: bytes, now_ms: int
    ) -> list[Mapping[str, object]]:
        """Messages that ``data`` completes, as plain values for the trace."""
        seen: list[Mapping[str, object]] = []
        is_clean = True
        bad = 0
        for item in self._decoders[direction].receive(data, now_ms):
            if isinstance(item, BadBlock):
                bad += 1
                if bad <= MAX_BAD:
                    seen.append({"malformed": item.reason})
            else:
                shown, harmless = self._understand(item, direction)
                seen.append(shown)
                is_clean &= harmless
        if bad > MAX_BAD:
            seen.append({"malformed": f"{bad - MAX_BAD} more"})
        return Clean(seen) if is_clean else seen

    def foresee(self, direction: Direction, data: bytes, now_ms: int) -> list[str]:
        """Names of the messages that ``data`` would complete; nothing is changed."""
        decoder = deepcopy(self._decoders[direction])
        found = [
            decode(block, direction, self._reading)
            for block in decoder.receive(data, now_ms)
            if isinstance(block, Block)
        ]
        return [one.name.value for one in found if isinstance(one, Message)]

    def is_midway(self, direction: Direction) -> bool:
        """Whether the last bytes of a direction were the beginning of a block."""
        return bool(self._decoders[direction].pending)

    def _understand(self, block: Block, direction: Direction) -> _Shown:
        expecting = self._asked.name if self._asked else None
        found, shown = _read(block, direction, self._reading, expecting)
        if not isinstance(found, Message):
            return shown
        if direction is Direction.TO_TERMINAL:
            self._asked = found
        elif found.name not in _EVENTS:
            self._answered(found)
        return shown

    def _answered(self, answer: Message) -> None:
        asked, self._asked = self._asked, None
        if asked is None or answer.get("result", 0) != 0:
            return
        if asked.name is Name.RESET:
            self._switch(self._plain)
        elif asked.name is Name.PROTOCOL:
            self._switch(self._plain.with_options(asked.number("options")))

    def _switch(self, reading: Reading) -> None:
        self._reading = reading
        for decoder in self._decoders.values():
            decoder.extended = reading.extended


@lru_cache(maxsize=4096)
def _read(
    block: Block, direction: Direction, reading: Reading, expecting: Name | None
) -> tuple[Message | Malformed, _Shown]:
    """What a block says, and how the trace shows it.

    Remembered, because most of what crosses a line is the same keep-alive; by its
    block, because messages of one name all have the same hash.
    """
    found = decode(block, direction, reading, expecting=expecting)
    shown = record_of(found)
    return found, (shown, mask(shown) == shown)
