"""The charging station: its connectors, and the examiner's end of the bay link.

A machine (``wire.machine``). People, faults and the bytes of the controller go in;
lines for the controller and notes of what really happened come out. What the lines are
is written in ``wire.bay`` and in device_under_test.md, section 1; what a connector does
is in ``simulator.charger``. Here is what belongs to the station as a whole: the link,
``welcome``, ``ping``, the red button, faults of the whole station, its power.

The link. ``welcome`` is the first line after every connect. Lines that are no JSON
object, or that do not fit their row, become findings and are otherwise ignored; unknown
types and fields are ignored silently. The station asks with one ``ping`` after the
first ``hello`` of a connection, to see that it is answered. A restart or a cut of the
site's power takes the link with it: the bench closes it and has it opened again.

Time must not run backwards. Work that was due is done first, each at its own time, so
the outcome does not depend on how often the station is called.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, assert_never

from simulator.charger import Connector, Part
from simulator.energy import whole_wh
from simulator.events import (
    AvailabilityMoved,
    BayBytes,
    BayConnected,
    BayDisconnected,
    ButtonPressed,
    ChargerFault,
    EmergencyStopMoved,
    EnergyPaused,
    EnergyWanted,
    PlugInserted,
    PlugRemoved,
    SitePower,
    StationRebooted,
    Trouble,
    VehicleLeft,
    VehicleParked,
)
from simulator.fault_codes import fault_code
from simulator.site import (
    Action,
    ConnectorView,
    ImpossibleError,
    Outbox,
    Site,
    StationSettings,
)
from wire.bay import (
    VERSION,
    BadLine,
    Direction,
    LineDecoder,
    check_line,
)

__all__ = ["ConnectorView", "Event", "ImpossibleError", "Station", "StationSettings"]

#: Requirement named in the findings of this module.
REQUIREMENT: Final = "bay-link"
#: Findings about lines of the controller; nobody reads more of them.
MAX_FINDINGS: Final = 200
#: Characters of what was seen that one of them shows.
MAX_SEEN: Final = 1_000

Person = (
    VehicleParked
    | VehicleLeft
    | PlugInserted
    | PlugRemoved
    | EnergyWanted
    | EnergyPaused
    | ButtonPressed
)
OnConnector = Person | AvailabilityMoved | Trouble
Whole = EmergencyStopMoved | SitePower | StationRebooted | ChargerFault
OfLink = BayConnected | BayDisconnected | BayBytes
Event = OnConnector | Whole | OfLink


class Station:
    """``handle`` raises ImpossibleError for what cannot happen now.

    Nothing has changed then, and a later event may be handled as if it had not come.
    """

    def __init__(self, settings: StationSettings) -> None:
        self.settings = settings
        self.site = Site()
        self.boot = settings.boot
        self._out = Outbox()
        self._now_ms = 0
        self._decoder = LineDecoder()
        self._greeted = False
        self._pings = 0
        self._findings = 0
        #: The ping that waits for its pong: (number, until when).
        self._asked: tuple[int, int] | None = None
        self._connectors = tuple(
            Connector(number, outbox=self._out, site=self.site, settings=self.settings)
            for number in range(1, self.settings.connectors + 1)
        )

    # --- What can be seen -------------------------------------------------------

    def connector(self, number: int, *, now_ms: int | None = None) -> ConnectorView:
        """Connector ``number`` as it is at ``now_ms`` (default: the last event)."""
        return self._at(number).view(self._now_ms if now_ms is None else now_ms)

    def connectors(self, *, now_ms: int | None = None) -> tuple[ConnectorView, ...]:
        numbers = range(1, self.settings.connectors + 1)
        return tuple(self.connector(number, now_ms=now_ms) for number in numbers)

    def energy_delivered_wh(self, connector: int, *, now_ms: int | None = None) -> int:
        """Whole Wh that flowed through a connector since the start of the run."""
        at_ms = self._now_ms if now_ms is None else now_ms
        return whole_wh(self._at(connector).integral.at_mj(at_ms))

    def power_w(self, connector: int) -> int:
        """What flows through a connector now, for those who ask at every event."""
        return self._at(connector).integral.power_w

    def is_closed(self, connector: int) -> bool:
        """Whether a connector's contactor is closed."""
        return self._at(connector).contactor.position

    def _at(self, number: int) -> Connector:
        if not 1 <= number <= len(self._connectors):
            allowed = f"1..{len(self._connectors)}"
            raise ImpossibleError(f"connector: found {number}, allowed {allowed}")
        return self._connectors[number - 1]

    # --- The machine ------------------------------------------------------------

    def handle(self, event: Event, now_ms: int) -> Sequence[Action]:
        self._run_to(now_ms)
        self._dispatch(event)
        return self._out.take()

    def deadline_ms(self) -> int | None:
        soonest = self._asked[1] if self._asked else None
        for connector in self._connectors:
            due_ms = connector.deadline_ms
            if due_ms is not None and (soonest is None or due_ms < soonest):
                soonest = due_ms
        return soonest

    def on_deadline(self, now_ms: int) -> Sequence[Action]:
        self._run_to(now_ms)
        return self._out.take()

    def _run_to(self, now_ms: int) -> None:
        """Do what was due, connector by connector, each thing at its own time."""
        for connector in self._connectors:
            connector.run_to(now_ms)
        if self._asked is not None and self._asked[1] <= now_ms:
            self._find(
                expected=f"pong {self._asked[0]} within {self.settings.pong_limit_ms} "
                "ms of the ping",
                seen="no answer",
            )
            self._asked = None
        self._now_ms = max(self._now_ms, now_ms)

    def _settle(self, connectors: Iterable[Connector]) -> None:
        for connector in connectors:
            connector.settle(self._now_ms)

    def _dispatch(self, event: Event) -> None:
        match event:
            case BayConnected() | BayDisconnected() | BayBytes():
                self._link(event)
            case EmergencyStopMoved() | SitePower() | StationRebooted():
                self._whole(event)
            case ChargerFault():
                self._fault(event)
            case _:
                self._on_connector(event)

    # --- One connector ----------------------------------------------------------

    def _on_connector(self, event: OnConnector) -> None:
        connector = self._at(event.connector)
        match event:
            case AvailabilityMoved():
                self._availability(connector, event)
            case Trouble():
                connector.trouble(event, self._now_ms)
            case _:
                self._person(connector, event)
        arrives = isinstance(event, VehicleParked | PlugInserted)
        tells = self.settings.bay_sensor
        if tells and arrives:
            connector.say_bay()
        connector.settle(self._now_ms)
        if tells:
            connector.say_bay()

    def _person(self, connector: Connector, event: Person) -> None:
        parking, total_mj = connector.parking, connector.integral.total_mj
        match event:
            case VehicleParked():
                parking.park()
            case VehicleLeft():
                parking.leave(total_mj)
            case PlugInserted(vehicle=vehicle, seated=seated):
                parking.plug(vehicle, self._now_ms, total_mj=total_mj, seated=seated)
            case PlugRemoved():
                parking.unplug(total_mj)
            case EnergyWanted(power_w=power_w, ventilation=ventilation):
                parking.want(total_mj, power_w=power_w, ventilation=ventilation)
            case EnergyPaused():
                parking.pause()
            case ButtonPressed(connector=number, button=button):
                self._out.line("press", {"connector": number, "button": button})
            case _:
                assert_never(event)

    def _availability(self, connector: Connector, event: AvailabilityMoved) -> None:
        if connector.available is event.available:
            return
        connector.available = event.available
        number, available = event.connector, event.available
        self._note("available", connector=number, active=available)
        self._out.line("available", {"connector": number, "available": available})

    # --- The whole station ------------------------------------------------------

    def _whole(self, event: EmergencyStopMoved | SitePower | StationRebooted) -> None:
        match event:
            case EmergencyStopMoved(active=active):
                self._emergency_stop(active=active)
            case SitePower(on=on):
                self._power(on=on)
            case StationRebooted():
                if self.site.powered:
                    self._go_dark("restart")
                    self._come_up()
            case _:
                assert_never(event)
        self._settle(self._connectors)

    def _emergency_stop(self, *, active: bool) -> None:
        if self.site.emergency_stop is active:
            return
        self.site.emergency_stop = active
        self._note("emergency_stop", active=active)
        self._out.line("emergency_stop", {"active": active})

    def _power(self, *, on: bool) -> None:
        if self.site.powered is on:
            return
        self.site.powered = on
        self._note("power", active=on)
        if on:
            self._come_up()
        else:
            self._go_dark("site power")

    def _go_dark(self, why: str) -> None:
        self._drop_link()
        for connector in self._connectors:
            connector.lose_power(self._now_ms, why=why)

    def _come_up(self) -> None:
        self.boot += 1
        for connector in self._connectors:
            connector.parking.charger_back(self._now_ms)

    def _fault(self, event: ChargerFault) -> None:
        """A fault begins or ends; told first, then what follows from it."""
        fault_code(event.code)
        number = event.connector
        one = None if number is None else self._at(number)
        faults = self.site.faults if one is None else one.faults
        if event.active is (event.code in faults):
            return
        where: Mapping[str, object] = {} if one is None else {"connector": number}
        self._note("fault", **where, code=event.code, active=event.active)
        told = {"connector": number, "code": event.code, "active": event.active}
        self._out.line("fault", told)
        if event.active:
            faults[event.code] = None
        else:
            del faults[event.code]
        for connector in self._connectors if one is None else (one,):
            connector.refresh_parts(self._now_ms)
            connector.settle(self._now_ms)

    # --- The bay link -----------------------------------------------------------

    def _link(self, event: OfLink) -> None:
        match event:
            case BayConnected():
                self._drop_link()
                if self.site.powered:
                    self._welcome()
            case BayDisconnected():
                self._drop_link()
            case BayBytes(data=data):
                if self._out.is_up:
                    self._receive(data)
            case _:
                assert_never(event)

    def _drop_link(self) -> None:
        self._out.is_up = False
        self._decoder = LineDecoder()
        self._greeted = False
        self._asked = None

    def _welcome(self) -> None:
        sensor = self.settings.bay_sensor
        self._out.is_up = True
        fields = {
            "version": VERSION,
            "boot": self.boot,
            "emergency_stop": self.site.emergency_stop,
            "connectors": [
                connector.welcome(self._now_ms, bay_sensor=sensor)
                for connector in self._connectors
            ],
        }
        self._out.line("welcome", fields)

    def _receive(self, data: bytes) -> None:
        for line in self._decoder.receive(data):
            if isinstance(line, BadLine):
                text = line.raw.decode("utf-8", "backslashreplace")
                seen = f"{line.reason}: {text}"
                self._find(expected="one JSON object a line", seen=seen)
            elif (wrong := check_line(line, Direction.TO_CHARGER)) is not None:
                self._find(expected="a line as in the bay link's table", seen=wrong)
            else:
                self._greet(str(line["type"]))
                self._obey(line)

    def _greet(self, kind: str) -> None:
        """The first line has to be ``hello``; it is answered with a ping."""
        if self._greeted:
            return
        self._greeted = True
        if kind != "hello":
            self._find(expected="hello first after a connect", seen=kind)
        self._pings += 1
        self._asked = (self._pings, self._now_ms + self.settings.pong_limit_ms)
        self._out.line("ping", {"n": self._pings})

    def _obey(self, line: Mapping[str, object]) -> None:
        """A line that fits its row; what the bench alone records is ignored here."""
        match line:
            case {"type": "contactor", "connector": int(number), "close": bool(to)}:
                self._command("contactor", number, to=to)
            case {"type": "lock", "connector": int(number), "locked": bool(to)}:
                self._command("lock", number, to=to)
            case {"type": "ping", "n": n}:
                self._out.line("pong", {"n": n})
            case {"type": "pong", "n": n}:
                if self._asked is not None and self._asked[0] == n:
                    self._asked = None
            case _:
                pass

    def _command(self, part: Part, number: int, *, to: bool) -> None:
        if number > len(self._connectors):
            reason = {"connector": number, "command": part, "reason": "not mapped"}
            self._out.line("rejected", reason)
            return
        connector = self._connectors[number - 1]
        connector.command(part, self._now_ms, to=to)
        connector.settle(self._now_ms)

    # --- Notes ------------------------------------------------------------------

    def _note(self, event: str, **fields: object) -> None:
        self._out.note("charger", {"event": event, **fields})

    def _find(self, *, expected: str, seen: str) -> None:
        self._findings += 1
        if self._findings > MAX_FINDINGS:
            return
        seen = seen[:MAX_SEEN]
        if self._findings == MAX_FINDINGS:
            seen += "; what else is found is not told any more"
        fields = {"requirement": REQUIREMENT, "expected": expected, "seen": seen}
        self._out.note("finding", fields)
