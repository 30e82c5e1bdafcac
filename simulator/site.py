"""What all connectors of a station share: settings, site, the way out, one refusal.

The ``Outbox`` is the station's end of the bay link: lines are dropped while the link is
down, as they would be in life, and ``welcome`` makes up for them later. Notes of what
really happened are never dropped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from simulator.events import BayToController, Note
from simulator.vehicle import Pilot
from wire.bay import MAX_CONNECTORS, PONG_LIMIT_MS, encode_line

#: Meters have run before: register of connector 1, and the step to each next one.
FIRST_REGISTER_WH: Final = 148_200
REGISTER_STEP_WH: Final = 37_310

Action = Note | BayToController


class ImpossibleError(ValueError):
    """What was asked of the world cannot happen now; nothing has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StationSettings:
    #: 1..32.
    connectors: int = 1
    #: Of one connector; no vehicle draws more.
    max_power_w: int = 22_000
    #: The bays have sensors of their own.
    bay_sensor: bool = False
    #: Registers at the start of the run; empty: values that are not 0.
    initial_energy_wh: tuple[int, ...] = ()
    #: How many times faster than life energy flows and meters speak.
    energy_rate: int = 1
    #: How often the charger has started, this time included.
    boot: int = 1
    #: How long a ``pong`` may take.
    pong_limit_ms: int = PONG_LIMIT_MS

    def __post_init__(self) -> None:
        if not 1 <= self.connectors <= MAX_CONNECTORS:
            raise ValueError(
                f"connectors: found {self.connectors}, allowed 1..{MAX_CONNECTORS}"
            )
        registers = len(self.initial_energy_wh)
        if registers not in (0, self.connectors):
            raise ValueError(
                f"initial_energy_wh: found {registers} registers, "
                f"allowed none or {self.connectors}"
            )

    def register_wh(self, number: int) -> int:
        if self.initial_energy_wh:
            return self.initial_energy_wh[number - 1]
        return FIRST_REGISTER_WH + REGISTER_STEP_WH * (number - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorView:
    """One connector as it is now, for assertions and the bench's overview."""

    connector: int
    pilot: Pilot
    contactor_closed: bool
    locked: bool
    #: The true register; ``shown_wh`` is what the meter displays.
    energy_wh: int
    shown_wh: int
    power_w: int
    #: A vehicle stands in the bay, whatever the sensor says.
    occupied: bool
    available: bool
    #: OCPP codes, the station's own included.
    faults: tuple[str, ...]
    #: Name of the plugged vehicle, or empty, and its state of charge.
    vehicle: str
    charge_permille: int


@dataclass(slots=True, kw_only=True)
class Site:
    powered: bool = True
    emergency_stop: bool = False
    #: Codes of the whole station's active faults; a dict keeps their order.
    faults: dict[str, None] = field(default_factory=dict)


class Outbox:
    """Collects what a station does until the bench takes it."""

    __slots__ = ("_actions", "is_up")

    def __init__(self) -> None:
        self._actions: list[Action] = []
        self.is_up = False

    def line(self, kind: str, fields: Mapping[str, object]) -> None:
        if self.is_up:
            data = encode_line({"type": kind, **fields})
            self._actions.append(BayToController(data=data))

    def note(self, kind: str, fields: Mapping[str, object]) -> None:
        self._actions.append(Note(kind=kind, fields=fields))

    def take(self) -> list[Action]:
        taken, self._actions = self._actions, []
        return taken
