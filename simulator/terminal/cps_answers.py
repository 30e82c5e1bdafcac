"""How the cloud writes what the terminal knows: sessions, cards, errors (cps.md 4, 5).

Pure translation from the session store's words to the wire's, by ``Policy``. Calendar
time is the settings' start plus virtual time.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from simulator.terminal.reader import PresentedCard
from simulator.terminal.sessions import Session, SessionState, looks_like_a_card
from simulator.terminal.settings import TerminalSettings
from wire import cps

#: Application id by the first digit of the masked PAN; schemes' own identifiers.
_AIDS: Final[Mapping[str, str]] = {
    "3": "A000000025010801",
    "4": "A0000000031010",
    "5": "A0000000041010",
}
_DAY_MS: Final = 86_400_000


def cps_card_id(card: PresentedCard) -> str:
    """The card's fingerprint as CPS shows it: 64 hex characters, or a UID, or nothing.

    PSP and CPS show different fingerprints of one card; each is always the same.
    """
    if card.kind == "rfid":
        return card.uid
    return _fingerprint(card.card_id) if card.card_id else ""


@lru_cache(maxsize=256)
def _fingerprint(card_id: str) -> str:
    digest = hashlib.sha256(card_id.encode("ascii")).hexdigest().upper()
    while looks_like_a_card(digest):
        digest = hashlib.sha256(digest.encode("ascii")).hexdigest().upper()
    return digest


def _aid(masked_pan: str) -> str:
    return _AIDS.get(masked_pan[:1], _AIDS["5"])


class Answers:
    """Writes the cloud's bodies."""

    def __init__(self, settings: TerminalSettings) -> None:
        self._settings = settings
        self._policy = settings.cps_policy
        # A session that has not changed is written once, however often it is polled.
        self._written = lru_cache(maxsize=256)(self._write)
        self._states: Final[Mapping[SessionState, str]] = {
            SessionState.OPEN: cps.SessionState.AUTHORIZED.value,
            SessionState.COMMITTING: cps.SessionState.AUTHORIZED.value,
            SessionState.CANCELLING: cps.SessionState.AUTHORIZED.value,
            SessionState.COMMITTED: self._policy.committed_name,
            SessionState.CANCELLED: cps.SessionState.CANCELLED.value,
            SessionState.EXPIRED: cps.SessionState.CANCELLED.value,
            SessionState.FAILED: cps.SessionState.FAILED.value,
        }

    # --- Sessions ---------------------------------------------------------------

    def session(self, session: Session) -> cps.Session:
        """A session as E6 to E10 answer it."""
        opened = self.wall(session.opened_at_ms)
        closed = session.closed_at_ms
        return cps.Session(
            session_id=session.session_id,
            serial_number=self._settings.serial_number,
            card_id=session.card_id,
            transaction_time=cps.transaction_time(opened),
            commit_time="" if closed is None else cps.commit_time(self.wall(closed)),
            brand=_aid(session.masked_pan),
            emv_date=cps.emv_date(opened),
            emv_time=cps.emv_time(opened),
            authorized_amount=session.authorised_minor,
            final_amount=self._final_amount(session),
            result="APPROVED",
            authorization_response_code="00",
            authorization_code=session.host_reference[-6:],
            authorization_host_reference=session.host_reference,
            terminal_txn_id=session.psp_session_id,
            merchant_reference=session.session_id.replace("-", ""),
            receipt_info=(),
            state=self.state(session),
        )

    def state(self, session: Session) -> str:
        is_expired = session.state is SessionState.EXPIRED
        if is_expired and session.expiry and session.expiry.action == "commit":
            return self._policy.committed_name
        return self._states[session.state]

    def _final_amount(self, session: Session) -> int | None:
        if session.state in (SessionState.COMMITTED, SessionState.FAILED):
            return session.final_minor
        return None

    def session_ok(self, session: Session) -> cps.Response:
        return self._written(session)

    def _write(self, session: Session) -> cps.Response:
        return cps.json_response(200, self.session(session).to_json())

    def declined(self, now_ms: int) -> cps.Response:
        """An authorisation that opened no session (cps.md 8.3)."""
        policy = self._policy
        body = cps.Session(state=policy.declined_state, result="DECLINED")
        if policy.declined_body == "full":
            opened = self.wall(now_ms)
            body = cps.Session(
                serial_number=self._settings.serial_number,
                transaction_time=cps.transaction_time(opened),
                emv_date=cps.emv_date(opened),
                emv_time=cps.emv_time(opened),
                state=policy.declined_state,
                result="DECLINED",
            )
        return cps.json_response(200, body.to_json())

    def is_remembered(self, session: Session, now_ms: int) -> bool:
        """Open, or closed not longer ago than the cloud keeps sessions."""
        closed = session.closed_at_ms
        return closed is None or now_ms - closed <= self._policy.session_days * _DAY_MS

    # --- Cards ------------------------------------------------------------------

    def card(self, card: PresentedCard, sessions: list[Session]) -> cps.Card:
        """A card as E4 answers it and the callback posts it."""
        is_payment = card.kind == "emv"
        return cps.Card(
            serial_number=self._settings.serial_number,
            ifd="CONTACTLESS",
            aid=_aid(card.masked_pan) if is_payment else "PROPRIETARY",
            card_id=cps_card_id(card),
            masked_pan=card.masked_pan if is_payment else "",
            sessions=tuple(self.session(one) for one in sessions),
        )

    def card_callback(
        self, card: PresentedCard, sessions: list[Session]
    ) -> Mapping[str, object]:
        if self._policy.card_callback == "stub":
            return {"sessionId": "", "maskedPan": card.masked_pan}
        return self.card(card, sessions).to_json()

    # --- The rest ---------------------------------------------------------------

    def accepted(self) -> cps.Response:
        return cps.Response(self._policy.start_success)

    def error(self, status: int, text: str, now_ms: int) -> cps.Response:
        if status == 204:
            return cps.Response(204)
        timestamp = cps.error_time(self.wall(now_ms))
        return cps.error_response(status, text, timestamp=timestamp)

    def bytes_of(self, body: Mapping[str, object]) -> bytes:
        return cps.to_json(body)

    def items(self, name: str, items: list[dict[str, object]]) -> cps.Response:
        """A list, bare or wrapped."""
        if self._policy.list_shape == "wrapped":
            return cps.json_response(200, {name: items})
        return cps.json_response(200, items)

    def wall(self, now_ms: int) -> int:
        """Calendar time of ``now_ms``, milliseconds since 1970 UTC."""
        return self._settings.started_at_ms + now_ms
