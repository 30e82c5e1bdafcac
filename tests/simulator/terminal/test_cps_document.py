"""Whatever reading of the policy is chosen, the cloud answers as its document says."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from simulator.events import CloudCalled, CloudLinkMoved
from tests.simulator.terminal.pair import CpsHost, cloud
from wire.cps import (
    POLICY_SWITCHES,
    ROUTES,
    Call,
    Request,
    authorization,
    openapi,
    parse_call,
    token_authorization,
)

ME = "{me}"
LOST = "ba02c30b-ad50-4ef3-b75e-1158b21ad580"
INFO = b'{"id": "1", "type": "info", "properties": {"title": "Hello"}}'
READINGS = [
    (name, choice)
    for name, switch in POLICY_SWITCHES.items()
    for choice in (switch.allowed or switch.span or ())
]


class Checked:
    """A host whose every answer is held against the document."""

    def __init__(self, host: CpsHost) -> None:
        self._host = host
        self._calls = 1_000
        self.seen: set[tuple[str, int]] = set()
        self.document: Any = openapi(host.court.settings.cps_policy)

    def ask(
        self, verb: str, path: str, *, body: bytes = b"", key: str | None = None
    ) -> dict[str, Any]:
        self._calls += 1
        settings = self._host.court.settings
        target = path.replace(ME, f"/terminals/{settings.serial_number}")
        header = authorization(settings.api_key if key is None else key)
        if path == "/apikey":
            header = token_authorization(key or settings.api_token)
        request = Request(verb, target, (header,), body)
        self._host.court.tell(CloudCalled(call=self._calls, request=request))
        self._host.court.run(2_000)
        response = self._host.court.answers[self._calls]
        parsed = parse_call(request)
        route = parsed.route if isinstance(parsed, Call) else parsed.routes[0]
        self._check(route, response.status, response.body)
        return json.loads(response.body) if response.body else {}

    def _check(self, route: str, status: int, body: bytes) -> None:
        row = ROUTES[route]
        self.seen.add((route, status))
        if not self._host.court.settings.cps_policy.offers(route):
            assert status in (401, 404, 405)
            return
        operation = self.document["paths"][row.path][row.verb.lower()]
        assert str(status) in operation["responses"], (route, status)
        content = operation["responses"][str(status)].get("content")
        if content and body:
            schema = {
                **content["application/json"]["schema"],
                "components": self.document["components"],
            }
            jsonschema_rs.validate(schema, json.loads(body))


def story(checked: Checked, host: CpsHost) -> Iterator[None]:
    """Calls that go well and calls that do not, in each state of the terminal."""
    ask = checked.ask
    for step in ("idle", "again", "offline"):
        ask("GET", "/terminals")
        ask("GET", ME)
        ask("GET", f"{ME}?surplus=1")
        ask("GET", ME, key="wrong")
        ask("POST", f"{ME}/ui?callbackUrl=http://127.0.0.1/ui", body=INFO)
        ask("POST", f"{ME}/ui", body=b"[")
        ask("POST", f"{ME}/start")
        ask("POST", f"{ME}/authorize")
        ask("POST", f"{ME}/start?authorizedAmount=5000")
        ask("POST", f"{ME}/start?authorizedAmount=5000")
        ask("GET", f"{ME}/card?waitTime=1")
        if step != "offline":
            host.court.tap("visa" if step == "idle" else "rfid")
        ask("GET", f"{ME}/card")
        session = ask("POST", f"{ME}/authorize").get("sessionId", LOST)
        ask("POST", f"{ME}/stop?uiMessage=Bye")
        ask("POST", f"{ME}/stop?uiMessageTimeout=soon")
        ask("GET", f"{ME}/sessions")
        for one in (session, LOST):
            here = f"{ME}/sessions/{one}"
            ask("GET", here)
            ask("POST", f"{here}/update?authorizedAmount=6000")
            ask("POST", f"{here}/commit?commitAmount=99999999")
            ask("POST", f"{here}/commit?commitAmount=0")
            ask("POST", f"{here}/commit?commitAmount=12")
            ask("POST", f"{here}/cancel")
            ask("POST", f"{here}/cancel")
        ask("POST", "/webhook?callbackUrl=http://127.0.0.1/state")
        ask("POST", "/webhook")
        ask("GET", "/webhook")
        ask("DELETE", "/webhook")
        ask("GET", "/webhook")
        ask("POST", "/apikey", key="wrong")
        yield
        if step == "again":
            host.court.tell(CloudLinkMoved(up=False))


@pytest.mark.parametrize(("name", "choice"), READINGS)
def test_answers_are_those_of_the_document(name: str, choice: str | int) -> None:
    host = cloud(policy={name: choice})
    checked = Checked(host)
    for _ in story(checked, host):
        pass
    assert len(checked.seen) >= 25, "the story has lost its variety"
