"""What a bench is started with, and the readings of ambiguous clauses in a file.

The file is TOML with two tables, both optional: ``[psp]`` has switches of
``wire.psp.Profile``, ``[cps]`` those of ``wire.cps.Policy``. What it does not name
stays at its default.
"""

import calendar
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from harness.bench import SERIAL_NUMBERS, VERSION
from harness.declaration import SetupError
from simulator.forecourt import ForecourtSettings
from simulator.seed import Seed
from simulator.station import StationSettings
from simulator.terminal import TerminalSettings
from wire.cps import Policy
from wire.cps.errors import LocalProtocolError as CpsError
from wire.psp import Family, Profile, Reading
from wire.psp.errors import LocalProtocolError as PspError

TABLES: Final = ("psp", "cps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """How the bench reads what Payter's pages leave open."""

    psp: Profile = field(default_factory=Profile)
    cps: Policy = field(default_factory=Policy)

    def differences(self) -> dict[str, object]:
        """The switches that do not stand at their default."""
        return {**self.psp.deviations(), **self.cps.differences()}


def readings_from(text: str, *, source: str) -> Readings:
    """Read a profile file. Raises SetupError naming what was found and allowed."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SetupError(f"{source}: not TOML: {error}") from None
    for name in raw:
        if name not in TABLES:
            raise SetupError(f"{source}: found {name!r}, allowed [psp] and [cps]")
    try:
        return Readings(
            psp=Profile.from_mapping(_table(raw, "psp")),
            cps=Policy.from_mapping(_table(raw, "cps")),
        )
    except (PspError, CpsError) as error:
        raise SetupError(f"{source}: {error}") from None


def _table(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = raw.get(name, {})
    if not isinstance(found, Mapping):
        raise PspError(f"{name}: found {found!r}, allowed a table")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One bench; a reset begins again with the same."""

    terminal: Family = Family.APOLLO
    #: 1..32.
    connectors: int = 2
    #: Empty: the usual one of the family.
    serial_number: str = ""
    seed: int = 1
    #: Empty: one drawn from the seed.
    api_key: str = ""
    readings: Readings = field(default_factory=Readings)
    link: Literal["tcp", "serial"] = "tcp"
    #: Where callbacks may go.
    callback_hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "::1")
    #: Calendar time at the start of the bench.
    started_at: datetime = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)

    @property
    def serial(self) -> str:
        """The terminal's serial number."""
        return self.serial_number or SERIAL_NUMBERS[self.terminal.value]

    @property
    def key(self) -> str:
        """What a controller has to show to the payment cloud."""
        if self.api_key:
            return self.api_key
        drawn = Seed(self.seed).stream("api key").getrandbits(128)
        return f"{drawn:032x}"

    @property
    def reading(self) -> Reading:
        """How the bytes on the PSP line are understood for the trace."""
        return Reading(family=self.terminal, profile=self.readings.psp)

    def forecourt(self) -> ForecourtSettings:
        """The machines. Raises ValueError for a number of connectors out of range."""
        started_at_ms = calendar.timegm(self.started_at.utctimetuple()) * 1000
        return ForecourtSettings(
            terminal=TerminalSettings(
                family=self.terminal,
                serial_number=self.serial,
                api_key=self.key,
                psp_profile=self.readings.psp,
                cps_policy=self.readings.cps,
                link=self.link,
                started_at_ms=started_at_ms,
            ),
            station=StationSettings(connectors=self.connectors),
        )

    def note(self) -> Mapping[str, object]:
        """The fields of the ``run`` record with which a forecourt begins."""
        return {
            "version": VERSION,
            "scenario": "nohold serve",
            "feature": "",
            "column": self.terminal.value,
            "seed": self.seed,
            "declaration": {},
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "requirements": [],
            "profile": self.readings.differences(),
        }
