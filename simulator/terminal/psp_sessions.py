"""Sessions over PSP: commit, void, update, list (psp.md 4.3, 7, 9 A16, A17).

Takes a request that the transition table has let through and answers it, at once or
when the issuer has answered. A refusal is a ``Reason``; with detailed codes off the
host sees no more than Not OK.
"""

from collections.abc import Callable
from typing import Final

from simulator.terminal.authorisations import Decision, Verdict
from simulator.terminal.closings import Close, Closing, Operation
from simulator.terminal.device import Device
from simulator.terminal.impairments import Kind
from simulator.terminal.sessions import Session, SessionState
from wire.psp import (
    Decline,
    Message,
    Name,
    Reason,
    ResultCode,
    UpdateOutcome,
    message,
)

#: Of a List Sessions Response, what is no session id: five bytes of the block and the
#: total. The rest of a classic block is room for 63 ids, or 62 (psp.md 4.6, C4).
_AROUND_LIST_BYTES: Final = 6
OK: Final = message(Name.RESULT, result=ResultCode.OK)

#: What an answer is: a message, a refusal, or None: it comes later through ``later``.
Answer = Message | Reason | None
Later = Callable[[Message | Reason, int], None]

_OPERATIONS: Final[dict[Name, Operation]] = {
    Name.COMMIT_SESSION: "commit",
    Name.VOID_SESSION: "cancel",
}
_UPDATES: Final = {
    Verdict.APPROVED: UpdateOutcome.APPROVED,
    Verdict.PARTIAL: UpdateOutcome.PARTIALLY_APPROVED,
    Verdict.DECLINED: UpdateOutcome.DECLINED,
    Verdict.CANCELLED: UpdateOutcome.DECLINED,
}


class PspSessions:
    """The session commands of one terminal."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._profile = device.settings.psp_profile

    # --- Commit and Void --------------------------------------------------------

    def close(self, request: Message, later: Later, now_ms: int) -> Answer:
        """Commit Session or Void Session."""
        operation = _OPERATIONS[request.name]
        amount = request.number("amount_minor", 0)
        number = request.number("session_id")
        session = self._device.store.find(number)
        if session is None:
            self._device.store.note_unknown(
                number, "", op=operation, via="psp", reason="unknown session"
            )
            return Reason.SESSION_ID_NOT_FOUND
        refusal = self._refusal(session, operation, amount)
        if refusal is not None:
            if isinstance(refusal, Reason):
                self._note_refused(session, operation, amount, refusal.name)
            return refusal
        close = Close(
            session=session,
            operation=operation,
            via="psp",
            amount_minor=amount,
            then=lambda closing, _, at_ms: later(_ENDS[closing], at_ms),
        )
        if self._device.closings.close(close, now_ms):
            return None
        self._note_refused(session, operation, amount, "another close is under way")
        return Reason.INCORRECT_STATE

    def _refusal(
        self, session: Session, operation: Operation, amount: int
    ) -> Message | Reason | None:
        if not session.is_open:
            is_lenient = self._profile.repeated_close == "ok"
            return OK if is_lenient else Reason.SESSION_ID_NOT_FOUND
        fault = self._device.faults.hit(Kind.REFUSE_CLOSE, operation=operation)
        if fault is not None:
            return Reason(fault.reason)
        if operation == "cancel":
            return None
        if amount == 0 and self._profile.commit_zero == "refuse":
            return Reason.ACCESS_DENIED
        is_over = amount > session.authorised_minor
        if is_over and self._profile.over_commit == "refuse":
            return Reason.ACCESS_DENIED
        return None

    def _note_refused(
        self, session: Session, operation: Operation, amount: int, reason: str
    ) -> None:
        self._device.store.note(
            session,
            "refused",
            op=operation,
            amount_minor=amount if operation == "commit" else None,
            via="psp",
            reason=reason,
        )

    # --- Update -----------------------------------------------------------------

    def update(self, request: Message, later: Later, now_ms: int) -> Answer:
        """Update Session: ``amount_minor`` is the new total."""
        session = self._device.store.find(request.number("session_id"))
        if session is None or not session.is_open:
            return Reason.SESSION_ID_NOT_FOUND
        if session.state is not SessionState.OPEN:
            return Reason.INCORRECT_STATE
        before = session

        def decided(decision: Decision, at_ms: int) -> None:
            later(_update_result(before, decision), at_ms)

        total = request.number("amount_minor")
        if self._device.authorisations.increase(
            session, total, via="psp", then=decided
        ):
            return None
        reason = self._profile.host_unreachable_reason
        declined = Decision(verdict=Verdict.DECLINED, session=session, reason=reason)
        return _update_result(session, declined)

    # --- The rest ---------------------------------------------------------------

    def listed(self, request: Message) -> Answer:
        """List Sessions: open sessions from ``offset``, as many as fit."""
        numbers = [one.psp_session_id for one in self._device.store.listed()]
        offset = request.number("offset")
        room_bytes = self._profile.frame_limit_bytes - _AROUND_LIST_BYTES
        return message(
            Name.LIST_SESSIONS_RESPONSE,
            total=min(len(numbers), 0xFF),
            session_ids=tuple(numbers[offset : offset + room_bytes // 4]),
        )

    def add_context(self, request: Message) -> Answer:
        """Add Transaction Context: taken and not looked at."""
        session = self._device.store.find(request.number("session_id"))
        if session is None or not session.is_open:
            return Reason.SESSION_ID_NOT_FOUND
        return OK

    def has_reference(self, reference: int) -> bool:
        """Whether an open session carries the host's own number."""
        sessions = self._device.store.open_sessions()
        return any(one.reference == reference for one in sessions)


_ENDS: Final[dict[Closing, Message | Reason]] = {
    Closing.DONE: OK,
    # A lasting refusal: the same commit again would end the same way.
    Closing.REFUSED: Reason.ACCESS_DENIED,
}


def _update_result(before: Session, decision: Decision) -> Message:
    after = decision.session or before
    change = abs(after.authorised_minor - before.authorised_minor)
    is_declined = decision.verdict is Verdict.DECLINED
    return message(
        Name.UPDATE_SESSION_RESULT,
        result=_UPDATES[decision.verdict],
        session_id=before.psp_session_id,
        amount_minor=after.authorised_minor,
        change_minor=change,
        reason=decision.reason if is_declined else Decline.NOT_SET,
    )
