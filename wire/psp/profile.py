# ruff: noqa: E501
"""The readings: every open question of the published pages that shows on the wire.

A ``Profile`` is one answer to all of them; ``Profile()`` is the default of psp.md 9. Each
switch names the assumptions (A1..A38) and contradictions (C1..C18) it covers, or the
open point of requirements.md 4 (R4.n), how sure the default is, and what may stand
instead. A controller has to be safe under every allowed value: none of them is Payter's
word. ``REGISTER`` says for every id which switches cover it, or why none is needed.

A ``Reading`` is a profile plus what the two ends agreed on at run time (family and
Protocol options): all that decides how a message looks on the wire.
"""

from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal, TypeVar, get_args, get_type_hints

from wire.psp.codes import Family, Mark, Option
from wire.psp.errors import LocalProtocolError
from wire.psp.timeouts import INTER_BYTE_MS
from wire.watched import Watching

SwitchValue = bool | int | str
T = TypeVar("T")
_YES: Final = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """One open question: what it is about, and which answers can be simulated."""

    name: str
    #: Ids of psp.md 9 and 10, and of requirements.md 4.
    ids: tuple[str, ...]
    #: How sure the default is.
    mark: Mark
    about: str
    allowed: tuple[SwitchValue, ...] | range
    default: SwitchValue
    #: Of a range: the values that stand for it in ``nohold run --readings all``.
    samples: tuple[SwitchValue, ...] = ()
    #: Why the ends must agree on it beforehand: no controller can be safe under both.
    agreed: str = ""

    @property
    def others(self) -> tuple[SwitchValue, ...]:
        """The readings to play besides the default; none where the ends must agree."""
        values = () if self.agreed else self.samples or self.allowed
        return tuple(value for value in values if value != self.default)


def _switch(default: T, *ids: str, mark: Mark, about: str, **more: object) -> T:
    """A field of the profile that carries its own row of the table of switches."""
    return field(
        default=default, metadata={"ids": ids, "mark": mark, "about": about, **more}
    )


# fmt: off
@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One reading of everything left open. Raises LocalProtocolError on other values."""

    # --- The line ---------------------------------------------------------------
    terminal_preamble: int = _switch(0xAA, "C3", mark=Mark.CONTRA, about="first byte of the terminal's blocks; configurable on P6X", allowed=range(256), agreed="set in the terminal, or fixed: the host's parser has to be set to the same")
    terminal_magic: int = _switch(0x3C, "C2", mark=Mark.CONTRA, about="magic of the terminal's blocks; configurable on P6X by the old pages", allowed=range(256), agreed="set in the terminal, or fixed: the host's parser has to be set to the same")
    wrong_magic: Literal["drop", "not_ok", "accept"] = _switch("drop", "A21", "C2", mark=Mark.ASSUMPTION, about="a request with another magic than 0x3C; 'accept' is P6X by the old pages")
    frame_limit_bytes: Literal[258, 257] = _switch(258, "C4", mark=Mark.CONTRA, about="most bytes of a classic block, checksum included")
    version_frame_limit: Literal["ignored", "enforced"] = _switch("ignored", "A36", "C4", mark=Mark.ASSUMPTION, about="the 36-byte limit when Protocol selects version 1 or 2: not applied, or longer blocks are dropped")
    inter_byte_ms: int = _switch(INTER_BYTE_MS, "A20", mark=Mark.ASSUMPTION, about="silence after which an unfinished block is given up", allowed=range(1, 60_001), samples=(50, 60_000))
    not_ok_on_bad_checksum: bool = _switch(_YES, "A19", mark=Mark.ASSUMPTION, about="Result Not OK (0x04) on a bad checksum, or silence")
    second_client: Literal["close_new", "take_over"] = _switch("close_new", "A22", mark=Mark.ASSUMPTION, about="a second TCP client connects: it is turned away, or takes the line over")
    host_hangup: Literal["offline", "kept"] = _switch("offline", "A23", mark=Mark.ASSUMPTION, about="the host has closed its TCP connection: OFFLINE and no options, or state and options kept; sessions stay in both")
    late_approval: Literal["deliver", "reverse"] = _switch("deliver", "R4.13", mark=Mark.ASSUMPTION, about="an approval that arrives after the host has reset or hung up, or after the terminal gave up: the session stays open, or the terminal reverses it by itself")
    busy_command: Literal["refuse", "queue"] = _switch("refuse", "A24", mark=Mark.ASSUMPTION, about="requests other than Get Status during an authorization: Not OK 0x05, or answered after it")

    # --- How messages look ------------------------------------------------------
    get_status_header: Literal[0x26, 0x00] = _switch(0x26, "C18", mark=Mark.DUMP, about="header of Get Status Response")
    read_card_header: Literal[0x41, 0x40] = _switch(0x41, "A7", "C5", mark=Mark.CONTRA, about="header of Read Card; Select Language has the other one", agreed="only the host sends it, and under the other reading the byte is another request")
    commit_order: Literal["session_first", "amount_first"] = _switch("session_first", "A1", mark=Mark.INF, about="order of the two numbers in Commit Session", agreed="only the host sends it, and eight bytes in the other order are as good a request, for other money")
    result_size: Literal[2, 1] = _switch(2, "A6", mark=Mark.ASSUMPTION, about="bytes of Result OK when detailed codes are on")
    card_read_length: Literal[2, 1] = _switch(2, "A8", mark=Mark.ASSUMPTION, about="bytes of Card Read's data length in extended blocks")
    approved_without_dol: Literal["absent", "zero_length"] = _switch("absent", "A28", mark=Mark.ASSUMPTION, about="Session Approved without Authorization DOL: 4 bytes, or a zero length behind them")
    declined_dol: Literal["off", "reason_length_data"] = _switch("off", "A27", "C10", mark=Mark.ASSUMPTION, about="Session Declined when Declined DOL is on: as without it, or reason, length and data")
    auth_session_tail: Literal["tolerated", "refused"] = _switch("tolerated", "A2", mark=Mark.ASSUMPTION, about="bytes behind the empty Auth Session: let pass, or refused")
    card_read_default_tags: Literal["six", "two"] = _switch("six", "C9", mark=Mark.CONTRA, about="tags in Card Read when the request names none")
    read_file_from: Literal["host", "terminal"] = _switch("host", "C15", mark=Mark.CONTRA, about="who sends Read File", agreed="whether the host sends it or answers it: one of the two has to know")

    # --- Answers ----------------------------------------------------------------
    reset_answer: Literal["result_ok", "silent"] = _switch("result_ok", "A4", mark=Mark.INF, about="answer to Reset: Result OK, or none")
    protocol_answer: Literal["echo", "result"] = _switch("echo", "A5", mark=Mark.DUMP, about="answer to Protocol: its echo, or a Result")
    start_session_ack: Literal["none", "result_ok"] = _switch("none", "A9", mark=Mark.ASSUMPTION, about="an accepted Start Session: nothing until there is a card, or Result OK at once")
    card_detect_expiry: Literal["session_cancelled", "silent"] = _switch("session_cancelled", "A10", mark=Mark.ASSUMPTION, about="no card came within the card-detect time-out: Session Cancelled, or silence")
    wait_auth_expiry: Literal["session_cancelled", "silent"] = _switch("session_cancelled", "A11", mark=Mark.ASSUMPTION, about="the terminal drops a read card after 30 s: Session Cancelled, or silence")
    auth_timeout_reason: Literal[0x08, 0x03] = _switch(0x08, "A12", mark=Mark.ASSUMPTION, about="decline reason when the payment host does not answer")
    host_unreachable_reason: Literal[0x03, 0x08] = _switch(0x03, "A12", mark=Mark.ASSUMPTION, about="decline reason when the payment host cannot be reached")
    running_while_authorizing: Literal[1, 0] = _switch(1, "A25", mark=Mark.ASSUMPTION, about="transaction-running flag of Get Status during an authorization")
    event_order: Literal["events_first", "answers_first"] = _switch("events_first", "A26", mark=Mark.ASSUMPTION, about="'card read complete' before Card Read, or behind it")
    complete_event: Literal["after_answer", "before_answer"] = _switch("after_answer", "A26", mark=Mark.ASSUMPTION, about="'transaction complete' after the answer to Auth Session, or before it")
    unknown_layouts: Literal["not_ok", "silent"] = _switch("not_ok", "A33", mark=Mark.ASSUMPTION, about="requests whose layout is not published: Not OK 0x0D, or silence")
    unsupported_command: Literal["not_ok", "silent"] = _switch("not_ok", "A34", mark=Mark.ASSUMPTION, about="requests the family does not have: Not OK 0x02, or silence")
    p6x_options: Literal["ignored", "refused"] = _switch("ignored", "A35", mark=Mark.ASSUMPTION, about="Protocol options that P6X does not have: ignored, or the request is refused")

    # --- Sessions ---------------------------------------------------------------
    session_ids: Literal["increasing", "scattered"] = _switch("increasing", "A14", mark=Mark.ASSUMPTION, about="how session ids are given out: rising, or in no order; never zero, never twice")
    duplicate_reference: Literal["accept", "refuse"] = _switch("accept", "A15", mark=Mark.ASSUMPTION, about="Start Session with the reference of an open session: accepted, or refused with 0x0B")
    commit_zero: Literal["accept", "refuse"] = _switch("accept", "A16", mark=Mark.ASSUMPTION, about="Commit Session of amount 0: releases everything, or is refused")
    over_commit: Literal["refuse", "accept"] = _switch("refuse", "A16", mark=Mark.ASSUMPTION, about="Commit Session above the authorized amount: refused and still open, or taken")
    repeated_close: Literal["not_found", "ok"] = _switch("not_found", "A17", mark=Mark.ASSUMPTION, about="Commit or Void of a session that is closed: Not OK 0x0C, or OK again")
    setup_timeout_zero: Literal["no_expiry", "at_once"] = _switch("no_expiry", "A18", mark=Mark.ASSUMPTION, about="session life of 0 s in Setup: never ends by itself, or ends at once")
    remove_sessions: Literal["off", "records_only"] = _switch("off", "A32", mark=Mark.ASSUMPTION, about="Remove Sessions: refused with 0x0D, or the records go and no money moves")

    # --- Permissions ------------------------------------------------------------
    synchronize_while_reading: Literal["online", "refuse"] = _switch("online", "A29", mark=Mark.ASSUMPTION, about="Synchronize in WAIT_CARD and WAIT_AUTH: ends the read and leads to ONLINE, or is refused")
    setup_states: Literal["online_only", "also_set_up"] = _switch("online_only", "A30", mark=Mark.ASSUMPTION, about="Setup in ONLINE, or also in DISABLED and ENABLED")
    undocumented_states: Literal["narrow", "any"] = _switch("narrow", "A31", mark=Mark.ASSUMPTION, about="states of Update Session, Add Transaction Context and other requests without a documented state: those of Commit Session, or all")

    def __post_init__(self) -> None:
        for switch in PROFILE_SWITCHES.values():
            _check(switch, getattr(self, switch.name))

    @classmethod
    def default(cls) -> "Profile":
        return _DEFAULT

    @classmethod
    def from_mapping(cls, values: Mapping[str, object]) -> "Profile":
        """The default with some switches set. Raises LocalProtocolError, naming both."""
        for name, value in values.items():
            if name not in PROFILE_SWITCHES:
                raise LocalProtocolError(f"profile: found {name!r}, allowed {', '.join(PROFILE_SWITCHES)}")
            _check(PROFILE_SWITCHES[name], value)
        return replace(_DEFAULT, **values) if values else _DEFAULT  # type: ignore[arg-type]  # checked just above

    def deviations(self) -> dict[str, SwitchValue]:
        """The switches that do not stand at their default, in the order of the table."""
        values = ((s.name, getattr(self, s.name), s.default) for s in PROFILE_SWITCHES.values())
        return {name: value for name, value, default in values if value != default}

    def note(self, names: Iterable[str]) -> None:
        """Somebody uses a cached answer that rests on these switches; see WatchedProfile."""

    def plain(self) -> "Profile":
        """The same answers with nobody watching; for what is made once and kept."""
        return self
# fmt: on


def _check(switch: Switch, value: object) -> None:
    same_type = type(value) is type(switch.default)
    if not same_type or value not in switch.allowed:
        allowed = (
            f"{switch.allowed[0]}..{switch.allowed[-1]}"
            if isinstance(switch.allowed, range)
            else ", ".join(repr(item) for item in switch.allowed)
        )
        raise LocalProtocolError(
            f"profile: {switch.name}: found {value!r}, allowed {allowed}"
        )


def _switches() -> Mapping[str, Switch]:
    hints = get_type_hints(Profile)
    return MappingProxyType(
        {item.name: _row(item, hints[item.name]) for item in fields(Profile)}
    )


def _row(item: Field[SwitchValue], hint: object) -> Switch:
    assert isinstance(item.default, bool | int | str)
    choices = (True, False) if hint is bool else get_args(hint)
    return Switch(
        name=item.name,
        default=item.default,
        **{"allowed": choices, **item.metadata},
    )


PROFILE_SWITCHES: Final[Mapping[str, Switch]] = _switches()
#: Made once: every switch is checked when a profile is made, and this one is the usual.
_DEFAULT: Final = Profile()


class WatchedProfile(Watching, Profile):
    """A profile that notes in ``consulted`` which of its switches are asked for."""

    __slots__ = ("_plain", "consulted")

    NAMES = PROFILE_SWITCHES.keys()

    def __init__(self, plain: Profile) -> None:
        object.__setattr__(self, "_plain", plain)
        self._copy(plain)

    def plain(self) -> Profile:
        found: Profile = self._plain
        return found

    def deviations(self) -> dict[str, SwitchValue]:
        return self.plain().deviations()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What became of one assumption or contradiction."""

    about: str
    switches: tuple[str, ...] = ()
    #: Why there is no switch, or what the switches leave out.
    note: str = ""


def _covered(about: str, *switches: str, note: str = "") -> Entry:
    return Entry(about=about, switches=switches, note=note)


def _settled(about: str, note: str) -> Entry:
    return Entry(about=about, note=note)


# fmt: off
#: Every id of psp.md 9 and 10, in order.
REGISTER: Final[Mapping[str, Entry]] = {
    "A1": _covered("payload of Commit Session", "commit_order", note="the size is known from a published recording, the order is not"),
    "A2": _covered("payload of Auth Session", "auth_session_tail"),
    "A3": _settled("payload of Session Cancelled", "empty in a published recording; the decoder tolerates more bytes"),
    "A4": _covered("Reset and its answer", "reset_answer"),
    "A5": _covered("answer to Protocol", "protocol_answer"),
    "A6": _covered("size of Result OK with detailed codes", "result_size", note="the decoder takes both sizes always"),
    "A7": _covered("headers of Read Card and Select Language", "read_card_header"),
    "A8": _covered("length of Card Read in extended blocks", "card_read_length", note="the decoder tells both apart"),
    "A9": _covered("acknowledgement of Start Session", "start_session_ack"),
    "A10": _covered("card-detect time-out", "card_detect_expiry"),
    "A11": _covered("30 s in WAIT_AUTH", "wait_auth_expiry"),
    "A12": _covered("payment host silent or unreachable", "auth_timeout_reason", "host_unreachable_reason"),
    "A13": _settled("unit of amounts", "an integer on the wire whatever its unit; counted in minor units throughout"),
    "A14": _covered("how session ids are given out", "session_ids"),
    "A15": _covered("duplicate session reference", "duplicate_reference"),
    "A16": _covered("commit of 0 or above the authorized amount", "commit_zero", "over_commit"),
    "A17": _covered("second close of a session", "repeated_close"),
    "A18": _covered("session life of 0 s", "setup_timeout_zero"),
    "A19": _covered("bad checksum", "not_ok_on_bad_checksum"),
    "A20": _covered("resynchronisation", "inter_byte_ms", note="the scan itself is not on the wire"),
    "A21": _covered("wrong preamble or magic", "wrong_magic", note="without its preamble a block cannot be seen: noise, always ignored"),
    "A22": _covered("second TCP client", "second_client"),
    "A23": _covered("host closes TCP", "host_hangup"),
    "A24": _covered("requests sent before the answer to the last", "busy_command"),
    "A25": _covered("Get Status during an authorization", "running_while_authorizing"),
    "A26": _covered("order of events and answers", "event_order", "complete_event"),
    "A27": _covered("layout of declined DOL", "declined_dol"),
    "A28": _covered("Session Approved without Authorization DOL", "approved_without_dol"),
    "A29": _covered("Synchronize while reading", "synchronize_while_reading"),
    "A30": _covered("states of Setup", "setup_states"),
    "A31": _covered("states of requests without a documented one", "undocumented_states"),
    "A32": _covered("Remove Sessions", "remove_sessions", note="voiding everything is not offered: no document asks for it"),
    "A33": _covered("layouts that are not published", "unknown_layouts"),
    "A34": _covered("requests the family does not have", "unsupported_command"),
    "A35": _covered("options P6X does not have", "p6x_options"),
    "A36": _covered("frame limit of versions 1 and 2", "version_frame_limit"),
    "A37": _settled("terminal starting up", "silence: the simulated terminal forgets its options when it restarts, so detailed codes are never on by then; Not OK 0x11 is a fault of the catalogue (terminal_not_ready)"),
    "A38": _settled("other bits of the payment methods", "opaque: passed through, only 0x02 is ever set"),
    "C1": _settled("speed of the serial line", "set with the line, at both its ends (psp_device, --baud); no reading of a message depends on it"),
    "C2": _covered("magic on P6X", "terminal_magic", "wrong_magic"),
    "C3": _covered("preamble on P6X", "terminal_preamble"),
    "C4": _covered("largest block", "frame_limit_bytes", "version_frame_limit"),
    "C5": _covered("headers of Read Card and Select Language", "read_card_header"),
    "C6": _settled("header of UI Request", "the page with 0x40 gives that code to Select Language too, so only 0x28 can be"),
    "C7": _settled("length columns", "the fields decide; the frame length is computed from them"),
    "C8": _settled("first field of Update Session Result", "a label, not a byte"),
    "C9": _covered("default tags of Card Read", "card_read_default_tags"),
    "C10": _covered("Session Declined has 0 or 1 byte", "declined_dol", note="the decoder tolerates more bytes"),
    "C11": _settled("commands of the cancelled flow", "both exist; which one is needed follows from the state"),
    "C12": _settled("PSP over TCP on P6X", "a matter of the link, chosen with it; the bytes are the same"),
    "C13": _settled("longest QR address", "the decoder takes the larger figure for both requests"),
    "C14": _settled("serial bit table", "eight data bits in both; a UART cannot do otherwise"),
    "C15": _covered("direction of Read File", "read_file_from"),
    "C16": _settled("old and new names", "words of the pages, not bytes"),
    "C17": _settled("headers of Control and Add Transaction Context", "the list is not legible; each one's own page is, and no other code is known"),
    "C18": _covered("header of Get Status Response", "get_status_header", note="the decoder takes both always"),
}
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All that decides how a message looks: family, agreed options, open questions.

    Equality and hash rest on ``key`` alone, which is made of all the rest.
    """

    extended: bool = field(default=False, compare=False)
    detailed: bool = field(default=False, compare=False)
    authorization_dol: bool = field(default=False, compare=False)
    declined_dol: bool = field(default=False, compare=False)
    family: Family = field(default=Family.APOLLO, compare=False)
    profile: Profile = field(default=Profile(), compare=False)
    key: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        options = (
            self.extended,
            self.detailed,
            self.authorization_dol,
            self.declined_dol,
        )
        object.__setattr__(
            self, "key", _key(self.family, options, self.profile.plain())
        )

    def with_options(self, options: int) -> "Reading":
        """This reading under the options of a Protocol command (psp.md 4.2).

        Options that the family does not have stay off (A35).
        """
        usable = Option(options & OPTIONS_OF[self.family])
        return replace(
            self,
            extended=Option.EXTENDED in usable,
            detailed=Option.DETAILED in usable,
            authorization_dol=Option.AUTHORIZATION_DOL in usable,
            declined_dol=Option.DECLINED_DOL in usable,
        )


@lru_cache(maxsize=256)
def _key(family: Family, options: tuple[bool, ...], profile: Profile) -> str:
    return f"{family.value} {options} {profile.deviations()}"


#: Options that a family has (psp.md 4.2, 11).
OPTIONS_OF: Final[Mapping[Family, int]] = {
    Family.P6X: Option.EVENTS | Option.AUTHORIZATION_DOL,
    Family.APOLLO: (
        Option.EVENTS
        | Option.AUTHORIZATION_DOL
        | Option.EXTENDED
        | Option.DETAILED
        | Option.DECLINED_DOL
    ),
}
