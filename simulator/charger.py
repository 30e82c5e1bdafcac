"""One connector of the charger: contactor, lock, meter, and the bay in front of it.

Whatever happens, the handler changes one thing and then calls ``settle``, the only
place where consequences are drawn, always in this order: must the contactor open,
what power flows, what does the meter say, what does the pilot say, when to look again.
That order is the order of the facts at the end of a charge: contactor, meter, plug
(device_under_test.md, section 1).

The contactor closes only on a command. It opens by itself on a fault that stops the
power, an emergency stop, a lost vehicle, a pilot error or a cut of the site's power.
Energy flows only in pilot C or D with the contactor closed and the site's power on.

A connector knows the site (power, red button, faults of the whole station), not the
bay link: its lines go to an ``Outbox``, which drops them while the link is down.
"""

from collections import deque
from collections.abc import Mapping
from typing import Final, Literal

from simulator.energy import Integral
from simulator.events import Trouble
from simulator.fault_codes import FAULT_CODES
from simulator.meter import Meter
from simulator.parking import Parking
from simulator.site import (
    ConnectorView,
    ImpossibleError,
    Outbox,
    Site,
    StationSettings,
)
from simulator.switchgear import Switch
from simulator.vehicle import ASKING, PILOT_ERRORS, Pilot
from wire.bay import METER_INTERVAL_MS
from wire.machine import earliest

#: From a command to the contactor's or the lock's feedback; the limit is 1 s.
SWITCH_MS: Final = 120
#: Commands that may be on their way at once; more make the oldest act early.
MAX_MOTIONS: Final = 32

Part = Literal["contactor", "lock"]


class Connector:
    """Connector ``number`` (1..32); every method takes time in order, never back."""

    def __init__(
        self, number: int, *, outbox: Outbox, site: Site, settings: StationSettings
    ) -> None:
        self.number = number
        self.deadline_ms: int | None = None
        self.integral = Integral(rate=settings.energy_rate)
        initial_wh = settings.register_wh(number)
        self.meter = Meter(self.integral, initial_wh=initial_wh)
        self.contactor = Switch()
        self.lock = Switch()
        self.parking = Parking(number)
        self.available = True
        self.faults: dict[str, None] = {}
        self.troubles: dict[str, Trouble] = {}
        self._out = outbox
        self._site = site
        self._max_power_w = settings.max_power_w
        self._period_ms = METER_INTERVAL_MS // settings.energy_rate
        #: A charge has begun since this vehicle was plugged in.
        self._began = False
        self._motions: deque[tuple[int, Part, bool]] = deque()
        self._awaited: tuple[int, Part] | None = None
        self._tick_ms: int | None = None
        self._obeyed = ""
        self._owes_meter = False
        self._said_pilot = Pilot.A
        self._said_bay = False

    # --- What can be seen -------------------------------------------------------

    @property
    def pilot(self) -> Pilot:
        forced = self.troubles.get("pilot")
        if forced is not None:
            return Pilot(forced.reason)
        return self.parking.pilot

    @property
    def sensed(self) -> bool:
        """What the parking bay's own sensor says."""
        return self.parking.parked and "sensor" not in self.troubles

    @property
    def codes(self) -> tuple[str, ...]:
        if not (self._site.faults or self.faults):
            return ()
        return tuple({**self._site.faults, **self.faults})

    def view(self, now_ms: int) -> ConnectorView:
        total_mj = self.integral.at_mj(now_ms)
        vehicle = self.parking.vehicle
        return ConnectorView(
            connector=self.number,
            pilot=self.pilot,
            contactor_closed=self.contactor.position,
            locked=self.lock.position,
            energy_wh=self.meter.true_wh(now_ms),
            shown_wh=self.meter.shown_wh(now_ms),
            power_w=self.integral.power_w,
            occupied=self.parking.parked,
            available=self.available,
            faults=self.codes,
            vehicle=vehicle.name if vehicle else "",
            charge_permille=vehicle.charge_permille(total_mj) if vehicle else 0,
        )

    def welcome(self, now_ms: int, *, bay_sensor: bool) -> Mapping[str, object]:
        """The state for a ``welcome`` line; from here on only changes are told."""
        pilot, shown_wh = self.pilot, self.meter.shown_wh(now_ms)
        self._said_pilot, self._said_bay = pilot, self.sensed
        self.meter.said = (shown_wh, self.integral.power_w)
        return {
            "connector": self.number,
            "pilot": pilot.value,
            "contactor_closed": self.contactor.position,
            "locked": self.lock.position,
            "energy_wh": shown_wh,
            "power_w": self.integral.power_w,
            "quality": self.meter.quality,
            "faults": list(self.codes),
            # Without a sensor the charger knows of a vehicle by its plug.
            "occupied": self.sensed if bay_sensor else pilot is not Pilot.A,
            "available": self.available,
        }

    # --- Faults, troubles, power ------------------------------------------------

    def refresh_parts(self, now_ms: int) -> None:
        """Let faults and troubles act on the parts; a freed contactor opens."""
        broken = {FAULT_CODES[code].breaks for code in self.codes}
        self.contactor.cannot_leave = "contactor_welded" in self.troubles
        self.contactor.cannot_reach = "contactor_dead" in self.troubles
        stuck = "lock_stuck" in self.troubles or "lock" in broken
        self.lock.cannot_leave = self.lock.cannot_reach = stuck
        self.meter.frozen = "meter_frozen" in self.troubles
        self.meter.suspect = "meter_suspect" in self.troubles
        self.meter.nan = "meter_nan" in self.troubles
        self.meter.silent = "meter_silent" in self.troubles
        # A meter that can be read again says at once what it had missed.
        self._owes_meter |= self.meter.broken and "meter" not in broken
        self.meter.broken = "meter" in broken
        self.meter.hold(now_ms)
        freed = not (self.contactor.cannot_leave or self.contactor.ordered)
        if freed and self.contactor.position:
            self._drive_contactor(now_ms, to=False, why="freed")

    def trouble(self, event: Trouble, now_ms: int) -> None:
        """A part misbehaves, or works again; a change of the meter shows at once."""
        _check_trouble(event)
        match event.part:
            case "meter_jump" | "meter_falls":
                sign = 1 if event.part == "meter_jump" else -1
                self.meter.shift(sign * event.amount if event.active else 0)
            case part if event.active:
                self.troubles[part] = event
            case part:
                self.troubles.pop(part, None)
        if event.part == "connection_timeout":
            waiting = event.active and self.pilot is Pilot.A
            due_ms = now_ms + event.amount * 1000
            self._awaited = (due_ms, "contactor") if waiting else None
        self.refresh_parts(now_ms)
        self._owes_meter |= event.part.startswith("meter_")

    def lose_power(self, now_ms: int, *, why: str) -> None:
        """The charger stops: commands on their way are gone, the contactor opens."""
        self._motions.clear()
        self._awaited = None
        self.parking.charger_gone()
        if self.contactor.position:
            self._drive_contactor(now_ms, to=False, why=why)

    # --- Commands ---------------------------------------------------------------

    def command(self, part: Part, now_ms: int, *, to: bool) -> None:
        """Take a ``contactor`` or ``lock`` command; it is always answered."""
        reason = self._refusal(part) if to else ""
        waits = self.troubles.get("connection_timeout")
        if reason == "no vehicle" and waits is not None:
            due_ms = now_ms + waits.amount * 1000
            self._awaited = self._awaited or (due_ms, part)
            self._feedback(part)
        elif reason:
            self._reject(part, reason)
            self._feedback(part)
        else:
            if len(self._motions) >= MAX_MOTIONS:
                self._run_motion(now_ms)
            self._motions.append((now_ms + SWITCH_MS, part, to))

    def _refusal(self, part: Part) -> str:
        """Why the charger will not close or lock; empty when it will."""
        if part == "lock":
            return "no vehicle" if self.pilot is Pilot.A else ""
        refuses = self.troubles.pop("refuses", None)
        if refuses is not None:
            return refuses.reason or "refused"
        if self.contactor.ordered:
            return ""
        if not (self.available or self._began):
            return "out of service"
        return self._hindrance().partition(":")[0]

    def _hindrance(self) -> str:
        """Why the contactor has to be open; empty when it may be closed."""
        if not self._site.powered:
            return "site power"
        if self._site.emergency_stop:
            return "emergency stop"
        for code in self.codes:
            if FAULT_CODES[code].stops_power:
                return f"faulted: {code}"
        pilot = self.pilot
        if pilot in PILOT_ERRORS:
            return f"faulted: pilot {pilot}"
        return "no vehicle" if pilot is Pilot.A else ""

    def _reject(self, command: Part, reason: str) -> None:
        fields = {"connector": self.number, "command": command, "reason": reason}
        self._out.line("rejected", fields)

    def _run_motion(self, now_ms: int) -> None:
        """The oldest command takes effect, unless something came between."""
        _, part, to = self._motions.popleft()
        hindrance = self._hindrance() if to and part == "contactor" else ""
        if hindrance:
            self._reject(part, hindrance.partition(":")[0])
            self._feedback(part)
        elif part == "contactor":
            self._drive_contactor(now_ms, to=to, why="command")
        else:
            self._drive_lock(to=to)

    def _drive_contactor(self, now_ms: int, *, to: bool, why: str) -> None:
        if self.contactor.drive(to=to):
            self._owes_meter |= not to
            self._began |= to
            fields = {
                "event": "contactor",
                "connector": self.number,
                "closed": to,
                "energy_wh": self.meter.true_wh(now_ms),
                "reason": why,
            }
            self._out.note("charger", fields)
        self._feedback("contactor")

    def _drive_lock(self, *, to: bool) -> None:
        if self.lock.drive(to=to):
            fields = {"event": "lock", "connector": self.number, "locked": to}
            self._out.note("charger", fields)
        self._feedback("lock")

    def _feedback(self, part: Part) -> None:
        if part == "contactor":
            fields = {"connector": self.number, "closed": self.contactor.position}
        else:
            fields = {"connector": self.number, "locked": self.lock.position}
        self._out.line(part, fields)

    # --- Consequences -----------------------------------------------------------

    def settle(self, now_ms: int) -> None:
        """Draw the consequences of what has just changed; see the module's text."""
        if self.parking.vehicle is None:
            self._began = False
        self._obey(now_ms)
        self._flow(now_ms)
        if self._owes_meter:
            self._say_meter(now_ms)
        self._say_pilot()
        self.deadline_ms = self._next_ms()

    def _obey(self, now_ms: int) -> None:
        """Open the contactor when it has to be; a welded one is asked once."""
        hindrance = self._hindrance()
        if hindrance == self._obeyed:
            return
        self._obeyed = hindrance
        if hindrance and self.contactor.position:
            self._drive_contactor(now_ms, to=False, why=hindrance)
            self._owes_meter = True

    def _flow(self, now_ms: int) -> None:
        before_w, power_w = self.integral.power_w, self._power_w()
        self.integral.set_power(power_w)
        if power_w and not before_w:
            self._tick_ms = now_ms + self._period_ms
        elif not power_w:
            self._tick_ms = None
            self._owes_meter |= before_w > 0

    def _power_w(self) -> int:
        vehicle = self.parking.vehicle
        flows = self.contactor.position and self._site.powered
        if not flows or vehicle is None or self.pilot not in ASKING:
            return 0
        wanted_w = vehicle.power_w(self.integral.total_mj)
        return min(wanted_w, self._max_power_w)

    def _say_meter(self, now_ms: int) -> None:
        self._owes_meter = False
        if self.meter.silent:
            return
        energy_wh, power_w = self.meter.said = self.meter.reading(now_ms)
        fields = {
            "connector": self.number,
            "energy_wh": energy_wh,
            "power_w": power_w,
            "quality": self.meter.quality,
        }
        self._out.line("meter", fields)

    def _say_pilot(self) -> None:
        pilot = self.pilot
        if pilot is not Pilot.A:
            self._awaited = None
        if pilot is not self._said_pilot:
            self._said_pilot = pilot
            fields = {"connector": self.number, "pilot": pilot.value}
            self._out.line("plug", fields)

    def say_bay(self) -> None:
        """Tell what the bay's sensor says, when that is news."""
        if self.sensed is not self._said_bay:
            self._said_bay = self.sensed
            fields = {"connector": self.number, "occupied": self.sensed}
            self._out.line("bay", fields)

    # --- Time -------------------------------------------------------------------

    def run_to(self, now_ms: int) -> None:
        """Do all that was due up to ``now_ms``, each at its own time."""
        while self.deadline_ms is not None and self.deadline_ms <= now_ms:
            self._step(self.deadline_ms)
        self.integral.advance(now_ms)

    def _step(self, now_ms: int) -> None:
        self.integral.advance(now_ms)
        while self._motions and self._motions[0][0] <= now_ms:
            self._run_motion(now_ms)
        self.parking.run(now_ms, total_mj=self.integral.total_mj)
        if self._awaited is not None and self._awaited[0] <= now_ms:
            self._time_out(self._awaited[1])
        if self._tick_ms is not None and self._tick_ms <= now_ms:
            self._tick_ms = now_ms + self._period_ms
            self._owes_meter |= self._has_news(now_ms)
        self.settle(now_ms)

    def _time_out(self, command: Part) -> None:
        self._awaited = None
        reason = self.troubles["connection_timeout"].reason
        self._reject(command, reason or "connection time-out")

    def _has_news(self, now_ms: int) -> bool:
        """A meter that moves is heard; one that cannot be trusted repeats itself."""
        unmoved = self.meter.frozen or self.meter.broken or self.meter.nan
        return unmoved or self.meter.reading(now_ms) != self.meter.said

    def _next_ms(self) -> int | None:
        return earliest(
            self.parking.wake_ms,
            self.parking.flap_ms,
            self._tick_ms,
            self._motions[0][0] if self._motions else None,
            self._awaited[0] if self._awaited else None,
            self._next_curve_ms(),
        )

    def _next_curve_ms(self) -> int | None:
        vehicle = self.parking.vehicle
        if vehicle is None or not self.integral.power_w:
            return None
        bound_mj = vehicle.changes_at_mj(self.integral.total_mj)
        return self.integral.reaches_at_ms(bound_mj)


def _check_trouble(event: Trouble) -> None:
    if event.amount < 0:
        raise ImpossibleError(f"amount: found {event.amount}, allowed 0 and up")
    if event.part == "pilot" and event.active and event.reason not in ("E", "F"):
        raise ImpossibleError(f"pilot: found {event.reason!r}, allowed 'E', 'F'")
