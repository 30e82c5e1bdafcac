"""What scenarios call things that declarations and protocols have names for."""

from collections.abc import Mapping
from typing import Final

#: Claims in words -> (key of [claims], value); a tuple is a word of a list.
CLAIMS: Final[Mapping[str, tuple[str, str | bool | tuple[str]]]] = {
    "to start by tap": ("start", ("tap",)),
    "to start by plug": ("start", ("plug",)),
    "to start at its own screen": ("start", ("ui",)),
    "to stop by tap": ("stop", ("tap",)),
    "to stop by unplugging": ("stop", ("unplug",)),
    "to stop at its own screen": ("stop", ("ui",)),
    "to read cards all the time": ("scanning", "always"),
    "to read cards only for a waiting vehicle": ("scanning", "on_plug"),
    "to top up the reservation": ("amount_strategy", "increment"),
    "to attempt more than was reserved": ("amount_strategy", "over_capture"),
    "to reserve the maximum": ("amount_strategy", "maximum"),
    "a cap chosen by the driver": ("amount_strategy", "driver_cap"),
    "to accept RFID cards": ("rfid", True),
    "to give energy for free when it cannot authorise": ("free_vend", True),
    "ventilation": ("ventilation", True),
    "no ventilation": ("ventilation", False),
    "a bay sensor": ("bay_sensor", True),
    "to refuse a card twice": ("same_card_twice", "refuse"),
    "to allow a card twice": ("same_card_twice", "allow"),
}
WINDOWS: Final[Mapping[str, str]] = {
    "plug-in": "plug_in_window",
    "no-energy": "no_energy_window",
    "charger-loss": "charger_loss_window",
    "parked-full": "parked_full_window",
}
#: What a controller does, in words -> its name over PSP and over CPS.
DEEDS: Final[Mapping[str, tuple[str, str]]] = {
    "request for a card": ("Start Session", "E3"),
    "authorisation": ("Auth Session", "E6"),
    "start": ("contactor", "contactor"),
    "commit": ("Commit Session", "E9"),
    "release": ("Void Session", "E10"),
    "message": ("send", "send"),
    "write": ("write", "write"),
}
