"""Commit, void and expiry: how a session's money is settled with the issuer.

A close goes to the issuer and counts when the issuer has answered. While the host
cannot be reached the close counts at once, is stored, and is forwarded when the line is
back (psp.md 7.7, cps.md 4.5). The same happens to a close that the host leaves
unanswered for ``PATIENCE_MS``: the terminal confirms in time and the answer becomes the
forwarding.

One close at a time per session. The same close asked for again while it is under way is
one close with two askers; another one is refused by returning False. What survives a
power cut is the close itself, not who waits for it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

from simulator.events import Capture, IssuerAnswered, Release
from simulator.terminal.host_line import HostLine, Request
from simulator.terminal.sessions import Session, SessionState, SessionStore, Via
from wire.machine import earliest

#: Five seconds before the 60 s that a Commit may take (psp.md 4.1). ASSUMPTION.
PATIENCE_MS: Final = 55_000

Operation = Literal["commit", "cancel"]


class Closing(Enum):
    """The end of a commit or void."""

    DONE = "done"
    #: The issuer said no; the session is open as before.
    REFUSED = "refused"


Closed = Callable[[Closing, Session, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """What is asked for: ``amount_minor`` is what the cardholder pays (cancel: 0)."""

    session: Session
    operation: Operation
    via: Via
    amount_minor: int = 0
    #: Told how it ended, unless the terminal loses power before.
    then: Closed | None = None
    #: Count it at once and keep it back until ``Closings.forward_stored``.
    is_stored: bool = False


@dataclass(slots=True, kw_only=True)
class _UnderWay:
    close: Close
    askers: list[Closed]
    #: None once it counts: what is left is to forward it.
    until_ms: int | None


_BEGINS: Final = {
    "commit": SessionState.COMMITTING,
    "cancel": SessionState.CANCELLING,
}
_ENDS: Final = {"commit": SessionState.COMMITTED, "cancel": SessionState.CANCELLED}
_EVENTS: Final = {"commit": "committed", "cancel": "cancelled"}


class Closings:
    """All closes under way, and those stored for later."""

    def __init__(self, host: HostLine, store: SessionStore) -> None:
        self._host = host
        self._store = store
        self._awaited: dict[int, _UnderWay] = {}
        self._stored: list[_UnderWay] = []

    def close(self, close: Close, now_ms: int) -> bool:
        """Begin; False when another close of this session is under way."""
        session = close.session
        if not session.is_closable:
            return self._join(close)
        self._store.moved(session, _BEGINS[close.operation])
        one = _UnderWay(
            close=close,
            askers=[close.then] if close.then else [],
            until_ms=now_ms + PATIENCE_MS,
        )
        self._awaited[session.psp_session_id] = one
        if self._host.can_send and not close.is_stored:
            self._send(one)
        else:
            self._count(one, now_ms)
            self._stored.append(one)
        return True

    def expire(self, session: Session, now_ms: int) -> None:
        """The session's own timeout has passed (psp.md 4.2, Setup)."""
        assert session.expiry is not None
        operation: Operation = (
            "commit" if session.expiry.action == "commit" else "cancel"
        )
        amount = session.authorised_minor if operation == "commit" else 0
        session = self._store.closed(
            session, SessionState.EXPIRED, amount_minor=amount, now_ms=now_ms
        )
        self._store.note(
            session,
            "expired",
            amount_minor=amount,
            via="terminal",
            reason=f"session timeout, action {operation}",
        )
        close = Close(
            session=session, operation=operation, via="terminal", amount_minor=amount
        )
        one = _UnderWay(close=close, askers=[], until_ms=None)
        if self._host.can_send:
            self._send(one)
        else:
            self._stored.append(one)

    def line_lost(self, now_ms: int) -> None:
        """The host cannot be reached: what is under way counts from now."""
        for one in tuple(self._awaited.values()):
            self._count(one, now_ms)

    def power_lost(self) -> None:
        """Nobody waits any more; the closes themselves go on."""
        for one in self._awaited.values():
            one.askers.clear()

    def forward_stored(self) -> None:
        """Send what was stored, in order, if the host can be reached."""
        if self._host.can_send:
            stored, self._stored = self._stored, []
            for one in stored:
                self._send(one)

    # --- Inside -----------------------------------------------------------------

    def _join(self, close: Close) -> bool:
        one = self._awaited.get(close.session.psp_session_id)
        if one is None or (one.close.operation, one.close.amount_minor) != (
            close.operation,
            close.amount_minor,
        ):
            return False
        if close.then:
            one.askers.append(close.then)
        return True

    def _send(self, one: _UnderWay) -> None:
        hold, amount = one.close.session.hold, one.close.amount_minor

        def request(number: int) -> Request:
            if one.close.operation == "commit":
                return Capture(request=number, hold=hold, amount_minor=amount)
            return Release(request=number, hold=hold)

        self._host.ask(
            request, lambda event, now_ms: self._answered(one, event, now_ms)
        )

    def _answered(self, one: _UnderWay, event: IssuerAnswered, now_ms: int) -> None:
        if event.outcome == "refused":
            self._refused(one, now_ms)
        elif one.until_ms is None:
            self._note(one, "forwarded", op=one.close.operation, via="terminal")
        else:
            self._count(one, now_ms)

    def _count(self, one: _UnderWay, now_ms: int) -> None:
        """The close is a fact; whoever waits is told."""
        one.until_ms = None
        close = one.close
        del self._awaited[close.session.psp_session_id]
        session = self._store.closed(
            self._session(one),
            _ENDS[close.operation],
            amount_minor=close.amount_minor,
            now_ms=now_ms,
        )
        self._note(one, _EVENTS[close.operation], via=close.via)
        self._tell(one, Closing.DONE, session, now_ms)

    def _refused(self, one: _UnderWay, now_ms: int) -> None:
        was_counted = one.until_ms is None
        self._note(
            one,
            "refused",
            op=one.close.operation,
            via="terminal" if was_counted else one.close.via,
            reason="the issuer refused",
        )
        if not was_counted:
            del self._awaited[one.close.session.psp_session_id]
            session = self._store.moved(self._session(one), SessionState.OPEN)
            self._tell(one, Closing.REFUSED, session, now_ms)

    def _tell(
        self, one: _UnderWay, closing: Closing, session: Session, now_ms: int
    ) -> None:
        askers, one.askers = one.askers, []
        for then in askers:
            then(closing, session, now_ms)

    def _note(self, one: _UnderWay, event: str, **fields: object) -> None:
        amount = one.close.amount_minor if one.close.operation == "commit" else None
        self._store.note(self._session(one), event, amount_minor=amount, **fields)

    def _session(self, one: _UnderWay) -> Session:
        return self._store.by_psp_id(one.close.session.psp_session_id) or (
            one.close.session
        )

    # --- Time -------------------------------------------------------------------

    def deadline_ms(self) -> int | None:
        if not self._awaited:
            return None
        return earliest(*(one.until_ms for one in self._awaited.values()))

    def on_deadline(self, now_ms: int) -> None:
        for one in tuple(self._awaited.values()):
            if one.until_ms is not None and one.until_ms <= now_ms:
                self._count(one, now_ms)
