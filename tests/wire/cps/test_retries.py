"""The suggested schedule of closes, in figures."""

import pytest

from wire.cps import (
    CLOSE_RETRIES,
    DEFINITIVE_STATUSES,
    LONGEST_RETRY_MS,
    RETRY_QUESTIONS,
    RETRY_READINGS,
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


def test_every_reading_answers_questions_that_are_asked() -> None:
    asked = {key: row for key, row in RETRY_QUESTIONS.items() if not row.settled}
    for reading in RETRY_READINGS:
        for key, answer in reading.answers.items():
            assert answer in asked[key].answers, reading.name
    answered = {key for reading in RETRY_READINGS for key in reading.answers}
    assert answered == set(asked)


def test_the_readings_of_the_plan_differ_in_tries_and_length() -> None:
    hours = {r.name: r.length_ms / 3_600_000 for r in RETRY_READINGS}
    assert list(hours.values()) == pytest.approx(
        [192 + 1 / 12, 168 + 1 / 12, 191 + 1 / 12, 167 + 1 / 12, 168]
    )
    assert RETRY_READINGS[0].length_ms == LONGEST_RETRY_MS
    assert len({r.name for r in RETRY_READINGS}) == len(RETRY_READINGS)
