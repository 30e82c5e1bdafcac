"""Audits of every case: what was declared is what is done, and nothing is hurried.

What a whole run would have to be searched for is looked for in each of its cases, so
that no search comes too late.
"""

from collections.abc import Callable, Iterator
from typing import Final

from harness.judge.facts import At
from harness.judge.reading import number, numeral
from harness.judge.scene import Scene, fail
from harness.judge.verdict import Finding

#: Start of a reading of cards that may lead to an authorisation.
_START_ROUTE: Final = "E3"


def _reserves(scene: Scene) -> Iterator[Finding]:
    """R-AMT-01: every reading is started for the declared reservation.

    Whose driver chooses the amount declares no more than the highest.
    """
    declared = scene.timeline.promises.prices.reserve
    if declared is None:
        return
    is_cap = scene.claims.amount_strategy == "driver_cap"
    for at, asked in _asked(scene):
        if asked > declared or (asked != declared and not is_cap):
            expected = f"the declared reservation of {declared}"
            yield fail(at, "R-AMT-01", expected=expected, seen=f"{asked} asked for")
            return


def _asked(scene: Scene) -> Iterator[tuple[At, int]]:
    """Amounts other than 0, which reads a card without paying."""
    for message in scene.timeline.messages:
        if message.outbound and message.name == "Start Session":
            asked = number(message.fields, "amount_minor")
            if asked:
                yield message, asked
    for call in scene.timeline.calls:
        if call.route == _START_ROUTE:
            asked = numeral(call.query, "authorizedAmount")
            if asked:
                yield call, asked


def _restarts(scene: Scene) -> Iterator[Finding]:
    """R-TRM-11: the terminal is not rebooted while a close has not been confirmed."""
    for message in scene.timeline.messages:
        if not message.outbound or message.name != "Control":
            continue
        owed = [
            dossier
            for dossier in scene.dossiers
            if dossier.session.open_at(message.seq)
            and any(attempt.seq < message.seq for attempt in dossier.attempts)
        ]
        if owed:
            expected = "no reboot of the terminal before its closes are confirmed"
            seen = f"Control with {len(owed)} owed"
            yield fail(message, "R-TRM-11", expected=expected, seen=seen)


AUDITS: Final[tuple[Callable[[Scene], Iterator[Finding]], ...]] = (
    _reserves,
    _restarts,
)
