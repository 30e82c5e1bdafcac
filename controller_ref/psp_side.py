"""The terminal's side in PSP: what the controller wants, as requests on the line.

The reader is kept going whenever reading is wanted and nothing else is to be done; a
card that was read is authorised or dropped at once. Closes go before everything else
(R-RTY-10), also while an authorisation is running: the terminal may refuse them then,
and they are put off until it is over. One request waits for its answer at a time, so a
Result can only be that of the request before it (R-PSP-03); an authorisation does not
count, because its answers have names of their own.

Nothing is assumed: an authorisation without an answer ends as ``NoAnswer``, a close
without one as ``UNKNOWN``.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from controller_ref.port import (
    SWIFT_DECLINE_MS,
    Approved,
    AuthorisationOver,
    Capabilities,
    CardRead,
    CloseAnswered,
    CloseRequest,
    Declined,
    LimitAnswered,
    Lost,
    NoAnswer,
    OpenSession,
    OpenSessions,
    Outcome,
    Ready,
    Report,
    Trouble,
)
from controller_ref.psp_line import Exchange, Phase, PspLine, Traits
from controller_ref.session import Op
from wire.machine import Action, Fact
from wire.psp import (
    CARD_HASH_TAG,
    MASKED_PAN_TAG,
    BadBlock,
    Block,
    Malformed,
    Message,
    Name,
    Reason,
    ResultCode,
    State,
    answer_limit_ms,
    message,
)

#: Start Session has no answer of its own; a refusal comes at once (psp.md 4.3).
_SETTLE_MS: Final = 500
#: After a refused Start Session.
_PAUSE_MS: Final = 2_000
#: A close that cannot leave within this has not been sent.
_LEAVE_MS: Final = 30_000
#: Beyond the documented limit of an authorisation: the way there and back.
_MARGIN_MS: Final = 2_000
_MAX_TEXTS: Final = 4
_MAX_LISTED: Final = 0xFF

#: What a Result's reason says about a close. All others refuse it in so many words.
_OUTCOMES: Final = {
    Reason.SESSION_ID_NOT_FOUND: Outcome.NOT_KNOWN,
    Reason.INTERNAL_ERROR: Outcome.FAILED,
    Reason.NOT_READY: Outcome.FAILED,
    Reason.INVALID_APPLICATION_STATE: Outcome.FAILED,
    Reason.INCORRECT_STATE: Outcome.FAILED,
    Reason.INCORRECT_CHECKSUM: Outcome.FAILED,
}
#: Reasons after which one repeat at once is worth it.
_REPEAT_AFTER: Final = (
    Reason.INCORRECT_STATE,
    Reason.INCORRECT_CHECKSUM,
    Reason.INCORRECT_MESSAGE,
)


class _Reader(Enum):
    IDLE = auto()
    WAITING = auto()
    HOLDING = auto()
    AUTHORISING = auto()


@dataclass(slots=True, kw_only=True)
class _Close:
    request: CloseRequest
    leave_by_ms: int
    was_repeated: bool = False


class PspSide:
    """Implements ``port.TerminalPort``."""

    def __init__(
        self, traits: Traits, *, is_tcp: bool, reserve_minor: int, out: list[Action]
    ) -> None:
        self.capabilities = Capabilities(
            can_list=traits.can_list,
            can_raise=traits.can_raise,
            is_shared=False,
            closes_at_once=1,
        )
        self.reports: list[Report] = []
        self._traits = traits
        self._is_tcp = is_tcp
        self._reserve_minor = reserve_minor
        self._line = PspLine(traits, is_tcp=is_tcp, out=out, listener=self)
        self._reader = _Reader.IDLE
        self._is_reading_wanted = False
        self._is_down = False
        self._is_ready = False
        self._reference = 0
        self._start_from_ms = 0
        self._auth_due_ms: int | None = None
        self._auth_sent_ms = 0
        #: A request has timed out during an authorisation: say nothing until it ends.
        self._is_doubtful = False
        self._must_authorise = False
        self._must_drop = False
        self._must_list = False
        self._listed: list[int] = []
        self._closes: deque[_Close] = deque()
        self._close: _Close | None = None
        #: A refused close, until the list says whether its session is open (P6X).
        self._questioned: _Close | None = None
        self._raises: deque[tuple[str, int]] = deque()
        self._texts: deque[str] = deque(maxlen=_MAX_TEXTS)

    # --- Commands ---------------------------------------------------------------

    def begin(self, boot: int, now_ms: int) -> None:
        self._line.open()

    def want_reading(self, now_ms: int, *, wanted: bool) -> None:
        if wanted is not self._is_reading_wanted:
            self._is_reading_wanted = wanted
            self._pump(now_ms)

    def stand_down(self, now_ms: int, *, is_down: bool) -> None:
        """While down, TCP is idle and offline but for the attempts (psp.md 6.1)."""
        if is_down is self._is_down:
            return
        self._is_down = is_down
        if not is_down:
            self._line.open()
        self._pump(now_ms)

    def authorise(self, now_ms: int) -> None:
        if self._reader is not _Reader.HOLDING:
            self.reports.append(Declined())
            return
        self._must_authorise = True
        self._pump(now_ms)

    def drop_card(self, text: str, now_ms: int) -> None:
        self._must_drop = True
        self._pump(now_ms)

    def close(self, request: CloseRequest, now_ms: int) -> None:
        leave_by_ms = now_ms + _LEAVE_MS
        self._closes.append(_Close(request=request, leave_by_ms=leave_by_ms))
        self._line.open()
        self._pump(now_ms)

    def raise_limit(self, session_id: str, total_minor: int, now_ms: int) -> None:
        self._raises.append((session_id, total_minor))
        self._pump(now_ms)

    def list_open(self, now_ms: int) -> None:
        self._must_list = self._traits.can_list
        self._listed = []
        self._pump(now_ms)

    def tell(self, text: str, now_ms: int) -> None:
        if self._traits.has_screen:
            self._texts.append(text)
            self._pump(now_ms)

    # --- What to send next --------------------------------------------------------

    def _pump(self, now_ms: int) -> None:
        """Send what is most urgent, if something may be sent at all."""
        line = self._line
        if line.phase is not Phase.READY or line.exchange or self._is_doubtful:
            return
        if self._closes:
            self._send_close(now_ms)
        elif self._reader is _Reader.AUTHORISING:
            return
        elif self._reader is _Reader.HOLDING and self._must_drop:
            line.ask(message(Name.CANCEL_SESSION), now_ms)
        elif self._reader is _Reader.HOLDING and self._must_authorise:
            self._send_authorisation(now_ms)
        elif self._raises:
            session_id, total = self._raises[0]
            fields = {"session_id": int(session_id), "amount_minor": total}
            line.ask(Message(Name.UPDATE_SESSION, fields), now_ms)
        elif self._must_list:
            line.ask(message(Name.LIST_SESSIONS, offset=len(self._listed)), now_ms)
        elif self._texts:
            properties = (("title", self._texts.popleft()),)
            request = message(
                Name.UI_REQUEST, type="notification", properties=properties
            )
            line.ask(request, now_ms)
        else:
            self._mind_reader(now_ms)

    def _mind_reader(self, now_ms: int) -> None:
        wanted = self._is_reading_wanted and not self._is_down
        if self._reader is _Reader.IDLE and wanted:
            if now_ms >= self._start_from_ms:
                self._start(now_ms)
        elif self._reader is _Reader.WAITING and not wanted:
            self._line.ask(message(Name.CANCEL_SESSION), now_ms)
        elif self._reader is _Reader.IDLE and self._is_down and self._is_tcp:
            self._line.hang_up(now_ms)

    def _start(self, now_ms: int) -> None:
        self._reference += 1
        self._reader = _Reader.WAITING
        self._must_drop = self._must_authorise = False
        request = message(
            Name.START_SESSION,
            amount_minor=self._reserve_minor,
            reference=self._reference,
            dol=(),
        )
        self._line.ask(request, now_ms, limit_ms=_SETTLE_MS)

    def _send_authorisation(self, now_ms: int) -> None:
        limit_ms = answer_limit_ms(Name.AUTH_SESSION, self._traits.family)
        assert limit_ms is not None
        self._must_authorise = False
        self._reader = _Reader.AUTHORISING
        self._auth_sent_ms = now_ms
        self._auth_due_ms = now_ms + limit_ms + _MARGIN_MS
        self._line.write(message(Name.AUTH_SESSION), now_ms)

    def _send_close(self, now_ms: int) -> None:
        self._close = self._closes.popleft()
        request = self._close.request
        session_id = int(request.session_id)
        if request.op is Op.COMMIT:
            fields = {"session_id": session_id, "amount_minor": request.amount_minor}
            self._line.ask(Message(Name.COMMIT_SESSION, fields), now_ms)
        else:
            self._line.ask(message(Name.VOID_SESSION, session_id=session_id), now_ms)

    # --- The line ---------------------------------------------------------------

    def line_ready(self, now_ms: int) -> None:
        self._is_ready = True
        self._start_from_ms = now_ms
        self.reports.append(Ready())
        self._pump(now_ms)

    def line_lost(self, now_ms: int) -> None:
        """Whatever waited for an answer has an unknown outcome now."""
        if self._is_ready:
            self._is_ready = False
            self.reports.append(Lost())
        if self._close is not None:
            self._answer_close(Outcome.UNKNOWN, "line lost")
        if self._questioned is not None:
            self._close, self._questioned = self._questioned, None
            self._answer_close(Outcome.FAILED, "refused; line lost")
        if self._reader is _Reader.AUTHORISING:
            self._authorisation_ends(NoAnswer())
        elif self._must_authorise:
            self.reports.append(Declined())
        while self._raises:
            self._limit_answered(0)
        self._reader = _Reader.IDLE
        self._must_authorise = self._must_drop = self._must_list = False
        self._is_doubtful = False

    def line_damaged(self, block: BadBlock) -> None:
        """A damaged approval may still tell the id of the session (S-P01)."""
        if self._reader is not _Reader.AUTHORISING or block.reason != "checksum":
            return
        header = block.header or 0
        guess = self._line.read(Block(header, block.raw[4:-1], block.raw))
        approvals = (Name.SESSION_APPROVED, Name.SESSION_PARTIALLY_APPROVED)
        if not isinstance(guess, Malformed) and guess.name in approvals:
            self._reader = _Reader.IDLE
            suspect = str(guess.number("session_id"))
            self._authorisation_ends(NoAnswer(suspect=suspect))

    def line_silent(self, exchange: Exchange, now_ms: int) -> None:
        name = exchange.message.name
        is_waiting = self._reader is _Reader.AUTHORISING or self._line.exchange
        if name is Name.START_SESSION or (name is Name.GET_STATUS and is_waiting):
            # No answer is the answer; or a longer limit decides.
            self._pump(now_ms)
            return
        if name in (Name.COMMIT_SESSION, Name.VOID_SESSION):
            self._answer_close(Outcome.UNKNOWN, "no answer")
        elif name is Name.UPDATE_SESSION:
            self._limit_answered(0)
        if self._reader is not _Reader.AUTHORISING:
            self._line.start_over(now_ms)
        else:
            # Hanging up now would lose the approval; a late Result must not be taken
            # for that of the next request either.
            self._is_doubtful = True

    def line_said(self, said: Message, now_ms: int) -> None:
        match said.name:
            case Name.CARD_READ | Name.PROPRIETARY_CARD_READ:
                self._on_card(said)
            case Name.SESSION_APPROVED:
                self._on_approved(said, None)
            case Name.SESSION_PARTIALLY_APPROVED:
                self._on_approved(said, said.number("amount_minor"))
            case Name.SESSION_DECLINED:
                self._on_declined(now_ms)
            case Name.SESSION_CANCELLED:
                self._on_cancelled(now_ms)
            case Name.RESULT:
                self._on_result(said, now_ms)
            case Name.GET_STATUS_RESPONSE:
                self._on_status(said, now_ms)
            case Name.LIST_SESSIONS_RESPONSE:
                self._on_listed(said)
            case Name.UPDATE_SESSION_RESULT:
                self._on_updated(said)
            case _:
                pass
        if self._is_doubtful and self._reader is not _Reader.AUTHORISING:
            self._line.start_over(now_ms)
        self._pump(now_ms)

    # --- Cards and authorisations -------------------------------------------------

    def _waits_for(self, *names: Name) -> bool:
        exchange = self._line.exchange
        return exchange is not None and exchange.message.name in names

    def _on_card(self, said: Message) -> None:
        if self._waits_for(Name.START_SESSION):
            self._line.answered()
        if self._reader is not _Reader.WAITING or self._waits_for(Name.CANCEL_SESSION):
            return
        self._reader = _Reader.HOLDING
        tags = said.tags()
        masked_pan = _text(tags.get(MASKED_PAN_TAG, b""))
        is_payment = said.name is Name.CARD_READ and bool(masked_pan)
        self.reports.append(
            CardRead(
                card_id=_text(tags.get(CARD_HASH_TAG, b"")),
                masked_pan=masked_pan,
                is_payment=is_payment,
                labels=tuple(_text(value).upper() for value in tags.values()),
            )
        )

    def _on_approved(self, said: Message, amount_minor: int | None) -> None:
        receipt = {f"{tag:X}": _text(value) for tag, value in said.tags().items()}
        approved = Approved(
            session_id=str(said.number("session_id")),
            amount_minor=amount_minor,
            was_asked=self._reader is _Reader.AUTHORISING,
            receipt=receipt,
        )
        if approved.was_asked:
            self._reader = _Reader.IDLE
            self._authorisation_ends(approved)
        else:
            self.reports.append(approved)

    def _on_declined(self, now_ms: int) -> None:
        if self._reader is _Reader.AUTHORISING:
            self._reader = _Reader.IDLE
            is_certain = now_ms - self._auth_sent_ms < SWIFT_DECLINE_MS
            self._authorisation_ends(Declined(is_certain=is_certain))

    def _authorisation_ends(self, report: Report) -> None:
        self._auth_due_ms = None
        self.reports.extend((report, AuthorisationOver()))

    def _on_cancelled(self, now_ms: int) -> None:
        """The reader is idle again, whatever it did."""
        if self._waits_for(Name.CANCEL_SESSION, Name.START_SESSION):
            self._line.answered()
        if self._reader is _Reader.AUTHORISING:
            self._on_declined(now_ms)
            return
        if self._must_authorise:
            # The terminal has dropped the card before it could be asked for money.
            self.reports.append(Declined())
        self._reader = _Reader.IDLE
        self._must_authorise = self._must_drop = False

    def _on_status(self, said: Message, now_ms: int) -> None:
        """Compare what the terminal does with what we believe (R-TRM-12)."""
        status = self._line.status_answered()
        state, is_running = said.number("state"), said.number("running") == 1
        reader = self._reader
        if state in (State.OFFLINE, State.ONLINE, State.DISABLED):
            self._line.start_over(now_ms, keeps_line=True)
        elif reader is _Reader.AUTHORISING:
            is_newer = status is not None and status.sent_ms > self._auth_sent_ms
            if state == State.ENABLED and is_newer:
                # Answers come in order: the one to the authorisation was lost.
                self._reader = _Reader.IDLE
                self._authorisation_ends(NoAnswer())
        elif state == State.ENABLED and reader is not _Reader.IDLE:
            self._on_cancelled(now_ms)
        elif self._line.exchange is None and self._is_astray(state, is_running):
            self._line.ask(message(Name.CANCEL_SESSION), now_ms)
        elif state == State.WAIT_CARD and reader is _Reader.IDLE:
            self._reader = _Reader.WAITING

    def _is_astray(self, state: int, is_running: bool) -> bool:
        """Whether a read goes on that is of no use: stalled, or its card was missed."""
        if state == State.WAIT_CARD:
            return self._reader is _Reader.WAITING and not is_running
        return state == State.WAIT_AUTH and self._reader is not _Reader.HOLDING

    # --- Results ----------------------------------------------------------------

    def _on_result(self, said: Message, now_ms: int) -> None:
        exchange = self._line.answered()
        is_ok = said.number("result") == ResultCode.OK
        if exchange is None:
            if self._reader is _Reader.AUTHORISING and not is_ok:
                self._authorisation_refused(said, now_ms)
            return
        match exchange.message.name:
            case Name.COMMIT_SESSION | Name.VOID_SESSION if is_ok:
                self._answer_close(Outcome.CONFIRMED)
            case Name.COMMIT_SESSION | Name.VOID_SESSION:
                self._close_refused(said, now_ms)
            case Name.UPDATE_SESSION:
                self._limit_answered(0)
            case Name.START_SESSION | Name.CANCEL_SESSION if not is_ok:
                self._reader = _Reader.IDLE
                self._start_from_ms = now_ms + _PAUSE_MS
                self._line.check(now_ms)
            case Name.LIST_SESSIONS:
                self._list_refused(now_ms)
            case _:
                pass

    def _authorisation_refused(self, said: Message, now_ms: int) -> None:
        if said.number("reason", 0) == Reason.DUPLICATE_SESSION_ID:
            text = "The terminal reports a duplicate session id"
            self.reports.append(Trouble(code="other", text=text))
        self._on_declined(now_ms)
        self._line.check(now_ms)

    def _close_refused(self, said: Message, now_ms: int) -> None:
        close, self._close = self._close, None
        assert close is not None
        reason = said.number("reason", 0)
        if self._reader is _Reader.AUTHORISING:
            self._report_close(close, Outcome.BUSY, "an authorisation is running")
        elif reason in _REPEAT_AFTER and not close.was_repeated:
            self._repeat(close, now_ms)
            if reason == Reason.INCORRECT_STATE:
                self._line.start_over(now_ms, keeps_line=True)
        elif not reason and self._traits.can_list:
            self._questioned = close
            self.list_open(now_ms)
        else:
            outcome = Outcome.REFUSED
            for known, meaning in _OUTCOMES.items():
                outcome = meaning if reason == known else outcome
            self._report_close(close, outcome, f"reason {reason:#04x}")

    def _list_refused(self, now_ms: int) -> None:
        """A terminal that refuses the list as well has been restarted, perhaps."""
        self._must_list = False
        close, self._questioned = self._questioned, None
        if close is not None:
            self._repeat(close, now_ms)
            self._line.start_over(now_ms, keeps_line=True)

    def _repeat(self, close: _Close, now_ms: int) -> None:
        """Once more, at once; a second time it has failed."""
        if close.was_repeated:
            self._report_close(close, Outcome.FAILED, "refused twice")
        else:
            close.was_repeated = True
            close.leave_by_ms = now_ms + _LEAVE_MS
            self._closes.appendleft(close)

    def _answer_close(self, outcome: Outcome, detail: str = "") -> None:
        close, self._close = self._close, None
        assert close is not None
        self._report_close(close, outcome, detail)

    def _report_close(self, close: _Close, outcome: Outcome, detail: str) -> None:
        session_id = close.request.session_id
        answer = CloseAnswered(session_id=session_id, outcome=outcome, detail=detail)
        self.reports.append(answer)

    def _on_listed(self, said: Message) -> None:
        if not self._waits_for(Name.LIST_SESSIONS):
            return
        self._line.answered()
        page = said.numbers("session_ids")
        self._listed.extend(page)
        is_more = len(self._listed) < min(said.number("total"), _MAX_LISTED)
        if page and is_more:
            return
        self._must_list = False
        ids = tuple(str(each) for each in self._listed)
        found = tuple(OpenSession(session_id=each) for each in ids)
        self.reports.append(OpenSessions(sessions=found))
        questioned, self._questioned = self._questioned, None
        if questioned is not None:
            is_open = questioned.request.session_id in ids
            outcome = Outcome.REFUSED if is_open else Outcome.NOT_KNOWN
            self._report_close(questioned, outcome, "refused without a reason")

    def _on_updated(self, said: Message) -> None:
        if self._waits_for(Name.UPDATE_SESSION):
            self._line.answered()
            self._limit_answered(said.number("amount_minor"))

    def _limit_answered(self, limit_minor: int) -> None:
        if self._raises:
            session_id, _ = self._raises.popleft()
            answer = LimitAnswered(session_id=session_id, limit_minor=limit_minor)
            self.reports.append(answer)

    # --- Facts and time -----------------------------------------------------------

    def handle(self, fact: Fact, now_ms: int) -> None:
        self._line.handle(fact, now_ms)

    def deadline_ms(self) -> int | None:
        waits_to_start = (
            self._reader is _Reader.IDLE
            and self._is_reading_wanted
            and self._line.phase is Phase.READY
            and self._line.exchange is None
            and not self._is_down
        )
        times = (
            self._line.deadline_ms(),
            self._auth_due_ms,
            self._closes[0].leave_by_ms if self._closes else None,
            self._start_from_ms if waits_to_start else None,
        )
        return min((time for time in times if time is not None), default=None)

    def on_deadline(self, now_ms: int) -> None:
        if self._auth_due_ms is not None and self._auth_due_ms <= now_ms:
            # The line is kept: an approval may still come, and only on this line.
            self._line.start_over(now_ms, keeps_line=True)
        while self._closes and self._closes[0].leave_by_ms <= now_ms:
            self._report_close(self._closes.popleft(), Outcome.NOT_SENT, "no line")
        self._line.on_deadline(now_ms)
        self._pump(now_ms)


def _text(value: bytes) -> str:
    """Text where it is text, else its bytes as hexadecimal digits."""
    if value.isascii() and value.decode("ascii").isprintable():
        return value.decode("ascii")
    return value.hex().upper()
