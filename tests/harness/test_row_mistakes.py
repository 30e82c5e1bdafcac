# ruff: noqa: E501 - a table
"""What rows of the catalogue ask besides a close can be missed, and is found missing.

Each scenario here is green for the reference controller (the features show that) and
red for one that is wrong in just what the row of the catalogue says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.bench import Bench
from harness.watch import Breach
from steps.controller import alarm_raised, alarm_raised_within
from tests.harness.mistakes.examined import catch, declared, examined

DIES = "controller_dies.feature"
LINES = "lines_fail.feature"
VEHICLE = "vehicle_fails.feature"
CLOUD = "misleading_answers.feature"
LONG = "closing_takes_long.feature"

PSP = ("p6x", "apollo")
CPS = ("cps",)
ALL = (*PSP, *CPS)
FORGETS = "mistakes:forgets_its_ledger"
BELIEVES = "terminal_mistakes:believes_every_close"
READS_ONCE = "terminal_mistakes:reads_once"
MUTE = "terminal_mistakes:never_alarms"


@dataclass(frozen=True)
class Row:
    factory: str
    feature: str
    words: str
    columns: tuple[str, ...]
    #: Words of what was expected or seen.
    told: str


Make = Callable[..., Bench]

# fmt: off
ROWS = [
    Row(FORGETS, DIES, "before the answer to its commit", ALL, "a second close"),
    Row(FORGETS, DIES, "hears that its commit was refused", ("p6x",), "the same close again"),
    Row(FORGETS, DIES, "hears that its commit was refused", ("apollo", *CPS), "a second close"),
    Row(FORGETS, DIES, "before it sends the commit 75", ALL, "session committed"),
    Row(FORGETS, DIES, "before it sends the commit 62", ALL, "session committed"),
    Row(FORGETS, DIES, "two days before it sends the commit", ALL, "session committed"),
    Row("mistakes:never_cancels", DIES, "torn while a session is open", ("p6x", *CPS), "LEFT OPEN"),
    Row("terminal_mistakes:tells_nobody", LINES, "host is away when the driver taps", ALL, "the driver told"),
    Row(BELIEVES, CLOUD, "done and its answer never comes", CPS, "409 as the last answer"),
    Row(BELIEVES, CLOUD, "breaks before the answer", CPS, "409 as the last answer"),
    Row(BELIEVES, CLOUD, "does not reach the cloud hangs", CPS, "LEFT OPEN"),
    Row(BELIEVES, CLOUD, "does not reach the cloud never", CPS, "LEFT OPEN"),
    Row(BELIEVES, CLOUD, "release is done hangs", CPS, "409 as the last answer"),
    Row(BELIEVES, CLOUD, "release is done never", CPS, "409 as the last answer"),
    Row(BELIEVES, CLOUD, "release is answered 400", CPS, "LEFT OPEN"),
    Row(BELIEVES, CLOUD, "release is answered 429", CPS, "LEFT OPEN"),
    Row("mistakes:takes_failure_for_success", CLOUD, "release is answered 404", CPS, "LEFT OPEN"),
    Row(READS_ONCE, CLOUD, "cloud cannot authorise", CPS, "terminal"),
    Row(READS_ONCE, CLOUD, "cloud cannot start the terminal", CPS, "2 sessions; 1 sessions"),
    Row(MUTE, CLOUD, "may not close sessions", CPS, "an alarm 'key'"),
    Row(MUTE, LONG, "takes the commit on day 6", PSP, "an alarm 'close_failed'"),
    Row(BELIEVES, LONG, "takes the commit on day 6", PSP, "one effective commit"),
    Row(MUTE, LONG, "terminal cannot be reached for more than 24", PSP, "an alarm 'close_failed'"),
    Row("mistakes.own_charge:keeps_the_place", VEHICLE, "another one comes", ALL, "energy at connector 1"),
    Row("mistakes.own_charge:writes_with_the_next", DIES, "takes writes again", ALL, "closes sent"),
]
# fmt: on
CASES = [
    pytest.param(row, column, id=f"{row.words[-24:]}-{row.factory[-12:]}-{column}")
    for row in ROWS
    for column in row.columns
]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("row", "column"), CASES)
def test_a_mistake_is_red(row: Row, column: str, tmp_path: Path) -> None:
    path = declared(tmp_path, f"tests.harness.{row.factory}", column)
    catch(examined(path, row.feature, row.words), row.told)


def test_an_alarm_that_comes_late_is_late_however_long_was_waited(
    opened: Bench,
) -> None:
    opened.run_for(90_000)
    line = {"type": "alarm", "code": "key", "text": "late"}
    fields = {"direction": "to_charger", "line": line, "fate": "delivered"}
    opened.trace.append(opened.now_ms, "bay", fields)
    opened.run_for(90_000)
    with pytest.raises(Breach, match="an alarm 'key' within 60 s"):
        alarm_raised(opened, "key")
    alarm_raised_within(opened, "key", 90_000)


@pytest.fixture
def opened(make_bench: Make) -> Bench:
    bench = make_bench("apollo")
    bench.open()
    return bench
