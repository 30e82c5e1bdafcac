"""Calls to the payment cloud: numbered, answered once, and an eye on the key.

A refused key means that closes are failing, so the operator hears of it at once, and
once for each outage (R-CPS-06).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from wire.cps import RemoteProtocolError, Session, Value, build, parse_json
from wire.machine import Action, CallHttp, HttpAnswered, HttpFailed, Place

CALL_MS: Final = 30_000
_KEY_REFUSED: Final = (401, 403)


@dataclass(frozen=True, slots=True, kw_only=True)
class CpsAnswer:
    """How a call ended; ``status`` 0 when there is no answer."""

    status: int = 0
    body: bytes = b""
    failure: str = ""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_key_refused(self) -> bool:
        return self.status in _KEY_REFUSED

    @property
    def is_refused(self) -> bool:
        """Surely without effect: never arrived, or turned away."""
        is_turned_away = 400 <= self.status < 500 and self.status != 408
        return self.failure == "refused" or is_turned_away

    @property
    def is_trouble(self) -> bool:
        return bool(self.failure) or self.status >= 500

    def session(self) -> Session | None:
        try:
            return Session.from_json(parse_json(self.body))
        except RemoteProtocolError:
            return None


Then = Callable[[CpsAnswer, int], None]


class Caller(Protocol):
    """Make a call; ``then`` is told how it ended, exactly once."""

    def __call__(
        self,
        route: str,
        then: Then,
        *,
        session_id: str = "",
        params: Mapping[str, Value] | None = None,
        timeout_ms: int = CALL_MS,
    ) -> None: ...


class CpsCalls:
    """``on_key`` is told when the key stops being accepted."""

    def __init__(
        self, place: Place, out: list[Action], *, on_key: Callable[[int, int], None]
    ) -> None:
        self._place = place
        self._out = out
        self._on_key = on_key
        self._waiting: dict[int, Then] = {}
        self._last = 0
        #: The last call that had left when the key was refused; 0: the key is good.
        self._refused_call = 0

    def call(
        self,
        route: str,
        then: Then,
        *,
        session_id: str = "",
        params: Mapping[str, Value] | None = None,
        timeout_ms: int = CALL_MS,
    ) -> None:
        request = build(
            route,
            api_key=self._place.cps_api_key,
            serial_number=self._place.terminal_serial,
            session_id=session_id,
            params=params,
        )
        self._last += 1
        self._waiting[self._last] = then
        self._out.append(
            CallHttp(
                call_id=self._last,
                method=request.method,
                target=request.target,
                headers=request.headers,
                body=request.body,
                timeout_ms=timeout_ms,
            )
        )

    def ended(self, fact: HttpAnswered | HttpFailed, now_ms: int) -> CpsAnswer | None:
        """A call has ended: tell who made it. None for a call that is not ours."""
        then = self._waiting.pop(fact.call_id, None)
        if then is None:
            return None
        if isinstance(fact, HttpAnswered):
            answer = CpsAnswer(status=fact.status, body=fact.body)
        else:
            answer = CpsAnswer(failure=fact.reason)
        self._watch_key(fact.call_id, answer, now_ms)
        then(answer, now_ms)
        return answer

    def _watch_key(self, call_id: int, answer: CpsAnswer, now_ms: int) -> None:
        if answer.is_key_refused and not self._refused_call:
            self._refused_call = self._last
            self._on_key(answer.status, now_ms)
        elif answer.status and not answer.is_key_refused:
            # Only a call that left after the refusal shows that the key is good again.
            self._refused_call *= call_id <= self._refused_call
