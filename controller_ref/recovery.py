"""After a death, and after an authorisation that nobody answered.

The ledger says what was open when we died. What was being asked for has an unknown
outcome: where the terminal can list its sessions (P6X, CPS) it is asked, several times,
because an approval may still be on its way; where it cannot (Apollo over PSP) the
operator is told at once, and a late approval is still taken and released.

A session that the terminal lists and the ledger does not know:

- explains an open question of ours (same card, or a card we could not tell): it is the
  session whose answer we never read, and is released;
- otherwise, on a terminal that only we can use, nobody else will ever close it: it is
  released, with an alarm;
- otherwise it may belong to somebody else who uses the same cloud (R-MUL-05): closing
  it could end a charge that is being paid for, so the operator is told and nothing is
  done. The exception is a ledger that was lost with all our own questions: then money
  held for us is more likely than a second controller on the same terminal.
"""

from typing import Final

from controller_ref.closing import Closing
from controller_ref.desk import Desk
from controller_ref.port import OpenSession
from controller_ref.session import Session
from controller_ref.timers import For
from controller_ref.transitions import Event, State

#: When the terminal is asked again for what an unanswered authorisation has left.
#: The last question comes after the longest time an authorisation may take (210 s).
_PROBES_MS: Final = (5_000, 30_000, 60_000, 120_000, 240_000)
#: When it is asked what an approval has opened besides what the answer named.
_LOOK_MS: Final = 10_000


class Recovery:
    def __init__(self, desk: Desk, closing: Closing) -> None:
        self._desk = desk
        self._closing = closing
        #: Questions asked for each unresolved session since boot.
        self._asked: dict[int, int] = {}
        self._reported: dict[str, None] = {}

    def boot(self) -> None:
        desk = self._desk
        if desk.ledger.is_damaged:
            desk.alarm(
                "ledger", "The ledger cannot be read; no new sessions are opened"
            )
        for session in desk.ledger.within(State.INTENT, State.UNWANTED):
            session.apply(Event.NO_ANSWER)
            desk.note(session, "the authorisation was under way when we died")
            desk.put(session)
        # Written down, and perhaps not said any more.
        for session in desk.ledger.within(State.LOST):
            self._say_lost(session)
        for session in desk.ledger.within(State.UNRESOLVED):
            self.question(session)

    def question(self, session: Session | None, suspect: str = "") -> None:
        """Find out what has become of an authorisation, if of any.

        ``suspect``: a session id from a damaged answer. It is released unless it is one
        that we know; should it be wrong, the terminal will not know it.
        """
        if session is None:
            return
        if suspect and self._desk.ledger.by_session_id(suspect) is None:
            found = OpenSession(session_id=suspect)
            self._release(session, found, "The approval was damaged on its way")
        elif self._desk.terminal.capabilities.can_list:
            self._asked[session.key] = 0
            due_ms = self._desk.now_ms + _PROBES_MS[0]
            self._desk.timers.set((For.PROBE, session.key), due_ms)
        else:
            self._give_up(session)

    def _give_up(self, session: Session) -> None:
        session.apply(Event.GIVEN_UP)
        self._say_lost(session)
        self._desk.put(session)

    def _say_lost(self, session: Session) -> None:
        text = "No answer to an authorisation; money may be held under an unknown id"
        self._desk.alarm("unknown_outcome", text, session=session)

    def on_timer(self, key: int) -> None:
        session = self._desk.ledger.sessions[key]
        if session.state is State.UNRESOLVED:
            self._desk.terminal.list_open(self._desk.now_ms)
            # Asked again even if this question is never answered.
            due_ms = self._desk.now_ms + _PROBES_MS[-1]
            self._desk.timers.set((For.PROBE, key), due_ms)

    def look(self) -> None:
        """An answer names one session; a list tells whether there are two (R-SES-11).

        Only where nobody but a list would tell: over PSP each comes with its approval.
        """
        capabilities = self._desk.terminal.capabilities
        if capabilities.can_list and capabilities.is_shared:
            due_ms = self._desk.now_ms + _LOOK_MS
            self._desk.timers.set((For.LOOK, 0), due_ms)

    def compare(self) -> None:
        """Ask for the open sessions, to hold them against the ledger."""
        if self._desk.terminal.capabilities.can_list:
            self._desk.terminal.list_open(self._desk.now_ms)

    def on_open_sessions(self, found: tuple[OpenSession, ...]) -> None:
        for each in found:
            known = self._desk.ledger.by_session_id(each.session_id)
            if known is None:
                self._stranger(each)
            elif known.state is State.CLOSED and each.session_id not in self._reported:
                self._reported[each.session_id] = None
                text = "Confirmed as closed, but the terminal says that it is open"
                self._desk.alarm("orphan", text, session=known)
        for session in self._desk.ledger.within(State.UNRESOLVED):
            self._still_unknown(session)

    def _stranger(self, found: OpenSession) -> None:
        desk = self._desk
        capabilities = desk.terminal.capabilities
        mine = [
            session
            for session in desk.ledger.within(State.UNRESOLVED, State.LOST)
            if not (found.card_id and session.card_id)
            or session.card_id == found.card_id
        ]
        if mine:
            self._release(mine[0], found, "Found after an unanswered authorisation")
        elif self._is_second(found):
            second = desk.ledger.new(State.LOST, wall_ms=desk.wall_ms)
            self._release(second, found, "A second session of one authorisation")
        elif not capabilities.is_shared or desk.ledger.is_damaged:
            orphan = desk.ledger.new(State.LOST, wall_ms=desk.wall_ms)
            self._release(orphan, found, "An open session that nobody knows")
        elif found.session_id not in self._reported:
            self._reported[found.session_id] = None
            text = "An open session that is not ours; left alone"
            desk.alarm("orphan", text, session_id=found.session_id)

    def _is_second(self, found: OpenSession) -> bool:
        """The card of a session of ours, at our terminal: nobody else has read it."""
        return bool(found.card_id) and any(
            session.card_id == found.card_id for session in self._desk.ledger.open()
        )

    def _release(self, session: Session, found: OpenSession, reason: str) -> None:
        desk = self._desk
        session.session_id, session.reason = found.session_id, reason
        session.limit_minor = found.amount_minor or session.requested_minor
        session.apply(Event.APPROVED)
        desk.timers.cancel((For.PROBE, session.key))
        desk.alarm("orphan", f"{reason}; released", session=session)
        desk.put(session)
        self._closing.finish(session)

    def _still_unknown(self, session: Session) -> None:
        """Not in the list: perhaps not yet; after the last question there is none."""
        asked = self._asked.get(session.key, 0) + 1
        self._asked[session.key] = asked
        if asked < len(_PROBES_MS):
            due_ms = self._desk.now_ms + _PROBES_MS[asked]
            self._desk.timers.set((For.PROBE, session.key), due_ms)
        else:
            session.apply(Event.DECLINED)
            self._desk.note(session, "the terminal knows of no session")
            self._desk.timers.cancel((For.PROBE, session.key))
            self._desk.put(session)
