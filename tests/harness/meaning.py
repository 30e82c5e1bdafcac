"""What a trace means, whatever it was played on: the events that matter, in order.

Four stories are told of a case, each a list of lines:

* ``verdict``: conduct, and what became of each session.
* ``money``: sessions, contactors and the controller's lives, as they really were.
* ``asked``: what the controller asked of the terminal with money in it, in words that
  PSP and CPS share.
* ``charger``: what the controller ordered of the charger, told the driver, and told the
  operator.

Left out is what follows the line and the clock: setting a terminal up, keeping a line
alive, polling, reading cards anew, times, and amounts. That an amount fits the energy
is the judge's to say, and part of the verdict. Order is kept within a story only: two
things that are independent of each other may be heard in either order.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import unified_diff
from typing import Any, Final

from wire.records import Record

# fmt: off
#: What a controller asks for, in the words of both protocols.
ASKED: Final[Mapping[str, str]] = {
    "Auth Session": "authorise", "E6": "authorise",
    "Commit Session": "commit", "E9": "commit",
    "Void Session": "release", "E10": "release",
    "Update Session": "raise", "E14": "raise",
}
#: Kind and event of a record, and its fields that tell which.
_MONEY: Final[Mapping[tuple[object, object], Sequence[str]]] = {
    ("session", "opened"): ("card",), ("session", "committed"): ("card",),
    ("session", "cancelled"): ("card",), ("session", "refused"): ("card", "op"),
    ("session", "expired"): ("card",), ("session", "updated"): ("card",),
    ("issuer", "declined"): ("card",), ("issuer", "silent"): ("card",),
    ("charger", "contactor"): ("connector", "closed"),
    ("controller", "started"): (), ("controller", "killed"): (),
}
#: What the controller tells the charger, and the fields that tell which.
_TOLD: Final[Mapping[object, Sequence[str]]] = {
    "contactor": ("connector", "close"), "lock": ("connector", "locked"),
    "show": ("connector", "kind", "code"), "alarm": ("connector", "code"),
}
# fmt: on

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """The stories of one case."""

    verdict: tuple[str, ...]
    money: tuple[str, ...]
    asked: tuple[str, ...]
    charger: tuple[str, ...]

    @classmethod
    def of(cls, records: Sequence[Record], *, verdict: Sequence[str]) -> "Meaning":
        def told(story: Callable[[Fields], Iterator[str]]) -> tuple[str, ...]:
            return tuple(line for record in records for line in story(record))

        return cls(
            verdict=tuple(verdict),
            money=told(_money),
            asked=told(_asked),
            charger=told(_charger),
        )

    def against(self, other: "Meaning") -> list[str]:
        """What ``other`` tells differently, as lines of a diff; empty: nothing."""
        found = []
        for field in fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            lines = list(unified_diff(mine, theirs, n=2, lineterm=""))
            found += [f"{field.name:<8} {line}" for line in lines[2:]]
        return found


def _words(name: str, found: Fields, keys: Sequence[str]) -> str:
    known = [f"{key} {found[key]}" for key in keys if found.get(key) is not None]
    return ", ".join([name, *known])


def _money(record: Fields) -> Iterator[str]:
    event = (record["kind"], record.get("event"))
    if event in _MONEY:
        yield _words(f"{event[0]} {event[1]}", record, _MONEY[event])


def _asked(record: Fields) -> Iterator[str]:
    names = []
    if record["kind"] == "http":
        names = [record.get("route")]
    elif record["kind"] == "psp" and record["direction"] == "to_terminal":
        names = [message.get("message") for message in record["messages"]]
    yield from (ASKED[str(name)] for name in names if name in ASKED)


def _charger(record: Fields) -> Iterator[str]:
    if record["kind"] == "bay" and record["direction"] == "to_charger":
        line = record["line"]
        if line.get("type") in _TOLD:
            yield _words(line["type"], line, _TOLD[line["type"]])
