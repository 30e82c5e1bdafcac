"""Kinds of fields at their limits. Whole messages are fuzzed in ``test_codec``."""

import pytest

from wire.psp import LocalProtocolError, RemoteProtocolError, Value
from wire.psp.fields import (
    Bytes,
    Kind,
    Number,
    Numbers,
    PaddedText,
    Raw,
    TagList,
    Text,
    TextPairs,
    Tlv,
)

# fmt: off
PACKED: list[tuple[Kind, Value, str]] = [
    (Number(1), 255, "ff"),
    (Number(4), 2**32 - 1, "ffffffff"),
    (Number(1, (1, 2)), 2, "02"),
    (Text(3), "ab", "616200"),
    (Text(1), "", "00"),
    (Text(3), "é", "c3a900"),
    (PaddedText(4), "ab", "61620000"),
    (Bytes(2), b"\x01\x02", "0102"),
    (Raw(), b"", ""),
    (TagList(), (0xDFF006, 0xDFCA0B), "06dff006dfca0b"),
    (TagList(), (), "00"),
    (Tlv(1, (1,)), ((0x5A, b"\x07"),), "035a0107"),
    (Tlv(2, (2, 1)), ((0x5A, b"\x07"),), "00035a0107"),
    (Numbers(4), (66, 67), "0000004200000043"),
    (TextPairs(9), (("a", ""), ("b", "c")), "61000062006300"),
]
OURS: list[tuple[Kind, object, str]] = [
    (Number(1), 256, "found 256, allowed 0 to 255"),
    (Number(1), -1, "found -1, allowed 0 to 255"),
    (Number(1), "1", "allowed 0 to 255"),
    (Number(1, (1, 2)), 3, r"found 3, allowed one of \(1, 2\)"),
    (Text(3), "abc", "allowed 3 bytes with its NUL"),
    (Text(3), "a\0", "allowed text without NUL"),
    (Text(3), 1, "allowed text without NUL"),
    (PaddedText(2), "ab", "allowed 2 bytes with its NUL"),
    (PaddedText(2), "\0", "allowed text without NUL"),
    (PaddedText(2), 1, "allowed text without NUL"),
    (Bytes(2), b"a", "allowed 2 bytes"),
    (Bytes(2), "ab", "allowed 2 bytes"),
    (Raw(), "ab", "allowed bytes"),
    (TagList(), 5, "allowed a tuple of numbers"),
    (TagList(), (("a", "b"),), "allowed a tuple of numbers"),
    (TagList(), (0xDFF006,) * 86, "allowed 255 bytes of tags"),
    (Tlv(1, (1,)), 5, "allowed a tuple of"),
    (Tlv(1, (1,)), (5,), "allowed a tuple of"),
    (Tlv(1, (1,)), ((0x5A, bytes(254)),), "found 257, allowed 255 bytes"),
    (Numbers(4), (2**32,), "allowed 0 to"),
    (TextPairs(9), 5, "allowed a tuple of"),
    (TextPairs(9), (("a", 1),), "allowed a tuple of"),
]
THEIRS: list[tuple[Kind, str, str]] = [
    (Number(4), "000000", "found 3 bytes, allowed 4"),
    (Number(1, (1, 2)), "03", "found 3, allowed one of"),
    (Text(9), "6162", "without its NUL"),
    (Text(2), "616200", "found 3 bytes, allowed 2"),
    (Text(9), "ff00", "found ff, allowed UTF-8"),
    (PaddedText(3), "6162", "found 2 bytes, allowed 3"),
    (PaddedText(2), "ff00", "allowed UTF-8"),
    (Bytes(2), "00", "found 1 bytes, allowed 2"),
    (TagList(), "", "found 0 bytes, allowed 1"),
    (TagList(), "03dff0", "found 2 bytes, allowed 3"),
    (TagList(), "02dff0", "it goes on"),
    (Tlv(1, (1,)), "", "found 0 bytes"),
    (Tlv(1, (1,)), "045a0107", "that start with 04 5a"),
    (Tlv(1, (1,)), "025a01", "its length says 1"),
    (Numbers(4), "0000004200", "found 5 bytes, allowed a multiple of 4"),
    (TextPairs(9), "6100", "without its NUL"),
]
# fmt: on


@pytest.mark.parametrize(("kind", "value", "packed"), PACKED)
def test_both_ways(kind: Kind, value: Value, packed: str) -> None:
    data = bytes.fromhex(packed)
    assert kind.pack(value) == data
    assert kind.unpack(b"\xee" + data, 1) == (value, len(data) + 1)


@pytest.mark.parametrize(("kind", "value", "words"), OURS)
def test_our_mistakes(kind: Kind, value: object, words: str) -> None:
    with pytest.raises(LocalProtocolError, match=words):
        kind.pack(value)  # type: ignore[arg-type]  # that is the test


@pytest.mark.parametrize(("kind", "packed", "words"), THEIRS)
def test_their_mistakes(kind: Kind, packed: str, words: str) -> None:
    with pytest.raises(RemoteProtocolError, match=words):
        kind.unpack(bytes.fromhex(packed), 0)


def test_both_widths_of_a_length_are_told_apart() -> None:
    wide = Tlv(2, reads=(2, 1))
    expected = ((0x5A, b"\x07"),)
    assert wide.unpack(bytes.fromhex("035a0107"), 0)[0] == expected
    assert wide.unpack(bytes.fromhex("00035a0107"), 0)[0] == expected


def test_text_ends_at_the_first_nul_of_its_place() -> None:
    assert PaddedText(5).unpack(b"ab\0xy", 0) == ("ab", 5)
