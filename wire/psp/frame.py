"""Blocks: from bytes in any pieces to whole blocks, and back (psp.md 2.1 to 2.4).

    classic    preamble  length(1)  magic  header  payload...  checksum
    extended   preamble  length(4)  magic  header  payload...  checksum

The length counts magic, header and payload. The checksum is the 8-bit sum of all bytes
before it. A block carries no number and no acknowledgement, so a decoder has only the
preamble, the magic and the checksum to find its feet:

- bytes before a preamble are ``noise``;
- a candidate with an impossible ``length`` (or ``too_long`` for the buffer), a foreign
  ``magic`` or a wrong ``checksum`` is bad; the scan resumes at the byte after its
  preamble, so a good block hidden behind a false preamble is found;
- a candidate that stops growing for the inter-byte time (A20) is ``stale``, and what
  it swallowed is scanned again.

``raw`` of a bad block is all that the candidate claimed, up to the bytes received; a
good block found inside follows as its own. No byte is reported bad twice. With
``preamble=None`` (P6X, whose address byte and magic are configurable: C2, C3) every
byte may start a block; a complete block with the usual magic and a right checksum then
wins over an incomplete one with another magic in front of it.

What a block means is none of this module's business.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final, Literal

from wire.psp.codes import Direction
from wire.psp.errors import LocalProtocolError
from wire.psp.timeouts import INTER_BYTE_MS

MAGIC: Final = 0x3C
PREAMBLES: Final = {Direction.TO_TERMINAL: 0xCC, Direction.TO_HOST: 0xAA}
#: Most bytes on the wire of a classic block: length 0xFF (psp.md 2.4, C4).
MAX_CLASSIC_BLOCK_BYTES: Final = 258
#: Our own bound; the documents give none. Start Session at its fullest fits thrice.
MAX_EXTENDED_BLOCK_BYTES: Final = 16_384
#: Protocol version -> bytes on the wire, checksum included (psp.md 2.4, A36).
VERSION_BLOCK_BYTES: Final = {1: 37, 2: 37, 3: MAX_CLASSIC_BLOCK_BYTES}
#: Bytes of the length field, keyed by "is extended".
_LENGTH_BYTES: Final = {False: 1, True: 4}
#: Magic and header are always there.
_LEAST_LENGTH: Final = 2
_MAX_BLOCKS_KEPT: Final = 1024
_USUAL: Final = bytes((MAGIC,))

BadReason = Literal["checksum", "magic", "length", "noise", "stale", "too_long"]


@dataclass(frozen=True, slots=True)
class Block:
    """A whole block with a right checksum."""

    header: int
    payload: bytes
    raw: bytes


@dataclass(frozen=True, slots=True)
class BadBlock:
    """Bytes that are no block. ``header``: what it would have been, when known."""

    reason: BadReason
    raw: bytes
    header: int | None = None


class _Standing(Enum):
    """What stands at one position of the buffer."""

    NEEDS_MORE = 0
    WHOLE = 1
    BAD_LENGTH = 2
    TOO_LONG = 3
    BAD_MAGIC = 4
    BAD_CHECKSUM = 5


#: How a bad candidate is reported, and how much of it: None means all it claimed.
_FAULTS: Final[Mapping[_Standing, tuple[BadReason, bool]]] = {
    _Standing.BAD_LENGTH: ("length", False),
    _Standing.TOO_LONG: ("too_long", False),
    _Standing.BAD_MAGIC: ("magic", False),
    _Standing.BAD_CHECKSUM: ("checksum", True),
}


def checksum(data: bytes) -> int:
    return sum(data) & 0xFF


def build_block(content: bytes, *, preamble: int, extended: bool = False) -> bytes:
    """Wrap magic, header and payload. Raises LocalProtocolError when too long."""
    most = MAX_EXTENDED_BLOCK_BYTES if extended else MAX_CLASSIC_BLOCK_BYTES
    width = _LENGTH_BYTES[extended]
    size = len(content) + width + 2
    if size > most:
        raise LocalProtocolError(f"block: found {size} bytes, allowed at most {most}")
    head = bytes((preamble,)) + len(content).to_bytes(width, "big") + content
    return head + bytes((sum(head) & 0xFF,))


def encode_block(
    header: int, payload: bytes, *, direction: Direction, extended: bool = False
) -> bytes:
    """A whole block, whatever its header and payload mean.

    Raises LocalProtocolError when the payload does not fit the block.
    """
    return build_block(
        bytes((MAGIC, header)) + payload,
        preamble=PREAMBLES[direction],
        extended=extended,
    )


@lru_cache(maxsize=_MAX_BLOCKS_KEPT)
def _whole(raw: bytes, width: int) -> Block | None:
    """The block made of exactly these bytes; None when the checksum is wrong."""
    if sum(raw[:-1]) & 0xFF != raw[-1]:
        return None
    return Block(raw[width + 2], raw[width + 3 : -1], raw)


#: What a decoder looks for: width of the length, most bytes, preamble, magic.
_Form = tuple[int, int, int | None, int | None]


@lru_cache(maxsize=_MAX_BLOCKS_KEPT)
def _only_block(data: bytes, form: _Form) -> Block | None:
    """The block, when ``data`` is one good block and nothing else."""
    width, most, preamble, magic = form
    size = len(data)
    if not width + 4 <= size <= most or preamble not in (None, data[0]):
        return None
    length = int.from_bytes(data[1 : 1 + width], "big")
    if length + width + 2 != size or magic not in (None, data[1 + width]):
        return None
    return _whole(data, width)


class BlockDecoder:
    """Finds the blocks of one direction in a stream that comes in any pieces.

    Holds fewer than ``max_block_bytes`` between calls. ``extended`` and ``magic`` may
    be changed between calls and hold for all bytes not yet handed out; a ``magic`` of
    None lets any pass. ``preamble=None`` lets any preamble and any magic pass.
    """

    def __init__(
        self,
        direction: Direction,
        *,
        extended: bool = False,
        preamble: int | None = -1,
        max_block_bytes: int | None = None,
        inter_byte_ms: int = INTER_BYTE_MS,
    ) -> None:
        self.extended = extended
        self._preamble = PREAMBLES[direction] if preamble == -1 else preamble
        self.magic: int | None = MAGIC if self._preamble is not None else None
        self._max_block_bytes = max_block_bytes
        self._inter_byte_ms = inter_byte_ms
        self._buffer = b""
        #: Bytes before this index of the buffer were reported as bad already.
        self._reported = 0
        self._noise = bytearray()
        self._deadline_ms: int | None = None

    @property
    def pending(self) -> bytes:
        """The bytes of an unfinished block."""
        return self._buffer

    def clear(self) -> None:
        """Forget an unfinished block: the line was closed."""
        self._buffer = b""
        self._reported = 0
        self._deadline_ms = None

    def deadline_ms(self) -> int | None:
        """When an unfinished block goes stale; None when nothing is pending."""
        return self._deadline_ms

    def receive(self, data: bytes, now_ms: int) -> list[Block | BadBlock]:
        """Take bytes; return what they complete, in the order of the stream."""
        if not self._buffer:
            # Nearly all that ever comes: one whole block, and often the same again.
            form = (self._width, self._most, self._preamble, self.magic)
            block = _only_block(data, form)
            if block is not None:
                return [block]
        found = self.on_deadline(now_ms)
        self._buffer += data
        self._scan(found)
        if data:
            self._deadline_ms = now_ms + self._inter_byte_ms
        if not self._buffer:
            self._deadline_ms = None
        return found

    def on_deadline(self, now_ms: int) -> list[Block | BadBlock]:
        """Give up an unfinished block whose time is over, and scan what it hid."""
        found: list[Block | BadBlock] = []
        if self._deadline_ms is None or now_ms < self._deadline_ms:
            return found
        while self._buffer:
            self._report("stale", 0, len(self._buffer), found)
            self._scan(found, start=1)
        self._deadline_ms = None
        return found

    # --- The scan ---------------------------------------------------------------

    def _scan(self, found: list[Block | BadBlock], *, start: int = 0) -> None:
        """Hand out all that can be decided; keep an unfinished candidate in front."""
        at, end = start, len(self._buffer)
        while at < end:
            at = self._skip_noise(self._take_good(at, found), found)
            settled = self._settle(at, found) if at < end else None
            if settled is None:
                break
            at = settled
        self._flush_noise(found)
        self._buffer = self._buffer[at:]
        self._reported = max(0, self._reported - at)

    def _take_good(self, at: int, found: list[Block | BadBlock]) -> int:
        """The straight road: blocks that follow each other without any fault."""
        buffer, end, width = self._buffer, len(self._buffer), self._width
        most, preamble, magic = self._most, self._preamble, self.magic
        while at + width + 4 <= end:
            if preamble is not None and buffer[at] != preamble:
                break
            length = buffer[at + 1]
            if width > 1:
                length = int.from_bytes(buffer[at + 1 : at + 1 + width], "big")
            size = length + width + 2
            stop = at + size
            if stop > end or not width + 4 <= size <= most:
                break
            if magic is not None and buffer[at + 1 + width] != magic:
                break
            block = _whole(buffer[at:stop], width)
            if block is None:
                break
            self._flush_noise(found)
            found.append(block)
            at = stop
        return at

    def _skip_noise(self, at: int, found: list[Block | BadBlock]) -> int:
        """Where the next candidate starts; what is before it is noise."""
        if self._preamble is None:
            return at
        here = self._buffer.find(self._preamble, at)
        here = here if here >= 0 else len(self._buffer)
        self._make_noise(at, here)
        return here

    def _settle(self, at: int, found: list[Block | BadBlock]) -> int | None:
        """Where to go on from this candidate; None: it needs more bytes."""
        standing = self._standing(at)
        if standing is _Standing.WHOLE:
            return at
        if standing is _Standing.NEEDS_MORE:
            rival = self._rival(at)
            if rival is not None:
                self._make_noise(at, rival)
            return rival
        reason, is_all = _FAULTS[standing]
        if self._preamble is None and not (is_all and self._is_usual(at)):
            self._make_noise(at, at + 1)  # any byte may start a block: this did not
            return at + 1
        claimed = self._size(at) if is_all else self._width + 2
        self._report(reason, at, at + claimed, found)
        return at + 1

    def _standing(self, at: int) -> _Standing:
        have = len(self._buffer) - at
        width = self._width
        if have < width + 1:
            return _Standing.NEEDS_MORE
        size = self._size(at)
        if size < width + 4:
            return _Standing.BAD_LENGTH
        if size > self._most:
            return _Standing.TOO_LONG
        if have < width + 2:
            return _Standing.NEEDS_MORE
        if self.magic is not None and self._buffer[at + 1 + width] != self.magic:
            return _Standing.BAD_MAGIC
        if have < size:
            return _Standing.NEEDS_MORE
        if _whole(self._buffer[at : at + size], width) is None:
            return _Standing.BAD_CHECKSUM
        return _Standing.WHOLE

    def _rival(self, at: int) -> int | None:
        """Where a whole block of the usual magic stands behind an unfinished one.

        Only with a free preamble, and only when the one in front has another magic:
        then it is more likely noise than a block.
        """
        if self._preamble is not None or self._is_usual(at):
            return None
        width = self._width
        magic_at = self._buffer.find(MAGIC, at + width + 2)
        while magic_at >= 0:
            rival = magic_at - width - 1
            if self._standing(rival) is _Standing.WHOLE:
                return rival
            magic_at = self._buffer.find(MAGIC, magic_at + 1)
        return None

    # --- The buffer and the reports ---------------------------------------------

    @property
    def _width(self) -> int:
        return _LENGTH_BYTES[self.extended]

    @property
    def _most(self) -> int:
        if self._max_block_bytes is not None:
            return self._max_block_bytes
        return MAX_EXTENDED_BLOCK_BYTES if self.extended else MAX_CLASSIC_BLOCK_BYTES

    def _size(self, at: int) -> int:
        """Bytes on the wire that the length field at this candidate promises."""
        field = self._buffer[at + 1 : at + 1 + self._width]
        return int.from_bytes(field, "big") + self._width + 2

    def _is_usual(self, at: int) -> bool:
        return self._buffer[at + 1 + self._width : at + 2 + self._width] == _USUAL

    def _make_noise(self, at: int, end: int) -> None:
        self._noise += self._buffer[max(at, self._reported) : max(end, self._reported)]

    def _flush_noise(self, found: list[Block | BadBlock]) -> None:
        if self._noise:
            found.append(BadBlock("noise", bytes(self._noise)))
            self._noise.clear()

    def _report(
        self, reason: BadReason, at: int, end: int, found: list[Block | BadBlock]
    ) -> None:
        """Tell of a bad candidate, unless it lies in what was told of before."""
        if at < self._reported:
            return
        self._flush_noise(found)
        header_at = at + self._width + 2
        header = self._buffer[header_at] if header_at < len(self._buffer) else None
        found.append(BadBlock(reason, self._buffer[at:end], header))
        self._reported = min(end, len(self._buffer))
