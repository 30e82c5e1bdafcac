"""What a call may carry, field by field, and how a wrong one is answered.

A field is a row: whole number, one of some words, or text. The same row checks what
came (``read``) and describes itself for the OpenAPI document (``schema``), so the two
cannot say different things.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from simulator.faults import MAX_TEXT, Parameter

Value = int | str
#: Most characters of a wrong value that an answer repeats.
MAX_SHOWN: Final = 60

UNKNOWN: Final = 404
NOT_NOW: Final = 409
WRONG: Final = 422


class Refused(Exception):
    """A call that is not carried out: its status, and why in words."""

    def __init__(self, status: int, why: str, *, field: str = "", allowed: str = ""):
        super().__init__(why)
        self.status = status
        self.why = why
        self.field = field
        self.allowed = allowed

    def body(self) -> dict[str, object]:
        told: dict[str, object] = {"error": self.why}
        if self.field:
            told |= {"field": self.field, "allowed": self.allowed}
        return told


def wrong(field: str, found: object, allowed: str, *, status: int = WRONG) -> Refused:
    """Refuse the value of one field."""
    why = f"{field}: found {_shown(found)}, allowed {allowed}"
    return Refused(status, why, field=field, allowed=allowed)


def _shown(found: object) -> str:
    """A value as its sender would write it, cut where it is long."""
    if isinstance(found, list | dict):
        return "an array" if isinstance(found, list) else "an object"
    text = json.dumps(found, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"


def missing(field: str, allowed: str) -> Refused:
    why = f"{field}: missing, allowed {allowed}"
    return Refused(WRONG, why, field=field, allowed=allowed)


def unknown(field: str, known: Sequence[str], *, what: str = "") -> Refused:
    """A field that the call does not have."""
    allowed = ", ".join(known) or f"no {what or 'fields'}"
    why = f"{field[:MAX_SHOWN]}: unknown {what or 'field'}, allowed {allowed}"
    return Refused(WRONG, why, field=field[:MAX_SHOWN], allowed=allowed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field: a number in ``span``, one of ``words``, or a text of any kind."""

    about: str
    span: tuple[int, int] | None = None
    words: tuple[str, ...] = ()
    default: Value | None = None
    #: May be left out; stays out then, unless there is a default.
    optional: bool = False
    #: A number or word that is not among these names something unknown: 404.
    names: bool = False

    def allowed(self) -> str:
        """What is allowed, in words."""
        if self.span is not None:
            return f"{self.span[0]}..{self.span[1]}"
        return ", ".join(self.words) or f"text of at most {MAX_TEXT} characters"

    def read(self, name: str, found: object) -> Value:
        """``found`` when it fits. Raises Refused."""
        shown = found
        if self.span is not None:
            found = _whole(found)
            if found is None:
                raise wrong(name, shown, self.allowed())
            is_known = self.span[0] <= found <= self.span[1]
        elif not isinstance(found, str):
            raise wrong(name, found, self.allowed())
        else:
            is_known = found in self.words if self.words else len(found) <= MAX_TEXT
        if not is_known:
            status = UNKNOWN if self.names else WRONG
            raise wrong(name, found, self.allowed(), status=status)
        return found

    def schema(self) -> dict[str, object]:
        """The field as JSON Schema."""
        shape: dict[str, object] = {"description": self.about}
        if self.span is not None:
            low, high = self.span
            shape |= {"type": "integer", "minimum": low, "maximum": high}
        elif self.words:
            shape |= {"type": "string", "enum": list(self.words)}
        else:
            shape |= {"type": "string", "maxLength": MAX_TEXT}
        if self.default is not None:
            shape["default"] = self.default
        return shape

    @property
    def is_required(self) -> bool:
        return self.default is None and not self.optional


def _whole(found: object) -> int | None:
    """A whole number as JSON has it: 1 and 1.0 are the same, true is none."""
    if isinstance(found, float) and found.is_integer():
        return int(found)
    return found if type(found) is int else None


Fields = Mapping[str, Field]


def read_all(fields: Fields, found: Mapping[str, object]) -> dict[str, Value]:
    """Every field of a call, defaults filled in. Raises Refused."""
    for name in found:
        if name not in fields:
            raise unknown(name, list(fields))
    read: dict[str, Value] = {}
    for name, field in fields.items():
        if name in found:
            read[name] = field.read(name, found[name])
        elif field.default is not None:
            read[name] = field.default
        elif field.is_required:
            raise missing(name, field.allowed())
    return read


def object_schema(fields: Fields) -> dict[str, object]:
    """An object with exactly these fields, as JSON Schema."""
    shape: dict[str, object] = {
        "type": "object",
        "properties": {name: field.schema() for name, field in fields.items()},
        "additionalProperties": False,
    }
    required = [name for name, field in fields.items() if field.is_required]
    return shape | ({"required": required} if required else {})


def from_parameter(parameter: Parameter) -> Field:
    """A fault's parameter as a field."""
    return Field(
        about=parameter.about,
        span=parameter.span,
        words=parameter.words,
        default=parameter.default,
    )
