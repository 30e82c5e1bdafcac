"""The moment of a death: before or after something that a controller sends or writes.

A ``Doom`` waits for its moment and strikes once. What a controller says is known by the
names that its protocols give it: a PSP message, a CPS route, the type of a line to the
charger. ``send`` is anything that it says, ``write`` anything that it makes durable.

A death in the middle of a write has to leave the controller that is writing, whatever
that catches of its storage's errors: ``Died`` is therefore no ``Exception``.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from harness.line_faults import Turn
from harness.psp_line import PspLine
from wire.cps import Call, Request, parse_call
from wire.machine import Action, AnswerCallback, CallHttp, Link, SendBytes
from wire.records import Record

Moment = Literal["before", "after"]

#: Anything that is said; anything that is made durable.
SEND: Final = "send"
WRITE: Final = "write"
#: An answer to a callback has no name of its own.
_ANSWER: Final = "callback answer"


class Died(BaseException):
    """The controller ends here, in the middle of what it does."""


@dataclass(slots=True, kw_only=True, eq=False)
class Doom:
    """A death that waits for its moment."""

    moment: Moment
    #: ``send``, ``write``, or the name of what is said.
    what: str
    turn: Turn
    #: The controller is about to die; told of the moment in words.
    strike: Callable[[str], None]
    #: How many have fitted so far.
    seen: int = 0
    #: Nothing counts yet.
    is_asleep: bool = False

    def comes_with(self, *names: str) -> bool:
        """Whether this is its moment; ``names`` is what is said, or ``write``."""
        says = bool(names) and WRITE not in names
        if self.is_asleep:
            return False
        if self.what not in names and not (says and self.what == SEND):
            return False
        self.seen += 1
        return self.turn.comes()


def names_of(action: Action, line: PspLine) -> Sequence[str]:
    """Names of what an action says; empty for what says nothing."""
    match action:
        case SendBytes(link=Link.PSP, data=data):
            return line.names_of(data) or ["bytes"]
        case SendBytes(link=Link.BAY, data=data):
            return list(_line_types(data))
        case CallHttp(method=method, target=target, headers=headers):
            call = parse_call(Request(method, target, headers))
            return [plain_route(call.route) if isinstance(call, Call) else "?"]
        case AnswerCallback():
            return [_ANSWER]
    return []


def plain_route(route: str) -> str:
    """``E12-put`` as ``E12``: that call has three verbs, each a route of its own."""
    return route.partition("-")[0]


def names_in(record: Record) -> Sequence[str]:
    """What a controller has said, by a record of what arrived; empty for the rest."""
    match record["kind"], record.get("direction"):
        case "psp", "to_terminal":
            messages = record["messages"]
            assert isinstance(messages, list)
            return [str(one.get("message", "bytes")) for one in messages]
        case "bay", "to_charger":
            line = record["line"]
            return [str(line.get("type", "?"))] if isinstance(line, Mapping) else []
        case "http", _:
            return [plain_route(str(record.get("route", "?")))]
        case "callback_answer", _:
            return [_ANSWER]
    return []


def _line_types(data: bytes) -> Iterator[str]:
    for raw in data.splitlines():
        try:
            line = json.loads(raw)
        except (ValueError, RecursionError):
            line = None
        yield str(line.get("type", "?")) if isinstance(line, dict) else "?"
