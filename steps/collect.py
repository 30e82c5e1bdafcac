"""Feature files are collected as they are, without a binding module each.

pytest-bdd binds scenarios to functions of a Python module; this collector makes that
module in memory. On the way it closes the ways in which pytest-bdd loses scenarios in
silence: two scenarios of one title (the first disappears), tags on ``Examples`` (they
bypass the tag hook), and any other difference between what Gherkin itself sees in the
file and what would run, which is counted here and is an error of collection.
"""

import types
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest
from gherkin.errors import ParserError
from pytest_bdd import scenario
from pytest_bdd.exceptions import FeatureError, GherkinParseError
from pytest_bdd.feature import get_feature
from pytest_bdd.parser import Feature, ScenarioTemplate
from pytest_bdd.scenario import make_python_name

from harness.bench import Bench
from reports.feature_file import FeatureFile as FeatureText
from reports.feature_file import parse_feature

_TAGS: Final = "__nohold_tags__"


class FeatureFile(pytest.Module):
    """A ``.feature`` file as a collection of test functions."""

    def _getobj(self) -> types.ModuleType:
        try:
            return _make_module(self.path)
        except FeatureProblem as problem:
            raise self.CollectError(str(problem)) from None


class FeatureProblem(Exception):
    """A feature file cannot be run as it stands; says where and why."""


def _make_module(path: Path) -> types.ModuleType:
    feature = _parse(path)
    seen = lint(path)
    module = types.ModuleType(make_python_name(path.stem) or "feature")
    module.__file__ = str(path)
    runs = 0
    for title, template in feature.scenarios.items():
        name = f"test_{make_python_name(title)}"
        while hasattr(module, name):
            name += "_"
        setattr(module, name, _bind(path, feature, template))
        runs += sum(len(list(e.as_contexts())) for e in template.examples) or 1
    if seen != runs:
        raise FeatureProblem(
            f"{path}: Gherkin sees {seen} scenarios, only {runs} would run"
        )
    return module


def _parse(path: Path) -> Feature:
    try:
        return get_feature(str(path.parent), path.name)
    except (FeatureError, GherkinParseError) as error:
        raise FeatureProblem(f"{path}: {error}") from None


def _bind(path: Path, feature: Feature, template: ScenarioTemplate) -> Any:
    def judged(bench: Bench) -> None:
        """The steps have run; the plugin judges the case when the call ends."""

    bound = scenario(path.name, template.name, features_base_dir=str(path.parent))
    function = bound(judged)
    rule_tags = template.rule.tags if template.rule else set()
    tags = feature.tags | rule_tags | template.tags
    setattr(function, _TAGS, tuple(sorted(tags)))
    return function


def tags_of(function: object) -> tuple[str, ...]:
    """Tags of feature, rule and scenario together; empty for anything else."""
    found = getattr(function, _TAGS, ())
    return tuple(found)


def read_feature(path: Path) -> FeatureText:
    """What Gherkin's own parser sees in the file. Raises FeatureProblem."""
    try:
        return parse_feature(path.read_text(encoding="utf-8"), str(path))
    except (ParserError, UnicodeDecodeError) as error:
        raise FeatureProblem(f"{path}: {error}") from None


def lint(path: Path) -> int:
    """Refuse what pytest-bdd would drop or misread; returns how many cases to expect.

    Raises FeatureProblem.
    """
    scenarios = read_feature(path).scenarios
    titles = Counter(one.title for one in scenarios)
    twice = [title for title, number in titles.items() if number > 1]
    if twice:
        raise FeatureProblem(
            f"{path}: two scenarios have the title {twice[0]!r}; one would be lost"
        )
    for one in scenarios:
        if any(examples.tags for examples in one.examples):
            raise FeatureProblem(
                f"{path}:{one.line}: tags belong on the scenario, not on Examples"
            )
    return sum(sum(e.rows for e in one.examples) or 1 for one in scenarios)
