"""The declaration, as the judge needs it: claims, windows and prices.

Read from the ``run`` record, so that a stored trace can be judged without any other
file. Absent keys take the defaults of device_under_test.md section 2; whether a
declaration is complete is checked by whoever loads it, not here. Windows are in
milliseconds, prices in minor units.
"""

from dataclasses import dataclass
from typing import Self

from harness.judge.reading import Table, flag, number, table, text, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    interface: str
    terminal: str
    connectors: int
    stop: tuple[str, ...]
    scanning: str
    amount_strategy: str
    max_power_w: int
    rfid: bool
    free_vend: bool
    ventilation: bool
    bay_sensor: bool
    same_card_twice: str

    @classmethod
    def read(cls, claims: Table) -> Self:
        return cls(
            interface=text(claims, "interface") or "psp",
            terminal=text(claims, "terminal") or "apollo",
            connectors=number(claims, "connectors") or 1,
            stop=words(claims, "stop", ("unplug",)),
            scanning=text(claims, "scanning") or "always",
            amount_strategy=text(claims, "amount_strategy") or "maximum",
            max_power_w=number(claims, "max_power_w") or 22_000,
            rfid=flag(claims, "rfid") or False,
            free_vend=flag(claims, "free_vend") or False,
            ventilation=flag(claims, "ventilation") or False,
            bay_sensor=flag(claims, "bay_sensor") or False,
            same_card_twice=text(claims, "same_card_twice") or "refuse",
        )

    @property
    def lists_sessions(self) -> bool:
        """Whether a session can be found again without its approval."""
        return self.interface == "cps" or self.terminal == "p6x"

    @property
    def auth_limit_ms(self) -> int:
        """How long an authorisation may take (psp.md 4.1)."""
        return 30_000 if self.terminal == "p6x" else 210_000


def _window_ms(timing: Table, key: str, default_s: int) -> int:
    seconds = number(timing, key)
    return (default_s if seconds is None else seconds) * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    plug_in_ms: int
    no_energy_ms: int
    charger_loss_ms: int
    parked_full_ms: int

    @classmethod
    def read(cls, timing: Table) -> Self:
        return cls(
            plug_in_ms=_window_ms(timing, "plug_in_window", 300),
            no_energy_ms=_window_ms(timing, "no_energy_window", 300),
            charger_loss_ms=_window_ms(timing, "charger_loss_window", 600),
            parked_full_ms=_window_ms(timing, "parked_full_window", 0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    per_kwh: int
    per_minute: int
    per_session: int
    minimum: int
    #: half_up | half_even | up | down
    rounding: str
    #: What is asked for in Start Session or start; None: not declared.
    reserve: int | None = None

    @classmethod
    def read(cls, tariff: Table) -> Self:
        return cls(
            per_kwh=number(tariff, "per_kwh") or 0,
            per_minute=number(tariff, "per_minute") or 0,
            per_session=number(tariff, "per_session") or 0,
            minimum=number(tariff, "minimum") or 0,
            rounding=text(tariff, "rounding") or "half_up",
            reserve=number(tariff, "reserve"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Promises:
    claims: Claims
    windows: Windows
    prices: Prices
    #: How many times faster than life the run's time passed.
    time_scale: int = 1

    @classmethod
    def read(cls, declaration: Table, column: str = "") -> Self:
        """From the tables; ``column`` fills in what the claims leave out."""
        claims = dict(table(declaration, "claims"))
        if column == "cps":
            claims.setdefault("interface", "cps")
        elif column:
            claims.setdefault("terminal", column)
        return cls(
            claims=Claims.read(claims),
            windows=Windows.read(table(declaration, "timing")),
            prices=Prices.read(table(declaration, "tariff")),
            time_scale=number(table(declaration, "reach"), "time_scale") or 1,
        )

    @property
    def late_ms(self) -> int:
        """By how much a fact may be late where a second of life is less than one.

        At twenty times the speed, a machine that is busy for a moment delivers a
        reading seconds late, and the next one in time.
        """
        return (self.time_scale - 1) * 1_000
