"""What an increment grants, by behaviour."""

from typing import Any

import pytest

from simulator.behaviour import Behaviour, granted_total
from simulator.cards import CARDS, Outcome
from simulator.holds import Holds

HOLD = Holds().open(CARDS["visa"], amount_minor=1000, now_ms=0, valid_ms=1)


@pytest.mark.parametrize(
    ("behaviour", "asked", "granted"),
    [
        (Behaviour(), 3000, 3000),
        (Behaviour(), 400, 400),
        (Behaviour(increment=Outcome.DECLINE), 3000, None),
        (Behaviour(increment=Outcome.DECLINE), 400, 400),
        (Behaviour(increment=Outcome.PARTIAL), 3000, 2000),
        (Behaviour(increment=Outcome.PARTIAL), 1001, None),
        (Behaviour(increment=Outcome.PARTIAL, increment_minor=1500), 3000, 1500),
        (Behaviour(increment=Outcome.PARTIAL, increment_minor=9000), 3000, 3000),
        (Behaviour(increment=Outcome.PARTIAL, increment_minor=500), 3000, None),
        (Behaviour(increment=Outcome.LOST), 3000, 3000),
    ],
)
def test_the_new_total(behaviour: Behaviour, asked: int, granted: int | None) -> None:
    assert granted_total(HOLD, asked, behaviour) == granted


def test_an_outcome_may_be_its_text_but_not_any_text() -> None:
    word: Any = "silent"
    assert Behaviour(outcome=word).outcome == Outcome.SILENT
    word = "mute"
    with pytest.raises(ValueError, match="found 'mute', allowed approve, partial"):
        Behaviour(outcome=word)
    with pytest.raises(ValueError, match="found 'mute'"):
        Behaviour(increment=word)
