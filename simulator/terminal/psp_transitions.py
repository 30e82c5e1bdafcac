# ruff: noqa: E501
"""The PSP side of the terminal as a table: (phase, trigger) -> next phase.

A trigger is a request by the vendor's name, or a happening inside the terminal. Every
pair is decided: a phase is entered (the same one: accepted, nothing moves), the request
is refused (Result Not OK, reason 0x05), or the happening is ignored on purpose, because
the read or authorisation it belongs to is over. AUTHORISING shows as WAIT_AUTH on the
wire; it is a row of its own because only Get Status, Reset and Synchronize are accepted
then (psp.md 9, A24). ``VARIANTS`` holds the rows that another reading of an open
question replaces. Clauses: psp.md 3.2, 3.3, 9 (A23, A29 to A31).
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from wire.psp import Name, Profile, State


class Phase(StrEnum):
    """Where the PSP conversation stands."""

    OFFLINE = "OFFLINE"
    ONLINE = "ONLINE"
    DISABLED = "DISABLED"
    ENABLED = "ENABLED"
    WAIT_CARD = "WAIT_CARD"
    WAIT_AUTH = "WAIT_AUTH"
    AUTHORISING = "AUTHORISING"


class Happening(StrEnum):
    """What happens by itself."""

    CARD_READ = "card read"
    READ_EXPIRED = "read expired"
    READ_LOST = "read lost"
    CARD_DROPPED = "card dropped"
    DECIDED = "authorisation decided"
    LINE_LOST = "line lost"
    POWER_LOST = "power lost"


class Fate(StrEnum):
    """A pair that enters no phase."""

    REFUSED = "refused"
    IGNORED = "ignored"


#: What Get Status says.
STATES: Final[Mapping[Phase, State]] = MappingProxyType(
    {
        Phase.OFFLINE: State.OFFLINE,
        Phase.ONLINE: State.ONLINE,
        Phase.DISABLED: State.DISABLED,
        Phase.ENABLED: State.ENABLED,
        Phase.WAIT_CARD: State.WAIT_CARD,
        Phase.WAIT_AUTH: State.WAIT_AUTH,
        Phase.AUTHORISING: State.WAIT_AUTH,
    }
)

#: Requests whose layout is not published (psp.md 9, A33).
UNKNOWN_LAYOUTS: Final = frozenset(
    {
        Name.SELECT_LANGUAGE,
        Name.GET_RECEIPT,
        Name.GET_TRANSACTION_RECORD,
        Name.GET_CONNECTION_INFO,
        Name.PROP_CARD_EXCHANGE,
        Name.MIFARE,
        Name.READ_FILE,
    }
)

Trigger = Name | Happening
Cell = Phase | Fate
_Cells = tuple[Cell, ...]
Table = Mapping[tuple[Phase, Trigger], Cell]

_N, _H, _P = Name, Happening, Phase
_OFF, _ON, _DIS, _ENA = _P.OFFLINE, _P.ONLINE, _P.DISABLED, _P.ENABLED
_CARD, _AUTH, _BUSY = _P.WAIT_CARD, _P.WAIT_AUTH, _P.AUTHORISING
_NO, _IGN = Fate.REFUSED, Fate.IGNORED

# fmt: off
_ROWS: Final[Mapping[Trigger, _Cells]] = {
    #                             OFFLINE ONLINE DISABLED ENABLED WAIT_CARD WAIT_AUTH AUTHORISING
    _N.GET_STATUS:               (_OFF,   _ON,   _DIS,    _ENA,   _CARD,    _AUTH,    _BUSY),
    _N.SELECT_LANGUAGE:          (_OFF,   _ON,   _DIS,    _ENA,   _CARD,    _AUTH,    _NO),
    _N.SYNCHRONIZE:              (_ON,    _ON,   _ON,     _ON,    _ON,      _ON,      _ON),
    _N.RESET:                    (_OFF,   _OFF,  _OFF,    _OFF,   _OFF,     _OFF,     _OFF),
    _N.PROTOCOL:                 (_NO,    _ON,   _NO,     _NO,    _NO,      _NO,      _NO),
    _N.SETUP:                    (_NO,    _DIS,  _NO,     _NO,    _NO,      _NO,      _NO),
    _N.ENABLE:                   (_NO,    _NO,   _ENA,    _ENA,   _NO,      _NO,      _NO),
    _N.DISABLE:                  (_NO,    _NO,   _DIS,    _DIS,   _NO,      _NO,      _NO),
    _N.START_SESSION:            (_NO,    _NO,   _NO,     _CARD,  _NO,      _NO,      _NO),
    _N.READ_CARD:                (_NO,    _NO,   _NO,     _CARD,  _NO,      _NO,      _NO),
    _N.AUTH_SESSION:             (_NO,    _NO,   _NO,     _NO,    _NO,      _BUSY,    _NO),
    _N.CANCEL_SESSION:           (_NO,    _NO,   _NO,     _NO,    _ENA,     _ENA,     _NO),
    _N.VOID_SESSION:             (_NO,    _NO,   _DIS,    _ENA,   _CARD,    _AUTH,    _NO),
    _N.COMMIT_SESSION:           (_NO,    _NO,   _DIS,    _ENA,   _CARD,    _AUTH,    _NO),
    _N.GET_RECEIPT:              (_NO,    _NO,   _DIS,    _ENA,   _CARD,    _AUTH,    _NO),
    _N.UI_REQUEST:               (_NO,    _NO,   _NO,     _ENA,   _CARD,    _AUTH,    _NO),
    _N.REMOVE_SESSIONS:          (_NO,    _NO,   _NO,     _ENA,   _NO,      _NO,      _NO),
    _N.UPDATE_SESSION:           (_NO,    _NO,   _DIS,    _ENA,   _CARD,    _AUTH,    _NO),
    _N.ADD_TRANSACTION_CONTEXT:  (_NO,    _NO,   _DIS,    _ENA,   _CARD,    _AUTH,    _NO),
    _N.GET_TRANSACTION_RECORD:   (_NO,    _NO,   _DIS,    _ENA,   _CARD,    _AUTH,    _NO),
    _N.LIST_SESSIONS:            (_NO,    _NO,   _DIS,    _ENA,   _CARD,    _AUTH,    _NO),
    _N.REQUEST_IDS:              (_NO,    _ON,   _DIS,    _ENA,   _CARD,    _AUTH,    _NO),
    _N.GET_CONNECTION_INFO:      (_NO,    _ON,   _DIS,    _ENA,   _CARD,    _AUTH,    _NO),
    _N.CONTROL:                  (_NO,    _ON,   _DIS,    _ENA,   _CARD,    _AUTH,    _NO),
    _N.READ_FILE:                (_NO,    _ON,   _DIS,    _ENA,   _CARD,    _AUTH,    _NO),
    _N.PROP_CARD_EXCHANGE:       (_NO,    _NO,   _NO,     _NO,    _NO,      _AUTH,    _NO),
    _N.MIFARE:                   (_NO,    _NO,   _NO,     _NO,    _NO,      _AUTH,    _NO),
    _H.CARD_READ:                (_IGN,   _IGN,  _IGN,    _IGN,   _AUTH,    _IGN,     _IGN),
    _H.READ_EXPIRED:             (_IGN,   _IGN,  _IGN,    _IGN,   _ENA,     _IGN,     _IGN),
    _H.READ_LOST:                (_IGN,   _IGN,  _IGN,    _IGN,   _ENA,     _IGN,     _IGN),
    _H.CARD_DROPPED:             (_IGN,   _IGN,  _IGN,    _IGN,   _IGN,     _ENA,     _IGN),
    _H.DECIDED:                  (_IGN,   _IGN,  _IGN,    _IGN,   _IGN,     _IGN,     _ENA),
    _H.LINE_LOST:                (_OFF,   _OFF,  _OFF,    _OFF,   _OFF,     _OFF,     _OFF),
    _H.POWER_LOST:               (_OFF,   _OFF,  _OFF,    _OFF,   _OFF,     _OFF,     _OFF),
}

_ANYWHERE: Final[_Cells] =       (_OFF,   _ON,   _DIS,    _ENA,   _CARD,    _AUTH,    _NO)

#: (switch of the profile, its value) -> the rows that hold instead.
VARIANTS: Final[Mapping[tuple[str, str], Mapping[Trigger, _Cells]]] = {
    ("synchronize_while_reading", "refuse"): {
        _N.SYNCHRONIZE:          (_ON,    _ON,   _ON,     _ON,    _NO,      _NO,      _NO),
    },
    ("setup_states", "also_set_up"): {
        _N.SETUP:                (_NO,    _DIS,  _DIS,    _DIS,   _NO,      _NO,      _NO),
    },
    ("undocumented_states", "any"): dict.fromkeys((
        _N.UPDATE_SESSION, _N.ADD_TRANSACTION_CONTEXT, _N.GET_TRANSACTION_RECORD, _N.LIST_SESSIONS,
        _N.REQUEST_IDS, _N.GET_CONNECTION_INFO, _N.CONTROL, _N.READ_FILE,
    ), _ANYWHERE),
}
# fmt: on


@lru_cache(maxsize=64)
def _flat(chosen: tuple[tuple[str, str], ...]) -> Table:
    rows = dict(_ROWS)
    for choice in chosen:
        rows.update(VARIANTS[choice])
    return MappingProxyType(
        {
            (phase, trigger): cell
            for trigger, cells in rows.items()
            for phase, cell in zip(Phase, cells, strict=True)
        }
    )


def _switches() -> Mapping[Trigger, frozenset[str]]:
    found: dict[Trigger, frozenset[str]] = {}
    for (switch, _), rows in VARIANTS.items():
        for trigger in rows:
            found[trigger] = found.get(trigger, frozenset()) | {switch}
    return MappingProxyType(found)


#: The switches that choose a trigger's row; absent: none does.
SWITCHES: Final = _switches()


def transitions(profile: Profile) -> Table:
    """The whole table under one reading of the open questions.

    Who uses a row notes its ``SWITCHES``.
    """
    profile = profile.plain()
    return _flat(
        tuple(choice for choice in VARIANTS if getattr(profile, choice[0]) == choice[1])
    )
