"""A bench in virtual time, its desk, and a controller that only speaks when told to."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.serve.desk import Answer, Desk
from harness.serve.play import Play
from harness.serve.settings import Settings
from simulator.clock import VirtualClock
from wire.cps import build
from wire.machine import CallHttp, Fact, HttpAnswered


@dataclass
class Stand:
    """The bench as a script sees it."""

    play: Play
    desk: Desk
    heard: list[Fact] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.play.lines.cloud.deliver = self.heard.append
        self.play.lines.cloud.listening = True

    # --- over HTTP --------------------------------------------------------------

    def ask(self, method: str, path: str, body: object = None, query: str = "") -> Any:
        """The body of an answer that has to be 200."""
        answer = self.call(method, path, body, query)
        assert answer.status == 200, answer.body
        return answer.body

    def call(
        self, method: str, path: str, body: object = None, query: str = ""
    ) -> Answer:
        data = b"" if body is None else json.dumps(body).encode()
        return self.desk.call(method, path, query=query, body=data)

    def post(self, path: str, **body: object) -> Any:
        return self.ask("POST", f"/bench/{path}", body)

    def overview(self) -> Any:
        return self.ask("GET", "/bench")

    def sessions(self) -> Any:
        return self.ask("GET", "/bench/sessions")

    def records(self, kind: str = "", since: int = 0) -> list[dict[str, Any]]:
        answer = self.call("GET", "/bench/trace", query=f"since={since}")
        found = [json.loads(line) for line in answer.lines or ()]
        return [one for one in found if kind in ("", one["kind"])]

    # --- time, and the controller -----------------------------------------------

    def pass_ms(self, duration_ms: int) -> None:
        self.play.kernel.run_until(self.play.now_ms + duration_ms)

    def cps(self, route: str, *, session_id: str = "", **params: Any) -> HttpAnswered:
        """The controller calls the payment cloud, and waits."""
        self.cps_later(route, session_id=session_id, **params)
        until_ms = self.play.now_ms + 61_000
        self.play.kernel.run_until(until_ms, stop=lambda: bool(self.heard))
        answer = self.heard[0]
        assert isinstance(answer, HttpAnswered), answer
        return answer

    def cps_later(self, route: str, *, session_id: str = "", **params: Any) -> None:
        """The controller calls the payment cloud; ``heard`` gets the answer."""
        request = build(
            route,
            api_key=self.play.api_key,
            serial_number=self.play.serial_number,
            session_id=session_id,
            params=params,
        )
        self.heard.clear()
        self.play.lines.cloud.call(
            CallHttp(
                call_id=1,
                method=request.method,
                target=request.target,
                headers=request.headers,
                body=request.body,
                timeout_ms=60_000,
            )
        )

    def authorise(self, card: str = "visa") -> str:
        """A session, from the tap to the approval; its id."""
        self.cps("E3", authorizedAmount=5000)
        self.pass_ms(500)
        self.post("tap", card=card)
        self.pass_ms(500)
        answer = self.cps("E6")
        assert answer.status == 200, answer
        return str(json.loads(answer.body)["sessionId"])


MakeStand = Callable[..., Stand]


@pytest.fixture
def make_stand() -> MakeStand:
    """A bench with these settings."""

    def make(**settings: Any) -> Stand:
        play = Play(Settings(**settings), clock=VirtualClock())
        return Stand(play, Desk(play, addresses={"psp": "tcp://127.0.0.1:3201"}))

    return make


@pytest.fixture
def stand(make_stand: MakeStand) -> Stand:
    return make_stand()


def kinds(records: Sequence[dict[str, Any]]) -> list[str]:
    return [str(one["kind"]) for one in records]
