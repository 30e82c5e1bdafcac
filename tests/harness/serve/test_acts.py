"""What the desk refuses is what the station would refuse, and nothing else."""

from copy import deepcopy

from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.serve.desk import Desk
from harness.serve.play import Play
from harness.serve.settings import Settings
from simulator import events
from simulator.clock import VirtualClock
from simulator.site import ImpossibleError
from simulator.station import Event, Station
from tests.harness.serve.conftest import Stand

_ACTS = ("park", "leave", "plug", "unplug", "draw", "pause", "wait")


def _event(act: str, connector: int) -> Event:
    match act:
        case "park":
            return events.VehicleParked(connector=connector)
        case "leave":
            return events.VehicleLeft(connector=connector)
        case "plug":
            return events.PlugInserted(connector=connector, vehicle="full")
        case "unplug":
            return events.PlugRemoved(connector=connector)
        case "draw":
            return events.EnergyWanted(connector=connector)
        case _:
            return events.EnergyPaused(connector=connector)


def _is_possible(station: Station, act: str, connector: int, now_ms: int) -> bool:
    try:
        deepcopy(station).handle(_event(act, connector), now_ms)
    except ImpossibleError:
        return False
    return True


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(_ACTS), st.integers(1, 2)), max_size=30))
@example([("plug", 1), ("wait", 1), ("draw", 1)])
def test_the_desk_and_the_station_agree(acts: list[tuple[str, int]]) -> None:
    play = Play(Settings(), clock=VirtualClock())
    stand = Stand(play, Desk(play, addresses={}))
    # The contactors are closed, so that a battery can be full in between.
    for act, connector in acts:
        if act == "wait":
            _close(stand, connector)
            stand.pass_ms(900_000)
            continue
        possible = _is_possible(play.court.station, act, connector, play.now_ms)
        before = len(stand.records("act"))
        body = {"connector": connector} | ({"vehicle": "full"} if act == "plug" else {})
        answer = stand.call("POST", f"/bench/{act}", body)
        assert (answer.status == 200) is possible, (act, connector, answer.body)
        assert (len(stand.records("act")) > before) is possible


def _close(stand: Stand, connector: int) -> None:
    """Whoever is plugged in charges."""
    line = b'{"type":"contactor","connector":%d,"close":true}\n' % connector
    stand.play.court.tell_station(events.BayConnected())
    stand.play.court.tell_station(events.BayBytes(data=line))
