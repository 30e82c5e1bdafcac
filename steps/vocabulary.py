"""The vocabulary as data: every phrase, whose it is, and an example.

A step definition's docstring starts with an example of its use; ``nohold steps`` prints
them and a test proves that each example matches exactly its own phrase. An unknown step
is answered with the closest phrases, measured on words, so that QA finds the right one
without reading Python.
"""

import difflib
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Final

from pytest_bdd.parsers import StepParser
from pytest_bdd.steps import StepFunctionContext, step_function_context_registry
from rich.console import Console

from harness.bench import WrongUse
from steps.words import plain

#: Modules with step definitions, by actor, in the order in which they are shown.
ACTORS: Final = (
    "driver",
    "vehicle",
    "charger",
    "terminal",
    "cable",
    "cloud",
    "issuer",
    "controller",
    "money",
    "site",
    "audit",
)
_CLOSEST: Final = 3


class UnknownStep(WrongUse):
    """A step that no phrase matches; says where, and what comes closest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One phrase of the vocabulary."""

    actor: str
    keyword: str
    pattern: str
    example: str
    parser: StepParser

    @property
    def text(self) -> str:
        """The phrase as a person reads it."""
        return plain(self.pattern)


@lru_cache(maxsize=1)
def vocabulary() -> tuple[Entry, ...]:
    """Every phrase, by actor, in the order of the definitions."""
    return tuple(
        entry
        for actor in ACTORS
        for entry in _entries(actor, importlib.import_module(f"steps.{actor}"))
    )


def _entries(actor: str, module: ModuleType) -> Iterator[Entry]:
    for value in list(vars(module).values()):
        context = _context(value)
        if context is None:
            continue
        doc = (context.step_func.__doc__ or "").strip()
        yield Entry(
            actor=actor,
            keyword=(context.type or "step").capitalize(),
            pattern=context.parser.name,
            example=_example(doc, context.type or "given"),
            parser=context.parser,
        )


def _context(value: object) -> StepFunctionContext | None:
    """The step definition behind a module attribute, if it is one."""
    unwrap = getattr(value, "_get_wrapped_function", None)
    return None if unwrap is None else step_function_context_registry.get(unwrap())


def _example(doc: str, kind: str) -> str:
    """The line of the docstring that shows this keyword's use."""
    lines = [line.strip() for line in doc.splitlines() if line.strip()]
    for line in lines:
        if line.lower().startswith(kind):
            return line
    return lines[0] if lines else ""


def closest(kind: str, text: str) -> list[Entry]:
    """The phrases nearest to ``text``, those of the same keyword first."""

    def distance(entry: Entry) -> float:
        wanted = re.sub(r"[\d.]+", "1", text.lower())
        shown = re.sub(r"[\d.]+", "1", entry.example.lower().partition(" ")[2])
        ratio = difflib.SequenceMatcher(None, wanted, shown).ratio()
        same_kind = entry.keyword.lower() == kind
        return -(ratio + (0.05 if same_kind else 0))

    return sorted(vocabulary(), key=distance)[:_CLOSEST]


def unknown_step(kind: str, text: str, *, where: str) -> UnknownStep:
    """The error for a step that no phrase matches."""
    lines = [f"{where}: no phrase matches: {kind.capitalize()} {text}"]
    lines += [f"    {entry.example}" for entry in closest(kind, text)]
    lines.insert(1, "  the closest are:")
    lines.append("  `nohold steps WORDS` searches the vocabulary")
    return UnknownStep("\n".join(lines))


def matches(kind: str, text: str) -> list[Entry]:
    """Every phrase that matches a step; exactly one is right."""
    return [
        entry
        for entry in vocabulary()
        if entry.keyword.lower() == kind and entry.parser.is_matching(text)
    ]


def show(words: str) -> int:
    """Print the phrases that contain all ``words``, by actor; 2 when there are none."""
    wanted = words.lower().split()
    console = Console(highlight=False)
    found, actor = 0, ""
    for entry in vocabulary():
        if not all(word in f"{entry.text} {entry.example}".lower() for word in wanted):
            continue
        if entry.actor != actor:
            actor = entry.actor
            console.print(f"\n{actor}", style="bold")
        found += 1
        console.print(f"  {entry.keyword:<5} {entry.text}", markup=False)
        console.print(f"        {entry.example}", style="dim", markup=False)
    if not found:
        console.print(f"no phrase has the words {words!r}; the closest are:")
        for entry in closest("", words):
            console.print(f"  {entry.example}", markup=False)
    return 0 if found else 2
