"""The test cards: all there, no number anywhere, nothing shared by accident."""

import re

import pytest

from simulator.cards import (
    AIDS,
    CARDS,
    NEVER_MS,
    ORDINARY_CARDS,
    Outcome,
    TestCard,
    card_named,
)

EMV = [card for card in CARDS.values() if card.kind == "emv"]

#: As the bench promises them.
PROMISED = {
    "visa", "mastercard", "amex", "insufficient_funds", "declined", "partial",
    "host_timeout", "host_error", "slow", "late", "no_hash", "wallet", "rfid",
    "rfid_unknown", "removed_early",
}  # fmt: skip


def passes_luhn(digits: str) -> bool:
    doubled = [int(d) * (1 + place % 2) for place, d in enumerate(reversed(digits))]
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


def holds_a_card_number(text: str) -> bool:
    runs = re.findall(r"\d{13,}", text)
    return any(
        passes_luhn(run[start : start + size])
        for run in runs
        for size in range(13, 20)
        for start in range(len(run) - size + 1)
    )


def test_the_check_itself_finds_a_number() -> None:
    assert holds_a_card_number("x" + "41" + "1" * 14)
    assert not holds_a_card_number("0" * 12 + "1")


def test_every_promised_card_exists() -> None:
    assert set(CARDS) >= PROMISED
    assert set(CARDS) >= {"silent", "pin_slow", "pin_walk_off"}


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
def test_no_card_number_exists_anywhere(card: TestCard) -> None:
    for text in (card.card_id, card.masked_pan, card.uid, repr(card)):
        assert not holds_a_card_number(text)


@pytest.mark.parametrize("card", EMV, ids=lambda card: card.name)
def test_a_masked_number_shows_the_ends_alone(card: TestCard) -> None:
    assert re.fullmatch(r"\d{6}\*{5,6}\d{4}", card.masked_pan)
    assert card.scheme in AIDS
    assert card.account


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
def test_a_hash_is_forty_upper_case_digits_or_none(card: TestCard) -> None:
    wanted = r"" if card.name in ("no_hash", "hashless") else r"[0-9A-F]{40}"
    assert re.fullmatch(wanted, card.card_id)


def test_hashes_and_masked_numbers_are_unique() -> None:
    hashes = [card.card_id for card in CARDS.values() if card.card_id]
    masked = [card.masked_pan for card in EMV]
    assert len(set(hashes)) == len(hashes)
    assert len(set(masked)) == len(masked)


def test_only_the_wallet_shares_an_account() -> None:
    owners = [card.account for card in EMV if card.name != "wallet"]
    assert len(set(owners)) == len(owners)
    assert CARDS["wallet"].account == CARDS["visa"].account
    assert CARDS["wallet"].card_id != CARDS["visa"].card_id


def test_ten_drivers_can_pay_at_once() -> None:
    cards = [CARDS[name] for name in ORDINARY_CARDS]
    assert len(cards) == len({card.account for card in cards}) == 10
    for card in cards:
        assert card.outcome is Outcome.APPROVE
        assert (card.pin_ms, card.delay_ms, card.removed_early) == (0, 0, False)


@pytest.mark.parametrize(
    ("name", "family", "delay_ms", "limit_ms", "is_in_time"),
    [
        ("slow", "p6x", 29_000, 30_000, True),
        ("slow", "apollo", 200_000, 210_000, True),
        ("late", "p6x", 240_000, 30_000, False),
        ("late", "apollo", 240_000, 210_000, False),
        ("host_timeout", "p6x", 12_000, 30_000, True),
    ],
)
def test_delays_stand_on_the_right_side_of_the_limit(
    name: str, family: str, delay_ms: int, limit_ms: int, is_in_time: bool
) -> None:
    assert CARDS[name].issuer_delay_ms(family) == delay_ms
    assert (delay_ms < limit_ms) is is_in_time


def test_people_with_a_pin() -> None:
    assert CARDS["pin_slow"].pin_ms == 180_000
    assert CARDS["pin_walk_off"].pin_ms == NEVER_MS


def test_cards_of_the_operator_are_no_payment_cards() -> None:
    for name in ("rfid", "rfid_unknown"):
        card = CARDS[name]
        assert (card.kind, card.masked_pan, card.account) == ("rfid", "", "")
        assert re.fullmatch(r"[0-9A-F]{14}", card.uid)


def test_an_unknown_card_names_found_and_allowed() -> None:
    with pytest.raises(LookupError, match="found 'visia', allowed visa, mastercard"):
        card_named("visia")
