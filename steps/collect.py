"""Feature files are collected as they are, without a binding module each.

pytest-bdd binds scenarios to functions of a Python module; this collector makes that
module in memory. On the way it closes the ways in which pytest-bdd loses scenarios in
silence: two scenarios of one title (the first disappears), tags on ``Examples`` (they
bypass the tag hook), and any other difference between what Gherkin itself sees in the file
and what would run, which is counted here and is an error of collection.
"""

import types
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from gherkin.errors import CompositeParserException
from gherkin.parser import Parser
from gherkin.pickles.compiler import Compiler
from pytest_bdd import scenario
from pytest_bdd.exceptions import FeatureError, GherkinParseError
from pytest_bdd.feature import get_feature
from pytest_bdd.parser import Feature, ScenarioTemplate
from pytest_bdd.scenario import make_python_name

from harness.bench import Bench

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
    lint(path)
    module = types.ModuleType(make_python_name(path.stem) or "feature")
    module.__file__ = str(path)
    runs = 0
    for title, template in feature.scenarios.items():
        name = f"test_{make_python_name(title)}"
        while hasattr(module, name):
            name += "_"
        setattr(module, name, _bind(path, feature, template))
        runs += sum(len(list(e.as_contexts())) for e in template.examples) or 1
    seen = len(pickles(path))
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


def gherkin_document(path: Path) -> dict[str, Any]:
    """What Gherkin's own parser makes of the file. Raises FeatureProblem."""
    try:
        document = Parser().parse(path.read_text(encoding="utf-8"))
    except CompositeParserException as error:
        raise FeatureProblem(f"{path}: {error}") from None
    except UnicodeDecodeError as error:
        raise FeatureProblem(f"{path}: not UTF-8: {error}") from None
    # The library's TypedDicts are looser than what is read here.
    return dict(document) | {"uri": str(path)}


def pickles(path: Path) -> Sequence[Any]:
    """The scenarios of a file as Gherkin counts them: one per row of Examples."""
    document: Any = gherkin_document(path)
    return Compiler().compile(document)


def scenario_nodes(path: Path) -> Iterator[dict[str, Any]]:
    """Every scenario of a file, those under rules included."""
    feature = gherkin_document(path).get("feature")
    if not feature:
        raise FeatureProblem(f"{path}: no Feature")
    for child in feature["children"]:
        for inner in child.get("rule", {}).get("children", [child]):
            if "scenario" in inner:
                yield inner["scenario"]


def lint(path: Path) -> None:
    """Refuse what pytest-bdd would drop or misread. Raises FeatureProblem."""
    nodes = list(scenario_nodes(path))
    twice = [t for t, n in Counter(node["name"] for node in nodes).items() if n > 1]
    if twice:
        raise FeatureProblem(
            f"{path}: two scenarios have the title {twice[0]!r}; one would be lost"
        )
    for node in nodes:
        for examples in node.get("examples", []):
            if examples["tags"]:
                line = examples["location"]["line"]
                raise FeatureProblem(
                    f"{path}:{line}: tags belong on the scenario, not on Examples"
                )
