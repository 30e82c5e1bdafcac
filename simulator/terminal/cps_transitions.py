"""The CPS side of the terminal as a table: (state, event) -> next state.

Every pair is decided: a state is entered, the event is refused (the caller gets an
error status), or it is ignored on purpose (an event of a read that is over). Being
offline is a row of its own here, although CPS shows it beside the state (cps.md 2, E2).
Clause: cps.md 3; what is refused with which status is in ``wire.cps.Policy``.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class CpsState(StrEnum):
    """What the terminal does, as the cloud sees it."""

    OFFLINE = "OFFLINE"
    IDLE = "IDLE"
    #: A start was accepted; the screen does not show it yet.
    STARTING = "STARTING"
    READING = "READING"
    CARD = "CARD"
    AUTHORIZING = "AUTHORIZING"


class CpsEvent(StrEnum):
    """What can happen to it."""

    START = "start"
    STOP = "stop"
    AUTHORIZE = "authorize"
    SHOW = "ui"
    READING_BEGAN = "reading began"
    CARD_READ = "card read"
    READ_EXPIRED = "read expired"
    CARD_DROPPED = "card dropped"
    DECIDED = "authorisation decided"
    LINE_LOST = "line lost"
    LINE_BACK = "line back"


class CpsFate(StrEnum):
    """A pair that enters no state."""

    REFUSED = "refused"
    IGNORED = "ignored"


_E, _S = CpsEvent, CpsState
_OFF, _IDLE, _STRT = _S.OFFLINE, _S.IDLE, _S.STARTING
_READ, _CARD, _AUTH = _S.READING, _S.CARD, _S.AUTHORIZING
_NO, _IGN = CpsFate.REFUSED, CpsFate.IGNORED

# fmt: off
_ROWS: Final[Mapping[CpsEvent, tuple[CpsState | CpsFate, ...]]] = {
    #                 OFFLINE IDLE   STARTING READING CARD   AUTHORIZING
    _E.START:         (_NO,   _STRT, _NO,     _NO,    _NO,   _NO),
    _E.STOP:          (_NO,   _IDLE, _IDLE,   _IDLE,  _IDLE, _NO),
    _E.AUTHORIZE:     (_NO,   _NO,   _NO,     _NO,    _AUTH, _NO),
    _E.SHOW:          (_NO,   _IDLE, _NO,     _NO,    _NO,   _NO),
    _E.READING_BEGAN: (_IGN,  _IGN,  _READ,   _IGN,   _IGN,  _IGN),
    _E.CARD_READ:     (_IGN,  _IGN,  _IGN,    _CARD,  _IGN,  _IGN),
    _E.READ_EXPIRED:  (_IGN,  _IGN,  _IGN,    _IDLE,  _IGN,  _IGN),
    _E.CARD_DROPPED:  (_IGN,  _IGN,  _IGN,    _IGN,   _IDLE, _IGN),
    _E.DECIDED:       (_IGN,  _IGN,  _IGN,    _IGN,   _IGN,  _IDLE),
    _E.LINE_LOST:     (_IGN,  _OFF,  _OFF,    _OFF,   _OFF,  _OFF),
    _E.LINE_BACK:     (_IDLE, _IGN,  _IGN,    _IGN,   _IGN,  _IGN),
}
# fmt: on

TRANSITIONS: Final[Mapping[tuple[CpsState, CpsEvent], CpsState | CpsFate]] = (
    MappingProxyType(
        {
            (state, event): cell
            for event, cells in _ROWS.items()
            for state, cell in zip(CpsState, cells, strict=True)
        }
    )
)
