# ruff: noqa: E501 - a table
"""The card schemes' own windows, which no retry plan of Payter's stretches.

Two rules (requirements.md 3.3): what is not needed of a hold goes back within 24 hours
of the moment at which that was known, all of it or a part (R-EXT-01); and a commit
comes while the authorisation is valid (R-EXT-02). Payter's plan of seven days outlives
both, so a close can keep the plan and still be late for the scheme: a finding of its
own, LATE with the rule named. It is the money that is late, not always the controller:
who tried in time is excused in conduct, never in settlement.

A scheme is known by the test card's name (bench.md). A card that does not say its
scheme is judged by the shortest window of each rule.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from harness.judge.dossier import Dossier, Fault
from harness.judge.sessions import TrueClose
from harness.judge.verdict import Settlement

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    name: str
    #: From knowing that a hold, or a part of it, is not needed; None: no rule known.
    reversal_ms: int | None
    #: From the approval to the commit.
    validity_ms: int
    #: The sources, by their keys in requirements.md.
    source: str


# fmt: off
SCHEMES: Final = (
    Scheme(name="visa", reversal_ms=24 * _HOUR_MS, validity_ms=5 * _DAY_MS, source="VISA-09, TILL; VISA-24 (card present)"),
    # 7 days for a final authorisation, 30 for a pre-authorisation; no interface shows which.
    Scheme(name="mastercard", reversal_ms=24 * _HOUR_MS, validity_ms=7 * _DAY_MS, source="MC-16"),
    Scheme(name="amex", reversal_ms=None, validity_ms=7 * _DAY_MS, source="AMEX"),
)
# fmt: on
#: For a card that says nothing.
ANY: Final = Scheme(
    name="any scheme",
    reversal_ms=min(row.reversal_ms for row in SCHEMES if row.reversal_ms),
    validity_ms=min(row.validity_ms for row in SCHEMES),
    source="the shortest of all",
)


def scheme_of(card: str) -> Scheme:
    """By the name of the test card: ``visa2`` is a Visa card."""
    return next((row for row in SCHEMES if card.startswith(row.name)), ANY)


def scheme_late(dossier: Dossier) -> Iterator[Fault]:
    """LATE by a scheme's window, with the rule and the scheme named."""
    close = dossier.session.closed
    if close is None or not dossier.attempts:
        return
    scheme = scheme_of(dossier.session.card)
    yield from _reversed_late(dossier, close, scheme)
    yield from _committed_late(dossier, close, scheme)


def _reversed_late(
    dossier: Dossier, close: TrueClose, scheme: Scheme
) -> Iterator[Fault]:
    """R-EXT-01: all of the hold, or what a commit has left of it."""
    trigger, window_ms = dossier.trigger, scheme.reversal_ms
    needed = close.amount_minor >= dossier.session.authorised_at(close.t_ms)
    if trigger is None or window_ms is None or needed:
        return
    took_ms = close.t_ms - trigger.t_ms
    if took_ms > window_ms:
        rule = f"R-EXT-01, {scheme.name}: {window_ms // _HOUR_MS} h"
        seen = f"closed {_hours(took_ms)} after {trigger.kind} ({rule})"
        expected = "what is not needed of a hold given back in the scheme's window"
        yield _late(dossier, close, "R-EXT-01", (expected, seen))


def _committed_late(
    dossier: Dossier, close: TrueClose, scheme: Scheme
) -> Iterator[Fault]:
    """R-EXT-02: a commit while the authorisation is valid."""
    took_ms = close.t_ms - dossier.session.opened.t_ms
    if close.op == "commit" and took_ms > scheme.validity_ms:
        rule = f"R-EXT-02, {scheme.name}: {scheme.validity_ms // _DAY_MS} days"
        seen = f"committed {_hours(took_ms)} after the approval ({rule})"
        expected = "a commit while the authorisation is valid"
        yield _late(dossier, close, "R-EXT-02", (expected, seen))


def _late(
    dossier: Dossier, close: TrueClose, requirement: str, words: tuple[str, str]
) -> Fault:
    expected, seen = words
    tried_in_time = dossier.late is not None and not dossier.late.failed
    return Fault(
        settlement=Settlement.LATE,
        requirements=(requirement,),
        expected=expected,
        seen=seen,
        at=close,
        excused=tried_in_time,
    )


def _hours(ms: int) -> str:
    return f"{ms / _HOUR_MS:.1f} h"
