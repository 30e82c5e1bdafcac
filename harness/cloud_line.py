"""The Internet between controller and payment cloud, in memory.

A call takes ``LATENCY_MS`` each way. The controller hears exactly once of each call: an
answer, or a failure. A lost answer is the interesting one: the call had its effect, and
only a time-out tells the controller that it does not know. Callbacks travel the other
way (``harness.callbacks``).

Whoever carries calls over a real network may hang up before the answer (``hang_up``),
and posts callbacks itself (``callbacks.carry``).

What can go wrong with a call is in ``faults``, filled by ``harness.faults``; each tells
when it strikes. An answer that a fault has made up carries the fate ``changed``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Final, Literal

from harness.callbacks import Callbacks, Heard
from harness.cloud_log import call_fields, kept_body
from harness.line_faults import Turn
from simulator import events
from simulator.forecourt import Forecourt
from wire.cps import (
    Call,
    ErrorText,
    Policy,
    Request,
    Response,
    error_response,
    key_of,
    parse_call,
)
from wire.machine import (
    AnswerCallback,
    CallbackReceived,
    CallHttp,
    Fact,
    HttpAnswered,
    HttpFailed,
)

LATENCY_MS: Final = 20

#: Number of calls that are not the controller's: their answers go elsewhere.
FOREIGN: Final = 0

What = Literal[
    "refuse",
    "break_before",
    "break_after",
    "silence_before",
    "silence_after",
    "status_before",
    "status_after",
    "hollow",
    "empty",
    "garble",
    "late",
]
#: Whether the connection says so at once, for what keeps a call from the cloud.
_NO_EFFECT: Final[Mapping[What, Literal["refused", "reset", ""]]] = {
    "refuse": "refused",
    "break_before": "reset",
    "silence_before": "",
}


@dataclass(slots=True, kw_only=True, eq=False)
class CallFault:
    """What happens to the calls of one route (any when empty)."""

    what: What
    #: Told of each call that is hit, in words.
    hit: Callable[[str], None]
    turn: Turn
    route: str = ""
    status: int = 500
    delay_ms: int = 0


@dataclass(slots=True)
class _Pending:
    call_id: int
    route: str
    fault: CallFault | None
    until_ms: int


class CloudLine:
    """See the module's text."""

    def __init__(
        self, court: Forecourt, *, api_key: str, callback_hosts: tuple[str, ...]
    ) -> None:
        self._court = court
        self._api_key = api_key
        self._numbers = count(1)
        self._pending: dict[int, _Pending] = {}
        self._alarm_ms: int | None = None
        self.deliver: Callable[[Fact], None] = lambda _fact: None
        self.callbacks = Callbacks(court, hosts=callback_hosts, carry=self._hand_over)
        self.faults: list[CallFault] = []

    @property
    def policy(self) -> Policy:
        """The readings that the cloud behind this line has chosen."""
        return self._court.terminal.settings.cps_policy

    @property
    def listening(self) -> bool:
        """Whether the controller's listener for callbacks runs."""
        return self.callbacks.listening

    @listening.setter
    def listening(self, value: bool) -> None:
        self.callbacks.listening = value

    # --- The controller's end ---------------------------------------------------

    def call(self, action: CallHttp) -> None:
        """One HTTP request leaves the controller."""
        number = next(self._numbers)
        request = Request(
            method=action.method,
            target=action.target,
            headers=action.headers,
            body=action.body,
        )
        parsed = parse_call(request)
        route = parsed.route if isinstance(parsed, Call) else ""
        if isinstance(parsed, Call):
            self.callbacks.learn(parsed.text("callbackUrl"))
        fault = self._fault_for(route, number) if self.faults else None
        until_ms = self._court.kernel.now_ms + action.timeout_ms
        if self.listening:  # else it comes from a controller that is dead by now
            self._pending[number] = _Pending(action.call_id, route, fault, until_ms)
        reason = _NO_EFFECT.get(fault.what) if fault else None
        fate = "delivered" if reason is None else "lost"
        self._record_call(number, request, parsed, fate=fate)
        if reason:
            self._later(LATENCY_MS, lambda: self._fail(number, reason))
            return
        self._wake_by(until_ms)
        if fault is not None and fault.what == "status_before":
            # A gateway in front of the cloud answers.
            self._later(LATENCY_MS, lambda: self.answer(number, _error(fault.status)))
        elif fault is not None and fault.what == "hollow":
            hollow = Response(fault.status)
            self._later(LATENCY_MS, lambda: self.answer(number, hollow))
        elif reason is None:
            self._later(LATENCY_MS, lambda: self._court.call_cloud(number, request))

    def hang_up(self, call_id: int) -> None:
        """The caller has given up: for it this is a time-out, and nobody waits."""
        for number in [no for no, p in self._pending.items() if p.call_id == call_id]:
            self._fail(number, "timeout")
            # The end of a connection travels behind the call itself.
            hang_up = partial(self._court.hang_up_cloud, number)
            self._later(LATENCY_MS, hang_up)

    def answer_callback(self, action: AnswerCallback) -> None:
        """The controller's listener answered."""
        fields = {"callback": action.callback_id, "status": action.status}
        self._court.note(events.Note(kind="callback_answer", fields=fields))

    def forget(self) -> None:
        """The controller died: nobody waits for what is under way."""
        self._pending.clear()
        self.listening = False

    def drop_calls(self) -> None:
        """Every call under way ends without an answer; the controller may call on."""
        for number in list(self._pending):
            self._fail(number, "reset")

    def strike_pending(self, fault: CallFault) -> None:
        """Calls of its route that are under way already are hit as well."""
        for pending in self._pending.values():
            if pending.route == fault.route and pending.fault is None:
                pending.fault = fault

    # --- The cloud's end --------------------------------------------------------

    def answer(self, number: int, response: Response) -> None:
        """The cloud's answer to call ``number`` sets out."""
        pending = self._pending.get(number)
        fault = pending.fault if pending else None
        late_ms = fault.delay_ms if fault and fault.what == "late" else 0

        def arrive() -> None:
            self._arrive(number, response)

        if pending is None or not self.callbacks.hold(pending.route, arrive):
            self._later(LATENCY_MS + late_ms, arrive)

    def _arrive(self, number: int, response: Response) -> None:
        if number == FOREIGN:
            return
        pending = self._pending.get(number)
        fault = pending.fault if pending else None
        what = fault.what if fault else None
        is_lost = pending is None or what in ("break_after", "silence_after")
        shown = _made_up(fault, response)
        fate = "changed" if shown is not response else "delivered"
        self._record_answer(number, shown, fate="lost" if is_lost else fate)
        if what == "break_after":
            self._fail(number, "reset")
        elif pending is not None and not is_lost:
            del self._pending[number]
            self.deliver(
                HttpAnswered(
                    call_id=pending.call_id,
                    status=shown.status,
                    body=shown.body,
                    headers=shown.headers,
                )
            )

    def callback(self, what: str, url: str, body: bytes) -> None:
        """The cloud posts to the controller."""
        self.callbacks.post(what, url, body)

    # --- Between them -----------------------------------------------------------

    def _fail(
        self, number: int, reason: Literal["refused", "reset", "timeout"]
    ) -> None:
        pending = self._pending.pop(number, None)
        if pending is None:
            return
        fields = {"call": number, "reason": reason}
        self._court.note(events.Note(kind="http_failed", fields=fields))
        self.deliver(HttpFailed(call_id=pending.call_id, reason=reason))

    def _wake_by(self, at_ms: int) -> None:
        """One alarm for all calls: most of the thousands are answered long before."""
        if self._alarm_ms is None or at_ms < self._alarm_ms:
            self._alarm_ms = at_ms
            self._court.kernel.at(at_ms, lambda: self._ring(at_ms))

    def _ring(self, at_ms: int) -> None:
        if at_ms != self._alarm_ms:
            return  # an earlier one has taken its place
        self._alarm_ms = None
        late = [no for no, one in self._pending.items() if one.until_ms <= at_ms]
        for number in late:
            self._fail(number, "timeout")
        if self._pending:
            self._wake_by(min(one.until_ms for one in self._pending.values()))

    def _hand_over(self, fact: CallbackReceived, heard: Heard) -> None:
        """In memory a callback is there as soon as it is sent."""
        heard(True)  # noqa: FBT003 - all it says
        self.deliver(fact)

    def _fault_for(self, route: str, number: int) -> CallFault | None:
        for fault in self.faults:
            # E12 has three verbs, each a route of its own.
            fits = fault.route in ("", route, route.partition("-")[0])
            if fits and fault.turn.comes():
                fault.hit(f"call {number} {route}".strip())
                return fault
        return None

    def _record_call(
        self, number: int, request: Request, parsed: object, *, fate: str
    ) -> None:
        fields = call_fields(number, request, parsed)
        fields["authorised"] = key_of(request) == self._api_key
        fields["fate"] = fate
        self._court.trace.append(self._court.kernel.now_ms, "http", fields)

    def _record_answer(self, number: int, response: Response, *, fate: str) -> None:
        fields = {
            "call": number,
            "status": response.status,
            "body": kept_body(response.body),
            "fate": fate,
        }
        self._court.trace.append(self._court.kernel.now_ms, "http_answer", fields)

    def _later(self, delay_ms: int, call: Callable[[], None]) -> None:
        self._court.kernel.at(self._court.kernel.now_ms + delay_ms, call)


def _error(status: int) -> Response:
    """An error that the cloud itself knows nothing of; nobody gives it a time."""
    return error_response(status, ErrorText.GENERAL_ERROR, timestamp="")


def _made_up(fault: CallFault | None, response: Response) -> Response:
    """The answer as the controller sees it."""
    match fault.what if fault else None:
        case "status_after":
            assert fault is not None
            return _error(fault.status)
        case "empty":
            return Response(response.status)
        case "garble":
            return Response(response.status, b'{"state": "')
        case _:
            return response
