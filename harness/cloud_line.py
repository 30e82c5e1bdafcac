"""The Internet between controller and payment cloud, in memory.

A call takes ``LATENCY_MS`` each way. The controller hears exactly once of each call: an
answer, or a failure. A lost answer is the interesting one: the call had its effect, and
only a time-out tells the controller that it does not know. Callbacks travel the other
way and go nowhere but to the hosts that the declaration names, over plain HTTP: an
https address is refused, because nobody has told the bench which certificates to trust.

Whoever carries calls over a real network may hang up before the answer
(``hang_up``), and posts callbacks itself (``carry``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

from simulator import events
from simulator.forecourt import Forecourt
from simulator.trace import shortened
from wire.cps import (
    Call,
    Policy,
    Request,
    Response,
    Value,
    key_of,
    parse_call,
    parse_json,
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
CALLBACK_LATENCY_MS: Final = 15
#: What a record keeps of a target, of one value in it, and of an answer: characters,
#: characters, bytes. No controller that does what it should comes near.
MAX_TARGET_KEPT: Final = 2_048
MAX_VALUE_KEPT: Final = 512
MAX_BODY_KEPT: Final = 256 * 1024
#: Refused hosts that are told; beyond it they have been told often enough.
MAX_REFUSED_HOSTS: Final = 20

#: Number of calls that are not the controller's: their answers go elsewhere.
FOREIGN: Final = 0


@dataclass(slots=True)
class HttpFault:
    """What happens to the next calls of one route (any when empty)."""

    fault: str
    name: str
    route: str
    what: Literal["refuse", "lose_request", "lose_answer"]
    times: int = 1


@dataclass(slots=True)
class _Pending:
    call_id: int
    route: str
    fault: HttpFault | None
    until_ms: int


#: Says whether a callback has reached its listener.
Heard = Callable[[bool], None]


class CloudLine:
    """See the module's text."""

    def __init__(
        self, court: Forecourt, *, api_key: str, callback_hosts: tuple[str, ...]
    ) -> None:
        self._court = court
        self._api_key = api_key
        self._callback_hosts = tuple(host.lower() for host in callback_hosts)
        self._refused_hosts: set[str] = set()
        self._numbers = count(1)
        self._callback_numbers = count(1)
        self._pending: dict[int, _Pending] = {}
        self._alarm_ms: int | None = None
        self.deliver: Callable[[Fact], None] = lambda _fact: None
        self.carry: Callable[[CallbackReceived, Heard], None] = self._hand_over
        self.listening = False
        self.is_cut = False
        self.faults: list[HttpFault] = []

    @property
    def policy(self) -> Policy:
        """The readings that the cloud behind this line has chosen."""
        return self._court.terminal.settings.cps_policy

    # --- the controller's end ---------------------------------------------------

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
        fault = self._fault_for(route)
        until_ms = self._court.kernel.now_ms + action.timeout_ms
        self._pending[number] = _Pending(action.call_id, route, fault, until_ms)
        refused = self.is_cut or (fault is not None and fault.what == "refuse")
        lost = refused or (fault is not None and fault.what == "lose_request")
        self._record_call(number, request, parsed, fate="lost" if lost else "delivered")
        if refused:
            self._later(LATENCY_MS, lambda: self._fail(number, "refused"))
            return
        self._wake_by(until_ms)
        if not lost:
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

    # --- the cloud's end --------------------------------------------------------

    def answer(self, number: int, response: Response) -> None:
        """The cloud's answer to call ``number`` sets out."""
        self._later(LATENCY_MS, lambda: self._arrive(number, response))

    def _arrive(self, number: int, response: Response) -> None:
        pending = self._pending.get(number)
        fault = pending.fault if pending else None
        lost = (
            self.is_cut
            or pending is None
            or (fault is not None and fault.what == "lose_answer")
        )
        if number == FOREIGN:
            return
        fields = {
            "call": number,
            "status": response.status,
            "body": _kept_body(response.body),
            "fate": "lost" if lost else "delivered",
        }
        self._court.note(events.Note(kind="http_answer", fields=fields))
        if pending is not None and not lost:
            del self._pending[number]
            self.deliver(
                HttpAnswered(
                    call_id=pending.call_id,
                    status=response.status,
                    body=response.body,
                    headers=response.headers,
                )
            )

    def callback(self, what: str, url: str, body: bytes) -> None:
        """The cloud posts to the controller."""
        number = next(self._callback_numbers)
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        allowed = self._may_be_called(parts)

        def note(heard: bool) -> None:
            fields: Mapping[str, object] = {
                "callback": number,
                "target": shortened(target, MAX_TARGET_KEPT),
                "what": what,
                "body": _kept_body(body),
                "fate": "delivered" if heard else "lost",
            }
            self._court.note(events.Note(kind="callback", fields=fields))

        def arrive() -> None:
            if not (allowed and self.listening) or self.is_cut:
                note(heard=False)
                return
            fact = CallbackReceived(
                callback_id=number, target=target, body=body, url=url
            )
            self.carry(fact, note)

        self._later(CALLBACK_LATENCY_MS, arrive)

    def _hand_over(self, fact: CallbackReceived, heard: Heard) -> None:
        """In memory a callback is there as soon as it is sent."""
        heard(True)  # noqa: FBT003 - all it says
        self.deliver(fact)

    def _may_be_called(self, parts: SplitResult) -> bool:
        """Whether a callback may go there; a refusal is recorded once for each host."""
        host = f"{parts.scheme}://{parts.hostname}"
        if parts.scheme == "http" and parts.hostname in self._callback_hosts:
            return True
        is_told = host in self._refused_hosts
        if not is_told and len(self._refused_hosts) < MAX_REFUSED_HOSTS:
            self._refused_hosts.add(host)
            fields = {
                "requirement": "callback-host",
                "expected": "an http callback to " + ", ".join(self._callback_hosts),
                "seen": f"callback to {shortened(host, MAX_VALUE_KEPT)}, not posted",
            }
            self._court.note(events.Note(kind="finding", fields=fields))
        return False

    # --- between them -----------------------------------------------------------

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

    def _fault_for(self, route: str) -> HttpFault | None:
        for fault in self.faults:
            if fault.times > 0 and fault.route in ("", route):
                fault.times -= 1
                fields = {"event": "hit", "fault": fault.fault, "name": fault.name}
                self._court.note(events.Note(kind="fault", fields=fields))
                return fault
        return None

    def _record_call(
        self, number: int, request: Request, parsed: object, *, fate: str
    ) -> None:
        fields: dict[str, object] = {
            "call": number,
            "method": shortened(request.method, MAX_VALUE_KEPT),
            "target": shortened(request.target, MAX_TARGET_KEPT),
        }
        if isinstance(parsed, Call):
            fields["route"] = parsed.route
            fields["terminal_serial"] = shortened(parsed.serial_number, MAX_VALUE_KEPT)
            if parsed.session_id:
                fields["session_id"] = shortened(parsed.session_id, MAX_VALUE_KEPT)
            fields["query"] = {
                name: _kept_value(value) for name, value in parsed.params.items()
            }
        fields["authorised"] = key_of(request) == self._api_key
        fields["fate"] = fate
        self._court.note(events.Note(kind="http", fields=fields))

    def _later(self, delay_ms: int, call: Callable[[], None]) -> None:
        self._court.kernel.at(self._court.kernel.now_ms + delay_ms, call)


def _kept_value(value: Value) -> Value:
    if isinstance(value, tuple):
        return tuple(shortened(one, MAX_VALUE_KEPT) for one in value)
    return shortened(value, MAX_VALUE_KEPT) if isinstance(value, str) else value


def _kept_body(body: bytes) -> object | None:
    """The JSON of a body; None when it is none, or more than a record keeps."""
    return parse_json(body) if len(body) <= MAX_BODY_KEPT else None
