"""The connectors as the charger tells them, and which of them could take a driver.

Facts only: nothing here starts or stops a charge. The plug and the control pilot say
whether a vehicle is there; the parking sensor is only listened to where there is no
plug (S-C12).
"""

from dataclasses import dataclass, field
from typing import Final

from controller_ref.charger_side import Line
from controller_ref.metering import UNREAD
from controller_ref.settings import Settings

#: Codes that say nothing against charging (requirements.md 1.15, S-D11).
HARMLESS_FAULTS: Final = (
    "NoError",
    "ReaderFailure",
    "WeakSignal",
    "LocalListConflict",
    "ResetFailure",
)


@dataclass(slots=True, kw_only=True)
class Connector:
    number: int
    pilot: str = "A"
    is_closed: bool = False
    is_locked: bool = False
    #: The last that was good; -1: none yet, in this life.
    register_wh: int = UNREAD
    #: Whether the last ``welcome`` had a register that was good.
    is_read: bool = False
    power_w: int = 0
    #: When a reading was last written down, on the monotonic clock.
    kept_ms: int = 0
    #: What was owed then (``Watch.owed``).
    kept_owed: int = 0
    faults: dict[str, None] = field(default_factory=dict)
    is_occupied: bool = False
    is_available: bool = True
    #: When the plug came, to serve vehicles in their order.
    plugged_ms: int = 0
    #: This vehicle has been served already; another driver means another connector.
    is_served: bool = False
    #: The card for which it was; that driver means this vehicle again.
    served_card: str = ""

    @property
    def is_plugged(self) -> bool:
        return self.pilot in ("B", "C", "D")

    @property
    def fault(self) -> str:
        """A fault that forbids charging; empty when there is none."""
        return next((code for code in self.faults if code not in HARMLESS_FAULTS), "")


class Bays:
    """All connectors, and what concerns the whole station."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.is_stopped = False
        self.boot = 0
        self.by_number = {
            number: Connector(number=number)
            for number in range(1, settings.connectors + 1)
        }

    def __getitem__(self, number: int) -> Connector:
        return self.by_number[number]

    def welcome(self, line: Line, now_ms: int) -> None:
        """Take over the whole state; connectors that we do not have are not ours."""
        self.boot = int(str(line["boot"]))
        self.is_stopped = line["emergency_stop"] is True
        rows = line["connectors"]
        assert isinstance(rows, list)
        for row in rows:
            if (connector := self.by_number.get(row["connector"])) is not None:
                self._update(connector, row, now_ms)

    def _update(self, connector: Connector, row: Line, now_ms: int) -> None:
        was_plugged = connector.is_plugged
        connector.pilot = str(row["pilot"])
        connector.is_closed = row["contactor_closed"] is True
        connector.is_locked = row["locked"] is True
        connector.power_w = int(str(row["power_w"]))
        connector.is_occupied = row["occupied"] is True
        connector.is_available = row["available"] is True
        faults = row["faults"]
        assert isinstance(faults, list)
        connector.faults = dict.fromkeys(faults)
        connector.is_read = row["quality"] == "good"
        if connector.is_read:
            connector.register_wh = int(str(row["energy_wh"]))
        if connector.is_plugged and not was_plugged:
            connector.plugged_ms = now_ms
        elif not connector.is_plugged:
            connector.is_served = False

    def fault(self, number: int | None, code: str, *, is_active: bool) -> None:
        """A fault begins or ends; None concerns all connectors."""
        for connector in self.by_number.values():
            if number not in (None, connector.number):
                continue
            if is_active:
                connector.faults[code] = None
            else:
                connector.faults.pop(code, None)

    # --- Who can be served where -------------------------------------------------

    def obstacle(self, connector: Connector) -> str:
        """Why this connector must not deliver; empty when it may."""
        if self.is_stopped:
            return "Emergency stop"
        if connector.fault:
            return f"Charger fault {connector.fault}"
        if connector.pilot in ("E", "F"):
            return f"Vehicle fault, pilot {connector.pilot}"
        if connector.pilot == "D" and not self._settings.has_ventilation:
            return "The vehicle needs ventilation"
        return ""

    def can_begin(self, connector: Connector) -> bool:
        """Whether a new charge could begin here."""
        blocked = self.obstacle(connector) or connector.is_closed
        return connector.is_available and not blocked

    def choose(
        self, free: list[Connector], *, selected: int, card_id: str
    ) -> Connector | None:
        """The connector that a driver who has just paid means; None: not known yet.

        What the driver pressed, else the vehicle that this card has had charged
        before, else the vehicle that has waited longest, else the bay whose sensor saw
        a vehicle arrive, else the only one there is (R-NOS-06).
        """
        for connector in free:
            if connector.number == selected:
                return connector
        for connector in free:
            if connector.is_served and connector.served_card == card_id != "":
                return connector
        waiting = [c for c in free if c.is_plugged and not c.is_served]
        if waiting:
            return min(waiting, key=lambda c: (c.plugged_ms, c.number))
        parked = [c for c in free if c.is_occupied and not c.is_plugged]
        if self._settings.has_bay_sensor and len(parked) == 1:
            return parked[0]
        return free[0] if len(free) == 1 else None
