"""Lets the reference controller die at every point of every flow.

A flow is a visit of a driver, in virtual time. It is played once to list its points:
everything that the controller sends (PSP, HTTP, bay link) and everything that it makes
durable. Then it is played again for each point, twice: the controller dies right before
it, and right after it, and is started again after a second, a minute, an hour or two
days. The driver knows nothing of this and goes on as people do. Then the epilogue, and
the judge on the trace: conduct PASS, every session closed once, in time, for the right
amount. Every death has to have hit; the judge sees to that, too.

On an Apollo over PSP nobody can list sessions. Of an approval that had not been written
down when the controller died nobody can know, so UNKNOWN is allowed for it there, with
an alarm; the judge decides whether it is such a one.

    python -m benchmarks.deaths                    every point, every delay
    python -m benchmarks.deaths --quick            every point, the delay rotating
    python -m benchmarks.deaths --flow charge --column cps --point 17 --moment before
                                --delay 60         one death again, with its trace
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from benchmarks.flows import FLOWS, bench_for, column_named
from benchmarks.plays import hits_of, in_words, side_by_side
from harness.bench import Bench
from harness.columns import COLUMNS
from harness.deaths import SEND, WRITE, Doom, Moment
from harness.epilogue import run_epilogue
from harness.judge import Expectations, Judgement, Settlement, judge
from harness.judge.verdict import is_scheme_late
from harness.line_faults import Turn
from harness.watch import await_return
from wire.machine import ControllerFactory

#: A controller is started again after so many seconds.
DELAYS_S: Final = (1, 60, 3_600, 2 * 86_400)
MOMENTS: Final[tuple[Moment, ...]] = ("before", "after")
_DAY_S: Final = 86_400
#: The rule that what is not needed of a hold is released within 24 hours.
_24_H: Final = "R-EXT-01"
_NEVER: Final = 1 << 30
#: From a start to everything that follows from it, a retry by the minute included.
_AFTERMATH_MS: Final = 90_000

# --- Points ---------------------------------------------------------------------

What = Literal["send", "write"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The ``number``-th send or write of a flow, from 0, and what it was."""

    what: What
    number: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    flow: str
    column: str
    point: Point
    moment: Moment
    delay_s: int
    #: How long the two silences of the epilogue are; None: past the longest retry.
    rest_ms: int | None = None

    def __str__(self) -> str:
        point = self.point
        return (
            f"--flow {self.flow} --column {self.column} --what {point.what} "
            f"--point {point.number} --moment {self.moment} --delay {self.delay_s}"
            f"   # {point.name}"
        )


@dataclass(slots=True, kw_only=True, eq=False)
class Listing(Doom):
    """Never strikes; lists what it could have struck at."""

    names: list[str]

    def comes_with(self, *names: str) -> bool:
        is_write = WRITE in names
        if names and is_write is (self.what == WRITE):
            self.names.append(" and ".join(names))
        return False


def points(flow_name: str, column_name: str) -> list[Point]:
    """All points of a flow in a column, sends first."""
    flow = FLOWS[flow_name]
    bench = bench_for(flow, column_named(column_name))
    bench.open()
    flow.before(bench)
    found: list[Point] = []
    kinds: tuple[What, What] = (SEND, WRITE)
    dooms = [
        Listing(moment="after", what=what, turn=Turn(), strike=print, names=[])
        for what in kinds
    ]
    for doom in dooms:
        bench.device.die_at(doom)
    flow.story(bench)
    for what, doom in zip(kinds, dooms, strict=True):
        found += [
            Point(what=what, number=number, name=name)
            for number, name in enumerate(doom.names)
        ]
    return found


def deaths(
    flows: Sequence[str], columns: Sequence[str], delays_s: Sequence[int] = DELAYS_S
) -> list[Death]:
    """Each point before and after, with each of these delays."""
    return [
        Death(flow=flow, column=column, point=point, moment=moment, delay_s=delay_s)
        for flow in flows
        for column in FLOWS[flow].columns
        if column in columns
        for point in points(flow, column)
        for moment in MOMENTS
        for delay_s in delays_s
    ]


def rotating(every: Sequence[Death]) -> list[Death]:
    """Each point before and after with one delay: the next in turn at each of them."""
    # Shifted after each round, so that no delay goes with the same moment for ever.
    turn = len(DELAYS_S)
    return [
        replace(death, delay_s=DELAYS_S[(number + number // turn) % turn])
        for number, death in enumerate(every)
    ]


# --- One death ------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    death: Death
    #: The moment at which it died, in words; empty: it did not.
    hit: str
    sessions: tuple[str, ...]
    #: What is wrong, in words; empty when all is well.
    why: str


def play(death: Death, *, factory: ControllerFactory | None = None) -> Outcome:
    """Play one death to its verdict; ``factory``: of another controller than ours."""
    flow = FLOWS[death.flow]
    bench = bench_for(flow, column_named(death.column), rest_ms=death.rest_ms)
    bench.wishes.factory = factory
    bench.open()
    flow.before(bench)
    since = len(bench.trace.records)
    bench.faults.put(
        "controller_killed_at",
        moment=death.moment,
        what=death.point.what,
        after=death.point.number,
        for_s=death.delay_s,
    )
    flow.story(bench)
    boots = bench.device.boots
    if not bench.device.is_alive:
        boots += 1
        within_ms = (death.delay_s + 1) * 1000
        bench.run_until(lambda: bench.device.boots == boots, within_ms)
        await_return(bench, since=since)
    bench.run_for(_AFTERMATH_MS)
    run_epilogue(bench)
    return _judged(death, bench)


def _judged(death: Death, bench: Bench) -> Outcome:
    records = bench.trace.records
    expectations = Expectations(allow_unknown=bench.allow_unknown)
    judgement = judge(records, expectations=expectations)
    hits = hits_of(bench, "controller_killed_at")
    return Outcome(
        death=death,
        hit=hits[0] if hits else "",
        sessions=tuple(str(one.settlement) for one in judgement.sessions),
        why="" if _is_well(death, judgement) else in_words(bench, judgement),
    )


def _is_well(death: Death, judgement: Judgement) -> bool:
    """Dead for two days, nobody can keep the schemes' 24 hours, and is not blamed."""
    wrong = [one for one in judgement.sessions if one.settlement is Settlement.LATE]
    others = [one for one in judgement.sessions if one not in wrong]
    excused = death.delay_s > _DAY_S and all(
        is_scheme_late(one, _24_H) for one in wrong
    )
    return judgement.green or (
        excused and replace(judgement, sessions=tuple(others)).green
    )


# --- Many -----------------------------------------------------------------------


def _chosen(given: argparse.Namespace) -> list[Death]:
    delays_s = given.delay or DELAYS_S
    every = deaths(given.flow, given.column, delays_s[:1] if given.quick else delays_s)
    return [
        death
        for death in (rotating(every) if given.quick else every)
        if given.what in (None, death.point.what)
        and given.point in (None, death.point.number)
        and given.moment in (None, death.moment)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.deaths")
    names = [column.name for column in COLUMNS]
    parser.add_argument("--flow", choices=FLOWS, action="append")
    parser.add_argument("--column", choices=names, action="append")
    parser.add_argument("--what", choices=(SEND, WRITE))
    parser.add_argument("--point", type=int, help="only this number, from 0")
    parser.add_argument("--moment", choices=MOMENTS)
    parser.add_argument("--delay", type=int, action="append", help="seconds")
    parser.add_argument("--quick", action="store_true", help="one delay at each point")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    given.flow, given.column = given.flow or list(FLOWS), given.column or names
    outcomes = []
    for outcome in side_by_side(play, _chosen(given), jobs=given.jobs):
        outcomes.append(outcome)
        if outcome.why or not outcome.hit:
            print(f"{outcome.death}\n{outcome.why or 'IT DID NOT HIT'}", flush=True)
    print("\n".join(summary(outcomes)))
    return 1 if any(one.why or not one.hit for one in outcomes) else 0


def summary(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """How many deaths, at which points, how they ended."""
    flows: dict[tuple[str, str], list[Outcome]] = {}
    for one in outcomes:
        flows.setdefault((one.death.flow, one.death.column), []).append(one)
    for (flow, column), some in flows.items():
        found = Counter(one.death.point.what for one in some)
        counted = {one.death.point for one in some}
        ends = Counter(end for one in some for end in one.sessions)
        words = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))
        yield (
            f"{flow:<12} {column:<7} {len(counted):>4} points {found[SEND]:>5} deaths "
            f"at a send {found[WRITE]:>5} at a write  sessions: {words or 'none'}"
        )
    hits = sum(bool(one.hit) for one in outcomes)
    wrong = sum(bool(one.why) for one in outcomes)
    yield f"{len(outcomes)} deaths planned, {hits} have hit; {wrong} went wrong"


if __name__ == "__main__":
    sys.exit(main())
