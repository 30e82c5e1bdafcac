# ruff: noqa: E501
"""What travels as JSON: Terminal, Card, Session and the notifications (cps.md 2, 4, 5).

Writing leaves out what is empty, so that a declined authorisation is the short answer
that clients have seen. Reading tolerates unknown names, missing names and wrong types
of everything that is not essential: a client must survive a cloud that says more or
less. States are text, because a cloud may know more of them than we do; ``parse_state``
says which one a name means. ``from_json`` raises RemoteProtocolError, nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from wire.cps.errors import RemoteProtocolError

Json = Mapping[str, object]
T = TypeVar("T")


class TerminalState(StrEnum):
    """``state`` of a terminal (cps.md 3); being offline is not a state."""

    IDLE = "IDLE"
    READING = "READING"
    CARD = "CARD"


class SessionState(StrEnum):
    """``state`` of a session (cps.md 4.2)."""

    #: The money is held, a commit or cancel is due.
    AUTHORIZED = "AUTHORIZED"
    DECLINED = "DECLINED"
    #: A commit was refused although the status was 200.
    FAILED = "FAILED"
    #: Captured; one T, as the cloud writes it.
    COMMITED = "COMMITED"
    CANCELLED = "CANCELLED"


#: Another interface of Payter's writes two T (cps.md 4.2); read as the same.
_SPELLINGS: Final[Mapping[str, SessionState]] = {
    **{state.value: state for state in SessionState},
    "COMMITTED": SessionState.COMMITED,
}


def parse_state(text: str) -> SessionState | None:
    """The state of a session by its name; None for a name we do not know."""
    return _SPELLINGS.get(text)


# --- Reading --------------------------------------------------------------------


def _object(value: object, what: str) -> Json:
    if not isinstance(value, Mapping):
        raise RemoteProtocolError(f"{what}: found {_seen(value)}, allowed an object")
    return value


def _seen(value: object) -> str:
    return type(value).__name__ if value is not None else "nothing"


def _need(value: T | None, what: str, found: object) -> T:
    if value is None:
        raise RemoteProtocolError(f"{what}: found {_seen(found)}, it is essential")
    return value


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _whole(value: object) -> int | None:
    return value if type(value) is int else None


def _texts(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, (list, tuple)):
        return None
    return tuple(item for item in value if isinstance(item, str))


def _without_empty(pairs: Json) -> dict[str, object]:
    return {k: v for k, v in pairs.items() if v is not None and v != ""}


# --- Terminal and card ----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalInfo:
    """A terminal as E1, E2 and the state webhook show it."""

    serial_number: str
    online: bool
    state: str = ""

    def to_json(self) -> dict[str, object]:
        return {
            "serialNumber": self.serial_number,
            "online": self.online,
            "state": self.state,
        }

    @classmethod
    def from_json(cls, value: object) -> "TerminalInfo":
        """Essential: ``serialNumber``, ``online``."""
        row = _object(value, "Terminal")
        serial, online = row.get("serialNumber"), row.get("online")
        return cls(
            serial_number=_need(_text(serial), "Terminal.serialNumber", serial),
            online=_need(_flag(online), "Terminal.online", online),
            state=_text(row.get("state")) or "",
        )


# --- Session --------------------------------------------------------------------

_Reader = Callable[[object], object]

# fmt: off
#: Attribute, JSON name, how it is read; in the order written (cps.md 4.1, 8.1).
SESSION_FIELDS: Final[tuple[tuple[str, str, _Reader], ...]] = (
    ("serial_number", "serialNumber", _text),
    ("session_id", "sessionId", _text),
    ("card_id", "cardId", _text),
    ("transaction_time", "transactionTime", _text),
    ("commit_time", "commitTime", _text),
    ("brand", "brand", _text),
    ("emv_date", "emvDate", _text),
    ("emv_time", "emvTime", _text),
    ("authorized_amount", "authorizedAmount", _whole),
    ("final_amount", "finalAmount", _whole),
    ("result", "result", _text),
    ("authorization_response_code", "authorizationResponseCode", _text),
    ("authorization_code", "authorizationCode", _text),
    ("authorization_host_reference", "authorizationHostReference", _text),
    ("terminal_txn_id", "terminalTxnId", _whole),
    ("merchant_reference", "merchantReference", _text),
    ("receipt_info", "receiptInfo", _texts),
    ("state", "state", _text),
)
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session as E6 to E10 answer it (cps.md 4.1); amounts in minor units.

    ``result`` is the outcome of the tap and never that of the commit: only ``state``
    tells that.
    """

    session_id: str = ""
    serial_number: str = ""
    card_id: str = ""
    authorized_amount: int | None = None
    state: str = ""
    result: str = ""
    final_amount: int | None = None
    transaction_time: str = ""
    commit_time: str = ""
    brand: str = ""
    emv_date: str = ""
    emv_time: str = ""
    authorization_response_code: str = ""
    authorization_code: str = ""
    authorization_host_reference: str = ""
    terminal_txn_id: int | None = None
    merchant_reference: str = ""
    receipt_info: tuple[str, ...] | None = None

    def to_json(self) -> dict[str, object]:
        rows = {name: getattr(self, attribute) for attribute, name, _ in SESSION_FIELDS}
        return _without_empty(rows)

    @classmethod
    def from_json(cls, value: object) -> "Session":
        """Essential: one of ``state`` and ``sessionId``."""
        row = _object(value, "Session")
        read = {
            attribute: found
            for attribute, name, reader in SESSION_FIELDS
            if (found := reader(row.get(name))) is not None
        }
        if not read.get("state") and not read.get("session_id"):
            raise RemoteProtocolError(
                "Session: found neither state nor sessionId, one is essential"
            )
        return cls(**read)  # type: ignore[arg-type]  # the readers give these types


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A card that was read: answer of E4 and callback of E3 (cps.md 5.1)."""

    serial_number: str
    card_id: str
    #: CONTACTLESS, QR_CODE, UNKNOWN seen; compare without regard to case.
    ifd: str = ""
    aid: str = ""
    masked_pan: str = ""
    #: Open sessions of this card, as far as the cloud tells.
    sessions: tuple[Session, ...] = ()

    def to_json(self) -> dict[str, object]:
        head = {"serialNumber": self.serial_number, "ifd": self.ifd}
        rest = {"cardId": self.card_id, "maskedPan": self.masked_pan}
        optional = _without_empty({"aid": self.aid, **rest})
        optional.setdefault("cardId", "")
        sessions = [session.to_json() for session in self.sessions]
        return {**head, **optional, "sessions": sessions}

    @classmethod
    def from_json(cls, value: object) -> "Card":
        """Essential: ``serialNumber``, ``cardId``."""
        row = _object(value, "Card")
        serial, card_id = row.get("serialNumber"), row.get("cardId")
        return cls(
            serial_number=_need(_text(serial), "Card.serialNumber", serial),
            card_id=_need(_text(card_id), "Card.cardId", card_id),
            ifd=_text(row.get("ifd")) or "",
            aid=_text(row.get("aid")) or "",
            masked_pan=_text(row.get("maskedPan")) or "",
            sessions=_sessions(row.get("sessions")),
        )


def _sessions(value: object) -> tuple[Session, ...]:
    if not isinstance(value, list):
        return ()
    found = (_session_or_none(item) for item in value)
    return tuple(item for item in found if item is not None)


def _session_or_none(value: object) -> Session | None:
    try:
        return Session.from_json(value)
    except RemoteProtocolError:
        return None


def parse_list(value: object, name: str) -> tuple[object, ...]:
    """The items of E1 and E7: an array, or an object that wraps it as ``name``."""
    inner = value.get(name) if isinstance(value, Mapping) else value
    if not isinstance(inner, list):
        raise RemoteProtocolError(f"{name}: found {_seen(inner)}, allowed an array")
    return tuple(inner)


# --- Notifications --------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class UiNotification:
    """A button on a screen was pressed: callback of E11 (cps.md 5.2)."""

    serial_number: str
    screen_id: str
    response: str = ""

    def to_json(self) -> dict[str, object]:
        return {
            "serialNumber": self.serial_number,
            "screenId": self.screen_id,
            "response": self.response,
        }

    @classmethod
    def from_json(cls, value: object) -> "UiNotification":
        """Essential: ``serialNumber``, ``screenId``; a button may have no name."""
        row = _object(value, "UiNotification")
        serial, screen = row.get("serialNumber"), row.get("screenId")
        return cls(
            serial_number=_need(_text(serial), "UiNotification.serialNumber", serial),
            screen_id=_need(_text(screen), "UiNotification.screenId", screen),
            response=_text(row.get("response")) or "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionNotification:
    """A session, or why there is none (cps.md 5.3); what triggers it is unknown."""

    session: Session | None = None
    error: str = ""

    def to_json(self) -> dict[str, object]:
        session = None if self.session is None else self.session.to_json()
        return _without_empty({"session": session, "error": self.error})

    @classmethod
    def from_json(cls, value: object) -> "SessionNotification":
        """Essential: one of ``session`` and ``error``."""
        row = _object(value, "SessionNotification")
        session = _session_or_none(row.get("session"))
        error = _text(row.get("error")) or ""
        if session is None and not error:
            raise RemoteProtocolError(
                "SessionNotification: found neither session nor error, one is essential"
            )
        return cls(session=session, error=error)


# --- Screens --------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """A screen type of E11 (cps.md 6.2)."""

    properties: tuple[str, ...]
    #: Prefix of the elements that answer with an event; empty: the screen has none.
    elements: str = ""
    is_documented: bool = True


# fmt: off
#: cps.md 6.2; the last two are used in the field but not in the documented list.
SCREENS: Final[Mapping[str, Screen]] = {
    "carousel": Screen(properties=("title", "subtitle", "background"), elements="buttons"),
    "dialog": Screen(properties=("title", "message", "icon"), elements="buttons"),
    "info": Screen(properties=("title", "subtitle", "offset", "qr", "background", "logo")),
    "notification": Screen(properties=("title", "subtitle", "advice", "message", "icon", "color")),
    "selection": Screen(properties=("title", "type"), elements="items"),
    "spinner": Screen(properties=("title", "amount", "currency")),
    "screensaver": Screen(properties=()),
    "message": Screen(properties=("title", "message"), elements="buttons", is_documented=False),
    "dispense": Screen(properties=("title", "subtitle"), is_documented=False),
}
# fmt: on
