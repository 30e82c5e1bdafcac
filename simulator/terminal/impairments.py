# ruff: noqa: E501
"""What can be made to go wrong inside the terminal and its cloud.

A fault is a value: the bench gives ``Terminal.impair`` an ``Impairment`` and the code
that plays the protocol asks ``Impairments.hit`` at the seam. Each hit is noted, counts
down ``times``, and ends by itself or by ``Terminal.heal``. ``ABOUT`` is the table of
kinds: what each does and which of the optional fields it reads.

No fault lies about money: 409 means that the session is closed, so no impairment may
answer it (device_under_test.md, "How time is judged").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from simulator.terminal.outbox import Outbox

MAX_IMPAIRMENTS: Final = 64


class Kind(StrEnum):
    """The kinds of impairment."""

    REFUSE_CLOSE = "refuse_close"
    NOT_READY = "not_ready"
    REFUSE_COMMAND = "refuse_command"
    IGNORE_COMMAND = "ignore_command"
    SWALLOW_ANSWER = "swallow_answer"
    DUPLICATE_ANSWER = "duplicate_answer"
    DELAY_ANSWER = "delay_answer"
    SURPLUS_SESSION = "surplus_session"
    STOP_READING = "stop_reading"
    WRONG_RUNNING_FLAG = "wrong_running_flag"
    READ_TIMEOUT = "read_timeout"
    COMMIT_FAILED = "commit_failed"
    HTTP_STATUS = "http_status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one kind does and which fields of ``Impairment`` it reads."""

    about: str
    reads: frozenset[str]


def _row(about: str, *reads: str) -> Row:
    return Row(about=about, reads=frozenset(reads))


# fmt: off
ABOUT: Final[Mapping[Kind, Row]] = MappingProxyType({
    Kind.REFUSE_CLOSE: _row("commits and voids are refused and change nothing", "operation", "reason", "status"),
    Kind.NOT_READY: _row("every PSP command but Get Status, Synchronize and Reset is answered Not OK, 0x11", "message"),
    Kind.REFUSE_COMMAND: _row("a PSP command is answered Not OK with a reason and changes nothing", "message", "reason"),
    Kind.IGNORE_COMMAND: _row("the command (PSP) or call (CPS) has no effect and no answer", "message"),
    Kind.SWALLOW_ANSWER: _row("the command (PSP) or call (CPS) has its effect, the answer is lost", "message"),
    Kind.DUPLICATE_ANSWER: _row("the answer is sent twice; for CPS the callback is posted twice", "message"),
    Kind.DELAY_ANSWER: _row("the answer comes late, others may overtake it", "message", "delay_ms"),
    Kind.SURPLUS_SESSION: _row("one authorisation opens two sessions with a hold each"),
    Kind.STOP_READING: _row("the reader stops without telling the host", "delay_ms"),
    Kind.WRONG_RUNNING_FLAG: _row("Get Status denies that a transaction is running"),
    Kind.READ_TIMEOUT: _row("the read ends as by the card-detect time-out", "delay_ms"),
    Kind.COMMIT_FAILED: _row("CPS answers the commit 200 with state FAILED"),
    Kind.HTTP_STATUS: _row("CPS answers the route with a status and changes nothing", "message", "status"),
})
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Impairment:
    """One fault. Which optional fields matter is in ``ABOUT``."""

    #: The bench's id of this fault, returned in every note about it.
    fault: str
    kind: Kind
    #: What notes about it call it; empty: the kind.
    name: str = ""
    #: How often it hits; None: until healed.
    times: int | None = 1
    #: Hits to let pass first.
    skip: int = 0
    #: PSP: vendor's name of the command answered, or of the message sent.
    #: CPS: ``E1`` .. ``E14``. Empty: any.
    message: str = ""
    #: Only one of the closes: ``commit`` or ``cancel``. Empty: both.
    operation: str = ""
    #: Result reason, psp.md 5.1.
    reason: int = 0x09
    #: HTTP status.
    status: int = 500
    delay_ms: int = 0

    def __post_init__(self) -> None:
        if self.times is not None and self.times < 1:
            raise ValueError(f"times: found {self.times}, allowed from 1, or None")
        if self.status == 409 or not 200 <= self.status <= 599:
            raise ValueError(
                f"status: found {self.status}, allowed 200 to 599 without 409, "
                "which is kept for sessions that really are closed"
            )
        if self.operation not in ("", "commit", "cancel"):
            raise ValueError(
                f"operation: found {self.operation!r}, allowed '', 'commit', 'cancel'"
            )
        if self.delay_ms < 0 or self.skip < 0:
            raise ValueError("delay_ms, skip: found less than 0, allowed from 0")


@dataclass(slots=True)
class _Active:
    impairment: Impairment
    left: int | None
    skip: int


class Impairments:
    """The faults now in force, in the order in which they were put in."""

    def __init__(self, out: Outbox) -> None:
        self._out = out
        self._active: list[_Active] = []

    def __bool__(self) -> bool:
        return bool(self._active)

    def add(self, impairment: Impairment) -> None:
        if len(self._active) >= MAX_IMPAIRMENTS:
            raise ValueError(
                f"impairments: found {len(self._active)}, allowed {MAX_IMPAIRMENTS}"
            )
        self._active.append(_Active(impairment, impairment.times, impairment.skip))

    def heal(self, fault: str) -> bool:
        """Take a fault out; False when it is not, or no longer, in force."""
        kept = [one for one in self._active if one.impairment.fault != fault]
        found = len(kept) < len(self._active)
        self._active = kept
        return found

    def in_force(self) -> tuple[str, ...]:
        """The ids of the faults that can still hit."""
        return tuple(one.impairment.fault for one in self._active)

    def hit(
        self, kind: Kind, *names: str, operation: str = "", detail: str = ""
    ) -> Impairment | None:
        """The fault that strikes here and now, if any; counted and noted.

        ``names`` are the messages or the route at hand: the command that is answered
        and the message that answers it.
        """
        if not self._active:
            return None
        for one in self._active:
            if _matches(one.impairment, kind, names, operation):
                return self._strike(one, detail or " ".join(names))
        return None

    def _strike(self, one: _Active, detail: str) -> Impairment | None:
        if one.skip:
            one.skip -= 1
            return None
        if one.left is not None:
            one.left -= 1
            if one.left == 0:
                self._active.remove(one)
        self._out.note(
            "fault",
            event="hit",
            fault=one.impairment.fault,
            name=one.impairment.name or one.impairment.kind.value,
            detail=detail or None,
        )
        return one.impairment


def _matches(
    one: Impairment, kind: Kind, names: tuple[str, ...], operation: str
) -> bool:
    return (
        one.kind is kind
        and (not one.message or one.message in names)
        and (not one.operation or one.operation == operation)
    )
