"""The terminal's own session time-out: a net of last resort (R-PER-05).

Setup tells the terminal after how long it ends a session by itself, and how. To take
the full amount is a charge that nobody has counted; to end a session that may still be
charging takes the money away that pays for it. Here the Setup that was sent is held
against the declaration; ``settlement`` judges what became of the sessions.

The shortest bound that can be held against anybody: a driver who uses every window that
was declared, and the whole reserve at full power. Slower vehicles charge for longer, so
a time-out just above it is still a bad one; where it does not even outlive the retries
of a close (R-RTY-01) that is a warning. A time-out of 0 s means no end at all: our
reading (psp.md 9, A18), which is judged in favour of the controller.
"""

from collections.abc import Iterator
from typing import Final

from harness.judge.facts import Message
from harness.judge.promises import Promises
from harness.judge.reading import number
from harness.judge.scene import Scene, fail, warn
from harness.judge.verdict import Finding

#: From the first close to the last of the longest plan, in seconds (R-RTY-01).
RETRIES_S: Final = 5 * 60 + 24 * 3_600 + 7 * 86_400
_REQUIREMENT: Final = "R-PER-05"


def session_timeouts(scene: Scene) -> Iterator[Finding]:
    """What is wrong with each Setup that was sent."""
    least_s = shortest_end_s(scene.timeline.promises)
    for setup in scene.timeline.messages:
        if setup.outbound and setup.name == "Setup":
            yield from _action(setup)
            yield from _life(setup, least_s)


def _action(setup: Message) -> Iterator[Finding]:
    if setup.fields.get("action") in (0, "COMMIT", "commit"):
        expected = "a Setup whose time-out voids"
        seen = "a Setup whose time-out commits the full amount"
        yield fail(setup, _REQUIREMENT, expected=expected, seen=seen)


def _life(setup: Message, least_s: int) -> Iterator[Finding]:
    life_s = number(setup.fields, "timeout_s")
    if not life_s:
        return
    seen = f"a Setup that ends sessions after {life_s} s"
    if life_s < least_s:
        expected = f"no end before {least_s} s, which a charge may take as declared"
        yield fail(setup, _REQUIREMENT, expected=expected, seen=seen)
    elif life_s < least_s + RETRIES_S:
        expected = f"no end before {least_s + RETRIES_S} s, while closes are repeated"
        yield warn(setup, _REQUIREMENT, expected=expected, seen=seen)


def shortest_end_s(promises: Promises) -> int:
    """How long a session may take at least, before anybody could call it forgotten."""
    windows = promises.windows
    waits_ms = windows.plug_in_ms + windows.no_energy_ms + windows.parked_full_ms
    return waits_ms // 1000 + _full_power_s(promises)


def _full_power_s(promises: Promises) -> int:
    """How long the reserve lasts at full power; 0 when energy and time are free."""
    prices = promises.prices
    per_hour = prices.per_kwh * promises.claims.max_power_w // 1000
    per_hour += prices.per_minute * 60
    left = max(0, (prices.reserve or 0) - prices.per_session)
    return left * 3_600 // per_hour if per_hour else 0
