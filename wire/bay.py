# ruff: noqa: E501
"""The bay link: what charger and controller say to each other, one JSON object a line.

device_under_test.md section 1 as a table. The same type may exist in both directions
with different fields (``contactor`` is a command one way, feedback the other), so rows
are keyed by direction and type. ``check_line`` judges content; unknown types and unknown
fields are fine by contract. ``LineDecoder`` takes bytes in any pieces, never keeps more
than one line, and reports what is no JSON object instead of stopping.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from wire.errors import LocalProtocolError

VERSION: Final = 1
#: Longest line, its newline included.
MAX_LINE_BYTES: Final = 64 * 1024
#: Deepest nesting of a line; nothing in the tables is deeper than three.
MAX_DEPTH: Final = 32
#: Most connectors of one charger.
MAX_CONNECTORS: Final = 32
#: A ping is answered within this.
PONG_LIMIT_MS: Final = 5_000
#: A command's feedback comes within this.
FEEDBACK_LIMIT_MS: Final = 1_000
#: A changing meter speaks at least this often.
METER_INTERVAL_MS: Final = 10_000

_SHOWN_BYTES: Final = 200


class Direction(StrEnum):
    """Who is spoken to, as the trace names it."""

    TO_CONTROLLER = "to_controller"
    TO_CHARGER = "to_charger"


class Kind(StrEnum):
    """What a field holds."""

    CONNECTOR = f"integer 1 to {MAX_CONNECTORS}"
    CONNECTOR_OR_NULL = f"integer 1 to {MAX_CONNECTORS}, or null"
    FLAG = "true or false"
    WHOLE = "integer >= 0"
    NUMBER = "integer"
    TEXT = "text"
    TEXT_OR_NUMBER = "text or integer"
    CONNECTORS = "list of connectors"


@dataclass(frozen=True, slots=True)
class Words:
    """A field that holds one of a closed set of words."""

    words: tuple[str, ...]


FieldKind = Kind | Words


@dataclass(frozen=True, slots=True, kw_only=True)
class LineType:
    """One type of line: its direction, fields it needs and fields it may have."""

    direction: Direction
    type: str
    about: str
    required: Mapping[str, FieldKind] = field(default_factory=dict)
    optional: Mapping[str, FieldKind] = field(default_factory=dict)


PILOTS: Final = ("A", "B", "C", "D", "E", "F")
QUALITIES: Final = ("good", "suspect")
SHOW_KINDS: Final = ("info", "error", "price", "receipt")
SHOW_CODES: Final = ("plug_in", "charging", "stopped", "released", "declined", "unavailable", "wrong_card")  # fmt: skip
ALARM_CODES: Final = ("close_failed", "close_exhausted", "unknown_outcome", "orphan", "ledger", "key", "meter", "contactor", "other")  # fmt: skip

_IN = Direction.TO_CONTROLLER
_OUT = Direction.TO_CHARGER
_C = Kind.CONNECTOR
_N = Kind.CONNECTOR_OR_NULL

# fmt: off
#: The members of ``connectors`` in ``welcome``.
CONNECTOR_FIELDS: Final[Mapping[str, FieldKind]] = {
    "connector": _C, "pilot": Words(PILOTS), "contactor_closed": Kind.FLAG, "locked": Kind.FLAG,
    "energy_wh": Kind.WHOLE, "power_w": Kind.WHOLE, "quality": Words(QUALITIES), "faults": Kind.TEXT,
    "occupied": Kind.FLAG, "available": Kind.FLAG,
}

_ROWS: Final = (
    LineType(direction=_IN, type="welcome", about="first line after every connect: the whole state",
             required={"version": Kind.WHOLE, "boot": Kind.WHOLE, "emergency_stop": Kind.FLAG, "connectors": Kind.CONNECTORS}),
    LineType(direction=_IN, type="plug", about="the control pilot changed", required={"connector": _C, "pilot": Words(PILOTS)}),
    LineType(direction=_IN, type="bay", about="the bay's sensor", required={"connector": _C, "occupied": Kind.FLAG}),
    LineType(direction=_IN, type="meter", about="cumulative import register",
             required={"connector": _C, "energy_wh": Kind.WHOLE, "power_w": Kind.WHOLE, "quality": Words(QUALITIES)}),
    LineType(direction=_IN, type="contactor", about="feedback of the contactor", required={"connector": _C, "closed": Kind.FLAG}),
    LineType(direction=_IN, type="lock", about="feedback of the cable lock", required={"connector": _C, "locked": Kind.FLAG}),
    LineType(direction=_IN, type="rejected", about="the charger refuses a command", required={"connector": _C, "command": Kind.TEXT, "reason": Kind.TEXT}),
    LineType(direction=_IN, type="available", about="taken out of or put into service", required={"connector": _C, "available": Kind.FLAG}),
    LineType(direction=_IN, type="fault", about="a fault begins or ends", required={"connector": _N, "code": Kind.TEXT, "active": Kind.FLAG}),
    LineType(direction=_IN, type="emergency_stop", about="the station's red button", required={"active": Kind.FLAG}),
    LineType(direction=_IN, type="press", about="the charger's own screen", required={"connector": _C, "button": Words(("start", "stop", "cancel"))}),
    LineType(direction=_IN, type="ping", about="is anyone there", required={"n": Kind.NUMBER}),
    LineType(direction=_IN, type="pong", about="answer to a ping", required={"n": Kind.NUMBER}),
    LineType(direction=_OUT, type="hello", about="first line after every connect", required={"controller": Kind.TEXT, "version": Kind.TEXT_OR_NUMBER}),
    LineType(direction=_OUT, type="contactor", about="close or open the contactor", required={"connector": _C, "close": Kind.FLAG}),
    LineType(direction=_OUT, type="lock", about="lock or free the cable", required={"connector": _C, "locked": Kind.FLAG}),
    LineType(direction=_OUT, type="show", about="what the driver is told",
             required={"connector": _N, "kind": Words(SHOW_KINDS), "text": Kind.TEXT},
             optional={"code": Words(SHOW_CODES), "amount_minor": Kind.WHOLE, "session_id": Kind.TEXT_OR_NUMBER}),
    LineType(direction=_OUT, type="alarm", about="what the operator is told",
             required={"code": Words(ALARM_CODES), "text": Kind.TEXT},
             optional={"session_id": Kind.TEXT_OR_NUMBER, "connector": _N}),
    LineType(direction=_OUT, type="ping", about="is anyone there", required={"n": Kind.NUMBER}),
    LineType(direction=_OUT, type="pong", about="answer to a ping", required={"n": Kind.NUMBER}),
)
# fmt: on

LINES: Final[Mapping[tuple[Direction, str], LineType]] = {
    (row.direction, row.type): row for row in _ROWS
}

# --- Judging a line -------------------------------------------------------------


def check_line(line: Mapping[str, object], direction: Direction) -> str | None:
    """What is wrong with a line, in words; None when it is fine.

    A line without a ``type`` is wrong; an unknown type or an unknown field is not.
    """
    name = line.get("type")
    if not isinstance(name, str):
        return f"type: found {_seen(name)}, allowed text"
    row = LINES.get((direction, name))
    if row is None:
        return None
    wrong = _check_fields(line, row.required, row.optional)
    return None if wrong is None else f"{name}: {wrong}"


def _check_fields(
    line: Mapping[str, object],
    required: Mapping[str, FieldKind],
    optional: Mapping[str, FieldKind],
) -> str | None:
    for name, kind in required.items():
        if name not in line:
            return f"{name}: found nothing, allowed {_allowed(kind)}"
    for table in (required, optional):
        for name, kind in table.items():
            if name in line and (wrong := _check_value(line[name], kind)) is not None:
                return f"{name}: {wrong}"
    return None


def _check_value(value: object, kind: FieldKind) -> str | None:
    if kind is Kind.CONNECTORS and isinstance(value, list):
        return _check_connectors(value)
    if _fits(value, kind):
        return None
    return f"found {_seen(value)}, allowed {_allowed(kind)}"


def _fits(value: object, kind: FieldKind) -> bool:
    if isinstance(kind, Words):
        return value in kind.words
    if type(value) is int:
        low, high = _SPANS.get(kind, (1, 0))
        return low <= value and (high is None or value <= high)
    if value is None:
        return kind is Kind.CONNECTOR_OR_NULL
    return isinstance(value, _TYPES.get(kind, ()))


_SPANS: Final[Mapping[Kind, tuple[int, int | None]]] = {
    Kind.CONNECTOR: (1, MAX_CONNECTORS),
    Kind.CONNECTOR_OR_NULL: (1, MAX_CONNECTORS),
    Kind.WHOLE: (0, None),
    Kind.NUMBER: (-(1 << 63), None),
    Kind.TEXT_OR_NUMBER: (-(1 << 63), None),
}
_TYPES: Final[Mapping[Kind, type]] = {
    Kind.FLAG: bool,
    Kind.TEXT: str,
    Kind.TEXT_OR_NUMBER: str,
}


def _check_connectors(rows: list[object]) -> str | None:
    if not 1 <= len(rows) <= MAX_CONNECTORS:
        return f"found {len(rows)} connectors, allowed 1 to {MAX_CONNECTORS}"
    for place, row in enumerate(rows):
        if not isinstance(row, Mapping):
            return f"[{place}]: found {_seen(row)}, allowed an object"
        if (wrong := _check_connector(row)) is not None:
            return f"[{place}].{wrong}"
    return None


def _check_connector(row: Mapping[str, object]) -> str | None:
    faults = row.get("faults")
    if not isinstance(faults, list) or not all(isinstance(f, str) for f in faults):
        return f"faults: found {_seen(faults)}, allowed a list of texts"
    return _check_fields({**row, "faults": ""}, CONNECTOR_FIELDS, {})


def _allowed(kind: FieldKind) -> str:
    return " | ".join(kind.words) if isinstance(kind, Words) else kind.value


def _seen(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


# --- Bytes ----------------------------------------------------------------------


def _no_constant(name: str) -> object:
    raise ValueError(f"found {name}, allowed JSON numbers")


# Built once: ``json.dumps`` and ``loads`` with options build theirs at every call.
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
_DECODER: Final = json.JSONDecoder(parse_constant=_no_constant)


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no JSON object, with the beginning of what was found."""

    reason: str
    raw: bytes


def encode_line(fields: Mapping[str, object]) -> bytes:
    """One line with its newline, keys in the order given, no spaces, plain ASCII.

    Raises LocalProtocolError when the fields are not JSON or the line is over 64 KiB.
    """
    try:
        text = _ENCODER.encode(dict(fields))
    except (TypeError, ValueError) as error:
        raise LocalProtocolError(f"found no JSON object: {error}") from error
    data = text.encode("ascii") + b"\n"
    if len(data) > MAX_LINE_BYTES:
        raise LocalProtocolError(
            f"line: found {len(data)} bytes, allowed at most {MAX_LINE_BYTES}"
        )
    return data


class LineDecoder:
    """Bytes in any pieces -> lines; one decoder for each connection."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._skipping = False

    def receive(self, data: bytes) -> list[Mapping[str, object] | BadLine]:
        """The lines that ``data`` completes; what is too long is reported once."""
        is_whole = 0 <= data.find(b"\n") == len(data) - 1 < MAX_LINE_BYTES
        if is_whole and not self._rest and not self._skipping:
            # Nearly all that ever comes: one line and nothing else.
            return [_parse(data[:-1])]
        found: list[Mapping[str, object] | BadLine] = []
        *whole, rest = data.split(b"\n")
        for piece in whole:
            found.extend(self._grow(piece))
            found.extend(self._end())
        found.extend(self._grow(rest))
        return found

    def _grow(self, piece: bytes) -> list[BadLine]:
        if self._skipping:
            return []
        room = MAX_LINE_BYTES - 1 - len(self._rest)
        self._rest += piece[: max(room, _SHOWN_BYTES)]
        if len(piece) <= room:
            return []
        bad = BadLine("too_long", bytes(self._rest[:_SHOWN_BYTES]))
        self._rest.clear()
        self._skipping = True
        return [bad]

    def _end(self) -> list[Mapping[str, object] | BadLine]:
        raw = bytes(self._rest)
        self._rest.clear()
        was_skipping, self._skipping = self._skipping, False
        return [] if was_skipping else [_parse(raw)]


def _parse(raw: bytes) -> Mapping[str, object] | BadLine:
    try:
        value = _DECODER.decode(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        return BadLine("not_json", raw[:_SHOWN_BYTES])
    if not isinstance(value, dict):
        return BadLine("not_an_object", raw[:_SHOWN_BYTES])
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        return BadLine("too_deep", raw[:_SHOWN_BYTES])
    if b"\\u" in raw and not _is_text(value):
        return BadLine("not_text", raw[:_SHOWN_BYTES])
    return value


def _depth(value: object) -> int:
    """How deep objects and lists are nested; level by level, without recursion."""
    depth, level = 0, [value]
    while nested := [one for one in level if isinstance(one, dict | list)]:
        depth += 1
        level = []
        for one in nested:
            level.extend(one.values() if isinstance(one, dict) else one)
    return depth


def _is_text(value: object) -> bool:
    r"""Whether all of it can be written as UTF-8: half a ``\u`` pair cannot."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
