"""How much energy a session has to pay for, from the readings that arrived.

The energy to bill is the register in the meter line after the contactor opened minus
the register when this session's contactor closed; with the link down it is the last
register received (device_under_test.md section 1). Suspect readings are skipped. A
register that falls, or moves faster than the connector's declared power, is a meter
fault: the right amount is the register without that step, and since nobody knows what
flowed meanwhile, the answer is a range. It is one too where the contactor closed
unseen, because the link went down after the order: the register before the order was
known, so what flowed until the welcome may be billed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from harness.judge.bay import (
    FINAL_METER_MS,
    Bay,
    Reading,
    Story,
    active_faults,
    after,
    since,
    until,
)
from harness.judge.binding import Interval
from harness.judge.facts import At
from harness.judge.promises import Promises
from harness.judge.spans import covering

#: A register in whole Wh, sampled at whole milliseconds, may look this much too fast.
_GRAIN_WH: Final = 5
#: So far back a good register is looked for before a charge.
_RECENT: Final = 1_000
#: How soon after a meter fault a charge must end for "the last trusted reading".
_GIVE_UP_MS: Final = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What one or more intervals used: lowest and highest that can be right."""

    low_wh: int = 0
    high_wh: int = 0
    low_ms: int = 0
    high_ms: int = 0

    def plus(self, other: "Used") -> "Used":
        return Used(
            low_wh=self.low_wh + other.low_wh,
            high_wh=self.high_wh + other.high_wh,
            low_ms=self.low_ms + other.low_ms,
            high_ms=self.high_ms + other.high_ms,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a register may move."""

    max_power_w: int
    #: By how much a reading may be late.
    late_ms: int = 0

    def most_wh(self, last: Reading, reading: Reading) -> int:
        """What can have flowed between two readings, rounded up."""
        elapsed_ms = reading.t_ms - last.t_ms + self.late_ms
        return -(-self.max_power_w * elapsed_ms // 3_600_000) + _GRAIN_WH


def used(
    bay: Bay, intervals: Iterable[Interval], *, as_of_ms: int, promises: Promises
) -> Used:
    """Energy and time over ``intervals``, as could be known at ``as_of_ms``."""
    total = Used()
    pace = Pace(max_power_w=promises.claims.max_power_w, late_ms=promises.late_ms)
    for interval in intervals:
        if interval.start.t_ms <= as_of_ms:
            total = total.plus(_used(bay, interval, as_of_ms, pace))
    return total


def _used(bay: Bay, interval: Interval, as_of_ms: int, pace: Pace) -> Used:
    story = bay.story(interval.connector)
    # While the charger is away nothing more can come that is worth waiting for.
    is_away = covering(bay.outages, as_of_ms) is not None
    wait_ms = 0 if is_away else FINAL_METER_MS
    readings = _readings(story, interval, as_of_ms, wait_ms)
    low_wh, high_wh = climb(readings, pace)
    if interval.start.welcome:
        unseen = [*_good_before(story, interval.start.seq - 1), *readings]
        high_wh = max(high_wh, climb(unseen, pace)[1])
    trusted_until = _trusted_until(story, interval, as_of_ms)
    if trusted_until is not None:
        early = [r for r in readings if r.t_ms <= trusted_until]
        low_wh = min(low_wh, climb(early, pace)[0])
    low_ms, high_ms = _energised(bay, interval, as_of_ms)
    return Used(low_wh=low_wh, high_wh=high_wh, low_ms=low_ms, high_ms=high_ms)


def _readings(
    story: Story, interval: Interval, as_of_ms: int, wait_ms: int
) -> list[Reading]:
    """From the register at the start to the final one, good readings only."""
    start, end = interval.start, interval.end
    later = since(story.readings, start.seq)
    before = _good_before(story, start.seq)
    if not start.welcome:
        # It has stood still since: what it caught up on would be somebody else's.
        before = [replace(r, t_ms=max(r.t_ms, start.t_ms)) for r in before]
    rest = since(later, interval.end_seq - 1)
    inside = until(later[: len(later) - len(rest)], as_of_ms + wait_ms)
    during = [r for r in inside if r.good]
    if end is not None and end.t_ms <= as_of_ms + wait_ms:
        limit = _final_by(story, end, as_of_ms)
        final = until(since(later, end.seq - 1), limit)
        during += [r for r in final if r.good][:1]
    return [*before, *during]


def _good_before(story: Story, seq: int) -> list[Reading]:
    """The last good reading up to and including record ``seq``, if there is one."""
    later = since(story.readings, seq)
    earlier = story.readings[: len(story.readings) - len(later)]
    return [r for r in reversed(earlier[-_RECENT:]) if r.good][:1]


def _final_by(story: Story, end: At, as_of_ms: int) -> int:
    """Until when the final reading may come: a controller waits for the meter line.

    When that line came and was no good, there is nothing more to wait for.
    """
    lines = since(story.readings, end.seq - 1)
    came = bool(lines) and lines[0].t_ms <= as_of_ms
    return as_of_ms if came else max(as_of_ms, end.t_ms + FINAL_METER_MS)


def _trusted_until(story: Story, interval: Interval, as_of_ms: int) -> int | None:
    """An earlier time up to which a controller may bill, when it could not see more.

    Either the meter reported a fault, or the contactor was ordered open and never said
    so: then the register at that moment is as right as the latest.
    """
    end_ms = as_of_ms if interval.end is None else min(interval.end.t_ms, as_of_ms)
    times = [
        said.t_ms
        for code, said in active_faults(story, end_ms).items()
        if code == "PowerMeterFailure" and said.t_ms >= interval.start.t_ms
    ]
    if interval.end is None or interval.end.t_ms > as_of_ms:
        orders = after(until(story.commands, as_of_ms), interval.start.t_ms)
        times += [said.t_ms for said in orders if not said.value][:1]
    return min(times, default=None)


def _energised(bay: Bay, interval: Interval, as_of_ms: int) -> tuple[int, int]:
    """Lowest and highest energised time in ms; an outage hides the true end.

    Time for which the controller was dead may be billed and need not: it can be known
    from a calendar only, and calendars are put.
    """
    start_ms = interval.start.t_ms
    if interval.end is not None and interval.end.t_ms <= as_of_ms:
        surely = interval.surely_until_ms or interval.end.t_ms
        most_ms = interval.end.t_ms - start_ms
    else:
        outage = covering(bay.outages, as_of_ms)
        surely = as_of_ms if outage is None else max(outage.start_ms, start_ms)
        most_ms = as_of_ms - start_ms
    readings = bay.story(interval.connector).readings
    dead_ms = 0
    for span in bay.unseen:
        # Nobody writes the time down more often than he is told of a charge.
        heard = [start_ms, *(r.t_ms for r in until(readings, span.start_ms)[-1:])]
        dead_ms += max(0, min(span.end_ms, surely) - max(heard))
    return max(0, surely - start_ms - dead_ms), most_ms


# --- The register ---------------------------------------------------------------


def climb(readings: Sequence[Reading], pace: Pace) -> tuple[int, int]:
    """Lowest and highest plausible Wh between the first reading and the last."""
    low = high = 0
    #: Readings that did not fit the one before, each with what was sure until then.
    wild: list[tuple[Reading, int]] = []
    #: Since when the register has stood still although power flows: it may catch up.
    still = next(iter(readings), None)
    for index, reading in enumerate(readings[1:], start=1):
        last = readings[index - 1]
        step = reading.energy_wh - last.energy_wh
        most = pace.most_wh(still or last, reading)
        if step or reading.power_w <= 0:
            still = reading
        if 0 <= step <= most:
            low, high = low + step, high + step
        elif wild and wild[-1][0] is last and _fits(readings, index, pace):
            # One wild reading: the register is where it was going anyway.
            wild.pop()
            step = reading.energy_wh - readings[index - 2].energy_wh
            low += step
            high += step - pace.most_wh(readings[index - 2], last)
        else:
            wild.append((reading, low))
            high += most
    if wild and readings[-1].t_ms - wild[0][0].t_ms <= _GIVE_UP_MS:
        low = wild[0][1]
    return low, high


def _fits(readings: Sequence[Reading], index: int, pace: Pace) -> bool:
    """Whether a reading fits the one before the last."""
    before, reading = readings[index - 2], readings[index]
    step = reading.energy_wh - before.energy_wh
    return 0 <= step <= pace.most_wh(before, reading)
