"""Tags: what is written can be read, what is broken is refused with words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.psp import DEFAULT_TAGS, TAGS, LocalProtocolError, RemoteProtocolError
from wire.psp.tlv import (
    TWO_DEFAULT_TAGS,
    decode_tag_list,
    decode_tlv,
    encode_tag,
    encode_tag_list,
    encode_tlv,
)

tags = st.sampled_from([*TAGS, 0x5A, 0x9F26, 0x00, 0xDF818001])
pairs = st.lists(st.tuples(tags, st.binary(max_size=300)), max_size=4)


@given(pairs=pairs)
def test_round_trip(pairs: list[tuple[int, bytes]]) -> None:
    assert decode_tlv(encode_tlv(pairs)) == tuple(pairs)


@given(wanted=st.lists(tags, max_size=8))
def test_lists_of_tags(wanted: list[int]) -> None:
    assert decode_tag_list(encode_tag_list(wanted)) == tuple(wanted)


@pytest.mark.parametrize(
    ("size", "head"),
    [(0x7F, "7f"), (0x80, "8180"), (0xFF, "81ff"), (0x100, "820100")],
)
def test_lengths_are_as_short_as_they_can_be(size: int, head: str) -> None:
    data = encode_tlv([(0xDFF006, bytes(size))])
    assert data[3 : 3 + len(head) // 2].hex() == head


def test_longest_value() -> None:
    data = encode_tlv([(0x5A, bytes(0xFFFF))])
    assert decode_tlv(data) == ((0x5A, bytes(0xFFFF)),)
    with pytest.raises(LocalProtocolError, match="found 65536 bytes"):
        encode_tlv([(0x5A, bytes(0x10000))])


def test_longer_form_than_needed_is_read() -> None:
    assert decode_tlv(bytes.fromhex("5A 81 01 07")) == ((0x5A, b"\x07"),)


@pytest.mark.parametrize("tag", [-1, 1 << 32, 0xDF, 0x5A5A, 0xDFF0, 0xDFF08080])
def test_what_is_no_tag_is_not_sent(tag: int) -> None:
    with pytest.raises(LocalProtocolError, match="tag: found"):
        encode_tag(tag)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("DF F0", "it goes on"),
        ("DF", "it goes on"),
        ("DF F0 80 80 80 00", "found 6 bytes, allowed at most 4"),
        ("5A", "found the end of the data"),
        ("5A 81", "found the end of the data"),
        ("5A 82 01", "found the end of the data"),
        ("5A 80 00", "found 0x80, allowed"),
        ("5A 83 00 00 00", "found 0x83, allowed"),
        ("5A 02 00", "found 1 bytes of value, its length says 2"),
    ],
)
def test_broken_data_is_theirs(data: str, words: str) -> None:
    with pytest.raises(RemoteProtocolError, match=words):
        decode_tlv(bytes.fromhex(data))


def test_defaults_are_in_the_table() -> None:
    assert set(DEFAULT_TAGS) <= set(TAGS)
    assert set(TWO_DEFAULT_TAGS) < set(DEFAULT_TAGS)
    assert len(DEFAULT_TAGS) == 6


def test_every_tag_of_the_table_is_a_tag_of_three_bytes() -> None:
    assert {len(encode_tag(tag)) for tag in TAGS} == {3}
    assert all(row.meaning for row in TAGS.values())
