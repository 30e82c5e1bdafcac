"""How a session ends: one operation, decided once, tried until it is confirmed.

- ``finish`` works out the amount and writes operation and amount down before anything
  is sent. From then on nobody else can decide anything about this session (R-SES-09).
- Each attempt is written down before it leaves. If we die, or nobody answers, it *may*
  have counted; then only the same operation with the same amount is ever repeated
  (R-RTY-09), and "not known" or "closed already" means that it did count.
- Only a confirmation closes. "Not known" without any attempt of ours that may have
  counted is no confirmation: the operator is told at once, and when it is still the
  answer after the minutes of the schedule, the record is kept as disputed.
- A refusal of an amount above what is held is the one case in which the amount
  changes, to what is held (R-AMT-04); a refusal in so many words proves that the
  session is still open.

The circuit breaker (``is_overdue``): a close that is still not confirmed when the
minutes are over shows that holds opened here may not be closed. Until it is confirmed
or the operator has been told that it never will be, no new session is opened at this
terminal: closing has priority over starting (R-RTY-10), and one driver's frozen money
must not become fifty drivers' (R-SES-05). It costs the operator sales, and bounds the
money frozen to what was reserved in the first five minutes.
"""

from typing import Final, assert_never

from controller_ref import schedule
from controller_ref.desk import Desk, add_receipt, money
from controller_ref.port import CloseAnswered, CloseRequest, Outcome
from controller_ref.session import Op, Session
from controller_ref.tariff import amount_minor
from controller_ref.timers import For
from controller_ref.transitions import Event, State

#: Attempts after which the operator hears that a session is still not closed.
_MILESTONES: Final = (schedule.PHASE_1_ATTEMPTS, schedule.DAY_ATTEMPTS)


class Closing:
    """The single writer of ``op``, ``amount_minor`` and everything about attempts."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        #: Sessions whose attempt waits for a free place; True: it is a free attempt.
        self._queue: dict[int, bool] = {}
        #: Sessions that the terminal put off until its authorisation is over.
        self._put_off: list[int] = []

    # --- Deciding ---------------------------------------------------------------

    def finish(self, session: Session) -> None:
        """The charge is over: decide, write down, tell the driver, try."""
        desk, settings = self._desk, self._desk.settings
        amount = amount_minor(
            settings.tariff,
            energy_wh=session.energy_wh,
            energised_ms=session.energised_ms,
        )
        if settings.strategy != "over_capture":
            amount = min(amount, session.limit_minor)
        session.apply(Event.DECIDED)
        session.op = Op.COMMIT if amount else Op.RELEASE
        session.amount_minor = amount
        desk.note(session, f"decided {session.op} {amount}: {session.reason}")
        if not session.is_paid:
            session.apply(Event.CONFIRMED)
        desk.put(session)
        self._tell_driver(session)
        if session.is_paid:
            self._queue_attempt(session, is_free=False)

    def _tell_driver(self, session: Session) -> None:
        what, code = "Nothing is charged, the reservation is released", "released"
        if not session.is_paid:
            what, code = f"Charged {session.energy_wh} Wh", "stopped"
        elif session.amount_minor:
            paid = money(session.amount_minor, self._desk.settings.currency)
            what, code = f"Charged {session.energy_wh} Wh, {paid}", "stopped"
        text = f"{session.reason}. {what}."
        connector = session.connector
        show = self._desk.show
        show(text, code=code, kind="receipt", connector=connector, session=session)

    @property
    def is_overdue(self) -> bool:
        """A close has outlived the minutes of the schedule: open nothing new."""
        for session in self._desk.ledger.current():
            if session.state is State.CLOSING and _is_overdue(session):
                return True
        return False

    # --- Trying -----------------------------------------------------------------

    def resume(self) -> None:
        """After a boot: what was in flight may have counted; the schedule goes on."""
        desk = self._desk
        for session in desk.ledger.within(State.CLOSING):
            session.is_maybe_done |= session.is_in_flight
            session.is_in_flight = False
            self._arm(session)

    def on_ready(self) -> None:
        """The terminal is back: one attempt is free if the last is 30 s old."""
        for session in self._desk.ledger.within(State.CLOSING):
            passed_ms = self._desk.wall_ms - session.attempted_wall_ms
            if not session.attempts:
                self._queue_attempt(session, is_free=False)
            elif session.was_free:
                # One is enough: the reconnect may be the effect of its own time-out.
                continue
            elif not 0 <= passed_ms < schedule.FREE_ATTEMPT_MS:
                self._queue_attempt(session, is_free=True)
            else:
                self._arm(session, within_ms=schedule.FREE_ATTEMPT_MS - passed_ms)

    def on_timer(self, key: int) -> None:
        session = self._desk.ledger.sessions[key]
        if session.state is State.CLOSING:
            is_early = self._desk.wall_ms < session.due_wall_ms
            self._queue_attempt(session, is_free=is_early)

    def on_authorisation_over(self) -> None:
        """What was put off is tried right away (R-RTY-10)."""
        put_off, self._put_off = self._put_off, []
        for key in put_off:
            session = self._desk.ledger.sessions[key]
            if session.state is State.CLOSING:
                self._queue_attempt(session, is_free=True)

    def _queue_attempt(self, session: Session, *, is_free: bool) -> None:
        if not session.is_in_flight:
            self._queue[session.key] = is_free and self._queue.get(session.key, True)
            self._try_next()

    def _try_next(self) -> None:
        desk = self._desk
        under_way = sum(s.is_in_flight for s in desk.ledger.within(State.CLOSING))
        while self._queue and under_way < desk.terminal.capabilities.closes_at_once:
            # First attempts before repeats: a driver is waiting for them.
            key = min(self._queue, key=lambda each: desk.ledger.sessions[each].attempts)
            self._attempt(desk.ledger.sessions[key], is_free=self._queue.pop(key))
            under_way += 1

    def _attempt(self, session: Session, *, is_free: bool) -> None:
        desk = self._desk
        session.attempted_wall_ms = desk.wall_ms
        session.is_in_flight = True
        session.was_free = is_free
        if not is_free:
            session.attempts += 1
            gap_ms = schedule.gap_ms(session.attempts)
            session.due_wall_ms = desk.wall_ms + (gap_ms or 0)
        desk.note(session, f"attempt {session.attempts}")
        desk.put(session)
        request = CloseRequest(
            session_id=session.session_id,
            op=session.op,
            amount_minor=session.amount_minor,
        )
        desk.terminal.close(request, desk.now_ms)

    # --- Answers ----------------------------------------------------------------

    def on_answer(self, answer: CloseAnswered) -> None:
        session = self._desk.ledger.by_session_id(answer.session_id)
        if session is None or not session.is_in_flight:
            return
        session.is_in_flight = False
        session.outcome = answer.outcome.name.lower()
        add_receipt(session, answer.receipt)
        self._desk.note(session, f"answer {session.outcome} {answer.detail}".strip())
        if answer.for_operator and session.attempts == 1:
            self._desk.alarm("other", answer.for_operator, session=session)
        self._judge(session, answer)
        self._desk.put(session)
        self._try_next()

    def _judge(self, session: Session, answer: CloseAnswered) -> None:
        match answer.outcome:
            case Outcome.CONFIRMED:
                self._confirm(session)
            case Outcome.CLOSED_ALREADY:
                text = f"Closed, but not as we asked: {answer.detail}"
                self._desk.alarm("unknown_outcome", text, session=session)
                self._confirm(session)
            case Outcome.NOT_KNOWN:
                self._not_known(session)
            case Outcome.REFUSED if session.amount_minor > session.limit_minor:
                self._settle_for_less(session)
            case Outcome.BUSY:
                self._put_off.append(session.key)
                self._arm(session)
            case Outcome.UNKNOWN:
                session.is_maybe_done = True
                self._again(session)
            case Outcome.REFUSED | Outcome.FAILED | Outcome.NOT_SENT:
                self._again(session)
            case _:
                assert_never(answer.outcome)

    def _confirm(self, session: Session) -> None:
        session.apply(Event.CONFIRMED)
        self._desk.timers.cancel((For.CLOSE, session.key))

    def _not_known(self, session: Session) -> None:
        if session.is_maybe_done:
            self._confirm(session)
            return
        if not session.was_not_known:
            session.was_not_known = True
            text = "The terminal does not know this session, and we did not close it"
            self._desk.alarm("unknown_outcome", text, session=session)
        if session.attempts >= schedule.PHASE_1_ATTEMPTS:
            session.apply(Event.NOT_KNOWN)
        else:
            self._again(session)

    def _settle_for_less(self, session: Session) -> None:
        session.apply(Event.REFUSED)
        session.amount_minor = session.limit_minor
        session.attempts, session.is_maybe_done = 0, False
        self._desk.note(session, f"refused; decided commit {session.amount_minor}")
        self._queue[session.key] = False

    def _again(self, session: Session) -> None:
        desk = self._desk
        if schedule.gap_ms(session.attempts) is None:
            session.apply(Event.GAVE_OUT)
            text = "All attempts to close have failed; settle it by hand"
            desk.alarm("close_exhausted", text, session=session)
            return
        is_milestone = session.attempts in _MILESTONES
        if is_milestone and not session.was_free:
            text = f"Not closed after {session.attempts} attempts; {session.outcome}"
            desk.alarm("close_failed", text, session=session)
        self._arm(session)

    def _arm(self, session: Session, *, within_ms: int | None = None) -> None:
        """Wake up for the next attempt, or earlier for a free one."""
        desk = self._desk
        left_ms = schedule.remaining_ms(
            due_wall_ms=session.due_wall_ms,
            wall_ms=desk.wall_ms,
            attempts=session.attempts,
        )
        left_ms = left_ms if within_ms is None else min(left_ms, within_ms)
        desk.timers.set((For.CLOSE, session.key), desk.now_ms + left_ms)


def _is_overdue(session: Session) -> bool:
    over = session.attempts - schedule.PHASE_1_ATTEMPTS
    return over > 0 or (over == 0 and not session.is_in_flight)
