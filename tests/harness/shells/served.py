"""A bench that serves CPS in real time, while a test plays the controller.

The bench's loop runs in a thread of its own; ``in_loop`` does something there. A driver
who taps whenever the terminal reads can be asked for.
"""

import http.client
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from harness.bench import Bench, CaseName
from harness.columns import COLUMNS
from harness.declaration import load
from harness.places import REFERENCE
from harness.shells.loop import Loop
from harness.shells.web import CloudPort
from harness.wishes import Wishes
from harness.world import VirtualWorld
from simulator.clock import WallClock
from simulator.events import CardTapped
from tests.harness.mute import mute
from wire.cps import authorization

#: Real time for what should take none, on a machine that is busy.
PATIENCE_S = 20.0
SCALE = 20
CPS = next(column for column in COLUMNS if column.name == "cps")
T = TypeVar("T")


class WallTime(VirtualWorld):
    """Real time, faster than life; the clock waits in the ports' loop."""

    def __init__(self, loop: Loop) -> None:
        super().__init__()
        self.clock = WallClock(scale=SCALE, wait=loop.wait)


@dataclass(frozen=True)
class Answer:
    """What a call was answered with."""

    status: int
    headers: dict[str, str]
    body: bytes


class Served:
    """See the module's text."""

    def __init__(self, *, taps: bool = False, **policy: Any) -> None:
        self.loop = Loop()
        wishes = Wishes(
            declaration=CPS.fit(load(REFERENCE)),
            configurable=True,
            factory=mute,
            policy=policy,
        )
        self.bench = Bench(
            wishes,
            column=CPS,
            seed=random.Random(1).randrange(1000),
            case=CaseName(scenario="served"),
            world=WallTime(self.loop),
        )
        self.bench.court.outbox = self.bench.lines
        self.line = self.bench.lines.cloud
        self.port = CloudPort(self.loop, self.line, time_scale=SCALE)
        self.serial = self.bench.serial_number
        self._clients: list[http.client.HTTPConnection] = []
        self._taps = taps
        self._done = threading.Event()
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    # --- the bench's thread -----------------------------------------------------

    def _run(self) -> None:
        try:
            self.bench.run_until(self._is_done, 1_000_000_000)
        except BaseException as error:
            self.failure = error
            raise

    def _is_done(self) -> bool:
        terminal = self.bench.court.terminal
        if self._taps and terminal.info.state == "READING":
            self.bench.court.tell_terminal(CardTapped(card="visa"))
        return self._done.is_set()

    def in_loop(self, what: Callable[[], T]) -> T:
        """What ``what`` returns, when it is done there."""
        found: list[T] = []
        self.loop.call(lambda: found.append(what()))
        self.wait_for(lambda: bool(found))
        return found[0]

    # --- the test's thread ------------------------------------------------------

    def wait_for(self, holds: Callable[[], bool]) -> None:
        """Wait, within reason, until something holds."""
        until = time.monotonic() + PATIENCE_S
        while not holds():
            assert self.failure is None, "the bench has failed"
            assert time.monotonic() < until, "waited in vain"
            time.sleep(0.005)

    def records(self, kind: str) -> list[dict[str, Any]]:
        return [dict(r) for r in list(self.bench.trace.records) if r["kind"] == kind]

    @property
    def headers(self) -> dict[str, str]:
        return dict([authorization(self.bench.api_key)])

    def client(self) -> http.client.HTTPConnection:
        """A connection that ends with the test."""
        client = http.client.HTTPConnection(
            self.port.host, self.port.port, timeout=PATIENCE_S
        )
        self._clients.append(client)
        return client

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> Answer:
        """One call on a connection of its own; ``{serial}`` stands for the terminal."""
        client = self.client()
        target = path.replace("{serial}", self.serial)
        try:
            client.request(method, target, body, {**self.headers, **headers})
            found = client.getresponse()
            headers = {name.title(): value for name, value in found.headers.items()}
            return Answer(found.status, headers, found.read())
        finally:
            client.close()

    def is_well(self) -> bool:
        """Whether a good client is served."""
        return self.ask("GET", "/terminals/{serial}").status == 200

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self._done.set()
        self.loop.call(lambda: None)
        self._thread.join(PATIENCE_S)
        self.port.close()
        self.loop.close()
