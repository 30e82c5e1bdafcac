# ruff: noqa: E501
"""The messages of PSP, one row each (psp.md 4).

Keyed by direction *and* name, because header bytes are reused: 0x35 is Commit Session
one way and Session Partially Approved the other. Where the pages leave room for two
layouts a message has two rows: ``only_when`` ties each to a family or to a switch of the
profile, so exactly one is written under any reading. A row with ``always_read`` is
understood whatever the switch says. A message whose layout is not published has a raw
``data`` tail and ``layout_known=False``.

Encoder, decoder and fuzz strategies read these rows; there is no second list.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from wire.psp.codes import (
    ControlAction,
    Direction,
    Family,
    Mark,
    ResultCode,
    SetupAction,
    State,
    UpdateOutcome,
)
from wire.psp.errors import LocalProtocolError
from wire.psp.fields import (
    Bytes,
    Kind,
    Number,
    Numbers,
    PaddedText,
    Raw,
    TagList,
    Text,
    TextPairs,
    Tlv,
)
from wire.psp.message import Name, Value
from wire.psp.profile import Reading, SwitchValue

#: A run-time option that a field depends on. ``any_decline``: detailed or declined DOL.
Need = Literal["detailed", "authorization_dol", "any_decline", "declined_dol"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a row, in the order of the wire."""

    name: str
    kind: Kind
    #: May be left out, together with all that follow.
    is_optional: bool = False
    #: Written when the message does not give it, or when a later one is given.
    default: Value | None = None
    #: Written only when this option is on; read whenever it is there.
    needs: Need | None = None
    #: With the option off: nothing is written, or the default is.
    without: Literal["nothing", "default"] = "nothing"
    #: Left out when another field has this value.
    omit_when: tuple[str, int] | None = None
    #: How it stands in extended blocks, when that differs.
    extended_kind: Kind | None = None
    families: frozenset[Family] = frozenset(Family)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One message in one layout."""

    direction: Direction
    name: Name
    header: int
    fields: tuple[Field, ...] = ()
    families: frozenset[Family] = frozenset(Family)
    #: (switch of the profile, its value) under which this row is in force.
    only_when: tuple[str, SwitchValue] | None = None
    always_read: bool = False
    #: More bytes than the fields are let pass.
    tolerates_tail: bool = False
    layout_known: bool = True
    #: Requests: what may come back. Result is Not OK where nothing else is said.
    answers: tuple[Name, ...] = ()
    clause: str
    mark: Mark
    note: str = ""


_IN: Final = Direction.TO_TERMINAL
_OUT: Final = Direction.TO_HOST
_P6X: Final = frozenset({Family.P6X})
_APOLLO: Final = frozenset({Family.APOLLO})
_OK: Final = (Name.RESULT,)

_U8: Final = Number(1)
_U16: Final = Number(2)
_U32: Final = Number(4)
#: Longest text without a published limit: what the largest block of ours can carry.
_ANY_TEXT: Final = Text(16_000)
#: The larger of the two published figures (C13).
_QR: Final = Text(4297)
_NAME: Final = Text(64)
_TLV: Final = Tlv(1, reads=(1,))
_WIDE_TLV: Final = Tlv(2, reads=(2, 1))

_SESSION: Final = Field(name="session_id", kind=_U32)
_AMOUNT: Final = Field(name="amount_minor", kind=_U32)
_DATA: Final = Field(name="data", kind=Raw(), default=b"")
_DOL: Final = Field(name="dol", kind=TagList(), is_optional=True, default=())
_METHODS: Final = Field(
    name="payment_methods", kind=_U8, is_optional=True, default=0, families=_APOLLO
)
_CARD_DATA: Final = Field(name="data", kind=_TLV, default=(), extended_kind=_WIDE_TLV)
_AUTH_DATA: Final = Field(
    name="data",
    kind=_TLV,
    extended_kind=_WIDE_TLV,
    is_optional=True,
    needs="authorization_dol",
    default=(),
)
_PROTOCOL: Final = (
    Field(name="version", kind=Number(1, (1, 2, 3))),
    Field(name="options", kind=_U32),
)
_READ_FILE: Final = (
    Field(name="file", kind=_U8),
    Field(name="offset", kind=_U16),
    Field(name="length", kind=_U16),
)


def _text(name: str, kind: Kind = _NAME) -> Field:
    """An optional text of Apollo; alone, its NUL means "not given" (psp.md 4.3)."""
    return Field(name=name, kind=kind, is_optional=True, default="", families=_APOLLO)


_CARD_ANSWERS: Final = (
    Name.CARD_READ,
    Name.PROPRIETARY_CARD_READ,
    Name.SESSION_CANCELLED,
    Name.RESULT,
)
_READ_CARD: Final = (
    Field(name="reference", kind=_U32),
    _DOL,
    _METHODS,
    _text("logo"),
    _text("qr", _QR),
    _text("reference_text"),
    _text("second_reference_text"),
    _text("present_card_message", Text(128)),
)
_RESULT_FIELDS: Final = (Field(name="result", kind=Number(1, tuple(ResultCode))),)
_STATUS: Final = (
    Field(name="state", kind=Number(1, tuple(State))),
    Field(name="running", kind=_U8),
)

# fmt: off
MESSAGES: Final[tuple[Row, ...]] = (
    # --- Host -> terminal: set-up and core (psp.md 4.2) ---------------------------
    Row(direction=_IN, name=Name.SYNCHRONIZE, header=0x24, answers=(Name.SYNCHRONIZE, Name.RESULT), clause="4.2", mark=Mark.DUMP),
    Row(direction=_IN, name=Name.PROTOCOL, header=0x13, fields=_PROTOCOL, answers=(Name.PROTOCOL, Name.RESULT), clause="4.2", mark=Mark.DUMP),
    Row(direction=_IN, name=Name.SETUP, header=0x23, fields=(Field(name="timeout_s", kind=_U32), Field(name="action", kind=Number(1, tuple(SetupAction)))), answers=_OK, clause="4.2", mark=Mark.DUMP, note="5 bytes, where the page's length column says 4 (C7)"),
    Row(direction=_IN, name=Name.ENABLE, header=0x12, answers=_OK, clause="4.2", mark=Mark.DUMP),
    Row(direction=_IN, name=Name.DISABLE, header=0x11, answers=_OK, clause="4.2", mark=Mark.DOC),
    Row(direction=_IN, name=Name.GET_STATUS, header=0x26, answers=(Name.GET_STATUS_RESPONSE, Name.RESULT), clause="4.2", mark=Mark.DUMP),
    Row(direction=_IN, name=Name.REQUEST_IDS, header=0x27, answers=(Name.REQUEST_IDS_RESPONSE, Name.RESULT), clause="4.2", mark=Mark.INF),
    Row(direction=_IN, name=Name.RESET, header=0x55, answers=_OK, clause="4.2", mark=Mark.DUMP, note="the answer is inferred (A4)"),
    Row(direction=_IN, name=Name.CONTROL, header=0x48, fields=(Field(name="action", kind=Number(1, tuple(ControlAction))),), families=_APOLLO, answers=_OK, clause="4.2", mark=Mark.DOC, note="C17"),
    Row(direction=_IN, name=Name.SELECT_LANGUAGE, header=0x40, fields=(_DATA,), families=_APOLLO, only_when=("read_card_header", 0x41), layout_known=False, answers=_OK, clause="4.2", mark=Mark.CONTRA, note="C5, A7, A33"),
    Row(direction=_IN, name=Name.SELECT_LANGUAGE, header=0x41, fields=(_DATA,), families=_APOLLO, only_when=("read_card_header", 0x40), layout_known=False, answers=_OK, clause="4.2", mark=Mark.CONTRA, note="C5, A7, A33"),
    # --- Host -> terminal: sessions (psp.md 4.3) ----------------------------------
    Row(direction=_IN, name=Name.START_SESSION, header=0x34, fields=(
        _AMOUNT, Field(name="reference", kind=_U32, default=0), _DOL, _METHODS, _text("logo"),
        Field(name="hide_amount", kind=_U8, is_optional=True, default=0, families=_APOLLO),
        _text("qr", _QR), _text("reference_text"), _text("second_reference_text"),
        Field(name="tail", kind=Raw(), is_optional=True, families=_APOLLO),
    ), answers=_CARD_ANSWERS, clause="4.3", mark=Mark.DUMP, note="what may follow the second reference text is not published: tail"),
    Row(direction=_IN, name=Name.READ_CARD, header=0x41, fields=_READ_CARD, families=_APOLLO, only_when=("read_card_header", 0x41), answers=_CARD_ANSWERS, clause="4.3", mark=Mark.CONTRA, note="C5, A7"),
    Row(direction=_IN, name=Name.READ_CARD, header=0x40, fields=_READ_CARD, families=_APOLLO, only_when=("read_card_header", 0x40), answers=_CARD_ANSWERS, clause="4.3", mark=Mark.CONTRA, note="C5, A7"),
    Row(direction=_IN, name=Name.AUTH_SESSION, header=0x36, only_when=("auth_session_tail", "tolerated"), tolerates_tail=True, answers=(Name.SESSION_APPROVED, Name.SESSION_PARTIALLY_APPROVED, Name.SESSION_DECLINED, Name.SESSION_CANCELLED, Name.RESULT), clause="4.3", mark=Mark.DUMP, note="A2"),
    Row(direction=_IN, name=Name.AUTH_SESSION, header=0x36, only_when=("auth_session_tail", "refused"), answers=(Name.SESSION_APPROVED, Name.SESSION_PARTIALLY_APPROVED, Name.SESSION_DECLINED, Name.SESSION_CANCELLED, Name.RESULT), clause="4.3", mark=Mark.DUMP, note="A2"),
    Row(direction=_IN, name=Name.CANCEL_SESSION, header=0x37, answers=(Name.SESSION_CANCELLED, Name.RESULT), clause="4.3", mark=Mark.DUMP),
    Row(direction=_IN, name=Name.COMMIT_SESSION, header=0x35, fields=(_SESSION, _AMOUNT), only_when=("commit_order", "session_first"), answers=_OK, clause="4.3", mark=Mark.DUMP, note="size is DUMP, order is INF (A1)"),
    Row(direction=_IN, name=Name.COMMIT_SESSION, header=0x35, fields=(_AMOUNT, _SESSION), only_when=("commit_order", "amount_first"), answers=_OK, clause="4.3", mark=Mark.ASSUMPTION, note="A1"),
    Row(direction=_IN, name=Name.VOID_SESSION, header=0x33, fields=(_SESSION,), answers=_OK, clause="4.3", mark=Mark.DUMP, note="4 bytes, where the page's length column says 0 (C7)"),
    Row(direction=_IN, name=Name.UPDATE_SESSION, header=0x42, fields=(_SESSION, _AMOUNT), families=_APOLLO, answers=(Name.UPDATE_SESSION_RESULT, Name.RESULT), clause="4.3", mark=Mark.DOC, note="amount is the new total"),
    Row(direction=_IN, name=Name.LIST_SESSIONS, header=0x30, fields=(Field(name="offset", kind=_U8),), families=_P6X, answers=(Name.LIST_SESSIONS_RESPONSE, Name.RESULT), clause="4.3", mark=Mark.DOC, note="the unit of the offset is assumed: index of the first session"),
    Row(direction=_IN, name=Name.REMOVE_SESSIONS, header=0x56, fields=(Field(name="data", kind=Raw(), is_optional=True),), layout_known=False, answers=_OK, clause="4.3", mark=Mark.ASSUMPTION, note="A32: empty"),
    Row(direction=_IN, name=Name.ADD_TRANSACTION_CONTEXT, header=0x47, fields=(_SESSION, Field(name="text", kind=_ANY_TEXT)), families=_APOLLO, answers=_OK, clause="4.3", mark=Mark.DOC, note="C17"),
    Row(direction=_IN, name=Name.GET_RECEIPT, header=0x45, fields=(_DATA,), families=_APOLLO, layout_known=False, answers=(Name.RECEIPT, Name.RESULT), clause="4.3", mark=Mark.DOC, note="A33"),
    Row(direction=_IN, name=Name.GET_TRANSACTION_RECORD, header=0x46, fields=(_DATA,), families=_APOLLO, layout_known=False, answers=(Name.TRANSACTION_RECORD, Name.RESULT), clause="4.3", mark=Mark.DOC, note="A33"),
    Row(direction=_IN, name=Name.GET_CONNECTION_INFO, header=0x44, fields=(_DATA,), families=_APOLLO, layout_known=False, answers=(Name.GET_CONNECTION_INFO_RESPONSE, Name.RESULT), clause="4.3", mark=Mark.DOC, note="A33"),
    # --- Host -> terminal: RFID, files, screen (psp.md 4.4, 4.5) ------------------
    Row(direction=_IN, name=Name.PROP_CARD_EXCHANGE, header=0x38, fields=(_DATA,), answers=(Name.PROP_CARD_RESPONSE, Name.RESULT), clause="4.4", mark=Mark.DUMP, note="a raw command APDU; that both families have it is inferred"),
    Row(direction=_IN, name=Name.MIFARE, header=0x43, fields=(_DATA,), families=_APOLLO, layout_known=False, answers=(Name.PROP_CARD_RESPONSE, Name.RESULT), clause="4.4", mark=Mark.DOC, note="A33"),
    Row(direction=_IN, name=Name.READ_FILE, header=0x39, fields=_READ_FILE, families=_P6X, only_when=("read_file_from", "host"), answers=(Name.READ_FILE_RESPONSE, Name.RESULT), clause="4.4", mark=Mark.CONTRA, note="C15"),
    Row(direction=_OUT, name=Name.READ_FILE, header=0x39, fields=_READ_FILE, families=_P6X, only_when=("read_file_from", "terminal"), answers=(Name.READ_FILE_RESPONSE,), clause="4.4", mark=Mark.CONTRA, note="C15"),
    Row(direction=_IN, name=Name.UI_REQUEST, header=0x28, fields=(Field(name="type", kind=_ANY_TEXT), Field(name="properties", kind=TextPairs(16_000), default=())), families=_APOLLO, answers=_OK, clause="4.5", mark=Mark.DOC, note="C6"),
    # --- Terminal -> host (psp.md 4.5, 4.6) ---------------------------------------
    Row(direction=_OUT, name=Name.RESULT, header=0x00, fields=(*_RESULT_FIELDS, Field(name="reason", kind=_U8, is_optional=True, needs="detailed", default=0)), only_when=("result_size", 2), clause="4.6", mark=Mark.DUMP, note="A6"),
    Row(direction=_OUT, name=Name.RESULT, header=0x00, fields=(*_RESULT_FIELDS, Field(name="reason", kind=_U8, is_optional=True, needs="detailed", default=0, omit_when=("result", ResultCode.OK))), only_when=("result_size", 1), clause="4.6", mark=Mark.ASSUMPTION, note="A6"),
    Row(direction=_OUT, name=Name.GET_STATUS_RESPONSE, header=0x26, fields=_STATUS, only_when=("get_status_header", 0x26), always_read=True, clause="4.6", mark=Mark.DUMP, note="C18"),
    Row(direction=_OUT, name=Name.GET_STATUS_RESPONSE, header=0x00, fields=_STATUS, only_when=("get_status_header", 0x00), always_read=True, clause="4.6", mark=Mark.CONTRA, note="C18"),
    Row(direction=_OUT, name=Name.SYNCHRONIZE, header=0x24, clause="4.2", mark=Mark.DUMP),
    Row(direction=_OUT, name=Name.PROTOCOL, header=0x13, fields=_PROTOCOL, clause="4.2", mark=Mark.DUMP, note="A5; a classic block even when it turns on extended ones"),
    Row(direction=_OUT, name=Name.REQUEST_IDS_RESPONSE, header=0x27, fields=(
        Field(name="serial_number", kind=PaddedText(15)),
        Field(name="sam1_status", kind=_U8), Field(name="sam1_serial", kind=Bytes(8)),
        Field(name="sam2_status", kind=_U8), Field(name="sam2_serial", kind=Bytes(8)),
        Field(name="sam3_status", kind=_U8), Field(name="sam3_serial", kind=Bytes(8)),
        Field(name="mac", kind=Bytes(6)),
        Field(name="sim_status", kind=_U8), Field(name="sim_serial", kind=PaddedText(33)),
        Field(name="firmware", kind=Text(65)),
    ), families=_P6X, clause="4.6", mark=Mark.DOC, note="147 bytes at most"),
    Row(direction=_OUT, name=Name.REQUEST_IDS_RESPONSE, header=0x27, fields=(
        Field(name="serial_number", kind=_ANY_TEXT), Field(name="model_id", kind=_ANY_TEXT),
        Field(name="platform_id", kind=_ANY_TEXT), Field(name="platform_version", kind=_ANY_TEXT), Field(name="platform_release", kind=_ANY_TEXT),
        Field(name="applications", kind=TextPairs(16_000), default=()),
    ), families=_APOLLO, clause="4.6", mark=Mark.DOC),
    Row(direction=_OUT, name=Name.CARD_READ, header=0x34, fields=(_CARD_DATA,), only_when=("card_read_length", 2), clause="4.6", mark=Mark.DOC, note="width in extended blocks is assumed (A8)"),
    Row(direction=_OUT, name=Name.CARD_READ, header=0x34, fields=(Field(name="data", kind=_TLV, default=(), extended_kind=Tlv(1, reads=(1, 2))),), only_when=("card_read_length", 1), clause="4.6", mark=Mark.ASSUMPTION, note="A8"),
    Row(direction=_OUT, name=Name.PROPRIETARY_CARD_READ, header=0x40, fields=(_CARD_DATA,), families=_APOLLO, clause="4.6", mark=Mark.DOC),
    Row(direction=_OUT, name=Name.SESSION_APPROVED, header=0x31, fields=(_SESSION, _AUTH_DATA), only_when=("approved_without_dol", "absent"), clause="4.6", mark=Mark.DUMP, note="A28"),
    Row(direction=_OUT, name=Name.SESSION_APPROVED, header=0x31, fields=(_SESSION, Field(name="data", kind=_TLV, extended_kind=_WIDE_TLV, needs="authorization_dol", without="default", default=())), only_when=("approved_without_dol", "zero_length"), clause="4.6", mark=Mark.ASSUMPTION, note="A28"),
    Row(direction=_OUT, name=Name.SESSION_PARTIALLY_APPROVED, header=0x35, fields=(_SESSION, _AMOUNT, _AUTH_DATA), families=_APOLLO, clause="4.6", mark=Mark.DOC),
    Row(direction=_OUT, name=Name.SESSION_DECLINED, header=0x32, fields=(Field(name="reason", kind=_U8, is_optional=True, needs="detailed", default=0),), only_when=("declined_dol", "off"), tolerates_tail=True, clause="4.6", mark=Mark.DUMP, note="a decline stays one whatever follows (C10)"),
    Row(direction=_OUT, name=Name.SESSION_DECLINED, header=0x32, fields=(Field(name="reason", kind=_U8, is_optional=True, needs="any_decline", default=0), Field(name="data", kind=_TLV, extended_kind=_WIDE_TLV, is_optional=True, needs="declined_dol", default=())), only_when=("declined_dol", "reason_length_data"), clause="4.6", mark=Mark.ASSUMPTION, note="A27"),
    Row(direction=_OUT, name=Name.SESSION_CANCELLED, header=0x33, tolerates_tail=True, clause="4.6", mark=Mark.DUMP, note="A3"),
    Row(direction=_OUT, name=Name.TRANSACTION_EVENT, header=0x38, fields=(Field(name="event", kind=_U8),), clause="4.6", mark=Mark.DOC),
    Row(direction=_OUT, name=Name.LIST_SESSIONS_RESPONSE, header=0x30, fields=(Field(name="total", kind=_U8), Field(name="session_ids", kind=Numbers(4), default=())), families=_P6X, clause="4.6", mark=Mark.DOC),
    Row(direction=_OUT, name=Name.UPDATE_SESSION_RESULT, header=0x43, fields=(Field(name="result", kind=Number(1, tuple(UpdateOutcome))), _SESSION, _AMOUNT, Field(name="change_minor", kind=_U32), Field(name="reason", kind=_U8, default=0)), families=_APOLLO, clause="4.6", mark=Mark.DOC, note="C7, C8; how a decrease is written is not published"),
    Row(direction=_OUT, name=Name.UI_EVENT, header=0x29, fields=(Field(name="button", kind=_ANY_TEXT),), families=_APOLLO, clause="4.5", mark=Mark.DOC),
    Row(direction=_OUT, name=Name.PROP_CARD_RESPONSE, header=0x42, fields=(_DATA,), families=_APOLLO, layout_known=False, clause="4.6", mark=Mark.DOC, note="A33"),
    Row(direction=_OUT, name=Name.RECEIPT, header=0x45, fields=(_DATA,), families=_APOLLO, layout_known=False, clause="4.6", mark=Mark.DOC, note="A33"),
    Row(direction=_OUT, name=Name.TRANSACTION_RECORD, header=0x46, fields=(_DATA,), families=_APOLLO, layout_known=False, clause="4.6", mark=Mark.DOC, note="A33"),
    Row(direction=_OUT, name=Name.GET_CONNECTION_INFO_RESPONSE, header=0x44, fields=(_DATA,), families=_APOLLO, layout_known=False, clause="4.6", mark=Mark.DOC, note="A33"),
    Row(direction=_OUT, name=Name.READ_FILE_RESPONSE, header=0x39, fields=(_DATA,), families=_P6X, only_when=("read_file_from", "host"), layout_known=False, clause="4.6", mark=Mark.CONTRA, note="A33, C15"),
    Row(direction=_IN, name=Name.READ_FILE_RESPONSE, header=0x39, fields=(_DATA,), families=_P6X, only_when=("read_file_from", "terminal"), layout_known=False, clause="4.6", mark=Mark.CONTRA, note="A33, C15"),
)
# fmt: on


def is_in_force(row: Row, reading: Reading) -> bool:
    """Whether a message is written in this layout under this reading."""
    if reading.family not in row.families:
        return False
    if row.only_when is None:
        return True
    switch, value = row.only_when
    return bool(getattr(reading.profile, switch) == value)


def row(direction: Direction, name: Name, reading: Reading | None = None) -> Row:
    """The row in force; without a reading, the first that any default reading has.

    Raises LocalProtocolError when the message does not exist in that direction.
    """
    readings = DEFAULT_READINGS if reading is None else (reading,)
    for candidate in MESSAGES:
        if (candidate.direction, candidate.name) != (direction, name):
            continue
        if any(is_in_force(candidate, one) for one in readings):
            return candidate
    asked = " or ".join(one.family.value for one in readings)
    raise LocalProtocolError(
        f"{direction.value}: found {name.value}, allowed the messages of {asked}"
    )


def rows_of(direction: Direction, header: int) -> tuple[Row, ...]:
    """All rows with this header in this direction, in the order of the table."""
    return _BY_HEADER.get((direction, header), ())


@lru_cache(maxsize=256)
def answers_of(name: Name) -> tuple[Name, ...]:
    """What may come back for a request; empty for what is no request."""
    return next(
        (row.answers for row in MESSAGES if row.name == name and row.answers), ()
    )


DEFAULT_READINGS: Final = (Reading(), Reading(family=Family.P6X))


def _by_header() -> Mapping[tuple[Direction, int], tuple[Row, ...]]:
    found: dict[tuple[Direction, int], tuple[Row, ...]] = {}
    for item in MESSAGES:
        key = (item.direction, item.header)
        found[key] = (*found.get(key, ()), item)
    return found


_BY_HEADER: Final = _by_header()


def _switches(rows: Iterable[Row]) -> frozenset[str]:
    return frozenset(row.only_when[0] for row in rows if row.only_when)


@lru_cache(maxsize=512)
def switches_of_name(direction: Direction, name: Name) -> frozenset[str]:
    """The switches that say how a message is written."""
    return _switches(
        row for row in MESSAGES if (row.direction, row.name) == (direction, name)
    )


@lru_cache(maxsize=512)
def switches_of_header(direction: Direction, header: int) -> frozenset[str]:
    """The switches that say what a header means."""
    return _switches(rows_of(direction, header))
