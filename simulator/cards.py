# ruff: noqa: E501
"""The test cards: what they are and what their issuer does with them.

One row per card, named as on the bench. No card has a number: it has a masked one, as a
receipt shows it, and the hash by which a terminal knows it again. Hashes are derived
from the names, so the same card has the same hash in every run. Everything that happens
by itself (declines, parts, delays, PIN entry) is data here; what a test wants otherwise
for a while is a ``Behaviour`` of the issuer, never another card.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha1
from typing import Final, Literal

#: A PIN or an answer that never comes, in milliseconds.
NEVER_MS: Final = 2_147_483_647


class Outcome(StrEnum):
    """What an issuer does with a request for money."""

    APPROVE = "approve"
    #: Holds a part of what was asked for.
    PARTIAL = "partial"
    DECLINE = "decline"
    #: Never answers, and holds nothing.
    SILENT = "silent"
    #: Holds the money, but the answer is lost.
    LOST = "lost"


class DeclineReason:
    """Bytes of psp.md 5.2 that the cards use."""

    HOST_ERROR: Final = 0x03
    REFER_TO_ISSUER: Final = 0x05
    INVALID_ACCOUNT: Final = 0x06
    HOST_TIMEOUT: Final = 0x08
    INSUFFICIENT_FUNDS: Final = 0x09
    OTHER: Final = 0xFF


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCard:
    """A card as the reader and the issuer see it."""

    #: Not a test case, whatever its name suggests to a test runner.
    __test__ = False

    name: str
    #: rfid: no payment card; the controller itself decides about it.
    kind: Literal["emv", "rfid"] = "emv"
    scheme: Literal["visa", "mastercard", "amex", ""] = ""
    #: Whose money it is; two cards may share an account.
    account: str = ""
    #: 40 upper-case hexadecimal digits; empty when the terminal reports none.
    card_id: str = ""
    masked_pan: str = ""
    outcome: Outcome = Outcome.APPROVE
    #: A byte of psp.md 5.2.
    decline_reason: int = 0
    #: What the issuer adds to a normal round trip; see ``issuer_delay_ms``.
    delay_ms: int = 0
    delay_by_family: Mapping[str, int] = field(default_factory=dict)
    #: What a partial approval grants, in minor units.
    partial_minor: int = 0
    #: Time the driver needs for the PIN; 0: none is asked for.
    pin_ms: int = 0
    #: The card leaves the reader before it is read.
    removed_early: bool = False
    #: RFID: the UID in hexadecimal.
    uid: str = ""

    def issuer_delay_ms(self, family: str) -> int:
        """The issuer's delay on a terminal of ``family``; 0: a normal round trip."""
        return self.delay_by_family.get(family, self.delay_ms)


def _card_id(name: str) -> str:
    return sha1(f"nohold test card {name}".encode(), usedforsecurity=False).hexdigest().upper()  # fmt: skip


#: Application identifier of each scheme (EMV), as Payter shows it as brand.
AIDS: Final[Mapping[str, str]] = {
    "visa": "A0000000031010",
    "mastercard": "A0000000041010",
    "amex": "A00000002501",
    "": "",
}

# fmt: off
_ROWS: Final = (
    # Ordinary cards, each with an account of its own
    TestCard(name="visa", scheme="visa", account="visa", card_id=_card_id("visa"), masked_pan="411111******1111"),
    TestCard(name="mastercard", scheme="mastercard", account="mastercard", card_id=_card_id("mastercard"), masked_pan="541333******1234"),
    TestCard(name="amex", scheme="amex", account="amex", card_id=_card_id("amex"), masked_pan="378282*****0005"),
    TestCard(name="visa2", scheme="visa", account="visa2", card_id=_card_id("visa2"), masked_pan="411111******2222"),
    TestCard(name="mastercard2", scheme="mastercard", account="mastercard2", card_id=_card_id("mastercard2"), masked_pan="541333******2345"),
    TestCard(name="amex2", scheme="amex", account="amex2", card_id=_card_id("amex2"), masked_pan="378282*****0016"),
    TestCard(name="visa3", scheme="visa", account="visa3", card_id=_card_id("visa3"), masked_pan="411111******3333"),
    TestCard(name="mastercard3", scheme="mastercard", account="mastercard3", card_id=_card_id("mastercard3"), masked_pan="541333******3456"),
    TestCard(name="visa4", scheme="visa", account="visa4", card_id=_card_id("visa4"), masked_pan="411111******4444"),
    TestCard(name="mastercard4", scheme="mastercard", account="mastercard4", card_id=_card_id("mastercard4"), masked_pan="541333******4567"),
    # Declined
    TestCard(name="insufficient_funds", scheme="visa", account="insufficient_funds", card_id=_card_id("insufficient_funds"), masked_pan="411111******5101", outcome=Outcome.DECLINE, decline_reason=DeclineReason.INSUFFICIENT_FUNDS),
    TestCard(name="declined", scheme="mastercard", account="declined", card_id=_card_id("declined"), masked_pan="541333******5202", outcome=Outcome.DECLINE, decline_reason=DeclineReason.REFER_TO_ISSUER),
    TestCard(name="host_timeout", scheme="visa", account="host_timeout", card_id=_card_id("host_timeout"), masked_pan="411111******5303", outcome=Outcome.DECLINE, decline_reason=DeclineReason.HOST_TIMEOUT, delay_ms=12_000),
    TestCard(name="host_error", scheme="visa", account="host_error", card_id=_card_id("host_error"), masked_pan="411111******5404", outcome=Outcome.DECLINE, decline_reason=DeclineReason.HOST_ERROR),
    # Approved, but not simply: slow stays within the terminal's limit (30 s, 210 s), late is beyond both
    TestCard(name="partial", scheme="mastercard", account="partial", card_id=_card_id("partial"), masked_pan="541333******6101", outcome=Outcome.PARTIAL, partial_minor=1000),
    TestCard(name="slow", scheme="visa", account="slow", card_id=_card_id("slow"), masked_pan="411111******6202", delay_ms=200_000, delay_by_family={"p6x": 29_000, "apollo": 200_000}),
    TestCard(name="late", scheme="visa", account="late", card_id=_card_id("late"), masked_pan="411111******6303", delay_ms=240_000),
    TestCard(name="silent", scheme="visa", account="silent", card_id=_card_id("silent"), masked_pan="411111******6404", outcome=Outcome.SILENT),
    # The person or the card is special
    TestCard(name="pin_slow", scheme="mastercard", account="pin_slow", card_id=_card_id("pin_slow"), masked_pan="541333******7101", pin_ms=180_000),
    TestCard(name="pin_walk_off", scheme="mastercard", account="pin_walk_off", card_id=_card_id("pin_walk_off"), masked_pan="541333******7202", pin_ms=NEVER_MS),
    TestCard(name="no_hash", scheme="visa", account="no_hash", masked_pan="411111******7303"),
    TestCard(name="hashless", scheme="mastercard", account="hashless", masked_pan="541333******7606"),
    TestCard(name="wallet", scheme="visa", account="visa", card_id=_card_id("wallet"), masked_pan="489537******7404"),
    TestCard(name="removed_early", scheme="visa", account="removed_early", card_id=_card_id("removed_early"), masked_pan="411111******7505", removed_early=True),
    # No payment cards
    TestCard(name="rfid", kind="rfid", card_id=_card_id("rfid"), uid="04A2B3C4D5E680"),
    TestCard(name="rfid_unknown", kind="rfid", card_id=_card_id("rfid_unknown"), uid="04F1E2D3C4B5A0"),
)
# fmt: on

CARDS: Final[Mapping[str, TestCard]] = {card.name: card for card in _ROWS}

#: Cards that simply work, no two of one account: drivers can pay at the same time.
ORDINARY_CARDS: Final = tuple(card.name for card in _ROWS[:10])


def card_named(name: str) -> TestCard:
    """The card of that name; LookupError names found and allowed."""
    card = CARDS.get(name)
    if card is None:
        raise LookupError(f"card: found {name!r}, allowed {', '.join(CARDS)}")
    return card
