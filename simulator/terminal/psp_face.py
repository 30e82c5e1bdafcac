"""The terminal seen from the PSP line: blocks in, answers and events out.

What is allowed when is ``psp_transitions``; what a message looks like is ``wire.psp``;
what is not known about either is ``Profile``. This module takes requests one after the
other: while a commit, void or update waits for the issuer, later requests wait behind
it (at most ``MAX_QUEUED``), except Get Status, Reset and Synchronize, which never wait
(psp.md 9, A24). Reset and Synchronize drop whatever was owed: a close goes on, but its
answer is not sent any more. Sessions survive everything here, power loss included.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from simulator.terminal.authorisations import Decision, Wish
from simulator.terminal.device import Device
from simulator.terminal.impairments import Kind
from simulator.terminal.psp_reads import PspReads
from simulator.terminal.psp_sessions import OK, Answer, Later, PspSessions
from simulator.terminal.psp_talk import Talk
from simulator.terminal.psp_transitions import (
    UNKNOWN_LAYOUTS,
    Fate,
    Happening,
    Phase,
)
from simulator.terminal.screens import PSP_TYPES, described
from simulator.terminal.sessions import Expiry
from wire.psp import (
    IDLE_CARD_DETECT_MS,
    OPTIONS_OF,
    BadBlock,
    Block,
    Malformed,
    Message,
    Name,
    Reason,
    SetupAction,
    State,
    message,
)

MAX_QUEUED: Final = 32
#: Never wait, and are never refused as not ready.
_AT_ONCE: Final = frozenset({Name.GET_STATUS, Name.RESET, Name.SYNCHRONIZE})


@dataclass(slots=True)
class _Owed:
    """A request whose answer waits for the issuer."""

    name: Name


class PspFace:
    """One terminal as a host sees it on its line."""

    def __init__(self, device: Device, reboot: Callable[[int], None]) -> None:
        self._device = device
        self._profile = device.settings.psp_profile
        self._reboot = reboot
        self._talk = Talk(device, self._is_owing)
        self._sessions = PspSessions(device)
        self._reads = PspReads(
            device, self._talk, sessions=self._sessions, expiry=self._expiry
        )
        self._reads.on_decided = self._drain
        self._owed: _Owed | None = None
        self._queue: deque[Message] = deque()
        self._session_life_s = 0
        self._session_action = SetupAction.VOID
        self._has_setup = False

    @property
    def state(self) -> State:
        """The state that Get Status answers."""
        return self._talk.state

    # --- The line ---------------------------------------------------------------

    def connected(self, now_ms: int) -> None:
        """A host has opened the line."""
        was_connected = self._talk.line.is_connected
        if self._talk.line.connected(now_ms) and was_connected:
            self._line_lost()

    def disconnected(self) -> None:
        """The host's end is gone; a serial line does not tell."""
        if self._talk.line.disconnected() and self._profile.host_hangup == "offline":
            self._line_lost()

    def power_lost(self) -> None:
        """Everything but the sessions is forgotten."""
        self._start_over()
        self._talk.line.power_lost()
        self._talk.start_over()
        self._talk.move(Happening.POWER_LOST)

    def rebooting(self) -> None:
        """The terminal restarts by itself."""
        self._talk.line.hang_up("reboot")
        self.power_lost()

    def turn_away(self, now_ms: int) -> None:
        """A host connects while the terminal is starting."""
        if self._talk.line.connected(now_ms):
            self._talk.line.hang_up("reboot")

    def fall_back(self, *, online: bool) -> None:
        self._start_over()
        self._talk.fall_back(online=online)

    def speak_extended(self) -> bool:
        return self._talk.speak_extended()

    def _line_lost(self) -> None:
        # On a taken-over line the new host must find OFFLINE as well (A22).
        if self._device.settings.link == "serial":
            return
        self._start_over()
        self._talk.start_over()
        self._talk.move(Happening.LINE_LOST)

    def _start_over(self) -> None:
        self._reads.abandon()
        self._owed = None
        self._queue.clear()
        self._talk.line.forget_late()

    def _is_owing(self) -> bool:
        """Whether the terminal is between a request and its answer (psp.md 1)."""
        phase = self._talk.phase
        if phase is Phase.WAIT_CARD:
            detect_ms = self._device.settings.card_detect_ms
            return detect_ms is not None and detect_ms <= IDLE_CARD_DETECT_MS
        return phase is Phase.AUTHORISING or self._owed is not None

    # --- Bytes and blocks -------------------------------------------------------

    def received(self, data: bytes, now_ms: int) -> None:
        """Bytes from the host."""
        for block in self._talk.line.blocks(data, now_ms):
            self._take(block, now_ms)

    def _take(self, block: Block | BadBlock, now_ms: int) -> None:
        if isinstance(block, BadBlock):
            self._bad(block, now_ms)
            return
        found = self._talk.line.understood(block)
        if isinstance(found, Malformed):
            self._malformed(found, now_ms)
        elif found.name is Name.GET_STATUS:
            self._status(now_ms)
        else:
            self._asked(found, now_ms)

    def _bad(self, block: BadBlock, now_ms: int) -> None:
        profile = self._profile
        if block.reason == "checksum" and profile.not_ok_on_bad_checksum:
            self._talk.refuse(Reason.INCORRECT_CHECKSUM, None, now_ms)
        elif block.reason == "magic" and profile.wrong_magic == "not_ok":
            self._talk.refuse(Reason.INCORRECT_MESSAGE, None, now_ms)

    def _malformed(self, found: Malformed, now_ms: int) -> None:
        is_foreign = found.answer is Reason.UNKNOWN_COMMAND and found.name is not None
        if is_foreign and self._profile.unsupported_command == "silent":
            return
        self._talk.refuse(found.answer, found.name, now_ms)

    # --- Requests ---------------------------------------------------------------

    def _status(self, now_ms: int) -> None:
        faults = self._device.faults
        if faults and faults.hit(Kind.IGNORE_COMMAND, Name.GET_STATUS.value):
            return
        phase = self._talk.phase
        running = 1 if phase is Phase.WAIT_CARD else 0
        if phase is Phase.AUTHORISING:
            running = self._profile.running_while_authorizing
        if running and faults and faults.hit(Kind.WRONG_RUNNING_FLAG):
            running = 0
        self._talk.line.send_status(self._talk.state, running, now_ms)

    def _asked(self, request: Message, now_ms: int) -> None:
        name = request.name
        if self._device.faults.hit(Kind.IGNORE_COMMAND, name.value):
            return
        if name not in _AT_ONCE:
            if self._must_wait():
                self._enqueue(request, now_ms)
                return
            if (reason := self._fault_reason(name)) is not None:
                self._talk.refuse(reason, name, now_ms)
                return
        self._answer(request, now_ms)

    def _fault_reason(self, name: Name) -> Reason | None:
        """Why an injected fault refuses this command; None when none does."""
        faults = self._device.faults
        if faults.hit(Kind.NOT_READY, name.value):
            return Reason.NOT_READY
        refused = faults.hit(Kind.REFUSE_COMMAND, name.value)
        return None if refused is None else Reason(refused.reason)

    def _must_wait(self) -> bool:
        is_authorising = self._talk.phase is Phase.AUTHORISING
        queues = self._profile.busy_command == "queue"
        return self._owed is not None or (is_authorising and queues)

    def _enqueue(self, request: Message, now_ms: int) -> None:
        if len(self._queue) < MAX_QUEUED:
            self._queue.append(request)
        else:
            self._talk.refuse(Reason.OVERFLOW, request.name, now_ms)

    def _drain(self, now_ms: int) -> None:
        while self._queue and not self._must_wait():
            self._answer(self._queue.popleft(), now_ms)

    def _answer(self, request: Message, now_ms: int) -> None:
        name = request.name
        if self._talk.cell(name) is Fate.REFUSED:
            self._talk.refuse(Reason.INCORRECT_STATE, name, now_ms)
            return
        if name in UNKNOWN_LAYOUTS:
            if self._profile.unknown_layouts == "not_ok":
                self._talk.refuse(Reason.SERVICE_NOT_SUPPORTED, name, now_ms)
            return
        answer = _HANDLERS[name](self, request, now_ms)
        if isinstance(answer, Reason):
            self._talk.refuse(answer, name, now_ms)
        elif answer is not None:
            self._talk.move(name)
            self._talk.say(answer, name, now_ms)

    # --- Set-up -----------------------------------------------------------------

    def _synchronize(self, request: Message, now_ms: int) -> Answer:
        self._start_over()
        return message(Name.SYNCHRONIZE)

    def _reset(self, request: Message, now_ms: int) -> Answer:
        """Answered in the format it was asked in; the classic one holds then."""
        self._start_over()
        self._talk.move(Name.RESET)
        if self._profile.reset_answer == "result_ok":
            self._talk.say(OK, Name.RESET, now_ms)
        self._talk.start_over()
        return None

    def _protocol(self, request: Message, now_ms: int) -> Answer:
        options, version = request.number("options"), request.number("version")
        foreign = options & ~OPTIONS_OF[self._device.settings.family]
        if foreign and self._profile.p6x_options == "refused":
            return Reason.INCORRECT_MESSAGE
        echo = message(Name.PROTOCOL, version=version, options=options)
        answer = echo if self._profile.protocol_answer == "echo" else OK
        self._talk.say(answer, Name.PROTOCOL, now_ms)
        self._talk.agree(options, version)
        return None

    def _setup(self, request: Message, now_ms: int) -> Answer:
        self._session_life_s = request.number("timeout_s")
        self._session_action = SetupAction(request.number("action"))
        self._has_setup = True
        return OK

    def _expiry(self, now_ms: int) -> Expiry | None:
        """When a session that opens now ends by itself (psp.md 4.2, A18)."""
        life_s = self._session_life_s
        has_end = life_s > 0 or self._profile.setup_timeout_zero == "at_once"
        if not self._has_setup or not has_end:
            return None
        is_commit = self._session_action is SetupAction.COMMIT
        return Expiry(
            at_ms=now_ms + life_s * 1000, action="commit" if is_commit else "void"
        )

    def _switch(self, request: Message, now_ms: int) -> Answer:
        return OK

    def _control(self, request: Message, now_ms: int) -> Answer:
        self._talk.say(OK, Name.CONTROL, now_ms)
        self._reboot(now_ms)
        return None

    def _ids(self, request: Message, now_ms: int) -> Answer:
        settings = self._device.settings
        fields = {"serial_number": settings.serial_number[:15]}
        return message(Name.REQUEST_IDS_RESPONSE, **fields, **settings.traits.identity)

    def _ui(self, request: Message, now_ms: int) -> Answer:
        kind = request.text("type")
        if kind not in PSP_TYPES:
            return Reason.INCORRECT_UI_SCREEN
        properties: dict[str, str] = {}
        for item in request.fields.get("properties", ()) or ():  # type: ignore[union-attr]
            match item:
                case (str() as key, str() as value):
                    properties[key] = value
        self._device.display.host(described(kind, properties, face="psp"))
        return OK

    # --- Cards and sessions -----------------------------------------------------

    def _start(self, request: Message, now_ms: int) -> Answer:
        return self._reads.start(request, now_ms)

    def _authorise(self, request: Message, now_ms: int) -> Answer:
        return self._reads.authorise(request, now_ms)

    def _cancel(self, request: Message, now_ms: int) -> Answer:
        return self._reads.cancel()

    def _close(self, request: Message, now_ms: int) -> Answer:
        later = self._owe(request.name)
        return self._unless_owed(self._sessions.close(request, later, now_ms))

    def _update(self, request: Message, now_ms: int) -> Answer:
        later = self._owe(request.name)
        return self._unless_owed(self._sessions.update(request, later, now_ms))

    def _list(self, request: Message, now_ms: int) -> Answer:
        return self._sessions.listed(request)

    def _context(self, request: Message, now_ms: int) -> Answer:
        return self._sessions.add_context(request)

    def _remove(self, request: Message, now_ms: int) -> Answer:
        if self._profile.remove_sessions == "off":
            return Reason.SERVICE_NOT_SUPPORTED
        self._device.store.hide_all()
        return OK

    def _owe(self, name: Name) -> Later:
        owed = _Owed(name)
        self._owed = owed

        def later(answer: Message | Reason, now_ms: int) -> None:
            if self._owed is not owed:
                return
            self._owed = None
            if isinstance(answer, Reason):
                self._talk.refuse(answer, name, now_ms)
            else:
                self._talk.say(answer, name, now_ms)
            self._drain(now_ms)

        return later

    def _unless_owed(self, answer: Answer) -> Answer:
        if answer is not None:
            self._owed = None
        return answer

    # --- What comes by itself ---------------------------------------------------

    def late(self, wish: Wish, decision: Decision, now_ms: int) -> None:
        """A session that no request waits for any more."""
        self._reads.late(wish, decision, now_ms)

    def pressed(self, button: str, now_ms: int) -> None:
        """A button on a screen of ours."""
        self._talk.say(message(Name.UI_EVENT, button=button), None, now_ms)

    def deadline_ms(self) -> int | None:
        return self._talk.line.deadline_ms()

    def on_deadline(self, now_ms: int) -> None:
        for block in self._talk.line.on_deadline(now_ms):
            self._take(block, now_ms)
        if self._talk.line.is_idle(now_ms):
            self._talk.line.hang_up("idle")
            self._line_lost()


_Handler = Callable[[PspFace, Message, int], Answer]

_HANDLERS: Final[Mapping[Name, _Handler]] = {
    Name.SYNCHRONIZE: PspFace._synchronize,
    Name.RESET: PspFace._reset,
    Name.PROTOCOL: PspFace._protocol,
    Name.SETUP: PspFace._setup,
    Name.ENABLE: PspFace._switch,
    Name.DISABLE: PspFace._switch,
    Name.CONTROL: PspFace._control,
    Name.REQUEST_IDS: PspFace._ids,
    Name.UI_REQUEST: PspFace._ui,
    Name.START_SESSION: PspFace._start,
    Name.READ_CARD: PspFace._start,
    Name.AUTH_SESSION: PspFace._authorise,
    Name.CANCEL_SESSION: PspFace._cancel,
    Name.COMMIT_SESSION: PspFace._close,
    Name.VOID_SESSION: PspFace._close,
    Name.UPDATE_SESSION: PspFace._update,
    Name.LIST_SESSIONS: PspFace._list,
    Name.ADD_TRANSACTION_CONTEXT: PspFace._context,
    Name.REMOVE_SESSIONS: PspFace._remove,
}
