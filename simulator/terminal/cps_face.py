"""The terminal seen through Payter's cloud (CPS): calls in, answers and callbacks out.

The cloud and the terminal behind it are one machine here; the line between them is the
fact *online*. ``cps_transitions`` decides what is possible in which state; what is
refused with which status, and everything else that is not known about CPS, is in
``wire.cps.Policy``. The card reader is shared with PSP: while PSP reads, start is
refused. A success of start means accepted; the terminal reads a moment later
(cps.md 3). Offline means: the current read is lost, sessions are not (cps.md 4.5).
"""

from collections.abc import Callable, Mapping
from typing import Final

from simulator.events import CloudCalled
from simulator.terminal.authorisations import Decision, Wish
from simulator.terminal.cps_account import Account
from simulator.terminal.cps_answers import Answers, cps_card_id
from simulator.terminal.cps_desk import Ask, Desk
from simulator.terminal.cps_sessions import CpsSessions
from simulator.terminal.cps_transitions import (
    TRANSITIONS,
    CpsEvent,
    CpsFate,
    CpsState,
)
from simulator.terminal.device import Device
from simulator.terminal.impairments import Kind
from simulator.terminal.reader import Order, PresentedCard, ReaderState
from simulator.terminal.screens import described
from simulator.terminal.sessions import Expiry, Session
from wire.cps import (
    SCREENS,
    Call,
    ErrorText,
    Refusal,
    Request,
    Response,
    SessionNotification,
    TerminalInfo,
    UiNotification,
    json_response,
    parse_call,
)

#: Long polls that may wait at the same time.
MAX_POLLS: Final = 32
_HOUR_MS: Final = 3_600_000
_READER_STATES: Final[Mapping[ReaderState, CpsState]] = {
    ReaderState.WAITING: CpsState.READING,
    ReaderState.HOLDING: CpsState.CARD,
    ReaderState.AUTHORISING: CpsState.AUTHORIZING,
}

_Route = Callable[["CpsFace", Ask, Call, int], Response | None]


class CpsFace:
    """One terminal and its cloud, as a controller sees them over HTTP."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._policy = device.settings.cps_policy
        self._answers = Answers(device.settings)
        self._desk = Desk(device.out, device.faults)
        self.account = Account(device.settings, device.ids, self._answers, self._desk)
        self._sessions = CpsSessions(
            device, self._answers, self._desk, lambda: self.is_online
        )
        self.state = CpsState.IDLE
        self._shown_state = CpsState.IDLE.value
        self._last_known = CpsState.IDLE.value
        self._card_url = ""
        self._ui_url = ""
        self._polls: list[tuple[int, Ask]] = []
        self._authorising: Ask | None = None

    @property
    def is_online(self) -> bool:
        """Whether the cloud reaches the terminal."""
        return self.state is not CpsState.OFFLINE

    def info(self) -> TerminalInfo:
        """The terminal as E2 shows it."""
        return TerminalInfo(
            serial_number=self._device.settings.serial_number,
            online=self.is_online,
            state=self._state_name(),
        )

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
            status = parsed.status
            if status == 400:
                status = self._policy.bad_parameter
            return self._answers.error(status, parsed.message, now_ms)
        if (refusal := self._unfit(parsed, now_ms)) is not None:
            return refusal
        return _ROUTES[parsed.route](self, ask, parsed, now_ms)

    def _unfit(self, call: Call, now_ms: int) -> Response | None:
        if not self._policy.offers(call.route):
            return self._answers.error(404, f"No such call: {call.route}", now_ms)
        if call.unknown and self._policy.unknown_parameter == "refuse":
            text = f"found unknown parameters {', '.join(call.unknown)}"
            return self._answers.error(self._policy.bad_parameter, text, now_ms)
        if call.serial_number not in ("", self._device.settings.serial_number):
            return self._answers.error(404, ErrorText.TERMINAL_UNKNOWN, now_ms)
        return None

    def _route_terminals(self, ask: Ask, call: Call, now_ms: int) -> Response:
        return self.account.terminals(self.info)

    def _route_terminal(self, ask: Ask, call: Call, now_ms: int) -> Response:
        return json_response(200, self.info().to_json())

    def _route_webhook(self, ask: Ask, call: Call, now_ms: int) -> Response:
        return self.account.webhook(call, now_ms)

    def _route_sessions(self, ask: Ask, call: Call, now_ms: int) -> Response:
        return self._sessions.list(now_ms)

    def _route_session(self, ask: Ask, call: Call, now_ms: int) -> Response:
        return self._sessions.one(call, now_ms)

    def _route_close(self, ask: Ask, call: Call, now_ms: int) -> Response | None:
        return self._sessions.close(ask, call, now_ms)

    def _route_update(self, ask: Ask, call: Call, now_ms: int) -> Response | None:
        return self._sessions.update(ask, call, now_ms)

    # --- Start, card, stop ------------------------------------------------------

    def _route_start(self, ask: Ask, call: Call, now_ms: int) -> Response:
        reads = (CpsState.STARTING, CpsState.READING, CpsState.CARD)
        if self.state in reads and self._policy.start_busy == "restart":
            self._end_read(CpsEvent.STOP, now_ms)
        if (refusal := self._refusal(CpsEvent.START, now_ms)) is not None:
            return refusal
        if self._device.reader.state is not ReaderState.IDLE:
            return self._answers.error(409, ErrorText.TERMINAL_BUSY, now_ms)
        self._move(CpsEvent.START)
        self._card_url = call.text("callbackUrl")
        self._device.reader.start(self._order(call), now_ms)
        return self._answers.accepted()

    def _order(self, call: Call) -> Order:
        words = (call.text("uiMessageTitle"), call.text("uiMessage"))
        methods = call.lines("supportedPaymentMethods")
        seconds = self._policy.read_timeout_s
        amount = call.number("authorizedAmount")
        return Order(
            face="cps",
            client=self,
            amount_minor=amount,
            is_payment=amount > 0,
            accepts_emv=not methods or "EMV" in methods,
            hides_amount=call.params.get("hideAmount") is True,
            text=" | ".join(word for word in words if word),
            detect_ms=seconds * 1000 if seconds else None,
            delay_ms=self._policy.reading_delay_ms,
            keep_ms=self._policy.card_timeout_s * 1000,
        )

    def _route_card(self, ask: Ask, call: Call, now_ms: int) -> Response | None:
        card = self._card()
        if card is not None:
            return self._card_answer(card)
        seconds = min(call.number("waitTime"), self._policy.wait_max_s)
        if seconds and self.is_online and len(self._polls) < MAX_POLLS:
            self._polls.append((now_ms + seconds * 1000, ask))
            return None
        return self._no_card(now_ms)

    def _route_stop(self, ask: Ask, call: Call, now_ms: int) -> Response:
        if (refusal := self._refusal(CpsEvent.STOP, now_ms)) is not None:
            return refusal
        if self.state is CpsState.IDLE and self._policy.stop_idle == 409:
            return self._answers.error(409, "Terminal is idle", now_ms)
        self._end_read(CpsEvent.STOP, now_ms)
        self._show(call, now_ms)
        if self._policy.stop_body == "session":
            return json_response(200, {"state": "CANCELLED"})
        return self._answers.accepted()

    def _end_read(self, event: CpsEvent, now_ms: int) -> None:
        if self.state is not CpsState.IDLE:
            self._device.reader.stop()
        self._move(event)
        self._answer_polls(lambda: self._no_card(now_ms), now_ms)

    # --- Authorising ------------------------------------------------------------

    def _route_authorize(self, ask: Ask, call: Call, now_ms: int) -> Response | None:
        if (refusal := self._refusal(CpsEvent.AUTHORIZE, now_ms)) is not None:
            return refusal
        card, order = self._device.reader.card, self._device.reader.order
        assert card is not None
        assert order is not None
        if (refusal := self._unauthorisable(card, now_ms)) is not None:
            return refusal
        self._move(CpsEvent.AUTHORIZE)
        self._authorising = ask
        self._device.reader.authorising()
        wish = Wish(
            face="cps",
            card=card,
            card_id=cps_card_id(card),
            amount_minor=order.amount_minor,
            then=lambda decision, at_ms: self._decided(ask, call, decision, at_ms),
            expiry=self._expiry,
        )
        self._device.authorisations.authorise(wish, now_ms)
        self._device.show_authorising()
        return None

    def _unauthorisable(self, card: PresentedCard, now_ms: int) -> Response | None:
        policy = self._policy
        if card.kind != "emv":
            return self._answers.error(
                policy.not_authorisable, ErrorText.NOT_AUTHORISABLE, now_ms
            )
        if policy.same_card_open == "409" and self._open_sessions(card):
            return self._answers.error(409, ErrorText.CARD_IN_USE, now_ms)
        return None

    def _decided(self, ask: Ask, call: Call, decision: Decision, now_ms: int) -> None:
        self._authorising = None
        self._device.show_decision(decision, now_ms)
        self._show(call, now_ms)
        self._device.reader.stop()
        self._move(CpsEvent.DECIDED)
        session = decision.session
        if session is None:
            response = self._answers.declined(now_ms)
        else:
            response = self._answers.session_ok(session)
            self._notify(session)
        self._desk.reply(ask, response, now_ms)

    def late(self, decision: Decision, now_ms: int) -> None:
        """A session that no call waits for any more: E7 and E8 show it."""
        if decision.session is not None:
            self._notify(decision.session)

    def _notify(self, session: Session) -> None:
        if self._policy.session_notification == "on":
            body = SessionNotification(session=self._answers.session(session))
            self._desk.post("session", self._card_url, body.to_json())

    def _expiry(self, now_ms: int) -> Expiry | None:
        hours = self._policy.session_expiry_h
        if not hours:
            return None
        return Expiry(at_ms=now_ms + hours * _HOUR_MS, action="void")

    # --- Screens ----------------------------------------------------------------

    def _route_ui(self, ask: Ask, call: Call, now_ms: int) -> Response:
        policy, body = self._policy, call.body or {}
        if not self._device.settings.traits.has_screens:
            status = policy.ui_without_screens
            return self._answers.error(status, ErrorText.NO_SCREENS, now_ms)
        kind = str(body.get("type", ""))
        known = SCREENS.get(kind)
        switch = (
            policy.unknown_screen
            if known is None
            else "accept"
            if known.is_documented
            else policy.undocumented_screen
        )
        if switch == "refuse":
            text = f"type: found {kind!r}, allowed {', '.join(SCREENS)}"
            return self._answers.error(policy.bad_parameter, text, now_ms)
        is_busy = self.is_online and self.state is not CpsState.IDLE
        if not (is_busy and policy.ui_while_reading == "accept"):
            if (refusal := self._refusal(CpsEvent.SHOW, now_ms)) is not None:
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

    def pressed(self, button: str, screen_id: str) -> None:
        """A button on a screen of ours."""
        body = UiNotification(
            serial_number=self._device.settings.serial_number,
            screen_id=screen_id,
            response=button,
        )
        self._desk.post("ui", self._ui_url, body.to_json())

    # --- What the reader tells --------------------------------------------------

    def reading_began(self, now_ms: int) -> None:
        self._move(CpsEvent.READING_BEGAN)

    def reading_card(self, now_ms: int) -> None:
        """CPS shows nothing of a read before it is complete."""

    def card_read(self, card: PresentedCard, now_ms: int) -> None:
        self._move(CpsEvent.CARD_READ)
        body = self._answers.card_callback(card, self._open_sessions(card))
        self._desk.post("card", self._card_url, body)
        self._answer_polls(lambda: self._card_answer(card), now_ms)

    def read_expired(self, now_ms: int) -> None:
        self._move(CpsEvent.READ_EXPIRED)

    def card_dropped(self, now_ms: int) -> None:
        self._move(CpsEvent.CARD_DROPPED)

    def read_lost(self, now_ms: int) -> None:
        self._move(CpsEvent.READ_EXPIRED)

    # --- The line between cloud and terminal ------------------------------------

    def online_moved(self, *, online: bool, now_ms: int) -> None:
        """The terminal is connected to the cloud, or not any more."""
        if online == self.is_online:
            return
        if online:
            self._move(CpsEvent.LINE_BACK, online_moved=True)
            return
        self._last_known = self._state_name()
        self._lose_read(now_ms)
        self._move(CpsEvent.LINE_LOST, online_moved=True)

    def forget_callbacks(self) -> None:
        """Callback addresses do not survive the terminal's power (cps.md 3)."""
        self._ui_url = self._card_url = ""

    def _lose_read(self, now_ms: int) -> None:
        if self._owns_reader():
            self._device.reader.stop()
        self._answer_polls(lambda: self._no_card(now_ms), now_ms)
        ask, self._authorising = self._authorising, None
        if ask is not None:
            self._device.authorisations.abandon()
            self._desk.reply(ask, self._offline(now_ms), now_ms)

    # --- Inside -----------------------------------------------------------------

    def _refusal(self, event: CpsEvent, now_ms: int) -> Response | None:
        if TRANSITIONS[self.state, event] is not CpsFate.REFUSED:
            return None
        if not self.is_online:
            return self._offline(now_ms)
        if event is CpsEvent.AUTHORIZE:
            status = self._policy.authorize_without_card
            return self._answers.error(status, ErrorText.NO_CARD, now_ms)
        return self._answers.error(409, ErrorText.TERMINAL_BUSY, now_ms)

    def _offline(self, now_ms: int) -> Response:
        status = self._policy.offline_status
        return self._answers.error(status, ErrorText.TERMINAL_OFFLINE, now_ms)

    def _no_card(self, now_ms: int) -> Response:
        return self._answers.error(self._policy.no_card, ErrorText.NO_CARD, now_ms)

    def _move(self, event: CpsEvent, *, online_moved: bool = False) -> None:
        cell = TRANSITIONS[self.state, event]
        if isinstance(cell, CpsFate):
            return
        self.state = cell
        info = self.info()
        if info.state != self._shown_state:
            self._shown_state = info.state
            self._device.out.note("reader", face="cps", state=info.state)
        self.account.tell(info, online_moved=online_moved)

    def _state_name(self) -> str:
        if self.state is CpsState.OFFLINE:
            last = self._policy.offline_state == "last_known"
            return self._last_known if last else CpsState.IDLE.value
        state: CpsState = self.state
        if state is CpsState.IDLE and not self._owns_reader():
            state = _READER_STATES.get(self._device.reader.state, state)
        if state is CpsState.AUTHORIZING:
            return self._policy.authorizing_state
        return CpsState.IDLE.value if state is CpsState.STARTING else state.value

    def _owns_reader(self) -> bool:
        order = self._device.reader.order
        return order is not None and order.face == "cps"

    def _card(self) -> PresentedCard | None:
        return self._device.reader.card if self._owns_reader() else None

    def _card_answer(self, card: PresentedCard) -> Response:
        answer = self._answers.card(card, self._open_sessions(card))
        return json_response(200, answer.to_json())

    def _open_sessions(self, card: PresentedCard) -> list[Session]:
        return self._device.store.open_of_card(cps_card_id(card))

    def _answer_polls(self, response: Callable[[], Response], now_ms: int) -> None:
        polls, self._polls = self._polls, []
        for _, ask in polls:
            self._desk.reply(ask, response(), now_ms)

    def _show(self, call: Call, now_ms: int) -> None:
        if message := call.text("uiMessage"):
            seconds = call.number("uiMessageTimeout") or 5
            self._device.display.passing(
                "message", message, now_ms=now_ms, for_ms=seconds * 1000
            )

    # --- Time -------------------------------------------------------------------

    def deadline_ms(self) -> int | None:
        times = [at_ms for at_ms, _ in self._polls]
        held = self._desk.deadline_ms()
        if held is not None:
            times.append(held)
        return min(times, default=None)

    def on_deadline(self, now_ms: int) -> None:
        self._desk.on_deadline(now_ms)
        due = [ask for at_ms, ask in self._polls if at_ms <= now_ms]
        self._polls = [poll for poll in self._polls if poll[0] > now_ms]
        for ask in due:
            self._desk.reply(ask, self._no_card(now_ms), now_ms)


def _texts(properties: object) -> Mapping[str, str]:
    """Properties as text: booleans and numbers are tolerated (cps.md E11)."""
    if not isinstance(properties, Mapping):
        return {}
    return {
        str(key): str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in properties.items()
    }


_ROUTES: Final[Mapping[str, _Route]] = {
    "E1": CpsFace._route_terminals,
    "E2": CpsFace._route_terminal,
    "E3": CpsFace._route_start,
    "E4": CpsFace._route_card,
    "E5": CpsFace._route_stop,
    "E6": CpsFace._route_authorize,
    "E7": CpsFace._route_sessions,
    "E8": CpsFace._route_session,
    "E9": CpsFace._route_close,
    "E10": CpsFace._route_close,
    "E11": CpsFace._route_ui,
    "E12": CpsFace._route_webhook,
    "E12-set": CpsFace._route_webhook,
    "E12-delete": CpsFace._route_webhook,
    "E14": CpsFace._route_update,
}
