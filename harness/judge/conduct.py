"""Oracles that hold in every scenario, read from the trace alone.

Each looks for one kind of breach and yields lines; a line with PASS is a warning.
Requirements are those of requirements.md section 2 (U1 to U8) and section 1.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.judge.bay import Bay, Story, active_faults, last
from harness.judge.binding import Binding, Interval
from harness.judge.closes import Attempt, Closes, Outcome
from harness.judge.metering import used
from harness.judge.promises import Claims
from harness.judge.reading import strings_in, text
from harness.judge.sessions import Ledger, Session, authorise_calls
from harness.judge.settlement import Dossier
from harness.judge.spans import covering
from harness.judge.tariff import price
from harness.judge.timeline import Act, At, LinkChange, Message, Timeline
from harness.judge.triggers import card_read
from harness.judge.verdict import Conduct, Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything an oracle may look at."""

    timeline: Timeline
    ledger: Ledger
    bay: Bay
    binding: Binding
    closes: Closes
    dossiers: Sequence[Dossier]

    @property
    def claims(self) -> Claims:
        return self.timeline.promises.claims


def _fail(requirement: str, expected: str, seen: str, at: At | Attempt) -> Finding:
    return Finding(
        conduct=Conduct.FAIL,
        requirement=requirement,
        expected=expected,
        seen=seen,
        t_ms=at.t_ms,
        seqs=(at.seq,),
    )


def _warn(requirement: str, expected: str, seen: str, at: At) -> Finding:
    return Finding(
        conduct=Conduct.PASS,
        requirement=requirement,
        expected=expected,
        seen=seen,
        t_ms=at.t_ms,
        seqs=(at.seq,),
    )


# --- Energy ---------------------------------------------------------------------


def _free_energy(scene: Scene) -> Iterator[Finding]:
    """U5: no energy without an authorised session, unless declared otherwise."""
    for interval in scene.binding.unpaid:
        if _vended(scene, interval) or _by_rfid(scene, interval):
            continue
        end_ms = scene.timeline.end_ms if interval.end is None else interval.end.t_ms
        use = used(
            scene.bay,
            [interval],
            as_of_ms=end_ms,
            max_power_w=scene.claims.max_power_w,
        )
        if use.high_wh > 0:
            where = f"{use.high_wh} Wh on connector {interval.connector}"
            expected = "energy only for an authorised session"
            yield _fail("R-NOS-05", expected, where, interval.start)


def _vended(scene: Scene, interval: Interval) -> bool:
    """Free vend is for when the terminal cannot authorise."""
    if not scene.claims.free_vend:
        return False
    state: dict[str, bool] = {}
    for change in scene.timeline.links:
        if change.seq < interval.start.seq:
            state[change.link] = change.up
    return not all(state.get(link, True) for link in ("psp", "cloud", "host"))


def _by_rfid(scene: Scene, interval: Interval) -> bool:
    taps = [
        act
        for act in scene.timeline.acts
        if act.act == "tap" and act.seq < interval.start.seq
    ]
    accepted = [act for act in taps if _is_rfid(act) and "unknown" not in act.card]
    return scene.claims.rfid and bool(accepted)


def _is_rfid(act: Act) -> bool:
    return act.card.startswith("rfid")


def _energy_after_close(scene: Scene) -> Iterator[Finding]:
    """R-SES-13: the charge is really over before its session is closed."""
    for dossier in scene.dossiers:
        for attempt in dossier.attempts[:1]:
            at_ms = attempt.t_ms
            live = [i for i in dossier.case.intervals if i.live_at(attempt.seq)]
            down = covering(scene.bay.outages, at_ms)
            for interval in live if down is None else ():
                story = scene.bay.story(interval.connector)
                if last(story.commands, at_ms, default=True):
                    seen = f"{attempt.op} with contactor {interval.connector} closed"
                    expected = "a stopped charge (contactor open) before the close"
                    yield _fail("R-SES-13", expected, seen, attempt)


# --- Amounts --------------------------------------------------------------------


def _over_commit(scene: Scene) -> Iterator[Finding]:
    if scene.claims.amount_strategy == "over_capture":
        return
    for dossier in scene.dossiers:
        for attempt in dossier.attempts:
            held = dossier.session.authorised_at(attempt.t_ms)
            if attempt.amount_minor is not None and attempt.amount_minor > held:
                expected = f"a commit of at most the {held} authorised"
                seen = f"a commit of {attempt.amount_minor}"
                yield _fail("R-AMT-02", expected, seen, attempt)
                break


#: Energy may run past the cap for this long: one meter tick and the time to stop.
_OVERSHOOT_MS: Final = 30_000


def _past_the_cap(scene: Scene) -> Iterator[Finding]:
    """R-AMT-02: energy stops before its cost exceeds what is authorised."""
    if scene.claims.amount_strategy == "over_capture":
        return
    prices = scene.timeline.promises.prices
    for dossier in scene.dossiers:
        if not dossier.case.intervals:
            continue
        use = used(
            scene.bay,
            dossier.case.intervals,
            as_of_ms=scene.timeline.end_ms,
            max_power_w=scene.claims.max_power_w,
        )
        cost = price(prices, energy_wh=use.low_wh, energised_ms=use.low_ms)
        tick_wh = scene.claims.max_power_w * _OVERSHOOT_MS // 3_600_000
        slack = price(prices, energy_wh=tick_wh, energised_ms=_OVERSHOOT_MS) + 1
        held = dossier.session.authorised_at(scene.timeline.end_ms)
        if cost > held + slack:
            expected = f"a charge that stops at the {held} authorised"
            seen = f"energy for {cost}"
            yield _fail("R-AMT-02", expected, seen, dossier.case.intervals[-1].start)


def _crossed(scene: Scene) -> Iterator[Finding]:
    """R-SES-08: an amount that is right for another session."""
    for dossier in scene.dossiers:
        close, own = dossier.session.closed, dossier.expected
        if close is None or close.amount_minor == 0 or own is None:
            continue
        if own[0] <= close.amount_minor <= own[1]:
            continue
        for other in scene.dossiers:
            due = other.expected
            if other is dossier or due is None:
                continue
            if due[0] <= close.amount_minor <= due[1]:
                expected = "the amount of the session's own connector"
                seen = f"{close.amount_minor}, which is what another session owes"
                yield _fail("R-SES-08", expected, seen, close)
                break


# --- The PSP line ---------------------------------------------------------------


def _psp_breaches(scene: Scene) -> Iterator[Finding]:
    for message in scene.timeline.messages:
        if not message.outbound:
            continue
        if message.malformed and message.fate == "delivered":
            expected = "well-formed blocks"
            yield _fail("R-PSP-01", expected, message.malformed, message)
        elif message.name == "Setup" and _commits_at_expiry(message):
            expected = "a Setup whose time-out voids"
            seen = "a Setup whose time-out commits the full amount"
            yield _fail("R-PER-05", expected, seen, message)
        elif message.name == "Remove Sessions":
            yield _removal(scene, message)


def _commits_at_expiry(message: Message) -> bool:
    return message.fields.get("action") in (0, "COMMIT", "commit")


def _removal(scene: Scene, message: Message) -> Finding:
    still_open = [s for s in scene.ledger.sessions if s.open_at(message.seq)]
    expected, seen = "each session closed on its own", "Remove Sessions"
    if still_open:
        seen += f" with {len(still_open)} open"
        return _fail("R-PER-04", expected, seen, message)
    return _warn("R-PER-04", expected, seen, message)


#: Nothing may cross the TCP line for longer than this (psp.md 1).
IDLE_MS: Final = 20_000


def _idle(scene: Scene) -> Iterator[Finding]:
    """R-TRM-07: the terminal hung up because the controller kept silent."""
    for change in scene.timeline.links:
        idle = change.link == "psp" and not change.up and change.reason == "idle"
        if idle and not _disturbed(scene.timeline, change):
            expected = "something on the line at least every 20 s"
            yield _fail("R-TRM-07", expected, "20 s of silence", change)


def _disturbed(timeline: Timeline, change: LinkChange) -> bool:
    """The silence was made by a fault: a dead controller, or bytes that were lost."""
    window = range(change.t_ms - IDLE_MS - 1_000, change.t_ms + 1)
    return any(t in window for t in timeline.lost_ms) or any(
        life.event == "killed" and life.t_ms in window for life in timeline.lives
    )


# --- Authorising ----------------------------------------------------------------


def _authorisations(scene: Scene) -> Iterator[Finding]:
    """What is judged of an authorisation is the call, whatever the answer."""
    taps = [act for act in scene.timeline.acts if act.act == "tap"]
    for call in authorise_calls(scene.timeline):
        before = [tap for tap in taps if tap.seq < call.seq]
        if not before:
            continue
        tap = before[-1]
        if _is_rfid(tap):
            expected = "no authorisation for a card that is not a payment card"
            yield _fail("R-UI-02", expected, "an authorise call", call)
        elif _is_stop(scene, tap):
            expected = "the returning card stops its charge"
            yield _fail("R-NOS-09", expected, "an authorise call", call)
        else:
            yield from _cannot_deliver(scene, tap, call)


def _is_stop(scene: Scene, tap: Act) -> bool:
    claims = scene.claims
    if "tap" not in claims.stop or claims.same_card_twice == "allow":
        return False
    return bool(tap.card_id) and any(
        session.card_id == tap.card_id and _charging(scene, session, tap.seq)
        for session in scene.ledger.sessions
    )


def _charging(scene: Scene, session: Session, seq: int) -> bool:
    return session.open_at(seq) and any(
        interval.live_at(seq) for interval in scene.binding.intervals(session)
    )


#: A charger state this fresh may not have been seen yet when the card came.
_FRESH_MS: Final = 2_000


def _cannot_deliver(scene: Scene, tap: Act, call: At) -> Iterator[Finding]:
    """R-NOS-10: nobody is charged for a charger that cannot deliver."""
    read = card_read(scene.timeline, tap)
    if read is None:
        return
    stories = list(scene.bay.stories.values())
    known = read.t_ms - _FRESH_MS
    if not stories or not all(_useless(scene, s, known, read) for s in stories):
        return
    expected = "no authorisation while no connector can deliver"
    yield _fail("R-NOS-10", expected, "an authorise call", call)


def _useless(scene: Scene, story: Story, known_ms: int, read: At) -> bool:
    """Out of order both before the card came and still when it was read."""
    return all(_unusable(scene, story, t_ms) for t_ms in (known_ms, read.t_ms))


def _unusable(scene: Scene, story: Story, t_ms: int) -> bool:
    if t_ms < 0:
        return False
    emergency = last(scene.bay.emergency, t_ms, default=False)
    down = covering(scene.bay.outages, t_ms) is not None
    served = last(story.available, t_ms, default=True)
    return emergency or down or not served or bool(active_faults(story, t_ms))


# --- The cloud ------------------------------------------------------------------


def _keys(scene: Scene) -> Iterator[Finding]:
    """The Authorization header, and what a refused key must lead to."""
    spoilt = any("key" in fault.name for fault in scene.timeline.faults)
    for call in scene.timeline.calls:
        if not call.authorised and not spoilt:
            expected = 'the header Authorization: CPS apikey="..."'
            yield _fail("R-CPS-06", expected, "another, or none", call)
            return
    refused = [
        attempt
        for dossier in scene.dossiers
        for attempt in dossier.attempts
        if attempt.answer in ("401", "403")
    ]
    if refused and not _has_alarm(scene, refused[0].seq):
        expected = "an alarm, because closes are failing"
        yield _fail("R-CPS-06", expected, "none", refused[0])


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
        yield _fail("R-SES-08", expected, f"a close of session {name}", at)


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
            yield _fail("R-UI-07", expected, "what looks like a card number", at)


def _decline_codes(scene: Scene) -> Iterator[Finding]:
    """R-UI-05 is a SHOULD, and free text is not judged: a warning."""
    for line in scene.bay.shows:
        if _DECLINE_CODE.search(text(line.line, "text")):
            expected = "a general message that refers to the issuer"
            yield _warn("R-UI-05", expected, "a decline code", line)


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
            yield _warn("R-NOS-07", expected, "nothing", close)


# --- The end --------------------------------------------------------------------

_SCANNING: Final[Mapping[str, frozenset[str]]] = {
    "psp": frozenset({"WAIT_CARD", "WAIT_AUTH"}),
    "cps": frozenset({"READING", "CARD"}),
}
_SETTLE_MS: Final = 60_000


def _final_mode(scene: Scene) -> Iterator[Finding]:
    """U8: a terminal that scans all the time scans again at the end."""
    faces = [f for f in scene.timeline.faces if f.face == scene.claims.interface]
    lives = scene.timeline.lives
    alive = not lives or lives[-1].event != "killed"
    if scene.claims.scanning != "always" or not faces or not alive:
        return
    final = faces[-1]
    rested = scene.timeline.end_ms - final.t_ms >= _SETTLE_MS
    if rested and final.state.upper() not in _SCANNING.get(final.face, frozenset()):
        expected = "a terminal that reads cards again"
        yield _fail("R-STP-08", expected, f"{final.state} to the end", final)


def _breaches(scene: Scene) -> Iterator[Finding]:
    """What the bench noticed while it played."""
    for breach in scene.timeline.breaches:
        yield _fail(breach.requirement, breach.expected, breach.seen, breach)


ORACLES: Final[tuple[Callable[[Scene], Iterator[Finding]], ...]] = (
    _free_energy,
    _energy_after_close,
    _over_commit,
    _past_the_cap,
    _crossed,
    _psp_breaches,
    _idle,
    _authorisations,
    _keys,
    _false_conflicts,
    _strangers,
    _card_numbers,
    _decline_codes,
    _silent_release,
    _final_mode,
    _breaches,
)


def oracles(scene: Scene) -> Iterator[Finding]:
    """Every line that the oracles have to say, warnings included."""
    for oracle in ORACLES:
        yield from oracle(scene)
