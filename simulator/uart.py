"""What a serial port reads of bytes that were sent at another rate.

A byte goes over the line as a start bit (0), eight data bits, least significant first,
and a stop bit (1); the line rests at 1 (psp.md 1: 8N1). A receiver waits for the line
to fall and then looks at the middle of each of its own bits. At the same rate that
gives the byte. Within some per cent it still does. At another rate it gives garbage:
several bytes for one where the receiver is faster, one for several where it is slower.

Time is counted in units of which a bit of the sender lasts ``read_baud`` and a bit of
the receiver ``sent_baud``, so all of it is integers.
"""

from typing import Final

#: One start bit, eight data bits, one stop bit.
BITS_PER_BYTE: Final = 10
#: The rates that a terminal's serial line can have (psp.md 8).
BAUD_RATES: Final = (9600, 19200, 38400, 57600, 115200)


def duration_us(size: int, baud: int) -> int:
    """How long ``size`` bytes are on the line, in microseconds, rounded up."""
    return -(-size * BITS_PER_BYTE * 1_000_000 // baud)


def heard(data: bytes, *, sent_baud: int, read_baud: int) -> bytes:
    """What is read of ``data`` that comes after a pause; both rates above 0."""
    if sent_baud == read_baud:
        return data
    line = _levels(data)
    found = bytearray()
    start = line.find(0)
    while start >= 0:
        began = start * read_baud
        value = 0
        for place in range(8):
            # The middle of the receiver's data bits: 1.5, 2.5, ... bits after the fall.
            at = (began + sent_baud * (2 * place + 3) // 2) // read_baud
            value |= (line[at] if at < len(line) else 1) << place
        found.append(value)
        # It looks for the next fall from the middle of its stop bit on.
        stop = (began + sent_baud * 19 // 2) // read_baud
        start = _next_fall(line, stop)
    return bytes(found)


def _levels(data: bytes) -> bytes:
    """The line bit by bit, one byte for each."""
    line = bytearray()
    for byte in data:
        line.append(0)
        line.extend(byte >> place & 1 for place in range(8))
        line.append(1)
    return bytes(line)


def _next_fall(line: bytes, at: int) -> int:
    """Where the line falls from 1 to 0, at ``at`` or later; -1: never again."""
    rest = line.find(1, at)
    return line.find(0, rest) if rest >= 0 else -1
