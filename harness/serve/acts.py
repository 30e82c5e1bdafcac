"""What people do at the bench, if it can be done now.

Each act is looked at first, because it is written to the trace before the machines hear
of it, and what did not happen must not stand there. The rules are the station's own
(``simulator.parking``); a test lets both play and compares.
"""

from typing import Final, Literal, cast

from harness.drivers import Button
from harness.serve.fields import NOT_NOW, Refused, Value
from harness.serve.play import SOMEBODY, Play
from simulator.events import TerminalButtonPressed
from simulator.terminal.sessions import MAX_SESSIONS
from simulator.terminal.terminal import CANCEL_BUTTON
from simulator.vehicle import FULL_PERMILLE

#: No more cards are taken when this many sessions are open; a terminal has an end too.
MAX_OPEN_SESSIONS: Final = MAX_SESSIONS // 2

Given = dict[str, Value]


def _not_now(why: str) -> Refused:
    return Refused(NOT_NOW, why)


def buttons(play: Play) -> tuple[str, ...]:
    """The buttons that can be pressed on the terminal's screen now."""
    screen = play.court.terminal.screen
    # The PIN screen is the terminal's own; its only button is always there.
    return (CANCEL_BUTTON,) if screen.screen == "pin" else screen.buttons


def check_room(play: Play, more: int = 1) -> None:
    """Refuse what would open more sessions than a terminal keeps."""
    is_open = sum(one.is_open for one in play.court.terminal.sessions.values())
    if is_open + more > MAX_OPEN_SESSIONS:
        raise _not_now(f"{is_open} sessions are open; close some, or reset the bench")


class Acts:
    """People at one bench. Connectors are known ones; every method may refuse."""

    def __init__(self, play: Play) -> None:
        self._play = play

    def tap(self, given: Given) -> None:
        check_room(self._play)
        self._play.drivers.tap(SOMEBODY, str(given["card"]))

    def park(self, given: Given) -> None:
        self._need(given, "empty bay")
        self._play.drivers.park(SOMEBODY, _connector(given))

    def leave(self, given: Given) -> None:
        self._need(given, "vehicle in bay")
        self._play.drivers.leave(SOMEBODY, _connector(given))

    def plug(self, given: Given) -> None:
        self._need(given, "free plug")
        vehicle = str(given["vehicle"])
        self._play.drivers.plug(SOMEBODY, _connector(given), vehicle)

    def unplug(self, given: Given) -> None:
        self._need(given, "vehicle plugged in")
        self._play.drivers.unplug(SOMEBODY, _connector(given))

    def draw(self, given: Given) -> None:
        self._need(given, "vehicle plugged in")
        self._need(given, "room in battery")
        power_w = given.get("power_w")
        drivers, connector = self._play.drivers, _connector(given)
        drivers.draw(SOMEBODY, connector, None if power_w is None else int(power_w))

    def pause(self, given: Given) -> None:
        self._need(given, "vehicle plugged in")
        self._play.drivers.pause(SOMEBODY, _connector(given))

    def press(self, given: Given) -> None:
        # The table of routes knows no other buttons.
        button = cast(Button, given["button"])
        self._play.drivers.press(SOMEBODY, _connector(given), button)

    def terminal_button(self, given: Given) -> None:
        button, there = str(given["id"]), buttons(self._play)
        if button not in there:
            shown = ", ".join(there) or "none"
            raise _not_now(
                f"no button {button!r} on the screen now; there are: {shown}"
            )
        self._play.note(
            "act", act="terminal_button", driver=SOMEBODY.name, button=button
        )
        self._play.court.tell_terminal(TerminalButtonPressed(button=button))

    def _need(self, given: Given, what: "Need") -> None:
        number = _connector(given)
        view = self._play.court.station.connector(number, now_ms=self._play.now_ms)
        # The list of stations' own rules: what has to hold, and what is said otherwise.
        holds, why = {
            "empty bay": (not view.occupied, f"bay {number} is occupied already"),
            "vehicle in bay": (view.occupied, f"no vehicle in bay {number}"),
            "free plug": (not view.vehicle, "a vehicle is plugged in already"),
            "vehicle plugged in": (bool(view.vehicle), "no vehicle is plugged in"),
            "room in battery": (
                view.charge_permille < FULL_PERMILLE,
                "the battery is full",
            ),
        }[what]
        if not holds:
            raise _not_now(why)


Need = Literal[
    "empty bay", "vehicle in bay", "free plug", "vehicle plugged in", "room in battery"
]


def _connector(given: Given) -> int:
    return int(given["connector"])
