"""The vehicle's side of one connector: who stands in the bay and how the plug sits.

Knows vehicles and time, nothing of the charger: it says what the control pilot would
be. Times that are wanted later (a vehicle that asks for energy by itself, a plug that
is not seated and flaps) are kept here and are run by the connector.
"""

from typing import Final

from simulator.site import ImpossibleError
from simulator.vehicle import Pilot, Vehicle

#: A plug that is not seated touches and loses contact in turns.
FLAP_MS: Final = 2_000
#: From the return of the charger to a vehicle asking again.
RESUME_MS: Final = 3_000


class Parking:
    """Bay ``number``. Energies are the connector's integral, ``total_mj``."""

    __slots__ = (
        "_beside",
        "_seated",
        "_touching",
        "_wants",
        "flap_ms",
        "number",
        "parked",
        "vehicle",
        "wake_ms",
    )

    def __init__(self, number: int) -> None:
        self.number = number
        self.parked = False
        #: The vehicle that is plugged in.
        self.vehicle: Vehicle | None = None
        #: When the vehicle asks for energy by itself.
        self.wake_ms: int | None = None
        #: When a plug that is not seated touches or loses contact.
        self.flap_ms: int | None = None
        #: The vehicle that was unplugged last and still stands in the bay.
        self._beside: Vehicle | None = None
        self._seated = True
        self._touching = True
        #: Would ask (again) if the charger came back.
        self._wants = False

    @property
    def pilot(self) -> Pilot:
        if self.vehicle is None or not self._touching:
            return Pilot.A
        return self.vehicle.pilot

    # --- What people do ---------------------------------------------------------

    def park(self) -> None:
        if self.parked:
            raise ImpossibleError(f"bay {self.number} is occupied already")
        self.parked = True

    def leave(self, total_mj: int) -> None:
        """Drive off; a plug still in is torn out."""
        if not self.parked:
            raise ImpossibleError(f"no vehicle in bay {self.number}")
        if self.vehicle is not None:
            self.unplug(total_mj)
        self.parked = False
        self._beside = None

    def plug(self, name: str, now_ms: int, *, total_mj: int, seated: bool) -> None:
        """Plug a vehicle in, or push home a plug that was not seated."""
        if self.vehicle is not None and self._seated:
            raise ImpossibleError(f"a vehicle is plugged in at connector {self.number}")
        if self.vehicle is None:
            self.vehicle = self._arriving(name)
            self.vehicle.plug(total_mj)
        self.parked = True
        self._beside = None
        self._seated, self._touching = seated, True
        self.flap_ms = None if seated else now_ms + FLAP_MS
        after_ms = self.vehicle.kind.asks_after_ms
        self._wants = after_ms is not None
        self.wake_ms = None
        if seated and after_ms is not None:
            self.wake_ms = now_ms + after_ms

    def _arriving(self, name: str) -> Vehicle:
        if self._beside is not None and self._beside.name == name:
            return self._beside
        return Vehicle(name)

    def unplug(self, total_mj: int) -> None:
        vehicle = self._plugged()
        vehicle.unplug(total_mj)
        self._beside, self.vehicle = vehicle, None
        self._seated = self._touching = True
        self.flap_ms = self.wake_ms = None
        self._wants = False

    def want(self, total_mj: int, *, power_w: int | None, ventilation: bool) -> None:
        """The vehicle asks now; ``power_w`` (0 and up) replaces its curve."""
        vehicle = self._plugged()
        if power_w is not None and power_w < 0:
            raise ImpossibleError(f"power: found {power_w} W, allowed 0 and up")
        if vehicle.is_full(total_mj):
            raise ImpossibleError(f"the battery at connector {self.number} is full")
        vehicle.asking = self._wants = True
        vehicle.override_w = power_w
        vehicle.ventilation = ventilation or vehicle.kind.ventilation
        self.wake_ms = None

    def pause(self) -> None:
        self._plugged().asking = False
        self._wants = False
        self.wake_ms = None

    def _plugged(self) -> Vehicle:
        if self.vehicle is None:
            raise ImpossibleError(f"no vehicle plugged in at connector {self.number}")
        return self.vehicle

    # --- What happens by itself -------------------------------------------------

    def charger_gone(self) -> None:
        """The charger is dark: the vehicle stops asking."""
        self.wake_ms = None
        if self.vehicle is not None:
            self.vehicle.asking = False

    def charger_back(self, now_ms: int) -> None:
        """A vehicle that wanted energy before will ask again."""
        if self._wants and self._seated:
            self.wake_ms = now_ms + RESUME_MS

    def run(self, now_ms: int, *, total_mj: int) -> None:
        """Do what is due at ``now_ms``."""
        vehicle = self.vehicle
        if vehicle is None:
            return
        if self.wake_ms is not None and self.wake_ms <= now_ms:
            self.wake_ms = None
            vehicle.asking = True
        if self.flap_ms is not None and self.flap_ms <= now_ms:
            self.flap_ms = now_ms + FLAP_MS
            self._touching = not self._touching
        if vehicle.asking and vehicle.is_full(total_mj):
            vehicle.asking = self._wants = False
