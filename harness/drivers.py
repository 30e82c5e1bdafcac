"""What people do on the forecourt: tap, plug, press, drive off.

Every act is written to the trace with the name of the person who did it, then told to
the machine that notices. Who paid for which energy is decided later from these records
alone.
"""

from typing import Literal

from simulator import events
from simulator.cards import CARDS
from simulator.forecourt import Forecourt
from simulator.people import Person

Button = Literal["start", "stop", "cancel"]


class Drivers:
    """Carries out the acts of people on one forecourt."""

    def __init__(self, court: Forecourt) -> None:
        self._court = court
        #: Where each driver's vehicle is plugged in.
        self.plugged: dict[int, Person] = {}
        self.parked: dict[int, Person] = {}

    def _note(self, act: str, driver: Person, **fields: object) -> None:
        noted = {"act": act, "driver": driver.name, **fields}
        self._court.note(events.Note(kind="act", fields=noted))

    def tap(self, driver: Person, card: str) -> None:
        """Hold a test card to the reader."""
        self._note("tap", driver, card=card, card_id=CARDS[card].card_id)
        self._court.tell_terminal(events.CardTapped(card=card))

    def remove_card(self, driver: Person) -> None:
        """Take the card away before it has been read."""
        self._note("remove_card", driver)
        self._court.tell_terminal(events.CardRemoved())

    def park(self, driver: Person, connector: int) -> None:
        self._note("park", driver, connector=connector)
        self.parked[connector] = driver
        self._court.tell_station(events.VehicleParked(connector=connector))

    def plug(
        self, driver: Person, connector: int, vehicle: str, *, seated: bool = True
    ) -> None:
        """Plug in, parking first when nobody has."""
        if connector not in self.parked:
            self.park(driver, connector)
        self._note("plug", driver, connector=connector, seated=seated)
        self.plugged[connector] = driver
        self._court.tell_station(
            events.PlugInserted(connector=connector, vehicle=vehicle, seated=seated)
        )

    def unplug(self, driver: Person, connector: int) -> None:
        """Pull the plug; the vehicle stays in its bay."""
        self._note("unplug", driver, connector=connector)
        self.plugged.pop(connector, None)
        self._court.tell_station(events.PlugRemoved(connector=connector))

    def leave(self, driver: Person, connector: int) -> None:
        """Drive off, unplugging first."""
        if connector in self.plugged:
            self.unplug(driver, connector)
        self._note("leave", driver, connector=connector)
        self.parked.pop(connector, None)
        self._court.tell_station(events.VehicleLeft(connector=connector))

    def draw(self, driver: Person, connector: int, power_w: int | None = None) -> None:
        """The vehicle asks for energy."""
        self._note("draw", driver, connector=connector)
        self._court.tell_station(
            events.EnergyWanted(connector=connector, power_w=power_w)
        )

    def pause(self, driver: Person, connector: int) -> None:
        """The vehicle stops asking."""
        self._note("pause", driver, connector=connector)
        self._court.tell_station(events.EnergyPaused(connector=connector))

    def press(self, driver: Person, connector: int, button: Button) -> None:
        """A button on the charger's own screen."""
        self._note("press", driver, connector=connector, button=button)
        self._court.tell_station(
            events.ButtonPressed(connector=connector, button=button)
        )

    def emergency_stop(self, driver: Person, *, active: bool) -> None:
        self._note("emergency_stop", driver, active=active)
        self._court.tell_station(events.EmergencyStopMoved(active=active))
