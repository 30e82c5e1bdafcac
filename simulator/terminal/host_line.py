"""The line from the terminal to its payment host: requests out, answers in.

Numbers the requests, remembers who asked, and hands each answer to its asker. It knows
whether the line is up and the terminal has power; what is to be done about either is
the business of ``Authorisations`` and ``Closings``.

The bench delivers every answer of the issuer. Answers that come while the line is down
wait here, as they would on it; so do answers that need a running terminal while it has
no power. A close is a fact of the world, power or not, and is taken at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from simulator.events import Authorise, Capture, Increment, IssuerAnswered, Release
from simulator.terminal.outbox import Outbox

#: Answers kept while the line is down; far more than can be outstanding.
MAX_WAITING_ANSWERS: Final = 10_000

Answered = Callable[[IssuerAnswered, int], None]
Request = Authorise | Capture | Increment | Release


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    answered: Answered
    needs_power: bool


class HostLine:
    """Requests to the issuer and their answers."""

    def __init__(self, out: Outbox) -> None:
        self._out = out
        self.is_up = True
        self.is_powered = True
        self._last_request = 0
        self._asked: dict[int, _Asked] = {}
        self._waiting: list[IssuerAnswered] = []

    @property
    def can_send(self) -> bool:
        return self.is_up and self.is_powered

    def ask(
        self,
        request: Callable[[int], Request],
        answered: Answered,
        *,
        needs_power: bool = False,
    ) -> None:
        """Send what ``request`` makes of a fresh number; ``answered`` gets the answer.

        An issuer that stays silent never calls back.
        """
        self._last_request += 1
        self._asked[self._last_request] = _Asked(
            answered=answered, needs_power=needs_power
        )
        self._out.put(request(self._last_request))

    def answered(self, event: IssuerAnswered, now_ms: int) -> None:
        """Take an answer; a second answer to one request is ignored."""
        asked = self._asked.get(event.request)
        if asked is None:
            return
        if self.is_up and (self.is_powered or not asked.needs_power):
            del self._asked[event.request]
            asked.answered(event, now_ms)
        elif len(self._waiting) < MAX_WAITING_ANSWERS:
            self._waiting.append(event)

    def catch_up(self, now_ms: int) -> None:
        """The line or the power is back: take what has waited, in order."""
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            self.answered(event, now_ms)
