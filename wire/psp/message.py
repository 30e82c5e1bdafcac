"""A message: its name in the vendor's words and its fields, nothing of the wire.

A message is a fact: it cannot be changed, and two with the same name and fields are
equal, whatever the order in which the fields were given. Which fields a message has,
and how they look on the wire, is in ``messages``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from wire.psp.errors import LocalProtocolError

#: Tags of a DOL answer with their values, in the order of the wire.
Tags = tuple[tuple[int, bytes], ...]
#: Keys of a UI Request with their values.
Pairs = tuple[tuple[str, str], ...]
Value = int | str | bytes | tuple[int, ...] | Tags | Pairs

_NOTHING: Final[Mapping[str, Value]] = MappingProxyType({})


class Name(StrEnum):
    """Names as Payter's pages print them. Synchronize and Protocol go both ways."""

    # host -> terminal, and two that come back under the same name
    SYNCHRONIZE = "Synchronize"
    PROTOCOL = "Protocol"
    SETUP = "Setup"
    ENABLE = "Enable"
    DISABLE = "Disable"
    GET_STATUS = "Get Status"
    REQUEST_IDS = "Request Ids"
    RESET = "Reset"
    CONTROL = "Control"
    SELECT_LANGUAGE = "Select Language"
    START_SESSION = "Start Session"
    READ_CARD = "Read Card"
    AUTH_SESSION = "Auth Session"
    CANCEL_SESSION = "Cancel Session"
    COMMIT_SESSION = "Commit Session"
    VOID_SESSION = "Void Session"
    UPDATE_SESSION = "Update Session"
    LIST_SESSIONS = "List Sessions"
    REMOVE_SESSIONS = "Remove Sessions"
    ADD_TRANSACTION_CONTEXT = "Add Transaction Context"
    UI_REQUEST = "UI Request"
    PROP_CARD_EXCHANGE = "Prop Card Exchange"
    MIFARE = "MiFare"
    READ_FILE = "Read File"
    GET_RECEIPT = "Get Receipt"
    GET_TRANSACTION_RECORD = "Get Transaction Record"
    GET_CONNECTION_INFO = "Get Connection Info"
    # terminal -> host
    RESULT = "Result"
    GET_STATUS_RESPONSE = "Get Status Response"
    REQUEST_IDS_RESPONSE = "Request Ids Response"
    CARD_READ = "Card Read"
    PROPRIETARY_CARD_READ = "Proprietary Card Read"
    SESSION_APPROVED = "Session Approved"
    SESSION_PARTIALLY_APPROVED = "Session Partially Approved"
    SESSION_DECLINED = "Session Declined"
    SESSION_CANCELLED = "Session Cancelled"
    TRANSACTION_EVENT = "Transaction Event"
    LIST_SESSIONS_RESPONSE = "List Sessions Response"
    UPDATE_SESSION_RESULT = "Update Session Result"
    UI_EVENT = "UI Event"
    PROP_CARD_RESPONSE = "Prop Card Response"
    RECEIPT = "Receipt"
    TRANSACTION_RECORD = "Transaction Record"
    GET_CONNECTION_INFO_RESPONSE = "Get Connection Info Response"
    READ_FILE_RESPONSE = "Read File Response"


@dataclass(frozen=True, slots=True)
class Message:
    """One message. Reading a field that is absent or of another type is our mistake."""

    name: Name
    # Not part of the hash: equal messages still hash alike, and a mapping cannot.
    fields: Mapping[str, Value] = field(default_factory=lambda: _NOTHING, hash=False)

    def __post_init__(self) -> None:
        if not isinstance(self.fields, MappingProxyType):
            copy = MappingProxyType(dict(self.fields))
            object.__setattr__(self, "fields", copy)

    def __reduce__(self) -> tuple[type["Message"], tuple[Name, dict[str, Value]]]:
        # A view of a mapping can be neither copied nor pickled.
        return Message, (self.name, dict(self.fields))

    def __getitem__(self, key: str) -> Value:
        try:
            return self.fields[key]
        except KeyError:
            raise self._mistake(key, "nothing", "one of its fields") from None

    def __contains__(self, key: str) -> bool:
        return key in self.fields

    def get(self, key: str, default: Value | None = None) -> Value | None:
        return self.fields.get(key, default)

    def number(self, key: str, default: int | None = None) -> int:
        value = self.fields.get(key, default)
        if not isinstance(value, int):
            raise self._mistake(key, value, "a number")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        value = self.fields.get(key, default)
        if not isinstance(value, str):
            raise self._mistake(key, value, "text")
        return value

    def data(self, key: str, default: bytes | None = None) -> bytes:
        value = self.fields.get(key, default)
        if not isinstance(value, bytes):
            raise self._mistake(key, value, "bytes")
        return value

    def numbers(self, key: str) -> tuple[int, ...]:
        """A list of numbers: tags asked for, session ids. Empty when absent."""
        return tuple(item for item in self._items(key) if isinstance(item, int))

    def tags(self, key: str = "data") -> Mapping[int, bytes]:
        """The answered tags by number. Empty when absent; the first of twins counts."""
        found: dict[int, bytes] = {}
        for item in self._items(key):
            match item:
                case (int() as tag, bytes() as value):
                    found.setdefault(tag, value)
        return found

    def _items(self, key: str) -> Iterator[object]:
        value = self.fields.get(key, ())
        if not isinstance(value, tuple):
            raise self._mistake(key, value, "a list")
        return iter(value)

    def _mistake(self, key: str, found: object, allowed: str) -> LocalProtocolError:
        shown = type(found).__name__ if isinstance(found, bytes | tuple) else found
        has = ", ".join(self.fields) or "none"
        return LocalProtocolError(
            f"{self.name}: {key}: found {shown}, allowed {allowed} (fields: {has})"
        )


def message(name: Name, /, **fields: Value | None) -> Message:
    """A message from keywords; a field given as None is left out."""
    given = {key: value for key, value in fields.items() if value is not None}
    return Message(name, MappingProxyType(given))
