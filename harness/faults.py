"""Faults in force on a bench: put in, seen to hit, healed before the world must
settle.

The catalogue of what can go wrong is ``simulator.faults``; this module puts its faults
in at their seams. Each gets an id and a life in the trace: ``planned``, ``hit`` (at
once for what simply happens, later for what waits for its moment) and ``healed``. A
planned fault that never hits makes the case inconclusive, so nothing can pass because a
fault missed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from harness.cloud_line import FOREIGN, HttpFault
from harness.psp_line import LineFault, Manipulator
from simulator import events
from simulator.issuer import Ask, Behaviour
from simulator.terminal import Impairment
from wire.cps import build
from wire.records import Record

if TYPE_CHECKING:
    from harness.bench import Bench


def _is_silence(record: Record) -> bool:
    return record["kind"] == "issuer" and record["event"] == "silent"


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
TROUBLE_HITS: Final[Mapping[str, Callable[[Record, int], bool]]] = {
    "refuses": _is_rejected,
    "connection_timeout": _is_rejected,
    "contactor_dead": _is_close_command,
    "contactor_welded": _is_welded,
    "lock_stuck": _is_lock_command,
}


@dataclass(slots=True)
class _InForce:
    fault: str
    name: str
    heal: Callable[[], object]


class Faults:
    """Puts faults in and takes them out again; one per bench."""

    def __init__(self, bench: "Bench") -> None:
        self._bench = bench
        self._court = bench.court
        self._count = 0
        self._in_force: list[_InForce] = []

    # --- life -------------------------------------------------------------------

    def _plan(self, name: str, heal: Callable[[], object], detail: str = "") -> str:
        self._count += 1
        fault = f"F{self._count}"
        self._in_force.append(_InForce(fault, name, heal))
        self._note("planned", fault, name, detail)
        return fault

    def _happen(self, name: str, heal: Callable[[], object], detail: str = "") -> str:
        fault = self._plan(name, heal, detail)
        self._note("hit", fault, name, detail)
        return fault

    def _note(self, event: str, fault: str, name: str, detail: str = "") -> None:
        fields = {"event": event, "fault": fault, "name": name}
        if detail:
            fields["detail"] = detail
        self._court.note(events.Note(kind="fault", fields=fields))

    def heal_all(self) -> None:
        """Undo every fault, the last first."""
        while self._in_force:
            one = self._in_force.pop()
            one.heal()
            self._note("healed", one.fault, one.name)

    def heal(self, name: str) -> None:
        """Undo the faults of one name."""
        for one in [one for one in self._in_force if one.name == name]:
            self._in_force.remove(one)
            one.heal()
            self._note("healed", one.fault, one.name)

    def _wait_for_hit(
        self, fault: str, name: str, shows: Callable[[Record], bool]
    ) -> None:
        """Note the hit when the first record shows that the fault has struck."""
        watchers = self._court.trace.watchers

        def watch(record: Record) -> None:
            if shows(record):
                watchers.remove(watch)
                self._note("hit", fault, name)

        watchers.append(watch)

    # --- charger and vehicle ----------------------------------------------------

    def charger_fault(self, connector: int | None, code: str) -> None:
        """An OCPP 1.6 error code on a connector, or the whole station (None)."""
        tell = self._court.tell_station
        tell(events.ChargerFault(connector=connector, code=code, active=True))
        self._happen(
            code,
            lambda: tell(
                events.ChargerFault(connector=connector, code=code, active=False)
            ),
            f"connector {connector}" if connector else "station",
        )

    def trouble(self, trouble: events.Trouble) -> None:
        """A part of a connector misbehaves (``simulator.events.Trouble``)."""
        tell = self._court.tell_station
        healed = replace(trouble, active=False)
        where = f"connector {trouble.connector}"
        if trouble.part in TROUBLE_HITS:
            fault = self._plan(trouble.part, lambda: tell(healed), where)
            shows = TROUBLE_HITS[trouble.part]
            self._wait_for_hit(
                fault, trouble.part, lambda r: shows(r, trouble.connector)
            )
        else:
            self._happen(trouble.part, lambda: tell(healed), where)
        tell(trouble)

    def out_of_service(self, connector: int) -> None:
        """The operator takes a connector out of service."""
        tell = self._court.tell_station
        tell(events.AvailabilityMoved(connector=connector, available=False))
        self._happen(
            "out_of_service",
            lambda: tell(events.AvailabilityMoved(connector=connector, available=True)),
            f"connector {connector}",
        )

    def lose_charger(self) -> None:
        """The link to the charger closes and is refused."""
        bay = self._bench.lines.bay
        bay.lose()
        self._happen("charger_lost", bay.restore)

    def restart_charger(self) -> None:
        """The charger restarts: contactors open, the link drops and comes back."""
        bay = self._bench.lines.bay
        bay.lose()
        self._court.tell_station(events.StationRebooted())
        self._happen("charger_restarts", bay.restore)

    def cut_site_power(self) -> None:
        """Controller, contactors, bay link and terminal go; all come back together."""
        self._bench.device.kill()
        self._bench.lines.bay.lose()
        self._set_terminal_power(on=False)
        self._court.tell_station(events.SitePower(on=False))
        self._happen("site_power_cut", self._restore_site_power)

    def _restore_site_power(self) -> None:
        self._court.tell_station(events.SitePower(on=True))
        self._set_terminal_power(on=True)
        self._bench.lines.bay.restore()
        self._bench.device.start()

    # --- terminal, host, cable, cloud -------------------------------------------

    def _set_terminal_power(self, *, on: bool) -> None:
        if not on:
            self._bench.lines.psp.hang_up("reset")
        self._bench.lines.psp.terminal_powered = on
        self._court.tell_terminal(events.TerminalPower(on=on))

    def cut_terminal_power(self) -> None:
        """The terminal alone loses power."""
        self._set_terminal_power(on=False)
        self._happen("terminal_power_cut", lambda: self._set_terminal_power(on=True))

    def lose_host(self) -> None:
        """The terminal cannot reach its payment host."""
        self._court.move_host_link(up=False)
        self._happen("host_lost", lambda: self._court.move_host_link(up=True))

    def cut_cable(self) -> None:
        """Bytes between controller and terminal vanish, as on a pulled cable."""
        line = self._bench.lines.psp
        line.is_cut = True

        def mend() -> None:
            line.is_cut = False

        self._happen("cable_cut", mend)

    def change_bytes(
        self,
        name: str,
        *,
        way: Literal["to_terminal", "to_controller"],
        message: str,
        change: Manipulator,
        times: int = 1,
    ) -> None:
        """The next bytes that carry ``message`` are put through ``change``."""
        line = self._bench.lines.psp
        fault = LineFault("", name, way, message, change, times)
        line.faults.append(fault)
        fault.fault = self._plan(name, lambda: line.faults.remove(fault), message)

    def http(
        self,
        name: str,
        *,
        route: str,
        what: Literal["refuse", "lose_request", "lose_answer"],
        times: int = 1,
    ) -> None:
        """Something happens to the next calls of one route."""
        line = self._bench.lines.cloud
        fault = HttpFault("", name, route, what, times)
        line.faults.append(fault)
        fault.fault = self._plan(name, lambda: line.faults.remove(fault), route)

    def impair(self, make: Callable[[str], Impairment]) -> None:
        """A fault inside the terminal; ``make`` is given the fault's id."""
        terminal = self._court.terminal
        fault = f"F{self._count + 1}"
        impairment = make(fault)
        terminal.impair(impairment)
        self._plan(impairment.kind.value, lambda: terminal.heal(fault))

    # --- issuer -----------------------------------------------------------------

    def issuer(self, name: str, card: str | None, behaviour: Behaviour) -> None:
        """The issuer answers ``card`` (all cards: None) in another way."""
        issuer = self._court.issuer
        issuer.set_behaviour(card, behaviour)
        fault = self._plan(name, lambda: issuer.set_behaviour(card, None), card or "")
        self._wait_for_hit(fault, name, lambda record: record["kind"] == "issuer")

    def silence(self, ask: Ask) -> None:
        """The issuer never answers one kind of question."""
        issuer = self._court.issuer
        issuer.answer_silence(frozenset({ask}))
        name = f"issuer silent on {ask}"
        fault = self._plan(name, lambda: issuer.answer_silence(frozenset()))
        self._wait_for_hit(fault, name, _is_silence)

    def foreign_cancel(self, session_id: str) -> None:
        """Another system with the same key cancels a session (CPS, R-MUL-05)."""
        request = build(
            "E10",
            api_key=self._bench.api_key,
            serial_number=self._bench.serial_number,
            session_id=session_id,
        )
        self._court.call_cloud(FOREIGN, request)
        self._happen("foreign_cancel", lambda: None, session_id)

    # --- controller -------------------------------------------------------------

    def kill_controller(self) -> None:
        """SIGKILL of the controller alone; the charger goes on as it was."""
        self._bench.device.kill()
        self._happen("controller_killed", self.start_controller)

    def start_controller(self) -> None:
        """Start the controller again unless it runs."""
        if not self._bench.device.is_alive:
            self._bench.device.start()

    def fail_storage(self, reason: str) -> None:
        """The controller's durable store refuses to write."""
        store = self._bench.store
        store.fault = reason

        def mend() -> None:
            store.fault = ""

        self._happen("storage_" + reason, mend)
