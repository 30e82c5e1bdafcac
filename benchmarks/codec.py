"""PSP frames a second: encode, decode, and the search for blocks in a stream."""

from benchmarks.stories import rate
from wire.psp import (
    Block,
    BlockDecoder,
    Direction,
    Family,
    Message,
    Name,
    Profile,
    Reading,
    decode,
    encode,
    message,
)

READING = Reading(family=Family.APOLLO, profile=Profile())
TO_TERMINAL = Direction.TO_TERMINAL
TIMES = 20_000


def commit(number: int) -> Message:
    return message(Name.COMMIT_SESSION, session_id=number + 1, amount_minor=number)


def blocks_of(data: bytes) -> list[Block]:
    found = BlockDecoder(TO_TERMINAL).receive(data, 0)
    return [item for item in found if isinstance(item, Block)]


def main() -> None:
    messages = [commit(number) for number in range(TIMES)]
    frames = [encode(one, TO_TERMINAL, READING) for one in messages]
    blocks = blocks_of(b"".join(frames))
    assert len(blocks) == TIMES
    status = message(Name.GET_STATUS)
    (asked,) = blocks_of(encode(status, TO_TERMINAL, READING))
    decoder = BlockDecoder(TO_TERMINAL)
    # Decoding remembers what it has seen, so what is distinct is measured once.
    results = {
        "encode, repeated": rate(lambda _: encode(status, TO_TERMINAL, READING), TIMES),
        "encode, distinct": rate(
            lambda n: encode(messages[n], TO_TERMINAL, READING), TIMES
        ),
        "decode, repeated": rate(lambda _: decode(asked, TO_TERMINAL, READING), TIMES),
        "decode, distinct": rate(
            lambda n: decode(blocks[n], TO_TERMINAL, READING), TIMES, repeats=1
        ),
        "find a block, repeated": rate(lambda _: decoder.receive(asked.raw, 0), TIMES),
        "find a block, distinct": rate(
            lambda n: decoder.receive(frames[n], 0), TIMES, repeats=1
        ),
    }
    for what, found in results.items():
        print(f"{what:<24} {found:>10,.0f} frames/s")


if __name__ == "__main__":
    main()
