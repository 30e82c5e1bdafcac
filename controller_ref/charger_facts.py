"""What the charger says, and what it means for the session at that connector.

One method for each kind of line of the bay link. Plug and pilot outrank everything else
about the vehicle; the contactor's feedback outranks our own commands; and what arrives
for a connector without a session changes no session that has ended (R-FLT-05). After a
loss of the link ``welcome`` brings the whole state, and every live session is compared
with it: charging goes on, has ended meanwhile, or has to be stopped.
"""

from typing import Final

from controller_ref import metering
from controller_ref.bays import Connector
from controller_ref.charger_side import Line
from controller_ref.charging import Charging
from controller_ref.desk import Desk
from controller_ref.metering import Reading
from controller_ref.session import Session
from controller_ref.timers import For
from controller_ref.transitions import Event, State

#: A plug that is not seated yet comes and goes (S-B14).
_UNPLUG_GRACE_MS: Final = 4_000
_UNLOCK_PAUSE_MS: Final = 10_000
#: A charger that is there says so within this after a boot, with a newer register.
_WELCOME_MS: Final = 1_500
#: How old what is durable of a meter may become where nothing is owed for it. What a
#: death loses of a cumulative register the next reading brings back; but there may be
#: no next one, so a reading is written when the driver owes more for it. Time is not
#: cumulative: where it has a price, each reading is written.
_KEEP_READING_MS: Final = 60_000


class ChargerFacts:
    """Turns lines into steps of the sessions' lives."""

    def __init__(self, desk: Desk, life: Charging) -> None:
        self._desk = desk
        self._life = life

    # --- Lines ------------------------------------------------------------------

    def on_line(self, line: Line) -> None:
        """One line of the bay link; the presses are not for us."""
        match line["type"]:
            case "welcome":
                self._on_welcome(line)
            case "lost":
                self._on_lost()
            case "emergency_stop":
                self._life.bays.is_stopped = line["active"] is True
                self._review()
            case "fault":
                self._on_fault(line)
            case _ if (connector := self._connector(line)) is not None:
                self._on_connector_line(line, connector)
            case _:
                pass

    def _connector(self, line: Line) -> Connector | None:
        number = line.get("connector")
        return (
            self._life.bays.by_number.get(number) if isinstance(number, int) else None
        )

    def _on_connector_line(self, line: Line, connector: Connector) -> None:
        match line["type"]:
            case "plug":
                self._on_pilot(connector, str(line["pilot"]))
            case "meter":
                self._on_meter(connector, line)
            case "contactor":
                self._on_contactor(connector, is_closed=line["closed"] is True)
            case "lock":
                self._on_lock(connector, is_locked=line["locked"] is True)
            case "bay":
                self._on_bay(connector, is_occupied=line["occupied"] is True)
            case "rejected":
                self._on_rejected(connector, line)
            case "available":
                connector.is_available = line["available"] is True
                self._review()

    def _on_pilot(self, connector: Connector, pilot: str) -> None:
        was_plugged, connector.pilot = connector.is_plugged, pilot
        if pilot == "A":
            connector.is_served = False
        elif not was_plugged:
            connector.plugged_ms = self._desk.now_ms
        session = self._life.session_at(connector)
        if session is not None:
            self._pilot_moved(session, connector)
        elif not was_plugged and self._life.bays.can_begin(connector):
            self._serve_waiting(connector)
        self._review()

    def _serve_waiting(self, connector: Connector) -> None:
        """The first plug after an approval is its driver's (R-MUL-04)."""
        unbound = self._life.unbound()
        if unbound and connector.is_plugged:
            self._life.bind(unbound[0], connector)

    def _pilot_moved(self, session: Session, connector: Connector) -> None:
        desk, key = self._desk, session.key
        grace = (For.UNPLUG_GRACE, key)
        if obstacle := self._life.bays.obstacle(connector):
            self._life.stop(session, obstacle)
        elif not connector.is_plugged:
            if session.state is State.STARTING and key not in self._life.commanded:
                desk.timers.set(grace, desk.now_ms + _UNPLUG_GRACE_MS)
            elif session.state is not State.RESERVED:
                self._life.stop(session, "Unplugged")
        elif session.state is State.RESERVED:
            self._life.begin(session, connector)
        elif session.state is State.STARTING and desk.timers.is_set(grace):
            desk.timers.cancel(grace)
            self._life.lock_cable(session, connector)
        elif session.state is State.STARTING:
            self._life.close_contactor(session, connector)
        elif session.state is State.CHARGING:
            if connector.pilot != "B":
                self._life.watch.asked_again(session)
            self._life.watch.look(session, connector)

    def _on_meter(self, connector: Connector, line: Line) -> None:
        session, register = self._life.session_at(connector), line.get("energy_wh")
        is_number = type(register) is int and register >= 0
        is_good = line.get("quality") == "good" and is_number
        if is_good:
            connector.register_wh = int(str(register))
            power = line.get("power_w")
            connector.power_w = power if type(power) is int else 0
            self._count(session, connector)
        elif session is not None and session.state is not State.RESERVED:
            self._life.watch.doubt(
                session, f"The meter cannot be trusted: {register!r}"
            )
        if session is not None:
            # One that is no good is not the last: for another is waited as for any.
            if is_good and self._desk.timers.is_set((For.FINAL_METER, session.key)):
                self._life.end(session)
            elif session.state is State.CHARGING:
                self._life.watch.look(session, connector)

    def _count(self, session: Session | None, connector: Connector) -> None:
        """A good reading: energy for a running charge, the baseline for a new one."""
        desk, wall_ms = self._desk, self._desk.wall_ms
        if session is None:
            # Nobody is charged for what arrives after the close (R-FLT-05).
            text = f"connector {connector.number} at {connector.register_wh} Wh"
            desk.note(None, f"no session; {text}")
        elif session.state is State.STARTING:
            metering.begin(session, connector.register_wh, wall_ms=wall_ms)
        elif not session.plugged_wall_ms:
            pass  # it ends without ever having had a vehicle: nothing to count from
        elif session.state in (State.CHARGING, State.STOPPING):
            before_wh = session.energy_wh
            reading = Reading(
                register_wh=connector.register_wh,
                power_w=connector.power_w,
                wall_ms=wall_ms,
            )
            max_power_w = desk.settings.max_power_w
            is_believed = metering.take(session, reading, max_power_w=max_power_w)
            if not is_believed:
                self._life.watch.doubt(session, "The meter has jumped")
            self._life.watch.read(session)
            if session.energy_wh > before_wh:
                self._life.watch.counted(session)
            if session.energised_wall_ms:
                # Before it is written: time since the last reading is lost otherwise.
                metering.accrue(session, wall_ms=wall_ms, is_closed=True)
            is_first = before_wh == 0 and session.energy_wh > 0
            is_old = desk.now_ms - connector.kept_ms >= _KEEP_READING_MS
            is_timed = desk.settings.tariff.per_minute > 0
            owed = self._life.watch.owed(session)
            is_more = owed != connector.kept_owed
            if is_first or is_old or is_more or is_timed or not is_believed:
                connector.kept_ms, connector.kept_owed = desk.now_ms, owed
                desk.put(session)

    def _on_contactor(self, connector: Connector, *, is_closed: bool) -> None:
        was_closed, connector.is_closed = connector.is_closed, is_closed
        session = self._life.session_at(connector)
        if session is None:
            if is_closed and not was_closed:
                self._open_unpaid(connector)
            return
        match session.state:
            case State.STARTING if is_closed:
                self._life.energised(session, connector)
            case State.STARTING if session.key in self._life.commanded:
                text = "The contactor did not close"
                self._desk.alarm("contactor", text, session=session)
                self._life.stop(session, text)
            case State.CHARGING if not is_closed:
                self._life.stop(session, "The charger ended the charge")
            case State.STOPPING if not is_closed:
                metering.accrue(session, wall_ms=self._desk.wall_ms, is_closed=False)
                self._life.await_last_reading(session)
            case _:
                pass

    def _open_unpaid(self, connector: Connector) -> None:
        number = connector.number
        text = "The contactor is closed without a session"
        self._desk.alarm("contactor", text, connector=number)
        self._desk.charger.contactor(number, close=False)

    def _on_lock(self, connector: Connector, *, is_locked: bool) -> None:
        connector.is_locked = is_locked
        number = connector.number
        # Answers come in the order of their commands: this one may be to an unlock
        # that a lock command has followed since.
        is_old = self._life.unanswered.get(number, 0) > 0
        if is_old:
            self._life.unanswered[number] -= 1
        session = self._life.session_at(connector)
        if number in self._life.unlocks:
            # The answer to an unlock, or of a lock command that it has overtaken.
            if is_locked:
                due_ms = self._desk.now_ms + _UNLOCK_PAUSE_MS
                self._desk.timers.set((For.UNLOCK, number), due_ms)
            else:
                del self._life.unlocks[number]
        elif session is not None and session.state is State.STARTING:
            if is_locked:
                self._desk.timers.cancel((For.START_FEEDBACK, session.key))
                self._life.close_contactor(session, connector)
            elif session.key not in self._life.commanded and not is_old:
                self._life.stop(session, "The cable could not be locked")

    def _on_bay(self, connector: Connector, *, is_occupied: bool) -> None:
        """An empty bay ends what waits for its vehicle; a plug outranks the sensor."""
        connector.is_occupied = is_occupied
        if not self._desk.settings.has_bay_sensor or is_occupied:
            return
        session = self._life.session_at(connector)
        if session is not None:
            if session.state is State.RESERVED and not connector.is_plugged:
                self._life.stop(session, "The vehicle has left the bay")
        elif not any(each.is_occupied for each in self._life.free()):
            for waiting in self._life.unbound():
                self._life.stop(waiting, "The vehicle has left the bay")

    def _on_rejected(self, connector: Connector, line: Line) -> None:
        session = self._life.session_at(connector)
        if session is None or session.state not in (State.RESERVED, State.STARTING):
            return
        # Nothing was switched on: a refused command needs no feedback.
        if line["command"] == "contactor":
            self._life.commanded.pop(session.key, None)
        self._life.stop(session, f"The charger refuses: {line['reason']}")

    def _on_fault(self, line: Line) -> None:
        number, code = line["connector"], str(line["code"])
        where = number if isinstance(number, int) else None
        self._life.bays.fault(where, code, is_active=line["active"] is True)
        self._review()

    def _review(self) -> None:
        """End what an obstacle has made impossible, and what has no place any more."""
        for session in self._desk.ledger.live():
            connector = self._life.connector_of(session)
            if connector is None or not self._life.is_online:
                continue
            if obstacle := self._life.bays.obstacle(connector):
                self._life.stop(session, obstacle)
            elif not connector.is_available and session.state in (
                State.RESERVED,
                State.STARTING,
            ):
                self._life.stop(session, "The connector is out of service")
        if self._life.is_online:
            for surplus in self._life.unbound()[len(self._life.free()) :]:
                self._life.stop(surplus, "No connector can deliver")

    # --- The link ---------------------------------------------------------------

    def resume(self) -> None:
        """After a boot: the windows go on; the charger is not there yet."""
        settings = self._desk.settings
        for session in self._desk.ledger.live():
            key, since_ms = session.key, session.opened_wall_ms
            metering.skip(session, wall_ms=self._desk.wall_ms)
            if session.state is State.RESERVED:
                self._rearm((For.PLUG_IN, key), since_ms, settings.plug_in_window_ms)
            elif session.plugged_wall_ms and not session.energy_wh:
                since_ms = session.plugged_wall_ms
                window_ms = settings.no_energy_window_ms
                self._rearm((For.NO_ENERGY, key), since_ms, window_ms)
            elif session.state is State.STOPPING and not session.connector:
                # No charger will say anything that could end it.
                desk = self._desk
                desk.timers.set((For.FINAL_METER, key), desk.now_ms)
        self._on_lost(at_least_ms=_WELCOME_MS)

    def _rearm(self, name: tuple[For, int], since_wall_ms: int, window_ms: int) -> None:
        """A window that began before we died; no calendar can stretch it."""
        desk = self._desk
        passed_ms = desk.wall_ms - since_wall_ms
        left_ms = min(max(window_ms - passed_ms, 0), window_ms)
        if name[0] is For.NO_ENERGY:
            # Energy may have flowed meanwhile; the charger is about to say so.
            left_ms = max(left_ms, _WELCOME_MS)
        desk.timers.set(name, desk.now_ms + left_ms)

    def _on_lost(self, *, at_least_ms: int = 0) -> None:
        """The window runs from the loss, also when we have died since."""
        desk, window_ms = self._desk, self._desk.settings.charger_loss_window_ms
        self._life.is_online = False
        self._life.unanswered.clear()
        left_ms = window_ms
        for session in desk.ledger.live():
            if not session.lost_wall_ms:
                session.lost_wall_ms = desk.wall_ms
                desk.put(session)
            passed_ms = max(desk.wall_ms - session.lost_wall_ms, 0)
            left_ms = min(left_ms, max(window_ms - passed_ms, 0))
            for what in (For.START_FEEDBACK, For.STOP_FEEDBACK, For.UNPLUG_GRACE):
                desk.timers.cancel((what, session.key))
            self._life.watch.counted(session)
        due_ms = desk.now_ms + max(left_ms, at_least_ms)
        desk.timers.set((For.CHARGER_LOSS, 0), due_ms)

    def charger_is_gone(self) -> None:
        """It could not be reached for too long: the last known totals count."""
        for session in self._desk.ledger.live():
            reason = "The charger cannot be reached"
            self._desk.alarm("other", reason, session=session)
            metering.accrue(session, wall_ms=session.lost_wall_ms, is_closed=False)
            if session.state is not State.STOPPING:
                session.apply(Event.STOP)
                session.reason = reason
            self._life.end(session)

    def _on_welcome(self, line: Line) -> None:
        desk = self._desk
        self._life.bays.welcome(line, desk.now_ms)
        self._life.is_online = True
        desk.timers.cancel((For.CHARGER_LOSS, 0))
        desk.show_price()
        for session in desk.ledger.live():
            lost_wall_ms, session.lost_wall_ms = session.lost_wall_ms, 0
            connector = self._life.connector_of(session)
            if connector is not None:
                self._reattach(session, connector, lost_wall_ms)
        for connector in self._life.bays.by_number.values():
            if self._life.session_at(connector) is None:
                if connector.is_closed:
                    self._open_unpaid(connector)
                self._serve_waiting(connector)
        self._review()

    def _reattach(
        self, session: Session, connector: Connector, lost_wall_ms: int
    ) -> None:
        """Compare a session with what the charger says about its connector."""
        if session.state in (State.RESERVED, State.STARTING):
            # A charge can have begun, and even ended, without our hearing of it.
            has_moved = connector.register_wh > session.register_wh
            has_flowed = session.is_commanded and has_moved
            is_on = connector.is_closed or has_flowed
            if is_on and session.state is State.STARTING:
                self._life.energised(session, connector)
            elif connector.is_plugged and not self._life.bays.obstacle(connector):
                self._start_over(session, connector)
            elif session.state is State.STARTING:
                self._life.commanded.pop(session.key, None)
                self._life.stop(session, "Unplugged")
        if not connector.is_closed and session.energised_wall_ms:
            # It opened while nobody listened; when exactly, nobody knows.
            metering.accrue(session, wall_ms=lost_wall_ms, is_closed=False)
        if connector.is_read:
            self._count(session, connector)
        if session.state is State.CHARGING:
            if connector.is_closed:
                self._life.watch.begin(session, connector)
            else:
                self._life.stop(session, "The charge ended while the charger was away")
        elif session.state is State.STOPPING:
            if connector.is_closed:
                self._life.open_contactor(session, connector)
            else:
                self._life.end(session)

    def _start_over(self, session: Session, connector: Connector) -> None:
        self._life.commanded.pop(session.key, None)
        session.is_commanded = False
        if session.state is State.RESERVED:
            self._life.begin(session, connector)
        else:
            self._life.lock_cable(session, connector)
