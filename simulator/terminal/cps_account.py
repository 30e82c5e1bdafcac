"""The account behind the key: API key, state webhook, list of terminals.

E1, E2, E12 and E13 (cps.md 1.2, 2). A new key kills the old one at once. The webhook is
the account's, not the terminal's: it survives the terminal's power.
"""

import random
from collections.abc import Callable

from simulator.terminal.cps_answers import Answers
from simulator.terminal.cps_desk import Desk
from simulator.terminal.sessions import looks_like_a_card
from simulator.terminal.settings import TerminalSettings
from wire.cps import (
    Call,
    ErrorText,
    Request,
    Response,
    TerminalInfo,
    TerminalState,
    json_response,
    key_of,
    token_of,
)


class Account:
    """Who may call, and who is told about the terminal's state."""

    def __init__(
        self,
        settings: TerminalSettings,
        *,
        ids: random.Random,
        answers: Answers,
        desk: Desk,
    ) -> None:
        self._settings = settings
        self._ids = ids
        self._answers = answers
        self._desk = desk
        self._api_key = settings.api_key
        self._webhook = ""
        self._last_told = TerminalState.IDLE.value

    # --- The key ----------------------------------------------------------------

    def replace_key(self, api_key: str) -> None:
        """Another key is valid from now on, and only that."""
        self._api_key = api_key

    def refusal(self, request: Request, now_ms: int) -> Response | None:
        """The answer to a call without the right key; None when it is right."""
        if key_of(request) == self._api_key:
            return None
        return self._answers.error(
            self._settings.cps_policy.bad_key, ErrorText.UNAUTHORIZED, now_ms
        )

    def buy_key(self, request: Request, now_ms: int) -> Response:
        """E13 (ASSUMPTION): a token buys a key."""
        if token_of(request) != self._settings.api_token:
            return self._answers.error(401, ErrorText.UNAUTHORIZED, now_ms)
        key = f"{self._ids.getrandbits(128):032x}"
        while looks_like_a_card(key):
            key = f"{self._ids.getrandbits(128):032x}"
        self.replace_key(key)
        return json_response(200, {"apikey": key})

    # --- The state webhook ------------------------------------------------------

    def webhook(self, call: Call, now_ms: int) -> Response:
        """E12 with its three verbs; only the first is evidenced."""
        policy = self._settings.cps_policy
        match call.route:
            case "E12-set":
                self._webhook = call.text("callbackUrl")
                return Response(204)
            case "E12-delete":
                self._webhook = ""
                return Response(204)
            case _ if self._webhook:
                return json_response(200, {"callbackUrl": self._webhook})
            case _:
                text = ErrorText.NO_WEBHOOK
                return self._answers.error(policy.webhook_absent, text, now_ms)

    def tell(self, info: TerminalInfo, *, online_moved: bool) -> None:
        """The terminal's state has changed."""
        tells_all = self._settings.cps_policy.state_webhook == "all"
        if online_moved or (tells_all and info.state != self._last_told):
            self._desk.post("state", self._webhook, info.to_json())
        self._last_told = info.state

    # --- Terminals --------------------------------------------------------------

    def terminals(self, info: Callable[[], TerminalInfo]) -> Response:
        """E1."""
        return self._answers.items("terminals", [info().to_json()])
