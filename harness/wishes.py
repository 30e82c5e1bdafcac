"""What a scenario, and the run, may still change before the bench opens."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.declaration import Declaration, NotClaimed
from harness.readings import Asked
from wire.machine import ControllerFactory
from wire.psp import CARD_DETECT_OFF


@dataclass(slots=True, kw_only=True)
class Wishes:
    """What a scenario may still change before the bench opens."""

    declaration: Declaration
    #: A configurable controller takes any claim; a vendor's only what it declares.
    configurable: bool
    #: Examined instead of what the declaration names, by whoever tests the bench.
    factory: ControllerFactory | None = None
    card_detect_s: int = CARD_DETECT_OFF
    #: The readings that the scenario is about, above those that the run asks for.
    profile: Mapping[str, Any] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    asked: Asked = field(default_factory=Asked)
    #: Names for the drivers (``simulator.people``), if the run has drawn them already.
    names: tuple[str, ...] = ()

    def claim(self, table: str, key: str, value: str | int | bool) -> None:
        """Ask that the declaration says ``value``. Raises NotClaimed."""
        self._claim(table, key, value, has=lambda found: found == value)

    def claim_one_of(self, key: str, word: str) -> None:
        """Ask that a list of claims holds ``word``. Raises NotClaimed."""
        found = self.declaration.listed("claims", key)
        self._claim("claims", key, (*found, word), has=lambda now: word in now)

    def _claim(
        self, table: str, key: str, value: Any, *, has: Callable[[Any], bool]
    ) -> None:
        found = self.declaration.tables[table][key]
        if has(found):
            return
        if not self.configurable:
            raise NotClaimed(f"[{table}] {key}: declared {found!r}, needs {value!r}")
        self.declaration = self.declaration.replaced(table, **{key: value})
