"""The end that every scenario shares: heal everything, and demand that it settles.

Whatever a scenario was about, it ends the same way: faults are taken out, power and
links come back, drivers take their vehicles and leave. Then the clock runs until no
session is open, at most past the last retry of the longest plan that Payter suggests
(691,500 s: five by the minute, a day by the hour, seven by the day).

Once all is closed, the operator takes the whole station out of service and the clock
runs past the longest retry once more, so that a controller that closes twice, after an
hour or after a week, has the time to do so. Out of service, because a controller that
has nobody to serve need not keep its lines alive, which makes these eight days cheap.
"""

from typing import Final

from harness.bench import Bench
from harness.watch import is_reading
from harness.world import LONGEST_ANSWER_MS
from simulator import events

#: A session that nobody can know of is not waited for: only the terminal's own
#: session time-out ends it.
UNKNOWABLE_MS: Final = 3_600_000
#: A controller whose close was not answered may take so long to read cards again:
#: the first phase of the retries is five by the minute.
BACK_WITHIN_MS: Final = 300_000
#: Drivers take their time to leave once the bench is healed.
LEAVE_AFTER_MS: Final = 5_000


def run_epilogue(bench: Bench) -> None:
    """Play the end of a case; leaves ``epilogue`` records behind."""
    bench.open()
    _note(bench, "begun")
    bench.faults.heal_all()
    bench.faults.start_controller()
    bench.run_for(LEAVE_AFTER_MS)
    _everyone_leaves(bench)
    _note(bench, "healed")
    longest_ms = UNKNOWABLE_MS if bench.allow_unknown else bench.world.limits.settle_ms
    bench.run_until(lambda: bench.open_sessions() == 0, longest_ms)
    _note(bench, "settled")
    bench.run_until(lambda: not _is_authorising(bench), LONGEST_ANSWER_MS)
    bench.run_until(lambda: is_reading(bench), BACK_WITHIN_MS)
    # The station goes on serving for a while, as it would have without the epilogue.
    bench.run_for(bench.world.limits.look_ms)
    _closes_down(bench)
    bench.run_for(bench.world.limits.rest_ms)
    _note(bench, "ended", **_lateness(bench))


def _is_authorising(bench: Bench) -> bool:
    """Somebody may still get what nobody waits for: a late approval."""
    return bench.court.terminal.is_authorising or bench.court.issuer.is_deciding


def _everyone_leaves(bench: Bench) -> None:
    for connector, driver in sorted(bench.drivers.parked.items()):
        bench.drivers.leave(driver, connector)


def _closes_down(bench: Bench) -> None:
    for connector in range(1, bench.declaration.number("claims", "connectors") + 1):
        bench.court.tell_station(
            events.AvailabilityMoved(connector=connector, available=False)
        )


def _lateness(bench: Bench) -> dict[str, int]:
    late_ms = bench.world.clock.late_ms
    return {"late_ms": late_ms} if late_ms else {}


def _note(bench: Bench, event: str, **fields: int) -> None:
    bench.trace.append(bench.now_ms, "epilogue", {"event": event, **fields})
