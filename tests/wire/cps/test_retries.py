"""The suggested schedule of closes, in figures."""

from wire.cps import (
    CLOSE_RETRIES,
    DEFINITIVE_STATUSES,
    LONGEST_RETRY_MS,
    close_delay_ms,
)


def test_the_schedule_is_the_documented_one() -> None:
    delays = [close_delay_ms(retry) for retry in range(37)]
    assert delays[:5] == [60_000] * 5
    assert delays[5:29] == [3_600_000] * 24
    assert delays[29:36] == [86_400_000] * 7
    assert delays[36] is None


def test_the_longest_retry_is_the_sum_of_all() -> None:
    count = sum(phase.times for phase in CLOSE_RETRIES)
    delays = [close_delay_ms(retry) or 0 for retry in range(count)]
    assert sum(delays) == LONGEST_RETRY_MS == 300_000 + 86_400_000 + 7 * 86_400_000


def test_two_answers_end_the_retries() -> None:
    assert sorted(DEFINITIVE_STATUSES) == [200, 409]
