"""What the program is asked to do, from its arguments or its environment.

The names are those of device_under_test.md, section 2, "process". An argument beats the
environment, and an empty value counts as none, because a placeholder that does not
apply to a case is empty.

Two kinds of refusal. ``UsageError``: this can never work, ask again (exit status 2).
``NotImplementedHere``: a sensible wish that this controller does not fulfil (89).
"""

import argparse
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import SplitResult, parse_qsl, urlsplit

from controller_ref.shells.serial import SerialDevice
from controller_ref.shells.tcp import TcpAddress

PSP_PORT: Final = 3201
BAUD: Final = 115_200
MAX_TIME_SCALE: Final = 20
MAX_PORT: Final = 65_535
MAX_BAUD: Final = 4_000_000
MAX_DECLARATION_BYTES: Final = 1 << 20

# fmt: off
#: Option -> the environment variable that it is read from, and what it is.
_OPTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "psp": ("NOHOLD_PSP", "terminal: tcp://HOST[:PORT] or serial://DEVICE[?baud=N]"),
    "cps-url": ("NOHOLD_CPS_URL", "payment cloud: http://HOST[:PORT] or https://..."),
    "cps-api-key": ("NOHOLD_CPS_API_KEY", "key for the payment cloud"),
    "terminal-serial": ("NOHOLD_TERMINAL_SERIAL", "serial number of the terminal"),
    "bay": ("NOHOLD_BAY", "charger: tcp://HOST:PORT"),
    "state": ("NOHOLD_STATE_DIR", "directory for what must survive; it must exist"),
    "declaration": ("NOHOLD_DECLARATION", "claims, timing and tariff: a TOML file"),
    "time-scale": ("NOHOLD_TIME_SCALE", "run N times faster, 1 to 20"),
}
#: Claims that are not followed here: key -> the value that can be.
_UNCLAIMED: Final = {"free_vend": False}
# fmt: on


class UsageError(Exception):
    """Wrong use of the command; says what was found and what is allowed."""


class NotImplementedHere(Exception):
    """Says what was asked for that this controller does not do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    url: str
    api_key: str
    terminal_serial: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    #: Exactly one of the two, as the declaration's ``interface`` claims.
    psp: TcpAddress | SerialDevice | None
    cloud: Cloud | None
    bay: TcpAddress
    state_dir: Path
    declaration: Mapping[str, Any]
    #: 1..20.
    time_scale: int


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> Options:
    """Raises UsageError and NotImplementedHere."""
    given = _given(arguments, environment)
    declaration = _declaration(_needed(given, "declaration"))
    is_cps = _interface(declaration) == "cps"
    return Options(
        psp=None if is_cps else _psp(_needed(given, "psp")),
        cloud=_cloud(given) if is_cps else None,
        bay=_bay(_needed(given, "bay")),
        state_dir=_directory(_needed(given, "state")),
        declaration=declaration,
        time_scale=_number("time-scale", given["time-scale"] or "1", MAX_TIME_SCALE),
    )


def _given(
    arguments: Sequence[str], environment: Mapping[str, str]
) -> Mapping[str, str]:
    parser = _Parser(
        prog="python -m controller_ref",
        description="The reference controller, as a program of its own.",
        allow_abbrev=False,
    )
    for name, (variable, what) in _OPTIONS.items():
        parser.add_argument(f"--{name}", dest=name, help=f"{what} [{variable}]")
    found = vars(parser.parse_args(arguments))
    return {
        name: found[name] or environment.get(variable, "")
        for name, (variable, _) in _OPTIONS.items()
    }


def _needed(given: Mapping[str, str], name: str) -> str:
    if not given[name]:
        raise UsageError(f"--{name} or {_OPTIONS[name][0]} is needed")
    return given[name]


def _number(name: str, text: str, highest: int) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= 10
    if not is_number or not 1 <= int(text) <= highest:
        raise UsageError(f"{name}: found {text!r}, allowed 1 to {highest}")
    return int(text)


# --- Where things are ---------------------------------------------------------------


def _psp(url: str) -> TcpAddress | SerialDevice:
    parts = _split("psp", url)
    match parts.scheme:
        case "tcp":
            return _address("psp", url, parts, PSP_PORT)
        case "serial":
            return _serial(url, parts)
        case _:
            raise NotImplementedHere(f"psp over {parts.scheme!r}: only tcp and serial")


def _serial(url: str, parts: SplitResult) -> SerialDevice:
    settings = dict(parse_qsl(parts.query, keep_blank_values=True))
    baud = _number("psp baud", settings.pop("baud", str(BAUD)), MAX_BAUD)
    if settings:
        raise NotImplementedHere(f"psp {', '.join(settings)}: only baud can be set")
    if parts.netloc or not parts.path:
        raise UsageError(f"psp: found {url!r}, allowed serial:///DEVICE")
    return SerialDevice(path=parts.path, baud=baud)


def _bay(url: str) -> TcpAddress:
    parts = _split("bay", url)
    if parts.scheme != "tcp":
        raise NotImplementedHere(f"bay link over {parts.scheme!r}: only tcp")
    return _address("bay", url, parts, 0)


def _address(name: str, url: str, parts: SplitResult, port: int) -> TcpAddress:
    port = _port(name, parts) or port
    if not parts.hostname or not port or parts.path or parts.query:
        raise UsageError(f"{name}: found {url!r}, allowed tcp://HOST:PORT")
    return TcpAddress(host=parts.hostname, port=port)


def _cloud(given: Mapping[str, str]) -> Cloud:
    url = _needed(given, "cps-url")
    parts = _split("cps-url", url)
    if parts.scheme not in ("http", "https"):
        raise NotImplementedHere(f"CPS over {parts.scheme!r}: only http and https")
    _port("cps-url", parts)
    if not parts.hostname or parts.query or parts.fragment or parts.username:
        raise UsageError(f"cps-url: found {url!r}, allowed http://HOST:PORT/PATH")
    return Cloud(
        url=url,
        api_key=_needed(given, "cps-api-key"),
        terminal_serial=_needed(given, "terminal-serial"),
    )


def _split(name: str, url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:
        raise UsageError(f"{name}: found {url!r}: {error}") from None


def _port(name: str, parts: SplitResult) -> int:
    try:
        return parts.port or 0
    except ValueError:
        found = parts.netloc.rpartition(":")[2]
        allowed = f"allowed a port from 1 to {MAX_PORT}"
        raise UsageError(f"{name}: found {found!r}, {allowed}") from None


def _directory(path: str) -> Path:
    directory = Path(path)
    if not directory.is_dir():
        raise UsageError(f"state: found {path!r}, allowed a directory that exists")
    return directory


# --- The declaration ----------------------------------------------------------------


def _declaration(path: str) -> Mapping[str, Any]:
    try:
        with Path(path).open("rb") as file:
            text = file.read(MAX_DECLARATION_BYTES + 1)
        if len(text) > MAX_DECLARATION_BYTES:
            raise ValueError(f"over {MAX_DECLARATION_BYTES} bytes")
        declaration = tomllib.loads(text.decode("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"declaration {path!r}: {error}") from None
    claims = declaration.get("claims")
    for key, value in _UNCLAIMED.items():
        if isinstance(claims, dict) and claims.get(key, value) != value:
            raise NotImplementedHere(f"claims.{key} = {claims[key]!r}")
    return declaration


def _interface(declaration: Mapping[str, Any]) -> str:
    claims = declaration.get("claims")
    found = claims.get("interface", "psp") if isinstance(claims, dict) else "psp"
    if found not in ("psp", "cps"):
        raise NotImplementedHere(f"claims.interface = {found!r}: only psp and cps")
    return str(found)
