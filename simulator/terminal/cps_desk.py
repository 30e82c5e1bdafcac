"""The cloud's counter: answers to calls, callbacks, and the account behind the key.

Everything that leaves the cloud passes here, so that the faults of the answer side
(lost, late, twice) have one seam. The account holds the API key and the state webhook
(cps.md 1.2, E12, E13, 5.4).
"""

from dataclasses import dataclass
from typing import Final, Literal

from simulator.events import CloudAnswer, PostCallback
from simulator.terminal.impairments import Impairments, Kind
from simulator.terminal.outbox import Outbox
from wire.cps import Response, to_json

#: Answers held back at the same time.
MAX_HELD: Final = 256

What = Literal["card", "ui", "session", "state"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A call that wants an answer."""

    call: int
    route: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    at_ms: int
    answer: CloudAnswer


class Desk:
    """Answers calls and posts callbacks."""

    def __init__(self, out: Outbox, faults: Impairments) -> None:
        self._out = out
        self._faults = faults
        self._held: list[_Held] = []

    def reply(self, ask: Ask, response: Response, now_ms: int) -> None:
        """Answer a call, unless a fault takes or keeps the answer."""
        if self._faults.hit(Kind.SWALLOW_ANSWER, ask.route):
            return
        answer = CloudAnswer(call=ask.call, response=response)
        fault = self._faults.hit(Kind.DELAY_ANSWER, ask.route)
        if fault is not None and len(self._held) < MAX_HELD:
            self._held.append(_Held(at_ms=now_ms + fault.delay_ms, answer=answer))
        else:
            self._out.put(answer)

    def hung_up(self, call: int) -> None:
        """An answer that is held back has nobody to go to any more."""
        self._held = [one for one in self._held if one.answer.call != call]

    def post(self, what: What, url: str, body: object) -> None:
        """Post a callback; nothing happens without an address."""
        if not url:
            return
        callback = PostCallback(what=what, url=url, body=to_json(body))
        self._out.put(callback)
        if self._faults.hit(Kind.DUPLICATE_ANSWER, what):
            self._out.put(callback)

    def deadline_ms(self) -> int | None:
        if not self._held:
            return None
        return min(one.at_ms for one in self._held)

    def on_deadline(self, now_ms: int) -> None:
        due = [one for one in self._held if one.at_ms <= now_ms]
        self._held = [one for one in self._held if one.at_ms > now_ms]
        for one in due:
            self._out.put(one.answer)
