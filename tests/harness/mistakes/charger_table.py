# ruff: noqa: E501 - a table
"""The known mistakes on the charger's side, and the scenario that turns red for each.

``tests/harness/test_charger_mistakes.py`` plays every row in every column;
``docs/known-mistakes.md`` is the same table for people, and a test holds both together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """One mistake, by its number on the page; red in all columns."""

    number: int
    factory: str
    what: str
    feature: str
    title: str
    requirement: str
    settlement: str = "CLOSED"
    #: What the story needs declared: key -> value, of [claims] and [tariff].
    declared: Mapping[str, int] = field(default_factory=dict)


# fmt: off
WRONG: Final = (
    Wrong(number=1, factory="forgets_the_card", what="keeps a session over a death, but not by which card it was started",
          feature="lines_fail", title="The controller dies during the charge, and the card still stops it", requirement="R-STP-04"),
    Wrong(number=2, factory="forgets_the_bound", what="keeps a session over a death, but not how much is held for it",
          feature="lines_fail", title="The controller dies on the way to the reserved amount", requirement="R-AMT-02", settlement="LEFT OPEN", declared={"reserve": 300}),
    Wrong(number=3, factory="waits_anew_for_the_charger", what="begins to wait for a lost charger anew after each death",
          feature="lines_fail", title="The controller dies while the charger cannot be reached", requirement="R-FLT-06", settlement="LATE"),
    Wrong(number=4, factory="takes_nothing_for_the_same", what="takes two cards without a hash for the same card",
          feature="whose_card_stops", title="Neither the driver's card nor the stranger's has a hash", requirement="R-STP-07", declared={"connectors": 1}),
    Wrong(number=5, factory="notes_the_last_card", what="notes the card that it has turned away as that of the running charge",
          feature="whose_card_stops", title="A stranger taps, and then the driver", requirement="R-STP-07", declared={"connectors": 1}),
    Wrong(number=6, factory="has_one_plug_in_window", what="has one timer for drivers who have paid and not plugged in, and not one for each",
          feature="several_drivers", title="Two drivers pay one after the other, and neither plugs in", requirement="R-MUL-01", settlement="LATE"),
    Wrong(number=7, factory="charges_a_fee_for_nothing", what="charges the fixed part and the minimum where no energy was delivered",
          feature="the_right_amount", title="A charge that never began costs neither the fixed part nor the minimum", requirement="R-FLT-03", settlement="WRONG AMOUNT", declared={"per_session": 35, "minimum": 300}),
    Wrong(number=8, factory="bounds_energy_only", what="watches what the energy costs, not the time, on the way to the reserved amount",
          feature="the_right_amount", title="Time costs money too, up to the reserved amount", requirement="R-AMT-02", declared={"reserve": 200, "per_minute": 30}),
)
# fmt: on
