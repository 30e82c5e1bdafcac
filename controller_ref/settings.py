"""What the operator configures, read once from the declaration's tables.

The same keys that the examiner reads as claims are this controller's configuration, so
that the two cannot drift apart (device_under_test.md section 2). Every error names the
key, what was found and what is allowed. Times are kept in milliseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from controller_ref.tariff import Rounding, Tariff

Table = Mapping[str, object]

#: Amounts are four bytes, unsigned, on the wire (R-AMT-09).
MAX_AMOUNT_MINOR: Final = 0xFFFF_FFFF
_MAX_WINDOW_S: Final = 7 * 86_400
_MAX_RATE: Final = 1_000_000
_MAX_CARDS: Final = 10_000
#: The test card of the bench (bench.md, ``rfid``); accepted when RFID is claimed and
#: no list is configured. A real site configures one.
_BENCH_CARD: Final = "04A2B3C4D5E680"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One charger with one terminal."""

    name: str
    interface: str
    terminal: str
    connectors: int
    start: tuple[str, ...]
    stop: tuple[str, ...]
    is_always_scanning: bool
    strategy: str
    #: Of one connector; a register that moves faster is a meter fault.
    max_power_w: int
    takes_rfid: bool
    #: UIDs (or card ids) of the operator's own cards, upper case.
    rfid_whitelist: tuple[str, ...]
    has_ventilation: bool
    has_bay_sensor: bool
    #: A card with a running charge may start another one.
    takes_card_twice: bool
    plug_in_window_ms: int
    no_energy_window_ms: int
    charger_loss_window_ms: int
    parked_full_window_ms: int
    reserve_minor: int
    currency: str
    tariff: Tariff


def from_declaration(declaration: Table) -> Settings:
    """Settings from a parsed declaration; absent keys take the defaults.

    Raises ValueError naming the key, what was found and what is allowed.
    """
    claims = _Reader("claims", _table(declaration, "claims"))
    timing = _Reader("timing", _table(declaration, "timing"))
    tariff = _Reader("tariff", _table(declaration, "tariff"))
    return Settings(
        name=_name(declaration),
        interface=claims.word("interface", ("psp", "cps")),
        terminal=claims.word("terminal", ("apollo", "p6x")),
        connectors=claims.number("connectors", 1, low=1, high=32),
        start=claims.words("start", ("tap", "plug", "ui")),
        stop=claims.words("stop", ("tap", "unplug", "ui")),
        is_always_scanning=claims.word("scanning", ("always", "on_plug")) == "always",
        strategy=claims.word("amount_strategy", _STRATEGIES),
        max_power_w=claims.number("max_power_w", 22_000, low=1, high=_MAX_RATE),
        takes_rfid=claims.flag("rfid"),
        rfid_whitelist=_whitelist(declaration),
        has_ventilation=claims.flag("ventilation"),
        has_bay_sensor=claims.flag("bay_sensor"),
        takes_card_twice=claims.word("same_card_twice", ("refuse", "allow")) == "allow",
        plug_in_window_ms=timing.window("plug_in_window", 300),
        no_energy_window_ms=timing.window("no_energy_window", 300),
        charger_loss_window_ms=timing.window("charger_loss_window", 600),
        parked_full_window_ms=timing.window("parked_full_window", 0),
        reserve_minor=tariff.number("reserve", 5000, low=1, high=MAX_AMOUNT_MINOR),
        currency=str(tariff.table.get("currency", "EUR")),
        tariff=Tariff(
            per_kwh=tariff.number("per_kwh", 59, high=_MAX_RATE),
            per_minute=tariff.number("per_minute", 0, high=_MAX_RATE),
            per_session=tariff.number("per_session", 0, high=MAX_AMOUNT_MINOR),
            minimum=tariff.number("minimum", 0, high=MAX_AMOUNT_MINOR),
            rounding=Rounding(tariff.word("rounding", tuple(Rounding))),
        ),
    )


_STRATEGIES: Final = ("maximum", "driver_cap", "over_capture", "increment")


def _table(declaration: Table, name: str) -> Table:
    value = declaration.get(name, {})
    if not isinstance(value, Mapping):
        raise ValueError(f"{name}: found {value!r}, allowed a table")
    return value


def _name(declaration: Table) -> str:
    about = _table(declaration, "controller")
    vendor, name = about.get("vendor", "nohold"), about.get("name", "reference")
    return f"{vendor} {name}"


def _whitelist(declaration: Table) -> tuple[str, ...]:
    value = declaration.get("rfid_whitelist", (_BENCH_CARD,))
    if not isinstance(value, list | tuple) or len(value) > _MAX_CARDS:
        raise ValueError(f"rfid_whitelist: found {value!r:.80}, allowed a list of UIDs")
    return tuple(str(uid).upper() for uid in value)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one table; the first of the allowed words is the default."""

    name: str
    table: Table

    def word(self, key: str, allowed: tuple[str, ...]) -> str:
        value = self.table.get(key, allowed[0])
        if value not in allowed:
            raise self._wrong(key, value, " | ".join(allowed))
        return str(value)

    def words(self, key: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
        value = self.table.get(key, allowed[:2])
        if isinstance(value, list | tuple) and value and set(value) <= set(allowed):
            return tuple(value)
        raise self._wrong(key, value, f"some of {', '.join(allowed)}")

    def flag(self, key: str) -> bool:
        value = self.table.get(key, False)
        if not isinstance(value, bool):
            raise self._wrong(key, value, "true or false")
        return value

    def number(self, key: str, default: int, *, low: int = 0, high: int) -> int:
        value = self.table.get(key, default)
        if type(value) is not int or not low <= value <= high:
            raise self._wrong(key, value, f"integer {low} to {high}")
        return value

    def window(self, key: str, default_s: int) -> int:
        return self.number(key, default_s, high=_MAX_WINDOW_S) * 1000

    def _wrong(self, key: str, found: object, allowed: str) -> ValueError:
        return ValueError(f"{self.name}.{key}: found {found!r}, allowed {allowed}")
