"""Oracles about what the controller says: on the PSP line, to the cloud, to people."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from harness.judge.closes import Outcome
from harness.judge.facts import At, LinkChange, Message
from harness.judge.net import session_timeouts
from harness.judge.reading import strings_in, text
from harness.judge.scene import Scene, fail, warn
from harness.judge.timeline import Timeline
from harness.judge.verdict import Conduct, Finding

# --- The PSP line ---------------------------------------------------------------


def _psp_breaches(scene: Scene) -> Iterator[Finding]:
    for message in scene.timeline.messages:
        if not message.outbound:
            continue
        if message.malformed and message.fate in ("delivered", "late"):
            expected = "well-formed blocks"
            yield fail(message, "R-PSP-01", expected=expected, seen=message.malformed)
        elif message.name == "Remove Sessions":
            yield _removal(scene, message)


def _removal(scene: Scene, message: Message) -> Finding:
    still_open = [s for s in scene.ledger.sessions if s.open_at(message.seq)]
    expected, seen = "each session closed on its own", "Remove Sessions"
    if still_open:
        seen += f" with {len(still_open)} open"
        return fail(message, "R-PER-04", expected=expected, seen=seen)
    return warn(message, "R-PER-04", expected=expected, seen=seen)


#: Nothing may cross the TCP line for longer than this (psp.md 1).
IDLE_MS: Final = 20_000


def _idle(scene: Scene) -> Iterator[Finding]:
    """R-TRM-07: the terminal hung up because the controller kept silent."""
    for change in scene.timeline.links:
        idle = change.link == "psp" and not change.up and change.reason == "idle"
        if idle and not _disturbed(scene.timeline, change):
            expected = "something on the line at least every 20 s"
            yield fail(change, "R-TRM-07", expected=expected, seen="20 s of silence")


def _disturbed(timeline: Timeline, change: LinkChange) -> bool:
    """The silence was made by a fault: a dead controller, or bytes that were lost."""
    window = range(change.t_ms - IDLE_MS - 1_000, change.t_ms + 1)
    return any(t in window for t in timeline.lost_ms) or any(
        life.event == "killed" and life.t_ms in window for life in timeline.lives
    )


# --- The cloud ------------------------------------------------------------------


def _refused_since(scene: Scene, seq: int) -> int:
    """Another call may have been refused, and the operator told, just before it."""
    since = seq
    for answer in sorted(scene.timeline.answers.values(), key=lambda each: each.seq):
        if answer.seq > seq:
            break
        since = min(since, answer.seq) if answer.status in (401, 403) else seq
    return since


def _keys(scene: Scene) -> Iterator[Finding]:
    """The Authorization header, and what a refused key must lead to."""
    spoilt = any("key" in fault.name for fault in scene.timeline.faults)
    for call in scene.timeline.calls:
        if not call.authorised and not spoilt:
            expected = 'the header Authorization: CPS apikey="..."'
            yield fail(call, "R-CPS-06", expected=expected, seen="another, or none")
            return
    refused = [
        attempt
        for dossier in scene.dossiers
        for attempt in dossier.attempts
        if attempt.answer in ("401", "403")
    ]
    if refused and not _has_alarm(scene, _refused_since(scene, refused[0].seq)):
        expected = "an alarm, because closes are failing"
        yield fail(refused[0], "R-CPS-06", expected=expected, seen="none")


def _has_alarm(scene: Scene, seq: int) -> bool:
    return any(line.seq > seq for line in scene.bay.alarms)


def _false_conflicts(scene: Scene) -> Iterator[Finding]:
    """A 409 for an open session would be a lie of the examiner."""
    for dossier in scene.dossiers:
        session = dossier.session
        for attempt in dossier.attempts:
            gone = attempt.outcome is Outcome.GONE and attempt.answer == "409"
            if gone and attempt.answered and session.open_at(attempt.answered.seq):
                yield Finding(
                    conduct=Conduct.ERROR,
                    requirement="examiner",
                    expected="a 409 only for a session that is closed",
                    seen="a 409 for an open session",
                    t_ms=attempt.t_ms,
                    seqs=(attempt.seq, attempt.answered.seq),
                )


def _strangers(scene: Scene) -> Iterator[Finding]:
    for at, name in scene.closes.strangers:
        expected = "a close quotes a session that exists"
        yield fail(at, "R-SES-08", expected=expected, seen=f"a close of session {name}")


# --- What people read -----------------------------------------------------------

_PAN: Final = re.compile(r"(?<![0-9A-Za-z])[0-9]{13,19}(?![0-9A-Za-z])")
_DECLINE_CODE: Final = re.compile(r"0x0[1-9A-Ca-c]\b|\bDFCA02\b")


def passes_luhn(digits: str) -> bool:
    """The check digit of card numbers (ISO/IEC 7812)."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + index % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def _texts(scene: Scene) -> Iterator[tuple[At, str]]:
    """Everything that the controller said in words."""
    for line in scene.timeline.lines:
        if line.outbound:
            yield from ((line, words) for words in strings_in(line.line))
    for call in scene.timeline.calls:
        yield call, call.target
    for message in scene.timeline.messages:
        if message.outbound and message.name == "UI Request":
            yield from ((message, words) for words in strings_in(message.fields))


def _card_numbers(scene: Scene) -> Iterator[Finding]:
    """U7: no card number in anything the controller says. The number is not quoted."""
    for at, words in _texts(scene):
        if any(passes_luhn(match[0]) for match in _PAN.finditer(words)):
            expected = "masked card numbers only"
            yield fail(
                at, "R-UI-07", expected=expected, seen="what looks like a card number"
            )


def _decline_codes(scene: Scene) -> Iterator[Finding]:
    """R-UI-05 is a SHOULD, and free text is not judged: a warning."""
    for line in scene.bay.shows:
        if _DECLINE_CODE.search(text(line.line, "text")):
            expected = "a general message that refers to the issuer"
            yield warn(line, "R-UI-05", expected=expected, seen="a decline code")


def _silent_release(scene: Scene) -> Iterator[Finding]:
    """R-NOS-07: the driver is told that it did not start."""
    said = [line.t_ms for line in scene.bay.shows]
    said += [m.t_ms for m in scene.timeline.messages if m.name == "UI Request"]
    said += [c.t_ms for c in scene.timeline.calls if "uiMessage" in c.target]
    for session in scene.ledger.sessions:
        close = session.closed
        if close is None or scene.binding.intervals(session):
            continue
        if not any(abs(t_ms - close.t_ms) <= 60_000 for t_ms in said):
            expected = "the driver is told that the hold is released"
            yield warn(close, "R-NOS-07", expected=expected, seen="nothing")


SPOKEN: Final[tuple[Callable[[Scene], Iterator[Finding]], ...]] = (
    _psp_breaches,
    session_timeouts,
    _idle,
    _keys,
    _false_conflicts,
    _strangers,
    _card_numbers,
    _decline_codes,
    _silent_release,
)
