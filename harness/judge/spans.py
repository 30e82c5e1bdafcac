"""Stretches of time in which something was impossible.

A deadline is postponed while the controller is dead or the terminal out of reach.
Times are milliseconds of the run; a span without an end lasts until the trace ends.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from harness.judge.facts import Planned

FOREVER: Final = 1 << 62


@dataclass(frozen=True, slots=True, order=True)
class Span:
    start_ms: int
    end_ms: int = FOREVER
    #: dead | unreachable | busy | down: why nothing could be done.
    why: str = ""

    def covers(self, t_ms: int) -> bool:
        return self.start_ms <= t_ms < self.end_ms


def covering(spans: Iterable[Span], t_ms: int) -> Span | None:
    """The first span in which ``t_ms`` lies."""
    return next((span for span in spans if span.covers(t_ms)), None)


def spans_of(changes: Sequence[tuple[int, bool]], why: str) -> tuple[Span, ...]:
    """Spans from (time, works) changes: each starts with False, ends with True."""
    found: list[Span] = []
    since: int | None = None
    for t_ms, works in changes:
        if not works and since is None:
            since = t_ms
        elif works and since is not None:
            found.append(Span(since, t_ms, why))
            since = None
    if since is not None:
        found.append(Span(since, why=why))
    return tuple(found)


def spans_of_faults(
    faults: Iterable[Planned], names: Collection[str], why: str = ""
) -> tuple[Span, ...]:
    """One for each fault of these names, from its first hit until it was healed."""
    found: list[Span] = []
    begun: dict[str, int] = {}
    for fault in faults:
        if fault.name not in names:
            continue
        if fault.event == "hit":
            begun.setdefault(fault.fault, fault.t_ms)
        elif fault.event == "healed" and fault.fault in begun:
            found.append(Span(begun.pop(fault.fault), fault.t_ms, why))
    found += [Span(start_ms, why=why) for start_ms in begun.values()]
    return tuple(sorted(found))
