"""What a controller does that can be seen, by name: it may die around each of these.

``write``: it makes something durable. ``send``: it says anything. The rest is what it
says: a PSP message, a CPS route, the type of a line to the charger.
"""

from typing import Final

from wire import bay
from wire.bay import LINES
from wire.cps import ROUTES
from wire.psp import MESSAGES, Direction

_MESSAGES: Final = [
    row.name.value for row in MESSAGES if row.direction is Direction.TO_TERMINAL
]

DEEDS: Final = (
    "write",
    "send",
    *dict.fromkeys(_MESSAGES),
    # E12 has three verbs, each a route of its own.
    *dict.fromkeys(route.partition("-")[0] for route in ROUTES),
    *(kind for way, kind in LINES if way is bay.Direction.TO_CHARGER),
)
