"""What a bad cable does to bytes: pure functions, one per fault of the catalogue.

Each turns one block of bytes into what arrives instead: pairs of (delay in ms from when
the block would have arrived, bytes). An empty list is a block that is lost; the delays
never fall.

``byte`` is where a fault strikes: the first byte that does not arrive as it should. In
a stream it is counted by whoever carries the bytes, who says it for this piece.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from simulator.faults import Fault, FaultPlanError

Arrivals = list[tuple[int, bytes]]

#: Noise contains no preamble (0xCC, 0xAA), so that it is noise and not half a block.
NOISE: Final = bytes.fromhex("00 ff 55 13 7e 01")


def lose(_block: bytes) -> Arrivals:
    return []


def corrupt(block: bytes) -> Arrivals:
    """Damage the checksum, which is the last byte of every block."""
    return flip(block, byte=len(block) - 1, bit=0)


def flip(block: bytes, *, byte: int, bit: int) -> Arrivals:
    if not block:
        return []
    changed = bytearray(block)
    changed[min(byte, len(block) - 1)] ^= 1 << bit
    return [(0, bytes(changed))]


def overwrite(block: bytes, *, byte: int, value: int) -> Arrivals:
    if not block:
        return []
    changed = bytearray(block)
    changed[min(byte, len(block) - 1)] = value
    return [(0, bytes(changed))]


def truncate(block: bytes, *, keep: int) -> Arrivals:
    """Only the first ``keep`` bytes arrive, and never the whole block."""
    kept = block[: min(keep, len(block) - 1)] if block else b""
    return [(0, kept)] if kept else []


def duplicate(block: bytes, *, gap_ms: int) -> Arrivals:
    return [(0, block), (gap_ms, block)]


def garbage(block: bytes, *, count: int) -> Arrivals:
    """``count`` bytes of noise arrive at once with the block, before it."""
    rounds = -(-count // len(NOISE))
    return [(0, (NOISE * rounds)[:count] + block)]


def split(block: bytes, *, piece: int, gap_ms: int) -> Arrivals:
    starts: Sequence[int] = range(0, len(block), piece)
    return [(n * gap_ms, block[at : at + piece]) for n, at in enumerate(starts)]


def delay(block: bytes, *, byte: int, delay_ms: int) -> Arrivals:
    """The first ``byte`` bytes are in time, the rest is late."""
    pieces = [(0, block[:byte]), (delay_ms, block[byte:])]
    return [(late_ms, piece) for late_ms, piece in pieces if piece]


def stop(block: bytes, *, byte: int) -> Arrivals:
    """Only the first ``byte`` bytes arrive, which may be all."""
    return [(0, block[:byte])] if block[:byte] else []


_CHANGES: Final[Mapping[str, Callable[[bytes, Fault, int], Arrivals]]] = {
    "cable_lose": lambda block, _f, _b: lose(block),
    "cable_corrupt": lambda block, _f, _b: corrupt(block),
    "cable_flip": lambda block, f, byte: flip(block, byte=byte, bit=f.number("bit")),
    "cable_overwrite": lambda block, f, byte: overwrite(
        block, byte=byte, value=f.number("value")
    ),
    "cable_truncate": lambda block, f, _b: truncate(block, keep=f.number("keep")),
    "cable_duplicate": lambda block, f, _b: duplicate(block, gap_ms=f.number("gap_ms")),
    "cable_garbage": lambda block, f, _b: garbage(block, count=f.number("bytes")),
    "cable_split": lambda block, f, _b: split(
        block, piece=f.number("piece"), gap_ms=f.number("gap_ms")
    ),
    # Whoever carries it keeps it until the next one comes.
    "cable_join": lambda block, _f, _b: [(0, block)] if block else [],
    "cable_delay": lambda block, f, byte: delay(
        block, byte=byte, delay_ms=f.number("delay_ms")
    ),
    "cable_cut_at": lambda block, _f, byte: stop(block, byte=byte),
    "tcp_reset_at": lambda block, _f, byte: stop(block, byte=byte),
    "tcp_half_open_at": lambda block, _f, byte: stop(block, byte=byte),
}


def manipulate(fault: Fault, block: bytes, *, byte: int | None = None) -> Arrivals:
    """What arrives of ``block`` when a fault that waits for blocks hits it.

    ``byte`` is where it strikes; None: where its own parameter says.
    """
    change = _CHANGES.get(fault.name)
    if change is None:
        raise FaultPlanError(
            f"cable: found {fault.name!r}, allowed {', '.join(_CHANGES)}"
        )
    if byte is None:
        byte = fault.number("byte") if "byte" in fault.params else 0
    return change(block, fault, byte)


def first_struck(block: bytes, arrivals: Arrivals) -> int:
    """The first byte of ``block`` that does not arrive as it was sent, and in time."""
    at = 0
    for delay_ms, piece in arrivals:
        if delay_ms:
            return at
        for byte in piece:
            if at >= len(block) or block[at] != byte:
                return at
            at += 1
    return at
