"""One session's case with its attempts to close it: when it was due, and how much.

The amount is judged as of the moment at which the controller fixed it: energy that it
could not see yet is not held against it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from harness.judge.bay import after, last, until
from harness.judge.binding import Binding
from harness.judge.case import SLACK_MS, Case, Trigger
from harness.judge.closes import Attempt, Closes
from harness.judge.deadlines import Lateness, lateness
from harness.judge.facts import At
from harness.judge.metering import used
from harness.judge.sessions import Session
from harness.judge.spans import Span
from harness.judge.tariff import price
from harness.judge.triggers import triggers
from harness.judge.unstored import died_with_it
from harness.judge.verdict import (
    Finding,
    Settlement,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    settlement: Settlement
    requirements: tuple[str, ...]
    expected: str
    seen: str
    at: At
    #: The controller did what it could: its conduct is not to blame.
    excused: bool = False


@dataclass(slots=True, kw_only=True)
class Dossier:
    """One session with everything that its rules need."""

    case: Case
    attempts: list[Attempt]
    closes: Closes
    binding: Binding
    blocked: Sequence[Span]
    #: The session's trigger, and how late the first attempt was.
    trigger: Trigger | None = None
    late: Lateness | None = None
    expected: tuple[int, int] | None = None
    warnings: list[Finding] = field(default_factory=list)

    @property
    def session(self) -> Session:
        return self.case.session

    @property
    def end_ms(self) -> int:
        return self.case.timeline.end_ms


# --- When and how much ----------------------------------------------------------


def first_attempt(dossier: Dossier, trigger: Trigger) -> Attempt | None:
    """The first attempt that answers this trigger."""
    due_ms = trigger.t_ms - SLACK_MS
    later = [a for a in dossier.attempts if a.t_ms >= due_ms]
    return next(iter([*later, *dossier.attempts]), None)


def pick_trigger(dossier: Dossier) -> None:
    """The first trigger that came before the controller acted, or before the end."""
    attempts, session = dossier.attempts, dossier.session
    acted_ms = attempts[0].t_ms if attempts else dossier.end_ms
    effect = next((a for a in attempts if a.effect is not None), None)
    found = triggers(dossier.case)
    for limit_ms in (acted_ms, effect.t_ms if effect else dossier.end_ms):
        due = [t for t in found if t.t_ms <= limit_ms + SLACK_MS]
        if due and session.told is not None:
            dossier.trigger = due[0]
            break
    if dossier.trigger is None:
        return
    attempt = first_attempt(dossier, dossier.trigger)
    if attempt is not None:
        dossier.late = lateness(dossier.trigger, attempt.t_ms, dossier.blocked)


def _decided(dossier: Dossier) -> int:
    """When the controller fixed the amount: its first attempt of the close that held.

    Without any close: the end of the trace.
    """
    effect = next((a for a in dossier.attempts if a.effect is not None), None)
    if effect is None:
        return dossier.attempts[-1].t_ms if dossier.attempts else dossier.end_ms
    same = [a for a in dossier.attempts if not a.differs(effect)]
    return same[0].t_ms


def right_amount(dossier: Dossier) -> tuple[int, int]:
    """Lowest and highest right amount in minor units; (0, 0) is a release."""
    case, as_of_ms = dossier.case, _decided(dossier)
    claims, prices = case.promises.claims, case.promises.prices
    use = used(
        case.bay,
        case.intervals,
        as_of_ms=as_of_ms,
        promises=case.promises,
    )
    low = price(prices, energy_wh=use.low_wh, energised_ms=use.low_ms)
    high = price(prices, energy_wh=use.high_wh, energised_ms=use.high_ms)
    if use.low_wh == 0:
        low = 0
    slack = 1 if prices.per_minute else 0
    low, high = max(0, low - slack), high + slack * (high > 0)
    authorised = dossier.session.authorised_at(as_of_ms)
    if claims.amount_strategy == "over_capture":
        return low, high
    return min(low, authorised), min(high, authorised)


def slice_of(dossier: Dossier) -> tuple[int, ...]:
    session = dossier.session
    seqs = {session.opened.seq, *(a.seq for a in dossier.attempts)}
    seqs |= {a.answered.seq for a in dossier.attempts if a.answered is not None}
    seqs |= {c.seq for c in session.closes}
    if session.told is not None:
        seqs.add(session.told.seq)
    if dossier.trigger is not None:
        seqs.add(dossier.trigger.seq)
    return tuple(sorted(seqs))


def words_of(attempt: Attempt) -> str:
    amount = "" if attempt.amount_minor is None else f" of {attempt.amount_minor}"
    return f"{attempt.op}{amount}, {attempt.answer}"


def is_right(dossier: Dossier, amount_minor: int) -> bool:
    """Whether this is what the session owes.

    Where more is owed than is held, an over-capture is only an attempt, and settling
    for what is held is right too (R-AMT-04), or for what the controller could know to
    be held.
    """
    low, high = dossier.expected or (0, 0)
    held = dossier.session.authorised_at(dossier.end_ms)
    if low <= amount_minor <= high or amount_minor == held < low:
        return True
    if amount_minor < low:
        return amount_minor in _held_before(dossier)
    return amount_minor == _unheard(dossier) > 0


def _unheard(dossier: Dossier) -> int:
    """What a charge costs of which nothing was heard but the registers around it.

    The contactor was told to close, and the link was gone before it could answer; the
    next welcome shows a register that has moved. Nothing proves when the contactor
    closed, so releasing is right as well.
    """
    case, moved_wh = dossier.case, 0
    if case.intervals or case.connector is None:
        return 0
    story = case.story
    for outage in case.bay.outages:
        is_ordered = last(story.commands, outage.start_ms, default=False)
        before = [r for r in until(story.readings, outage.start_ms) if r.good]
        then = [r for r in after(story.readings, outage.end_ms - 1) if r.good]
        if is_ordered and before and then and outage.start_ms >= case.told.t_ms:
            moved_wh += then[0].energy_wh - before[-1].energy_wh
    cost = price(case.promises.prices, energy_wh=max(moved_wh, 0), energised_ms=0)
    return min(cost, dossier.session.authorised_at(dossier.end_ms))


def _held_before(dossier: Dossier) -> list[int]:
    """What was held before a raise whose answer died with the controller.

    Where sessions can be looked up, a controller can find out.
    """
    timeline, authorised = dossier.case.timeline, dossier.session.authorised
    if dossier.case.promises.claims.lists_sessions:
        return []
    told = [m for m in timeline.messages if m.name == _RAISED and m.fate == "delivered"]
    return [
        before.amount_minor
        for before, raised in pairwise(authorised)
        if not any(
            m.seq > raised.seq and not died_with_it(timeline, m)
            for m in [m for m in told if m.seq > raised.seq][:1]
        )
    ]


_RAISED: Final = "Update Session Result"
