"""A run is a function of scenario, column and seed, and of nothing else.

Whole processes are compared, started under other hash seeds, locales and time zones;
what they must agree on are the bytes of the traces.
"""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli import app

ROOT = Path(__file__).resolve().parents[2]
NOHOLD = [sys.executable, "-c", "from harness.cli import main; main()"]
#: A charge, a release, a power cut, and the rows of an outline.
STORIES = """
Feature: Stories
  Scenario: A charge
    Given the driver is charging at connector 1
    When the driver unplugs at connector 1
    Then the driver's session is committed within 10 seconds

  Scenario: Nobody plugs in
    Given the driver has been authorised
    When 5 minutes pass
    Then the driver's session is released within 10 seconds

  Scenario: The power fails
    Given the driver is charging at connector 1
    When the site loses power for 10 minutes
    Then the driver's session is committed within 200 seconds

  Scenario Outline: The pilot falls
    Given the driver is charging at connector 1
    When the pilot of connector 1 falls to <pilot>
    Then the driver's session is committed within 10 seconds

    Examples:
      | pilot |
      | E     |
      | F     |
"""
CASES = 5 * 3


@pytest.fixture
def feature(tmp_path: Path) -> Path:
    path = tmp_path / "stories.feature"
    path.write_text(STORIES, encoding="utf-8")
    return path


def started(feature: Path, folder: Path, **environment: str) -> subprocess.Popen[bytes]:
    """``nohold run`` in a process of its own, its traces in ``folder``."""
    arguments = ["run", str(feature), "--seed", "3", "--trace-dir", str(folder)]
    return subprocess.Popen(
        [*NOHOLD, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def traces(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_two_processes_write_the_same_bytes(feature: Path, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    # fmt: off
    runs = [
        started(feature, here, PYTHONHASHSEED="1", LC_ALL="C", TZ="UTC"),
        started(feature, there, PYTHONHASHSEED="2", LC_ALL="C.UTF-8", TZ="Asia/Kathmandu"),
    ]
    # fmt: on
    said = [run.communicate()[0].decode() for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    first, second = traces(here), traces(there)
    assert len(first) == CASES, "one file for each case"
    assert list(first) == list(second)
    for name, content in first.items():
        assert content.count(b"\n") > 50
        assert content == second[name], f"{name} differs"


def run_here(*arguments: str) -> None:
    result = CliRunner().invoke(app, ["run", *arguments])
    assert result.exit_code == 0, result.output


def test_another_seed_is_another_run(feature: Path, tmp_path: Path) -> None:
    found = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        chosen = ("-k", "A charge", "--seed", seed)
        run_here(str(feature), *chosen, "--trace-dir", str(folder))
        found.append(
            [
                [json.loads(line) for line in trace.splitlines()]
                for trace in traces(folder).values()
            ]
        )
    one, other = found
    assert [trace[0]["column"] for trace in one] == ["apollo", "cps", "p6x"]
    assert list(map(people, one)) != list(map(people, other))
    for first, second in zip(one, other, strict=True):
        assert registers(first) != registers(second)


def people(records: list[dict[str, object]]) -> set[object]:
    return {record["driver"] for record in records if record["kind"] == "act"}


def registers(records: list[dict[str, object]]) -> list[object]:
    lines = [record["line"] for record in records if record["kind"] == "bay"]
    return [
        line["energy_wh"]
        for line in lines
        if isinstance(line, dict) and line.get("type") == "meter"
    ]


def test_the_replay_line_plays_the_very_case_again(
    feature: Path, tmp_path: Path
) -> None:
    first, report = tmp_path / "first", tmp_path / "report.json"
    chosen = ("-k", "The pilot falls", "--seed", "5", "--interface", "psp")
    run_here(str(feature), *chosen, "--trace-dir", str(first), "--json", str(report))
    cases = json.loads(report.read_text(encoding="utf-8"))["run"]["cases"]
    assert len(cases) == len(traces(first)) == 4, "one file for each row and column"
    replayed: dict[str, bytes] = {}
    for number, case in enumerate(cases):
        again = tmp_path / str(number)
        command = shlex.split(case["replay"])
        assert command[:2] == ["nohold", "run"]
        run_here(*command[2:], "--trace-dir", str(again))
        assert len(traces(again)) == 1, f"a replay plays one case: {case['replay']}"
        replayed |= traces(again)
    assert replayed == traces(first)
