"""The command line: what is taken, what is refused, and with which status."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pytest

from controller_ref.shells.options import (
    Cloud,
    NotImplementedHere,
    Options,
    UsageError,
    parse,
)
from controller_ref.shells.serial import SerialDevice
from controller_ref.shells.storage import StateDirectory
from controller_ref.shells.tcp import TcpAddress

ROOT = Path(__file__).resolve().parents[3]
DECLARATION = ROOT / "controller_ref" / "declaration.toml"


def arguments(path: Path, **changes: str) -> list[str]:
    options = {
        "psp": "tcp://127.0.0.1:3201",
        "bay": "tcp://127.0.0.1:40123",
        "state": str(path),
        "declaration": str(DECLARATION),
    }
    named = {name.replace("_", "-"): value for name, value in changes.items()}
    return [f"--{name}={value}" for name, value in {**options, **named}.items()]


def parsed(
    path: Path, environment: Mapping[str, str] = MappingProxyType({}), **changes: str
) -> Options:
    return parse(arguments(path, **changes), environment)


def declared(path: Path, claims: str) -> str:
    file = path / "declaration.toml"
    file.write_text(f"[claims]\n{claims}\n")
    return str(file)


def test_arguments_say_where_everything_is(tmp_path: Path) -> None:
    options = parsed(tmp_path, time_scale="20")
    assert options.psp == TcpAddress(host="127.0.0.1", port=3201)
    assert options.bay == TcpAddress(host="127.0.0.1", port=40_123)
    assert options.cloud is None
    assert options.state_dir == tmp_path
    assert options.time_scale == 20
    assert options.declaration["claims"]["terminal"] == "apollo"


def test_the_environment_says_the_same(tmp_path: Path) -> None:
    environment = {
        "NOHOLD_PSP": "serial:///dev/pts/4?baud=9600",
        "NOHOLD_BAY": "tcp://[::1]:2",
        "NOHOLD_STATE_DIR": str(tmp_path),
        "NOHOLD_DECLARATION": str(DECLARATION),
        "NOHOLD_TIME_SCALE": "2",
    }
    options = parse([], environment)
    assert options.psp == SerialDevice(path="/dev/pts/4", baud=9_600)
    assert options.bay == TcpAddress(host="::1", port=2)
    assert options.time_scale == 2
    assert parse(["--bay=tcp://a:3", "--psp="], environment).bay.port == 3


def test_a_terminal_has_its_usual_port_and_speed(tmp_path: Path) -> None:
    assert parsed(tmp_path, psp="tcp://a").psp == TcpAddress(host="a", port=3201)
    device = SerialDevice(path="/dev/ttyUSB0", baud=115_200)
    assert parsed(tmp_path, psp="serial:///dev/ttyUSB0").psp == device


def test_cps_needs_a_cloud_and_no_terminal(tmp_path: Path) -> None:
    options = parsed(
        tmp_path,
        {"NOHOLD_CPS_API_KEY": "k", "NOHOLD_TERMINAL_SERIAL": "APO1"},
        psp="",
        cps_url="https://cps.example/v1",
        declaration=declared(tmp_path, 'interface = "cps"'),
    )
    assert options.psp is None
    cloud = Cloud(url="https://cps.example/v1", api_key="k", terminal_serial="APO1")
    assert options.cloud == cloud


# fmt: off
WRONG: Final = [
    ({"psp": ""}, "--psp or NOHOLD_PSP is needed"),
    ({"psp": "tcp://"}, "found 'tcp://', allowed tcp://HOST:PORT"),
    ({"psp": "tcp://a:99999"}, "found '99999', allowed a port"),
    ({"psp": "tcp://[a"}, "psp: found 'tcp://\\[a'"),
    ({"psp": "serial://ttyUSB0"}, "allowed serial:///DEVICE"),
    ({"psp": "serial:///dev/a?baud=fast"}, "baud: found 'fast', allowed 1 to 4000000"),
    ({"bay": "tcp://127.0.0.1"}, "bay: found"),
    ({"state": "/no/such/place"}, "state: found '/no/such/place'"),
    ({"declaration": "/no/such/file"}, "declaration '/no/such/file': "),
    ({"time_scale": "0"}, "found '0', allowed 1 to 20"),
    ({"time_scale": "21"}, "found '21', allowed 1 to 20"),
    ({"time_scale": "1.5"}, "found '1.5'"),
    ({"colour": "red"}, "--colour=red"),
]
# fmt: on


@pytest.mark.parametrize(("changes", "says"), WRONG)
def test_wrong_use_is_told(tmp_path: Path, changes: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse(arguments(tmp_path, **changes), {})


@pytest.mark.parametrize("url", ["http://", "http://a?b=c", "http://me@a", ""])
def test_a_wrong_cloud_is_told(tmp_path: Path, url: str) -> None:
    declaration = declared(tmp_path, 'interface = "cps"')
    with pytest.raises(UsageError, match="cps-url"):
        parsed(tmp_path, cps_url=url, declaration=declaration)


@pytest.mark.parametrize("text", ["[claims", "\xe9" * 10, "#" * (1 << 20) + "#"])
def test_a_declaration_must_be_toml_of_a_size(tmp_path: Path, text: str) -> None:
    file = tmp_path / "declaration.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match="declaration"):
        parsed(tmp_path, declaration=str(file))


# fmt: off
NOT_IMPLEMENTED: Final = [
    ({"psp": "can://a"}, "", "psp over 'can'"),
    ({"psp": "serial:///dev/a?parity=even"}, "", "psp parity"),
    ({"bay": "unix:///a"}, "", "bay link over 'unix'"),
    ({}, "free_vend = true", "claims.free_vend = True"),
    ({}, 'interface = "ocpp"', "claims.interface = 'ocpp'"),
    ({"cps_url": "ftp://a"}, 'interface = "cps"', "CPS over 'ftp'"),
]
# fmt: on


@pytest.mark.parametrize(("changes", "claims", "says"), NOT_IMPLEMENTED)
def test_what_is_not_implemented_is_named(
    tmp_path: Path, changes: dict[str, str], claims: str, says: str
) -> None:
    with pytest.raises(NotImplementedHere, match=says):
        parse(
            arguments(tmp_path, declaration=declared(tmp_path, claims), **changes), {}
        )


# --- The program's exit status -------------------------------------------------------


def run(arguments: list[str]) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "controller_ref", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stderr


def test_wrong_use_is_status_2_and_one_line(tmp_path: Path) -> None:
    status, text = run(arguments(tmp_path, time_scale="100"))
    assert status == 2
    assert text == "controller_ref: time-scale: found '100', allowed 1 to 20\n"


def test_what_is_not_implemented_is_status_89(tmp_path: Path) -> None:
    status, text = run(arguments(tmp_path, psp="can://a"))
    assert status == 89
    assert text.count("\n") == 1
    assert "not implemented: psp over 'can'" in text


def test_claims_that_cannot_be_followed_are_status_2(tmp_path: Path) -> None:
    status, text = run(
        arguments(tmp_path, declaration=declared(tmp_path, "connectors = 33"))
    )
    assert status == 2
    assert "claims.connectors: found 33" in text


def test_a_second_copy_is_status_2(tmp_path: Path) -> None:
    first = StateDirectory(tmp_path)
    status, text = run(arguments(tmp_path))
    assert status == 2
    assert "another copy" in text
    first.close()


def test_it_stops_when_told_and_waits_for_nobody(tmp_path: Path) -> None:
    """No terminal, no charger: it tries again and again, and stops all the same."""
    out = tmp_path / "out"
    with out.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "controller_ref", *arguments(tmp_path)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=file,
            stderr=file,
        )
    end_s = time.monotonic() + 20
    while "boot 1" not in out.read_text() and time.monotonic() < end_s:
        assert process.poll() is None, out.read_text()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert out.read_text() == "boot 1\n"
