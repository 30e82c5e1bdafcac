"""What the trace keeps of calls, answers and callbacks.

No controller that does what it should comes near these bounds; whoever floods the bench
with long addresses and bodies does not fill its memory.
"""

from collections.abc import Mapping
from typing import Final

from simulator.trace import shortened
from wire.cps import Call, Request, Value, parse_json

#: What a record keeps of a target, of one value in it, and of an answer: characters,
#: characters, bytes.
MAX_TARGET_KEPT: Final = 2_048
MAX_VALUE_KEPT: Final = 512
MAX_BODY_KEPT: Final = 256 * 1024


def kept_text(text: str) -> str:
    return shortened(text, MAX_VALUE_KEPT)


def kept_target(target: str) -> str:
    return shortened(target, MAX_TARGET_KEPT)


def kept_body(body: bytes) -> object | None:
    """The JSON of a body; None when it is none, or more than a record keeps."""
    return parse_json(body) if len(body) <= MAX_BODY_KEPT else None


def call_fields(number: int, request: Request, parsed: object) -> dict[str, object]:
    """The fields of an ``http`` record, as far as the request itself tells them."""
    fields: dict[str, object] = {
        "call": number,
        "method": kept_text(request.method),
        "target": kept_target(request.target),
    }
    if isinstance(parsed, Call):
        fields["route"] = parsed.route
        fields["terminal_serial"] = kept_text(parsed.serial_number)
        if parsed.session_id:
            fields["session_id"] = kept_text(parsed.session_id)
        fields["query"] = _kept_params(parsed.params)
    return fields


def _kept_params(params: Mapping[str, Value]) -> dict[str, Value]:
    return {name: _kept_value(value) for name, value in params.items()}


def _kept_value(value: Value) -> Value:
    if isinstance(value, tuple):
        return tuple(kept_text(one) for one in value)
    return kept_text(value) if isinstance(value, str) else value
