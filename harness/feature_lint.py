"""What Gherkin itself sees in a feature file, and what of it must not be there.

pytest-bdd loses scenarios in silence: of two with one title the first disappears, and
tags on ``Examples`` bypass the tag hook. Gherkin loses steps: a line whose keyword it
does not know is a description. And what demands nothing is green whatever happens. All
that is refused, and whoever collects a file holds the number of cases found here
against what would run.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from gherkin.errors import CompositeParserException, ParserError, ParserException

from harness.columns import COLUMN_TAGS
from reports.feature_file import FeatureFile, ScenarioText, parse_feature

#: UTF-8, also with the mark that some editors put in front.
ENCODING: Final = "utf-8-sig"
_ORDER: Final = ("Given", "When", "Then")
_STEP_IN_WORDS: Final = re.compile(r"(given|when|then|and|but) ", re.I)
_FIELD: Final = re.compile(r"<([^<>]+)>")
#: What Gherkin's parser says it would take -> the same for a person.
_TOKENS: Final = {
    "#FeatureLine": "Feature:",
    "#RuleLine": "Rule:",
    "#BackgroundLine": "Background:",
    "#ScenarioLine": "Scenario:",
    "#ExamplesLine": "Examples:",
    "#StepLine": "a step (Given, When, Then, And, But)",
    "#TableRow": "a row of a table",
    "#TagLine": "a tag",
    "#Comment": "a comment",
}


class FeatureProblem(Exception):
    """A feature file cannot be run as it stands; says where and why."""


def read_feature(path: Path) -> FeatureFile:
    """What Gherkin's own parser sees in the file. Raises FeatureProblem."""
    try:
        return parse_feature(path.read_text(encoding=ENCODING), str(path))
    except ParserError as error:
        raise FeatureProblem(f"{path}{_in_words(error)}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        found = error.object[error.start]
        raise FeatureProblem(
            f"{path}:{line}: found the byte 0x{found:02x}, allowed is UTF-8: "
            "save the file as UTF-8"
        ) from None


def _in_words(error: ParserError) -> str:
    """The first thing that the parser did not understand; the rest follows from it."""
    first = error.errors[0] if isinstance(error, CompositeParserException) else error
    said = str(first).partition(": ")[2]
    wanted, got, found = said.removeprefix("expected: ").partition(", got ")
    allowed = [_TOKENS[one] for one in wanted.split(", ") if one in _TOKENS]
    line = f":{first.location['line']}" if isinstance(first, ParserException) else ""
    if not got or not allowed:
        return f"{line}: {said or first}"
    return f"{line}: found {found}, allowed {', '.join(allowed)}"


def lint(path: Path) -> int:
    """Refuse what would be dropped or misread; returns how many cases to expect.

    Raises FeatureProblem.
    """
    scenarios = read_feature(path).scenarios
    if not scenarios:
        raise FeatureProblem(f"{path}: found no scenario, allowed are one or more")
    titles = Counter(one.title for one in scenarios)
    twice = [title for title, number in titles.items() if number > 1]
    if twice:
        raise FeatureProblem(
            f"{path}: two scenarios have the title {twice[0]!r}; one would be lost"
        )
    for one in scenarios:
        for rule in _RULES:
            for line, problem in rule(one):
                raise FeatureProblem(f"{path}:{line}: {problem}")
    return sum(sum(e.rows for e in one.examples) or 1 for one in scenarios)


# --- what a scenario must not have; a line and a complaint for each -----------------

_Found = Iterator[tuple[int, str]]
_IN_ORDER: Final = "Given, one When, Then; write a second scenario"


def _tags_in_place(one: ScenarioText) -> _Found:
    if any(examples.tags for examples in one.examples):
        yield one.line, "tags belong on the scenario, not on Examples"
    for tag in one.tags:
        plain = tag.removeprefix("@")
        if plain.lower() in COLUMN_TAGS and plain not in COLUMN_TAGS:
            yield one.line, f"found the tag {tag}, allowed @{plain.lower()}"


def _no_lost_steps(one: ScenarioText) -> _Found:
    """Gherkin takes what stands before the first step that it knows for prose."""
    first = one.description.strip().partition("\n")[0]
    if _STEP_IN_WORDS.match(first):
        yield (
            one.line,
            f"{first!r} below {one.title!r} is no step and would be lost; "
            f"a step begins with {', '.join(_ORDER)}, And or But",
        )


def _demands_something(one: ScenarioText) -> _Found:
    steps = (*one.background, *one.steps)
    if not one.steps:
        yield one.line, f"{one.title!r} has no steps: it would play nothing"
    elif not any(step.kind == "Then" for step in steps):
        yield one.line, f"{one.title!r} has no Then: it would demand nothing"


def _tells_one_thing(one: ScenarioText) -> _Found:
    """How things stand, one event, what is seen: in this order, with one When."""
    rank, whens = 0, 0
    for step in (*one.background, *one.steps):
        if step.kind not in _ORDER:
            allowed = ", ".join(_ORDER)
            yield step.line, f"found {step.keyword} at the beginning, allowed {allowed}"
            return
        if _ORDER.index(step.kind) < rank:
            before = _ORDER[rank]
            yield step.line, f"found {step.kind} after {before}, allowed {_IN_ORDER}"
        rank = _ORDER.index(step.kind)
        whens += step.kind == "When" and not step.is_more
        if whens > 1:
            yield step.line, f"found a second When, allowed {_IN_ORDER}"


def _rows_fill_the_steps(one: ScenarioText) -> _Found:
    columns = {name for table in one.examples for name in table.columns}
    if one.examples and not any(table.rows for table in one.examples):
        yield one.line, f"{one.title!r} has Examples without a row: it plays nothing"
    for step in one.steps:
        for name in _FIELD.findall(step.text):
            if name not in columns:
                there = ", ".join(sorted(columns)) or "none, there are no Examples"
                yield step.line, f"found <{name}>, allowed are the columns: {there}"


_RULES: Final[tuple[Callable[[ScenarioText], _Found], ...]] = (
    _tags_in_place,
    _no_lost_steps,
    _demands_something,
    _tells_one_thing,
    _rows_fill_the_steps,
)


def lint_good(paths: Iterable[Path]) -> Mapping[Path, int]:
    """How many cases to expect of each feature file at or below ``paths``.

    A file with a problem is left out: whoever collects it finds the problem again.
    """
    expected: dict[Path, int] = {}
    for given in paths:
        top = given.absolute()
        for path in sorted(top.rglob("*.feature")) if top.is_dir() else (top,):
            try:
                expected[path] = lint(path)
            except (FeatureProblem, OSError):
                continue
    return expected
