"""Questions about a whole case: what was declared, written, and can be traced.

As ``harness.watch``, everything is answered from outside the controller: from the
trace, the machines of the forecourt, and what the controller has left where a world can
read it (its state and its output). Each answer is what is wrong, in words; empty when
nothing is.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from harness.bench import Bench
from harness.watch import bay_lines
from simulator.cards import CARDS
from simulator.terminal import Session, SessionState
from wire.records import Record

#: What closes a session, in both protocols.
_CLOSES: Final = ("Commit Session", "Void Session", "E9", "E10")
_AUTHORISES: Final = ("Auth Session", "E6")
_RUNS: Final = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)", re.ASCII)
_HOW: Final[Mapping[SessionState, str]] = {
    SessionState.COMMITTED: "committed",
    SessionState.CANCELLED: "cancelled",
}


def card_number_written(bench: Bench) -> str:
    """Where a full card number stands in what the controller has said or written."""
    for record in bench.trace.records:
        if record["kind"] == "finding" and record["requirement"] == "R-UI-07":
            return f"one said to the world, {record['seen']}"
    for data in bench.world.written(bench):
        if any(map(_is_of_a_test_card, _RUNS.findall(data.decode("latin-1")))):
            return "one in its state or its output"
    return ""


def _is_of_a_test_card(found: str) -> bool:
    """Whether a run of digits begins and ends as a card of the bench does.

    In a file whose format nobody knows, a clock or an id may pass for a card number by
    its check digit alone: one in ten does.
    """
    digits = found.replace(" ", "").replace("-", "")
    return any(
        len(digits) == len(card.masked_pan)
        and digits.startswith(card.masked_pan[:6])
        and digits.endswith(card.masked_pan[-4:])
        for card in CARDS.values()
        if card.masked_pan
    )


def untraceable(bench: Bench, session: Session) -> str:
    """Which part of a session's life the trace does not tell (R-PER-08)."""
    events = {
        str(record["event"]): index
        for index, record in enumerate(bench.trace.records)
        if record["kind"] == "session" and record["session_id"] == session.session_id
    }
    opened = events.get("opened")
    closed = events.get(_HOW.get(session.state, ""))
    if opened is None:
        return "never opened"
    if not any(index < opened for index in _said(bench, _AUTHORISES, None)):
        return "opened without an authorisation"
    if closed is None:
        return "never closed"
    if not any(index <= closed for index in _said(bench, _CLOSES, session)):
        return "closed by nobody"
    return _misreported(bench, session)


def _misreported(bench: Bench, session: Session) -> str:
    """A receipt that names the session names what was paid."""
    names = (session.session_id, session.psp_session_id)
    for _, line in bay_lines(bench, "to_charger", "show"):
        amount = line.get("amount_minor")
        is_receipt = line.get("kind") == "receipt" and amount is not None
        if is_receipt and line.get("session_id") in names:
            paid = session.final_minor or 0
            if amount != paid:
                return f"{paid} paid, and {amount} on the receipt"
    return ""


def _said(bench: Bench, names: Sequence[str], session: Session | None) -> Iterator[int]:
    """Places in the trace where the controller said it, of a session or of any."""
    own = (session.session_id, session.psp_session_id) if session else ()
    for index, message in _messages(bench):
        of = message.get("fields", {}).get("session_id")
        if message.get("message") in names and (session is None or of in own):
            yield index
    for index, record in enumerate(bench.trace.records):
        of = record.get("session_id")
        is_one = record["kind"] == "http" and record.get("route") in names
        if is_one and (session is None or of in own):
            yield index


def _messages(bench: Bench) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """What the controller has said to the terminal, with its place in the trace."""
    for index, record in enumerate(bench.trace.records):
        if record["kind"] == "psp" and record["direction"] == "to_terminal":
            yield from ((index, message) for message in _list(record))


def _list(record: Record) -> list[Mapping[str, Any]]:
    messages = record["messages"]
    assert isinstance(messages, list)
    return messages
