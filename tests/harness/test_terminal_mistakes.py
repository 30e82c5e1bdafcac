# ruff: noqa: E501 - a table
"""Every story of a failing terminal, of its line and of damaged blocks can be red.

For each scenario a controller that is wrong in just that matter, and what the examiner
must say of it; the same filter without a mistake is green everywhere (the features
themselves show that for the reference controller).
"""

import io
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from harness.places import FEATURES
from harness.run import RunOptions, play
from reports.feature_file import parse_feature
from tests.harness.mistakes.examined import catch, declared, examined

MISTAKES = "tests.harness.terminal_mistakes"
F = "terminal_fails.feature"
H = "terminal_line_fails.feature"
P = "damaged_blocks.feature"


pytestmark = pytest.mark.usefixtures("impatient")


@dataclass(frozen=True)
class Row:
    factory: str
    feature: str
    words: str
    columns: tuple[str, ...]
    #: A requirement, or words of what was seen.
    told: str


PSP = ("p6x", "apollo")
TCP = ("apollo",)
SERIAL = ("p6x",)
CPS = ("cps",)
ALL = (*PSP, *CPS)

# fmt: off
ROWS = [
    Row("forgets_with_its_terminal", F, "restarts before the driver plugs in", ALL, "R-TRM-08"),
    Row("forgets_with_its_terminal", F, "restarts, and the driver walks away", ALL, "R-NOS-01"),
    Row("forgets_with_its_terminal", F, "restarts during the charge, and the driver leaves", ALL, "R-TRM-08"),
    Row("connects_once", F, "leaves while the terminal starts", TCP, "LEFT OPEN"),
    Row("believes_every_close", F, "leaves while the terminal starts", (*SERIAL, *CPS), "LEFT OPEN"),
    Row("believes_its_reader", F, '"The terminal restarts during the charge"', SERIAL, "R-TRM-08"),
    Row("reads_once", F, '"The terminal restarts during the charge"', (*TCP, *CPS), "R-TRM-08"),
    Row("believes_every_close", F, "while the commit is under way", ALL, "R-RTY-09"),
    Row("believes_every_close", F, "before it sees the commit", PSP, "LEFT OPEN"),
    Row("believes_every_close", F, "not ready for two minutes", PSP, "LEFT OPEN"),
    Row("believes_its_reader", F, "the next question finds it", TCP, "R-TRM-12"),
    Row("believes_its_reader", F, "on a serial cable", SERIAL, "R-TRM-12"),
    Row("reads_once", F, "Every reading ends after a minute", PSP, "R-PSP-07"),
    Row("never_alarms", F, "breaks down during the charge", ALL, "R-RTY-05"),
    Row("connects_once", F, "repaired after two hours", TCP, "LEFT OPEN"),
    Row("believes_every_close", F, "repaired after two hours", (*SERIAL, *CPS), "LEFT OPEN"),
    Row("commits_what_is_forgotten", F, "is set up anew", PSP, "commits the full amount"),
    Row("ends_charges", F, "is set up anew", PSP, "ends sessions after 600 s"),
    Row("takes_not_found_for_closed", F, "before the driver leaves released", TCP, "R-PER-05"),
    Row("never_alarms", F, "before the driver leaves committed in full", PSP, "R-PER-05"),
    Row("believes_every_close", H, "offline when the driver leaves", CPS, "LEFT OPEN"),
    Row("believes_every_close", H, "a close still owed", CPS, "LEFT OPEN"),
    Row("reads_once", H, "Nobody is told", CPS, "R-TRM-05"),
    Row("believes_every_close", H, "the commit inside", TCP, "LEFT OPEN"),
    Row("connects_once", H, "the commit behind", TCP, "R-TRM-06"),
    Row("connects_once", H, "Five commits in a row", TCP, "LEFT OPEN"),
    Row("connects_once", H, "while nobody is served", TCP, "R-TRM-06"),
    Row("is_impatient", H, "A slow status", TCP, "R-RTY-06"),
    Row("believes_every_close", H, "is dead when the driver leaves", TCP, "LEFT OPEN"),
    Row("connects_once", H, "Nothing reaches the terminal", TCP, "R-TRM-07"),
    Row("believes_every_close", H, "cable is cut for an", PSP, "LEFT OPEN"),
    Row("believes_every_close", H, "the commit comes offline", PSP, "R-TRM-09"),
    Row("believes_every_close", H, "the commit comes online", PSP, "R-TRM-09"),
    Row("takes_damage_for_a_decline", P, "can be listed", SERIAL, "LEFT OPEN"),
    Row("takes_damage_for_a_decline", P, "cannot be listed", TCP, "R-RTY-07"),
    Row("ignores_checksums", P, "cannot be listed", TCP, "R-PSP-01"),
    Row("ignores_checksums", P, "The checksum of the answer", PSP, "R-PSP-02"),
    Row("believes_every_close", P, "of the answer is damaged magic", PSP, "R-PSP-02"),
    Row("loses_its_place", P, "of the answer is damaged preamble", PSP, "R-PSP-01"),
    Row("believes_every_close", P, "longer than it is", PSP, "R-PSP-02"),
    Row("believes_every_close", P, "The end of the answer", PSP, "R-PSP-02"),
    Row("one_piece_is_one_block", P, "byte by byte", PSP, "R-PSP-01"),
    Row("one_piece_is_one_block", P, "Two blocks arrive", TCP, "R-PSP-01"),
    Row("one_piece_is_one_block", P, "A card and the answer", TCP, "R-PSP-01"),
    Row("one_piece_is_one_block", P, "Noise comes", TCP, "R-PSP-01"),
    Row("connects_once", P, "extended blocks", TCP, "R-PSP-01"),
    Row("believes_every_close", P, "The checksum of the commit", PSP, "LEFT OPEN"),
    Row("believes_every_close", P, "finds the commit incorrect", PSP, "LEFT OPEN"),
    Row("never_alarms", P, "No commit arrives whole", PSP, "R-RTY-05"),
    Row("takes_a_status_for_a_result", P, "A status comes between", TCP, "R-PSP-03"),
    Row("takes_not_found_for_closed", P, "nobody has closed", TCP, "R-SES-08"),
    Row("swaps_its_bytes", P, "nobody has closed", TCP, "a close of session"),
]
# fmt: on
CASES = [
    pytest.param(row, column, id=f"{row.factory}-{row.words[:24]}-{column}")
    for row in ROWS
    for column in row.columns
]


@pytest.mark.parametrize(("row", "column"), CASES)
def test_a_mistake_is_red(row: Row, column: str, tmp_path: Path) -> None:
    path = declared(tmp_path, f"{MISTAKES}:{row.factory}", column)
    catch(examined(path, row.feature, row.words), row.told)


@pytest.mark.parametrize("column", ALL)
@pytest.mark.parametrize("feature", [F, H, P])
def test_the_filter_itself_changes_nothing(
    feature: str, column: str, tmp_path: Path
) -> None:
    path = declared(tmp_path, f"{MISTAKES}:makes_no_mistake", column)
    options = RunOptions(paths=(FEATURES / feature,), declaration=path)
    run, _ = play(options, Console(file=io.StringIO()))
    assert all(case.is_green for case in run.cases)


def test_every_scenario_has_a_controller_that_fails_it() -> None:
    titles = [
        one.title
        for feature in (F, H, P)
        for one in parse_feature(
            (FEATURES / feature).read_text("utf-8"), feature
        ).scenarios
    ]
    red = [{*row.words.strip('"').lower().split()} - EXAMPLES for row in ROWS]
    assert [t for t in titles if not any(w <= _words(t) for w in red)] == []


#: Words of rows that are in the examples of an outline, not in its title.
EXAMPLES = {"released", "in", "full", "inside", "behind", "offline", "online", "magic"}
EXAMPLES |= {"committed", "preamble"}


def _words(title: str) -> set[str]:
    return {*title.lower().split()}
