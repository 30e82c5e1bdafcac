"""Where faults are put in: what they need of a bench, whoever it belongs to."""

from typing import Protocol

from harness.device import Device, Lines
from simulator.forecourt import Forecourt
from simulator.trace import Trace


class Ground(Protocol):
    """A forecourt with its lines, and a device under test that may be anybody's."""

    @property
    def court(self) -> Forecourt: ...
    @property
    def lines(self) -> Lines: ...
    @property
    def trace(self) -> Trace: ...
    @property
    def device(self) -> Device: ...
    @property
    def seed(self) -> int: ...
    @property
    def api_key(self) -> str: ...
    @property
    def serial_number(self) -> str: ...
