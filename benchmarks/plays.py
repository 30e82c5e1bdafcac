"""What the campaigns of this folder share: a verdict in words, many plays at once."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Final, TypeVar

from harness.bench import Bench
from harness.judge import Judgement
from reports.words import tail_in_words, without_chatter

_TAIL: Final = 40
#: Plays that go to a process at once: some tenths of a second of work.
_CHUNK: Final = 16

PlanT = TypeVar("PlanT")
OutcomeT = TypeVar("OutcomeT")


def in_words(bench: Bench, judgement: Judgement) -> str:
    """What a person needs who reads of a play that went wrong."""
    lines = [
        f"  {line.requirement}: expected {line.expected}, seen {line.seen}"
        for line in judgement.findings
    ]
    lines += [f"  {one.settlement}: {one.why}" for one in judgement.sessions]
    lines += tail_in_words(without_chatter(bench.trace.records), _TAIL)
    return "\n".join(lines)


def hits_of(bench: Bench, fault: str) -> list[str]:
    """How a fault of the catalogue has hit, in words, each time."""
    return [
        str(record.get("detail", ""))
        for record in bench.trace.records
        if record["kind"] == "fault"
        and record["event"] == "hit"
        and record["name"] == fault
    ]


def side_by_side(
    play: Callable[[PlanT], OutcomeT], every: Sequence[PlanT], *, jobs: int
) -> Iterator[OutcomeT]:
    """Each in its order, ``jobs`` at once."""
    if jobs == 1:
        yield from map(play, every)
        return
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=fresh) as pool:
        yield from pool.map(play, every, chunksize=_CHUNK)
