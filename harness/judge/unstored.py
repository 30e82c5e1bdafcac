"""What a controller heard as it died, and cannot be blamed for not knowing.

Nobody outside can see what has been made durable. A controller that was killed soon
after a fact had arrived, and had said nothing in between, may not have stored it. One
whose storage took no writes could not, and what a storage has lost was not kept.
"""

from typing import Final

from harness.judge.facts import At
from harness.judge.spans import spans_of_faults
from harness.judge.timeline import Timeline

#: Killed this soon after a fact arrived. Things are stored in real time, however much
#: faster the run's time passes.
UNSTORED_MS: Final = 1_000
#: A storage that works again is tried within this, whether or not there is news.
_RETRY_MS: Final = 60_000
_NO_WRITES: Final = ("store_full", "store_read_only")
_LOST_WRITE: Final = "store_lost_write"


def died_with_it(timeline: Timeline, told: At) -> bool:
    """The controller was killed as this arrived, before it did anything."""
    within_ms = UNSTORED_MS * timeline.promises.time_scale
    kills = [
        life
        for life in timeline.lives
        if life.event == "killed"
        and life.seq > told.seq
        and life.t_ms <= told.t_ms + within_ms
    ]
    if not kills:
        return False
    acted = [m.seq for m in timeline.messages if m.outbound]
    acted += [line.seq for line in timeline.lines if line.outbound]
    acted += [call.seq for call in timeline.calls]
    return not any(told.seq < seq < kills[0].seq for seq in acted)


def is_forgotten(timeline: Timeline, told: At, by_seq: int) -> bool:
    """Whether an answer may not have survived a death that lies before ``by_seq``."""
    scale = timeline.promises.time_scale
    kills = [
        life
        for life in timeline.lives
        if life.event == "killed" and told.seq < life.seq < by_seq
    ]
    for kill in kills[:1]:
        stored_ms = told.t_ms + UNSTORED_MS * scale
        for span in spans_of_faults(timeline.faults, _NO_WRITES):
            if span.covers(told.t_ms):
                stored_ms = max(stored_ms, span.end_ms + _RETRY_MS * scale)
        return kill.t_ms <= stored_ms or _has_lost(timeline, kill)
    return False


def _has_lost(timeline: Timeline, kill: At) -> bool:
    """This death took the last write with it, whichever that was."""
    return any(
        fault.name == _LOST_WRITE and fault.event == "hit" and fault.t_ms == kill.t_ms
        for fault in timeline.faults
    )
