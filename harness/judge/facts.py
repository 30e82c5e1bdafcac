"""The kinds of facts in a trace, typed: one class per kind of record.

Fields are named as in ``wire.records``; only what some rule reads is kept. Times are
milliseconds of the run, amounts minor units. What each field means stands there.
"""

from dataclasses import dataclass

from harness.judge.reading import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """Where in the trace, and when in the run."""

    seq: int
    t_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Act(At):
    act: str
    driver: str
    connector: int | None
    card: str
    card_id: str
    button: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(At):
    """One PSP message. ``outbound``: from the controller to the terminal."""

    outbound: bool
    fate: str
    name: str
    fields: Table
    #: Why a block made no sense; empty when it did.
    malformed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(At):
    call: int
    route: str
    target: str
    session_id: str
    query: Table
    authorised: bool
    fate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(At):
    status: int
    body: object
    fate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure(At):
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback(At):
    what: str
    body: Table
    fate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line(At):
    """A line of the bay link. ``outbound``: from the controller."""

    outbound: bool
    line: Table
    fate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChange(At):
    link: str
    up: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored(At):
    """The terminal's session store changed, or refused to."""

    event: str
    session_id: str
    psp_session_id: int
    hold: str
    card: str
    card_id: str
    amount_minor: int | None
    op: str
    via: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Money(At):
    event: str
    hold: str
    amount_minor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Life(At):
    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned(At):
    event: str
    fault: str
    name: str
    #: The fault in words, or what it has hit.
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach(At):
    requirement: str
    expected: str
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Face(At):
    face: str
    state: str
