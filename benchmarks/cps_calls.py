"""How many CPS calls a second one core answers, each with its effect.

A story of ten calls is told over and over: look, start, look again, ask for a card that
is not there yet, tap, take the card, authorise, look at the session twice, commit, look
once more. Every request is what a client writes, every answer is bytes of JSON, and
every session is really opened and captured. Three boundaries, from the inside out:

* face: the virtual terminal and its cloud, with a bank that answers at once;
* line: a whole bench in virtual time, with issuer, line, seams of faults, and trace;
* http: the bench in real time on loopback, polled by many kept connections. Most of
  that is the web server and the clients, which share the interpreter.
"""

import random
from collections.abc import Callable, Sequence
from http.client import HTTPConnection
from threading import Thread
from time import perf_counter, process_time
from typing import Final, Protocol

from benchmarks.stories import COLUMNS
from harness.bench import Bench, CaseName
from harness.declaration import load
from harness.places import REFERENCE
from harness.shells.loop import Loop
from harness.shells.web import CloudPort
from harness.wishes import Wishes
from harness.world import VirtualWorld
from simulator.clock import WallClock
from simulator.events import (
    Authorise,
    Capture,
    CardTapped,
    CloudAnswer,
    CloudCalled,
    IssuerAnswered,
)
from simulator.terminal import Terminal, TerminalAction, TerminalSettings
from wire.cps import Request, Response, Session, Value, build, parse_json
from wire.machine import Action, CallHttp, Fact, HttpAnswered, Place

CPS: Final = next(column for column in COLUMNS if column.name == "cps")
CALLS_IN_STORY: Final = 10
RESERVE_MINOR: Final = 5000
AMOUNT_MINOR: Final = 1234
#: Over HTTP the line's own delays pass faster, and many ask at once.
SCALE: Final = 20
CONNECTIONS: Final = 16
#: Reading a card and an authorisation take less than this, milliseconds of the run.
PATIENCE_MS: Final = 2_000


class Boundary(Protocol):
    """Where calls go in and answers come out."""

    api_key: str
    serial_number: str

    def ask(self, request: Request) -> Response:
        """One call, until its answer is there."""

    def tap(self) -> None:
        """A driver presents a card; returns when it has been read."""


class Caller:
    """Writes the calls as a controller does."""

    def __init__(self, boundary: Boundary) -> None:
        self._boundary = boundary

    def call(self, route: str, session_id: str = "", **params: Value) -> Response:
        request = build(
            route,
            api_key=self._boundary.api_key,
            serial_number=self._boundary.serial_number,
            session_id=session_id,
            params=params,
        )
        return self._boundary.ask(request)

    def story(self) -> None:
        """Ten calls; what must be true of the answers is asserted."""
        assert self.call("E2").status == 200
        assert self.call("E3", authorizedAmount=RESERVE_MINOR).status == 204
        assert self.call("E2").status == 200
        assert self.call("E4").status == 204
        self._boundary.tap()
        assert self.call("E4").status == 200
        session = Session.from_json(parse_json(self.call("E6").body))
        assert session.state == "AUTHORIZED", session
        session_id = session.session_id
        for _ in range(2):
            assert self.call("E8", session_id).status == 200
        closed = self.call("E9", session_id, commitAmount=AMOUNT_MINOR)
        assert Session.from_json(parse_json(closed.body)).final_amount == AMOUNT_MINOR
        assert self.call("E8", session_id).status == 200

    def rate(self, stories: int, clock: Callable[[], float]) -> float:
        """Calls a second, the client's writing and the drivers included."""
        self.story()
        began = clock()
        for _ in range(stories):
            self.story()
        return stories * CALLS_IN_STORY / (clock() - began)


class Face:
    """A terminal in the cloud, and a bank that says yes at once."""

    def __init__(self) -> None:
        settings = TerminalSettings()
        self.api_key = settings.api_key
        self.serial_number = settings.serial_number
        self._terminal = Terminal(settings, ids=random.Random(1))
        self._now_ms = 0
        self._answer: Response | None = None

    def ask(self, request: Request) -> Response:
        self._answer = None
        self._now_ms += 1
        called = CloudCalled(call=1, request=request)
        self._take(self._terminal.handle(called, self._now_ms))
        assert self._answer is not None
        return self._answer

    def tap(self) -> None:
        self._run_on()
        self._take(self._terminal.handle(CardTapped(card="visa"), self._now_ms))
        self._run_on()

    def _run_on(self) -> None:
        until_ms = self._now_ms + PATIENCE_MS
        while (due_ms := self._terminal.deadline_ms()) is not None:
            if due_ms > until_ms:
                break
            self._now_ms = max(self._now_ms, due_ms)
            self._take(self._terminal.on_deadline(self._now_ms))

    def _take(self, actions: Sequence[TerminalAction]) -> None:
        for action in actions:
            match action:
                case CloudAnswer():
                    self._answer = action.response
                case Authorise():
                    self._bank(action.request, "approved", RESERVE_MINOR)
                case Capture():
                    self._bank(action.request, "captured", action.amount_minor)

    def _bank(self, request: int, outcome: str, amount_minor: int) -> None:
        answer = IssuerAnswered(
            request=request,
            outcome="approved" if outcome == "approved" else "captured",
            hold=f"H{request}",
            amount_minor=amount_minor,
            host_reference="700000000001",
        )
        self._take(self._terminal.handle(answer, self._now_ms))


class Line:
    """A whole bench in virtual time; its controller is whoever asks."""

    def __init__(self) -> None:
        self._bench = silent_bench(VirtualWorld())
        self._bench.device.start()
        self._bench.lines.cloud.deliver = self._heard
        self.api_key = self._bench.api_key
        self.serial_number = self._bench.serial_number
        self._answer: HttpAnswered | None = None

    def ask(self, request: Request) -> Response:
        self._answer = None
        call = CallHttp(
            call_id=1,
            method=request.method,
            target=request.target,
            headers=request.headers,
        )
        self._bench.lines.cloud.call(call)
        self._bench.run_until(lambda: self._answer is not None, PATIENCE_MS)
        assert self._answer is not None
        return Response(self._answer.status, self._answer.body)

    def tap(self) -> None:
        self._bench.run_for(PATIENCE_MS // 2)
        self._bench.court.tell_terminal(CardTapped(card="visa"))
        self._bench.run_for(PATIENCE_MS // 2)

    def _heard(self, fact: Fact) -> None:
        if isinstance(fact, HttpAnswered):
            self._answer = fact


class RealTime(VirtualWorld):
    """A wall clock that waits in the loop of the ports."""

    def __init__(self, loop: Loop) -> None:
        super().__init__()
        self.clock = WallClock(scale=SCALE, wait=loop.wait)


class _Silent:
    """A controller that never does anything."""

    def handle(self, event: Fact, now_ms: int) -> Sequence[Action]:
        return ()

    def deadline_ms(self) -> int | None:
        return None

    def on_deadline(self, now_ms: int) -> Sequence[Action]:
        return ()


def _silent(place: Place) -> _Silent:
    return _Silent()


def silent_bench(world: VirtualWorld) -> Bench:
    """A bench in the CPS column whose controller leaves the terminal alone."""
    wishes = Wishes(
        declaration=CPS.fit(load(REFERENCE)), configurable=True, factory=_silent
    )
    case = CaseName(scenario="cps calls")
    bench = Bench(wishes, column=CPS, seed=1, case=case, world=world)
    bench.court.outbox = bench.lines
    return bench


def over_http(seconds: float) -> float:
    """Polls of many kept connections at once; their clients share the core."""
    loop = Loop()
    bench = silent_bench(RealTime(loop))
    port = CloudPort(loop, bench.lines.cloud, time_scale=SCALE)
    until = perf_counter() + seconds
    request = build("E2", api_key=bench.api_key, serial_number=bench.serial_number)
    headers = dict(request.headers)
    asked: list[int] = []

    def poll() -> None:
        client = HTTPConnection(port.host, port.port)
        times = 0
        while perf_counter() < until:
            client.request(request.method, request.target, headers=headers)
            assert b"online" in client.getresponse().read()
            times += 1
        client.close()
        asked.append(times)

    clients = [Thread(target=poll) for _ in range(CONNECTIONS)]
    for client in clients:
        client.start()
    bench.run_until(lambda: len(asked) == CONNECTIONS, 10_000_000)
    port.close()
    loop.close()
    return sum(asked) / seconds


def best(boundary: type[Face] | type[Line], stories: int, repeats: int = 3) -> float:
    """The best of some repeats, a second of one core: what else it does is left out."""
    return max(Caller(boundary()).rate(stories, process_time) for _ in range(repeats))


if __name__ == "__main__":
    print(f"face  {best(Face, 1_500):8,.0f} calls a second of one core")
    print(f"line  {best(Line, 1_000):8,.0f} calls a second of one core")
    print(f"http  {over_http(3.0):8,.0f} polls a second on loopback, client included")
