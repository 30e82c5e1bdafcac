"""A message as the trace writes it: plain values, ready for JSON (``wire.records``).

Bytes become hex pairs with spaces. Answered tags become a mapping from the tag in hex
to its value: text where the table of tags says text and the bytes agree, hex otherwise.
"""

from wire.psp.codec import Malformed
from wire.psp.message import Message, Value
from wire.psp.tlv import TAGS


def record_of(item: Message | Malformed) -> dict[str, object]:
    """``{message, fields}``, or ``{malformed: reason}`` for what fits no row."""
    if isinstance(item, Malformed):
        return {"malformed": item.reason}
    fields = {name: _plain(value) for name, value in item.fields.items()}
    return {"message": item.name.value, "fields": fields}


def _plain(value: Value) -> object:
    match value:
        case bytes():
            return value.hex(" ")
        case ((int(), bytes()), *_):
            return _plain_tags(value)
        case tuple():
            return [list(item) if isinstance(item, tuple) else item for item in value]
        case _:
            return value


def _plain_tags(value: tuple[object, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for tag, data in (item for item in value if isinstance(item, tuple)):
        found.setdefault(f"{tag:06X}", _shown(tag, data))
    return found


def _shown(tag: int, data: bytes) -> str:
    row = TAGS.get(tag)
    is_text = row is not None and row.is_text and data.isascii()
    text = data.decode("ascii") if is_text else ""
    return text if text.isprintable() and text else data.hex(" ")
