"""What the benchmarks of real ports share: forecourts in real time, on one loop."""

from typing import Final, Literal

from harness.bay_line import BayLine
from harness.cloud_line import CloudLine
from harness.device import Lines
from harness.psp_line import PspLine
from harness.shells.loop import Loop
from simulator.clock import WallClock
from simulator.forecourt import Forecourt, ForecourtSettings
from simulator.kernel import Kernel
from simulator.seed import Seed
from simulator.station import StationSettings
from simulator.terminal import TerminalSettings
from simulator.trace import Trace
from wire.psp import Direction, Family, Name, Reading, encode, message
from wire.psp.message import Value

READING: Final = Reading(family=Family.APOLLO)


class RealTime:
    """One loop and one kernel for any number of forecourts."""

    def __init__(self, *, time_scale: int = 1) -> None:
        self.loop = Loop()
        clock = WallClock(scale=time_scale, wait=self.loop.wait)
        self.kernel = Kernel(clock)

    def forecourt(
        self, number: int, *, link: Literal["tcp", "serial"] = "tcp"
    ) -> Lines:
        """A forecourt of its own, with the lines that a port can be put behind."""
        settings = ForecourtSettings(
            terminal=TerminalSettings(link=link), station=StationSettings()
        )
        court = Forecourt(
            settings, kernel=self.kernel, trace=Trace(), seed=Seed(number)
        )
        cloud = CloudLine(court, api_key="", callback_hosts=())
        psp = PspLine(court, kind=link, reading=READING)
        lines = Lines(psp=psp, cloud=cloud, bay=BayLine(court))
        court.outbox = lines
        return lines


def request(name: Name, **fields: Value) -> bytes:
    """A request of a controller, as it goes over the line."""
    return encode(message(name, **fields), Direction.TO_TERMINAL, READING)
