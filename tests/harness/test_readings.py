"""Readings on the command line, on a bench, and in a whole run."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.bench import Bench
from harness.cli import app
from harness.readings import (
    SWITCHES,
    Alternative,
    Answers,
    Asked,
    Interface,
    NoSuchReading,
    in_words,
    others,
    parse,
    playable,
    unplayed,
)
from wire.psp import Profile

Make = Callable[..., Bench]
MINE = """
Feature: Mine
  @{tag}
  Scenario: One
    Given the driver has been authorised
    When 5 minutes pass
    Then the driver's session is released within 10 seconds
"""
#: Takes a Result OK for two bytes, once it is set up, and dies of one.
PICKY = """
from harness.guarded import find_factory
from wire.machine import BytesReceived

def build(place):
    inner = find_factory("controller_ref.core:build")(place)
    return Picky(inner)

class Picky:
    def __init__(self, inner):
        self.inner = inner
        self.is_dead = False

    def handle(self, fact, now_ms):
        if isinstance(fact, BytesReceived) and fact.data == ACK and now_ms > {after}:
            self.is_dead = True
        return [] if self.is_dead else self.inner.handle(fact, now_ms)

    def deadline_ms(self):
        return None if self.is_dead else self.inner.deadline_ms()

    def on_deadline(self, now_ms):
        return [] if self.is_dead else self.inner.on_deadline(now_ms)

ACK = bytes.fromhex("{ack}")
"""


class TestWords:
    @pytest.mark.parametrize(
        ("words", "value"),
        [
            ("commit_zero=refuse", "refuse"),
            ("get_status_header=0", 0),
            ("get_status_header=0x00", 0),
            ("not_ok_on_bad_checksum=false", False),
            ("inter_byte_ms=50", 50),
            ("inter_byte_ms=0x32", 50),
            ("bad_key=403", 403),
            ("start_busy=409", "409"),
            ("over_commit=fail", "fail"),
            ("card_timeout_s=10", 10),
        ],
    )
    def test_a_reading_is_named(self, words: str, value: object) -> None:
        (found,) = parse(words)
        assert found.value == value
        assert type(found.value) is type(value)

    def test_several(self) -> None:
        found = parse("commit_zero=refuse,bad_key=403")
        assert in_words(found) == "commit_zero=refuse,bad_key=403"

    @pytest.mark.parametrize("words", ["", "all", "each"])
    def test_no_single_reading(self, words: str) -> None:
        assert parse(words) == ()

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            ("commit_zero", "found 'commit_zero', allowed all, each or name=value"),
            ("speed=1", "found 'speed=1', allowed all"),
            ("commit_zero=maybe", "found 'maybe', allowed accept, refuse"),
            ("inter_byte_ms=0", r"found '0', allowed 1\.\.60000"),
            ("inter_byte_ms=x", r"found 'x', allowed 1\.\.60000"),
            ("over_commit=no", "allowed refuse, accept or reject, accept, fail"),
        ],
    )
    def test_what_is_no_reading(self, words: str, told: str) -> None:
        with pytest.raises(NoSuchReading, match=told):
            parse(words)

    @pytest.mark.parametrize("face", ["psp", "cps"])
    def test_every_reading_can_be_replayed(self, face: Interface) -> None:
        every = others(face, SWITCHES[face])
        assert every
        for one in every:
            value = Asked(reading=parse(str(one))).of(face)[one.name]
            assert value == one.value

    def test_what_the_ends_must_agree_on_is_not_played(self) -> None:
        assert set(unplayed()) == {
            "terminal_preamble",
            "terminal_magic",
            "read_card_header",
            "commit_order",
            "read_file_from",
        }
        assert not set(unplayed()) & {one.name for one in others("psp", unplayed())}


class TestAnswers:
    def test_the_scenario_stands_above_the_run(self) -> None:
        asked = Asked(reading=parse("commit_zero=refuse,repeated_close=ok"))
        found = Answers(asked, "psp", profile={"commit_zero": "accept"}, policy={})
        assert found.profile.commit_zero == "accept"
        assert found.profile.repeated_close == "ok"
        assert found.told == {"commit_zero": "accept", "repeated_close": "ok"}

    def test_a_value_of_the_other_interface_is_not_for_this_one(self) -> None:
        asked = Asked(reading=(Alternative("over_commit", "fail"),))
        answers = Answers(asked, "psp", profile={}, policy={})
        assert answers.profile == Profile()
        answers = Answers(asked, "cps", profile={}, policy={})
        assert answers.policy.over_commit == "fail"

    def test_what_a_scenario_decides_is_not_open(self) -> None:
        asked = Asked(is_watched=True)
        found = Answers(asked, "psp", profile={"commit_zero": "refuse"}, policy={})
        assert found.profile.commit_zero == "refuse"
        assert found.profile.session_ids == "increasing"
        assert found.consulted() == ("session_ids",)

    def test_nobody_watches_unless_asked(self) -> None:
        found = Answers(Asked(), "cps", profile={}, policy={})
        assert found.policy.bad_key == 401
        assert found.consulted() == ()


def story(bench: Bench, asked: Asked) -> str:
    """A driver taps and drives off; the trace without its first record."""
    bench.wishes.asked = asked
    bench.open()
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    bench.run_for(900_000)
    return bench.trace.render().partition("\n")[2]


@pytest.mark.parametrize("column", ["p6x", "apollo", "cps"])
def test_what_nobody_asked_for_changes_nothing(column: str, make_bench: Make) -> None:
    """The pruning: only a switch that is consulted can change a play."""
    face: Interface = "cps" if column == "cps" else "psp"
    plain = story(make_bench(column), Asked())
    bench = make_bench(column)
    assert story(bench, Asked(is_watched=True)) == plain
    consulted = bench.answers.consulted()
    assert consulted
    rest = [one for one in others(face, SWITCHES[face]) if one.name not in consulted]
    assert rest
    for one in rest:
        assert story(make_bench(column), Asked(reading=(one,))) == plain, str(one)


def test_some_of_what_was_asked_for_changes_the_trace(make_bench: Make) -> None:
    plain = story(make_bench("apollo"), Asked())
    asked = Asked(reading=parse("start_session_ack=result_ok"))
    assert story(make_bench("apollo"), asked) != plain


class TestRun:
    @pytest.fixture
    def feature(self, tmp_path: Path) -> Callable[[str], str]:
        def write(tag: str) -> str:
            path = tmp_path / "mine.feature"
            path.write_text(MINE.format(tag=tag), encoding="utf-8")
            return str(path)

        return write

    def test_all_readings(self, feature: Callable[[str], str], tmp_path: Path) -> None:
        report = tmp_path / "report.json"
        words = ["run", feature("psp"), "--readings", "all", "--json", str(report)]
        found = CliRunner().invoke(app, [*words, "--coverage"])
        assert found.exit_code == 0, found.output
        assert "0 red" in found.output
        assert "not played: commit_order: the ends must agree" in found.output
        (untouched,) = re.findall(r"in no case of psp .*: (.+)", found.output)
        names = untouched.split(", ")
        assert "commit_zero" in names, "this story ends without a commit"
        assert not {"get_status_header", "result_size"} & set(names)
        assert set(names) < set(playable()["psp"])
        assert "in no case of cps" not in found.output
        document = json.loads(report.read_text(encoding="utf-8"))
        assert document["summary"]["readings"]["tried"] > 20
        other = document["run"]["cases"][0]["other_readings"]
        assert "get_status_header=0" in other["tried"]
        assert other["not_green"] == []
        wire = [one for one in document["run"]["wire"] if one["count"]]
        asked = {(one["ask"], one["result"]) for one in wire}
        assert ("Void Session", "Result OK") in asked
        assert "On the wire: PSP" in found.output

    def test_a_reading_that_is_too_much_for_a_controller(
        self,
        feature: Callable[[str], str],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Named with its value and a command that plays it again, and status 1."""
        ack = "AA 03 3C 00 00 E9"
        text = PICKY.replace("{ack}", ack).replace("{after}", "9_000")
        (tmp_path / "picky.py").write_text(text, encoding="utf-8")
        monkeypatch.syspath_prepend(str(tmp_path))
        reference = Path("controller_ref/declaration.toml").read_text(encoding="utf-8")
        declared = tmp_path / "declaration.toml"
        declared.write_text(
            reference.replace("controller_ref.core:build", "picky:build"),
            encoding="utf-8",
        )
        report, junit = tmp_path / "report.json", tmp_path / "junit.xml"
        words = ["run", feature("apollo"), "-d", str(declared), "-j", "1"]
        files = ["--json", str(report), "--junit", str(junit)]
        found = CliRunner().invoke(app, [*words, "--readings", "all", *files])
        assert found.exit_code == 1, found.output
        case = json.loads(report.read_text(encoding="utf-8"))["run"]["cases"][0]
        assert case["conduct"] == "PASS"
        red = {one["reading"] for one in case["other_readings"]["not_green"]}
        assert red == {"result_size=1"}
        assert "under result_size=1" in found.output
        assert "--readings result_size=1" in found.output
        assert 'name="red_reading" value="result_size=1"' in (
            junit.read_text(encoding="utf-8")
        )
        single = [*words, "--readings", "result_size=1"]
        assert CliRunner().invoke(app, single).exit_code == 1
        assert CliRunner().invoke(app, words).exit_code == 0

    def test_one_reading_stands_in_the_trace(
        self, feature: Callable[[str], str], tmp_path: Path
    ) -> None:
        words = ["run", feature("apollo"), "--readings", "repeated_close=ok"]
        found = CliRunner().invoke(app, [*words, "--trace-dir", str(tmp_path / "t")])
        assert found.exit_code == 0, found.output
        (trace,) = (tmp_path / "t").glob("*.jsonl")
        first = json.loads(trace.read_text(encoding="ascii").splitlines()[0])
        assert first["profile"] == {"repeated_close": "ok"}

    def test_what_is_no_reading_is_wrong_use(self) -> None:
        found = CliRunner().invoke(app, ["run", "--readings", "nonsense"])
        assert found.exit_code == 2
        assert "allowed all, each or name=value" in found.output
