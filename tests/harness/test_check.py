"""``nohold check``: set-up mistakes each get a line of their own, never a verdict."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli import app

REFERENCE = Path(__file__).parents[2] / "controller_ref" / "declaration.toml"
Check = Callable[..., tuple[int, str]]

#: A program that speaks to nobody.
SILENT = "import time\nwhile True:\n    time.sleep(0.05)\n"
REAL = """
import os, sys
from controller_ref.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
DIES = "import sys\nsys.exit('the relay board is missing')\n"
DECLINES = "import sys\nprint('no CPS in this build')\nsys.exit(89)\n"


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Write a declaration around a program and check it."""

    def run(program: str, *, interface: str = "psp", **changes: str) -> tuple[int, str]:
        (tmp_path / "controller.py").write_text(program, encoding="utf-8")
        text = REFERENCE.read_text(encoding="utf-8").partition("[reach]")[0]
        text = text.replace('interface = "psp"', f'interface = "{interface}"')
        reach = {
            "mode": '"process"',
            "command": f'["{sys.executable}", "controller.py"]',
            "ready_within": "3",
            "time_scale": "20",
            **changes,
        }
        lines = [f"{key} = {value}" for key, value in reach.items() if value]
        path = tmp_path / "declaration.toml"
        path.write_text("\n".join([text, "[reach]", *lines]), encoding="utf-8")
        result = CliRunner().invoke(app, ["check", "-d", str(path)])
        return result.exit_code, result.output

    return run


def test_the_reference_controller_in_process_is_ready() -> None:
    result = CliRunner().invoke(app, ["check", "-d", str(REFERENCE)])
    assert result.exit_code == 0, result.output
    assert "READY" in result.output


def test_the_reference_program_is_ready(check: Check) -> None:
    status, output = check(REAL, ready_within="20")
    assert status == 0, output
    assert "killed, started with the same state directory, ready again" in output


def test_a_controller_that_answers_nothing(check: Check) -> None:
    status, output = check(SILENT)
    assert status == 3
    assert "no hello on the bay link, the set-up sequence did not reach" in output
    assert "SETUP ERROR" in output
    assert "FAIL" not in output


def test_one_that_crashes_at_start(check: Check) -> None:
    status, output = check(DIES)
    assert status == 3
    assert "it ended with status 1: the relay board is missing" in output


def test_one_that_does_not_implement_what_is_asked(check: Check) -> None:
    status, output = check(DECLINES)
    assert status == 3
    assert "status 89: no CPS in this build" in output


def test_a_program_that_is_not_there(check: Check) -> None:
    status, output = check("", command='["./not-here"]')
    assert status == 3
    assert "[reach] command: cannot start './not-here'" in output


def test_a_port_in_use(check: Check) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, output = check(REAL, bay_port=str(port))
    assert status == 3
    assert f"port {port} on 127.0.0.1: Address already in use" in output


def test_a_missing_key(check: Check) -> None:
    status, output = check(REAL, mode="")
    assert status == 3
    assert "[reach] mode: missing, allowed is one of process, endpoint" in output


def test_a_wrong_api_key(check: Check) -> None:
    key = "os.environ['NOHOLD_CPS_API_KEY'] = 'not-the-key'\n"
    wrong = REAL.replace("sys.exit", key + "sys.exit")
    status, output = check(wrong, interface="cps", ready_within="8")
    assert status == 3
    assert "its calls carry a wrong API key" in output


def test_no_such_declaration(tmp_path: Path) -> None:
    path = tmp_path / "declaration.toml"
    result = CliRunner().invoke(app, ["check", "-d", str(path)])
    assert result.exit_code == 3
    assert "no such file" in result.output
