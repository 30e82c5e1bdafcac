"""The terminal's side in CPS: what the controller wants, as calls to the cloud.

Success of a call means that the cloud took it, not that it has happened (R-CPS-07); the
truth is a callback or a state that was asked for. Callbacks may be lost, doubled, late
or earlier than the answer to the call that asked for them (R-CPS-02). So each read has
a callback address of its own, with a token that nobody can guess, which is known before
the call leaves; a callback for any other read changes nothing; and the same card is
asked for with a long poll at the same time, so that a lost callback costs nothing.

A commit is only done when the session's state says so, whatever the status (R-CPS-05).
An answer that says less is followed by a look at the session itself. ``409`` is final,
and the look says how it was closed. All other statuses leave the session open.
"""

import hashlib
from enum import Enum, auto
from typing import Final

from controller_ref import port
from controller_ref.cps_calls import CpsAnswer, CpsCalls
from controller_ref.cps_closing import CloseJudge
from controller_ref.cps_reports import approved, open_session
from wire.cps import (
    Card,
    RemoteProtocolError,
    SessionState,
    TerminalInfo,
    TerminalState,
    Value,
    parse_json,
    parse_list,
    parse_state,
)
from wire.machine import (
    Action,
    AnswerCallback,
    CallbackReceived,
    Fact,
    HttpAnswered,
    HttpFailed,
    Place,
    earliest,
)

#: A little beyond what the terminal may take with three PIN entries (210 s).
_AUTHORISE_MS: Final = 220_000
_WAIT_CARD_S: Final = 50
#: Where reads end by themselves, nobody may wait for a card that cannot come.
_SHORT_WAIT_S: Final = 10
_WAIT_CARD_MS: Final = 70_000
#: So long a read is believed to go on because its polls wait.
_FRESH_MS: Final = 120_000
#: A cloud that does not wait for a card is not asked more often than this.
_POLL_MS: Final = 20_000
#: The state may lag behind an accepted call (cps.md E3).
_LAG_MS: Final = 5_000
#: A read that does not begin within this never will.
_STARTS_WITHIN_MS: Final = 15_000
_FIRST_CHECK_MS: Final = 5_000
_LONGEST_CHECK_MS: Final = 60_000
_IDLE_CHECK_MS: Final = 300_000  # while nothing is read
_DOWN_CHECK_MS: Final = 240_000  # overdue: five minutes after its return are late
_TEXT_S: Final = 10
_MAX_TOKENS: Final = 16
#: Hexadecimal digits as letters: a token must not look like a card number.
_LETTERS: Final = str.maketrans("0123456789abcdef", "ghijklmnopqrstuv")


class _Reader(Enum):
    IDLE = auto()
    STARTING = auto()
    READING = auto()
    HOLDING = auto()
    AUTHORISING = auto()
    STOPPING = auto()


class CpsSide:
    """Implements ``port.TerminalPort``."""

    capabilities = port.Capabilities(
        can_list=True, can_raise=False, is_shared=True, closes_at_once=4
    )

    def __init__(self, place: Place, *, reserve_minor: int, out: list[Action]) -> None:
        self.reports: list[port.Report] = []
        self._place = place
        self._reserve_minor = reserve_minor
        self._out = out
        self._calls = CpsCalls(place, out, on_key=self._key_refused)
        self._call = self._calls.call
        self._boot = 0
        self._reader = _Reader.IDLE
        self._is_reading_wanted = False
        self._is_down = False
        self._is_ready = False
        #: The current read may still go on, although nobody answers us.
        self._has_lost_read = False
        #: Tokens of the last reads; the last one is that of the current read.
        self._tokens: list[str] = []
        self._reads = 0
        self._started_ms = 0
        self._authorised_ms = 0
        self._polled_ms = self._checked_ms = 0
        self._wait_s = _WAIT_CARD_S
        self._start_from_ms = 0
        self._check_ms: int | None = None
        self._check_pause_ms = _FIRST_CHECK_MS
        self._is_checking = False

    # --- Commands ---------------------------------------------------------------

    def begin(self, boot: int, now_ms: int) -> None:
        self._boot = boot
        self._check(now_ms)

    def want_reading(self, now_ms: int, *, wanted: bool) -> None:
        if wanted is not self._is_reading_wanted:
            self._is_reading_wanted = wanted
            self._mind_reader(now_ms)

    def stand_down(self, now_ms: int, *, is_down: bool) -> None:
        if is_down is not self._is_down:
            self._is_down = is_down
            self._mind_reader(now_ms)

    def authorise(self, now_ms: int) -> None:
        if self._reader is not _Reader.HOLDING:
            self.reports.append(port.Declined())
            return
        self._reader, self._authorised_ms = _Reader.AUTHORISING, now_ms
        params = {"uiMessage": "One moment please"}
        self._call("E6", self._on_authorised, params=params, timeout_ms=_AUTHORISE_MS)

    def drop_card(self, text: str, now_ms: int) -> None:
        self._stop(text)

    def close(self, request: port.CloseRequest, now_ms: int) -> None:
        CloseJudge(request, call=self._call, answered=self.reports.append).try_once()

    def raise_limit(self, session_id: str, total_minor: int, now_ms: int) -> None:
        """No call for it is known (cps.md E14); ``capabilities`` says so."""
        raise AssertionError("CPS cannot raise what is held")

    def list_open(self, now_ms: int) -> None:
        self._call("E7", self._on_listed)

    def tell(self, text: str, now_ms: int) -> None:
        """Only a read carries a text on all terminals; the next one will."""

    # --- Facts ------------------------------------------------------------------

    def handle(self, fact: Fact, now_ms: int) -> None:
        match fact:
            case HttpAnswered() | HttpFailed():
                was_checking = self._is_checking  # whose failure has a pause of its own
                answer = self._calls.ended(fact, now_ms)
                if answer is not None and answer.is_trouble and not was_checking:
                    # This call, or is nobody there any more? The next state tells.
                    self._check_at(now_ms, _FIRST_CHECK_MS)
            case CallbackReceived(callback_id=number):
                status = 200 if self._take_callback(fact, now_ms) else 404
                self._out.append(AnswerCallback(callback_id=number, status=status))
            case _:
                return
        self._mind_reader(now_ms)

    def _key_refused(self, status: int, now_ms: int) -> None:
        text = f"The payment cloud refuses our key (HTTP {status})"
        self.reports.append(port.Trouble(code="key", text=text))
        self._lost(now_ms)

    # --- The terminal ------------------------------------------------------------

    def _check(self, now_ms: int) -> None:
        self._check_ms = None
        if not self._is_checking:
            self._is_checking = True
            self._call("E2", self._on_checked)

    def _check_at(self, now_ms: int, pause_ms: int) -> None:
        """Look again after a pause, or earlier if that was decided already."""
        self._check_ms = earliest(self._check_ms, now_ms + pause_ms)

    def _on_checked(self, answer: CpsAnswer, now_ms: int) -> None:
        self._is_checking, self._checked_ms = False, now_ms
        try:
            info = TerminalInfo.from_json(parse_json(answer.body))
        except RemoteProtocolError:
            info = None
        if answer.status != 200 or info is None or not info.online:
            self._lost(now_ms)
            return
        if not self._is_ready:
            self._is_ready = True
            self._check_pause_ms = _FIRST_CHECK_MS
            self.reports.append(port.Ready())
        self._compare(info.state, now_ms)

    def _lost(self, now_ms: int) -> None:
        if self._is_ready:
            self._is_ready = False
            self.reports.append(port.Lost())
        if self._reader in (_Reader.READING, _Reader.STARTING, _Reader.HOLDING):
            self._has_lost_read = self._reader is not _Reader.HOLDING
            self._reader = _Reader.IDLE
        longest_ms = _DOWN_CHECK_MS if self._is_down else _LONGEST_CHECK_MS
        self._check_at(now_ms, self._check_pause_ms)
        self._check_pause_ms = min(self._check_pause_ms * 2, longest_ms)

    def _compare(self, state: str, now_ms: int) -> None:
        """What the terminal does, and what we believe that it does."""
        is_settled = now_ms - self._started_ms >= _STARTS_WITHIN_MS
        if self._reader is _Reader.IDLE and state != TerminalState.IDLE:
            # A read from before a death, or somebody else's.
            self._stop("")
        elif self._reader is _Reader.READING and state == TerminalState.IDLE:
            if is_settled:
                self._reader, self._wait_s = _Reader.IDLE, _SHORT_WAIT_S
            else:
                self._check_at(now_ms, _LAG_MS)
        elif self._reader is _Reader.READING:
            self._poll_card(now_ms, is_there=state == TerminalState.CARD)
        elif self._reader is _Reader.IDLE and not self._is_down:
            self._check_at(now_ms, _IDLE_CHECK_MS)

    # --- Reading ----------------------------------------------------------------

    def _mind_reader(self, now_ms: int) -> None:
        wanted = self._is_reading_wanted and not self._is_down and self._is_ready
        if self._reader is _Reader.IDLE and wanted and now_ms >= self._start_from_ms:
            self._start(now_ms)
        elif self._reader is _Reader.READING and self._is_ready and not wanted:
            self._stop("")

    def _start(self, now_ms: int) -> None:
        self._reads += 1
        parts = (self._place.cps_api_key, self._place.terminal_serial)
        secret = "/".join((*parts, str(self._boot), str(self._reads)))
        digest = hashlib.sha256(secret.encode()).hexdigest()[:32]
        self._tokens.append(digest.translate(_LETTERS))
        del self._tokens[:-_MAX_TOKENS]
        self._reader, self._started_ms = _Reader.STARTING, now_ms
        self._has_lost_read = False
        params: dict[str, Value] = {
            "authorizedAmount": self._reserve_minor,
            "callbackUrl": f"{self._place.callback_url.rstrip('/')}/{self._tokens[-1]}",
            "uiMessage": "Tap your card",
        }
        self._call("E3", self._on_started, params=params)

    def _on_started(self, answer: CpsAnswer, now_ms: int) -> None:
        if self._reader is not _Reader.STARTING:
            return
        if answer.is_success:
            self._reader, self._started_ms = _Reader.READING, now_ms
            self._check_ms = None
            self._poll_card(now_ms, is_there=True)
        elif answer.status == 409:
            self._stop("")
            self._start_from_ms = now_ms + _LAG_MS
        else:
            self._reader = _Reader.IDLE
            self._start_from_ms = now_ms + _LONGEST_CHECK_MS
            self._check_at(now_ms, _FIRST_CHECK_MS)

    def _poll_card(self, now_ms: int, *, is_there: bool) -> None:
        """Wait for a card without trusting the callback alone."""
        due_ms = self._polled_ms + _POLL_MS
        if not is_there and now_ms < due_ms:
            self._check_at(now_ms, due_ms - now_ms)
            return
        self._polled_ms = now_ms
        read, params = self._reads, {"waitTime": self._wait_s}

        def answered(answer: CpsAnswer, now_ms: int) -> None:
            if read == self._reads and self._reader is _Reader.READING:
                self._on_polled(answer, now_ms)

        self._call("E4", answered, params=params, timeout_ms=_WAIT_CARD_MS)

    def _on_polled(self, answer: CpsAnswer, now_ms: int) -> None:
        try:
            card = Card.from_json(parse_json(answer.body))
        except RemoteProtocolError:
            card = None
        if answer.status == 200 and card is not None:
            self._take_card(card)
        elif answer.status == 204 and self._has_waited(now_ms):
            self._poll_card(now_ms, is_there=True)
        else:
            self._check(now_ms)

    def _has_waited(self, now_ms: int) -> bool:
        """No card for the whole time; a read that was looked at once goes on."""
        if self._wait_s < _WAIT_CARD_S:
            return False
        is_fresh = self._checked_ms > max(self._started_ms, now_ms - _FRESH_MS)
        return is_fresh and now_ms - self._polled_ms >= _WAIT_CARD_S * 1000

    def _take_callback(self, fact: CallbackReceived, now_ms: int) -> bool:
        """A card for one of our reads; it only counts for the current one."""
        token = fact.target.partition("?")[0].rpartition("/")[2]
        if token not in self._tokens:
            return False
        is_waiting = self._reader in (_Reader.STARTING, _Reader.READING)
        # That we cannot reach the cloud does not end a read.
        is_waiting |= self._reader is _Reader.IDLE and self._has_lost_read
        is_current = token == self._tokens[-1] and is_waiting
        try:
            card = Card.from_json(parse_json(fact.body))
        except RemoteProtocolError:
            if is_current:
                self._check_at(now_ms, 0)  # nobody else knows the address: ask
            return False
        if is_current:
            self._take_card(card)
        return True

    def _take_card(self, card: Card) -> None:
        if card.serial_number != self._place.terminal_serial:
            return
        self._reader, self._has_lost_read = _Reader.HOLDING, False
        self.reports.append(
            port.CardRead(
                card_id=card.card_id,
                masked_pan=card.masked_pan,
                is_payment=bool(card.masked_pan),
                labels=(card.card_id.upper(),),
            )
        )

    def _stop(self, text: str) -> None:
        self._reader, self._has_lost_read = _Reader.STOPPING, False
        params: dict[str, Value] = {}
        if text:
            params = {"uiMessage": text, "uiMessageTimeout": _TEXT_S}

        def answered(answer: CpsAnswer, now_ms: int) -> None:
            self._reader = _Reader.IDLE
            if not answer.is_success:
                self._start_from_ms = now_ms + _LAG_MS
                self._check_at(now_ms, _FIRST_CHECK_MS)

        self._call("E5", answered, params=params)

    # --- Sessions ---------------------------------------------------------------

    def _on_authorised(self, answer: CpsAnswer, now_ms: int) -> None:
        session = answer.session()
        state = parse_state(session.state) if session is not None else None
        report: port.Report = port.NoAnswer()
        if answer.status == 200 and session is not None and state is not None:
            report = port.Declined(
                is_certain=now_ms - self._authorised_ms < port.SWIFT_DECLINE_MS
            )
            if state is SessionState.AUTHORIZED and session.session_id:
                report = approved(session)
            self._reader = _Reader.IDLE
        else:
            if answer.is_refused:
                # What answers may not be what authorised; one look costs little.
                never_arrived = answer.failure == "refused"
                report = port.Declined(is_certain=never_arrived)
            self._stop("")
        self.reports.extend((report, port.AuthorisationOver()))

    def _on_listed(self, answer: CpsAnswer, now_ms: int) -> None:
        try:
            rows = parse_list(parse_json(answer.body), "sessions")
        except RemoteProtocolError:
            return
        if answer.status == 200:
            sessions = [found for row in rows if (found := open_session(row))]
            self.reports.append(port.OpenSessions(sessions=tuple(sessions)))

    # --- Time -------------------------------------------------------------------

    def deadline_ms(self) -> int | None:
        waits_to_start = (
            self._reader is _Reader.IDLE
            and self._is_reading_wanted
            and self._is_ready
            and not self._is_down
        )
        start_ms = self._start_from_ms if waits_to_start else None
        return earliest(self._check_ms, start_ms)

    def on_deadline(self, now_ms: int) -> None:
        if self._check_ms is not None and self._check_ms <= now_ms:
            self._check(now_ms)
        self._mind_reader(now_ms)
