# ruff: noqa: E501
"""How the simulated cloud behaves where Payter's own behaviour is not known.

One switch per open point of cps.md 2, 3, 4.3, 4.5, 5, 9.2 and 9.3. ``Policy()`` is the
default reading; every other reading can be chosen by name. Nothing here is a claim about
Payter: a controller has to be safe under every value. The table and the dataclass say
the same twice, one for documents and errors, one for types; a test holds them together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final, Literal

from wire.cps.errors import LocalProtocolError
from wire.cps.routes import Grade
from wire.watched import Watching

Choice = str | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """One open point: either ``allowed`` choices or a ``span`` of whole numbers."""

    clause: str
    grade: Grade
    about: str
    default: Choice
    allowed: tuple[Choice, ...] = ()
    span: tuple[int, int] | None = None
    #: Of a span: the values that stand for it in ``nohold run --readings all``.
    samples: tuple[int, ...] = ()
    #: Why the ends must agree on it beforehand: no controller can be safe under both.
    agreed: str = ""

    @property
    def others(self) -> tuple[Choice, ...]:
        """The readings to play besides the default; none where the ends must agree."""
        values = () if self.agreed else self.samples or self.allowed
        return tuple(value for value in values if value != self.default)

    def read(self, value: object) -> Choice | None:
        """The choice that ``value`` names, as itself or as its text; else None."""
        if self.span is not None:
            low, high = self.span
            return value if type(value) is int and low <= value <= high else None
        if not isinstance(value, str | int):
            return None
        return next((item for item in self.allowed if str(item) == str(value)), None)

    def choices(self) -> str:
        """What is allowed, in words."""
        if self.span is not None:
            return f"integer {self.span[0]} to {self.span[1]}"
        return ", ".join(str(item) for item in self.allowed)


_A = Grade.ASSUMPTION

# fmt: off
POLICY_SWITCHES: Final[Mapping[str, Switch]] = {
    # Commit and cancel (4.3)
    "over_commit": Switch(clause="4.3", grade=_A, about="commit above the authorised amount: 400 and still open, taken, or 200 FAILED", default="reject", allowed=("reject", "accept", "fail")),
    "zero_commit": Switch(clause="4.3", grade=_A, about="commit of 0: releases everything, or 400", default="accept", allowed=("accept", "reject")),
    "cancel_repeat": Switch(clause="4.3", grade=_A, about="status of a second cancel", default=409, allowed=(409, 200)),
    "cancel_after_commit": Switch(clause="4.3", grade=_A, about="status of a cancel after a commit; 200 answers the committed session", default=409, allowed=(409, 200)),
    "failed_session": Switch(clause="4.3", grade=_A, about="whether a session whose commit FAILED can be closed again", default="retryable", allowed=("retryable", "final")),
    "session_expiry_h": Switch(clause="4.3", grade=_A, about="hours until the cloud cancels an open session by itself; 0 never", default=0, span=(0, 8760), samples=(24, 720)),
    "bad_parameter": Switch(clause="4.3, 9.3", grade=_A, about="status of a missing or wrong parameter", default=400, allowed=(400, 422)),
    # The terminal is offline (4.5)
    "offline_close": Switch(clause="4.5, 9.2", grade=_A, about="commit or cancel while the terminal is not connected: error, or confirmed and stored", default="error", allowed=("error", "queue")),
    "offline_close_status": Switch(clause="9.3", grade=_A, about="status of that error; never 409, which would end the retries", default=503, allowed=(503, 404, 408, 412, 424, 500, 504)),
    "offline_status": Switch(clause="9.3", grade=_A, about="status of start, stop, authorize and ui while offline", default=503, allowed=(503, 404, 408, 409, 412, 424, 504)),
    "offline_state": Switch(clause="E2", grade=_A, about="what state says while offline", default="last_known", allowed=("last_known", "idle")),
    # Start, card, stop (2, 3)
    "start_success": Switch(clause="9.2", grade=Grade.CODE, about="status of an accepted start, stop or ui", default=204, allowed=(204, 200)),
    "start_busy": Switch(clause="E3, 9.3", grade=_A, about="start while reading or with a card: 409, or a new read", default="409", allowed=("409", "restart")),
    "reading_delay_ms": Switch(clause="3", grade=_A, about="milliseconds from an accepted start to READING; client code waits for it, none says how long it is", default=300, span=(0, 10_000), samples=(0, 10_000)),
    "read_timeout_s": Switch(clause="3", grade=_A, about="seconds until a read without a card ends; 0 never", default=0, span=(0, 86_400), samples=(30, 3600)),
    "card_timeout_s": Switch(clause="3", grade=_A, about="seconds until a card that nobody authorises is dropped", default=30, span=(1, 3600), samples=(10, 3600)),
    "wait_max_s": Switch(clause="E4", grade=_A, about="longest long poll; a longer waitTime is cut to it", default=60, span=(0, 300), samples=(0, 300)),
    "no_card": Switch(clause="E4, 9.3", grade=_A, about="status when no card came within waitTime", default=204, allowed=(204, 404, 408)),
    "stop_idle": Switch(clause="E5", grade=_A, about="status of a stop while idle", default=204, allowed=(204, 409)),
    "stop_body": Switch(clause="9.2", grade=Grade.CODE, about="body of stop: empty, or a CANCELLED session as one mock answers", default="empty", allowed=("empty", "session")),
    "card_callback": Switch(clause="9.2", grade=Grade.CODE, about="body of the card callback: Card, or the stub of one mock", default="card", allowed=("card", "stub")),
    # Authorize (E6, 9.3)
    "authorize_without_card": Switch(clause="E6, 9.3", grade=_A, about="status when no card is active", default=409, allowed=(409, 400, 404)),
    "not_authorisable": Switch(clause="E6, 9.3", grade=_A, about="status when the card is no payment card", default=409, allowed=(409, 400)),
    "same_card_open": Switch(clause="E6, 9.3", grade=_A, about="the card has an open session at this terminal: 409, or a second one", default="409", allowed=("409", "accept")),
    "authorizing_state": Switch(clause="3", grade=_A, about="name of the state during an authorisation", default="AUTHORIZING", allowed=("AUTHORIZING", "CARD", "IDLE")),
    "declined_state": Switch(clause="E6", grade=Grade.CODE, about="state of a declined session", default="DECLINED", allowed=("DECLINED", "FAILED")),
    "declined_body": Switch(clause="E6", grade=Grade.CODE, about="declined answer: state and result alone, or the full session without an id", default="short", allowed=("short", "full")),
    "partial_approval": Switch(clause="7", grade=_A, about="an issuer that grants a part: AUTHORIZED for that part, or declined", default="authorized", allowed=("authorized", "declined")),
    "late_approval": Switch(clause="requirements.md 4.13", grade=_A, about="an approval that arrives after the terminal gave up: the session stays open, or the terminal reverses it by itself", default="deliver", allowed=("deliver", "reverse")),
    # Sessions, lists, names
    "session_days": Switch(clause="E7", grade=_A, about="days that a closed session stays in E7 and E8", default=7, span=(0, 3650), samples=(1, 3650)),
    "list_shape": Switch(clause="E1, E7", grade=_A, about="lists as an array, or wrapped in an object", default="array", allowed=("array", "wrapped")),
    "committed_name": Switch(clause="9.2", grade=Grade.CODE, about="spelling of the committed state", default="COMMITED", allowed=("COMMITED", "COMMITTED")),
    "unknown_parameter": Switch(clause="1.3", grade=_A, about="query parameters that no route knows: ignored, or refused as wrong", default="ignore", allowed=("ignore", "refuse")),
    # Screens (E11, 6.2)
    "ui_while_reading": Switch(clause="6.2, 9.3", grade=_A, about="a screen while reading: 409, or shown", default="409", allowed=("409", "accept")),
    "ui_without_screens": Switch(clause="6.2", grade=_A, about="status of a screen call to a terminal that has none", default=501, allowed=(501, 400)),
    "unknown_screen": Switch(clause="6.2", grade=_A, about="a screen type that nobody knows", default="refuse", allowed=("refuse", "accept")),
    "undocumented_screen": Switch(clause="9.2", grade=Grade.CODE, about="screen types used in the field but not documented", default="accept", allowed=("accept", "refuse")),
    # Keys, terminals, webhooks
    "bad_key": Switch(clause="1.2, 9.3", grade=_A, about="status of a missing, wrong or replaced key", default=401, allowed=(401, 403)),
    "foreign_terminal": Switch(clause="1.2, 9.3", grade=_A, about="status for a terminal that this key does not have: unknown, or of another domain", default=404, allowed=(404, 403)),
    "webhook_calls": Switch(clause="E12", grade=_A, about="whether POST and DELETE /webhook exist", default="on", allowed=("on", "off")),
    "webhook_absent": Switch(clause="E12", grade=_A, about="status of GET /webhook when none is set", default=404, allowed=(404, 204)),
    "state_webhook": Switch(clause="5.4", grade=_A, about="what fires the state webhook: online changes, or every state", default="online", allowed=("online", "all")),
    "apikey_call": Switch(clause="E13", grade=_A, about="whether POST /apikey exists", default="on", allowed=("on", "off")),
    "update_call": Switch(clause="E14", grade=_A, about="whether the incremental authorisation exists in CPS", default="off", allowed=("off", "on")),
    "session_notification": Switch(clause="5.3", grade=_A, about="whether authorize posts a SessionNotification to the callback of start", default="off", allowed=("off", "on")),
}
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One reading of every open point; see ``POLICY_SWITCHES`` for what each means."""

    over_commit: Literal["reject", "accept", "fail"] = "reject"
    zero_commit: Literal["accept", "reject"] = "accept"
    cancel_repeat: int = 409
    cancel_after_commit: int = 409
    failed_session: Literal["retryable", "final"] = "retryable"
    session_expiry_h: int = 0
    bad_parameter: int = 400
    offline_close: Literal["error", "queue"] = "error"
    offline_close_status: int = 503
    offline_status: int = 503
    offline_state: Literal["last_known", "idle"] = "last_known"
    start_success: int = 204
    start_busy: Literal["409", "restart"] = "409"
    reading_delay_ms: int = 300
    read_timeout_s: int = 0
    card_timeout_s: int = 30
    wait_max_s: int = 60
    no_card: int = 204
    stop_idle: int = 204
    stop_body: Literal["empty", "session"] = "empty"
    card_callback: Literal["card", "stub"] = "card"
    authorize_without_card: int = 409
    not_authorisable: int = 409
    same_card_open: Literal["409", "accept"] = "409"
    authorizing_state: str = "AUTHORIZING"
    declined_state: str = "DECLINED"
    declined_body: Literal["short", "full"] = "short"
    partial_approval: Literal["authorized", "declined"] = "authorized"
    late_approval: Literal["deliver", "reverse"] = "deliver"
    session_days: int = 7
    list_shape: Literal["array", "wrapped"] = "array"
    committed_name: str = "COMMITED"
    unknown_parameter: Literal["ignore", "refuse"] = "ignore"
    ui_while_reading: Literal["409", "accept"] = "409"
    ui_without_screens: int = 501
    unknown_screen: Literal["refuse", "accept"] = "refuse"
    undocumented_screen: Literal["accept", "refuse"] = "accept"
    bad_key: int = 401
    foreign_terminal: int = 404
    webhook_calls: Literal["on", "off"] = "on"
    webhook_absent: int = 404
    state_webhook: Literal["online", "all"] = "online"
    apikey_call: Literal["on", "off"] = "on"
    update_call: Literal["off", "on"] = "off"
    session_notification: Literal["off", "on"] = "off"

    def __post_init__(self) -> None:
        for row in fields(self):
            _read(row.name, getattr(self, row.name))

    @classmethod
    def from_mapping(cls, values: Mapping[str, object]) -> "Policy":
        """A policy from a profile's table; LocalProtocolError names found and allowed."""
        if not values:
            return _DEFAULT
        chosen = {name: _read(name, value) for name, value in values.items()}
        return cls(**chosen)  # type: ignore[arg-type]  # _read has checked each value

    def differences(self) -> dict[str, Choice]:
        """The switches that stand elsewhere than by default, in the table's order."""
        return {
            name: getattr(self, name)
            for name, switch in POLICY_SWITCHES.items()
            if getattr(self, name) != switch.default
        }

    def offers(self, route: str) -> bool:
        """Whether a row of ``ROUTES`` exists in this cloud at all."""
        name = _OPTIONAL_ROUTES.get(route)
        return name is None or getattr(self, name) == "on"


_OPTIONAL_ROUTES: Final[Mapping[str, str]] = {
    "E12-set": "webhook_calls",
    "E12-delete": "webhook_calls",
    "E13": "apikey_call",
    "E14": "update_call",
}


def _read(name: str, value: object) -> Choice:
    switch = POLICY_SWITCHES.get(name)
    if switch is None:
        names = ", ".join(POLICY_SWITCHES)
        raise LocalProtocolError(f"policy: found {name!r}, allowed {names}")
    choice = switch.read(value)
    if choice is None:
        raise LocalProtocolError(
            f"policy {name}: found {value!r}, allowed {switch.choices()}"
        )
    return choice


#: Made once: every switch is checked when a policy is made, and this one is the usual.
_DEFAULT: Final = Policy()


class WatchedPolicy(Watching, Policy):
    """A policy that notes in ``consulted`` which of its switches are asked for."""

    __slots__ = ("consulted",)

    NAMES = POLICY_SWITCHES.keys()

    def __init__(self, plain: Policy) -> None:
        self._copy(plain)
