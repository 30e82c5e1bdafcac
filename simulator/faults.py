"""The catalogue of faults of the whole forecourt.

A fault is a value: a name in the table, an id, parameters. The bench applies it at its
seam (``harness.faults``); nothing here runs anything. ``words`` is how a scenario says
it, with the parameters in braces. A name that is a part of ``simulator.events.Trouble``
or a kind of ``simulator.terminal.Impairment`` means just that. The table is
``simulator.fault_table``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from simulator.fault_kinds import MAX_TEXT, FaultKind, Parameter, Seam, Value
from simulator.fault_table import FAULT_KINDS

__all__ = [
    "FAULTS",
    "MAX_TEXT",
    "Fault",
    "FaultKind",
    "FaultPlanError",
    "Parameter",
    "Seam",
    "Value",
    "plan",
]

FAULTS: Final[Mapping[str, FaultKind]] = {kind.name: kind for kind in FAULT_KINDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A planned fault. ``params`` is complete: defaults are filled in."""

    fault_id: str
    name: str
    params: Mapping[str, Value]

    @property
    def kind(self) -> FaultKind:
        return FAULTS[self.name]

    @property
    def seam(self) -> Seam:
        return self.kind.seam

    @property
    def words(self) -> str:
        """The fault as a scenario says it."""
        said = {k: _SAID.get((k, str(v)), v) for k, v in self.params.items()}
        return self.kind.words.format(**said)

    def number(self, name: str) -> int:
        """A parameter that is a whole number."""
        value = self.params[name]
        if not isinstance(value, int):
            raise TypeError(f"{self.name}.{name}: found {value!r}, allowed a number")
        return value

    def text(self, name: str) -> str:
        """A parameter that is a word or a text."""
        value = self.params[name]
        if not isinstance(value, str):
            raise TypeError(f"{self.name}.{name}: found {value!r}, allowed a text")
        return value


#: What a parameter that is left empty is called in a sentence.
_SAID: Final = {
    ("message", ""): "block",
    ("line", ""): "a line",
    ("session", ""): "the newest",
}


class FaultPlanError(ValueError):
    """A fault that is not in the catalogue, or whose parameters do not fit."""


def plan(name: str, /, **params: Value) -> Fault:
    """A fault of the catalogue with all its parameters.

    ``fault_id`` may be among them: the bench's name for this one (default: ``name``).
    Raises FaultPlanError naming what was found and what is allowed.
    """
    fault_id = str(params.pop("fault_id", name))
    kind = FAULTS.get(name)
    if kind is None:
        raise FaultPlanError(f"fault: found {name!r}, allowed {', '.join(FAULTS)}")
    unknown = [key for key in params if key not in kind.parameters]
    if unknown:
        allowed = ", ".join(kind.parameters) or "no parameters"
        raise FaultPlanError(f"{name}: found {unknown[0]!r}, allowed {allowed}")
    complete = {
        key: _value(f"{name}.{key}", parameter, params.get(key, parameter.default))
        for key, parameter in kind.parameters.items()
    }
    return Fault(fault_id=fault_id, name=name, params=complete)


def _value(where: str, parameter: Parameter, value: Value | None) -> Value:
    wrong = parameter.wrong(value)
    if wrong or value is None:
        raise FaultPlanError(f"{where}: {wrong}")
    return value
