"""A loop with a controller that only listens, for tests of what is around the loop."""

import time
from collections.abc import Callable, Mapping, Sequence

from controller_ref.shells.loop import Clock, Loop, Port
from wire.machine import Action, Fact, Link

LIMIT_S = 10.0


class Ear:
    """A controller that writes facts down and answers with what it was told to."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.answers: dict[type[Fact], Sequence[Action]] = {}
        #: When to wake, and when that happened.
        self.deadlines: list[int] = []
        self.woken: list[int] = []

    def handle(self, event: Fact, now_ms: int) -> Sequence[Action]:
        self.facts.append(event)
        return self.answers.get(type(event), ())

    def deadline_ms(self) -> int | None:
        return min(self.deadlines, default=None)

    def on_deadline(self, now_ms: int) -> Sequence[Action]:
        self.woken.append(now_ms)
        self.deadlines.remove(min(self.deadlines))
        return ()


class Listening:
    """The loop and its ear, and a way to run until something has been heard."""

    def __init__(
        self, scale: int = 1, links: Mapping[Link, Port] | None = None
    ) -> None:
        self.loop = Loop(Clock(scale))
        self.loop.links = links or {}
        self.ear = Ear()

    def until(self, holds: Callable[[], object]) -> None:
        """Let the loop turn until something holds; fails when it does not in time."""
        end_s = time.monotonic() + LIMIT_S
        while not holds():
            assert time.monotonic() < end_s, f"never came; heard {self.ear.facts}"
            # Whoever waits for another thread or process must not wait for a fact.
            self.loop.after(0.02, _look_again)
            self.loop.turn(self.ear)

    def hear(self, number: int) -> list[Fact]:
        """The facts so far, at least so many."""
        self.until(lambda: len(self.ear.facts) >= number)
        return self.ear.facts


def _look_again() -> None:
    """Only ends a wait."""
