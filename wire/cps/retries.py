# ruff: noqa: E501 - a table
"""When a close that was not answered definitively is tried again (cps.md 4.4, DOC).

A suggestion of Payter's, not a rule: once a minute for five tries, then hourly for a
day, then daily for seven days. 200 and 409 end the tries; 200 with state FAILED ends
them too by that rule, and still is no success.

The sentence can be read in several ways; ``RETRY_QUESTIONS`` says what is open, and
``RETRY_READINGS`` are the plans that come of it. A controller may follow any of them,
or a tighter one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wire.cps.routes import Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPhase:
    """``times`` tries, each ``interval_ms`` after the one before."""

    times: int
    interval_ms: int
    grade: Grade = Grade.DOC


CLOSE_RETRIES: Final = (
    RetryPhase(times=5, interval_ms=60_000),
    RetryPhase(times=24, interval_ms=3_600_000),
    RetryPhase(times=7, interval_ms=86_400_000),
)
#: From the first attempt to the last retry, in milliseconds.
LONGEST_RETRY_MS: Final = sum(row.times * row.interval_ms for row in CLOSE_RETRIES)
#: Answers after which a close is not tried again.
DEFINITIVE_STATUSES: Final = frozenset({200, 409})


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryQuestion:
    """What the published sentence leaves open, and what each answer means."""

    clause: str
    question: str
    #: Answer -> what it makes of the plan.
    answers: Mapping[str, str]
    #: What the contract has settled for the examiner; empty: every answer is accepted.
    settled: str = ""


# fmt: off
RETRY_QUESTIONS: Final[Mapping[str, RetryQuestion]] = {
    "first_attempt": RetryQuestion(
        clause="cps.md 4.4", question="Does the first attempt count among the five by the minute?",
        answers={"no": "five tries follow the first attempt, a minute apart", "yes": "four tries follow it"},
        settled="no: device_under_test.md, How time is judged",
    ),
    "hourly_tries": RetryQuestion(
        clause="requirements.md 4.2", question="Hourly for 24 hours: are these 24 tries, or do the first minutes count?",
        answers={"24": "24 tries an hour apart", "23": "23 tries, the last one within the first 24 hours"},
    ),
    "seven_days": RetryQuestion(
        clause="cps.md 4.4, requirements.md 4.2", question="Daily up to 7 days: do the 7 days include the first day?",
        answers={"after": "seven daily tries follow the first day; the last one is on day 8", "include": "six daily tries; the last one is on day 7"},
    ),
    "interface": RetryQuestion(
        clause="requirements.md 4.2", question="The codes that end the tries are HTTP's: does the plan hold for PSP?",
        answers={"both": "the same plan over PSP", "cps": "over PSP no spacing is published; daily for 7 days is the least that fits the purpose"},
    ),
}
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryReading:
    """One plan that the sentence can mean."""

    #: Question -> answer, of those that are not settled.
    answers: Mapping[str, str]
    phases: tuple[RetryPhase, ...]
    interfaces: tuple[str, ...] = ("cps", "psp")

    @property
    def name(self) -> str:
        return ", ".join(f"{key}={value}" for key, value in self.answers.items())

    @property
    def length_ms(self) -> int:
        """From the first attempt to the last retry."""
        return sum(phase.times * phase.interval_ms for phase in self.phases)


def _plan(hourly: int, daily: int) -> tuple[RetryPhase, ...]:
    minutes, hours, days = CLOSE_RETRIES
    return (
        minutes,
        RetryPhase(times=hourly, interval_ms=hours.interval_ms),
        RetryPhase(times=daily, interval_ms=days.interval_ms),
    )


# fmt: off
RETRY_READINGS: Final = (
    RetryReading(answers={"hourly_tries": "24", "seven_days": "after"}, phases=CLOSE_RETRIES),
    RetryReading(answers={"hourly_tries": "24", "seven_days": "include"}, phases=_plan(24, 6)),
    RetryReading(answers={"hourly_tries": "23", "seven_days": "after"}, phases=_plan(23, 7)),
    RetryReading(answers={"hourly_tries": "23", "seven_days": "include"}, phases=_plan(23, 6)),
    RetryReading(answers={"interface": "cps"}, phases=(RetryPhase(times=7, interval_ms=86_400_000),), interfaces=("psp",)),
)
# fmt: on


def close_delay_ms(retry: int) -> int | None:
    """Wait before retry number ``retry`` (from 0); None when the schedule is over."""
    left = retry
    for phase in CLOSE_RETRIES:
        if left < phase.times:
            return phase.interval_ms
        left -= phase.times
    return None
