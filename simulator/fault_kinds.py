"""What a row of the catalogue of faults is made of: a seam, and parameters.

The rows themselves are in ``simulator.fault_table``; ``simulator.faults`` plans them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

Value = int | str

#: The longest text that a parameter may be.
MAX_TEXT: Final = 200


class Seam(StrEnum):
    """Where a fault is put in."""

    CABLE = "the cable's bytes"
    TCP = "TCP"
    HTTP = "HTTP"
    CALLBACK = "callbacks"
    HOST_LINK = "the terminal's host link"
    TERMINAL = "the terminal's power and configuration"
    ANSWERS = "the terminal's and the cloud's own answers"
    ISSUER = "the card issuer"
    CHARGER_LINK = "the charger link"
    CHARGER = "charger and vehicle"
    METER = "the meter"
    CONTROLLER = "the controller's power"
    STORE = "the controller's durable store"
    CLOCK = "the controller's wall clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter: a whole number in a span, one of some words, or any text."""

    about: str
    #: None: has to be given.
    default: Value | None = None
    span: tuple[int, int] | None = None
    #: Numbers inside the span that are not allowed.
    without: tuple[int, ...] = ()
    words: tuple[str, ...] = ()

    def wrong(self, value: object) -> str:
        """What is wrong with ``value``: found and allowed; empty when nothing is."""
        if self.span is not None:
            low, high = self.span
            fits = type(value) is int and low <= value <= high
            fits = fits and value not in self.without
            allowed = f"{low}..{high}"
            if self.without:
                allowed += f" without {', '.join(map(str, self.without))}"
        elif self.words:
            fits = value in self.words
            allowed = ", ".join(word or "''" for word in self.words)
        else:
            fits = isinstance(value, str) and len(value) <= MAX_TEXT
            allowed = f"text of at most {MAX_TEXT} characters"
        return "" if fits else f"found {value!r}, allowed {allowed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    name: str
    seam: Seam
    about: str
    #: In the words of a scenario; ``{parameter}`` where one belongs.
    words: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    #: Hits once and is gone; there is nothing to heal.
    once: bool = False
    #: Lasts from the moment it strikes, which it waits for: ``for_s`` runs from then.
    waits: bool = False
