"""What a controller heard as it died, and cannot be blamed for not knowing.

Nobody outside can see what has been made durable. A controller that was killed soon
after a fact had arrived, and had said nothing in between, may not have stored it.
"""

from typing import Final

from harness.judge.facts import At
from harness.judge.timeline import Timeline

#: Killed this soon after a fact arrived. Things are stored in real time, however much
#: faster the run's time passes.
UNSTORED_MS: Final = 1_000


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
