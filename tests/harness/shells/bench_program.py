"""``nohold serve`` as a program of its own, and the reference controller beside it."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[3]
DECLARATION = ROOT / "controller_ref" / "declaration.toml"
#: Long enough for a machine that has other things to do.
PATIENCE_S = 30.0
COMMAND = (sys.executable, "-c", "from harness.cli import main; main()", "serve")
FREE_PORTS = ("--port", "0", "--psp-port", "0", "--cps-port", "0", "--bay-port", "0")


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def until(holds: Callable[[], Any], *, what: str) -> Any:
    """Wait for a condition; its value. Fails with ``what`` when it does not come."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if found := holds():
            return found
        time.sleep(0.02)
    raise AssertionError(f"did not happen within {PATIENCE_S} s: {what}")


class Served:
    """A bench on free ports; what it says is kept in files."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.folder = folder
        self._out, self._err = folder / "out.txt", folder / "err.txt"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [*COMMAND, *FREE_PORTS, *flags],
                cwd=folder,
                env=environment(),
                stdout=out,
                stderr=err,
            )
        self.listening: list[http.client.HTTPResponse | http.client.HTTPConnection] = []
        self.controller: subprocess.Popen[bytes] | None = None
        until(lambda: "seed" in self.said() or self.has_ended, what="a start")
        assert not self.has_ended, self.errors()
        self.at = dict(line.split(None, 1) for line in self.said().splitlines()[:8])
        self.address = urlsplit(self.at["bench"]).netloc

    # --- the program ------------------------------------------------------------

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def said(self) -> str:
        return self._out.read_text(encoding="utf-8")

    def errors(self) -> str:
        return self._err.read_text(encoding="utf-8")

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to stop; its status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=5)

    def memory_kib(self) -> int:
        """What the program holds in memory (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        (line,) = [one for one in status.splitlines() if one.startswith("VmRSS")]
        return int(line.split()[1])

    def close(self) -> None:
        """End whatever is still there."""
        self.hang_up()
        for process in (self.controller, self.process):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()

    # --- the control interface --------------------------------------------------

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON of one call."""
        connection = http.client.HTTPConnection(self.address, timeout=10)
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data)
            response = connection.getresponse()
            text = response.read().decode()
            is_json = response.headers["Content-Type"] == "application/json"
            return response.status, json.loads(text) if is_json else text
        finally:
            connection.close()

    def post(self, path: str, **body: object) -> Any:
        status, answer = self.call("POST", f"/bench/{path}", body)
        assert status == 200, answer
        return answer

    def bench(self) -> Any:
        status, answer = self.call("GET", "/bench")
        assert status == 200, answer
        return answer

    def sessions(self) -> list[dict[str, Any]]:
        status, answer = self.call("GET", "/bench/sessions")
        assert status == 200, answer
        return list(answer)

    def listen(self, query: str = "", **headers: str) -> http.client.HTTPResponse:
        """The events, as a response that goes on."""
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE_S)
        connection.connect()
        # The system keeps little for who does not read.
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        connection.request("GET", f"/bench/events{query}", headers=headers)
        response = connection.getresponse()
        self.listening += [response, connection]
        assert response.status == 200
        return response

    def hang_up(self) -> None:
        """Nobody of ours listens any more."""
        while self.listening:
            self.listening.pop().close()

    # --- a controller and a driver ----------------------------------------------

    def start_controller(self, interface: str) -> None:
        """The reference controller, as a vendor's program would be started."""
        state = self.folder / "state"
        state.mkdir(exist_ok=True)
        declaration = self.folder / "declaration.toml"
        text = DECLARATION.read_text(encoding="utf-8")
        claimed = text.replace('interface = "psp"', f'interface = "{interface}"')
        declaration.write_text(claimed, encoding="utf-8")
        where = ["--psp", self.at["psp"]]
        if interface == "cps":
            serial = self.at["terminal"].split()[1]
            where = ["--cps-url", self.at["cps"], "--terminal-serial", serial]
            where += ["--cps-api-key", self.at["api-key"]]
        where += ["--bay", self.at["bay"], "--state", str(state)]
        where += ["--declaration", str(declaration)]
        self.controller = subprocess.Popen(
            [sys.executable, "-m", "controller_ref", *where],
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def wait_for_card_reading(self) -> None:
        """The controller is there and the terminal asks for a card."""
        until(
            lambda: self.bench()["terminal"]["display"]["screen"] == "present_card",
            what="a terminal that reads cards",
        )

    def pay_for_a_charge(self) -> dict[str, Any]:
        """A whole driver story at connector 1; the session at its end."""
        known = len(self.sessions())
        self.wait_for_card_reading()
        self.post("tap", card="visa")
        until(lambda: len(self.sessions()) > known, what="a session")
        before = self.bench()["connectors"][0]["energy_wh"]
        self.post("plug", connector=1, vehicle="van")
        self.post("draw", connector=1)
        # At 0.59 a kWh less than 9 Wh cost nothing, and are released.
        until(
            lambda: self.bench()["connectors"][0]["energy_wh"] > before + 10,
            what="energy",
        )
        self.post("leave", connector=1)
        until(lambda: self.sessions()[-1]["state"] != "open", what="a close")
        until(lambda: self.sessions()[-1]["settlement"], what="a settlement")
        return self.sessions()[-1]
