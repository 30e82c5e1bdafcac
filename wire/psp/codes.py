"""The code points of PSP: directions, states, reasons, events, options.

Values only; what a message looks like is in ``messages``. Numbers that arrive are kept
as plain integers, because a peer may send codes that no published page lists; the
enumerations here compare equal to them (psp.md 3.1, 4.2, 4.6, 5).
"""

from enum import IntEnum, IntFlag, StrEnum


class Direction(StrEnum):
    """Which way a block travels. Header bytes mean nothing without it (psp.md 2.4)."""

    TO_TERMINAL = "to_terminal"
    TO_HOST = "to_host"


class Family(StrEnum):
    """Terminal families with different command sets (psp.md 11)."""

    P6X = "p6x"
    APOLLO = "apollo"


class Mark(StrEnum):
    """How sure we are of a fact; INF and ASSUMPTION are never Payter's demand."""

    DOC = "DOC"
    DUMP = "DUMP"
    INF = "INF"
    ASSUMPTION = "ASSUMPTION"
    CONTRA = "CONTRA"


class State(IntEnum):
    """First byte of the Get Status Response (psp.md 3.1)."""

    OFFLINE = 0x01
    ONLINE = 0x02
    DISABLED = 0x04
    ENABLED = 0x08
    WAIT_CARD = 0x10
    WAIT_AUTH = 0x20


class ResultCode(IntEnum):
    """First byte of Result (psp.md 4.6)."""

    OK = 0x00
    NOT_OK = 0x01


class Reason(IntEnum):
    """Second byte of a detailed Result (psp.md 5.1)."""

    UNKNOWN_COMMAND = 0x02
    INCORRECT_MESSAGE = 0x03
    INCORRECT_CHECKSUM = 0x04
    INCORRECT_STATE = 0x05
    UNKNOWN_CARD = 0x06
    TRANSACTION_CANCELLED = 0x07
    INCORRECT_UI_SCREEN = 0x08
    INTERNAL_ERROR = 0x09
    NO_TRANSACTION_RUNNING = 0x0A
    DUPLICATE_SESSION_ID = 0x0B
    SESSION_ID_NOT_FOUND = 0x0C
    SERVICE_NOT_SUPPORTED = 0x0D
    INVALID_APPLICATION_STATE = 0x0E
    OVERFLOW = 0x0F
    ACCESS_DENIED = 0x10
    NOT_READY = 0x11


class Decline(IntEnum):
    """Reason of a declined authorisation or update (psp.md 5.2)."""

    NOT_SET = 0x00
    CARD_READ_FAILURE = 0x01
    CARD_READ_TIMEOUT = 0x02
    HOST_ERROR = 0x03
    INVALID_MERCHANT = 0x04
    REFER_TO_ISSUER = 0x05
    INVALID_ACCOUNT = 0x06
    PIN_FAILURE = 0x07
    HOST_TIMEOUT = 0x08
    INSUFFICIENT_FUNDS = 0x09
    WITHDRAWAL_LIMIT_EXCEEDED = 0x0A
    WITHDRAWAL_FREQUENCY_EXCEEDED = 0x0B
    DATABASE_NOT_REACHABLE = 0x0C
    OTHER = 0xFF


class TransactionEvent(IntEnum):
    """Steps of the payment flow, sent with option EVENTS only (psp.md 4.6)."""

    STARTED = 0x00
    READING_CARD = 0x01
    CARD_READ_COMPLETE = 0x02
    COMPLETE = 0x03
    UNKNOWN = 0xFF


class UpdateOutcome(IntEnum):
    """First byte of Update Session Result (psp.md 4.6, C8)."""

    APPROVED = 0x00
    PARTIALLY_APPROVED = 0x01
    DECLINED = 0x02


class Option(IntFlag):
    """Bits of the Protocol command (psp.md 4.2)."""

    EVENTS = 0x01
    AUTHORIZATION_DOL = 0x02
    EXTENDED = 0x04
    DETAILED = 0x08
    DECLINED_DOL = 0x10


class SetupAction(IntEnum):
    """What becomes of a session whose life, set by Setup, is over (psp.md 4.2)."""

    #: The driver pays everything that was reserved.
    COMMIT = 0x00
    VOID = 0x01


class ControlAction(IntEnum):
    """The only value that Control knows (psp.md 4.2)."""

    REBOOT = 0x00


class PaymentMethod(IntFlag):
    """Bits of the supported payment methods; only one is published (A38)."""

    EMV = 0x02
