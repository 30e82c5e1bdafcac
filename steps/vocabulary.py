"""The vocabulary as data: every phrase, whose it is, and an example.

A step definition's docstring starts with an example of its use; ``nohold steps`` prints
them and a test proves that each example matches exactly its own phrase. An unknown step
is answered with the closest phrases, measured on words, so that QA finds the right one
without reading Python.
"""

import difflib
import importlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Final

from pytest_bdd.parsers import StepParser
from pytest_bdd.steps import StepFunctionContext, step_function_context_registry
from rich.console import Console

from harness.bench import WrongUse
from steps.words import WORDS, plain

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
#: A field of ``parse``: its name and its type.
_FIELD: Final = re.compile(r"\{(\w*):?(\w*)\}")


class UnknownStep(WrongUse):
    """A step that no phrase matches; says where, and what comes closest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One phrase of the vocabulary."""

    actor: str
    keyword: str
    pattern: str
    example: str
    #: All that its docstring says; more words to be found by.
    about: str
    parser: StepParser

    @property
    def text(self) -> str:
        """The phrase as a person reads it."""
        return plain(self.pattern)

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Its fields, each with the name of its type in ``WORDS``; "" without one."""
        return tuple(_FIELD.findall(self.pattern))

    def values(self) -> Iterator[tuple[str, Sequence[str]]]:
        """Fields that take one of a few words, and which."""
        for name, kind in self.fields:
            values = getattr(WORDS.get(kind), "values", ())
            if name and values:
                yield name, values

    def misfits(self, text: str) -> list[str] | None:
        """What of ``text`` does not fit its field; None if the phrase is another."""
        shape = _FIELD.split(self.pattern)
        loose = re.escape(shape[0])
        for name, kind, after in zip(*[iter(shape[1:])] * 3, strict=True):
            # A verb has no value that could be wrong.
            loose += f"({'.+?' if name else WORDS[kind].pattern}){re.escape(after)}"  # type: ignore[attr-defined]
        found = re.fullmatch(loose, text)
        if found is None:
            return None
        return [
            f"<{name}>: found {word!r}, allowed {WORDS[kind].allowed}"  # type: ignore[attr-defined]
            for (name, kind), word in zip(self.fields, found.groups(), strict=True)
            if kind and not re.fullmatch(WORDS[kind].pattern, word)  # type: ignore[attr-defined]
        ]

    def has_words(self, wanted: Sequence[str]) -> bool:
        """Whether all of them stand in the phrase, its example or its values."""
        values = " ".join(word for _, values in self.values() for word in values)
        text = f"{self.text} {self.about} {values}".lower()
        return all(word in text for word in wanted)


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
            about=doc,
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
    lines += [f"  {line}" for line in _why(kind, text)]
    lines.append("  the closest are:")
    lines += [f"    {entry.example}" for entry in closest(kind, text)]
    lines.append("  `nohold steps WORDS` searches the vocabulary")
    return UnknownStep("\n".join(lines))


def _why(kind: str, text: str) -> list[str]:
    """What is wrong with it, where it is all but a phrase."""
    entries = vocabulary()
    others = [e.keyword for e in entries if e.parser.is_matching(text)]
    if others:
        return [f"it is a phrase as a {others[0]}, not as a {kind.capitalize()}"]
    near = [(e, e.misfits(text)) for e in entries if e.keyword.lower() == kind]
    # The phrase of which most is said word by word.
    found = [(len(_FIELD.sub("", e.pattern)), why) for e, why in near if why]
    return max(found, default=(0, []))[1]


def matches(kind: str, text: str) -> list[Entry]:
    """Every phrase that matches a step; exactly one is right."""
    return [
        entry
        for entry in vocabulary()
        if entry.keyword.lower() == kind and entry.parser.is_matching(text)
    ]


def show(words: str) -> int:
    """Print the phrases that contain all ``words``, by actor; 2 when there are none.

    A search also says which values a field may have.
    """
    wanted = words.lower().split()
    # Lines are never broken: they are copied from here, and searched.
    console = Console(highlight=False, soft_wrap=True)
    found = [entry for entry in vocabulary() if entry.has_words(wanted)]
    actor = ""
    for entry in found:
        if entry.actor != actor:
            actor = entry.actor
            console.print(f"\n{actor}", style="bold")
        console.print(f"  {entry.keyword:<5} {entry.text}", markup=False)
        console.print(f"        {entry.example}", style="dim", markup=False)
        for name, values in entry.values() if wanted else ():
            console.print(f"        <{name}>: {', '.join(values)}", markup=False)
    if not found:
        console.print(f"no phrase has the words {words!r}; the closest are:")
        for entry in closest("", words):
            console.print(f"  {entry.example}", markup=False)
    return 0 if found else 2
