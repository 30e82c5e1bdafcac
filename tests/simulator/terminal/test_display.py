"""What the driver sees: layers, money, and screens of the hosts."""

import pytest

from simulator.terminal.display import OFF, Display, Screen, money
from simulator.terminal.outbox import Outbox
from simulator.terminal.screens import described


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (2500, "EUR", "EUR 25.00"),
        (5, "EUR", "EUR 0.05"),
        (0xFFFFFFFF, "EUR", "EUR 42949672.95"),
        (2500, "JPY", "JPY 2500"),
        (2500, "KWD", "KWD 2.500"),
    ],
)
def test_money_in_the_currency_s_own_digits(
    amount: int, currency: str, text: str
) -> None:
    assert money(amount, currency) == text


def test_the_topmost_layer_is_seen() -> None:
    out = Outbox()
    display = Display(out)
    host = Screen(screen="info", text="Price", face="psp")
    display.host(host)
    display.flow("present_card", "Present card")
    display.passing("approved", "Approved", now_ms=0)
    display.release()
    seen = [display.visible.text]
    display.on_deadline(4_999)
    seen.append(display.visible.text)
    display.on_deadline(5_000)
    seen.append(display.visible.text)
    display.device(OFF)
    display.device(None)
    seen.append(display.visible.text)
    assert seen == ["Approved", "Approved", "Price", "Welcome"]
    texts = [action.fields["text"] for action in out.take()]  # type: ignore[union-attr]  # only notes are written
    assert texts == ["Price", "Present card", "Approved", "Price", "", "Welcome"]


def test_nothing_is_noted_when_nothing_changes() -> None:
    out = Outbox()
    display = Display(out)
    for _ in range(2):
        display.flow("present_card", "Present card")
    assert len(out.take()) == 1
    display.release()
    display.host(None)
    assert len(out.take()) == 1


def test_only_elements_that_are_not_disabled_can_be_pressed() -> None:
    screen = described(
        "dialog",
        {
            "title": "Stop?",
            "buttons.yes": "",
            "buttons.yes.label": "Yes",
            "buttons.no": "",
            "buttons.no.disabled": "true",
            "items.other": "",
        },
        face="psp",
    )
    assert screen.buttons == ("yes",)
    assert screen.text == "Stop? | [Yes] | [no]"
    plain = described("spinner", {"title": "Wait", "buttons.yes": ""}, face="psp")
    assert plain.buttons == ()
