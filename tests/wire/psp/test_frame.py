"""Blocks in any pieces, behind any garbage, after any damage."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wire.psp import (
    MAX_CLASSIC_BLOCK_BYTES,
    MAX_EXTENDED_BLOCK_BYTES,
    BadBlock,
    Block,
    BlockDecoder,
    Direction,
    LocalProtocolError,
    encode_block,
)
from wire.psp.frame import build_block

HOST = Direction.TO_HOST
TERMINAL = Direction.TO_TERMINAL
GET_STATUS = bytes.fromhex("CC 02 3C 26 30")
RESULT_OK = bytes.fromhex("AA 03 3C 00 00 E9")
ODD = bytes.fromhex("E0 03 55 00 00 38")  # preamble E0, magic 55: P6X by the old pages
PREAMBLE = {HOST: 0xAA, TERMINAL: 0xCC}


def oracle(stream: bytes, preamble: int, *, extended: bool = False) -> list[bytes]:
    """The blocks of a complete stream, by the rules alone: first come, first served."""
    width = 4 if extended else 1
    most = MAX_EXTENDED_BLOCK_BYTES if extended else MAX_CLASSIC_BLOCK_BYTES
    found = []
    at = 0
    while at < len(stream):
        length = int.from_bytes(stream[at + 1 : at + 1 + width], "big")
        raw = stream[at : at + length + width + 2]
        is_block = (
            raw[0] == preamble
            and length >= 2
            and len(raw) == length + width + 2 <= most
            and raw[width + 1] == 0x3C
            and sum(raw[:-1]) % 256 == raw[-1]
        )
        found += [raw] if is_block else []
        at += len(raw) if is_block else 1
    return found


def feed(
    decoder: BlockDecoder, pieces: Iterable[bytes], *, end: bool = True
) -> list[Block | BadBlock]:
    found: list[Block | BadBlock] = []
    for now_ms, piece in enumerate(pieces):
        found += decoder.receive(piece, now_ms)
    if end:
        found += decoder.on_deadline(1_000_000)
    return found


def blocks(found: Iterable[Block | BadBlock]) -> list[bytes]:
    return [item.raw for item in found if isinstance(item, Block)]


def faults(found: Iterable[Block | BadBlock]) -> list[tuple[str, str]]:
    return [
        (item.reason, item.raw.hex(" ")) for item in found if isinstance(item, BadBlock)
    ]


def cut(stream: bytes, places: Iterable[int]) -> list[bytes]:
    at = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[a:b] for a, b in pairwise(at)]


# Garbage is rich in bytes that mean something to the decoder.
garbage = st.lists(
    st.one_of(
        st.sampled_from([0xCC, 0xAA, 0x3C, 0x02, 0x00, 0xFF]), st.integers(0, 255)
    ),
    max_size=12,
).map(bytes)
places = st.lists(st.integers(0, 10_000), max_size=8)


@st.composite
def streams(draw: st.DrawFn, *, extended: bool = False) -> bytes:
    """Blocks with garbage in front of, between and behind them."""
    direction = draw(st.sampled_from(Direction))
    parts: list[bytes] = []
    for _ in range(draw(st.integers(1, 4))):
        payload = draw(st.binary(max_size=20))
        header = draw(st.integers(0, 255))
        parts.append(draw(garbage))
        parts.append(
            encode_block(header, payload, direction=direction, extended=extended)
        )
    parts.append(draw(garbage))
    return b"".join(parts)


class TestStreams:
    @settings(max_examples=150, deadline=None)
    @given(stream=streams(), where=places, direction=st.sampled_from(Direction))
    def test_any_pieces_give_the_blocks_of_the_whole(
        self, stream: bytes, where: list[int], direction: Direction
    ) -> None:
        found = feed(BlockDecoder(direction), cut(stream, where))
        assert blocks(found) == oracle(stream, PREAMBLE[direction])

    @settings(max_examples=100, deadline=None)
    @given(stream=streams(extended=True), where=places)
    def test_extended_blocks_in_any_pieces(
        self, stream: bytes, where: list[int]
    ) -> None:
        decoder = BlockDecoder(HOST, extended=True)
        found = feed(decoder, cut(stream, where))
        assert blocks(found) == oracle(stream, 0xAA, extended=True)

    @settings(max_examples=100, deadline=None)
    @given(stream=streams(), at=st.integers(0, 10_000), flip=st.integers(1, 255))
    def test_one_damaged_byte(self, stream: bytes, at: int, flip: int) -> None:
        damaged = bytearray(stream)
        damaged[at % len(stream)] ^= flip
        found = feed(BlockDecoder(TERMINAL), [bytes(damaged)])
        assert blocks(found) == oracle(bytes(damaged), 0xCC)

    @settings(max_examples=100, deadline=None)
    @given(stream=streams(), where=places)
    def test_every_byte_is_reported_and_the_buffer_is_bounded(
        self, stream: bytes, where: list[int]
    ) -> None:
        decoder = BlockDecoder(HOST)
        found: list[Block | BadBlock] = []
        for piece in cut(stream, where):
            found += decoder.receive(piece, 0)
            assert len(decoder.pending) < MAX_CLASSIC_BLOCK_BYTES
            assert (decoder.deadline_ms() is None) == (not decoder.pending)
        found += decoder.on_deadline(1_000)
        assert not decoder.pending
        assert sum(len(item.raw) for item in found) >= len(stream)

    @settings(max_examples=100, deadline=None)
    @given(stream=streams(), where=places)
    def test_a_free_preamble_never_raises_and_ends_empty(
        self, stream: bytes, where: list[int]
    ) -> None:
        decoder = BlockDecoder(HOST, preamble=None)
        found = feed(decoder, cut(stream, where))
        assert decoder.pending == b""
        assert sum(len(item.raw) for item in found) >= len(stream)


class TestGoodBlocks:
    def test_parts_of_a_block(self) -> None:
        (block,) = BlockDecoder(TERMINAL).receive(GET_STATUS, 0)
        assert block == Block(0x26, b"", GET_STATUS)

    def test_two_blocks_in_one_piece(self) -> None:
        found = BlockDecoder(HOST).receive(RESULT_OK * 2, 0)
        assert blocks(found) == [RESULT_OK] * 2

    def test_byte_by_byte(self) -> None:
        pieces = [bytes((byte,)) for byte in GET_STATUS * 3]
        assert blocks(feed(BlockDecoder(TERMINAL), pieces)) == [GET_STATUS] * 3

    def test_largest_classic_block(self) -> None:
        raw = encode_block(0x34, bytes(253), direction=HOST)
        assert len(raw) == MAX_CLASSIC_BLOCK_BYTES
        assert blocks(BlockDecoder(HOST).receive(raw, 0)) == [raw]

    def test_largest_extended_block(self) -> None:
        size = MAX_EXTENDED_BLOCK_BYTES - 8
        raw = encode_block(0x34, bytes(size), direction=HOST, extended=True)
        decoder = BlockDecoder(HOST, extended=True)
        assert blocks(decoder.receive(raw, 0)) == [raw]

    @pytest.mark.parametrize(("size", "extended"), [(254, False), (16_377, True)])
    def test_too_long_to_send(self, size: int, extended: bool) -> None:
        with pytest.raises(
            LocalProtocolError, match=r"found \d+ bytes, allowed at most"
        ):
            encode_block(0x34, bytes(size), direction=HOST, extended=extended)

    def test_format_can_change_between_blocks(self) -> None:
        decoder = BlockDecoder(TERMINAL)
        decoder.receive(GET_STATUS, 0)
        decoder.extended = True
        raw = bytes.fromhex("CC 00 00 00 02 3C 26 30")
        assert blocks(decoder.receive(raw, 0)) == [raw]


class TestBadBlocks:
    def test_garbage_in_front_is_noise(self) -> None:
        found = BlockDecoder(TERMINAL).receive(b"\x00\x01" + GET_STATUS, 0)
        assert faults(found) == [("noise", "00 01")]
        assert blocks(found) == [GET_STATUS]

    def test_bad_checksum_is_told_once_with_its_header(self) -> None:
        bad = bytes.fromhex("CC 06 3C 33 00 CC 00 0A 4B")
        found = BlockDecoder(TERMINAL).receive(bad + GET_STATUS, 0)
        assert found[0] == BadBlock("checksum", bad, 0x33)
        assert faults(found) == [("checksum", bad.hex(" "))]
        assert blocks(found) == [GET_STATUS]

    def test_wrong_magic(self) -> None:
        found = BlockDecoder(TERMINAL).receive(bytes.fromhex("CC 02 3D 26 31"), 0)
        assert faults(found) == [("magic", "cc 02 3d"), ("noise", "26 31")]

    def test_any_magic_can_be_let_pass(self) -> None:
        raw = bytes.fromhex("CC 02 3D 26 31")
        decoder = BlockDecoder(TERMINAL)
        decoder.magic = None
        assert blocks(decoder.receive(raw, 0)) == [raw]

    def test_impossible_length(self) -> None:
        found = BlockDecoder(TERMINAL).receive(b"\xcc\x01\x3c" + GET_STATUS, 0)
        assert faults(found) == [("length", "cc 01 3c")]
        assert blocks(found) == [GET_STATUS]

    def test_longer_than_the_limit(self) -> None:
        decoder = BlockDecoder(TERMINAL, max_block_bytes=37)
        raw = encode_block(0x34, bytes(33), direction=TERMINAL)
        found = decoder.receive(raw, 0)
        assert [item.raw[:3].hex() for item in found] == ["cc233c", "340000"]
        assert found[0].header == 0x34
        assert isinstance(found[0], BadBlock)
        assert found[0].reason == "too_long"

    def test_classic_block_where_extended_is_agreed(self) -> None:
        found = BlockDecoder(TERMINAL, extended=True).receive(GET_STATUS, 0)
        assert [item.reason for item in found if isinstance(item, BadBlock)] == [
            "too_long"
        ]

    def test_block_hidden_behind_a_false_preamble(self) -> None:
        # CC FF 3C promises 258 bytes; the good block in it comes out when time is up.
        decoder = BlockDecoder(TERMINAL)
        assert decoder.receive(b"\xcc\xff\x3c" + GET_STATUS, 100) == []
        assert decoder.deadline_ms() == 1_100
        assert decoder.on_deadline(1_099) == []
        found = decoder.on_deadline(1_100)
        assert faults(found) == [("stale", "cc ff 3c cc 02 3c 26 30")]
        assert blocks(found) == [GET_STATUS]
        assert decoder.deadline_ms() is None

    def test_truncated_block_does_not_swallow_the_next(self) -> None:
        decoder = BlockDecoder(TERMINAL)
        decoder.receive(GET_STATUS[:3], 0)
        found = decoder.receive(GET_STATUS, 1_000)
        assert faults(found) == [("stale", "cc 02 3c")]
        assert blocks(found) == [GET_STATUS]

    def test_each_byte_gives_a_block_more_time(self) -> None:
        decoder = BlockDecoder(TERMINAL, inter_byte_ms=50)
        for at, byte in enumerate(GET_STATUS[:-1]):
            decoder.receive(bytes((byte,)), at * 49)
        decoder.receive(b"", 190)
        assert decoder.deadline_ms() == 3 * 49 + 50
        assert blocks(decoder.receive(GET_STATUS[-1:], 4 * 49)) == [GET_STATUS]

    def test_a_closed_line_forgets(self) -> None:
        decoder = BlockDecoder(TERMINAL)
        decoder.receive(GET_STATUS[:4], 0)
        decoder.clear()
        assert decoder.deadline_ms() is None
        assert blocks(decoder.receive(GET_STATUS, 0)) == [GET_STATUS]

    def test_a_block_that_begins_in_reported_bytes_goes_on(self) -> None:
        # The damaged block ends in a preamble: the candidate there reaches beyond it.
        bad = bytes.fromhex("CC 03 3C 26 CC 00")
        found = feed(BlockDecoder(TERMINAL), [bad, GET_STATUS])
        assert found[0] == BadBlock("checksum", bad, 0x26)
        assert blocks(found) == [GET_STATUS]


class TestFreePreamble:
    """P6X: address byte and magic are configurable (C2, C3)."""

    def test_any_preamble_and_magic(self) -> None:
        found = BlockDecoder(HOST, preamble=None).receive(ODD + RESULT_OK, 0)
        assert blocks(found) == [ODD, RESULT_OK]

    def test_usual_magic_wins_over_unfinished_noise(self) -> None:
        found = BlockDecoder(HOST, preamble=None).receive(
            b"\xe0\x70\x01" + RESULT_OK, 0
        )
        assert faults(found) == [("noise", "e0 70 01")]
        assert blocks(found) == [RESULT_OK]

    def test_unfinished_odd_block_waits_when_nothing_better_is_there(self) -> None:
        decoder = BlockDecoder(HOST, preamble=None)
        assert decoder.receive(ODD[:4] + b"\x3c", 0) == []
        assert decoder.pending == ODD[:4] + b"\x3c"

    def test_bad_checksum_of_a_usual_block(self) -> None:
        bad = RESULT_OK[:-1] + b"\x00"
        found = feed(BlockDecoder(HOST, preamble=None), [bad])
        assert faults(found)[0] == ("checksum", bad.hex(" "))

    def test_noise_is_told_in_one_piece(self) -> None:
        found = BlockDecoder(HOST, preamble=None).receive(bytes(9) + RESULT_OK, 0)
        assert blocks(found) == [RESULT_OK]
        assert len(faults(found)) == 1

    def test_build_with_another_preamble(self) -> None:
        assert build_block(b"\x55\x00\x00", preamble=0xE0) == ODD
