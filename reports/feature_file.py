"""A feature file as the reports and the lint need it: scenarios, tags, steps, examples.

Gherkin's own parser does the reading; this module flattens its tree into frozen
values, with the tags of Feature and Rule handed down to each scenario, and the
Background kept apart from a scenario's own steps. Pure: takes text. Knows no
requirement and no verdict.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gherkin.parser import Parser

from reports.coverage import Played

#: What Gherkin calls a keyword, in whatever language; the rest continue it.
_KINDS: Final = {"Context": "Given", "Action": "When", "Outcome": "Then"}

# Any: the parser's tree of nested dictionaries has no types of its own.
Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. ``keyword`` as written; ``kind`` is Given, When or Then, or empty."""

    keyword: str
    kind: str
    text: str
    line: int
    #: And, But or *: it continues the step above it.
    is_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """One Examples table of an outline: its tags and columns, how many rows it has."""

    tags: tuple[str, ...]
    columns: tuple[str, ...]
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioText:
    """One scenario or outline. ``tags`` are all of them, outermost first."""

    title: str
    line: int
    tags: tuple[str, ...]
    background: tuple[Step, ...]
    steps: tuple[Step, ...]
    examples: tuple[Examples, ...]
    #: Words between the title and the first step.
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureFile:
    """One feature file. ``path`` as given by the caller."""

    path: str
    title: str
    scenarios: tuple[ScenarioText, ...]

    def played(self) -> tuple[Played, ...]:
        """Its scenarios as the coverage wants them."""
        return tuple(
            Played(feature=self.path, title=one.title, tags=one.tags)
            for one in self.scenarios
        )


def parse_feature(text: str, path: str) -> FeatureFile:
    """Read one feature; gherkin.errors.ParserError says where it is not Gherkin."""
    feature: Node = Parser().parse(text).get("feature") or {}
    return FeatureFile(
        path=path,
        title=str(feature.get("name", "")),
        scenarios=tuple(_scenarios(feature, (), ())),
    )


def _scenarios(
    node: Node, tags: tuple[str, ...], background: tuple[Step, ...]
) -> Iterator[ScenarioText]:
    """The scenarios below a Feature or a Rule, which hand down tags and Background."""
    tags = (*tags, *_tags(node))
    for child in node.get("children", ()):
        match child:
            case {"background": found}:
                background = (*background, *_steps(found))
            case {"rule": found}:
                yield from _scenarios(found, tags, background)
            case {"scenario": found}:
                yield _scenario(found, tags, background)


def _scenario(
    node: Node, tags: tuple[str, ...], background: tuple[Step, ...]
) -> ScenarioText:
    return ScenarioText(
        title=node["name"],
        line=node["location"]["line"],
        tags=(*tags, *_tags(node)),
        background=background,
        steps=_steps(node),
        examples=tuple(
            Examples(
                tags=_tags(table),
                columns=_columns(table),
                rows=len(table.get("tableBody", ())),
            )
            for table in node.get("examples", ())
        ),
        description=str(node.get("description", "")),
    )


def _columns(table: Node) -> tuple[str, ...]:
    header: Node = table.get("tableHeader") or {}
    return tuple(cell["value"] for cell in header.get("cells", ()))


def _tags(node: Node) -> tuple[str, ...]:
    found: Sequence[Node] = node.get("tags", ())
    return tuple(tag["name"] for tag in found)


def _steps(node: Node) -> tuple[Step, ...]:
    steps: list[Step] = []
    for step in node.get("steps", ()):
        kind = _KINDS.get(step["keywordType"])
        before = steps[-1].kind if steps else ""
        steps.append(
            Step(
                keyword=step["keyword"].strip(),
                kind=kind or before,
                text=step["text"],
                line=step["location"]["line"],
                is_more=kind is None,
            )
        )
    return tuple(steps)
