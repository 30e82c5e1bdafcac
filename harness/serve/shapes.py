# ruff: noqa: E501 - tables
"""What the bench answers, as JSON Schema: the OpenAPI document's half that is not asked.

Every object is closed (no other fields), so that a test against the document notices a
field that was added and not described.
"""

from collections.abc import Mapping
from typing import Any, Final

Schema = Mapping[str, Any]


def _number(about: str, *, minimum: int | None = 0) -> Schema:
    bound = {} if minimum is None else {"minimum": minimum}
    return {"type": "integer", "description": about, **bound}


def _text(about: str, *words: str) -> Schema:
    return {
        "type": "string",
        "description": about,
        **({"enum": list(words)} if words else {}),
    }


def _flag(about: str) -> Schema:
    return {"type": "boolean", "description": about}


def _maybe(schema: Schema) -> Schema:
    """The same, or null."""
    known = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, **known, "type": [schema["type"], "null"]}


def _list(of: Schema, about: str = "") -> Schema:
    return {"type": "array", "items": of, **({"description": about} if about else {})}


def _object(
    fields: Mapping[str, Schema], about: str = "", *, optional: tuple[str, ...] = ()
) -> Schema:
    """A closed object; every field is there unless it is ``optional``."""
    return {
        "type": "object",
        **({"description": about} if about else {}),
        "properties": dict(fields),
        "required": [name for name in fields if name not in optional],
        "additionalProperties": False,
    }


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


# fmt: off
_PARAMETER: Final = _object({
    "name": _text("its name in POST /bench/faults"),
    "about": _text("what it sets"),
    "default": {"type": ["integer", "string", "null"], "description": "null: has to be given"},
    "minimum": _number("of a whole number", minimum=None), "maximum": _number("of a whole number", minimum=None),
    "allowed": _list(_text("one of these words")),
    "max_length": _number("of a text, in characters"),
}, optional=("minimum", "maximum", "allowed", "max_length"))

SCHEMAS: Final[Mapping[str, Schema]] = {
    "Refusal": _object({
        "error": _text("what was found and what is allowed, or why it is not possible now"),
        "field": _text("which field is wrong"), "allowed": _text("what is allowed there"),
    }, optional=("field", "allowed")),
    "Done": _object({"seq": _number("number of the trace record with which what was done begins")}),
    "Clock": _object({
        "t_ms": _number("milliseconds since the bench was started"),
        "started_at": _text("calendar time at 0, ISO 8601 with zone"),
    }),
    "Display": _object({
        "screen": _text("which screen"), "text": _text("what the driver reads"),
        "buttons": _list(_text("id for POST /bench/terminal-button"), "buttons that can be pressed now"),
    }),
    "Terminal": _object({
        "family": _text("which terminal", "apollo", "p6x"), "serial_number": _text("as the payment cloud names it"),
        "state": _text("as PSP shows it"), "cps_state": _text("as CPS shows it"),
        "display": ref("Display"), "online": _flag("the payment cloud reaches the terminal"),
        "running": _flag("it has power and has started"),
    }),
    "Connector": _object({
        "connector": _number("1 and up", minimum=1), "pilot": _text("IEC 61851-1 control pilot", "A", "B", "C", "D", "E", "F"),
        "contactor_closed": _flag("energy may flow"), "locked": _flag("the cable is locked"),
        "energy_wh": _number("true register", minimum=None), "shown_wh": _number("what the meter shows", minimum=None),
        "power_w": _number("what flows now"), "occupied": _flag("a vehicle stands in the bay"),
        "available": _flag("in service"), "faults": _list(_text("OCPP 1.6 error code")),
        "vehicle": _maybe(_text("which vehicle is plugged in")), "charge_permille": _maybe(_number("of its battery")),
    }),
    "Session": _object({
        "session_id": _text("UUID as CPS shows it"), "psp_session_id": _number("as PSP shows it"),
        "state": _text("open: the money is held", "open", "committed", "cancelled", "expired"),
        "card": _text("name of the test card"),
        "authorised_minor": _number("held, in minor units"), "committed_minor": _maybe(_number("paid, in minor units; null unless committed")),
        "opened_at_ms": _number("on the bench's clock"), "closed_at_ms": _maybe(_number("on the bench's clock")),
        "connector": _maybe(_number("as far as the controller has named it with the session", minimum=1)),
        "settlement": _maybe(_text(
            "CLOSED: a host closed it once and the issuer has settled it. LEFT OPEN: no host did before the terminal's own time-out. "
            "null: open, or not settled with the issuer yet. Deadlines, amounts and second closes are judged by `nohold run`, not here",
            "CLOSED", "LEFT OPEN")),
    }),
    "Fault": _object({
        "id": _text("for DELETE /bench/faults/{id}"), "name": _text("name in the catalogue"),
        "params": {"type": "object", "description": "its parameters, defaults filled in", "additionalProperties": {"type": ["integer", "string"]}},
        "state": _text("planned: waits for its moment; hit: has struck", "planned", "hit"),
    }),
    "Links": _object({
        "psp": _flag("a controller is connected to the terminal; on a serial line always true"), "bay": _flag("a controller is connected to the charger"),
    }),
    "Bench": _object({
        "clock": ref("Clock"), "terminal": ref("Terminal"), "connectors": _list(ref("Connector")),
        "sessions": _list(ref("Session"), "the open ones, and the last 20 of the rest, in the order in which they opened"),
        "faults": _list(ref("Fault"), "those in force"), "links": ref("Links"),
        "addresses": {"type": "object", "description": "where a controller connects", "additionalProperties": _text("an address")},
        "next_seq": _number("number of the next trace record"),
    }),
    "Card": _object({
        "name": _text("for POST /bench/tap"), "kind": _text("rfid: no payment card", "emv", "rfid"), "scheme": _text("empty for rfid"),
        "account": _text("whose money; two cards may share one"), "masked_pan": _text("as on a receipt"),
        "outcome": _text("what its issuer does"), "delay_ms": _number("what the issuer adds to a normal round trip at this terminal"),
    }),
    "FaultKind": _object({
        "name": _text("for POST /bench/faults"), "seam": _text("where it is put in"), "about": _text("what it does"),
        "words": _text("how a scenario says it"), "once": _flag("hits once; there is nothing to heal"),
        "parameters": _list(_PARAMETER),
        "impossible": _maybe(_text("why it is refused (409) at this bench; null when it is not")),
    }),
    "Injected": _object({"id": _text("for DELETE /bench/faults/{id}"), "seq": _number("trace record with which it begins")}),
    "Healed": _object({"healed": _list(_text("id of a fault that was taken out"))}),
}
# fmt: on
