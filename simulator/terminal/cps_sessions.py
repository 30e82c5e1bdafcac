"""Sessions over CPS: look up, commit, cancel, update (E7 to E10, E14).

A 409 is only ever answered for a session that really is closed, because a controller
stops trying when it sees one (cps.md 4.4, 9.3). What the cloud does with zero, too much
or a repeated close is ``Policy``; the defaults are those of cps.md 4.3.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from simulator.terminal.authorisations import Decision, Verdict
from simulator.terminal.closings import Close, Closing, Operation
from simulator.terminal.cps_answers import Answers
from simulator.terminal.cps_desk import Ask, Desk
from simulator.terminal.device import Device
from simulator.terminal.impairments import Kind
from simulator.terminal.sessions import Session, SessionState
from simulator.trace import shortened
from wire.cps import Call, ErrorText, Response

#: So much of an id that is no id of ours is said again.
MAX_NAMED: Final = 100
_CLOSES: dict[str, Operation] = {"E9": "commit", "E10": "cancel"}


class CpsSessions:
    """The session routes of one terminal."""

    def __init__(
        self,
        device: Device,
        *,
        answers: Answers,
        desk: Desk,
        is_online: Callable[[], bool],
    ) -> None:
        self._device = device
        self._policy = device.settings.cps_policy
        self._answers = answers
        self._desk = desk
        self._is_online = is_online

    # --- Looking ----------------------------------------------------------------

    def list(self, now_ms: int) -> Response:
        """E7: open sessions and those closed lately."""
        known = self._device.store.values()
        return self._answers.items(
            "sessions",
            [
                self._answers.session(one).to_json()
                for one in known
                if self._answers.is_remembered(one, now_ms)
            ],
        )

    def one(self, call: Call, now_ms: int) -> Response:
        """E8."""
        session = self._find(call, now_ms)
        if session is None:
            return self._unknown(call, now_ms)
        return self._answers.session_ok(session)

    # --- Closing ----------------------------------------------------------------

    def close(self, ask: Ask, call: Call, now_ms: int) -> Response | None:
        """E9 and E10; None: answered when the issuer has answered."""
        operation = _CLOSES[call.route]
        session = self._find(call, now_ms)
        if session is None:
            self._device.store.note_unknown(
                0,
                shortened(call.session_id, MAX_NAMED),
                op=operation,
                via="cps",
                reason="unknown session",
            )
            return self._unknown(call, now_ms)
        amount = call.number("commitAmount")
        refusal = self._refusal(session, operation, amount, now_ms)
        if refusal is not None:
            self._note_refused(session, operation, amount, f"HTTP {refusal.status}")
            return refusal
        return self._begin(ask, session, operation, amount, now_ms)

    def _begin(
        self, ask: Ask, session: Session, operation: Operation, amount: int, now_ms: int
    ) -> Response | None:
        may_fail = operation == "commit" and session.is_closable
        if may_fail and self._fails(session, amount):
            return self._fail(session, amount)
        close = Close(
            session=session,
            operation=operation,
            via="cps",
            amount_minor=amount,
            then=partial(self._closed, ask, amount),
            is_stored=not self._is_online(),
        )
        if self._device.closings.close(close, now_ms):
            return None
        self._note_refused(session, operation, amount, "another close is under way")
        return self._answers.error(500, ErrorText.GENERAL_ERROR, now_ms)

    def _closed(
        self, ask: Ask, amount: int, closing: Closing, session: Session, now_ms: int
    ) -> None:
        if closing is Closing.DONE:
            response = self._answers.session_ok(session)
        elif ask.route == "E9":
            response = self._fail(session, amount)
        else:
            response = self._answers.error(500, ErrorText.GENERAL_ERROR, now_ms)
        self._desk.reply(ask, response, now_ms)

    def _refusal(
        self, session: Session, operation: Operation, amount: int, now_ms: int
    ) -> Response | None:
        """Why this close is not even tried; None when it is."""
        if not session.is_open:
            return self._already_closed(session, operation, now_ms)
        fault = self._device.faults.hit(Kind.REFUSE_CLOSE, operation=operation)
        if fault is not None:
            return self._answers.error(fault.status, ErrorText.GENERAL_ERROR, now_ms)
        policy = self._policy
        is_final = policy.failed_session == "final"
        if session.state is SessionState.FAILED and is_final:
            return self._answers.session_ok(session)
        if operation == "commit":
            if amount == 0 and policy.zero_commit == "reject":
                return self._answers.error(400, ErrorText.ZERO_COMMIT, now_ms)
            if amount > session.authorised_minor and policy.over_commit == "reject":
                return self._answers.error(400, ErrorText.OVER_COMMIT, now_ms)
        if not self._is_online() and policy.offline_close == "error":
            return self._answers.error(
                policy.offline_close_status, ErrorText.TERMINAL_OFFLINE, now_ms
            )
        return None

    def _already_closed(
        self, session: Session, operation: Operation, now_ms: int
    ) -> Response:
        status = 409
        if operation == "cancel":
            was_cancelled = session.final_minor == 0
            policy = self._policy
            status = (
                policy.cancel_repeat if was_cancelled else policy.cancel_after_commit
            )
        if status == 200:
            return self._answers.session_ok(session)
        return self._answers.error(status, ErrorText.ALREADY_CLOSED, now_ms)

    def _fails(self, session: Session, amount: int) -> bool:
        """A commit that is answered 200 with state FAILED (cps.md 8.6)."""
        is_over = amount > session.authorised_minor
        if is_over and self._policy.over_commit == "fail":
            return True
        return self._device.faults.hit(Kind.COMMIT_FAILED) is not None

    def _fail(self, session: Session, amount: int) -> Response:
        session = self._device.store.failed(session, amount_minor=amount)
        self._note_refused(session, "commit", amount, "200 FAILED")
        return self._answers.session_ok(session)

    # --- Increasing -------------------------------------------------------------

    def update(self, ask: Ask, call: Call, now_ms: int) -> Response | None:
        """E14, an ASSUMPTION that is off by default."""
        session = self._find(call, now_ms)
        if session is None:
            return self._unknown(call, now_ms)
        if not session.is_closable:
            return self._answers.error(409, ErrorText.ALREADY_CLOSED, now_ms)
        total = call.number("authorizedAmount")
        then = partial(self._updated, ask, session)
        if self._is_online() and self._device.authorisations.increase(
            session, total, via="cps", then=then
        ):
            return None
        return self._answers.error(503, ErrorText.TERMINAL_OFFLINE, now_ms)

    def _updated(
        self, ask: Ask, session: Session, decision: Decision, now_ms: int
    ) -> None:
        latest = decision.session or session
        body = self._answers.session(latest).to_json()
        if decision.verdict is Verdict.DECLINED:
            body["result"] = "DECLINED"
        self._desk.reply(
            ask,
            Response(200, self._answers.bytes_of(body)),
            now_ms,
        )

    # --- Inside -----------------------------------------------------------------

    def _find(self, call: Call, now_ms: int) -> Session | None:
        session = self._device.store.get(call.session_id.lower())
        if session is None or not self._answers.is_remembered(session, now_ms):
            return None
        return session

    def _unknown(self, call: Call, now_ms: int) -> Response:
        text = f"Session {shortened(call.session_id, MAX_NAMED)} not found"
        return self._answers.error(404, text, now_ms)

    def _note_refused(
        self, session: Session, operation: Operation, amount: int, reason: str
    ) -> None:
        self._device.store.note(
            session,
            "refused",
            op=operation,
            amount_minor=amount if operation == "commit" else None,
            via="cps",
            reason=reason,
        )
