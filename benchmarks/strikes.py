"""Puts one fault at every message of every flow.

A flow is played once to list what crosses the controller's boundary: blocks of PSP in
both directions, calls of CPS, callbacks, lines of the bay link. Then it is played again
for each of them and each way in which it can go wrong: lost, damaged, late, doubled,
refused, done and not answered, answered with any error, cut off with its line. Then
the epilogue, and the judge on the trace: conduct PASS, every session closed once, in
time, for the right amount.

A fault that meets nothing proves nothing and is counted apart: the same message need
not come again once its answer is another. Keep-alives and polls are hit a few times
only.

    python -m benchmarks.strikes                   every message, every fault
    python -m benchmarks.strikes --quick           every message, one fault in turn
    python -m benchmarks.strikes --flow charge --column cps --message E6
                                                   what befalls one kind of message
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, Final

from benchmarks.flows import FLOWS, bench_for, column_named
from benchmarks.plays import hits_of, in_words, side_by_side
from harness.bench import Bench
from harness.columns import COLUMNS
from harness.epilogue import run_epilogue
from harness.judge import Conduct, Expectations, judge
from wire.cps import ROUTES
from wire.machine import ControllerFactory
from wire.records import Record

#: From the end of a flow to the epilogue, a retry by the minute included.
_AFTERMATH_MS: Final = 90_000
#: Longer than any answer but that to an authorisation is waited for (psp.md 4.1).
_TOO_LATE_MS: Final = 70_000
_AWAY_S: Final = 30
#: Beyond the end of any block: all of it arrives, and then the line goes.
_WHOLE: Final = 1_000

Ways = Sequence[tuple[str, Mapping[str, int | str]]]
_CABLE: Final[Ways] = (
    ("cable_lose", {}),
    ("cable_corrupt", {}),
    ("cable_truncate", {}),
    ("cable_duplicate", {}),
    ("cable_delay", {"delay_ms": 3_000}),
    ("cable_delay", {"delay_ms": _TOO_LATE_MS}),
    ("cable_cut_at", {"byte": 2, "for_s": _AWAY_S}),
    ("cable_cut_at", {"byte": _WHOLE, "for_s": _AWAY_S}),
)
_TCP: Final[Ways] = (
    ("tcp_reset_at", {"byte": 0}),
    ("tcp_reset_at", {"byte": _WHOLE}),
    ("tcp_half_open_at", {"byte": 0, "for_s": _AWAY_S}),
    ("tcp_half_open_at", {"byte": _WHOLE, "for_s": _AWAY_S}),
)
_ANSWERS: Final[Ways] = (
    ("ignore_command", {}),
    ("swallow_answer", {}),
    ("delay_answer", {"delay_ms": 4_000}),
    ("delay_answer", {"delay_ms": _TOO_LATE_MS}),
)
_REFUSALS: Final[Ways] = tuple(
    ("refuse_command", {"reason": reason}) for reason in (0x05, 0x09, 0x0C, 0x11)
)
#: Answered by a terminal in any state, whatever else it refuses.
_NEVER_REFUSED: Final = ("Reset", "Synchronize", "Get Status")
_REBOOTS: Final[Ways] = (
    ("terminal_reboot_at", {"effect": "done"}),
    ("terminal_reboot_at", {"effect": "lost"}),
)
_CALLS: Final[Ways] = (
    ("http_lost_before", {}),
    ("http_lost_after", {}),
    ("http_timeout_before", {}),
    ("http_timeout_after", {}),
    ("http_slow", {"delay_ms": 5_000}),
    ("http_slow", {"delay_ms": 50_000}),
    ("http_empty_body", {}),
    ("http_malformed", {}),
    ("http_hollow", {"status": 200}),
    ("http_hollow", {"status": 204}),
    *(
        ("http_status", {"status": status})
        for status in (400, 401, 403, 404, 408, 412, 422, 424, 429, 500, 502, 503, 504)
    ),
    *(("http_status_after", {"status": status}) for status in (400, 404, 500, 503)),
)
_CALLBACKS: Final[Ways] = (
    ("callback_lost", {}),
    ("callback_twice", {}),
    ("callback_twice", {"gap_ms": 20_000}),
    ("callback_late", {"delay_ms": 5_000}),
    ("callback_late", {"delay_ms": 45_000}),
)
_LINES: Final[Ways] = tuple(("bay_reset_at", {"byte": n}) for n in (0, 5, _WHOLE))
#: What comes again and again is hit so often.
_TIMES: Final[Mapping[str, int]] = {
    "Get Status": 2,
    "Get Status Response": 2,
    "E2": 2,
    "E4": 3,
    "meter": 2,
    "ping": 1,
    "pong": 1,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """One fault in one flow; ``message`` is what it waits for."""

    flow: str
    column: str
    message: str
    fault: str
    params: Mapping[str, int | str] = field(hash=False)
    #: How long the two silences of the epilogue are; None: past the longest retry.
    rest_ms: int | None = None

    def __str__(self) -> str:
        params = " ".join(f"{name}={value}" for name, value in self.params.items())
        place = f"--flow {self.flow} --column {self.column} --message {self.message!r}"
        return f"{place}   # {self.fault} {params}"


def _said(record: Record) -> Iterator[tuple[str, Mapping[str, int | str], Ways]]:
    """What a record says: its name, what a fault needs to find it, and the faults."""
    match record["kind"]:
        case "psp":
            yield from _blocks(record)
        case "http" if record.get("route") in ROUTES:
            route = str(record["route"])
            yield route, {"route": route}, _CALLS
            yield route, {"message": route}, _REBOOTS
        case "callback":
            yield str(record["what"]), {"what": str(record["what"])}, _CALLBACKS
        case "bay" if isinstance(record["line"], dict):
            name, way = str(record["line"].get("type")), str(record["direction"])
            yield name, {"line": name, "direction": way}, _LINES


def _blocks(record: Record) -> Iterator[tuple[str, Mapping[str, int | str], Ways]]:
    messages: Any = record["messages"]
    for name in [str(one["message"]) for one in messages if "message" in one]:
        way = str(record["direction"])
        yield name, {"message": name, "direction": way}, (*_CABLE, *_TCP)
        if way == "to_terminal":
            refusals = () if name in _NEVER_REFUSED else _REFUSALS
            ways = (*_ANSWERS, *refusals, *_REBOOTS)
            yield name, {"message": name}, ways


def strikes(flow: str, column: str) -> Iterator[list[Strike]]:
    """For each message of the flow in this column, what can befall it."""
    is_cable = column == "p6x"
    seen: Counter[object] = Counter()
    for record in _undisturbed(flow, column):
        for name, where, ways in _said(record):
            place = (*sorted(where.items()),)
            after = seen[place]
            seen[place] += 1
            if after >= _TIMES.get(name, after + 1):
                continue
            yield [
                Strike(
                    flow=flow,
                    column=column,
                    message=name,
                    fault=fault,
                    params={**where, **params, "after": after},
                )
                for fault, params in ways
                if not (is_cable and fault.startswith("tcp_"))
            ]


def _undisturbed(flow: str, column: str) -> Sequence[Record]:
    bench = bench_for(FLOWS[flow], column_named(column))
    bench.open()
    FLOWS[flow].before(bench)
    since = len(bench.trace.records)
    FLOWS[flow].story(bench)
    bench.run_for(_AFTERMATH_MS)
    return bench.trace.records[since:]


def planned(
    flows: Sequence[str], columns: Sequence[str], *, quick: bool
) -> list[Strike]:
    """All strikes; ``quick``: one at each message, another kind each time."""
    turn = cycle(range(len(_CALLS)))
    return [
        strike
        for flow in flows
        for column in FLOWS[flow].columns
        if column in columns
        for every in strikes(flow, column)
        for strike in ([every[next(turn) % len(every)]] if quick else every)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    strike: Strike
    has_hit: bool
    sessions: tuple[str, ...]
    #: What is wrong, in words; empty when all is well.
    why: str


def play(strike: Strike, *, factory: ControllerFactory | None = None) -> Outcome:
    """Play one strike to its verdict; ``factory``: of another controller than ours."""
    column = column_named(strike.column)
    bench = bench_for(FLOWS[strike.flow], column, rest_ms=strike.rest_ms)
    bench.wishes.factory = factory
    bench.open()
    FLOWS[strike.flow].before(bench)
    bench.faults.put(strike.fault, **strike.params)
    FLOWS[strike.flow].story(bench)
    bench.run_for(_AFTERMATH_MS)
    run_epilogue(bench)
    return _judged(strike, bench)


def _judged(strike: Strike, bench: Bench) -> Outcome:
    records = bench.trace.records
    expectations = Expectations(allow_unknown=bench.allow_unknown)
    judgement = judge(records, expectations=expectations)
    has_hit = bool(hits_of(bench, strike.fault))
    # Without a hit the judge says INCONCLUSIVE, which is counted apart.
    unmet = not has_hit and judgement.conduct is Conduct.INCONCLUSIVE
    return Outcome(
        strike=strike,
        has_hit=has_hit,
        sessions=tuple(str(one.settlement) for one in judgement.sessions),
        why="" if judgement.green or unmet else in_words(bench, judgement),
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.strikes")
    names = [column.name for column in COLUMNS]
    parser.add_argument("--flow", choices=FLOWS, action="append")
    parser.add_argument("--column", choices=names, action="append")
    parser.add_argument("--message", help="only this message, route or type of line")
    parser.add_argument("--quick", action="store_true", help="one fault at each")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    every = planned(given.flow or list(FLOWS), given.column or names, quick=given.quick)
    chosen = [one for one in every if given.message in (None, one.message)]
    outcomes = []
    for outcome in side_by_side(play, chosen, jobs=given.jobs):
        outcomes.append(outcome)
        if outcome.why:
            print(f"{outcome.strike}\n{outcome.why}", flush=True)
    print("\n".join(summary(outcomes)))
    return 1 if any(one.why for one in outcomes) else 0


def summary(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """How many strikes in which flow, how they ended, and which met nothing."""
    flows: dict[tuple[str, str], list[Outcome]] = {}
    for one in outcomes:
        flows.setdefault((one.strike.flow, one.strike.column), []).append(one)
    for (flow, column), some in flows.items():
        ends = Counter(end for one in some for end in one.sessions)
        words = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))
        yield f"{flow:<12} {column:<7} {len(some):>5} sessions: {words or 'none'}"
    unmet = Counter(one.strike.fault for one in outcomes if not one.has_hit)
    for fault, count in sorted(unmet.items()):
        yield f"met nothing: {fault} {count}"
    hits = sum(one.has_hit for one in outcomes)
    wrong = sum(bool(one.why) for one in outcomes)
    yield f"{len(outcomes)} strikes planned, {hits} have hit; {wrong} went wrong"


if __name__ == "__main__":
    sys.exit(main())
