"""The ambiguity register: everything that Payter's public pages leave open.

One entry for each line of psp.md 9 (A1..) and 10 (C1..), cps.md 9 (9.1.1..9.4) and
requirements.md 4 (R4.1..). What is unclear on the wire, the readings, the default and
its grade stand in the tables of ``wire``; the question, what depends on it and what
another answer changes stand in the TOML files here. ``entries`` puts them together.

``nohold questions`` makes ``docs/questions-to-payter.md`` of it (``questions``).
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

from harness.readings import (
    SWITCHES,
    Interface,
    Switch,
    Value,
    allowed_words,
    value_words,
)
from wire.cps import RETRY_QUESTIONS, RetryQuestion
from wire.psp import REGISTER

Source = Literal["psp", "cps", "requirements"]
SOURCES: Final[tuple[Source, ...]] = ("psp", "cps", "requirements")
_FOLDER: Final = Path(__file__).parent
_KEYS: Final = frozenset(
    {"about", "ask", "why_not", "see", "switches", "readings", "note", "depends"}
) | {"changes"}


class RegisterError(ValueError):
    """A line of the register is wrong: found and allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A switch that plays an ambiguity, with its default first."""

    interface: Interface
    name: str

    @property
    def switch(self) -> Switch:
        return SWITCHES[self.interface][self.name]

    @property
    def grade(self) -> str:
        """How sure the default is."""
        one = self.switch
        return str(getattr(one, "mark", None) or getattr(one, "grade", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One ambiguity."""

    id: str
    about: str
    #: The file it stands in: what it is about.
    source: Source
    #: The question for Payter; empty with ``why_not`` or ``see``.
    ask: str = ""
    why_not: str = ""
    #: The entry under which it is asked.
    see: str = ""
    switches: tuple[Played, ...] = ()
    #: Readings of what no switch plays, in words.
    readings: tuple[str, ...] = ()
    note: str = ""
    #: Messages, routes and requirements.
    depends: tuple[str, ...] = ()
    changes: str = ""

    @property
    def requirements(self) -> tuple[str, ...]:
        return tuple(one for one in self.depends if one.startswith("R-"))


@lru_cache(maxsize=1)
def entries() -> Mapping[str, Entry]:
    """Every entry by id, in the order of the sources. Raises RegisterError."""
    found: dict[str, Entry] = {}
    for source in SOURCES:
        for name, row in _load(source).items():
            found[name] = _entry(name, row, source)
    for one in found.values():
        if one.see and (one.see not in found or found[one.see].see):
            raise RegisterError(f"{one.id}: see: found {one.see}, allowed an asked id")
    return found


def _load(source: Source) -> Mapping[str, Mapping[str, Any]]:
    text = (_FOLDER / f"{source}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _entry(name: str, row: Mapping[str, Any], source: Source) -> Entry:
    unknown = row.keys() - _KEYS
    if unknown:
        raise RegisterError(f"{name}: found {unknown}, allowed {sorted(_KEYS)}")
    told: dict[str, Any] = {"source": source, **row}
    names = told.pop("switches", ())
    if source == "psp":
        wire = REGISTER[name]
        names = wire.switches
        told = {"about": wire.about, "note": wire.note, **told}
    if name == "R4.2":
        told["readings"] = tuple(map(_retry_words, RETRY_QUESTIONS.values()))
    for key in ("depends", "readings"):
        told[key] = tuple(told.get(key, ()))
    played = tuple(one for switch in names for one in _played(name, switch, source))
    return Entry(id=name, switches=played, **told)


def _retry_words(one: RetryQuestion) -> str:
    """Both answers to a question about the plan; the judge reads the same table."""
    answers = "; or ".join(one.answers.values())
    return f"{one.question} {answers[0].upper()}{answers[1:]}."


def _played(entry: str, switch: str, source: Source) -> tuple[Played, ...]:
    """``over_commit`` is a switch of both interfaces; each source means its own."""
    faces: tuple[Interface, ...] = ("psp", "cps")
    if source in faces:
        faces = tuple(face for face in faces if face == source)
    found = tuple(
        Played(interface=face, name=switch)
        for face in faces
        if switch in SWITCHES[face]
    )
    if not found:
        raise RegisterError(f"{entry}: found {switch!r}, allowed a switch of {source}")
    return found


def readings_in_words(one: Played) -> str:
    """``default; or other; or another`` of a switch."""
    switch = one.switch
    if switch.others or switch.agreed:
        values = switch.others or tuple(
            v for v in switch.allowed if v != switch.default
        )
        if len(values) < 16:
            return ", ".join(page_words(one, value) for value in values)
    return f"another of {allowed_words(switch)}"


def page_words(one: Played, value: Value) -> str:
    """A value as the pages write it: a byte of the wire as one."""
    is_byte = one.name.endswith(("_header", "_preamble", "_magic", "_reason"))
    if is_byte and isinstance(value, int):
        return f"0x{value:02X}"
    return value_words(value)
