"""The requirement register and the scenario catalogue, read and checked.

Two TOML files stand beside this module: ``requirements.toml`` says what a controller
has to do, ``scenarios.toml`` into which situations it is put. Both are data; this
module turns their text into typed values and refuses what does not fit, naming the
entry, what was found and what is allowed. It knows nothing of features, verdicts or
traces.

The parse functions take text and are pure; ``load_register`` and ``load_catalogue``
read the two files that are shipped. ``check_tested`` holds them against each other.
What answers a requirement that no feature plays stands in the register's tables
``[implicit]`` and ``[untestable]``, what features leave of one that they play in
``[partly]``; ``reports.standing`` puts it all together.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Final, TypeVar

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


class RegisterError(ValueError):
    """An entry does not fit: the message names it, what was found, what is allowed."""


class Level(StrEnum):
    """How binding a requirement is. FACT: how the terminal or its host behaves."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"
    FACT = "FACT"


class Basis(StrEnum):
    """Where a requirement comes from: stated by its source, derived here, or both."""

    STATED = "S"
    DERIVED = "D"
    BOTH = "S+D"

    @property
    def words(self) -> str:
        """For people who do not know the letters."""
        return _BASIS_WORDS[self]


_BASIS_WORDS: Final[Mapping[Basis, str]] = {
    Basis.STATED: "stated",
    Basis.DERIVED: "our conclusion",
    Basis.BOTH: "stated in part, concluded in part",
}


class Interface(StrEnum):
    """On which interface, or which terminal family, an entry holds."""

    BOTH = "both"
    PSP = "psp"
    CPS = "cps"
    P6X = "p6x"
    APOLLO = "apollo"
    APOLLO_OR_CPS = "apollo+cps"


#: The three ways a scenario can be played: two terminal families over PSP, and CPS.
COLUMNS: Final = ("p6x", "apollo", "cps")

_PLAYED_ON: Final[Mapping[Interface, tuple[str, ...]]] = {
    Interface.BOTH: COLUMNS,
    Interface.PSP: ("p6x", "apollo"),
    Interface.CPS: ("cps",),
    Interface.P6X: ("p6x",),
    Interface.APOLLO: ("apollo",),
    Interface.APOLLO_OR_CPS: ("apollo", "cps"),
}

REQUIREMENT_ID: Final = re.compile(r"R-[A-Z]{2,3}-\d{2}")
SCENARIO_ID: Final = re.compile(r"S-[A-Z]\d{2}")

_REQUIREMENT_KEYS: Final = ("id", "title", "level", "basis", "interface", "source")
_REQUIREMENT_OPTIONAL: Final = ("deadline", "note")
#: Tables that say something of a requirement in words.
_TABLES: Final = ("partly", "implicit", "untestable")
_SCENARIO_KEYS: Final = ("id", "title", "interface", "requirements")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One row of the register. ``deadline`` and ``note`` are words, or empty."""

    id: str
    title: str
    level: Level
    basis: Basis
    interface: Interface
    source: tuple[str, ...]
    deadline: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One row of the catalogue; its group is the letter of its id."""

    id: str
    title: str
    interface: Interface
    requirements: tuple[str, ...]

    @property
    def group(self) -> str:
        return self.id[2]

    @property
    def columns(self) -> tuple[str, ...]:
        """Where it can be played at all, as far as the protocols go."""
        return _PLAYED_ON[self.interface]


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """All requirements by id, their source keys, and what answers without a feature."""

    requirements: Mapping[str, Requirement]
    sources: Mapping[str, str]
    #: Requirement -> which part of it no scenario shows.
    partly: Mapping[str, str]
    #: Requirement -> the rule or the scenarios that would turn red without it.
    implicit: Mapping[str, str]
    #: Requirement -> why nothing can test it.
    untestable: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All scenarios by id, and what each group is called."""

    scenarios: Mapping[str, Scenario]
    groups: Mapping[str, str]

    def testing(self, requirement_id: str) -> tuple[Scenario, ...]:
        """The scenarios that test a requirement, in catalogue order."""
        every = self.scenarios.values()
        return tuple(s for s in every if requirement_id in s.requirements)


def load_register() -> Register:
    """The register that is shipped with this package."""
    return parse_register(_shipped("requirements.toml"))


def load_catalogue() -> Catalogue:
    """The catalogue that is shipped with this package."""
    return parse_catalogue(_shipped("scenarios.toml"))


def parse_register(text: str) -> Register:
    """Read the text of a register; RegisterError names what does not fit."""
    document = _document(text, ("requirement", "source", *_TABLES))
    sources = _words(document, "source")
    rows = [_requirement(row, sources) for row in _rows(document, "requirement")]
    requirements = _by_id([(row.id, row) for row in rows])
    words = {table: _words(document, table) for table in _TABLES}
    for table, found in words.items():
        for key in found:
            _require_known(f"{table}: {key}", key, requirements, what="requirement")
    return Register(requirements=requirements, sources=sources, **words)


def parse_catalogue(text: str) -> Catalogue:
    """Read the text of a catalogue; RegisterError names what does not fit."""
    document = _document(text, ("scenario", "group"))
    groups = _words(document, "group")
    rows = [_scenario(row) for row in _rows(document, "scenario")]
    for row in rows:
        _require_known(row.id, row.group, groups, what="group")
    return Catalogue(scenarios=_by_id([(row.id, row) for row in rows]), groups=groups)


def check_tested(register: Register, catalogue: Catalogue) -> list[str]:
    """What the two files say against each other; an empty list is good news."""
    wrong = [
        f"{scenario.id}: tests {found}, which is not in the register"
        for scenario in catalogue.scenarios.values()
        for found in scenario.requirements
        if found not in register.requirements
    ]
    for key in register.requirements:
        if not catalogue.testing(key) and key not in register.untestable:
            wrong.append(f"{key}: no scenario tests it, [untestable] gives no reason")
    return wrong


def _shipped(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _document(text: str, allowed: Sequence[str]) -> Mapping[str, object]:
    try:
        document: Mapping[str, object] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RegisterError(f"not a TOML document: {error}") from error
    for key in document:
        _require_known("document", key, allowed, what="table")
    return document


def _rows(document: Mapping[str, object], table: str) -> list[Mapping[str, object]]:
    rows = document.get(table)
    if not isinstance(rows, list) or not rows:
        raise RegisterError(f"{table}: found {rows!r}, allowed a list of tables")
    for row in rows:
        if not isinstance(row, dict):
            raise RegisterError(f"{table}: found {row!r}, allowed a table")
    return rows


def _words(document: Mapping[str, object], table: str) -> Mapping[str, str]:
    """A table of key = words; an absent one is empty."""
    found = document.get(table, {})
    if not isinstance(found, dict):
        raise RegisterError(f"{table}: found {found!r}, allowed a table")
    return {key: _text(f"{table}: {key}", found, key) for key in found}


def _requirement(row: Mapping[str, object], sources: Mapping[str, str]) -> Requirement:
    name = _identity(row, REQUIREMENT_ID, "requirement, such as R-SES-01")
    _check_keys(name, row, _REQUIREMENT_KEYS, optional=_REQUIREMENT_OPTIONAL)
    source = _texts(name, row, "source")
    for key in source:
        _require_known(name, key.partition(":")[0], sources, what="source key")
    return Requirement(
        id=name,
        title=_text(name, row, "title"),
        level=_member(name, row, "level", of=Level),
        basis=_member(name, row, "basis", of=Basis),
        interface=_member(name, row, "interface", of=Interface),
        source=source,
        deadline=_text(name, row, "deadline") if "deadline" in row else "",
        note=_text(name, row, "note") if "note" in row else "",
    )


def _scenario(row: Mapping[str, object]) -> Scenario:
    name = _identity(row, SCENARIO_ID, "scenario, such as S-A01")
    _check_keys(name, row, _SCENARIO_KEYS)
    return Scenario(
        id=name,
        title=_text(name, row, "title"),
        interface=_member(name, row, "interface", of=Interface),
        requirements=_texts(name, row, "requirements"),
    )


def _identity(row: Mapping[str, object], shape: re.Pattern[str], allowed: str) -> str:
    found = row.get("id")
    if not isinstance(found, str) or not shape.fullmatch(found):
        raise RegisterError(f"id: found {found!r}, allowed the id of a {allowed}")
    return found


def _check_keys(
    name: str,
    row: Mapping[str, object],
    required: Sequence[str],
    *,
    optional: Sequence[str] = (),
) -> None:
    for key in row:
        _require_known(name, key, [*required, *optional], what="key")
    for key in required:
        if key not in row:
            raise RegisterError(f"{name}: {key} is missing")


def _text(name: str, row: Mapping[str, object], key: str) -> str:
    found = row.get(key)
    if not isinstance(found, str) or not found.strip():
        raise RegisterError(f"{name}: {key}: found {found!r}, allowed words")
    return found


def _texts(name: str, row: Mapping[str, object], key: str) -> tuple[str, ...]:
    found = row.get(key)
    if not isinstance(found, list) or not found:
        raise RegisterError(f"{name}: {key}: found {found!r}, allowed a list of words")
    texts = tuple(_text(name, {key: item}, key) for item in found)
    if len(set(texts)) != len(texts):
        raise RegisterError(f"{name}: {key}: found {found!r}, allowed each one once")
    return texts


def _member(name: str, row: Mapping[str, object], key: str, *, of: type[E]) -> E:
    found = row.get(key)
    for member in of:
        if found == member.value:
            return member
    allowed = ", ".join(member.value for member in of)
    raise RegisterError(f"{name}: {key}: found {found!r}, allowed {allowed}")


def _require_known(
    name: str, found: str, known: Mapping[str, object] | Sequence[str], *, what: str
) -> None:
    if found not in known:
        raise RegisterError(f"{name}: found {what} {found!r}, allowed {_listed(known)}")


def _listed(known: Mapping[str, object] | Sequence[str]) -> str:
    names = list(known)
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more


def _by_id(rows: Sequence[tuple[str, T]]) -> Mapping[str, T]:
    found: dict[str, T] = {}
    for key, row in rows:
        if key in found:
            raise RegisterError(f"{key}: found twice, allowed once")
        found[key] = row
    return found
