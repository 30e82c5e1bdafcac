"""What a trace means, whatever it was played on: the events that matter, in order.

Three stories are told of a case, each a list of lines, none with a time or an amount,
because both follow the clock of the world that it was played in:

* ``money``: what became of holds, sessions and energy, in the order of the world. This
  one is the same over PSP and over CPS.
* ``terminal``: what the controller asked of the terminal, without setting it up,
  keeping the line alive and asking for its state, which follow the line.
* ``charger``: what the controller ordered of the charger, told the driver, and told the
  operator.

Order is only kept within a story: two lines that are independent of each other may be
heard in either order.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any, Final

from wire.records import Record

# fmt: off
#: What a controller asks of the terminal, in the words of both protocols.
ASKED: Final[Mapping[str, str]] = {
    "Start Session": "read cards", "Read Card": "read cards", "E3": "read cards",
    "Cancel Session": "stop reading", "E5": "stop reading",
    "Auth Session": "authorise", "E6": "authorise",
    "Commit Session": "commit", "E9": "commit",
    "Void Session": "release", "E10": "release",
    "Update Session": "raise", "E14": "raise",
}
#: Kind and event of what happens to money, and the fields that tell which.
_MONEY: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("session", "opened"): ("card",), ("session", "committed"): ("card",),
    ("session", "cancelled"): ("card",), ("session", "refused"): ("card", "op"),
    ("session", "expired"): ("card",), ("session", "updated"): ("card",),
    ("issuer", "declined"): ("card",), ("issuer", "silent"): ("card",),
    ("charger", "contactor"): ("connector", "closed"),
    ("controller", "started"): (), ("controller", "killed"): (),
}
#: What the controller tells the charger, and the fields that tell which.
_TOLD: Final[Mapping[str, tuple[str, ...]]] = {
    "contactor": ("connector", "close"), "lock": ("connector", "locked"),
    "show": ("connector", "kind", "code"), "alarm": ("code", "connector"),
}
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """The stories of one case, and what was made of it."""

    verdict: tuple[str, ...]
    money: tuple[str, ...]
    terminal: tuple[str, ...]
    charger: tuple[str, ...]


def meaning(records: Sequence[Record], verdict: Sequence[str]) -> Meaning:
    """The stories in a trace up to the end of its epilogue."""

    def told(story: Callable[[Any], Iterator[str]]) -> tuple[str, ...]:
        return tuple(line for record in records for line in story(record))

    return Meaning(
        verdict=tuple(verdict),
        money=told(_money),
        terminal=_once(told(_terminal)),
        charger=told(_charger),
    )


def difference(one: Meaning, other: Meaning, *, stories: Sequence[str]) -> str:
    """How two cases differ in the stories named, in lines; empty when they agree."""
    found: list[str] = []
    for story in stories:
        lines = unified_diff(getattr(one, story), getattr(other, story), n=2, lineterm="")
        found += [f"  {story}: {line}" for line in list(lines)[2:]]
    return "\n".join(found)


def _words(name: str, fields: Mapping[str, Any], keys: Sequence[str]) -> str:
    known = [f"{key} {fields[key]}" for key in keys if fields.get(key) is not None]
    return ", ".join([name, *known])


def _money(record: Mapping[str, Any]) -> Iterator[str]:
    event = (record["kind"], record.get("event", ""))
    if event in _MONEY:
        yield _words(" ".join(event), record, _MONEY[event])


def _terminal(record: Mapping[str, Any]) -> Iterator[str]:
    names: list[str] = []
    if record["kind"] == "http":
        names = [record.get("route", "")]
    elif record["kind"] == "psp" and record["direction"] == "to_terminal":
        names = [message.get("message", "") for message in record["messages"]]
    yield from (ASKED[name] for name in names if name in ASKED)


def _charger(record: Mapping[str, Any]) -> Iterator[str]:
    if record["kind"] != "bay" or record["direction"] != "to_charger":
        return
    line = record["line"]
    if line.get("type") in _TOLD:
        yield _words(line["type"], line, _TOLD[line["type"]])


def _once(lines: Sequence[str]) -> tuple[str, ...]:
    """Asking again for what is asked already follows the clock, not the story."""
    pairs = zip(("", *lines), lines, strict=False)
    return tuple(line for before, line in pairs if line != before or line != "read cards")
