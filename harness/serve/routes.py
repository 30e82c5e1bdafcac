# ruff: noqa: E501 - a table
"""The calls of the control interface (bench.md): one row each.

The desk finds its handler by a row's ``name``, the OpenAPI document is made from the
rows, and the tests go through them. What a row does not list is not asked for anywhere.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, Protocol

from harness.serve.fields import (
    UNKNOWN,
    Field,
    Fields,
    Refused,
    Value,
    from_parameter,
    missing,
    object_schema,
    read_all,
    wrong,
)
from harness.serve.shapes import Schema, ref
from simulator.cards import CARDS
from simulator.faults import FAULTS
from simulator.vehicle import VEHICLES

#: The largest number a record can have: what JavaScript still counts exactly.
MAX_SEQ: Final = 2**53 - 1
#: More than any vehicle or charger takes.
MAX_POWER_W: Final = 1_000_000

Method = Literal["GET", "POST", "DELETE"]


class Body(Protocol):
    """What a call's JSON object has to be."""

    def read(self, found: Mapping[str, object]) -> dict[str, Value]:
        """Its fields. Raises Refused."""

    def schema(self) -> dict[str, object]:
        """The same as JSON Schema."""


@dataclass(frozen=True, slots=True)
class Plain:
    """An object with these fields."""

    fields: Fields

    def read(self, found: Mapping[str, object]) -> dict[str, Value]:
        return read_all(self.fields, found)

    def schema(self) -> dict[str, object]:
        return object_schema(self.fields)


@dataclass(frozen=True, slots=True)
class OfFault:
    """A fault's name, and the parameters that this fault has."""

    connector: Field

    def fields(self, name: str) -> Fields:
        read = {
            key: from_parameter(parameter)
            for key, parameter in FAULTS[name].parameters.items()
        }
        if "connector" in read:
            default = read["connector"].default
            read["connector"] = replace(self.connector, default=default)
        return read

    def read(self, found: Mapping[str, object]) -> dict[str, Value]:
        params = dict(found)
        if "name" not in params:
            raise missing("name", ", ".join(FAULTS))
        name = params.pop("name")
        if not isinstance(name, str):
            raise wrong("name", name, ", ".join(FAULTS))
        if name not in FAULTS:
            raise wrong("name", name, ", ".join(FAULTS), status=UNKNOWN)
        return {"name": name, **read_all(self.fields(name), params)}

    def schema(self) -> dict[str, object]:
        return {"oneOf": [self._schema_of(name) for name in FAULTS]}

    def _schema_of(self, name: str) -> dict[str, object]:
        named = Field(about=FAULTS[name].about, words=(name,))
        return object_schema({"name": named, **self.fields(name)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One call."""

    name: str
    method: Method
    path: str
    about: str
    answer: Schema
    body: Body | None = None
    query: Fields = field(default_factory=dict)
    #: Statuses besides 200 and those that the shape of the call brings with it.
    refusals: tuple[int, ...] = ()
    media: str = "application/json"

    @property
    def statuses(self) -> tuple[int, ...]:
        """Every status but 200 that it may answer."""
        of_shape = (422,) if self.body or self.query or self.method != "GET" else ()
        return tuple(sorted({*self.refusals, *of_shape}))

    def match(self, path: str) -> Mapping[str, str] | None:
        """The parameters in ``path`` when it is this route's, else None."""
        ours, theirs = self.path.split("/"), path.split("/")
        if len(ours) != len(theirs):
            return None
        found: dict[str, str] = {}
        for mine, given in zip(ours, theirs, strict=True):
            if mine.startswith("{") and given:
                found[mine.strip("{}")] = given
            elif mine != given:
                return None
        return found


def read_object(body: bytes) -> Mapping[str, Any]:
    """The JSON object in ``body``; nothing counts as an empty one. Raises Refused."""
    if not body.strip():
        return {}
    try:
        found = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        why = "the body is not JSON in UTF-8"
        raise Refused(422, why, field="body", allowed="a JSON object") from None
    if not isinstance(found, dict):
        raise wrong("body", found, "a JSON object")
    return found


_SEQ: Final = Field(
    about="number of the first record", span=(0, MAX_SEQ), optional=True
)
_JSON_LINES: Final = "application/jsonl"
_RECORD: Final[Schema] = {
    "type": "string",
    "description": "one JSON object per line, as in --trace FILE; header Nohold-Dropped: how many of the records asked for are gone",
}
_EVENT: Final[Schema] = {
    "type": "string",
    "description": "id: the record's number; data: the record. At the end, event: closed or event: dropped (a listener that was too slow), with the reason",
}


def routes(connectors: int) -> tuple[Route, ...]:
    """The table for a bench with so many connectors."""
    connector = Field(about="which connector", span=(1, connectors), names=True)
    at = Plain({"connector": connector})
    list_of = {"type": "array", "items": {}}
    # fmt: off
    return (
        Route(name="overview", method="GET", path="/bench", about="everything at a glance", answer=ref("Bench")),
        Route(name="sessions", method="GET", path="/bench/sessions", about="the issuer's ledger, in the order in which the sessions opened", answer={**list_of, "items": ref("Session")}),
        Route(name="cards", method="GET", path="/bench/cards", about="the test cards", answer={**list_of, "items": ref("Card")}),
        Route(name="tap", method="POST", path="/bench/tap", about="presents a card at the terminal", answer=ref("Done"), refusals=(404, 409),
              body=Plain({"card": Field(about="a name of GET /bench/cards", words=tuple(CARDS), names=True)})),
        Route(name="park", method="POST", path="/bench/park", about="a vehicle enters the bay", answer=ref("Done"), refusals=(404, 409), body=at),
        Route(name="leave", method="POST", path="/bench/leave", about="the vehicle leaves the bay, which unplugs it", answer=ref("Done"), refusals=(404, 409), body=at),
        Route(name="plug", method="POST", path="/bench/plug", about="a vehicle connects (pilot B); it parks first if none has", answer=ref("Done"), refusals=(404, 409),
              body=Plain({"connector": connector, "vehicle": Field(about="which vehicle", words=tuple(VEHICLES), default="hatchback")})),
        Route(name="draw", method="POST", path="/bench/draw", about="the vehicle asks for energy (pilot C, or D)", answer=ref("Done"), refusals=(404, 409),
              body=Plain({"connector": connector, "power_w": Field(about="what it takes; without it, by its own charging curve", span=(0, MAX_POWER_W), optional=True)})),
        Route(name="pause", method="POST", path="/bench/pause", about="the vehicle stops asking (pilot B)", answer=ref("Done"), refusals=(404, 409), body=at),
        Route(name="unplug", method="POST", path="/bench/unplug", about="the vehicle disconnects (pilot A)", answer=ref("Done"), refusals=(404, 409), body=at),
        Route(name="press", method="POST", path="/bench/press", about="a button on the charger's own screen", answer=ref("Done"), refusals=(404,),
              body=Plain({"connector": connector, "button": Field(about="which button", words=("start", "stop", "cancel"))})),
        Route(name="terminal_button", method="POST", path="/bench/terminal-button", about="a button on the terminal's screen", answer=ref("Done"), refusals=(409,),
              body=Plain({"id": Field(about="one of terminal.display.buttons of GET /bench")})),
        Route(name="catalogue", method="GET", path="/bench/faults/catalogue", about="every fault by name, with its parameters", answer={**list_of, "items": ref("FaultKind")}),
        Route(name="inject", method="POST", path="/bench/faults", about="puts a fault in", answer=ref("Injected"), refusals=(404, 409), body=OfFault(connector)),
        Route(name="heal", method="DELETE", path="/bench/faults/{id}", about="takes one fault out", answer=ref("Healed"), refusals=(404,)),
        Route(name="heal_all", method="DELETE", path="/bench/faults", about="takes all faults out", answer=ref("Healed")),
        Route(name="trace", method="GET", path="/bench/trace", about="the trace from SEQ on, as far as it is kept", answer=_RECORD, query={"since": _SEQ}, media=_JSON_LINES),
        Route(name="events", method="GET", path="/bench/events", about="the trace as it happens (server-sent events), from SEQ on when given", answer=_EVENT, query={"since": _SEQ}, media="text/event-stream", refusals=(503,)),
        Route(name="reset", method="POST", path="/bench/reset", about="a new forecourt with the same settings; whoever is connected is dropped", answer=ref("Done")),
        Route(name="document", method="GET", path="/openapi.json", about="this document", answer={"type": "object"}),
    )
    # fmt: on
