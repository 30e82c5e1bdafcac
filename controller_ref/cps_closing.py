"""One attempt to close over CPS, from the call to what it means.

The status says whether the cloud took the call; only the state of the session says
whether it is closed, and how (R-CPS-05, R-CPS-08):

    200 with the state asked for        confirmed
    200 FAILED, 200 without a session,
    any other 2xx, 409                  look at the session; its state decides
    401, 403, 404, 429                  no effect; the operator hears of 401, 403, 404
    other 4xx                           refused in so many words
    408, 5xx, no answer                 unknown; the same again later
"""

from collections.abc import Callable
from typing import Final

from controller_ref.cps_calls import Caller, CpsAnswer
from controller_ref.port import CloseAnswered, CloseRequest, Outcome
from controller_ref.session import Op
from wire.cps import Session, SessionState, parse_state

#: The terminal's own limit for a close, and the way there and back.
_CLOSE_MS: Final = 65_000
_NO_EFFECT: Final = (401, 403, 404, 429)


class CloseJudge:
    """Lives for one attempt; calls ``answered`` exactly once."""

    def __init__(
        self,
        request: CloseRequest,
        *,
        call: Caller,
        answered: Callable[[CloseAnswered], None],
    ) -> None:
        self._request = request
        self._call = call
        self._answered = answered
        self._first = CpsAnswer()

    def try_once(self) -> None:
        request = self._request
        route, params = "E10", {}
        if request.op is Op.COMMIT:
            route, params = "E9", {"commitAmount": request.amount_minor}
        self._call(
            route,
            self._judge,
            session_id=request.session_id,
            params=params,
            timeout_ms=_CLOSE_MS,
        )

    def _judge(self, answer: CpsAnswer, now_ms: int) -> None:
        session = answer.session() if answer.status == 200 else None
        detail = f"HTTP {answer.status}" if answer.status else answer.failure
        if session is not None and self._is_as_asked(session):
            self._say(Outcome.CONFIRMED, detail, session)
        elif answer.is_success or answer.status == 409:
            self._first = answer
            session_id = self._request.session_id
            self._call("E8", self._look, session_id=session_id, timeout_ms=_CLOSE_MS)
        elif answer.failure == "refused":
            self._say(Outcome.NOT_SENT, detail)
        elif answer.status in _NO_EFFECT:
            self._say(Outcome.FAILED, detail)
        elif answer.is_refused:
            self._say(Outcome.REFUSED, detail)
        else:
            self._say(Outcome.UNKNOWN, detail)

    def _look(self, answer: CpsAnswer, now_ms: int) -> None:
        """The session itself says what has become of it."""
        session = answer.session() if answer.status == 200 else None
        state = parse_state(session.state) if session is not None else None
        is_final = self._first.status == 409
        if session is not None and self._is_as_asked(session):
            self._say(
                Outcome.CONFIRMED, f"looked up after {self._first.status}", session
            )
        elif session is not None and state in _CLOSED:
            detail = f"{state} {session.final_amount or ''}".strip()
            self._say(Outcome.CLOSED_ALREADY, detail, session)
        elif state in _OPEN:
            first = self._first.session()
            was_failed = first is not None and (
                parse_state(first.state) is SessionState.FAILED
            )
            outcome = Outcome.REFUSED if was_failed else Outcome.FAILED
            self._say(outcome, f"still {state}")
        elif is_final:
            self._say(Outcome.CLOSED_ALREADY, "nobody says how")
        else:
            self._say(Outcome.UNKNOWN, f"HTTP {self._first.status}, not looked up")

    def _is_as_asked(self, session: Session) -> bool:
        request, state = self._request, parse_state(session.state)
        if request.op is Op.RELEASE:
            return state is SessionState.CANCELLED
        paid = session.final_amount
        is_amount_right = paid is None or paid == request.amount_minor
        return state is SessionState.COMMITED and is_amount_right

    def _say(
        self, outcome: Outcome, detail: str, session: Session | None = None
    ) -> None:
        receipt = {} if session is None else receipt_of(session)
        self._answered(
            CloseAnswered(
                session_id=self._request.session_id,
                outcome=outcome,
                detail=detail,
                receipt=receipt,
                for_operator=_FOR_OPERATOR.get(detail, ""),
            )
        )


_FOR_OPERATOR: Final = {
    "HTTP 404": "The cloud does not know this session: wrong terminal or environment?"
}
_CLOSED: Final = (SessionState.COMMITED, SessionState.CANCELLED)
_OPEN: Final = (SessionState.AUTHORIZED, SessionState.FAILED)
_RECEIPT_FIELDS: Final = (
    "brand",
    "transactionTime",
    "commitTime",
    "terminalTxnId",
    "authorizationCode",
    "authorizationHostReference",
    "finalAmount",
)


def receipt_of(session: Session) -> dict[str, str]:
    """What the cloud says for the receipt, as text (cps.md 6.4)."""
    found = session.to_json()
    return {name: str(found[name]) for name in _RECEIPT_FIELDS if name in found}
