"""The terminal's session store: one store, seen by both faces.

A session is born when the issuer has approved and carries two names: the 4-byte id that
PSP shows and the UUID that CPS shows. The store survives power loss. It moves no money
and talks to nobody; it records what the bank side of the terminal has decided and notes
every change in the trace.

PSP ids are non-zero, increasing and never used twice (psp.md 9, A14). UUIDs come from
the injected source of chance; one whose digits could be read as a card number is drawn
again, because traces must never look as if they held one.

Clauses: psp.md 7, cps.md 4.1 and 4.2.
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping, ValuesView
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Literal

from simulator.terminal.outbox import Outbox
from simulator.trace import luhn_valid

Face = Literal["psp", "cps"]
Via = Literal["psp", "cps", "terminal"]

#: Closed sessions kept for List Sessions' sake and E7; the oldest are forgotten first.
MAX_SESSIONS: Final = 10_000
_MAX_PSP_ID: Final = 0xFFFFFFFF
_SCATTER: Final = 0x9E3779B1
_DIGIT_RUN: Final = re.compile(r"\d{13,}")


class SessionState(StrEnum):
    """Where one session stands."""

    OPEN = "open"
    #: A close has been accepted and the issuer is being told.
    COMMITTING = "committing"
    CANCELLING = "cancelling"
    COMMITTED = "committed"
    CANCELLED = "cancelled"
    #: Committed or voided by the terminal's own session timeout (psp.md 4.2, Setup).
    EXPIRED = "expired"
    #: A commit failed; the money is still held (cps.md 4.2).
    FAILED = "failed"


#: States in which the session still holds the cardholder's money.
HOLDING: Final = frozenset(
    {
        SessionState.OPEN,
        SessionState.FAILED,
        SessionState.COMMITTING,
        SessionState.CANCELLING,
    }
)
#: States in which a host may close the session.
CLOSABLE: Final = frozenset({SessionState.OPEN, SessionState.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """When the terminal itself ends a session, and how."""

    at_ms: int
    action: Literal["commit", "void"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One approved authorisation and what has become of it."""

    session_id: str
    psp_session_id: int
    hold: str
    #: Name of the test card.
    card: str
    #: The card's hash as the face that opened the session shows it, or empty.
    card_id: str
    masked_pan: str
    via: Face
    authorised_minor: int
    opened_at_ms: int
    host_reference: str = ""
    state: SessionState = SessionState.OPEN
    final_minor: int | None = None
    closed_at_ms: int | None = None
    expiry: Expiry | None = None
    #: The host's own number for the read (Start Session).
    reference: int = 0

    @property
    def is_open(self) -> bool:
        """The cardholder's money is still reserved."""
        return self.state in HOLDING

    @property
    def is_closable(self) -> bool:
        """A commit or a void may begin now."""
        return self.state in CLOSABLE


def looks_like_a_card(text: str) -> bool:
    """Whether some 13 to 19 digits in a row pass the Luhn check, dashes left out."""
    for run in _DIGIT_RUN.findall(text.replace("-", "")):
        for length in range(13, 20):
            windows = (run[i : i + length] for i in range(len(run) - length + 1))
            if any(luhn_valid(window) for window in windows):
                return True
    return False


class SessionStore(Mapping[str, Session]):
    """All sessions by UUID, in the order in which they were opened."""

    def __init__(
        self,
        out: Outbox,
        ids: random.Random,
        *,
        scatters: Callable[[], bool] = lambda: False,
    ) -> None:
        self._out = out
        #: Whether numbers are given out in no order (A14).
        self._scatters = scatters
        self._ids = ids
        self._last_psp_id = ids.randrange(0x100, 0x8000)
        self._sessions: dict[int, Session] = {}
        #: Those of them that still hold money; long runs close thousands.
        self._open: dict[int, Session] = {}
        self._by_uuid: dict[str, int] = {}
        self._next_expiry_ms: int | None = None
        self._life: tuple[int, Literal["commit", "void"]] | None = None
        self._hidden: set[int] = set()

    # --- Looking ----------------------------------------------------------------

    def __getitem__(self, session_id: str) -> Session:
        return self._sessions[self._by_uuid[session_id]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_uuid)

    def __len__(self) -> int:
        return len(self._by_uuid)

    def values(self) -> ValuesView[Session]:
        """As a mapping's own, without a look-up for each session."""
        return self._sessions.values()

    def by_psp_id(self, psp_session_id: int) -> Session | None:
        return self._sessions.get(psp_session_id)

    def listed(self) -> list[Session]:
        """Open sessions that PSP still has a record of (Remove Sessions)."""
        return [
            one
            for one in self.open_sessions()
            if one.psp_session_id not in self._hidden
        ]

    def find(self, psp_session_id: int) -> Session | None:
        """A session as PSP knows it; None when its record was removed."""
        if psp_session_id in self._hidden:
            return None
        return self._sessions.get(psp_session_id)

    def open_sessions(self) -> list[Session]:
        """Sessions that still hold money, oldest first."""
        return list(self._open.values())

    def open_of_card(self, card_id: str) -> list[Session]:
        """Open sessions of one card; a card without a hash has none."""
        if not card_id:
            return []
        return [one for one in self.open_sessions() if one.card_id == card_id]

    def next_expiry_ms(self) -> int | None:
        """When the next open session runs into its own timeout."""
        return self._next_expiry_ms

    def expired(self, now_ms: int) -> list[Session]:
        """Open sessions whose timeout has passed."""
        return [
            one
            for one in self._open.values()
            if one.is_closable and one.expiry and one.expiry.at_ms <= now_ms
        ]

    # --- Changing ---------------------------------------------------------------

    def open(self, draft: Session) -> Session:
        """Store ``draft`` under two fresh ids (those it carries are ignored)."""
        self._last_psp_id += 1
        if self._last_psp_id > _MAX_PSP_ID:
            raise OverflowError("PSP session ids are used up: 4294967295 was the last")
        if self._life is not None:
            draft = replace(draft, expiry=self._expiry(draft))
        number = self._last_psp_id
        if self._scatters():
            # An odd factor: every number comes once, and none is 0.
            number = number * _SCATTER & _MAX_PSP_ID
        session = replace(draft, session_id=self._fresh_uuid(), psp_session_id=number)
        self._forget_oldest()
        self._by_uuid[session.session_id] = session.psp_session_id
        self._keep(session)
        amount = session.authorised_minor
        self.note(session, "opened", amount_minor=amount, via=session.via)
        return session

    def limit_life(self, life_ms: int, action: Literal["commit", "void"]) -> None:
        """End every session this long after it opened, whatever the hosts have set."""
        self._life = (life_ms, action)
        for one in self.open_sessions():
            self._keep(replace(one, expiry=self._expiry(one)))

    def unlimit_life(self) -> None:
        """Sessions that open from now on live as the hosts say again."""
        self._life = None

    def hide_all(self) -> None:
        """PSP loses its records; the money stays where it is (psp.md 9, A32)."""
        self._hidden.update(self._sessions)

    def _expiry(self, session: Session) -> Expiry:
        assert self._life is not None
        life_ms, action = self._life
        return Expiry(at_ms=session.opened_at_ms + life_ms, action=action)

    def moved(self, session: Session, state: SessionState) -> Session:
        """A close has begun, or has come to nothing; not a change for the trace."""
        return self._keep(replace(session, state=state, final_minor=None))

    def failed(self, session: Session, *, amount_minor: int) -> Session:
        """A commit of ``amount_minor`` has failed; the money is still held."""
        return self._keep(
            replace(session, state=SessionState.FAILED, final_minor=amount_minor)
        )

    def closed(
        self, session: Session, state: SessionState, *, amount_minor: int, now_ms: int
    ) -> Session:
        """The session is over; ``amount_minor`` is what the cardholder pays."""
        return self._keep(
            replace(session, state=state, final_minor=amount_minor, closed_at_ms=now_ms)
        )

    def updated(self, session: Session, authorised_minor: int, *, via: Via) -> Session:
        """The issuer holds another amount now."""
        session = self._keep(replace(session, authorised_minor=authorised_minor))
        self.note(session, "updated", amount_minor=authorised_minor, via=via)
        return session

    def note(self, session: Session, event: str, **fields: object) -> None:
        """Write ``event`` of ``session`` to the trace."""
        self._out.note(
            "session",
            event=event,
            session_id=session.session_id,
            psp_session_id=session.psp_session_id,
            hold=session.hold,
            card=session.card,
            card_id=session.card_id or None,
            **fields,
        )

    def note_unknown(self, psp_session_id: int, session_id: str, **why: object) -> None:
        """A host named a session that the store does not have."""
        self._out.note(
            "session",
            event="refused",
            session_id=session_id,
            psp_session_id=psp_session_id,
            hold="",
            card="",
            **why,
        )

    def _keep(self, session: Session) -> Session:
        self._sessions[session.psp_session_id] = session
        if session.is_open:
            self._open[session.psp_session_id] = session
        else:
            self._open.pop(session.psp_session_id, None)
        times = [
            one.expiry.at_ms
            for one in self._open.values()
            if one.expiry and one.is_closable
        ]
        self._next_expiry_ms = min(times, default=None)
        return session

    def _fresh_uuid(self) -> str:
        while True:
            bits = self._ids.getrandbits(128)
            bits = bits & ~(0xF000 << 64) | (0x4000 << 64)
            bits = bits & ~(0xC000 << 48) | (0x8000 << 48)
            text = f"{bits:032x}"
            dashed = "-".join(
                (text[:8], text[8:12], text[12:16], text[16:20], text[20:])
            )
            if dashed not in self._by_uuid and not looks_like_a_card(dashed):
                return dashed

    def _forget_oldest(self) -> None:
        if len(self._sessions) < MAX_SESSIONS:
            return
        for one in self._sessions.values():
            if not one.is_open:
                del self._sessions[one.psp_session_id]
                del self._by_uuid[one.session_id]
                self._hidden.discard(one.psp_session_id)
                return
        raise OverflowError(f"more than {MAX_SESSIONS} open sessions")
