"""Closes on their way to a PSP terminal, one at a time, and the list of what is open.

Every close is answered exactly once: by the terminal's Result, by the end of the line,
or because it could not leave in time. A Result that names no reason (P6X) only says
that the close was refused; whether the session is still open is then asked for with
List Sessions, which is why both live here. After a wrong state, a wrong checksum or a
refused list the same close is repeated at once, but once only (psp.md 5.1).
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from controller_ref.port import (
    CloseAnswered,
    CloseRequest,
    OpenSession,
    OpenSessions,
    Outcome,
    Report,
)
from controller_ref.psp_line import PspLine
from controller_ref.psp_traits import Traits
from controller_ref.psp_words import close_session
from wire.psp import Message, Name, Reason, message

#: A close that cannot leave within this has not been sent.
_LEAVE_MS: Final = 30_000
#: A Result that comes twice must not be taken for that of the next close.
_QUIET_MS: Final = 300
#: The offset of List Sessions is one byte.
_MAX_LISTED: Final = 0xFF

#: What a Result's reason says about a close. All others refuse it in so many words.
_OUTCOMES: Final[Mapping[int, Outcome]] = {
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


@dataclass(slots=True, kw_only=True)
class _Close:
    request: CloseRequest
    leave_by_ms: int


class PspCloses:
    """``line`` is asked, answers go to ``reports``."""

    def __init__(self, traits: Traits, line: PspLine, reports: list[Report]) -> None:
        self._traits = traits
        self._line = line
        self._reports = reports
        self._waiting: deque[_Close] = deque()
        self._current: _Close | None = None
        #: A refused close, until the list says whether its session is open.
        self._questioned: _Close | None = None
        self._listed: list[int] = []
        #: Sessions whose close has had its one repeat at once.
        self._repeated: dict[str, None] = {}
        self._quiet_from_ms = 0
        self.must_list = False

    @property
    def is_busy(self) -> bool:
        """A close or a list is to be sent, or has not been answered."""
        has_close = self._waiting or self._current or self._questioned
        return bool(has_close) or self.must_list

    def can_send(self, now_ms: int) -> bool:
        """Whether a close waits and the answer to the one before has died away."""
        return bool(self._waiting) and now_ms >= self._quiet_from_ms

    def add(self, request: CloseRequest, now_ms: int) -> None:
        close = _Close(request=request, leave_by_ms=now_ms + _LEAVE_MS)
        self._waiting.append(close)

    def send_next(self, now_ms: int) -> None:
        self._current = self._waiting.popleft()
        self._line.ask(close_session(self._current.request), now_ms)

    # --- Answers ----------------------------------------------------------------

    def confirmed(self, now_ms: int) -> None:
        self._quiet_from_ms = now_ms + _QUIET_MS
        if self._current is not None:
            self._repeated.pop(self._current.request.session_id, None)
        self.answer(Outcome.CONFIRMED)

    def answer(self, outcome: Outcome, detail: str = "") -> None:
        """The close that was sent has ended so; nothing when none was."""
        close, self._current = self._current, None
        if close is not None:
            self._report(close, outcome, detail)

    def refused(self, said: Message, now_ms: int) -> None:
        """A Result Not OK; an authorisation is not running."""
        close, self._current = self._current, None
        assert close is not None
        reason = said.number("reason", 0)
        if reason in _REPEAT_AFTER:
            self._repeat(close, f"reason {reason:#04x}", now_ms)
            if reason == Reason.INCORRECT_STATE:
                self._line.start_over(now_ms, keeps_line=True)
        elif not reason and self._traits.can_list:
            self._questioned = close
            self.list_open()
        else:
            outcome = _OUTCOMES.get(reason, Outcome.REFUSED)
            self._report(close, outcome, f"reason {reason:#04x}")

    def _repeat(self, close: _Close, detail: str, now_ms: int) -> None:
        """Once more, at once, for each session; after that only by the schedule.

        A line that damages every block would be hammered otherwise: twice each minute.
        """
        session_id = close.request.session_id
        if session_id in self._repeated:
            self._report(close, Outcome.FAILED, detail)
        else:
            self._repeated[session_id] = None
            close.leave_by_ms = now_ms + _LEAVE_MS
            self._waiting.appendleft(close)

    def _report(self, close: _Close, outcome: Outcome, detail: str) -> None:
        session_id = close.request.session_id
        answer = CloseAnswered(session_id=session_id, outcome=outcome, detail=detail)
        self._reports.append(answer)

    def line_lost(self) -> None:
        self.answer(Outcome.UNKNOWN, "line lost")
        questioned, self._questioned = self._questioned, None
        if questioned is not None:
            self._report(questioned, Outcome.FAILED, "refused; line lost")
        self.must_list = False

    # --- The list ---------------------------------------------------------------

    def list_open(self) -> None:
        self.must_list = self._traits.can_list
        self._listed = []

    def ask_list(self, now_ms: int) -> None:
        """The next page; the offset counts sessions (psp.md 4.3)."""
        offset = len(self._listed)
        self._line.ask(message(Name.LIST_SESSIONS, offset=offset), now_ms)

    def on_listed(self, said: Message, now_ms: int) -> None:
        page = said.numbers("session_ids")
        self._listed.extend(page)
        if page and len(self._listed) < min(said.number("total"), _MAX_LISTED):
            return
        self.must_list = False
        ids = tuple(str(each) for each in self._listed)
        found = tuple(OpenSession(session_id=each) for each in ids)
        self._reports.append(OpenSessions(sessions=found))
        questioned, self._questioned = self._questioned, None
        if questioned is not None:
            is_open = questioned.request.session_id in ids
            outcome = Outcome.REFUSED if is_open else Outcome.NOT_KNOWN
            self._report(questioned, outcome, "refused without a reason")
            if is_open:
                # Perhaps it has been restarted, and lists whatever its state is (A31).
                self._line.check(now_ms)

    def list_refused(self, now_ms: int) -> None:
        """A terminal that refuses the list as well has been restarted, perhaps."""
        self.must_list = False
        questioned, self._questioned = self._questioned, None
        if questioned is None:
            # Asked for by itself: the status tells whether set-up is to be done again.
            self._line.check(now_ms)
        else:
            self._repeat(questioned, "refused, and the list as well", now_ms)
            self._line.start_over(now_ms, keeps_line=True)

    # --- Time -------------------------------------------------------------------

    def deadline_ms(self) -> int | None:
        """When to give up a close that cannot leave."""
        return self._waiting[0].leave_by_ms if self._waiting else None

    def quiet_until_ms(self) -> int | None:
        """When the next close may be sent; None when there is none."""
        return self._quiet_from_ms if self._waiting else None

    def on_deadline(self, now_ms: int) -> None:
        while self._waiting and self._waiting[0].leave_by_ms <= now_ms:
            self._report(self._waiting.popleft(), Outcome.NOT_SENT, "no line")
