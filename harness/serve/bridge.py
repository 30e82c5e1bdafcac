"""The fault engine of this version, behind the interface that the bench uses.

It puts the faults of the catalogue in by the methods that ``harness.faults`` has; for
what it has no method, it says so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, cast

from harness.bench import NotClaimed
from harness.faults import Faults
from harness.serve.faulting import Engine
from simulator.events import EmergencyStopMoved, Trouble
from simulator.faults import Fault

if TYPE_CHECKING:
    from harness.bench import Bench
    from harness.serve.play import Play


@dataclass(frozen=True, slots=True, kw_only=True)
class _InForce:
    fault_id: str
    name: str
    params: Mapping[str, int | str]
    state: Literal["planned", "hit"]


def build_engine(play: "Play") -> Engine:
    return Bridge(play)


class Bridge:
    """Meets ``Engine``; see the module's text."""

    def __init__(self, play: "Play") -> None:
        self._play = play
        # It uses of a bench what a Play has: court, lines, device, key, serial number.
        self._faults = Faults(cast("Bench", play))
        self._in_force: dict[str, _InForce] = {}
        self._heals: dict[str, Callable[[], object]] = {}
        self._count = 0

    def inject(self, fault: Fault) -> str:
        if fault.name not in _BY_TODAY:
            raise NotClaimed("not played by this version")
        self._count += 1
        name = f"S{self._count}"
        heal = _BY_TODAY[fault.name](self._faults, fault, self._play)
        if not fault.kind.once:
            self._in_force[name] = _InForce(
                fault_id=name, name=fault.name, params=fault.params, state="hit"
            )
            self._heals[name] = heal
        return name

    def heal_one(self, fault_id: str) -> None:
        heal = self._heals.pop(fault_id)
        del self._in_force[fault_id]
        heal()

    def heal_all(self) -> None:
        self._faults.heal_all()
        self._in_force.clear()
        self._heals.clear()

    def in_force(self) -> Sequence[_InForce]:
        return tuple(self._in_force.values())


Put = Callable[[Faults, Fault, "Play"], Callable[[], object]]


def _simple(put: Callable[[Faults], None], name: str) -> Put:
    def do(faults: Faults, _fault: Fault, _play: "Play") -> Callable[[], object]:
        put(faults)
        return lambda: faults.heal(name)

    return do


def _trouble(faults: Faults, fault: Fault, _play: "Play") -> Callable[[], object]:
    faults.trouble(
        Trouble(
            connector=fault.number("connector"),
            # The catalogue's names of these faults are those of the parts.
            part=fault.name,  # type: ignore[arg-type]
            amount=fault.number("amount") if "amount" in fault.params else 0,
            reason=fault.text("reason") if "reason" in fault.params else "",
        )
    )
    return lambda: faults.heal(fault.name)


def _charger(faults: Faults, fault: Fault, _play: "Play") -> Callable[[], object]:
    where = fault.number("connector") if "connector" in fault.params else None
    faults.charger_fault(where, fault.text("code"))
    return lambda: faults.heal(fault.text("code"))


def _red_button(_faults: Faults, _fault: Fault, play: "Play") -> Callable[[], object]:
    play.court.tell_station(EmergencyStopMoved(active=True))
    return lambda: play.court.tell_station(EmergencyStopMoved(active=False))


_PARTS: Final = (
    "contactor_welded",
    "contactor_dead",
    "lock_stuck",
    "refuses",
    "connection_timeout",
    "pilot",
    "sensor",
    "meter_frozen",
    "meter_suspect",
    "meter_jump",
    "meter_falls",
    "meter_nan",
    "meter_silent",
)
_BY_TODAY: Final[Mapping[str, Put]] = {
    "cable_cut": _simple(Faults.cut_cable, "cable_cut"),
    "host_down": _simple(Faults.lose_host, "host_lost"),
    "terminal_off": _simple(Faults.cut_terminal_power, "terminal_power_cut"),
    "bay_down": _simple(Faults.lose_charger, "charger_lost"),
    "charger_reboot": _simple(Faults.restart_charger, "charger_restarts"),
    "charger_fault": _charger,
    "station_fault": _charger,
    "emergency_stop": _red_button,
    **dict.fromkeys(_PARTS, _trouble),
}
