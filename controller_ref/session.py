"""One session: everything the controller knows about a driver's money.

The fields are the columns of the ledger; only whole numbers, flags and text, so that an
operator can read the file with any SQLite tool. Calendar times (``..._wall_ms``) are
milliseconds since 1970; within one boot they move with the monotonic clock, so that a
step of the calendar clock cannot reach them (R-RTY-08).
"""

from dataclasses import dataclass
from enum import StrEnum

from controller_ref.transitions import LIVE, Event, State, after


class Op(StrEnum):
    """How a session ends; decided once."""

    NONE = ""
    COMMIT = "commit"
    RELEASE = "release"


@dataclass(slots=True, kw_only=True)
class Session:
    """A row of the ledger. ``key`` is ours, ``session_id`` the terminal's."""

    key: int
    state: State
    #: False: started with the operator's own card; no money is held.
    is_paid: bool = True
    session_id: str = ""
    card_id: str = ""
    masked_pan: str = ""
    requested_minor: int = 0
    #: What the issuer guarantees; the charge ends before it costs more.
    limit_minor: int = 0
    may_raise: bool = True
    #: 1..32; 0 while not bound to a connector.
    connector: int = 0
    opened_wall_ms: int = 0
    plugged_wall_ms: int = 0
    #: The contactor has been told to close: from now on energy may flow.
    is_commanded: bool = False
    #: Register of the meter at the last reading that was believed.
    register_wh: int = 0
    metered_wall_ms: int = 0
    energy_wh: int = 0
    energised_ms: int = 0
    #: Up to when ``energised_ms`` has been counted; 0 while the contactor is open.
    energised_wall_ms: int = 0
    is_meter_doubted: bool = False
    #: When the link to the charger was lost; 0 while it is up.
    lost_wall_ms: int = 0
    reason: str = ""
    op: Op = Op.NONE
    amount_minor: int = 0
    attempts: int = 0
    attempted_wall_ms: int = 0
    due_wall_ms: int = 0
    #: The last attempt was an extra one, after a boot or a reconnect.
    was_free: bool = False
    #: An attempt has been handed to the terminal and not been answered.
    is_in_flight: bool = False
    #: An attempt of ours may have counted although nobody said so.
    is_maybe_done: bool = False
    was_not_known: bool = False
    outcome: str = ""
    #: Data for the receipt, as JSON (R-UI-04).
    receipt: str = "{}"

    def apply(self, event: Event) -> bool:
        """Move by the table; True when the state has changed."""
        before, self.state = self.state, after(self.state, event)
        return self.state is not before

    @property
    def is_live(self) -> bool:
        return self.state in LIVE
