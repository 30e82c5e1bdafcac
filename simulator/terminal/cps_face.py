"""The terminal seen through Payter's cloud (CPS): calls in, answers and callbacks out.

The cloud and the terminal behind it are one machine here; the line between them is the
fact *online*. This module checks the key, finds the route and hands the call on:
``cps_reads`` for cards, ``cps_sessions`` for money, ``cps_account`` for the rest. What
is not known about CPS is in ``wire.cps.Policy``. Offline means: the current read is
lost, sessions are not (cps.md 3, 4.5).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from simulator.events import CloudCalled
from simulator.terminal.authorisations import Decision
from simulator.terminal.cps_account import Account
from simulator.terminal.cps_answers import Answers
from simulator.terminal.cps_desk import Ask, Desk
from simulator.terminal.cps_reads import CpsReads
from simulator.terminal.cps_sessions import CpsSessions
from simulator.terminal.cps_standing import Standing
from simulator.terminal.cps_transitions import CpsEvent, CpsState
from simulator.terminal.device import Device
from simulator.terminal.impairments import Kind
from simulator.terminal.screens import described
from wire.cps import (
    ROUTES,
    SCREENS,
    Call,
    ErrorText,
    Refusal,
    Request,
    Response,
    Route,
    TerminalInfo,
    UiNotification,
    json_response,
    parse_call,
)
from wire.machine import earliest

_Handler = Callable[["CpsFace", Ask, Call, int], Response | None]


class CpsFace:
    """One terminal and its cloud, as a controller sees them over HTTP."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._policy = device.settings.cps_policy
        self._answers = Answers(device.settings)
        self._desk = Desk(device.out, device.faults)
        self.account = Account(
            device.settings, ids=device.ids, answers=self._answers, desk=self._desk
        )
        self._standing = Standing(device, self._answers, self.account)
        self._reads = CpsReads(
            device, self._standing, answers=self._answers, desk=self._desk
        )
        self._sessions = CpsSessions(
            device,
            answers=self._answers,
            desk=self._desk,
            is_online=lambda: self._standing.is_online,
        )
        self._ui_url = ""

    @property
    def is_online(self) -> bool:
        """Whether the cloud reaches the terminal."""
        return self._standing.is_online

    def info(self) -> TerminalInfo:
        """The terminal as E2 shows it."""
        return self._standing.info()

    # --- Calls ------------------------------------------------------------------

    def called(self, event: CloudCalled, now_ms: int) -> None:
        """Take one HTTP request; it is answered now, later, or by a fault never."""
        parsed = parse_call(event.request)
        route = parsed.route if isinstance(parsed, Call) else ""
        ask = Ask(call=event.call, route=route)
        faults = self._device.faults
        if faults.hit(Kind.IGNORE_COMMAND, route):
            return
        if (fault := faults.hit(Kind.HTTP_STATUS, route)) is not None:
            self._desk.reply(ask, self._bare(fault.status, now_ms), now_ms)
            return
        response = self._answer(ask, event.request, parsed, now_ms)
        if response is not None:
            self._desk.reply(ask, response, now_ms)

    def hung_up(self, call: int) -> None:
        """Nobody waits for the answer to ``call``; what it does goes on."""
        self._reads.hung_up(call)
        self._desk.hung_up(call)

    def _bare(self, status: int, now_ms: int) -> Response:
        if status < 300:
            return Response(status)
        return self._answers.error(status, ErrorText.GENERAL_ERROR, now_ms)

    def _answer(
        self, ask: Ask, request: Request, parsed: Call | Refusal, now_ms: int
    ) -> Response | None:
        if ask.route == "E13" and self._policy.offers("E13"):
            return self.account.buy_key(request, now_ms)
        if (refusal := self.account.refusal(request, now_ms)) is not None:
            return refusal
        if isinstance(parsed, Refusal):
            return self._refused(parsed, now_ms)
        if (refusal := self._unfit(parsed, now_ms)) is not None:
            return refusal
        return _HANDLERS[parsed.route](self, ask, parsed, now_ms)

    def _refused(self, refusal: Refusal, now_ms: int) -> Response:
        """What the codec has refused; this cloud may not even have the route."""
        offered = [ROUTES[one] for one in refusal.routes if self._policy.offers(one)]
        if refusal.status != 400:
            return self._no_such(refusal.message, offered, now_ms)
        if refusal.routes and not offered:
            return self._not_offered(refusal.routes[0], now_ms)
        status = self._policy.bad_parameter
        return self._answers.error(status, refusal.message, now_ms)

    def _not_offered(self, route: str, now_ms: int) -> Response:
        """A route that exists under other policies; its address may have others."""
        path = ROUTES[route].path
        here = [row for row in ROUTES.values() if row.path == path]
        offered = [row for row in here if self._policy.offers(row.id)]
        return self._no_such(f"No such call: {route}", offered, now_ms)

    def _no_such(self, text: str, offered: list[Route], now_ms: int) -> Response:
        """404, or 405 where other verbs would be right."""
        if not offered:
            return self._answers.error(404, text, now_ms)
        answer = self._answers.error(405, text, now_ms)
        allow = ("Allow", ", ".join(row.verb for row in offered))
        return replace(answer, headers=(*answer.headers, allow))

    def _unfit(self, call: Call, now_ms: int) -> Response | None:
        if not self._policy.offers(call.route):
            return self._not_offered(call.route, now_ms)
        if call.unknown and self._policy.unknown_parameter == "refuse":
            text = f"found unknown parameters {', '.join(call.unknown)}"
            return self._answers.error(self._policy.bad_parameter, text, now_ms)
        if call.serial_number not in ("", self._device.settings.serial_number):
            status = self._policy.foreign_terminal
            return self._answers.error(status, ErrorText.TERMINAL_UNKNOWN, now_ms)
        return None

    def _terminals(self, ask: Ask, call: Call, now_ms: int) -> Response:
        return self.account.terminals(self.info)

    def _terminal(self, ask: Ask, call: Call, now_ms: int) -> Response:
        return json_response(200, self.info().to_json())

    def _webhook(self, ask: Ask, call: Call, now_ms: int) -> Response:
        return self.account.webhook(call, now_ms)

    def _start(self, ask: Ask, call: Call, now_ms: int) -> Response:
        return self._reads.start(call, now_ms)

    def _card(self, ask: Ask, call: Call, now_ms: int) -> Response | None:
        return self._reads.card(ask, call, now_ms)

    def _stop(self, ask: Ask, call: Call, now_ms: int) -> Response:
        return self._reads.stop(call, now_ms)

    def _authorize(self, ask: Ask, call: Call, now_ms: int) -> Response | None:
        return self._reads.authorize(ask, call, now_ms)

    def _list(self, ask: Ask, call: Call, now_ms: int) -> Response:
        return self._sessions.list(now_ms)

    def _session(self, ask: Ask, call: Call, now_ms: int) -> Response:
        return self._sessions.one(call, now_ms)

    def _close(self, ask: Ask, call: Call, now_ms: int) -> Response | None:
        refusal = self._sessions.close(ask, call, now_ms)
        if refusal is None:
            self._reads.show(call, now_ms)
        return refusal

    def _update(self, ask: Ask, call: Call, now_ms: int) -> Response | None:
        return self._sessions.update(ask, call, now_ms)

    # --- Screens ----------------------------------------------------------------

    def _ui(self, ask: Ask, call: Call, now_ms: int) -> Response:
        """E11."""
        body = call.body or {}
        kind = str(body.get("type", ""))
        refusal = self._screen_refusal(kind, now_ms)
        if refusal is not None:
            return refusal
        self._ui_url = call.text("callbackUrl")
        self._device.display.host(
            described(
                kind,
                _texts(body.get("properties")),
                face="cps",
                screen_id=str(body.get("id", "")),
            )
        )
        return self._answers.accepted()

    def _screen_refusal(self, kind: str, now_ms: int) -> Response | None:
        policy = self._policy
        if not self._device.settings.traits.has_screens:
            status = policy.ui_without_screens
            return self._answers.error(status, ErrorText.NO_SCREENS, now_ms)
        if not self._knows_screen(kind):
            text = f"type: found {kind!r}, allowed {', '.join(SCREENS)}"
            return self._answers.error(policy.bad_parameter, text, now_ms)
        is_busy = self.is_online and self._standing.state is not CpsState.IDLE
        if is_busy and policy.ui_while_reading == "accept":
            return None
        return self._standing.refusal(CpsEvent.SHOW, now_ms)

    def _knows_screen(self, kind: str) -> bool:
        known = SCREENS.get(kind)
        if known is None:
            return self._policy.unknown_screen == "accept"
        return known.is_documented or self._policy.undocumented_screen == "accept"

    def pressed(self, button: str, screen_id: str) -> None:
        """A button on a screen of ours."""
        body = UiNotification(
            serial_number=self._device.settings.serial_number,
            screen_id=screen_id,
            response=button,
        )
        self._desk.post("ui", self._ui_url, body.to_json())

    # --- The line between cloud and terminal ------------------------------------

    def online_moved(self, *, online: bool, now_ms: int) -> None:
        """The terminal is connected to the cloud, or not any more."""
        if online == self.is_online:
            return
        if online:
            self._standing.move(CpsEvent.LINE_BACK)
        else:
            self._standing.move(CpsEvent.LINE_LOST)
            self._reads.line_lost(now_ms)

    def late(self, decision: Decision) -> None:
        """A session that no call waits for any more."""
        self._reads.late(decision)

    def forget_callbacks(self) -> None:
        """Callback addresses do not survive the terminal's power (cps.md 3)."""
        self._ui_url = ""
        self._reads.forget_callback()

    # --- Time -------------------------------------------------------------------

    def deadline_ms(self) -> int | None:
        return earliest(self._desk.deadline_ms(), self._reads.deadline_ms())

    def on_deadline(self, now_ms: int) -> None:
        self._desk.on_deadline(now_ms)
        self._reads.on_deadline(now_ms)


def _texts(properties: object) -> Mapping[str, str]:
    """Properties as text: booleans and numbers are tolerated (cps.md E11)."""
    if not isinstance(properties, Mapping):
        return {}
    return {
        str(key): str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in properties.items()
    }


_HANDLERS: Final[Mapping[str, _Handler]] = {
    "E1": CpsFace._terminals,
    "E2": CpsFace._terminal,
    "E3": CpsFace._start,
    "E4": CpsFace._card,
    "E5": CpsFace._stop,
    "E6": CpsFace._authorize,
    "E7": CpsFace._list,
    "E8": CpsFace._session,
    "E9": CpsFace._close,
    "E10": CpsFace._close,
    "E11": CpsFace._ui,
    "E12": CpsFace._webhook,
    "E12-set": CpsFace._webhook,
    "E12-delete": CpsFace._webhook,
    "E14": CpsFace._update,
}
