"""An issuer on a bench, with whoever asks it."""

from collections.abc import Sequence

from simulator.events import (
    Authorise,
    Capture,
    Increment,
    IssuerAnswered,
    Note,
    Release,
)
from simulator.holds import Hold
from simulator.issuer import (
    Action,
    Event,
    Issuer,
)
from simulator.seed import Seed

DAY_MS = 86_400_000


class Desk:
    """An issuer, a clock and the numbers of the requests."""

    def __init__(self, family: str = "apollo", seed: int = 1) -> None:
        self.issuer = Issuer(Seed(seed).stream("issuer"), family=family)
        self.now_ms = 0
        self.requests = 0
        self.log: list[Action] = []

    def send(self, event: Event) -> None:
        self.log += self.issuer.handle(event, self.now_ms)

    def number(self) -> int:
        self.requests += 1
        return self.requests

    def authorise(self, card: str = "visa", amount_minor: int = 5000) -> int:
        number = self.number()
        self.send(Authorise(request=number, card=card, amount_minor=amount_minor))
        return number

    def increment(self, hold: str, total_minor: int) -> int:
        number = self.number()
        self.send(Increment(request=number, hold=hold, total_minor=total_minor))
        return number

    def capture(self, hold: str, amount_minor: int) -> int:
        number = self.number()
        self.send(Capture(request=number, hold=hold, amount_minor=amount_minor))
        return number

    def release(self, hold: str) -> int:
        number = self.number()
        self.send(Release(request=number, hold=hold))
        return number

    def wait(self, span_ms: int) -> None:
        end_ms = self.now_ms + span_ms
        while True:
            due_ms = self.issuer.deadline_ms()
            if due_ms is None or due_ms > end_ms:
                break
            assert due_ms >= self.now_ms
            self.now_ms = due_ms
            self.log += self.issuer.on_deadline(due_ms)
        self.now_ms = end_ms

    def answer(self, request: int) -> IssuerAnswered:
        found = self.answers(request)
        assert len(found) == 1
        return found[0]

    def answers(self, request: int) -> list[IssuerAnswered]:
        return [
            row
            for row in self.log
            if isinstance(row, IssuerAnswered) and row.request == request
        ]

    def notes(self) -> list[str]:
        return [str(row.fields["event"]) for row in notes_of(self.log)]

    def opened(self, card: str = "visa", amount_minor: int = 5000) -> Hold:
        request = self.authorise(card, amount_minor)
        self.wait(1000)
        return self.issuer.holds[self.answer(request).hold]

    def held(self, hold: Hold) -> Hold:
        return self.issuer.holds[hold.hold]


def notes_of(actions: Sequence[Action]) -> list[Note]:
    return [row for row in actions if isinstance(row, Note)]
