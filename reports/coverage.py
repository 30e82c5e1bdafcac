"""Which scenario of the catalogue is played, and why not.

Four texts are held against each other: the catalogue (what ought to be played), the
features (what is played, by their tags), the questions (what only papers decide,
``reports.questions``) and ``features/not_automated.toml`` (why the rest is not). Each
scenario id is *automated*, a *question*, *not automated* with a reason, or *missing*,
which is an error, as is an id that stands in two places.

Pure: the caller reads the files. Knows nothing of verdicts: that a scenario exists says
nothing about whether a controller passed it.
"""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from reports.register import (
    REQUIREMENT_ID,
    SCENARIO_ID,
    Catalogue,
    Register,
    RegisterError,
)

Status = Literal["automated", "question", "not automated", "missing", "contradiction"]

#: A reason shorter than this is a shrug, not a reason.
SHORTEST_REASON: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One Gherkin scenario with all its tags, those of its Rule and Feature included.

    Tags may carry their leading ``@`` or not.
    """

    feature: str
    title: str
    tags: tuple[str, ...]

    def ids(self, shape: str) -> tuple[str, ...]:
        """Tags that begin with ``shape`` (``S-`` or ``R-``), without the ``@``."""
        bare = (tag.removeprefix("@") for tag in self.tags)
        return tuple(tag for tag in bare if tag.startswith(shape))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioCoverage:
    """What became of one scenario of the catalogue."""

    scenario_id: str
    status: Status
    played: tuple[Played, ...] = ()
    reason: str = ""


def parse_reasons(text: str) -> Mapping[str, str]:
    """Read ``not_automated.toml``: scenario id -> reason.

    Raises RegisterError for a wrong id, an empty or too short reason, or another table.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RegisterError(f"not a TOML document: {error}") from error
    if list(document) != ["not_automated"]:
        found = ", ".join(document) or "nothing"
        raise RegisterError(f"found {found}, allowed one table: not_automated")
    reasons: dict[str, str] = {}
    for key, reason in document["not_automated"].items():
        if not SCENARIO_ID.fullmatch(key):
            raise RegisterError(f"found {key!r}, allowed a scenario id such as S-A01")
        if not isinstance(reason, str) or len(reason.strip()) < SHORTEST_REASON:
            allowed = f"a reason of at least {SHORTEST_REASON} characters"
            raise RegisterError(f"{key}: found {reason!r}, allowed {allowed}")
        reasons[key] = reason
    return reasons


def scenario_coverage(
    catalogue: Catalogue,
    played: Sequence[Played],
    reasons: Mapping[str, str],
    *,
    questions: Collection[str] = (),
) -> tuple[ScenarioCoverage, ...]:
    """One line per scenario of the catalogue, in its order."""
    return tuple(
        _covered(key, played, reasons, is_asked=key in questions)
        for key in catalogue.scenarios
    )


def catalogue_problems(
    catalogue: Catalogue,
    played: Sequence[Played],
    reasons: Mapping[str, str],
    *,
    questions: Collection[str] = (),
) -> list[str]:
    """What is missing, contradicts itself or is not in the catalogue; [] is good."""
    wrong = []
    for line in scenario_coverage(catalogue, played, reasons, questions=questions):
        key = line.scenario_id
        if line.status == "missing":
            wrong.append(f"{key}: no feature plays it, no reason is given")
        if line.status == "contradiction":
            places = [
                *(["not_automated.toml"] if line.reason else []),
                *(["the questions"] if key in questions else []),
            ]
            where = ", ".join(sorted({one.feature for one in line.played}))
            played_by = f"played by {where}, yet " if where else ""
            wrong.append(f"{key}: {played_by}in {' and in '.join(places)}")
    for key in reasons:
        if key not in catalogue.scenarios:
            wrong.append(f"{key}: in not_automated.toml, but not in the catalogue")
    for key in questions:
        if key not in catalogue.scenarios:
            wrong.append(f"{key}: a question, but not in the catalogue")
    return wrong


def tag_problems(
    register: Register, catalogue: Catalogue, played: Sequence[Played]
) -> list[str]:
    """Scenarios whose id tags are missing, doubled or unknown; [] is good."""
    wrong = []
    for one in played:
        where = f"{one.feature}: {one.title}"
        scenarios, requirements = one.ids("S-"), one.ids("R-")
        if len(scenarios) != 1:
            found = ", ".join(scenarios) or "none"
            wrong.append(f"{where}: found scenario ids {found}, allowed exactly one")
        if not requirements:
            wrong.append(f"{where}: found no requirement id, allowed one or more")
        wrong += _unknown(
            where, scenarios, catalogue.scenarios, shape=SCENARIO_ID.pattern
        )
        wrong += _unknown(
            where, requirements, register.requirements, shape=REQUIREMENT_ID.pattern
        )
    return wrong


def _unknown(
    where: str, found: Sequence[str], known: Mapping[str, object], *, shape: str
) -> list[str]:
    return [
        f"{where}: found @{key}, allowed an id that exists, of the form {shape}"
        for key in found
        if key not in known
    ]


def _covered(
    key: str, played: Sequence[Played], reasons: Mapping[str, str], *, is_asked: bool
) -> ScenarioCoverage:
    found = tuple(one for one in played if key in one.ids("S-"))
    reason = reasons.get(key, "")
    return ScenarioCoverage(
        scenario_id=key,
        status=_STATUS.get((bool(found), is_asked, bool(reason)), "contradiction"),
        played=found,
        reason=reason,
    )


_STATUS: Final[Mapping[tuple[bool, bool, bool], Status]] = {
    # (a feature plays it, it is a question, a reason says why nothing plays it)
    (True, False, False): "automated",
    (False, True, False): "question",
    (False, False, True): "not automated",
    (False, False, False): "missing",
}
