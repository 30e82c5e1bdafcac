"""Faults of the charger link, of charger and vehicle, and of the meter."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, get_args

from harness.bay_line import BayBreak
from harness.faults.life import Heal, Injection, Put
from harness.line_faults import Turn
from simulator import events
from wire.records import Record

#: A charger that starts again can be reached again after so long. ASSUMPTION.
BOOT_MS: Final = 20_000

# --- The link -------------------------------------------------------------------


def hold_link(put: Injection) -> Heal:
    """The link is closed and refused; for cuts of the whole site as well."""
    bay = put.bench.lines.bay
    return put.hold("bay", bay.lose, bay.restore)


def _down(put: Injection) -> Heal:
    heal = hold_link(put)
    put.hit("")
    return heal


def _reset(put: Injection) -> None:
    if put.bench.lines.bay.reset():
        put.hit("")


def _reset_at(put: Injection) -> Heal:
    faults = put.bench.lines.bay.faults
    direction = put.text("direction")
    fault = BayBreak(
        way="to_charger" if direction == "to_charger" else "to_controller",
        hit=put.hit,
        turn=Turn(after=put.number("after")),
        line=put.text("line"),
        byte=put.number("byte"),
    )
    faults.append(fault)
    return lambda: faults.remove(fault)


def _reboot(put: Injection) -> None:
    """Gone for ``BOOT_MS``, whatever is healed meanwhile."""
    court = put.bench.court
    back = hold_link(put)
    court.tell_station(events.StationRebooted())
    court.kernel.at(court.kernel.now_ms + BOOT_MS, back)
    put.hit("")


# --- Charger and vehicle --------------------------------------------------------


def _code(put: Injection) -> Heal:
    """An OCPP 1.6 error code on a connector, or on the whole station."""
    tell, code = put.bench.court.tell_station, put.text("code")
    connector = put.number("connector") if "connector" in put.fault.params else None

    def say(*, active: bool) -> None:
        tell(events.ChargerFault(connector=connector, code=code, active=active))

    return put.strike(
        (code, connector), lambda: say(active=True), lambda: say(active=False)
    )


def _emergency_stop(put: Injection) -> Heal:
    tell = put.bench.court.tell_station
    return put.strike(
        "emergency stop",
        lambda: tell(events.EmergencyStopMoved(active=True)),
        lambda: tell(events.EmergencyStopMoved(active=False)),
    )


def _out_of_service(put: Injection) -> Heal:
    tell, connector = put.bench.court.tell_station, put.number("connector")

    def say(*, available: bool) -> None:
        tell(events.AvailabilityMoved(connector=connector, available=available))

    return put.strike(
        ("available", connector),
        lambda: say(available=False),
        lambda: say(available=True),
    )


# --- Parts of one connector -----------------------------------------------------


def _line(record: Record, connector: int, kind: str) -> Mapping[str, object]:
    """The bay line in ``record`` if it is of this kind and connector; else empty."""
    line = record["line"] if record["kind"] == "bay" else None
    if not isinstance(line, Mapping) or line.get("connector") != connector:
        return {}
    return line if line.get("type") == kind else {}


def _is_rejected(record: Record, connector: int) -> bool:
    return bool(_line(record, connector, "rejected"))


def _is_close_command(record: Record, connector: int) -> bool:
    return _line(record, connector, "contactor").get("close") is True


def _is_lock_command(record: Record, connector: int) -> bool:
    is_command = record["kind"] == "bay" and record["direction"] == "to_charger"
    return is_command and bool(_line(record, connector, "lock"))


def _is_welded(record: Record, connector: int) -> bool:
    """It should open, by order or because the vehicle has left, and cannot."""
    orders = _line(record, connector, "contactor").get("close") is False
    return orders or _line(record, connector, "plug").get("pilot") == "A"


#: Troubles that wait for their moment: the record that shows that it has come.
SHOWN_BY: Final[Mapping[str, Callable[[Record, int], bool]]] = {
    "refuses": _is_rejected,
    "connection_timeout": _is_rejected,
    "contactor_dead": _is_close_command,
    "contactor_welded": _is_welded,
    "lock_stuck": _is_lock_command,
}


def _trouble(put: Injection, part: events.Part) -> Heal | None:
    """A part of a connector misbehaves (``simulator.events.Trouble``)."""
    params, connector = put.fault.params, put.number("connector")
    trouble = events.Trouble(
        connector=connector,
        part=part,
        amount=put.number("amount") if "amount" in params else 0,
        reason=put.text("reason") if "reason" in params else "",
    )
    healed = events.Trouble(
        connector=connector, part=part, active=False, reason=trouble.reason
    )
    tell = put.bench.court.tell_station
    if part in SHOWN_BY:
        put.hit_when(lambda record: SHOWN_BY[part](record, connector))
    if put.fault.kind.once and part != "refuses":
        tell(trouble)
        put.hit("")
        return None
    heal = put.hold((part, connector), lambda: tell(trouble), lambda: tell(healed))
    if part not in SHOWN_BY:
        put.hit("")
    return heal


ROWS: Final[Mapping[str, Put]] = {
    "bay_down": _down,
    "bay_reset": _reset,
    "bay_reset_at": _reset_at,
    "charger_reboot": _reboot,
    "charger_fault": _code,
    "station_fault": _code,
    "emergency_stop": _emergency_stop,
    "out_of_service": _out_of_service,
    **{part: partial(_trouble, part=part) for part in get_args(events.Part)},
}
