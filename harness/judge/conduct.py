"""Oracles that hold in every scenario, read from the trace alone.

Each looks for one kind of breach and yields lines; a line with PASS is a warning.
Requirements are those of requirements.md section 2 (U1 to U8) and section 1.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from harness.judge.audits import AUDITS
from harness.judge.bay import Story, active_faults, last
from harness.judge.binding import Interval
from harness.judge.closes import Attempt
from harness.judge.dossier import Dossier, is_right
from harness.judge.facts import Act, At
from harness.judge.metering import used
from harness.judge.scene import Scene, fail
from harness.judge.sessions import Session, authorise_calls
from harness.judge.spans import covering
from harness.judge.talk import SPOKEN
from harness.judge.tariff import price
from harness.judge.triggers import card_read, is_card_of
from harness.judge.verdict import Finding

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
            promises=scene.timeline.promises,
        )
        if use.high_wh > 0:
            where = f"{use.high_wh} Wh on connector {interval.connector}"
            expected = "energy only for an authorised session"
            yield fail(interval.start, "R-NOS-05", expected=expected, seen=where)


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
            yield from _still_closed(scene, dossier, attempt)


def _still_closed(
    scene: Scene, dossier: Dossier, attempt: Attempt
) -> Iterator[Finding]:
    """A contactor that the controller saw closed and had not ordered open."""
    if covering(scene.bay.outages, attempt.t_ms) is not None:
        return
    for interval in dossier.case.intervals:
        commands = scene.bay.story(interval.connector).commands
        ordered = not last(commands, attempt.t_ms, default=True)
        if interval.live_at(attempt.seq) and not ordered:
            yield fail(
                attempt,
                "R-SES-13",
                expected="a stopped charge (contactor open) before the close",
                seen=f"{attempt.op} with contactor {interval.connector} closed",
            )


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
                yield fail(attempt, "R-AMT-02", expected=expected, seen=seen)
                break


#: Energy may run past the cap for this long: one meter tick and the time to stop.
_OVERSHOOT_MS: Final = 30_000


def _past_the_cap(scene: Scene) -> Iterator[Finding]:
    """R-AMT-02: energy stops before its cost exceeds what is authorised."""
    if scene.claims.amount_strategy == "over_capture":
        return
    prices = scene.timeline.promises.prices
    for dossier in scene.dossiers:
        if not dossier.case.intervals or _uncontrolled(dossier):
            continue
        use = used(
            scene.bay,
            dossier.case.intervals,
            as_of_ms=scene.timeline.end_ms,
            promises=scene.timeline.promises,
        )
        cost = price(prices, energy_wh=use.low_wh, energised_ms=use.low_ms)
        tick_wh = scene.claims.max_power_w * _OVERSHOOT_MS // 3_600_000
        slack = price(prices, energy_wh=tick_wh, energised_ms=_OVERSHOOT_MS) + 1
        held = dossier.session.authorised_at(scene.timeline.end_ms)
        if cost > held + slack:
            expected = f"a charge that stops at the {held} authorised"
            seen = f"energy for {cost}"
            yield fail(
                dossier.case.intervals[-1].start,
                "R-AMT-02",
                expected=expected,
                seen=seen,
            )


def _uncontrolled(dossier: Dossier) -> bool:
    """The charger was out of the controller's reach for a while."""
    spans = [*dossier.case.bay.outages, *dossier.case.deaths]
    return any(span.end_ms > dossier.session.opened.t_ms for span in spans)


def _crossed(scene: Scene) -> Iterator[Finding]:
    """R-SES-08: an amount that is right for another session."""
    for dossier in scene.dossiers:
        close = dossier.session.closed
        if close is None or close.amount_minor == 0:
            continue
        if is_right(dossier, close.amount_minor):
            continue
        for other in scene.dossiers:
            due = other.expected
            if other is dossier or due is None:
                continue
            if due[0] <= close.amount_minor <= due[1]:
                expected = "the amount of the session's own connector"
                seen = f"{close.amount_minor}, which is what another session owes"
                yield fail(close, "R-SES-08", expected=expected, seen=seen)
                break


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
            yield fail(call, "R-UI-02", expected=expected, seen="an authorise call")
        elif _is_stop(scene, tap):
            expected = "the returning card stops its charge"
            yield fail(call, "R-NOS-09", expected=expected, seen="an authorise call")
        else:
            yield from _cannot_deliver(scene, tap, call)


def _is_stop(scene: Scene, tap: Act) -> bool:
    claims = scene.claims
    if "tap" not in claims.stop or claims.same_card_twice == "allow":
        return False
    # A charge that ends before its card has been read cannot be stopped by it.
    read = card_read(scene.timeline, tap) or tap
    return any(
        is_card_of(tap, session)
        and _charging(scene, session, tap.seq)
        and _charging(scene, session, read.seq)
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
    yield fail(call, "R-NOS-10", expected=expected, seen="an authorise call")


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


# --- The end --------------------------------------------------------------------

_SCANNING: Final[Mapping[str, frozenset[str]]] = {
    "psp": frozenset({"WAIT_CARD", "WAIT_AUTH"}),
    "cps": frozenset({"READING", "CARD"}),
}
_SETTLE_MS: Final = 60_000


def _in_service_until_ms(scene: Scene) -> int:
    """When the last connector was taken out of service for good; else the end."""
    closed = [
        story.available[-1].t_ms
        for story in scene.bay.stories.values()
        if story.available and not story.available[-1].value
    ]
    shut = closed and len(closed) == len(scene.bay.stories)
    return max(closed) if shut else scene.timeline.end_ms


def _final_mode(scene: Scene) -> Iterator[Finding]:
    """U8: a terminal that scans all the time scans until its station is closed."""
    until_ms = _in_service_until_ms(scene)
    faces = [
        face
        for face in scene.timeline.faces
        if face.face == scene.claims.interface and face.t_ms < until_ms
    ]
    lives = scene.timeline.lives
    alive = not lives or lives[-1].event != "killed"
    if scene.claims.scanning != "always" or not faces or not alive:
        return
    if any(d.attempts and d.session.closed is None for d in scene.dossiers):
        # Closing comes before new holds (R-RTY-10), and this one is still tried.
        return
    final = faces[-1]
    rested = until_ms - final.t_ms >= _SETTLE_MS
    if rested and final.state.upper() not in _SCANNING.get(final.face, frozenset()):
        expected = "a terminal that reads cards again"
        yield fail(
            final, "R-STP-08", expected=expected, seen=f"{final.state} to the end"
        )


def _breaches(scene: Scene) -> Iterator[Finding]:
    """What the bench noticed while it played."""
    for breach in scene.timeline.breaches:
        yield fail(
            breach, breach.requirement, expected=breach.expected, seen=breach.seen
        )


ORACLES: Final[tuple[Callable[[Scene], Iterator[Finding]], ...]] = (
    _free_energy,
    _energy_after_close,
    _over_commit,
    _past_the_cap,
    _crossed,
    _authorisations,
    _final_mode,
    _breaches,
)


def oracles(scene: Scene) -> Iterator[Finding]:
    """Every line that the oracles have to say, warnings included."""
    for oracle in (*ORACLES, *SPOKEN, *AUDITS):
        yield from oracle(scene)
