"""Whatever is done to a station, energy and money of its charger stay true."""

import json
from collections.abc import Mapping, Sequence

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from simulator.charger import SWITCH_MS
from simulator.events import (
    AvailabilityMoved,
    BayBytes,
    BayConnected,
    BayDisconnected,
    BayToController,
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
from simulator.fault_codes import FAULT_CODES
from simulator.site import Action, ImpossibleError
from simulator.station import Event, Station, StationSettings
from simulator.vehicle import VEHICLES

MAX_POWER_W = 11_000


NUMBERS = st.sampled_from([1, 2])
PARTS = st.sampled_from(
    [
        "contactor_welded",
        "contactor_dead",
        "lock_stuck",
        "meter_frozen",
        "meter_suspect",
        "meter_jump",
        "meter_falls",
        "meter_nan",
        "meter_silent",
        "refuses",
        "pilot",
        "sensor",
        "connection_timeout",
    ]
)


class StationMachine(RuleBasedStateMachine):
    """People, faults and a controller that says anything, in any order."""

    plugged: Bundle[int] = Bundle("plugged")

    def __init__(self) -> None:
        super().__init__()
        settings = StationSettings(
            connectors=2, max_power_w=MAX_POWER_W, bay_sensor=True
        )
        self.station = Station(settings)
        self.now_ms = 0
        #: When the controller last told each connector to close.
        self.commanded: dict[int, int] = {}
        self.happens_ms = 0
        self.closed = {1: False, 2: False}
        self.welded: set[int] = set()
        self.energy = {1: 0, 2: 0}
        self.linked = False
        self.silent: set[int] = set()

    # --- Driving it ---

    def do(self, event: Event) -> None:
        self.happens_ms = self.now_ms
        self.catch_up()
        try:
            actions = self.station.handle(event, self.now_ms)
        except ImpossibleError:
            actions = self.station.on_deadline(self.now_ms)
        self.take(actions)

    def catch_up(self) -> None:
        """Let happen what is due by now, as a kernel would before the next event."""
        due_ms = self.station.deadline_ms()
        if due_ms is not None and due_ms <= self.now_ms:
            self.take(self.station.on_deadline(self.now_ms))

    def say(self, **fields: object) -> None:
        self.do(BayBytes(data=json.dumps(fields).encode() + b"\n"))

    def take(self, actions: Sequence[Action]) -> None:
        """Follow contactors by the notes; after one opened: meter, then plug."""
        owing: set[object] = set()
        for action in actions:
            if isinstance(action, BayToController):
                assert self.linked, "a line without a link"
                line = json.loads(action.data)
                if line["type"] == "meter":
                    owing.discard(line["connector"])
                elif line["type"] == "plug":
                    assert line["connector"] not in owing - self.silent
            elif action.fields.get("event") == "contactor":
                self.follow(action.fields)
                if not action.fields["closed"]:
                    owing.add(action.fields["connector"])
        assert not self.linked or owing <= self.silent, "no meter after a contactor"

    def follow(self, fields: Mapping[str, object]) -> None:
        number, closed = int(str(fields["connector"])), bool(fields["closed"])
        assert self.closed[number] is not closed, "a note is a change"
        if closed:
            told_ms = self.commanded.get(number)
            assert told_ms is not None, "closed without a command"
            assert self.happens_ms - told_ms <= SWITCH_MS, "closed long after it"
        self.closed[number] = closed

    @initialize()
    def connect(self) -> None:
        self.linked = True
        self.do(BayConnected())

    # --- Rules ---

    @rule(ms=st.sampled_from([0, 1, 100, 200, 3_000, 10_000, 600_000, 7_200_000]))
    def time_passes(self, ms: int) -> None:
        until_ms = self.now_ms + ms
        while (due_ms := self.station.deadline_ms()) is not None and due_ms <= until_ms:
            self.happens_ms = due_ms
            self.take(self.station.on_deadline(due_ms))
            after_ms = self.station.deadline_ms()
            assert after_ms is None or after_ms > due_ms, "must move forward"
        self.now_ms = until_ms

    @rule(
        target=plugged,
        number=NUMBERS,
        vehicle=st.sampled_from(sorted(VEHICLES)),
        seated=st.sampled_from([True, True, False]),
    )
    def plug(self, number: int, vehicle: str, seated: bool) -> int:
        self.do(PlugInserted(connector=number, vehicle=vehicle, seated=seated))
        return number

    @rule(number=plugged, close=st.sampled_from([True, True, False]))
    def command(self, number: int, close: bool) -> None:
        if close and self.linked:
            self.commanded[number] = self.now_ms
        self.say(type="contactor", connector=number, close=close)

    @rule(number=NUMBERS, locked=st.booleans())
    def command_lock(self, number: int, locked: bool) -> None:
        self.say(type="lock", connector=number, locked=locked)

    @rule(number=plugged, power_w=st.none() | st.integers(0, 30_000))
    def want(self, number: int, power_w: int | None) -> None:
        self.do(EnergyWanted(connector=number, power_w=power_w))

    @rule(number=plugged)
    def pause(self, number: int) -> None:
        self.do(EnergyPaused(connector=number))

    @rule(number=NUMBERS)
    def unplug(self, number: int) -> None:
        self.do(PlugRemoved(connector=number))

    @rule(number=NUMBERS, comes=st.booleans())
    def drive(self, number: int, comes: bool) -> None:
        coming = VehicleParked(connector=number)
        self.do(coming if comes else VehicleLeft(connector=number))

    @rule(
        number=st.none() | NUMBERS,
        code=st.sampled_from(sorted(FAULT_CODES)),
        active=st.booleans(),
    )
    def fault(self, number: int | None, code: str, active: bool) -> None:
        self.do(ChargerFault(connector=number, code=code, active=active))

    @rule(
        number=NUMBERS,
        part=PARTS,
        active=st.booleans(),
        amount=st.sampled_from([0, 5, 40_000]),
        reason=st.sampled_from(["E", "F"]),
    )
    def trouble(
        self, number: int, part: str, active: bool, amount: int, reason: str
    ) -> None:
        if part == "contactor_welded":
            (self.welded.add if active else self.welded.discard)(number)
        if part == "meter_silent":
            (self.silent.add if active else self.silent.discard)(number)
        event = Trouble(
            connector=number,
            part=part,  # type: ignore[arg-type]  # drawn from the same words
            active=active,
            amount=amount,
            reason=reason,
        )
        self.do(event)

    @rule(active=st.booleans())
    def red_button(self, active: bool) -> None:
        self.do(EmergencyStopMoved(active=active))

    @rule(on=st.sampled_from([True, True, False]))
    def power(self, on: bool) -> None:
        self.catch_up()
        self.linked = False
        self.do(BayDisconnected())
        self.do(SitePower(on=on))

    @rule()
    def reboot(self) -> None:
        self.catch_up()
        self.linked = False
        self.do(StationRebooted())

    @rule(number=NUMBERS, available=st.booleans())
    def service(self, number: int, available: bool) -> None:
        self.do(AvailabilityMoved(connector=number, available=available))

    @precondition(lambda self: not self.linked)
    @rule()
    def connect_again(self) -> None:
        self.linked = self.station.site.powered
        self.do(BayConnected())

    # --- What must hold ---

    @invariant()
    def energy_flows_only_where_it_may(self) -> None:
        for view in self.station.connectors(now_ms=self.now_ms):
            if view.power_w:
                assert view.contactor_closed
                assert view.pilot in ("C", "D")
                assert self.station.site.powered
                assert view.power_w <= MAX_POWER_W

    @invariant()
    def a_contactor_is_closed_only_where_it_may_be(self) -> None:
        site = self.station.site
        for view in self.station.connectors():
            assert view.contactor_closed is self.closed[view.connector]
            if view.contactor_closed and view.connector not in self.welded:
                assert view.pilot in ("B", "C", "D")
                assert site.powered
                assert not site.emergency_stop
                assert not any(FAULT_CODES[code].stops_power for code in view.faults)

    @invariant()
    def registers_only_rise_and_are_the_integral(self) -> None:
        for view in self.station.connectors(now_ms=self.now_ms):
            number = view.connector
            delivered = self.station.energy_delivered_wh(number, now_ms=self.now_ms)
            initial = self.station.settings.register_wh(number)
            assert view.energy_wh == initial + delivered
            assert delivered >= self.energy[number]
            self.energy[number] = delivered


StationMachine.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
test_whatever_happens = StationMachine.TestCase
