"""What Gherkin itself sees in a feature file, and what of it must not be there.

pytest-bdd loses scenarios in silence: of two with one title the first disappears, and
tags on ``Examples`` bypass the tag hook. Both are refused, and whoever collects a file
holds the number of cases found here against what would run.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from gherkin.errors import ParserError

from reports.feature_file import FeatureFile, parse_feature


class FeatureProblem(Exception):
    """A feature file cannot be run as it stands; says where and why."""


def read_feature(path: Path) -> FeatureFile:
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
