"""Bytes at a wrong rate: what a UART would read of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.uart import BAUD_RATES, duration_us, heard

RATES = st.sampled_from(BAUD_RATES)


@given(st.binary(), RATES)
def test_at_the_same_rate_it_is_what_was_sent(data: bytes, baud: int) -> None:
    assert heard(data, sent_baud=baud, read_baud=baud) == data


@given(st.binary(), RATES)
def test_two_per_cent_do_not_matter(data: bytes, baud: int) -> None:
    """Real quartzes are never the same; a block of bytes is in step at each start."""
    assert heard(data, sent_baud=baud * 98, read_baud=baud * 100) == data
    assert heard(data, sent_baud=baud * 102, read_baud=baud * 100) == data


@given(st.binary(min_size=1, max_size=300), RATES, RATES)
def test_another_rate_gives_other_bytes_and_not_many(
    data: bytes, sent: int, read: int
) -> None:
    found = heard(data, sent_baud=sent, read_baud=read)
    assert found == heard(data, sent_baud=sent, read_baud=read)
    assert len(found) <= 5 * len(data)
    if sent < read:
        assert len(found) >= len(data)


# By hand. U is 55 hex: start 0, then 1 0 1 0 1 0 1 0, stop 1, and 1 from then on.
@pytest.mark.parametrize(
    ("sent", "read", "expected"),
    [
        # Twice as fast, in halves of a bit: 00 11 00 11 00 | 11 00 11 00 11 11 ...
        # From the fall at 0: 0 11 00 11 0. It falls again at 12: 0 11 00 11 1.
        (9600, 19200, "66 e6"),
        # Eight times as fast, every bit at 0 is a byte of its own: seven zeros, a one.
        (9600, 76800, "80 80 80 80 80"),
    ],
)
def test_a_letter_at_a_slow_rate(sent: int, read: int, expected: str) -> None:
    found = heard(b"\x55", sent_baud=sent, read_baud=read)
    assert found.hex(" ") == expected


def test_how_long_bytes_take() -> None:
    assert duration_us(1, 9600) == 1042
    assert duration_us(960, 9600) == 1_000_000
    assert duration_us(0, 9600) == 0
