"""Remembers which definition a step has, because pytest-bdd looks it up each time.

pytest-bdd asks pytest for every fixture of the session, twice for each step, whenever a
scenario is played, and reads the signature of the step's function as often; with a
hundred phrases and three columns that is a quarter of a run. Which definitions a
scenario can see depends on its file alone, so the answers are kept, for as long as the
session lasts: which steps are defined for a file, and which of them a step means there.
"""

import importlib
import re
from collections.abc import Iterator
from functools import lru_cache
from inspect import signature
from typing import Any, Final

import pytest
from pytest_bdd import parsers
from pytest_bdd.parser import Step
from pytest_bdd.parsers import StepParser
from pytest_bdd.utils import get_required_args

#: The module; ``pytest_bdd.scenario`` as an attribute is the decorator of that name.
engine: Any = importlib.import_module("pytest_bdd.scenario")

#: How the steps of a phrase begin, and a piece of them; both in small letters.
_Literal = tuple[str, str]
#: A field of ``parse``.
_FIELD: Final = re.compile(r"\{[^{}]*\}")
#: More functions than a vocabulary has steps.
_FUNCTIONS: Final = 1024


class Lookup:
    """Stands in for pytest-bdd's search while a session runs."""

    def __init__(self) -> None:
        self._ours = {
            "find_fixturedefs_for_step": self.find,
            "get_step_function": self.meant,
            "signature": lru_cache(_FUNCTIONS)(signature),
            "get_required_args": lru_cache(_FUNCTIONS)(get_required_args),
        }
        self._theirs = {name: getattr(engine, name) for name in self._ours}
        self._meant: dict[tuple[str, str, str], Any] = {}
        #: File -> fixtures that define steps there, with what pytest-bdd notes of them.
        self._defined: dict[str, list[tuple[_Literal, Any, Any]]] = {}

    def install(self) -> None:
        for name, ours in self._ours.items():
            setattr(engine, name, ours)

    def remove(self) -> None:
        for name, theirs in self._theirs.items():
            setattr(engine, name, theirs)

    def meant(self, request: pytest.FixtureRequest, step: Step) -> Any:
        """The definition of a step, from memory where it has been found before."""
        key = (_place(request.node), step.type, step.name)
        if key not in self._meant:
            search = self._theirs["get_step_function"]
            self._meant[key] = search(request=request, step=step)
        return self._meant[key]

    def find(self, step: Step, fixturemanager: Any, node: pytest.Item) -> Iterator[Any]:
        """The fixtures that pytest-bdd would find for a step, in the same order."""
        place = _place(node)
        if place not in self._defined:
            self._defined[place] = list(_definitions(fixturemanager, node))
        words = step.name.lower()
        for (start, piece), fixturedef, context in self._defined[place]:
            is_kind = context.type is None or context.type == step.type
            # Most phrases have other words: that is seen sooner than tried.
            is_near = is_kind and words.startswith(start) and piece in words
            if is_near and context.parser.is_matching(step.name):
                yield fixturedef


def _place(node: pytest.Item) -> str:
    return node.parent.nodeid if node.parent else ""


def _definitions(
    fixturemanager: Any, node: pytest.Item
) -> Iterator[tuple[_Literal, Any, Any]]:
    """All definitions of steps that ``node`` can see, with what their steps contain."""
    for name in engine.get_fixture_names(fixturemanager=fixturemanager):
        for fixturedef in engine.getfixturedefs(fixturemanager, name, node) or ():
            context = engine.step_function_context_registry.get(fixturedef.func)
            if context is not None:
                yield _literal(context.parser), fixturedef, context


def _literal(parser: StepParser) -> _Literal:
    """What stands in every step of a phrase; empty where nobody knows."""
    matches = getattr(type(parser), "is_matching", None)
    has_fields = matches is parsers.parse.is_matching
    if not has_fields or "{{" in parser.name or "}}" in parser.name:
        return "", ""
    pieces = _FIELD.split(parser.name.lower())
    return pieces[0], max(pieces, key=len)
