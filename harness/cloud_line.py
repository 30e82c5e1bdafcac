"""The Internet between controller and payment cloud, in memory.

A call takes ``LATENCY_MS`` each way. The controller hears exactly once of each call: an
answer, or a failure. A lost answer is the interesting one: the call had its effect, and
only a time-out tells the controller that it does not know. Callbacks travel the other
way and go nowhere but to the address that the declaration gives.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Final, Literal
from urllib.parse import urlsplit

from simulator import events
from simulator.forecourt import Forecourt
from wire.cps import Call, Request, Response, key_of, parse_call, parse_json
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


class CloudLine:
    """See the module's text."""

    def __init__(
        self, court: Forecourt, *, api_key: str, callback_hosts: tuple[str, ...]
    ) -> None:
        self._court = court
        self._api_key = api_key
        self._callback_hosts = callback_hosts
        self._numbers = count(1)
        self._callback_numbers = count(1)
        self._pending: dict[int, _Pending] = {}
        self.deliver: Callable[[Fact], None] = lambda _fact: None
        self.listening = False
        self.is_cut = False
        self.faults: list[HttpFault] = []

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
        self._pending[number] = _Pending(action.call_id, route, fault)
        refused = self.is_cut or (fault is not None and fault.what == "refuse")
        lost = refused or (fault is not None and fault.what == "lose_request")
        self._record_call(number, request, parsed, fate="lost" if lost else "delivered")
        if refused:
            self._later(LATENCY_MS, lambda: self._fail(number, "refused"))
            return
        self._later(action.timeout_ms, lambda: self._fail(number, "timeout"))
        if not lost:
            self._later(LATENCY_MS, lambda: self._court.call_cloud(number, request))

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
            "body": parse_json(response.body),
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
                )
            )

    def callback(self, what: str, url: str, body: bytes) -> None:
        """The cloud posts to the controller."""
        number = next(self._callback_numbers)
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        allowed = parts.hostname in self._callback_hosts
        if not allowed:
            self._court.note(
                events.Note(
                    kind="finding",
                    fields={
                        "requirement": "callback-host",
                        "expected": "a callback to " + ", ".join(self._callback_hosts),
                        "seen": f"callback to {parts.hostname}",
                    },
                )
            )

        def arrive() -> None:
            heard = allowed and self.listening and not self.is_cut
            fields: Mapping[str, object] = {
                "callback": number,
                "target": target,
                "what": what,
                "body": parse_json(body),
                "fate": "delivered" if heard else "lost",
            }
            self._court.note(events.Note(kind="callback", fields=fields))
            if heard:
                self.deliver(
                    CallbackReceived(
                        callback_id=number, target=target, body=body, url=url
                    )
                )

        self._later(CALLBACK_LATENCY_MS, arrive)

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
            "method": request.method,
            "target": request.target,
        }
        if isinstance(parsed, Call):
            fields["route"] = parsed.route
            fields["terminal_serial"] = parsed.serial_number
            if parsed.session_id:
                fields["session_id"] = parsed.session_id
            fields["query"] = dict(parsed.params)
        fields["authorised"] = key_of(request) == self._api_key
        fields["fate"] = fate
        self._court.note(events.Note(kind="http", fields=fields))

    def _later(self, delay_ms: int, call: Callable[[], None]) -> None:
        self._court.kernel.at(self._court.kernel.now_ms + delay_ms, call)
