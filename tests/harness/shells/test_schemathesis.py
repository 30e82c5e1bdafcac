"""Schemathesis reads the OpenAPI document and finds nothing wrong with the server.

It sends what the document allows and what it forbids, wrong verbs and missing keys,
follows links from sessions to their closes, and holds each answer against the document.
Cards are tapped and old sessions are open, so that it reaches the money.
"""

import subprocess
import sys
from pathlib import Path

from tests.harness.shells.served import Served

#: One terminal exists; what else could be put in its place is 404 in any case.
#: A commit above the authorised amount is 400 by policy, which no schema can say.
CONFIG = """
[parameters]
"path.serialNumber" = "{serial}"

[[operations]]
include-operation-id = "E9"
[operations.checks.positive_data_acceptance]
expected-statuses = [200, 400, 404, 409, 503]
"""

RUN = (
    "run",
    "--max-examples=4",
    "--seed=1",
    "--no-color",
    "--suppress-health-check=all",
)


def findings(served: Served, folder: Path) -> str:
    """What schemathesis has to say; empty when it has found nothing."""
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG.format(serial=served.serial), encoding="utf-8")
    ((name, value),) = served.headers.items()
    command = [
        *(sys.executable, "-m", "schemathesis.cli", f"--config-file={config}", *RUN),
        f"--header={name}: {value}",
        f"{served.port.url}/v3/api-docs",
    ]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    served = Served(taps=True, wait_max_s=1)
    try:
        terminal = served.bench.court.terminal
        served.in_loop(lambda: terminal.open_old_sessions(20))
        found = findings(served, tmp_path)
        assert not found, found[-6000:]
        calls = served.records("http")
        closes = served.records("session")
    finally:
        served.close()
    reached = {call["route"] for call in calls if "route" in call}
    assert {"E2", "E3", "E4", "E6", "E9", "E10", "E11"} <= reached
    assert any(close["event"] == "cancelled" for close in closes), "no money moved"
