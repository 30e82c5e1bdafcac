"""Vehicles: what each one is (a table), and one that stands in a bay.

A vehicle follows the IEC 61851-1 control pilot: A not connected, B connected, C wants
energy, D wants energy and ventilation. It asks for energy by itself a few seconds after
it was plugged in and stops asking when its battery is full. Its charging curve tapers:
power is a percentage of its best, in steps over the state of charge.

A vehicle does not know the charger, and it keeps no energy of its own: its battery is
the connector's integral (``simulator.energy``), counted from the moment of plugging in,
on top of what was in it before. All figures are invented but ordinary.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from simulator.energy import MJ_PER_WH


class Pilot(StrEnum):
    """Control pilot states of IEC 61851-1."""

    #: +12 V: no vehicle.
    A = "A"
    #: +9 V: a vehicle is connected.
    B = "B"
    #: +6 V: the vehicle wants energy.
    C = "C"
    #: +3 V: the vehicle wants energy and ventilation.
    D = "D"
    #: 0 V: mains problem, or the pilot is shorted.
    E = "E"
    #: -12 V: the charger cannot be used.
    F = "F"


#: Pilot states in which energy may flow.
ASKING: Final = frozenset({Pilot.C, Pilot.D})
#: Pilot states that are faults.
PILOT_ERRORS: Final = frozenset({Pilot.E, Pilot.F})

#: A charging curve: (from this state of charge in per mille, percent of full power).
Curve = tuple[tuple[int, int], ...]

#: The usual shape on alternating current: flat, then a taper close to full.
TAPER: Final[Curve] = ((0, 100), (800, 70), (900, 40), (960, 15))
FLAT: Final[Curve] = ((0, 100),)

FULL_PERMILLE: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleKind:
    about: str
    capacity_wh: int
    #: State of charge on arrival, 0..1000 per mille.
    charge_permille: int
    #: Most it takes, at the start of its curve.
    power_w: int
    curve: Curve = TAPER
    #: From plug to asking for energy; None: never by itself.
    asks_after_ms: int | None = 3_000
    ventilation: bool = False


VEHICLES: Final[Mapping[str, VehicleKind]] = {
    "hatchback": VehicleKind(
        about="a family car, a third full",
        capacity_wh=60_000,
        charge_permille=330,
        power_w=11_000,
    ),
    "city_car": VehicleKind(
        about="a small car on one phase",
        capacity_wh=24_000,
        charge_permille=250,
        power_w=7_400,
    ),
    "estate": VehicleKind(
        about="a big car, almost empty",
        capacity_wh=82_000,
        charge_permille=80,
        power_w=11_000,
    ),
    "van": VehicleKind(
        about="a delivery van that takes all there is",
        capacity_wh=110_000,
        charge_permille=150,
        power_w=22_000,
    ),
    "hybrid": VehicleKind(
        about="a plug-in hybrid: little and slow",
        capacity_wh=12_000,
        charge_permille=400,
        power_w=3_700,
    ),
    "motorcycle": VehicleKind(
        about="the smallest battery, a flat curve",
        capacity_wh=6_000,
        charge_permille=500,
        power_w=2_300,
        curve=FLAT,
    ),
    "sleepy": VehicleKind(
        about="stays in B: its own clock starts it later",
        capacity_wh=60_000,
        charge_permille=330,
        power_w=11_000,
        asks_after_ms=None,
    ),
    "full": VehicleKind(
        about="nearly full: back to B after 300 Wh",
        capacity_wh=60_000,
        charge_permille=995,
        power_w=11_000,
    ),
    "ventilated": VehicleKind(
        about="old lead batteries: asks for ventilation",
        capacity_wh=20_000,
        charge_permille=300,
        power_w=3_700,
        ventilation=True,
    ),
}


class Vehicle:
    """One vehicle of a kind, from its arrival until it drives off.

    Energies are given as the connector's integral, ``total_mj``; between ``plug`` and
    ``unplug`` the battery follows it.
    """

    __slots__ = (
        "_full_mj",
        "_level_mj",
        "_plugged_at_mj",
        "_steps",
        "asking",
        "kind",
        "name",
        "override_w",
        "ventilation",
    )

    def __init__(self, name: str) -> None:
        if name not in VEHICLES:
            allowed = ", ".join(VEHICLES)
            raise ValueError(f"vehicle: found {name!r}, allowed {allowed}")
        kind = VEHICLES[name]
        self.name = name
        self.kind = kind
        self._full_mj = _level_mj(kind, FULL_PERMILLE)
        self._level_mj = _level_mj(kind, kind.charge_permille)
        #: Charging curve with its bounds as battery levels.
        self._steps = tuple(
            (_level_mj(kind, permille), max(1, kind.power_w * percent // 100))
            for permille, percent in kind.curve
        )
        self._plugged_at_mj = 0
        self.asking = False
        self.override_w: int | None = None
        self.ventilation = kind.ventilation

    @property
    def pilot(self) -> Pilot:
        if not self.asking:
            return Pilot.B
        return Pilot.D if self.ventilation else Pilot.C

    def plug(self, total_mj: int) -> None:
        self._plugged_at_mj = total_mj
        self.override_w = None
        self.asking = False

    def unplug(self, total_mj: int) -> None:
        """Keep what was charged; the vehicle may be plugged in again."""
        self._level_mj = self.level_mj(total_mj)
        self._plugged_at_mj = total_mj

    def level_mj(self, total_mj: int) -> int:
        """What is in the battery."""
        return self._level_mj + total_mj - self._plugged_at_mj

    def charge_permille(self, total_mj: int) -> int:
        return self.level_mj(total_mj) * FULL_PERMILLE // self._full_mj

    def is_full(self, total_mj: int) -> bool:
        return self.level_mj(total_mj) >= self._full_mj

    def power_w(self, total_mj: int) -> int:
        """What the vehicle takes now if it is given all it asks for."""
        if self.is_full(total_mj):
            return 0
        if self.override_w is not None:
            return self.override_w
        level_mj = self.level_mj(total_mj)
        return next(p for bound, p in reversed(self._steps) if bound <= level_mj)

    def changes_at_mj(self, total_mj: int) -> int:
        """The integral at which ``power_w`` next changes: a step, or full."""
        level_mj = self.level_mj(total_mj)
        bounds = [bound for bound, _ in self._steps if bound > level_mj]
        if self.override_w is not None or not bounds:
            bounds = [self._full_mj]
        return total_mj + bounds[0] - level_mj


def _level_mj(kind: VehicleKind, permille: int) -> int:
    return kind.capacity_wh * MJ_PER_WH * permille // FULL_PERMILLE
