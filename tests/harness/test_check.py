"""``nohold check`` and ``nohold run``: a set-up mistake is a line, never a verdict."""

import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli import app

REFERENCE = Path(__file__).parents[2] / "controller_ref" / "declaration.toml"
FEATURE = Path(__file__).parents[2] / "features" / "driver_changes_plan.feature"

#: A program that speaks to nobody.
SILENT = "import time\nwhile True:\n    time.sleep(0.05)\n"
REAL = """
import os, sys
from controller_ref.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
DIES = "import sys\nsys.exit('the relay board is missing')\n"
DECLINES = "import sys\nprint('no CPS in this build')\nsys.exit(89)\n"
#: What a terminal hears of a controller at another baud rate is noise.
WRONG_BAUD = """
import os, serial, time
path = os.environ["NOHOLD_PSP"].removeprefix("serial://").partition("?")[0]
port = serial.Serial(path, 9600)
while True:
    port.write(bytes.fromhex("e6 80 9e 18 00 f8"))
    time.sleep(0.05)
"""
WRONG_KEY = REAL.replace(
    "sys.exit", "os.environ['NOHOLD_CPS_API_KEY'] = 'not-the-key'\nsys.exit"
)


class SetUp:
    """A declaration around a program, and the two commands that look at it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = folder / "declaration.toml"

    def write(self, program: str, *, claims: str = "", **reach: str) -> "SetUp":
        """``claims``: ``key=value`` that replaces what the reference claims."""
        (self._folder / "controller.py").write_text(program, encoding="utf-8")
        text = REFERENCE.read_text(encoding="utf-8").partition("[reach]")[0]
        if claims:
            key, value = claims.split("=")
            lines = [
                f'{key} = "{value}"' if line.startswith(f"{key} =") else line
                for line in text.splitlines()
            ]
            text = "\n".join(lines)
        keys = {
            "mode": '"process"',
            "command": f'["{sys.executable}", "controller.py"]',
            "ready_within": "3",
            "time_scale": "20",
            **reach,
        }
        lines = [f"{key} = {value}" for key, value in keys.items() if value]
        self.path.write_text("\n".join([text, "[reach]", *lines]), encoding="utf-8")
        return self

    def check(self) -> tuple[int, str]:
        return _invoke("check", "-d", str(self.path))

    def run(self) -> tuple[int, str]:
        return _invoke("run", str(FEATURE), "-d", str(self.path))


def _invoke(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.output


@pytest.fixture
def made(tmp_path: Path) -> SetUp:
    return SetUp(tmp_path)


def expect(outcome: tuple[int, str], line: str) -> None:
    """A set-up error with this line, once, and no verdict on anybody."""
    status, output = outcome
    assert status == 3, output
    assert output.count(line) == 1, output
    assert "SETUP ERROR" in output or "nohold: set-up error" in output
    for word in ("FAIL", "PASS", "examined", "Traceback"):
        assert word not in output


# --- what works -------------------------------------------------------------------


def test_the_reference_controller_in_process_is_ready() -> None:
    result = CliRunner().invoke(app, ["check", "-d", str(REFERENCE)])
    assert result.exit_code == 0, result.output
    assert "READY" in result.output


def test_the_reference_program_is_ready(made: SetUp) -> None:
    status, output = made.write(REAL, ready_within="20").check()
    assert status == 0, output
    assert "killed, started with the same state directory, ready again" in output


# --- what does not ----------------------------------------------------------------

Command = Callable[[SetUp], tuple[int, str]]
both = pytest.mark.parametrize("command", [SetUp.check, SetUp.run])


@both
def test_a_controller_that_answers_nothing(made: SetUp, command: Command) -> None:
    expect(
        command(made.write(SILENT, ready_within="1")),
        "controller not ready within 1 s: no hello on the bay link, "
        "the set-up sequence did not reach ENABLED",
    )


@both
def test_one_that_crashes_at_start(made: SetUp, command: Command) -> None:
    expect(command(made.write(DIES)), "ended with status 1: the relay board is missing")


@both
def test_one_that_uses_a_wrong_baud_rate(made: SetUp, command: Command) -> None:
    wrong = made.write(
        WRONG_BAUD, claims="terminal=p6x", psp_link='"serial"', ready_within="2"
    )
    expect(
        command(wrong),
        "wrong baud rate: its port is set to 9600 baud, the terminal to 115200",
    )


@both
def test_a_wrong_api_key(made: SetUp, command: Command) -> None:
    wrong = made.write(WRONG_KEY, claims="interface=cps", ready_within="30")
    expect(command(wrong), "its calls carry a wrong API key")


@both
def test_a_port_in_use(made: SetUp, command: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        expect(
            command(made.write(REAL, bay_port=str(port))),
            f"port {port} on 127.0.0.1: Address already in use",
        )


@both
def test_a_missing_key(made: SetUp, command: Command) -> None:
    expect(
        command(made.write(REAL, mode="")),
        "[reach] mode: missing, allowed is one of process, endpoint",
    )


@both
def test_one_that_does_not_do_what_it_declares(made: SetUp, command: Command) -> None:
    expect(
        command(made.write(DECLINES)),
        "does not implement what is declared: status 89: no CPS in this build",
    )


@both
def test_a_program_that_is_not_there(made: SetUp, command: Command) -> None:
    missing = made.write("", command='["./not-here"]')
    expect(command(missing), "[reach] command: cannot start './not-here'")


def test_no_such_declaration(made: SetUp) -> None:
    expect(made.check(), "no such file")
    status, output = made.run()
    assert status == 2
    assert "no such file or folder" in output
