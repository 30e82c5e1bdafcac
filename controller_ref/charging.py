"""What happens at the charger, from an approved session to one that can be closed.

A session is bound to a connector before anything is switched on (R-NOS-06). With a
vehicle there the cable is locked; when the vehicle asks for energy the contactor is
closed; and the session and its connector are on disk before either. Every reason to end
goes through ``stop``: the contactor is opened, its feedback awaited, then the last
meter reading, and only then is the session handed to ``closing`` (R-SES-13). A charger
that contradicts its command, or cannot be reached, delays this by a bounded time only
(R-FLT-06); then the last total that was received counts.
"""

from typing import Final

from controller_ref import metering
from controller_ref.bays import Bays, Connector
from controller_ref.closing import Closing
from controller_ref.desk import Desk
from controller_ref.session import Session
from controller_ref.timers import For
from controller_ref.transitions import Event, State
from controller_ref.watch import Watch

#: A command's feedback is due within 1 s; this is where patience ends.
_FEEDBACK_MS: Final = 10_000
#: The last reading comes within 1 s of the contactor's opening.
_FINAL_METER_MS: Final = 2_000
_MAX_UNLOCKS: Final = 6


class Charging:
    """The live sessions and the connectors they are bound to."""

    def __init__(self, desk: Desk, closing: Closing) -> None:
        self._desk = desk
        self._closing = closing
        self.bays = Bays(desk.settings)
        self.watch = Watch(desk, self.stop)
        #: ``welcome`` has come and the link has not gone.
        self.is_online = False
        #: Keys of sessions for which the contactor was told to close.
        self.commanded: dict[int, None] = {}
        #: Connectors told to unlock, and how often.
        self.unlocks: dict[int, int] = {}
        #: Connectors, and how many unlock commands have not been answered there.
        self.unanswered: dict[int, int] = {}

    # --- Who is where -----------------------------------------------------------

    def session_at(self, connector: Connector) -> Session | None:
        """The live session of a connector."""
        for session in self._desk.ledger.current():
            if session.is_live and session.connector == connector.number:
                return session
        return None

    def connector_of(self, session: Session) -> Connector | None:
        return self.bays.by_number.get(session.connector)

    def is_in_service(self) -> bool:
        """Whether the operator offers any connector at all."""
        return any(each.is_available for each in self.bays.by_number.values())

    def free(self) -> list[Connector]:
        """Connectors on which a charge could begin now."""
        if not self.is_online:
            return []
        return [
            connector
            for connector in self.bays.by_number.values()
            if self.bays.can_begin(connector) and self.session_at(connector) is None
        ]

    def unbound(self) -> list[Session]:
        """Paid for, and not yet at a connector; oldest first."""
        reserved = self._desk.ledger.within(State.RESERVED)
        return [session for session in reserved if not session.connector]

    # --- Beginning --------------------------------------------------------------

    def place(self, session: Session, *, selected: int) -> None:
        """A session has been approved: find its connector, or release it."""
        desk, free = self._desk, self.free()
        window_ms = desk.settings.plug_in_window_ms
        desk.timers.set((For.PLUG_IN, session.key), desk.now_ms + window_ms)
        card_id = session.card_id
        connector = self.bays.choose(free, selected=selected, card_id=card_id)
        if len(free) < len(self.unbound()) + bool(session.connector):
            self.stop(session, "No connector can deliver")
        elif connector is not None:
            self.bind(session, connector)
        else:
            desk.show("Approved. Plug in now", code="plug_in", session=session)

    def bind(self, session: Session, connector: Connector) -> None:
        session.connector = connector.number
        self._desk.note(session, f"bound to connector {connector.number}")
        self._desk.put(session)
        if connector.is_plugged:
            self.begin(session, connector)
            return
        # Frees the socket for the plug, and lets a charger start its own time-out.
        self.unlock(connector)
        number = connector.number
        text = "Approved. Plug in now"
        self._desk.show(text, code="plug_in", connector=number, session=session)

    def choose_for_unbound(self, number: int) -> bool:
        """The driver of an unbound session names a connector; False when none."""
        free = {connector.number: connector for connector in self.free()}
        unbound = self.unbound()
        if not unbound or number not in free:
            return False
        self.bind(unbound[0], free[number])
        return True

    def begin(self, session: Session, connector: Connector) -> None:
        """A vehicle is there: lock the cable, once this is on disk."""
        desk, key = self._desk, session.key
        session.apply(Event.VEHICLE_READY)
        session.plugged_wall_ms = desk.wall_ms
        metering.begin(session, connector.register_wh, wall_ms=desk.wall_ms)
        desk.note(session, "vehicle connected")
        desk.timers.cancel((For.PLUG_IN, key))
        window_ms = desk.settings.no_energy_window_ms
        desk.timers.set((For.NO_ENERGY, key), desk.now_ms + window_ms)
        if not desk.put(session):
            self.stop(session, "The charge cannot be recorded")
            return
        self.lock_cable(session, connector)

    def lock_cable(self, session: Session, connector: Connector) -> None:
        desk = self._desk
        self.unlocks.pop(connector.number, None)
        desk.timers.set((For.START_FEEDBACK, session.key), desk.now_ms + _FEEDBACK_MS)
        desk.charger.lock(connector.number, locked=True)

    def close_contactor(self, session: Session, connector: Connector) -> None:
        """Once the cable is locked and the vehicle asks for energy."""
        desk, key = self._desk, session.key
        is_asking = connector.pilot in ("C", "D")
        if not connector.is_locked or not is_asking or key in self.commanded:
            return
        session.is_commanded = True
        if not desk.put(session):
            self.stop(session, "The charge cannot be recorded")
            return
        self.commanded[key] = None
        number = connector.number
        desk.show("Charging", code="charging", connector=number, session=session)
        desk.timers.set((For.START_FEEDBACK, key), desk.now_ms + _FEEDBACK_MS)
        desk.charger.contactor(number, close=True)

    def energised(self, session: Session, connector: Connector) -> None:
        desk = self._desk
        session.apply(Event.ENERGISED)
        session.energised_wall_ms = desk.wall_ms
        desk.timers.cancel((For.START_FEEDBACK, session.key))
        desk.note(session, f"energised at register {session.register_wh}")
        desk.put(session)
        self.watch.begin(session, connector)

    # --- Ending -----------------------------------------------------------------

    def stop(self, session: Session, reason: str) -> None:
        """Any reason to end a session; harmless when it is ending already."""
        desk, before = self._desk, session.state
        if before not in (State.RESERVED, State.STARTING, State.CHARGING):
            return
        session.apply(Event.STOP)
        session.reason = reason
        desk.note(session, f"stop: {reason}")
        self._cancel_timers(session)
        desk.put(session)
        connector = self.connector_of(session)
        was_switched = before is State.CHARGING or session.key in self.commanded
        if connector is None or not was_switched:
            self.end(session)
        elif self.is_online and (connector.is_closed or before is State.STARTING):
            self.open_contactor(session, connector)
        elif self.is_online:
            self.await_last_reading(session)

    def open_contactor(self, session: Session, connector: Connector) -> None:
        desk = self._desk
        desk.timers.set((For.STOP_FEEDBACK, session.key), desk.now_ms + _FEEDBACK_MS)
        desk.charger.contactor(connector.number, close=False)

    def await_last_reading(self, session: Session) -> None:
        desk = self._desk
        desk.timers.cancel((For.STOP_FEEDBACK, session.key))
        desk.timers.set((For.FINAL_METER, session.key), desk.now_ms + _FINAL_METER_MS)

    def end(self, session: Session) -> None:
        """The charge is over, or nobody can tell: hand the session to the closing."""
        self._cancel_timers(session)
        self.commanded.pop(session.key, None)
        metering.accrue(session, wall_ms=self._desk.wall_ms, is_closed=False)
        self._closing.finish(session)
        connector = self.connector_of(session)
        if connector is not None:
            connector.is_served = connector.is_plugged and session.energy_wh > 0
            connector.served_card = session.card_id
            self.unlock(connector)

    def _cancel_timers(self, session: Session) -> None:
        self.watch.end(session)
        names = (For.PLUG_IN, For.UNPLUG_GRACE, For.START_FEEDBACK)
        for what in (*names, For.STOP_FEEDBACK, For.FINAL_METER):
            self._desk.timers.cancel((what, session.key))

    def unlock(self, connector: Connector) -> None:
        """Free the cable; tried again for a while, and nothing waits for it (S-D08)."""
        number = connector.number
        self.unlocks.setdefault(number, 0)
        self.unanswered[number] = self.unanswered.get(number, 0) + 1
        self._desk.charger.lock(number, locked=False)

    def on_limit(self, session_id: str, limit_minor: int) -> None:
        """The issuer's answer to a request for more."""
        session = self._desk.ledger.by_session_id(session_id)
        connector = self.connector_of(session) if session is not None else None
        if session is not None and connector is not None:
            self.watch.on_limit(session, connector, limit_minor)

    # --- Time -------------------------------------------------------------------

    def on_timer(self, what: For, key: int) -> None:
        match what:
            case For.UNLOCK:
                self._unlock_again(key)
            case _ if (session := self._desk.ledger.sessions.get(key)) is not None:
                self._session_timer(what, session)
            case _:
                pass

    def _session_timer(self, what: For, session: Session) -> None:
        match what:
            case For.PLUG_IN:
                self.stop(session, "No vehicle was plugged in")
            case For.NO_ENERGY:
                self.stop(session, "The vehicle took no energy")
            case For.UNPLUG_GRACE:
                self.stop(session, "Unplugged")
            case For.PARKED_FULL:
                self.stop(session, "The vehicle has stopped charging")
            case For.METER_LOST:
                self.stop(session, "The meter counts nothing")
            case For.CAP:
                self.watch.limit_reached(session)
            case For.METER_SILENT:
                self.watch.meter_is_silent(session)
            case For.START_FEEDBACK:
                self._not_started(session)
            case For.STOP_FEEDBACK:
                self._not_stopped(session)
            case _:
                assert what is For.FINAL_METER, what
                self.end(session)

    def _not_started(self, session: Session) -> None:
        text = "The charger does not start"
        self._desk.alarm("contactor", text, session=session)
        self.stop(session, text)

    def _not_stopped(self, session: Session) -> None:
        """A welded contactor, perhaps: nothing proves that it has opened (S-D05)."""
        text = "The contactor does not open"
        self._desk.alarm("contactor", text, session=session)
        self.end(session)

    def _unlock_again(self, number: int) -> None:
        if number not in self.unlocks:
            return
        self.unlocks[number] += 1
        if self.unlocks[number] >= _MAX_UNLOCKS:
            del self.unlocks[number]
            text = "The cable cannot be unlocked"
            self._desk.alarm("other", text, connector=number)
        else:
            self.unlock(self.bays[number])
