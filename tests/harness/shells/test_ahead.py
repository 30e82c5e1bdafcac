"""What is made ahead is what would be made later, and nothing is lost without it."""

import multiprocessing
import os
from pathlib import Path

from harness.feature_lint import lint, lint_good
from harness.places import FEATURES
from harness.shells.ahead import Ahead, Made
from simulator.people import People, draw_names
from simulator.seed import Seed

GOOD = """Feature: one
  Scenario: One
    When 5 minutes pass
    Then no session is opened
"""
BROKEN = "Feature: two of one title\n  Scenario: One\n  Scenario: One\n"


def test_the_second_process_makes_what_the_first_would() -> None:
    made = Ahead([FEATURES]).made()
    files = sorted(FEATURES.rglob("*.feature"))
    assert made.names == draw_names()
    assert made.expected == {path: lint(path) for path in files}


def test_a_second_process_that_dies_is_no_loss(tmp_path: Path) -> None:
    # Nobody ever writes into it, so the process that reads it is there to be killed.
    os.mkfifo(tmp_path / "endless.feature")
    ahead = Ahead([tmp_path])
    for child in multiprocessing.active_children():
        child.kill()
    assert ahead.made() == Made()


def test_a_file_with_a_problem_is_left_for_whoever_collects_it(tmp_path: Path) -> None:
    path = tmp_path / "broken.feature"
    path.write_text(BROKEN, encoding="utf-8")
    good = tmp_path / "good.feature"
    good.write_text(GOOD, encoding="utf-8")
    assert lint_good([tmp_path, tmp_path / "missing.feature"]) == {good: 1}


def test_people_have_the_same_names_however_these_were_drawn() -> None:
    drawn = People(Seed(5), names=Ahead([FEATURES]).made().names)
    drawing = People(Seed(5))
    assert [drawn.meet() for _ in range(70)] == [drawing.meet() for _ in range(70)]
