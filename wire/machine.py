"""The contract of a machine, and the boundary between a controller and its world.

Every moving part of nohold is a *machine*: facts go in, facts come out, time is an
argument and a timeout is a return value. Nothing here blocks, asks the clock, draws a
random number or touches a socket, so the same machine runs in virtual time, behind a
serial port or behind a web server.

The boundary below is what an in-process device under test speaks. It is the same that
a real controller sees: bytes on the PSP line, HTTP calls and callbacks, lines on the
bay link. ``now_ms`` is the controller's own monotonic clock: it counts from an
arbitrary origin at each boot, 0 unless a fault says so. Calendar time comes once, with
``Started``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, Protocol, TypeVar

EventT_contra = TypeVar("EventT_contra", contravariant=True)
ActionT_co = TypeVar("ActionT_co", covariant=True)

#: Longest body of an HTTP message that crosses the boundary, in bytes.
MAX_BODY_BYTES: Final = 1 << 20


def earliest(*deadlines: int | None) -> int | None:
    """The first of some deadlines; None when there is none."""
    first = None
    for deadline_ms in deadlines:
        if deadline_ms is not None and (first is None or deadline_ms < first):
            first = deadline_ms
    return first


class Machine(Protocol[EventT_contra, ActionT_co]):
    """Facts in, facts out. Never blocks, never asks the time, never draws chance."""

    def handle(self, event: EventT_contra, now_ms: int) -> Sequence[ActionT_co]:
        """Take one fact; return what follows from it."""

    def deadline_ms(self) -> int | None:
        """When this machine wants to be called next; None when it only waits."""

    def on_deadline(self, now_ms: int) -> Sequence[ActionT_co]:
        """Called at or after ``deadline_ms``; must move the deadline forward."""


class Link(StrEnum):
    """The two byte streams a controller may hold open."""

    PSP = "psp"
    BAY = "bay"


# --- Facts, world -> controller -------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The controller's process has started; always the first fact after a boot."""

    #: Counts the boots of this device under test, from 1.
    boot: int
    #: The controller's calendar clock at this moment, milliseconds since 1970 (UTC).
    wall_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkOpened:
    """A link that the controller asked for is up."""

    link: Link


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkClosed:
    """A link is down, or could not be opened (``refused``)."""

    link: Link
    reason: Literal["refused", "closed", "reset"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BytesReceived:
    """Bytes arrived, in pieces of any size."""

    link: Link
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswered:
    """The answer to ``CallHttp``."""

    call_id: int
    status: int
    body: bytes
    #: What the answer says besides; what carries it over a real network needs it.
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpFailed:
    """No answer to ``CallHttp``: the call may or may not have had its effect."""

    call_id: int
    reason: Literal["refused", "reset", "timeout"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackReceived:
    """The payment cloud posts to the controller's callback address."""

    callback_id: int
    #: Path and query as the controller had passed them.
    target: str
    body: bytes
    #: The whole address; what posts over a real network needs it.
    url: str = ""


Fact = (
    Started
    | LinkOpened
    | LinkClosed
    | BytesReceived
    | HttpAnswered
    | HttpFailed
    | CallbackReceived
)

# --- Actions, controller -> world -----------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLink:
    """Connect, or open the serial port. Answered by LinkOpened or LinkClosed."""

    link: Link


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseLink:
    """Hang up. Not answered: the link counts as closed at once."""

    link: Link


@dataclass(frozen=True, slots=True, kw_only=True)
class SendBytes:
    """Write to an open link; lost without notice when the link is down."""

    link: Link
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CallHttp:
    """One HTTP request. ``call_id`` is the controller's, unique within a boot.

    Answered by exactly one HttpAnswered or HttpFailed, at the latest after
    ``timeout_ms`` (1 ms to 300 s).
    """

    call_id: int
    method: str
    #: Path and query, e.g. ``/terminals/P68/start?authorizedAmount=5000``.
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    timeout_ms: int = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCallback:
    """The HTTP status the controller's listener gives to a callback."""

    callback_id: int
    status: int


Action = OpenLink | CloseLink | SendBytes | CallHttp | AnswerCallback


class DurableStore(Protocol):
    """What survives a power cut: one image, replaced as a whole."""

    def load(self) -> bytes | None:
        """The image of the last ``save`` that was acknowledged; None when new."""

    def save(self, image: bytes) -> None:
        """Make ``image`` durable. Raises OSError when the storage fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a controller finds itself: everything its factory is given."""

    #: The parsed declaration (``declaration.toml``), tables as mappings.
    declaration: Mapping[str, object]
    psp_link: Literal["tcp", "serial"]
    store: DurableStore
    #: CPS only: base URL of the cloud, key, terminal and where callbacks arrive.
    cps_url: str = ""
    cps_api_key: str = ""
    terminal_serial: str = ""
    callback_url: str = ""


Controller = Machine[Fact, Action]


class ControllerFactory(Protocol):
    """``package.module:factory`` of an in-process device under test."""

    def __call__(self, place: Place) -> Controller:
        """Build a controller; called again, with the same store, after each death."""
