"""The figures of psp.md 4.1 and requirements 3.2, written down a second time."""

import pytest

from wire.psp import (
    CARD_DETECT_MS,
    CARD_KEPT_MS,
    INTER_BYTE_MS,
    KEEP_ALIVE_MS,
    TCP_IDLE_CLOSE_MS,
    TIMEOUTS,
    Family,
    Mark,
    Name,
    answer_limit_ms,
)


@pytest.mark.parametrize(
    ("name", "p6x_ms", "apollo_ms"),
    [
        (Name.START_SESSION, None, None),
        (Name.READ_CARD, None, None),
        (Name.AUTH_SESSION, 30_000, 210_000),
        (Name.COMMIT_SESSION, 60_000, 60_000),
        (Name.VOID_SESSION, 60_000, 60_000),
        (Name.GET_RECEIPT, 10_000, 15_000),
        (Name.GET_STATUS, 10_000, 5_000),
        (Name.CANCEL_SESSION, 10_000, 5_000),
    ],
)
def test_answer_limits(name: Name, p6x_ms: int | None, apollo_ms: int | None) -> None:
    assert answer_limit_ms(name, Family.P6X) == p6x_ms
    assert answer_limit_ms(name, Family.APOLLO) == apollo_ms


def test_figures() -> None:
    assert TCP_IDLE_CLOSE_MS == 20_000
    assert KEEP_ALIVE_MS == 15_000
    assert CARD_KEPT_MS == 30_000
    assert CARD_DETECT_MS == 60_000
    assert INTER_BYTE_MS == 1_000


def test_rows_say_where_they_come_from() -> None:
    for name, row in TIMEOUTS.items():
        assert row.clause.startswith("psp.md"), name
        assert isinstance(row.mark, Mark)
        assert row.families
        assert row.about
        assert row.value_ms is None or row.value_ms > 0


def test_no_request_has_two_limits() -> None:
    for family in Family:
        named = [
            request
            for row in TIMEOUTS.values()
            if family in row.families
            for request in row.requests
        ]
        assert len(named) == len(set(named))
