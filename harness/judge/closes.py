"""Every attempt to close a session, and what the controller learnt of it.

An attempt has two sides. What it did is in the terminal's store; what the controller
could know is in the answer that reached it. A lost answer is neither success nor
failure: both worlds stay possible until something decides between them, and until then
the first attempt *may have counted*.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from harness.judge.facts import Answer, At, Call, Message
from harness.judge.reading import number, numbers, numeral, text
from harness.judge.sessions import Ledger, Session, TrueClose, session_bodies
from harness.judge.timeline import Timeline


class Outcome(StrEnum):
    """What the controller knows of an attempt."""

    #: Result OK, or a state that says so.
    CONFIRMED = "confirmed"
    #: It did not count, and the session is as it was.
    REFUSED = "refused"
    #: The session is closed already (409, 0x0C): by whom is another question.
    GONE = "gone"
    #: No answer, or one that decides nothing.
    UNKNOWN = "unknown"


@dataclass(slots=True, kw_only=True)
class Attempt:
    session: Session
    seq: int
    t_ms: int
    #: commit | cancel
    op: str
    #: None for a release, or when the bytes were damaged.
    amount_minor: int | None
    via: str
    outcome: Outcome = Outcome.UNKNOWN
    #: When the controller learnt the outcome, or that there will be none.
    answered: At | None = None
    #: Words for the verdict: status, reason.
    answer: str = "no answer"
    #: The true close that this attempt caused.
    effect: TrueClose | None = None

    def differs(self, other: "Attempt") -> bool:
        """Another operation, or another amount as far as both can be read."""
        if self.op != other.op:
            return True
        amounts = {self.amount_minor, other.amount_minor} - {None}
        return len(amounts) > 1


@dataclass(slots=True, kw_only=True)
class Closes:
    by_session: dict[int, list[Attempt]] = field(default_factory=dict)
    #: Per session, when a look-up told the controller that it is still open.
    seen_open: dict[int, list[At]] = field(default_factory=dict)
    #: Closes for sessions that do not exist: (where, id as sent).
    strangers: list[tuple[At, str]] = field(default_factory=list)

    @classmethod
    def of(cls, timeline: Timeline, ledger: Ledger) -> "Closes":
        closes = cls()
        attempts = [*_psp_attempts(timeline, ledger, closes)]
        attempts += _cps_attempts(timeline, ledger, closes)
        for attempt in sorted(attempts, key=lambda a: a.seq):
            closes.by_session.setdefault(attempt.session.index, []).append(attempt)
        for session in ledger.sessions:
            _match_effects(session, closes.of_session(session))
        _note_lookups(timeline, ledger, closes)
        return closes

    def of_session(self, session: Session) -> list[Attempt]:
        return self.by_session.get(session.index, [])


def _match_effects(session: Session, attempts: list[Attempt]) -> None:
    """Give each true close to the latest attempt that asked for just that."""
    for close in session.closes:
        for attempt in reversed(attempts):
            same = attempt.op == close.op and attempt.effect is None
            amount = attempt.amount_minor
            if attempt.op == "commit" and amount is not None:
                same = same and amount == close.amount_minor
            if same and attempt.seq < close.seq and attempt.via == close.via:
                attempt.effect = close
                break


# --- PSP ------------------------------------------------------------------------

_OPS: Final = {"Commit Session": "commit", "Void Session": "cancel"}
#: Requests that a Result only ever answers when they are refused.
_OTHER_ANSWER: Final = frozenset(
    {
        "Synchronize",
        "Protocol",
        "Request Ids",
        "Start Session",
        "Read Card",
        "Auth Session",
        "Cancel Session",
        "Update Session",
        "List Sessions",
        "Get Receipt",
        "Get Transaction Record",
        "Get Connection Info",
        "Prop Card Exchange",
        "MiFare",
        "Read File",
    }
)
#: psp.md 5.1: session id not found.
_NOT_FOUND: Final = 0x0C


@dataclass(frozen=True, slots=True)
class _Waiting:
    #: None: some other request.
    attempt: Attempt | None
    damaged: bool


@dataclass(slots=True)
class _Line:
    """The PSP line: which requests still wait for a Result, oldest first."""

    waiting: list[_Waiting] = field(default_factory=list)

    def drop(self, at: At, words: str) -> None:
        """Nothing that waits will be answered any more."""
        for one in self.waiting:
            if one.attempt is not None:
                one.attempt.answered, one.attempt.answer = at, words
        self.waiting.clear()

    def next(self, message: Message) -> Attempt | None:
        """Take out whom this Result answers. A damaged request is only refused."""
        ok = _read_result(message)[0] is not Outcome.REFUSED
        while self.waiting:
            one = self.waiting.pop(0)
            if not (one.damaged and ok):
                return one.attempt
        return None


def _psp_attempts(
    timeline: Timeline, ledger: Ledger, closes: Closes
) -> Iterator[Attempt]:
    line = _Line()
    breaks = [c for c in timeline.links if c.link == "psp"]
    for message in timeline.messages:
        while breaks and breaks[0].seq < message.seq:
            line.drop(breaks.pop(0), "line lost")
        if not message.outbound:
            _take_answer(line, message)
            continue
        attempt = _psp_attempt(message, ledger, closes)
        if attempt is not None:
            yield attempt
        _ask(line, message, attempt)
    if breaks:
        line.drop(breaks[0], "line lost")


def _psp_attempt(message: Message, ledger: Ledger, closes: Closes) -> Attempt | None:
    op = _OPS.get(message.name)
    if op is None:
        return None
    psp_id = number(message.fields, "session_id") or 0
    session = ledger.by_psp_id.get(psp_id)
    if session is None:
        if message.fate == "delivered":
            closes.strangers.append((message, str(psp_id)))
        return None
    amount = number(message.fields, "amount_minor") if op == "commit" else None
    return Attempt(
        session=session,
        seq=message.seq,
        t_ms=message.t_ms,
        op=op,
        amount_minor=amount,
        via="psp",
    )


def _ask(line: _Line, message: Message, attempt: Attempt | None) -> None:
    if message.name in {"Reset", "Synchronize"}:
        line.drop(message, "set up anew")
    waits = message.name not in _OTHER_ANSWER and bool(message.name)
    if message.fate != "lost" and waits:
        line.waiting.append(_Waiting(attempt, message.fate == "changed"))


def _take_answer(line: _Line, message: Message) -> None:
    attempt = line.next(message) if message.name == "Result" else None
    if attempt is None:
        return
    if message.fate == "delivered":
        attempt.answered = message
        attempt.outcome, attempt.answer = _read_result(message)
    else:
        attempt.answer = f"answer {message.fate}"


def _read_result(message: Message) -> tuple[Outcome, str]:
    result = message.fields.get("result")
    if result in (0, "OK"):
        return Outcome.CONFIRMED, "OK"
    reason = number(message.fields, "reason") or 0
    if reason == _NOT_FOUND:
        return Outcome.GONE, "not found (0x0C)"
    return Outcome.REFUSED, f"Not OK (0x{reason:02X})" if reason else "Not OK"


# --- CPS ------------------------------------------------------------------------

_DONE: Final = {"COMMITED": "commit", "COMMITTED": "commit", "CANCELLED": "cancel"}
#: Answers after which the close may still have had its effect.
_UNDECIDED: Final = frozenset({408, 500, 502, 504})


def _cps_attempts(
    timeline: Timeline, ledger: Ledger, closes: Closes
) -> Iterator[Attempt]:
    for call in timeline.calls:
        if call.route not in {"E9", "E10"}:
            continue
        session = ledger.by_uuid.get(call.session_id)
        if session is None:
            closes.strangers.append((call, call.session_id))
            continue
        commit = call.route == "E9"
        attempt = Attempt(
            session=session,
            seq=call.seq,
            t_ms=call.t_ms,
            op="commit" if commit else "cancel",
            amount_minor=numeral(call.query, "commitAmount") if commit else None,
            via="cps",
        )
        _read_answer(timeline, call, attempt)
        yield attempt


def _read_answer(timeline: Timeline, call: Call, attempt: Attempt) -> None:
    failure = timeline.failures.get(call.call)
    answer = timeline.answers.get(call.call)
    if failure is not None:
        attempt.answered, attempt.answer = failure, failure.reason
        if failure.reason == "refused":
            attempt.outcome = Outcome.REFUSED
    elif answer is not None and answer.fate == "delivered":
        attempt.answered = answer
        attempt.outcome, attempt.answer = _read_status(answer)
    elif answer is not None:
        attempt.answered, attempt.answer = answer, f"answer {answer.fate}"


def _read_status(answer: Answer) -> tuple[Outcome, str]:
    if answer.status == 200:
        state = "".join(text(b, "state") for b in session_bodies(answer.body))
        if state in _DONE:
            return Outcome.CONFIRMED, f"200 {state}"
        if state == "FAILED":
            return Outcome.REFUSED, "200 FAILED"
        return Outcome.UNKNOWN, f"200 {state or 'without a session'}"
    if answer.status == 409:
        return Outcome.GONE, "409"
    if answer.status in _UNDECIDED or answer.status < 400:
        return Outcome.UNKNOWN, str(answer.status)
    return Outcome.REFUSED, str(answer.status)


# --- Look-ups -------------------------------------------------------------------


def _note_lookups(timeline: Timeline, ledger: Ledger, closes: Closes) -> None:
    for message in timeline.messages:
        if message.name == "List Sessions Response" and message.fate == "delivered":
            for psp_id in numbers(message.fields, "session_ids"):
                _note_open(closes, ledger.by_psp_id.get(psp_id), message)
    for call in timeline.calls:
        answer = timeline.answers.get(call.call)
        if call.route not in {"E7", "E8"} or answer is None or answer.fate == "lost":
            continue
        for body in session_bodies(answer.body):
            if text(body, "state") in {"AUTHORIZED", "FAILED"}:
                session = ledger.by_uuid.get(text(body, "sessionId"))
                _note_open(closes, session, answer)


def _note_open(closes: Closes, session: Session | None, at: At) -> None:
    if session is not None:
        closes.seen_open.setdefault(session.index, []).append(at)
