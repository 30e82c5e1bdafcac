"""Feature files are collected as they are, without a binding module each.

pytest-bdd binds scenarios to functions of a Python module; this collector makes that
module in memory. On the way it closes the ways in which pytest-bdd loses scenarios in
silence (``harness.feature_lint``), and any other difference between what Gherkin itself
sees in the file and what would run, which is counted here and is an error of
collection.
"""

import types
from pathlib import Path
from typing import Any, Final

import pytest
from pytest_bdd import scenario
from pytest_bdd.exceptions import FeatureError, GherkinParseError
from pytest_bdd.feature import get_feature
from pytest_bdd.parser import Feature, ScenarioTemplate
from pytest_bdd.scenario import make_python_name

from harness.bench import Bench
from harness.collector import EXPECTED
from harness.feature_lint import ENCODING, FeatureProblem, lint

_TAGS: Final = "__nohold_tags__"


class FeatureFile(pytest.Module):
    """A ``.feature`` file as a collection of test functions."""

    def _getobj(self) -> types.ModuleType:
        try:
            expected = self.config.stash.get(EXPECTED, {}).get(self.path)
            return _make_module(
                self.path, lint(self.path) if expected is None else expected
            )
        except FeatureProblem as problem:
            raise self.CollectError(str(problem)) from None


def _make_module(path: Path, seen: int) -> types.ModuleType:
    """``seen`` is the number of cases that Gherkin itself sees in the file."""
    feature = _parse(path)
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
        return get_feature(str(path.parent), path.name, encoding=ENCODING)
    except (FeatureError, GherkinParseError) as error:
        raise FeatureProblem(f"{path}:{error.line}: {error.message}") from None


def _bind(path: Path, feature: Feature, template: ScenarioTemplate) -> Any:
    def judged(bench: Bench) -> None:
        """The steps have run; the plugin judges the case when the call ends."""

    folder = str(path.parent)
    bound = scenario(
        path.name, template.name, features_base_dir=folder, encoding=ENCODING
    )
    function = bound(judged)
    rule_tags = template.rule.tags if template.rule else set()
    tags = feature.tags | rule_tags | template.tags
    setattr(function, _TAGS, tuple(sorted(tags)))
    return function


def tags_of(function: object) -> tuple[str, ...]:
    """Tags of feature, rule and scenario together; empty for anything else."""
    found = getattr(function, _TAGS, ())
    return tuple(found)
