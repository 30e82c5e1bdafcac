"""PSP messages in the controller's own terms, and back. Pure functions, no state."""

from collections.abc import Callable

from controller_ref.port import Approved, CardRead, CloseRequest
from controller_ref.session import Op
from wire.psp import (
    CARD_HASH_TAG,
    MASKED_PAN_TAG,
    BadBlock,
    Block,
    Malformed,
    Message,
    Name,
    message,
)


def start_session(*, amount_minor: int, reference: int) -> Message:
    """Read a card for this amount; the usual tags are wanted back."""
    fields = {"amount_minor": amount_minor, "reference": reference}
    return message(Name.START_SESSION, **fields, dol=())


def close_session(request: CloseRequest) -> Message:
    session_id = int(request.session_id)
    if request.op is Op.COMMIT:
        amount = request.amount_minor
        return message(Name.COMMIT_SESSION, session_id=session_id, amount_minor=amount)
    return message(Name.VOID_SESSION, session_id=session_id)


def update_session(session_id: str, total_minor: int) -> Message:
    fields = {"session_id": int(session_id), "amount_minor": total_minor}
    return message(Name.UPDATE_SESSION, **fields)


def notification(text: str) -> Message:
    properties = (("title", text),)
    return message(Name.UI_REQUEST, type="notification", properties=properties)


def card_read(said: Message) -> CardRead:
    """A card without a masked PAN is no payment card (R-UI-02)."""
    tags = said.tags()
    masked_pan = _text(tags.get(MASKED_PAN_TAG, b""))
    return CardRead(
        card_id=_text(tags.get(CARD_HASH_TAG, b"")),
        masked_pan=masked_pan,
        is_payment=said.name is Name.CARD_READ and bool(masked_pan),
        labels=tuple(_text(value).upper() for value in tags.values()),
    )


def approved(said: Message, *, was_asked: bool) -> Approved:
    """An approval; a partial one says how much (R-AMT-08, R-PSP-03)."""
    is_partial = said.name is Name.SESSION_PARTIALLY_APPROVED
    return Approved(
        session_id=str(said.number("session_id")),
        amount_minor=said.number("amount_minor") if is_partial else None,
        was_asked=was_asked,
        receipt={f"{tag:X}": _text(value) for tag, value in said.tags().items()},
    )


def suspect_in(block: BadBlock, read: Callable[[Block], Message | Malformed]) -> str:
    """The session id in an approval whose checksum is wrong; empty when it is none."""
    if block.reason != "checksum":
        return ""
    guess = read(Block(block.header or 0, block.raw[4:-1], block.raw))
    is_message = not isinstance(guess, Malformed) and guess.name in _APPROVALS
    return str(guess.fields["session_id"]) if is_message else ""


_APPROVALS = (Name.SESSION_APPROVED, Name.SESSION_PARTIALLY_APPROVED)


def _text(value: bytes) -> str:
    """Text where it is text, else its bytes as hexadecimal digits."""
    if value.isascii() and value.decode("ascii").isprintable():
        return value.decode("ascii")
    return value.hex().upper()
