"""The life of a session, as a table. This file holds nothing else.

Three rules:

- A session exists here before the terminal is asked for it (INTENT): if we die in
  between, the ledger still knows that money may be held.
- Money is only ever decided on in STOPPING, once the charge is known to be over, and
  only once: from CLOSING there is no way to another decision. The one exception is an
  explicit refusal of the amount (REFUSED), which keeps the session where it is.
- CLOSED needs a confirmation. The two other ends, EXHAUSTED and DISPUTED, keep the
  record and have raised an alarm.

Every (state, event) pair is decided: a next state, ``IGNORED`` on purpose, or a refusal
(``None``), which is a mistake of our own and raises.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class State(StrEnum):
    #: Authorisation about to be asked for, or asked for.
    INTENT = "intent"
    #: As INTENT, but the driver has given up: an approval is released at once.
    UNWANTED = "unwanted"
    #: No answer came: the money may be held under an id that we do not know.
    UNRESOLVED = "unresolved"
    #: Nobody can tell us any more; the operator has been told.
    LOST = "lost"
    DECLINED = "declined"
    #: Approved; waiting for a vehicle.
    RESERVED = "reserved"
    #: A vehicle is there; lock and contactor are being driven.
    STARTING = "starting"
    CHARGING = "charging"
    #: The contactor is being opened, or the last meter reading awaited.
    STOPPING = "stopping"
    #: Operation and amount are decided and written down; being tried.
    CLOSING = "closing"
    CLOSED = "closed"
    #: All attempts failed.
    EXHAUSTED = "exhausted"
    #: The terminal does not know the session, and it was not us who closed it.
    DISPUTED = "disputed"


class Event(StrEnum):
    APPROVED = "approved"
    DECLINED = "declined"
    NO_ANSWER = "no_answer"
    #: Nothing more can be found out about an authorisation.
    GIVEN_UP = "given_up"
    VEHICLE_READY = "vehicle_ready"
    ENERGISED = "energised"
    #: Any reason to end: driver, vehicle, charger, window.
    STOP = "stop"
    #: The charge is over, or the charger declared unreachable; the amount is known.
    DECIDED = "decided"
    #: The amount was refused in so many words.
    REFUSED = "refused"
    CONFIRMED = "confirmed"
    GAVE_OUT = "gave_out"
    NOT_KNOWN = "not_known"


IGNORED: Final = "ignored"
Next = State | str | None

_S = State
_I = IGNORED
_N: Final = None

# fmt: off
# ruff: noqa: E501
_COLUMNS: Final = tuple(Event)
_ROWS: Final[Mapping[State, tuple[Next, ...]]] = {
    #               APPROVED      DECLINED     NO_ANSWER      GIVEN_UP  VEHICLE_READY  ENERGISED    STOP         DECIDED     REFUSED     CONFIRMED  GAVE_OUT      NOT_KNOWN
    _S.INTENT:     (_S.RESERVED, _S.DECLINED, _S.UNRESOLVED, _N,       _N,            _N,          _S.UNWANTED, _N,         _N,         _N,        _N,           _N),
    _S.UNWANTED:   (_S.STOPPING, _S.DECLINED, _S.UNRESOLVED, _N,       _N,            _N,          _I,          _N,         _N,         _N,        _N,           _N),
    _S.UNRESOLVED: (_S.STOPPING, _S.DECLINED, _I,            _S.LOST,  _N,            _N,          _I,          _N,         _N,         _N,        _N,           _N),
    _S.LOST:       (_S.STOPPING, _S.DECLINED, _I,            _I,       _N,            _N,          _I,          _N,         _N,         _N,        _N,           _N),
    _S.DECLINED:   (_S.STOPPING, _I,          _I,            _I,       _N,            _N,          _I,          _N,         _N,         _N,        _N,           _N),
    _S.RESERVED:   (_I,          _N,          _I,            _N,       _S.STARTING,   _N,          _S.STOPPING, _N,         _N,         _N,        _N,           _N),
    _S.STARTING:   (_I,          _N,          _I,            _N,       _I,            _S.CHARGING, _S.STOPPING, _N,         _N,         _N,        _N,           _N),
    _S.CHARGING:   (_I,          _N,          _I,            _N,       _I,            _I,          _S.STOPPING, _N,         _N,         _N,        _N,           _N),
    _S.STOPPING:   (_I,          _N,          _I,            _N,       _I,            _I,          _I,          _S.CLOSING, _N,         _N,        _N,           _N),
    _S.CLOSING:    (_I,          _N,          _I,            _N,       _I,            _I,          _I,          _N,         _S.CLOSING, _S.CLOSED, _S.EXHAUSTED, _S.DISPUTED),
    _S.CLOSED:     (_I,          _N,          _I,            _N,       _I,            _I,          _I,          _N,         _I,         _I,        _I,           _I),
    _S.EXHAUSTED:  (_I,          _N,          _I,            _N,       _I,            _I,          _I,          _N,         _I,         _S.CLOSED, _I,           _I),
    _S.DISPUTED:   (_I,          _N,          _I,            _N,       _I,            _I,          _I,          _N,         _I,         _S.CLOSED, _I,           _I),
}
TRANSITIONS: Final[Mapping[tuple[State, Event], Next]] = {
    (state, event): after
    for state, row in _ROWS.items()
    for event, after in zip(_COLUMNS, row, strict=True)
}
# fmt: on

#: No session id, so nothing that could be closed.
NO_MONEY_KNOWN: Final = (_S.INTENT, _S.UNWANTED, _S.UNRESOLVED, _S.LOST, _S.DECLINED)
#: A driver is being served: approved, and not yet handed to the closing.
LIVE: Final = (_S.RESERVED, _S.STARTING, _S.CHARGING, _S.STOPPING)
#: Nothing more happens by itself.
FINAL: Final = (_S.LOST, _S.DECLINED, _S.CLOSED, _S.EXHAUSTED, _S.DISPUTED)


class RefusedTransitionError(AssertionError):
    """Our own mistake: this event cannot concern a session in this state."""


def after(state: State, event: Event) -> State:
    """The state that follows; the same state when the event is ignored on purpose."""
    found = TRANSITIONS[state, event]
    if found is None:
        raise RefusedTransitionError(f"session: found {event} in state {state}")
    return state if found == IGNORED else State(found)
