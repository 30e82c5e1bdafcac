"""From messages to blocks and back, by the rows of ``messages`` (psp.md 4).

``encode`` writes a message the one way the reading allows; what an option that is off
would add stays off the wire, so a caller may always give reason and DOL data.
``decode`` is more patient: what an option that is off would add is read when it is
there, and both headers of Get Status Response are understood. A good block whose
content fits no row becomes a ``Malformed`` value, never an exception: it is the peer's
doing.

Rows are compiled once per reading; decoding is a pure function and is remembered.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from wire.psp.codes import Direction, Reason, ResultCode
from wire.psp.errors import LocalProtocolError, RemoteProtocolError
from wire.psp.frame import MAGIC, PREAMBLES, Block, build_block
from wire.psp.message import Message, Name, Value
from wire.psp.messages import (
    MESSAGES,
    Field,
    Need,
    Row,
    is_in_force,
    rows_of,
    switches_of_header,
    switches_of_name,
)
from wire.psp.profile import PROFILE_SWITCHES, Reading

_MAX_READINGS_KEPT: Final = 256
_MAX_MESSAGES_KEPT: Final = 4096
#: A classic block below this fits under any reading.
_SMALLEST_LIMIT: Final = min(map(int, PROFILE_SWITCHES["frame_limit_bytes"].allowed))
_NO_FIELDS: Final[Mapping[str, Value]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Malformed:
    """A good block that is no message of this direction and family."""

    header: int
    payload: bytes
    #: What was found and what is allowed.
    reason: str
    #: What a terminal with detailed codes answers to it.
    answer: Reason = Reason.INCORRECT_MESSAGE
    #: The message that its header announces, when that is known.
    name: Name | None = None
    #: What could be read of it before it went wrong.
    fields: Mapping[str, Value] = field(default_factory=lambda: _NO_FIELDS, hash=False)


@dataclass(frozen=True, slots=True)
class _Place:
    """A field as it stands under one reading."""

    name: str
    pack: Callable[[Value], bytes]
    unpack: Callable[[bytes, int], tuple[Value, int]]
    is_optional: bool
    default: Value | None
    #: Written whenever it is given, as it is.
    is_plain: bool
    #: The option it needs is off: what is written is the default, whatever is given.
    is_blank: bool
    omit_when: tuple[str, int] | None


@dataclass(frozen=True, slots=True)
class _Layout:
    """A row under one reading."""

    row: Row
    head: bytes
    written: tuple[_Place, ...]
    read: tuple[_Place, ...]
    #: Every field of the row, also those that this reading keeps off the wire.
    known: frozenset[str]
    #: No field that is written depends on another one or on an option.
    is_plain: bool


@dataclass(frozen=True, slots=True)
class _Tables:
    """All rows in force under one reading and direction."""

    by_name: Mapping[Name, _Layout]
    by_header: Mapping[int, tuple[_Layout, ...]]
    preamble: int
    extended: bool
    most_bytes: int


# --- Compiling rows -------------------------------------------------------------


def _options(reading: Reading) -> frozenset[Need]:
    on: dict[Need, bool] = {
        "detailed": reading.detailed,
        "authorization_dol": reading.authorization_dol,
        "declined_dol": reading.declined_dol,
        "any_decline": reading.detailed or reading.declined_dol,
    }
    return frozenset(need for need, is_on in on.items() if is_on)


def _written(row: Row, reading: Reading) -> Iterator[_Place]:
    options = _options(reading)
    for item in row.fields:
        is_off = item.needs is not None and item.needs not in options
        if reading.family in item.families and not (
            is_off and item.without == "nothing"
        ):
            # An option that is on makes its field part of the message.
            is_optional = item.is_optional and item.needs is None
            yield _place(item, reading, is_optional=is_optional, is_blank=is_off)


def _read(row: Row, reading: Reading) -> Iterator[_Place]:
    for item in row.fields:
        if reading.family in item.families:
            is_optional = item.is_optional or item.needs is not None
            yield _place(item, reading, is_optional=is_optional, is_blank=False)


def _place(
    item: Field, reading: Reading, *, is_optional: bool, is_blank: bool
) -> _Place:
    kind = (reading.extended and item.extended_kind) or item.kind
    return _Place(
        name=item.name,
        pack=kind.pack,
        unpack=kind.unpack,
        is_optional=is_optional,
        default=item.default,
        is_plain=not is_blank and item.omit_when is None,
        is_blank=is_blank,
        omit_when=item.omit_when,
    )


def _layout(row: Row, reading: Reading) -> _Layout:
    is_ours = row.direction is Direction.TO_HOST
    magic = reading.profile.terminal_magic if is_ours else MAGIC
    written = tuple(_written(row, reading))
    return _Layout(
        row=row,
        head=bytes((magic, row.header)),
        written=written,
        read=tuple(_read(row, reading)),
        known=frozenset(item.name for item in row.fields),
        is_plain=all(place.is_plain for place in written),
    )


@lru_cache(maxsize=_MAX_READINGS_KEPT)
def _tables(direction: Direction, reading: Reading) -> _Tables:
    # Kept for all who read alike: who uses a row says so (``encode``, ``decode``).
    reading = replace(reading, profile=reading.profile.plain())
    rows = [row for row in MESSAGES if row.direction is direction]
    by_name = {
        row.name: _layout(row, reading) for row in rows if is_in_force(row, reading)
    }
    by_header: dict[int, tuple[_Layout, ...]] = {}
    for row in rows:
        if row.always_read or is_in_force(row, reading):
            known = by_header.get(row.header, ())
            by_header[row.header] = (*known, _layout(row, reading))
    is_ours = direction is Direction.TO_HOST
    return _Tables(
        by_name=by_name,
        by_header=by_header,
        preamble=reading.profile.terminal_preamble if is_ours else PREAMBLES[direction],
        extended=reading.extended,
        most_bytes=reading.profile.frame_limit_bytes,
    )


# --- Encoding -------------------------------------------------------------------


def encode(message: Message, direction: Direction, reading: Reading) -> bytes:
    """A whole block. Raises LocalProtocolError: found and allowed, with the field."""
    tables = _tables(direction, reading)
    reading.profile.note(switches_of_name(direction, message.name))
    if message.fields:
        block = _block(message, direction, reading)
    else:
        # Keep-alives: most of what is ever sent.
        block = _bare_block(message.name, direction, reading)
    if tables.extended or len(block) < _SMALLEST_LIMIT:
        return block
    reading.profile.note(("frame_limit_bytes",))
    if len(block) > tables.most_bytes:
        raise LocalProtocolError(
            f"{message.name.value}: found {len(block)} bytes, "
            f"allowed {tables.most_bytes} in a classic block"
        )
    return block


@lru_cache(maxsize=_MAX_MESSAGES_KEPT)
def _bare_block(name: Name, direction: Direction, reading: Reading) -> bytes:
    """The block of a message that is given no fields."""
    return _block(Message(name), direction, reading)


def _block(message: Message, direction: Direction, reading: Reading) -> bytes:
    tables = _tables(direction, reading)
    layout = tables.by_name.get(message.name)
    if layout is None:
        names = ", ".join(name.value for name in tables.by_name)
        raise LocalProtocolError(
            f"{direction.value}, {reading.family.value}: found {message.name.value}, "
            f"allowed {names}"
        )
    payload = _plain_payload(layout, message)
    if payload is None:
        payload = _payload(layout, message)
    content = layout.head + payload
    return build_block(content, preamble=tables.preamble, extended=tables.extended)


def _plain_payload(layout: _Layout, message: Message) -> bytes | None:
    """The short road, when every field is given as it stands. None: take the long."""
    values = message.fields
    if not layout.is_plain or len(values) != len(layout.written):
        return None
    try:
        return b"".join([place.pack(values[place.name]) for place in layout.written])
    except (KeyError, LocalProtocolError):
        return None  # the long road finds the words for it


def _payload(layout: _Layout, message: Message) -> bytes:
    values = message.fields
    if not values.keys() <= layout.known:
        raise _unknown_field(layout, message)
    parts: list[bytes] = []
    gaps: list[_Place] = []
    for place in layout.written:
        value = values.get(place.name)
        if place.is_plain and value is not None and not gaps:
            parts.append(_packed(place, value, message))
        elif place.is_optional and value is None:
            gaps.append(place)
        elif not _is_omitted(place, message):
            parts.extend(_packed(gap, gap.default, message) for gap in gaps)
            gaps.clear()
            chosen = place.default if place.is_blank or value is None else value
            parts.append(_packed(place, chosen, message))
    return b"".join(parts)


def _is_omitted(place: _Place, message: Message) -> bool:
    if place.omit_when is None:
        return False
    other, value = place.omit_when
    return message.get(other) == value


def _packed(place: _Place, value: Value | None, message: Message) -> bytes:
    try:
        if value is not None:
            return place.pack(value)
    except LocalProtocolError as error:
        words = f"{message.name.value}: {place.name}: {error}"
        raise LocalProtocolError(words) from None
    raise LocalProtocolError(
        f"{message.name.value}: {place.name}: found nothing, allowed a value"
    )


def _unknown_field(layout: _Layout, message: Message) -> LocalProtocolError:
    found = ", ".join(key for key in message.fields if key not in layout.known)
    allowed = ", ".join(item.name for item in layout.row.fields) or "no fields"
    return LocalProtocolError(
        f"{message.name.value}: found field {found}, allowed {allowed}"
    )


# --- Decoding -------------------------------------------------------------------


def decode(
    block: Block,
    direction: Direction,
    reading: Reading,
    *,
    expecting: Name | None = None,
) -> Message | Malformed:
    """What a good block says. ``expecting``: the request that waits for an answer."""
    reading.profile.note(switches_of_header(direction, block.header))
    return _decode(block.header, block.payload, direction, reading, expecting)


@lru_cache(maxsize=_MAX_MESSAGES_KEPT)
def _decode(
    header: int,
    payload: bytes,
    direction: Direction,
    reading: Reading,
    expecting: Name | None,
) -> Message | Malformed:
    layouts = _tables(direction, reading).by_header.get(header)
    if layouts is None:
        return _unknown(header, payload, direction, reading)
    layout = layouts[0]
    if len(layouts) > 1:
        name = _result_or_status(payload, expecting)
        layout = next(item for item in layouts if item.row.name is name)
    values: dict[str, Value] = {}
    fault = _parse(layout, payload, values)
    if fault:
        return Malformed(
            header,
            payload,
            f"{layout.row.name.value}: {fault}",
            name=layout.row.name,
            fields=MappingProxyType(values),
        )
    return Message(layout.row.name, MappingProxyType(values))


def _parse(layout: _Layout, payload: bytes, values: dict[str, Value]) -> str:
    """Fill ``values``; return what is wrong, or nothing."""
    at = 0
    for place in layout.read:
        if at == len(payload) and place.is_optional:
            return ""
        try:
            values[place.name], at = place.unpack(payload, at)
        except RemoteProtocolError as error:
            return f"{place.name}: {error}"
    if at < len(payload) and not layout.row.tolerates_tail:
        return f"found {len(payload)} bytes, allowed {at}"
    return ""


def _unknown(
    header: int, payload: bytes, direction: Direction, reading: Reading
) -> Malformed:
    """No row in force has this header; perhaps another family's has."""
    others = [row.name for row in rows_of(direction, header)]
    words = f"header {header:#04x}: found {others[0].value if others else 'no message'}"
    return Malformed(
        header,
        payload,
        f"{words}, allowed the messages {direction.value} of {reading.family.value}",
        answer=Reason.UNKNOWN_COMMAND,
        name=others[0] if others else None,
    )


def _result_or_status(payload: bytes, expecting: Name | None) -> Name:
    """Which of the two messages under header 0x00 this is (psp.md 4.6, C18).

    The rule by content alone is complete. What is outstanding decides where a byte pair
    could be either: only Get Status is answered by a status.
    """
    if len(payload) != 2:
        return Name.RESULT
    first, second = payload
    if first == ResultCode.OK:
        return Name.RESULT
    if first != ResultCode.NOT_OK:
        return Name.GET_STATUS_RESPONSE
    if expecting is not None and expecting is not Name.GET_STATUS:
        return Name.RESULT
    return Name.RESULT if second >= min(Reason) else Name.GET_STATUS_RESPONSE
