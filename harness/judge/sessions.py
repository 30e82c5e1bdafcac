"""Which sessions exist, and when the controller could first know of each.

Three witnesses: the terminal's own store (``session`` records), the wire (approvals,
authorise answers, lists) and the issuer's holds. The store says what is true, the wire
says what could be known. Where they contradict each other, the examiner is wrong, not
the controller: that is an ERROR.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from harness.judge.facts import Answer, At, Call, Callback, Message, Stored
from harness.judge.reading import Table, number, numbers, tables, text
from harness.judge.timeline import Timeline
from harness.judge.unstored import died_with_it
from harness.judge.verdict import Conduct, Finding

APPROVALS: Final = frozenset({"Session Approved", "Session Partially Approved"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount(At):
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueClose(At):
    """The terminal closed the session, whoever asked for it."""

    #: commit | cancel
    op: str
    amount_minor: int
    #: psp | cps | terminal
    via: str


@dataclass(slots=True, kw_only=True)
class Session:
    index: int
    session_id: str
    psp_session_id: int
    hold: str
    card: str
    card_id: str
    opened: At
    #: What was held from when on; the first entry is the approval.
    authorised: list[Amount] = field(default_factory=list)
    closes: list[TrueClose] = field(default_factory=list)
    expired: At | None = None
    #: The call that asked for it; None when nobody did (late or surplus approval).
    asked: At | None = None
    #: There had been calls, and all of them had their session already.
    surplus: bool = False
    #: When its id first reached the controller, and by approval | list.
    told: At | None = None
    told_by: str = ""
    #: The controller died as it was told, or never was: no charge can rest on it.
    is_forgotten: bool = False

    def authorised_at(self, t_ms: int) -> int:
        """Minor units held at ``t_ms``."""
        held = [a.amount_minor for a in self.authorised if a.t_ms <= t_ms]
        return held[-1] if held else 0

    @property
    def closed(self) -> TrueClose | None:
        """The first effective close."""
        return self.closes[0] if self.closes else None

    @property
    def ended(self) -> At | None:
        return self.closed or self.expired

    def known_at(self, seq: int) -> bool:
        """Whether the controller had been told of it."""
        return self.told is not None and self.told.seq < seq

    def open_at(self, seq: int) -> bool:
        ended = self.ended
        return self.opened.seq < seq and (ended is None or ended.seq > seq)


@dataclass(slots=True, kw_only=True)
class Ledger:
    """All sessions of a run, in the order in which they were opened."""

    sessions: list[Session] = field(default_factory=list)
    by_uuid: dict[str, Session] = field(default_factory=dict)
    by_psp_id: dict[int, Session] = field(default_factory=dict)
    doubts: list[Finding] = field(default_factory=list)

    @classmethod
    def of(cls, timeline: Timeline) -> "Ledger":
        ledger = cls()
        for stored in timeline.stored:
            _store(ledger, stored)
        _pair_with_calls(ledger, timeline)
        _note_psp_news(ledger, timeline)
        _note_cps_news(ledger, timeline)
        _check_holds(ledger, timeline)
        for session in ledger.sessions:
            told = session.told
            session.is_forgotten = told is None or died_with_it(timeline, told)
        return ledger


def _doubt(ledger: Ledger, expected: str, seen: str, at: At) -> None:
    ledger.doubts.append(
        Finding(
            conduct=Conduct.ERROR,
            requirement="examiner",
            expected=expected,
            seen=seen,
            t_ms=at.t_ms,
            seqs=(at.seq,),
        )
    )


# --- The terminal's store -------------------------------------------------------


def _find(ledger: Ledger, stored: Stored) -> Session | None:
    found = ledger.by_uuid.get(stored.session_id)
    return found or ledger.by_psp_id.get(stored.psp_session_id)


def _store(ledger: Ledger, stored: Stored) -> None:
    session = _find(ledger, stored)
    if stored.event == "opened" and session is None:
        _open(ledger, stored)
    elif session is None and stored.event != "refused":
        expected = "every session is opened before anything else happens to it"
        seen = f"{stored.event} of {stored.session_id or stored.psp_session_id}"
        _doubt(ledger, expected, seen, stored)
    elif session is not None:
        _move(session, stored)


def _open(ledger: Ledger, stored: Stored) -> None:
    session = Session(
        index=len(ledger.sessions),
        session_id=stored.session_id,
        psp_session_id=stored.psp_session_id,
        hold=stored.hold,
        card=stored.card,
        card_id=stored.card_id,
        opened=stored,
    )
    session.authorised.append(_amount(stored))
    ledger.sessions.append(session)
    if session.session_id:
        ledger.by_uuid[session.session_id] = session
    if session.psp_session_id:
        ledger.by_psp_id[session.psp_session_id] = session


def _amount(stored: Stored) -> Amount:
    amount_minor = stored.amount_minor or 0
    return Amount(seq=stored.seq, t_ms=stored.t_ms, amount_minor=amount_minor)


def _move(session: Session, stored: Stored) -> None:
    match stored.event:
        case "committed" | "cancelled":
            op = "commit" if stored.event == "committed" else "cancel"
            session.closes.append(
                TrueClose(
                    seq=stored.seq,
                    t_ms=stored.t_ms,
                    op=op,
                    amount_minor=(stored.amount_minor or 0) if op == "commit" else 0,
                    via=stored.via,
                )
            )
        case "expired":
            session.expired = session.expired or stored
        case "updated":
            session.authorised.append(_amount(stored))
        case _:
            pass


# --- The wire -------------------------------------------------------------------


def authorise_calls(timeline: Timeline) -> list[At]:
    """Every authorise call that reached the terminal, by either protocol."""
    asked: list[At] = [
        m
        for m in timeline.messages
        if m.outbound and m.name == "Auth Session" and m.fate in ("delivered", "late")
    ]
    asked += [c for c in timeline.calls if c.route == "E6" and c.fate != "lost"]
    return sorted(asked, key=lambda at: at.seq)


def _pair_with_calls(ledger: Ledger, timeline: Timeline) -> None:
    """Each session belongs to the call whose answer names it.

    Failing that, to the last authorise call that has none yet.
    """
    asked = authorise_calls(timeline)
    first_seq = asked[0].seq if asked else 1 << 62
    for call in timeline.calls:
        session = _named_in_answer(ledger, timeline, call)
        if session is not None:
            session.asked = call
            asked = [at for at in asked if at.seq != call.seq]
    for session in ledger.sessions:
        if session.asked is not None:
            continue
        before = bisect_left(asked, session.opened.seq, key=lambda at: at.seq)
        if before:
            session.asked = asked[before - 1]
            asked = asked[before:]
        session.surplus = not before and first_seq < session.opened.seq


def _named_in_answer(ledger: Ledger, timeline: Timeline, call: Call) -> Session | None:
    """The session that this authorise call was answered with, lost or not."""
    answer = timeline.answers.get(call.call)
    if call.route != "E6" or answer is None:
        return None
    names = [text(body, "sessionId") for body in session_bodies(answer.body)]
    return next((s for n in names if (s := ledger.by_uuid.get(n)) is not None), None)


def _tell(session: Session, at: At, by: str) -> None:
    """An approval that arrived outranks every other way to learn of a session."""
    if by == "approval" or not session.told_by:
        session.told_by = by
    if session.told is None or at.seq < session.told.seq:
        session.told = at


def _note_psp_news(ledger: Ledger, timeline: Timeline) -> None:
    for message in timeline.messages:
        if message.outbound:
            continue
        if message.name in APPROVALS:
            _note_approval(ledger, message)
        elif message.name == "List Sessions Response" and message.fate == "delivered":
            _note_list(ledger, message)


def _note_list(ledger: Ledger, message: Message) -> None:
    for psp_id in numbers(message.fields, "session_ids"):
        session = ledger.by_psp_id.get(psp_id)
        if session is not None:
            _tell(session, message, "list")


def _note_approval(ledger: Ledger, message: Message) -> None:
    psp_id = number(message.fields, "session_id")
    session = ledger.by_psp_id.get(psp_id or 0)
    if session is not None:
        if message.fate == "delivered":
            _tell(session, message, "approval")
    elif message.fate != "changed":
        expected = "an approval on the wire is a session in the terminal's store"
        _doubt(ledger, expected, f"{message.name} of unknown {psp_id}", message)


def session_bodies(body: object) -> Iterator[Table]:
    """The session objects in an answer or callback of CPS: bare, listed or nested."""
    if isinstance(body, dict):
        if "sessionId" in body:
            yield body
        yield from session_bodies(body.get("session"))
        yield from session_bodies(body.get("sessions"))
    else:
        for row in tables(body):
            yield from session_bodies(row)


def _note_cps_news(ledger: Ledger, timeline: Timeline) -> None:
    for call in timeline.calls:
        answer = timeline.answers.get(call.call)
        if answer is None:
            continue
        by = "approval" if call.route == "E6" and answer.status == 200 else "list"
        for body in session_bodies(answer.body):
            _note_body(ledger, body, answer, by)
    for callback in timeline.callbacks:
        for body in session_bodies(callback.body):
            _note_body(ledger, body, callback, "list")


def _note_body(ledger: Ledger, body: Table, at: Answer | Callback, by: str) -> None:
    session = ledger.by_uuid.get(text(body, "sessionId"))
    if session is not None:
        if at.fate != "lost":
            _tell(session, at, by)
    elif by == "approval" and text(body, "state") == "AUTHORIZED":
        expected = "an authorised answer is a session in the terminal's store"
        _doubt(ledger, expected, f"unknown session {text(body, 'sessionId')}", at)


# --- The issuer -----------------------------------------------------------------


def _check_holds(ledger: Ledger, timeline: Timeline) -> None:
    opened = {m.hold for m in timeline.money if m.event == "hold_opened"}
    captured = {m.hold: m for m in timeline.money if m.event == "captured"}
    if not timeline.money:
        return
    for session in ledger.sessions:
        if session.hold and session.hold not in opened:
            seen = f"no hold {session.hold}"
            _doubt(ledger, "a session rests on an issuer's hold", seen, session.opened)
        taken, close = captured.get(session.hold), session.closed
        if taken is None or close is None or session.hold == "":
            continue
        if close.op == "commit" and taken.amount_minor != close.amount_minor:
            expected = f"the issuer captures what was committed: {close.amount_minor}"
            _doubt(ledger, expected, f"captured {taken.amount_minor}", taken)
