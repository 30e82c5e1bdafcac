"""What is watched while energy flows: the money, the meter, and whether it flows.

- The cost must never exceed what is held (R-AMT-02). Between two meter readings the
  worst that can happen is full power, so the contactor is opened when full power from
  the last reading on, and the time it takes to open, would reach the limit.
- With the strategy ``increment`` more is asked for in good time; a refusal, or no
  answer, means that the charge ends at the old limit (R-AMT-06, R-AMT-07).
- A vehicle that has stopped drawing does not keep a session open (R-STP-10).
- A meter that says nothing, or nothing new, while power flows is an alarm, and after a
  while the end: nobody can be charged for what nobody counts (R-FLT-04).
"""

from collections.abc import Callable
from typing import Final

from controller_ref import metering
from controller_ref.bays import Connector
from controller_ref.desk import Desk
from controller_ref.session import Session
from controller_ref.settings import MAX_AMOUNT_MINOR
from controller_ref.tariff import PARTS, running_cost, time_to_cost_ms
from controller_ref.timers import For
from controller_ref.transitions import State

#: From the decision to stop until the contactor is open, at worst.
_REACTION_MS: Final = 2_000
#: A vehicle that asks for energy may take this long to draw some.
_RAMP_MS: Final = 5_000
#: More is asked for this long before the limit could be reached, or at 4/5 of it.
_RAISE_AHEAD_MS: Final = 60_000
_METER_SILENT_MS: Final = 30_000
#: Below this power a register of whole Wh may stand still for as long as that.
_COUNTED_POWER_W: Final = 500
_MS_W_PER_WH: Final = 3_600_000

Stop = Callable[[Session, str], None]


class Watch:
    def __init__(self, desk: Desk, stop: Stop) -> None:
        self._desk = desk
        self._stop = stop
        #: Sessions with an unanswered request for more.
        self._raising: dict[int, int] = {}
        #: Up to when it is known what a running charge has taken.
        self._known_ms: dict[int, int] = {}

    def begin(self, session: Session, connector: Connector) -> None:
        """The contactor has closed, or was found closed."""
        key, now_ms = session.key, self._desk.now_ms
        self._known_ms.setdefault(key, now_ms)
        if not session.energy_wh:
            window_ms = self._desk.settings.no_energy_window_ms
            if not self._desk.timers.is_set((For.NO_ENERGY, key)):
                self._desk.timers.set((For.NO_ENERGY, key), now_ms + window_ms)
        self.look(session, connector)

    def look(self, session: Session, connector: Connector) -> None:
        """Something about a running charge is new."""
        metering.accrue(session, wall_ms=self._desk.wall_ms, is_closed=True)
        if session.energy_wh:
            self._desk.timers.cancel((For.NO_ENERGY, session.key))
        self._watch_vehicle(session, connector)
        self._watch_meter(session, connector)
        if self._desk.settings.strategy != "over_capture":
            self._watch_money(session, connector)

    def asked_again(self, session: Session) -> None:
        """The vehicle wants energy again."""
        self._desk.timers.cancel((For.PARKED_FULL, session.key))

    def read(self, session: Session) -> None:
        """A reading that counts: what has flowed up to now is known."""
        if session.key in self._known_ms:
            self._known_ms[session.key] = self._desk.now_ms

    def counted(self, session: Session) -> None:
        """The register has moved."""
        key = session.key
        self._desk.timers.cancel((For.METER_SILENT, key), (For.METER_LOST, key))

    def end(self, session: Session) -> None:
        names = (For.NO_ENERGY, For.CAP, For.PARKED_FULL, For.METER_SILENT)
        for what in (*names, For.METER_LOST):
            self._desk.timers.cancel((what, session.key))
        self._raising.pop(session.key, None)
        self._known_ms.pop(session.key, None)

    # --- Vehicle and meter --------------------------------------------------------

    def _watch_vehicle(self, session: Session, connector: Connector) -> None:
        timers, name = self._desk.timers, (For.PARKED_FULL, session.key)
        is_asking = connector.pilot in ("C", "D")
        if not session.energy_wh or (is_asking and connector.power_w):
            timers.cancel(name)
            return
        window_ms = self._desk.settings.parked_full_window_ms
        patience_ms = max(window_ms, _RAMP_MS) if is_asking else window_ms
        if not timers.is_set(name) or (not is_asking and window_ms < _RAMP_MS):
            timers.set(name, self._desk.now_ms + patience_ms)

    def _watch_meter(self, session: Session, connector: Connector) -> None:
        timers, key = self._desk.timers, session.key
        is_asking = connector.pilot in ("C", "D")
        if not is_asking or connector.power_w < _COUNTED_POWER_W:
            timers.cancel((For.METER_SILENT, key), (For.METER_LOST, key))
        elif not timers.is_set((For.METER_LOST, key)):
            name = (For.METER_SILENT, key)
            if not timers.is_set(name):
                timers.set(name, self._desk.now_ms + _METER_SILENT_MS)

    def meter_is_silent(self, session: Session) -> None:
        desk = self._desk
        self.doubt(session, "The meter counts nothing although power flows")
        bound_ms = desk.settings.charger_loss_window_ms
        desk.timers.set((For.METER_LOST, session.key), desk.now_ms + bound_ms)

    def doubt(self, session: Session, text: str) -> None:
        """Tell the operator once per session that its meter cannot be trusted."""
        if not session.is_meter_doubted:
            session.is_meter_doubted = True
            self._desk.alarm("meter", text, session=session)

    # --- Money --------------------------------------------------------------------

    def _watch_money(self, session: Session, connector: Connector) -> None:
        desk, settings = self._desk, self._desk.settings
        flows = connector.pilot in ("C", "D") and (
            connector.power_w or not session.energy_wh
        )
        power_w = settings.max_power_w if flows else 0
        # What is heard in between, a reading that nobody can trust for one, is no news
        # of the register: it must not wind up the clock again.
        unread_ms = desk.now_ms - self._known_ms.get(session.key, desk.now_ms)
        unread_wh = power_w * (unread_ms + _REACTION_MS) // _MS_W_PER_WH
        spent = running_cost(
            settings.tariff,
            # Rounded up, and one more for what the meter has not shown yet.
            energy_wh=session.energy_wh + 1 + unread_wh,
            energised_ms=session.energised_ms + _REACTION_MS,
        )
        left_ms = time_to_cost_ms(
            settings.tariff,
            spent=spent,
            limit_minor=session.limit_minor,
            power_w=power_w,
        )
        name = (For.CAP, session.key)
        if left_ms is None or not session.is_paid:
            desk.timers.cancel(name)
            return
        desk.timers.set(name, desk.now_ms + left_ms)
        if left_ms <= _RAISE_AHEAD_MS or spent * 5 >= session.limit_minor * 4 * PARTS:
            self._raise(session)

    def _raise(self, session: Session) -> None:
        desk, settings = self._desk, self._desk.settings
        can_raise = desk.terminal.capabilities.can_raise and session.may_raise
        if settings.strategy != "increment" or not can_raise:
            return
        if session.key not in self._raising:
            total = session.limit_minor + settings.reserve_minor
            total = self._raising[session.key] = min(total, MAX_AMOUNT_MINOR)
            desk.note(session, f"asking for a limit of {total}")
            desk.terminal.raise_limit(session.session_id, total, desk.now_ms)

    def on_limit(
        self, session: Session, connector: Connector, limit_minor: int
    ) -> None:
        """The answer; who has granted less than asked for is not asked again."""
        asked_minor = self._raising.pop(session.key, MAX_AMOUNT_MINOR)
        if session.state is not State.CHARGING:
            return
        session.may_raise = limit_minor >= asked_minor
        if limit_minor:
            session.limit_minor = limit_minor
        self._desk.note(session, f"limit {session.limit_minor}")
        self._desk.put(session)
        self.look(session, connector)

    def owed(self, session: Session) -> int:
        """The cost so far in halves of a minor unit: no rounding hides a change."""
        cost = running_cost(
            self._desk.settings.tariff,
            energy_wh=session.energy_wh,
            energised_ms=session.energised_ms,
        )
        return 2 * cost // PARTS

    def limit_reached(self, session: Session) -> None:
        self._stop(session, "The reserved amount is used up")
