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
from typing import Final

from controller_ref import port, psp_words
from controller_ref.psp_closes import PspCloses
from controller_ref.psp_line import Exchange, Phase, PspLine
from controller_ref.psp_reader import Reader, is_astray
from controller_ref.psp_traits import Traits
from wire.machine import Action, Fact, earliest
from wire.psp import (
    BadBlock,
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
#: Beyond the documented limit of an authorisation: the way there and back.
_MARGIN_MS: Final = 2_000
_MAX_TEXTS: Final = 4


class PspSide:
    """Implements ``port.TerminalPort``."""

    def __init__(
        self, traits: Traits, *, is_tcp: bool, reserve_minor: int, out: list[Action]
    ) -> None:
        self.capabilities = port.Capabilities(
            can_list=traits.can_list,
            can_raise=traits.can_raise,
            is_shared=False,
            closes_at_once=1,
        )
        self.reports: list[port.Report] = []
        self._traits = traits
        self._is_tcp = is_tcp
        self._reserve_minor = reserve_minor
        self._line = PspLine(traits, is_tcp=is_tcp, out=out, listener=self)
        self._closes = PspCloses(traits, self._line, self.reports)
        self._reader = Reader.IDLE
        self._is_reading_wanted = False
        self._is_down = False
        self._is_ready = False
        self._reference = 0
        self._start_from_ms = 0
        self._auth_due_ms: int | None = None
        #: When the reader was asked for something, and for an authorisation.
        self._asked_ms = self._auth_sent_ms = 0
        #: A request has timed out during an authorisation: say nothing until it ends.
        self._is_doubtful = False
        self._must_authorise = self._must_drop = False
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
        if is_down is not self._is_down:
            self._is_down = is_down
            self._line.rests = is_down and not self._is_tcp
            if not is_down:
                self._line.open()
            self._pump(now_ms)
        is_asked = self._closes.is_busy or self._raises or self._texts
        is_at_rest = self._is_free and self._reader is Reader.IDLE and not is_asked
        if is_down and self._is_tcp and is_at_rest:
            self._line.hang_up(now_ms)

    def authorise(self, now_ms: int) -> None:
        if self._reader is not Reader.HOLDING:
            self.reports.append(port.Declined())
            return
        self._must_authorise = True
        self._pump(now_ms)

    def drop_card(self, text: str, now_ms: int) -> None:
        self._must_drop = True
        self._pump(now_ms)

    def close(self, request: port.CloseRequest, now_ms: int) -> None:
        self._closes.add(request, now_ms)
        self._line.open()
        self._pump(now_ms)

    def raise_limit(self, session_id: str, total_minor: int, now_ms: int) -> None:
        self._raises.append((session_id, total_minor))
        self._pump(now_ms)

    def list_open(self, now_ms: int) -> None:
        self._closes.list_open()
        self._pump(now_ms)

    def tell(self, text: str, now_ms: int) -> None:
        if self._traits.has_screen:
            self._texts.append(text)
            self._pump(now_ms)

    # --- What to send next --------------------------------------------------------

    @property
    def _is_free(self) -> bool:
        """The line is up, and no request waits for its answer."""
        is_asking = self._line.exchange is not None or self._is_doubtful
        return self._line.phase is Phase.READY and not is_asking

    def _pump(self, now_ms: int) -> None:
        """Send what is most urgent, if something may be sent at all."""
        if not self._is_free:
            return
        line = self._line
        if self._closes.can_send(now_ms):
            self._closes.send_next(now_ms)
        elif self._reader is Reader.AUTHORISING:
            return
        elif self._reader is Reader.HOLDING and self._must_drop:
            line.ask(message(Name.CANCEL_SESSION), now_ms)
        elif self._reader is Reader.HOLDING and self._must_authorise:
            self._send_authorisation(now_ms)
        elif self._raises:
            line.ask(psp_words.update_session(*self._raises[0]), now_ms)
        elif self._closes.must_list:
            self._closes.ask_list(now_ms)
        elif self._texts:
            line.ask(psp_words.notification(self._texts.popleft()), now_ms)
        else:
            self._mind_reader(now_ms)

    def _mind_reader(self, now_ms: int) -> None:
        wanted = self._is_reading_wanted and not self._is_down
        if self._reader is Reader.IDLE and wanted and now_ms >= self._start_from_ms:
            self._start(now_ms)
        elif self._reader is Reader.WAITING and not wanted:
            self._line.ask(message(Name.CANCEL_SESSION), now_ms)

    def _start(self, now_ms: int) -> None:
        self._reference, self._asked_ms = self._reference + 1, now_ms
        self._reader = Reader.WAITING
        self._must_drop = self._must_authorise = False
        request = psp_words.start_session(
            amount_minor=self._reserve_minor, reference=self._reference
        )
        self._line.ask(request, now_ms, limit_ms=_SETTLE_MS)

    def _send_authorisation(self, now_ms: int) -> None:
        limit_ms = answer_limit_ms(Name.AUTH_SESSION, self._traits.family) or 0
        self._must_authorise = False
        self._reader = Reader.AUTHORISING
        self._asked_ms = self._auth_sent_ms = now_ms
        self._auth_due_ms = now_ms + limit_ms + _MARGIN_MS
        self._line.write(message(Name.AUTH_SESSION), now_ms)

    # --- The line ---------------------------------------------------------------

    def line_ready(self, now_ms: int) -> None:
        self._is_ready = True
        self._start_from_ms = now_ms
        self.reports.append(port.Ready())
        self._pump(now_ms)

    def line_lost(self, now_ms: int) -> None:
        """Whatever waited for an answer has an unknown outcome now."""
        if self._is_ready:
            self._is_ready = False
            self.reports.append(port.Lost())
        self._closes.line_lost()
        if self._reader is Reader.AUTHORISING:
            self._authorisation_ends(port.NoAnswer())
        elif self._must_authorise:
            self.reports.append(port.Declined())
        while self._raises:
            self._limit_answered(0)
        self._reader = Reader.IDLE
        self._must_authorise = self._must_drop = False
        self._is_doubtful = False

    def line_damaged(self, block: BadBlock) -> None:
        """A damaged approval may still tell the id of the session (S-P01)."""
        suspect = psp_words.suspect_in(block, self._line.read)
        if suspect and self._reader is Reader.AUTHORISING:
            self._reader = Reader.IDLE
            self._authorisation_ends(port.NoAnswer(suspect=suspect))

    def line_silent(self, exchange: Exchange, now_ms: int) -> None:
        name = exchange.message.name
        is_waiting = self._reader is Reader.AUTHORISING or self._line.exchange
        if name is Name.START_SESSION or (name is Name.GET_STATUS and is_waiting):
            # No answer is the answer; or a longer limit decides.
            self._pump(now_ms)
            return
        if name in (Name.COMMIT_SESSION, Name.VOID_SESSION):
            self._closes.answer(port.Outcome.UNKNOWN, "no answer")
        elif name is Name.UPDATE_SESSION:
            self._limit_answered(0)
        if self._reader is not Reader.AUTHORISING:
            self._line.start_over(now_ms)
        else:
            # Hanging up now would lose the approval; a late Result must not be taken
            # for that of the next request either.
            self._is_doubtful = True

    def line_said(self, said: Message, now_ms: int) -> None:
        match said.name:
            case Name.CARD_READ | Name.PROPRIETARY_CARD_READ:
                self._on_card(said)
            case Name.SESSION_APPROVED | Name.SESSION_PARTIALLY_APPROVED:
                self._on_approved(said)
            case Name.SESSION_DECLINED:
                self._on_declined(now_ms)
            case Name.SESSION_CANCELLED:
                self._on_cancelled(now_ms)
            case Name.RESULT:
                self._on_result(said, now_ms)
            case Name.GET_STATUS_RESPONSE:
                self._on_status(said, now_ms)
            case Name.LIST_SESSIONS_RESPONSE if self._waits_for(Name.LIST_SESSIONS):
                self._line.answered()
                self._closes.on_listed(said, now_ms)
            case Name.UPDATE_SESSION_RESULT if self._waits_for(Name.UPDATE_SESSION):
                self._line.answered()
                self._limit_answered(said.number("amount_minor"))
            case _:
                pass
        if self._is_doubtful and self._reader is not Reader.AUTHORISING:
            self._line.start_over(now_ms)
        self._pump(now_ms)

    # --- Cards and authorisations -------------------------------------------------

    def _waits_for(self, *names: Name) -> bool:
        exchange = self._line.exchange
        return exchange is not None and exchange.message.name in names

    def _on_card(self, said: Message) -> None:
        if self._waits_for(Name.START_SESSION):
            self._line.answered()
        if self._reader is not Reader.WAITING or self._waits_for(Name.CANCEL_SESSION):
            return
        self._reader = Reader.HOLDING
        self.reports.append(psp_words.card_read(said))

    def _on_approved(self, said: Message) -> None:
        was_asked = self._reader is Reader.AUTHORISING
        report = psp_words.approved(said, was_asked=was_asked)
        if was_asked:
            self._reader = Reader.IDLE
            self._authorisation_ends(report)
        else:
            self.reports.append(report)

    def _on_declined(self, now_ms: int) -> None:
        if self._reader is Reader.AUTHORISING:
            self._reader = Reader.IDLE
            is_certain = now_ms - self._auth_sent_ms < port.SWIFT_DECLINE_MS
            self._authorisation_ends(port.Declined(is_certain=is_certain))

    def _authorisation_ends(self, report: port.Report) -> None:
        self._auth_due_ms = None
        self.reports.extend((report, port.AuthorisationOver()))

    def _on_cancelled(self, now_ms: int) -> None:
        """The reader is idle again, whatever it did."""
        if self._waits_for(Name.CANCEL_SESSION, Name.START_SESSION):
            self._line.answered()
        if self._reader is Reader.AUTHORISING:
            self._on_declined(now_ms)
            return
        if self._must_authorise:
            # The terminal has dropped the card before it could be asked for money.
            self.reports.append(port.Declined())
        self._reader = Reader.IDLE
        self._must_authorise = self._must_drop = False

    def _on_status(self, said: Message, now_ms: int) -> None:
        """Compare what the terminal does with what we believe (R-TRM-12)."""
        status = self._line.status_answered()
        state, is_running = said.number("state"), said.number("running") == 1
        reader = self._reader
        if state in (State.OFFLINE, State.ONLINE, State.DISABLED):
            self._line.start_over(now_ms, keeps_line=True)
        elif status is None or status.sent_ms <= self._asked_ms:
            return  # Older than what the reader was asked to do last.
        elif reader is Reader.AUTHORISING:
            if state == State.ENABLED:
                # Answers come in order: the one to the authorisation was lost.
                self._reader = Reader.IDLE
                self._authorisation_ends(port.NoAnswer())
        elif state == State.ENABLED and reader is not Reader.IDLE:
            self._on_cancelled(now_ms)
        elif self._line.exchange is None and is_astray(
            reader, state, is_running=is_running
        ):
            self._line.ask(message(Name.CANCEL_SESSION), now_ms)
        elif state == State.WAIT_CARD and reader is Reader.IDLE:
            self._reader = Reader.WAITING

    # --- Results ----------------------------------------------------------------

    def _on_result(self, said: Message, now_ms: int) -> None:
        exchange = self._line.answered()
        is_ok = said.number("result") == ResultCode.OK
        if exchange is None:
            # A refused question about the state says nothing about the money.
            is_of_status = self._line.status_answered() is not None
            if self._reader is Reader.AUTHORISING and not is_ok and not is_of_status:
                self._authorisation_refused(said, now_ms)
            return
        match exchange.message.name:
            case Name.COMMIT_SESSION | Name.VOID_SESSION if is_ok:
                self._closes.confirmed(now_ms)
            case Name.COMMIT_SESSION | Name.VOID_SESSION:
                self._close_refused(said, now_ms)
            case Name.UPDATE_SESSION:
                self._limit_answered(0)
            case Name.START_SESSION | Name.CANCEL_SESSION if not is_ok:
                self._reader = Reader.IDLE
                self._start_from_ms = now_ms + _PAUSE_MS
                self._line.check(now_ms)
            case Name.LIST_SESSIONS:
                self._closes.list_refused(now_ms)
            case _:
                pass

    def _authorisation_refused(self, said: Message, now_ms: int) -> None:
        if said.number("reason", 0) == Reason.DUPLICATE_SESSION_ID:
            text = "The terminal reports a duplicate session id"
            self.reports.append(port.Trouble(code="other", text=text))
        self._on_declined(now_ms)
        self._line.check(now_ms)

    def _close_refused(self, said: Message, now_ms: int) -> None:
        if self._reader is Reader.AUTHORISING:
            self._closes.answer(port.Outcome.BUSY, "an authorisation is running")
        else:
            self._closes.refused(said, now_ms)

    def _limit_answered(self, limit_minor: int) -> None:
        if self._raises:
            session_id, _ = self._raises.popleft()
            answer = port.LimitAnswered(session_id=session_id, limit_minor=limit_minor)
            self.reports.append(answer)

    # --- Facts and time -----------------------------------------------------------

    def handle(self, fact: Fact, now_ms: int) -> None:
        self._line.handle(fact, now_ms)

    def deadline_ms(self) -> int | None:
        first_ms = earliest(
            self._line.deadline_ms(), self._auth_due_ms, self._closes.deadline_ms()
        )
        if not self._is_free:
            return first_ms
        is_idle = self._reader is Reader.IDLE and not self._is_down
        waits_to_start = self._is_reading_wanted and is_idle
        return earliest(
            first_ms,
            self._start_from_ms if waits_to_start else None,
            self._closes.quiet_until_ms(),
        )

    def on_deadline(self, now_ms: int) -> None:
        if self._auth_due_ms is not None and self._auth_due_ms <= now_ms:
            # The line is kept: an approval may still come, and only on this line.
            self._line.start_over(now_ms, keeps_line=True)
        self._closes.on_deadline(now_ms)
        self._line.on_deadline(now_ms)
        self._pump(now_ms)
