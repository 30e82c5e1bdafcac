"""PSP, the protocol on the line between a charger controller and its terminal.

Read in this order: ``codes`` (numbers), ``frame`` (blocks), ``message`` and
``messages`` (what is said, as a table), ``profile`` (what the published pages leave
open), ``codec`` (messages to blocks and back), ``permissions`` and ``timeouts`` (when
it may be said, and how long to wait). No I/O, no clock, no chance; standard library
only.
"""

from wire.psp.codec import Malformed, decode, encode
from wire.psp.codes import (
    ControlAction,
    Decline,
    Direction,
    Family,
    Mark,
    Option,
    PaymentMethod,
    Reason,
    ResultCode,
    SetupAction,
    State,
    TransactionEvent,
    UpdateOutcome,
)
from wire.psp.errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from wire.psp.frame import (
    MAGIC,
    MAX_CLASSIC_BLOCK_BYTES,
    MAX_EXTENDED_BLOCK_BYTES,
    PREAMBLES,
    VERSION_BLOCK_BYTES,
    BadBlock,
    Block,
    BlockDecoder,
    checksum,
    encode_block,
)
from wire.psp.message import Message, Name, Value, message
from wire.psp.messages import MESSAGES, Field, Row, answers_of, row, rows_of
from wire.psp.permissions import (
    PERMISSION_ROWS,
    PERMISSIONS,
    Permission,
    is_permitted,
)
from wire.psp.profile import (
    OPTIONS_OF,
    PROFILE_SWITCHES,
    REGISTER,
    Profile,
    Reading,
    Switch,
)
from wire.psp.record import record_of
from wire.psp.timeouts import (
    CARD_DETECT_MS,
    CARD_DETECT_OFF,
    CARD_KEPT_MS,
    EARLY_TCP_PORT,
    IDLE_CARD_DETECT_MS,
    INTER_BYTE_MS,
    KEEP_ALIVE_MS,
    TCP_IDLE_CLOSE_MS,
    TCP_PORT,
    TIMEOUTS,
    answer_limit_ms,
)
from wire.psp.tlv import (
    CARD_HASH_TAG,
    DEFAULT_TAGS,
    MASKED_PAN_TAG,
    TAGS,
    TWO_DEFAULT_TAGS,
    decode_tlv,
    encode_tlv,
)

__all__ = [
    "CARD_DETECT_MS",
    "CARD_DETECT_OFF",
    "CARD_HASH_TAG",
    "CARD_KEPT_MS",
    "DEFAULT_TAGS",
    "EARLY_TCP_PORT",
    "IDLE_CARD_DETECT_MS",
    "INTER_BYTE_MS",
    "KEEP_ALIVE_MS",
    "MAGIC",
    "MASKED_PAN_TAG",
    "MAX_CLASSIC_BLOCK_BYTES",
    "MAX_EXTENDED_BLOCK_BYTES",
    "MESSAGES",
    "OPTIONS_OF",
    "PERMISSIONS",
    "PERMISSION_ROWS",
    "PREAMBLES",
    "PROFILE_SWITCHES",
    "REGISTER",
    "TAGS",
    "TCP_IDLE_CLOSE_MS",
    "TCP_PORT",
    "TIMEOUTS",
    "TWO_DEFAULT_TAGS",
    "VERSION_BLOCK_BYTES",
    "BadBlock",
    "Block",
    "BlockDecoder",
    "ControlAction",
    "Decline",
    "Direction",
    "Family",
    "Field",
    "LocalProtocolError",
    "Malformed",
    "Mark",
    "Message",
    "Name",
    "Option",
    "PaymentMethod",
    "Permission",
    "Profile",
    "ProtocolError",
    "Reading",
    "Reason",
    "RemoteProtocolError",
    "ResultCode",
    "Row",
    "SetupAction",
    "State",
    "Switch",
    "TransactionEvent",
    "UpdateOutcome",
    "Value",
    "answer_limit_ms",
    "answers_of",
    "checksum",
    "decode",
    "decode_tlv",
    "encode",
    "encode_block",
    "encode_tlv",
    "is_permitted",
    "message",
    "record_of",
    "row",
    "rows_of",
]
