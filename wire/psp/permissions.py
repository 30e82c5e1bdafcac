# ruff: noqa: E501
"""Which request a terminal accepts in which state (psp.md 3.3, A29 to A31).

One row per request, one letter per state, in the order of ``State``. Capitals are
published (DOC), small letters are inferred (INF), ``+`` and ``-`` are assumed:

    Y y +   accepted
    N n -   refused: Result Not OK, with reason 0x05 when detailed codes are on

A refusal under ``-`` or an acceptance under ``+`` must never be reported as Payter's
demand. ``leads_to`` is the state after an accepted request, before anything else
happens; None: the request does not change it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wire.psp.codes import Mark, State
from wire.psp.message import Name
from wire.psp.profile import Profile, SwitchValue

_ACCEPTED: Final = "Yy+"
_MARKS: Final[Mapping[str, Mark]] = {
    "Y": Mark.DOC,
    "N": Mark.DOC,
    "y": Mark.INF,
    "n": Mark.INF,
    "+": Mark.ASSUMPTION,
    "-": Mark.ASSUMPTION,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One row: ``states`` has a letter for OFFLINE, ONLINE, DISABLED, ENABLED, ..."""

    states: str
    leads_to: State | None = None
    #: (switch, value): under this value of the profile ``else_states`` holds instead.
    switch: tuple[str, SwitchValue] | None = None
    else_states: str = ""
    note: str = ""

    def mark(self, state: State) -> Mark:
        """How sure the decision for this state is."""
        return _MARKS[self.states[_COLUMN[state]]]

    def accepts(self, state: State, profile: Profile) -> bool:
        letters = self.states
        if self.switch and getattr(profile, self.switch[0]) == self.switch[1]:
            letters = self.else_states
        return letters[_COLUMN[state]] in _ACCEPTED


_COLUMN: Final[Mapping[State, int]] = {state: at for at, state in enumerate(State)}
_ANY: Final = ("undocumented_states", "any")
_OFFLINE: Final = State.OFFLINE
_ENABLED: Final = State.ENABLED
_WAIT_CARD: Final = State.WAIT_CARD

# fmt: off
PERMISSION_ROWS: Final[Mapping[Name, Permission]] = {
    #                                              OFFLINE ONLINE DISABLED ENABLED WAIT_CARD WAIT_AUTH
    Name.GET_STATUS: Permission(states="YYYYYY"),
    Name.SELECT_LANGUAGE: Permission(states="YYYYYY"),
    Name.SYNCHRONIZE: Permission(states="Yyyy++", leads_to=State.ONLINE, switch=("synchronize_while_reading", "refuse"), else_states="Yyyy--", note="A29: cancels a read, keeps sessions"),
    Name.RESET: Permission(states="+yyyyy", leads_to=_OFFLINE),
    Name.PROTOCOL: Permission(states="NYNNNN"),
    Name.SETUP: Permission(states="NY--NN", leads_to=State.DISABLED, switch=("setup_states", "also_set_up"), else_states="NY++NN", note="A30"),
    Name.ENABLE: Permission(states="NNYY--", leads_to=_ENABLED),
    Name.DISABLE: Permission(states="NNYY--", leads_to=State.DISABLED),
    Name.START_SESSION: Permission(states="NNNYNN", leads_to=_WAIT_CARD),
    Name.READ_CARD: Permission(states="NNNYNN", leads_to=_WAIT_CARD, note="EV Charge mode hints at WAIT_AUTH; how to turn it on is not published"),
    Name.AUTH_SESSION: Permission(states="NNNNNY", note="ENABLED once answered"),
    Name.CANCEL_SESSION: Permission(states="NNNNYY", leads_to=_ENABLED),
    Name.VOID_SESSION: Permission(states="NNYYYY"),
    Name.COMMIT_SESSION: Permission(states="NNYYYY"),
    Name.GET_RECEIPT: Permission(states="NNYYYY"),
    Name.UI_REQUEST: Permission(states="NNNYYY", note="hidden in WAIT_CARD and WAIT_AUTH"),
    Name.REMOVE_SESSIONS: Permission(states="NNNYNN"),
    Name.UPDATE_SESSION: Permission(states="--++++", switch=_ANY, else_states="++++++", note="A31: as Commit Session"),
    Name.ADD_TRANSACTION_CONTEXT: Permission(states="--++++", switch=_ANY, else_states="++++++", note="A31: as Commit Session"),
    Name.GET_TRANSACTION_RECORD: Permission(states="--++++", switch=_ANY, else_states="++++++", note="A31: as Commit Session"),
    Name.LIST_SESSIONS: Permission(states="--++++", switch=_ANY, else_states="++++++", note="A31: as Commit Session"),
    Name.REQUEST_IDS: Permission(states="-+++++", switch=_ANY, else_states="++++++", note="A31"),
    Name.GET_CONNECTION_INFO: Permission(states="-+++++", switch=_ANY, else_states="++++++", note="A31"),
    Name.CONTROL: Permission(states="-+++++", switch=_ANY, else_states="++++++", note="A31"),
    Name.READ_FILE: Permission(states="-+++++", switch=_ANY, else_states="++++++", note="not in A31; treated like Request Ids"),
    Name.PROP_CARD_EXCHANGE: Permission(states="nnnnny", note="after Proprietary Card Read"),
    Name.MIFARE: Permission(states="nnnnny", note="after Proprietary Card Read"),
}
# fmt: on

#: Request -> states that accept it under the default profile.
PERMISSIONS: Final[Mapping[Name, frozenset[State]]] = {
    name: frozenset(state for state in State if row.accepts(state, Profile()))
    for name, row in PERMISSION_ROWS.items()
}


def is_permitted(name: Name, state: State, profile: Profile) -> bool:
    """Whether a request is accepted in a state; what is no request never is."""
    row = PERMISSION_ROWS.get(name)
    return row is not None and row.accepts(state, profile)
