"""Audits of every case: what was declared is what is done, and nothing is hurried.

What a whole run would have to be searched for is looked for in each of its cases, so
that no search comes too late.
"""

from collections.abc import Callable, Iterator
from typing import Final

from harness.judge.deadlines import blockages
from harness.judge.facts import At, Face
from harness.judge.reading import number, numeral
from harness.judge.scene import Scene, fail
from harness.judge.triggers import card_reads
from harness.judge.verdict import Finding

#: Start of a reading of cards that may lead to an authorisation.
_START_ROUTE: Final = "E3"
#: What ends the wait of a card over CPS: a stop or an authorisation.
_CARD_ROUTES: Final = frozenset({"E5", "E6"})
#: From the reading of a card to that; windows have 2 s.
_KEPT_MS: Final = 30_000
_SLACK_MS: Final = 2_000
#: Who hears of a card later than this has too little time left.
_HEARD_MS: Final = 15_000


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


def _kept_cards(scene: Scene) -> Iterator[Finding]:
    """R-CPS-03: a card that will not be charged is let go, not left to time out."""
    faces = [face for face in scene.timeline.faces if face.face == "cps"]
    for turn, face in enumerate(faces, start=1):
        is_last = turn == len(faces)
        end_ms = scene.timeline.end_ms if is_last else faces[turn].t_ms
        is_kept = face.state.upper() == "CARD" and end_ms - face.t_ms >= _KEPT_MS
        if is_kept and _is_left(scene, face):
            expected = "a stop or an authorisation within 30 s of the card"
            yield fail(face, "R-CPS-03", expected=expected, seen="neither")


def _is_left(scene: Scene, card: Face) -> bool:
    """The controller knew of the card, could have called, and did not."""
    timeline, limit_ms = scene.timeline, card.t_ms + _KEPT_MS
    heard = any(
        at.seq > card.seq and at.t_ms <= card.t_ms + _HEARD_MS
        for at in card_reads(timeline)
    )
    called = any(
        call.route in _CARD_ROUTES and card.t_ms <= call.t_ms <= limit_ms + _SLACK_MS
        for call in timeline.calls
    )
    if called or not heard:
        return False
    spans = blockages(timeline)
    return not any(s.start_ms < limit_ms and s.end_ms > card.t_ms for s in spans)


AUDITS: Final[tuple[Callable[[Scene], Iterator[Finding]], ...]] = (
    _reserves,
    _restarts,
    _kept_cards,
)
