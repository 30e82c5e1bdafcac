"""The line to a PSP terminal: connection, set-up, keep-alive, one request at a time.

Set-up is Reset, Synchronize (polled), Protocol, Setup, Enable, Get Status. The Reset
brings every terminal to the same state, whatever happened before. The closing Get
Status is a barrier: answers come in order, so once its answer is there, no Result of an
older request can be taken for that of the next close (S-K09).

An answer that does not come ends the dialogue. On TCP the connection is given up with
it, because a late answer dies with its connection; on a serial line set-up begins anew
(R-TRM-06). On TCP a terminal hangs up when it hears nothing for 20 s, so it is asked
for its status each 15 s, whatever else it has been asked (R-TRM-07). On a serial line
nobody hangs up: one question after the usual life of a read, then one each two minutes,
is enough to find a read that has ended without a word.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Protocol

from controller_ref.psp_traits import Traits
from wire.machine import (
    Action,
    BytesReceived,
    CloseLink,
    Fact,
    Link,
    LinkClosed,
    LinkOpened,
    OpenLink,
    SendBytes,
    earliest,
)
from wire.psp import (
    CARD_DETECT_MS,
    KEEP_ALIVE_MS,
    BadBlock,
    Block,
    BlockDecoder,
    Direction,
    Malformed,
    Message,
    Name,
    Option,
    Reading,
    ResultCode,
    SetupAction,
    answer_limit_ms,
    decode,
    encode,
    message,
)

#: Sessions end by themselves, voided, after this: longer than the longest charge and
#: all attempts to close it (R-PER-05). A net for what nobody remembers, no more.
SESSION_LIFE_S: Final = 14 * 86_400

_POLL_MS: Final = 2_000
_SLOW_POLL_MS: Final = 30_000
#: A connection on which Synchronize is not answered for so long is given up (TCP).
_DEAF_MS: Final = 20_000
_FIRST_PAUSE_MS: Final = 1_000
_LONGEST_PAUSE_MS: Final = 30_000
_SERIAL_FIRST_CHECK_MS: Final = CARD_DETECT_MS + 2_000
_SERIAL_CHECK_MS: Final = 120_000


class Phase(Enum):
    DOWN = auto()
    OPENING = auto()
    SYNCHRONIZE = auto()
    PROTOCOL = auto()
    SETUP = auto()
    ENABLE = auto()
    STATUS = auto()
    READY = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request that waits for its answer."""

    message: Message
    sent_ms: int
    due_ms: int


class Listener(Protocol):
    """Who uses the line."""

    def line_ready(self, now_ms: int) -> None:
        """Set-up is done."""

    def line_lost(self, now_ms: int) -> None:
        """The dialogue is over; what was asked will not be answered."""

    def line_said(self, message: Message, now_ms: int) -> None:
        """A message that is not part of the set-up."""

    def line_silent(self, exchange: Exchange, now_ms: int) -> None:
        """No answer in time."""

    def line_damaged(self, block: BadBlock) -> None:
        """Bytes that are no block."""


class PspLine:
    def __init__(
        self, traits: Traits, *, is_tcp: bool, out: list[Action], listener: Listener
    ) -> None:
        self.phase = Phase.DOWN
        self.exchange: Exchange | None = None
        #: A status that was asked for; it may be asked for beside anything else.
        self.status: Exchange | None = None
        #: False: stays down until opened again.
        self.is_wanted = False
        #: True: a serial line that is up is left alone; it has nobody to serve.
        self.rests = False
        self._traits = traits
        self._is_tcp = is_tcp
        self._out = out
        self._listener = listener
        self._reading = Reading(family=traits.family)
        self._decoder = self._new_decoder()
        self._pause_ms = _FIRST_PAUSE_MS
        #: When to open the link again, or to repeat the step of the set-up.
        self._again_ms: int | None = None
        self._opened_ms = 0
        #: The Reset may be lost: Synchronize was refused (psp.md 9, A29).
        self._is_refused = False
        self._sent_ms = 0
        self._checks = 0

    def _new_decoder(self) -> BlockDecoder:
        if self._traits.has_free_preamble:
            return BlockDecoder(Direction.TO_HOST, preamble=None)
        return BlockDecoder(Direction.TO_HOST)

    # --- Connection -------------------------------------------------------------

    def open(self) -> None:
        self.is_wanted = True
        if self.phase is Phase.DOWN:
            self.phase = Phase.OPENING
            self._again_ms = None
            self._out.append(OpenLink(link=Link.PSP))

    def hang_up(self, now_ms: int) -> None:
        """End the connection for good; the terminal goes OFFLINE (psp.md 6.1)."""
        self.is_wanted = False
        self._again_ms = None
        if self.phase not in (Phase.DOWN, Phase.OPENING):
            self._out.append(CloseLink(link=Link.PSP))
            self._down(now_ms)

    def start_over(self, now_ms: int, *, keeps_line: bool = False) -> None:
        """Give the dialogue up and set up anew; on TCP on a new connection."""
        if self._is_tcp and not keeps_line:
            self._out.append(CloseLink(link=Link.PSP))
            self._down(now_ms)
            self._open_later(now_ms)
        else:
            self._listener.line_lost(now_ms)
            self._set_up(now_ms)

    def _down(self, now_ms: int) -> None:
        self.phase = Phase.DOWN
        self._listener.line_lost(now_ms)
        self.exchange = self.status = None

    def _open_later(self, now_ms: int) -> None:
        if self.is_wanted:
            self._again_ms = now_ms + self._next_pause_ms()

    def _next_pause_ms(self) -> int:
        """Ever longer, until a set-up succeeds."""
        pause_ms = self._pause_ms
        self._pause_ms = min(pause_ms * 2, _LONGEST_PAUSE_MS)
        return pause_ms

    # --- Set-up -----------------------------------------------------------------

    def _set_up(self, now_ms: int) -> None:
        self.exchange = self.status = None
        self._decoder = self._new_decoder()
        self._reading = Reading(family=self._traits.family)
        self._opened_ms = now_ms
        self._is_refused = False
        self.write(message(Name.RESET), now_ms)
        self._enter(Phase.SYNCHRONIZE, now_ms)

    def _enter(self, phase: Phase, now_ms: int) -> None:
        self.phase = phase
        request = self._request(phase)
        if request is None:
            self._again_ms = None
            self._pause_ms = _FIRST_PAUSE_MS
            self._checks = 0
            self._listener.line_ready(now_ms)
            return
        self.write(request, now_ms)
        limit_ms = answer_limit_ms(request.name, self._traits.family)
        self._again_ms = now_ms + (limit_ms or _POLL_MS)
        if phase is Phase.SYNCHRONIZE:
            is_slow = now_ms - self._opened_ms > CARD_DETECT_MS
            self._again_ms = now_ms + (_SLOW_POLL_MS if is_slow else _POLL_MS)

    def _request(self, phase: Phase) -> Message | None:
        match phase:
            case Phase.SYNCHRONIZE:
                return message(Name.SYNCHRONIZE)
            case Phase.PROTOCOL:
                options = int(self._traits.options)
                return message(Name.PROTOCOL, version=3, options=options)
            case Phase.SETUP:
                life, action = SESSION_LIFE_S, int(SetupAction.VOID)
                return message(Name.SETUP, timeout_s=life, action=action)
            case Phase.ENABLE:
                return message(Name.ENABLE)
            case Phase.STATUS:
                return message(Name.GET_STATUS)
            case _:
                return None

    def _set_up_answer(self, said: Message, now_ms: int) -> None:
        match self.phase, said.name:
            case Phase.SYNCHRONIZE, Name.SYNCHRONIZE:
                self._enter(Phase.PROTOCOL, now_ms)
            case Phase.SYNCHRONIZE, Name.RESULT:
                self._is_refused = said.number("result") != ResultCode.OK
            case Phase.PROTOCOL, Name.PROTOCOL | Name.RESULT:
                self._agree()
                self._enter(Phase.SETUP, now_ms)
            case Phase.SETUP | Phase.ENABLE, Name.RESULT:
                is_ok = said.number("result") == ResultCode.OK
                if not is_ok:
                    # Slower and slower, but the line is to be kept.
                    pause_ms = min(self._next_pause_ms(), KEEP_ALIVE_MS)
                    self._is_refused, self._again_ms = True, now_ms + pause_ms
                elif self.phase is Phase.SETUP:
                    self._enter(Phase.ENABLE, now_ms)
                else:
                    self._enter(Phase.STATUS, now_ms)
            case Phase.STATUS, Name.GET_STATUS_RESPONSE:
                self._enter(Phase.READY, now_ms)
            case _, Name.RESULT | Name.SYNCHRONIZE | Name.PROTOCOL:
                pass
            case _:
                self._listener.line_said(said, now_ms)

    def _agree(self) -> None:
        """What an option adds is read wherever it is there: asking is enough."""
        on = self._traits.options
        self._reading = Reading(
            family=self._traits.family,
            detailed=Option.DETAILED in on,
            authorization_dol=Option.AUTHORIZATION_DOL in on,
        )

    # --- Talking ----------------------------------------------------------------

    def ask(
        self, request: Message, now_ms: int, *, limit_ms: int | None = None
    ) -> None:
        """Send a request whose answer is awaited; one at a time."""
        limit = limit_ms or answer_limit_ms(request.name, self._traits.family)
        assert self.exchange is None, f"{self.exchange} waits for its answer"
        assert limit is not None, f"{request.name}: no limit"
        due_ms = now_ms + limit
        self.exchange = Exchange(message=request, sent_ms=now_ms, due_ms=due_ms)
        self.write(request, now_ms)

    def check(self, now_ms: int) -> None:
        """Ask for the status, unless that has just been done."""
        if self.status is None:
            request = message(Name.GET_STATUS)
            limit_ms = answer_limit_ms(request.name, self._traits.family) or _POLL_MS
            due_ms = now_ms + limit_ms
            self.status = Exchange(message=request, sent_ms=now_ms, due_ms=due_ms)
            self.write(request, now_ms)

    def status_answered(self) -> Exchange | None:
        status, self.status = self.status, None
        return status

    def answered(self) -> Exchange | None:
        """The request that waited; it does not wait any more."""
        exchange, self.exchange = self.exchange, None
        return exchange

    def write(self, request: Message, now_ms: int) -> None:
        """Send a request whose answer, if any, comes as a message of its own."""
        self._sent_ms = now_ms
        data = encode(request, Direction.TO_TERMINAL, self._reading)
        self._out.append(SendBytes(link=Link.PSP, data=data))

    # --- Facts ------------------------------------------------------------------

    def handle(self, fact: Fact, now_ms: int) -> None:
        match fact:
            case LinkOpened(link=Link.PSP) if self.phase is Phase.OPENING:
                self._set_up(now_ms)
            case LinkClosed(link=Link.PSP):
                was_open = self.phase not in (Phase.DOWN, Phase.OPENING)
                self.phase = Phase.DOWN
                if was_open:
                    self._down(now_ms)
                self._open_later(now_ms)
            case BytesReceived(link=Link.PSP, data=data):
                if self.phase not in (Phase.DOWN, Phase.OPENING):
                    for block in self._decoder.receive(data, now_ms):
                        self._take(block, now_ms)
            case _:
                pass

    def _take(self, block: Block | BadBlock, now_ms: int) -> None:
        if isinstance(block, BadBlock):
            self._listener.line_damaged(block)
            return
        said = self.read(block)
        if isinstance(said, Malformed) or self.phase is Phase.DOWN:
            return
        if self.phase is Phase.READY:
            self._listener.line_said(said, now_ms)
        else:
            self._set_up_answer(said, now_ms)

    def read(self, block: Block) -> Message | Malformed:
        waiting = [each for each in (self.exchange, self.status) if each is not None]
        expecting = waiting[0].message.name if len(waiting) == 1 else None
        if self.phase is Phase.STATUS:
            expecting = Name.GET_STATUS
        return decode(block, Direction.TO_HOST, self._reading, expecting=expecting)

    # --- Time -------------------------------------------------------------------

    def deadline_ms(self) -> int | None:
        return earliest(
            self._again_ms,
            self._decoder.deadline_ms(),
            self.exchange.due_ms if self.exchange else None,
            self.status.due_ms if self.status else None,
            self._check_ms(),
        )

    def _check_ms(self) -> int | None:
        """When to ask for the status again."""
        if self.phase is not Phase.READY or self.status is not None or self.rests:
            return None
        if self._is_tcp:
            return self._sent_ms + KEEP_ALIVE_MS
        pause_ms = _SERIAL_CHECK_MS if self._checks else _SERIAL_FIRST_CHECK_MS
        return self._sent_ms + pause_ms

    def on_deadline(self, now_ms: int) -> None:
        for block in self._decoder.on_deadline(now_ms):
            self._take(block, now_ms)
        if self._again_ms is not None and self._again_ms <= now_ms:
            self._again(now_ms)
        exchange = self.exchange
        if exchange is not None and exchange.due_ms <= now_ms:
            self.exchange = None
            self._listener.line_silent(exchange, now_ms)
        status = self.status
        if status is not None and status.due_ms <= now_ms:
            self.status = None
            self._listener.line_silent(status, now_ms)
        if (check_ms := self._check_ms()) is not None and check_ms <= now_ms:
            self._checks += 1
            self.check(now_ms)

    def _again(self, now_ms: int) -> None:
        self._again_ms = None
        is_deaf = now_ms - self._opened_ms >= _DEAF_MS
        if self.phase is Phase.DOWN:
            self.open()
        elif self.phase is Phase.SYNCHRONIZE and not (self._is_tcp and is_deaf):
            if self._is_refused:
                self.write(message(Name.RESET), now_ms)
            self._enter(Phase.SYNCHRONIZE, now_ms)
        elif self.phase is not Phase.OPENING:
            # Who refuses is there: only silence is a reason to hang up.
            self.start_over(now_ms, keeps_line=self._is_refused)
