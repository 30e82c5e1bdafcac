# ruff: noqa: E501 - tables
"""The declaration: what a vendor claims, and how to reach the controller.

``declaration.toml`` has five tables (device_under_test.md section 2). This module is
the table of their keys: type, allowed values, default. A declaration is checked key by
key; an unknown key, a missing key or a value out of range is a set-up error that names
the key, what was found and what is allowed. A key of a table that a run mode does not
use is checked all the same, so that a typing mistake never passes in silence.

A sixth table, ``[answers]``, may be left out. It answers the questions that no case can
decide (``reports.questions``); reports print it, and neither the controller nor the
trace is given it.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NoReturn

from harness.hosts import NOT_PRODUCTION, production_host
from reports.questions import AnswerError, check_answers

Value = str | int | bool | tuple[str, ...]


class SetupError(Exception):
    """The set-up is wrong; says which key or port, what was found, what is allowed."""


class NotClaimed(Exception):
    """The declaration does not claim what the case needs: NOT APPLICABLE."""


class Declined(NotClaimed):
    """The controller says itself that it does not do what its declaration claims."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key: how its value is checked and described."""

    kind: type
    allowed: tuple[str, ...] = ()
    low: int = 0
    high: int = 0
    default: Value | None = None
    optional: bool = False
    #: Text of so many capital letters; 0: any text.
    letters: int = 0

    def describe(self) -> str:
        """What is allowed, in words."""
        if self.kind is bool:
            return "true or false"
        if self.kind is int:
            return f"a whole number from {self.low} to {self.high}"
        what = "one of " if self.kind is str else "a list of "
        if self.allowed:
            return what + ", ".join(self.allowed)
        if self.letters:
            return f"{self.letters} capital letters, such as EUR"
        return "text" if self.kind is str else "a list of texts"


def _text(*allowed: str, default: str | None = None, optional: bool = False) -> Key:
    return Key(kind=str, allowed=allowed, default=default, optional=optional)


def _number(low: int, high: int, default: int | None = None) -> Key:
    return Key(
        kind=int, low=low, high=high, default=default, optional=default is not None
    )


def _flag() -> Key:
    return Key(kind=bool, default=False, optional=True)


def _list(*allowed: str, optional: bool = False) -> Key:
    default = () if optional else None
    return Key(kind=tuple, allowed=allowed, default=default, optional=optional)


_YEAR_S: Final = 366 * 86_400
_MONEY: Final = 0xFFFF_FFFF

# fmt: off
TABLES: Final[Mapping[str, Mapping[str, Key]]] = {
    "controller": {"vendor": _text(), "name": _text(), "version": _text()},
    "claims": {
        "interface": _text("psp", "cps"),
        "terminal": _text("apollo", "p6x"),
        "connectors": _number(1, 32),
        "start": _list("tap", "plug", "ui"),
        "stop": _list("tap", "unplug", "ui"),
        "scanning": _text("always", "on_plug"),
        "amount_strategy": _text("increment", "over_capture", "maximum", "driver_cap"),
        "max_power_w": _number(1, 4_000_000),
        "rfid": _flag(),
        "free_vend": _flag(),
        "ventilation": _flag(),
        "bay_sensor": _flag(),
        "same_card_twice": _text("refuse", "allow", default="refuse", optional=True),
    },
    "timing": {
        "plug_in_window": _number(1, _YEAR_S),
        "no_energy_window": _number(1, _YEAR_S),
        "charger_loss_window": _number(1, _YEAR_S),
        "parked_full_window": _number(0, _YEAR_S),
    },
    "tariff": {
        "currency": Key(kind=str, letters=3),
        "reserve": _number(1, _MONEY),
        "per_kwh": _number(0, _MONEY),
        "per_minute": _number(0, _MONEY, 0),
        "per_session": _number(0, _MONEY, 0),
        "minimum": _number(0, _MONEY, 0),
        "rounding": _text("half_up", "half_even", "up", "down", default="half_up", optional=True),
    },
    "reach": {
        "mode": _text("process", "endpoint", "in_process"),
        "controller": _text(default="", optional=True),
        "command": _list(optional=True),
        "psp_link": _text("tcp", "serial", default="tcp", optional=True),
        "psp_port": _number(0, 65_535, 0),
        "psp_device": _text(default="", optional=True),
        "cps_port": _number(0, 65_535, 0),
        "bay_port": _number(0, 65_535, 0),
        "power_command": _list(optional=True),
        "callback_hosts": _list(optional=True),
        "ready_within": _number(1, 3600, 30),
        "time_scale": _number(1, 20, 1),
    },
}
# fmt: on

#: The table that answers questions instead of claiming anything.
ANSWERS: Final = "answers"


@dataclass(frozen=True, slots=True)
class Declaration:
    """A checked declaration: five tables with every key present."""

    tables: Mapping[str, Mapping[str, Value]]
    #: Question -> answer, in the vendor's words; only those that are answered.
    answers: Mapping[str, str] = field(default_factory=dict)

    def text(self, table: str, key: str) -> str:
        value = self.tables[table][key]
        assert isinstance(value, str)
        return value

    def number(self, table: str, key: str) -> int:
        value = self.tables[table][key]
        assert isinstance(value, int)
        return value

    def flag(self, table: str, key: str) -> bool:
        return self.tables[table][key] is True

    def listed(self, table: str, key: str) -> tuple[str, ...]:
        value = self.tables[table][key]
        assert isinstance(value, tuple)
        return value

    def plain(self) -> dict[str, dict[str, object]]:
        """The tables as plain values, lists for tuples: what a trace keeps."""
        return {
            name: {
                key: list(value) if isinstance(value, tuple) else value
                for key, value in table.items()
            }
            for name, table in self.tables.items()
        }

    def replaced(self, table: str, **changes: Value) -> "Declaration":
        """The same with some keys changed; checked again."""
        raw = self.plain()
        for key, value in changes.items():
            raw[table][key] = list(value) if isinstance(value, tuple) else value
        return replace(check(raw), answers=self.answers)


def check(raw: Mapping[str, object], *, source: str = "declaration") -> Declaration:
    """Check every table and key. Raises SetupError for the first that is wrong."""
    allowed = ", ".join((*TABLES, ANSWERS))
    unknown = [name for name in raw if name not in TABLES and name != ANSWERS]
    if unknown:
        raise SetupError(f"{source}: table [{unknown[0]}]: allowed are {allowed}")
    tables = {name: _check_table(name, raw.get(name, {}), source) for name in TABLES}
    tables["reach"] = _wired(tables["reach"], raw["reach"])
    declared = Declaration(tables, _check_answers(raw.get(ANSWERS, {}), source))
    _check_reach(declared, source)
    return declared


def _check_answers(raw: object, source: str) -> Mapping[str, str]:
    try:
        return check_answers(raw, where=f"{source}: [{ANSWERS}]")
    except AnswerError as error:
        raise SetupError(str(error)) from None


def _check_reach(declared: Declaration, source: str) -> None:
    """What a mode cannot do without."""
    match declared.text("reach", "mode"):
        case "process" if not declared.listed("reach", "command"):
            _missing("command", "the program and its arguments", source)
        case "in_process" if not declared.text("reach", "controller"):
            _missing("controller", "package.module:factory", source)
        case "endpoint":
            is_serial = declared.text("reach", "psp_link") == "serial"
            is_psp = declared.text("claims", "interface") == "psp"
            if is_psp and is_serial and not declared.text("reach", "psp_device"):
                _missing("psp_device", "the path of a serial port", source)


def _wired(reach: Mapping[str, Value], raw: object) -> Mapping[str, Value]:
    """A box whose serial port is named need not say that it is wired to one."""
    on_device = reach["mode"] == "endpoint" and reach["psp_device"] != ""
    is_silent = isinstance(raw, Mapping) and "psp_link" not in raw
    return {**reach, "psp_link": "serial"} if on_device and is_silent else reach


def _missing(key: str, allowed: str, source: str) -> NoReturn:
    raise SetupError(f"{source}: [reach] {key}: missing, allowed is {allowed}")


def _check_table(name: str, raw: object, source: str) -> Mapping[str, Value]:
    if not isinstance(raw, Mapping):
        raise SetupError(f"{source}: [{name}]: found {raw!r}, allowed is a table")
    keys = TABLES[name]
    for found in raw:
        if found not in keys:
            allowed = ", ".join(keys)
            raise SetupError(f"{source}: [{name}] {found}: allowed are {allowed}")
    return {
        key: _check_key(row, raw, where=f"{source}: [{name}] {key}", key=key)
        for key, row in keys.items()
    }


def _check_key(row: Key, raw: Mapping[str, object], *, where: str, key: str) -> Value:
    if key not in raw:
        if row.default is None:
            raise SetupError(f"{where}: missing, allowed is {row.describe()}")
        return row.default
    value = _fitting(row, raw[key])
    if value is None:
        raise SetupError(f"{where}: found {raw[key]!r}, allowed is {row.describe()}")
    _refuse_production(value, where)
    return value


def _refuse_production(value: Value, where: str) -> None:
    """No text may lead to where cardholders' money is real."""
    texts = value if isinstance(value, tuple) else (value,)
    for text in texts:
        host = production_host(text) if isinstance(text, str) else ""
        if host:
            raise SetupError(
                f"{where}: found {host}, a production host of Payter; allowed are "
                f"hosts of your own, or {', '.join(NOT_PRODUCTION)}"
            )


def _fitting(row: Key, found: object) -> Value | None:
    """``found`` as the key's type, or None when it does not fit."""
    if row.kind is bool:
        return found if isinstance(found, bool) else None
    if row.kind is int:
        if not isinstance(found, int) or isinstance(found, bool):
            return None
        return found if row.low <= found <= row.high else None
    if row.kind is str:
        if not isinstance(found, str):
            return None
        if row.letters and not re.fullmatch(rf"[A-Z]{{{row.letters}}}", found):
            return None
        return found if not row.allowed or found in row.allowed else None
    return _fitting_list(row, found)


def _fitting_list(row: Key, found: object) -> tuple[str, ...] | None:
    if not isinstance(found, Sequence) or isinstance(found, str):
        return None
    words = tuple(str(word) for word in found)
    if row.allowed and (not words or any(word not in row.allowed for word in words)):
        return None
    return words


def load(path: Path) -> Declaration:
    """Read and check a declaration file. Raises SetupError."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SetupError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise SetupError(f"{path}: not TOML: {error}") from None
    return check(raw, source=str(path))
