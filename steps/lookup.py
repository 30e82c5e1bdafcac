"""Remembers which definition a step has, because pytest-bdd looks it up each time.

pytest-bdd asks pytest for every fixture of the session, twice for each step, whenever a
scenario is played; with a hundred phrases and three columns that is a quarter of a run.
Which definitions a scenario can see depends on its file alone, so two answers are kept,
for as long as the session lasts: what a name stands for in a file, and which
definitions a step has there.
"""

import importlib
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_bdd.parser import Step

#: The module; ``pytest_bdd.scenario`` as an attribute is the decorator of that name.
engine: Any = importlib.import_module("pytest_bdd.scenario")


class Lookup:
    """Stands in for pytest-bdd's search while a session runs."""

    def __init__(self) -> None:
        self._search = engine.find_fixturedefs_for_step
        self._ask = engine.getfixturedefs
        self._found: dict[tuple[str, str, str], list[Any]] = {}
        #: File -> name -> what pytest knows under this name there.
        self._named: dict[str, dict[str, Any]] = {}

    def install(self) -> None:
        engine.find_fixturedefs_for_step = self.find
        engine.getfixturedefs = self.named

    def remove(self) -> None:
        engine.find_fixturedefs_for_step = self._search
        engine.getfixturedefs = self._ask

    def named(self, fixturemanager: Any, name: str, node: pytest.Item) -> Any:
        """What pytest knows under a name, seen from the file of ``node``."""
        there = self._named.setdefault(node.parent.nodeid if node.parent else "", {})
        if name not in there:
            there[name] = self._ask(fixturemanager, name, node)
        return there[name]

    def find(self, step: Step, fixturemanager: Any, node: pytest.Item) -> Iterator[Any]:
        """What pytest-bdd would find, from memory where it has been found before."""
        place = node.parent.nodeid if node.parent else ""
        key = (place, step.type, step.name)
        if key not in self._found:
            self._found[key] = list(
                self._search(step=step, fixturemanager=fixturemanager, node=node)
            )
        return iter(self._found[key])
