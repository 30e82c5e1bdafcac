"""A controller that neither hears nor says anything."""

from collections.abc import Sequence

from wire.machine import Action, Fact, Place


class Mute:
    def handle(self, event: Fact, now_ms: int) -> Sequence[Action]:
        return ()

    def deadline_ms(self) -> int | None:
        return None

    def on_deadline(self, now_ms: int) -> Sequence[Action]:
        return ()


def mute(place: Place) -> Mute:
    return Mute()
