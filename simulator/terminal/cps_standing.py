"""How the terminal stands in the cloud: state, online, and who hears about a change.

``Standing`` moves by the transition table and nowhere else, and turns a refusal of the
table into a status by ``Policy``. While PSP has the reader, the cloud sees it reading:
there is one reader (ASSUMPTION).
"""

from collections.abc import Mapping
from typing import Final

from simulator.terminal.cps_account import Account
from simulator.terminal.cps_answers import Answers
from simulator.terminal.cps_transitions import (
    TRANSITIONS,
    CpsEvent,
    CpsFate,
    CpsState,
)
from simulator.terminal.device import Device
from simulator.terminal.reader import ReaderState
from wire.cps import ErrorText, Response, TerminalInfo

_READER_STATES: Final[Mapping[ReaderState, CpsState]] = {
    ReaderState.WAITING: CpsState.READING,
    ReaderState.HOLDING: CpsState.CARD,
    ReaderState.AUTHORISING: CpsState.AUTHORIZING,
}


class Standing:
    """State and connection of the terminal, as the cloud knows them."""

    def __init__(self, device: Device, answers: Answers, account: Account) -> None:
        self._device = device
        self._policy = device.settings.cps_policy
        self._answers = answers
        self._account = account
        self.state = CpsState.IDLE
        self._shown = CpsState.IDLE.value
        self._last_known = CpsState.IDLE.value

    @property
    def is_online(self) -> bool:
        """Whether the cloud reaches the terminal."""
        return self.state is not CpsState.OFFLINE

    def info(self) -> TerminalInfo:
        """The terminal as E2 shows it."""
        return TerminalInfo(
            serial_number=self._device.settings.serial_number,
            online=self.is_online,
            state=self._state_name(),
        )

    def move(self, event: CpsEvent) -> None:
        """Enter the state that ``event`` leads to, and tell who wants to know."""
        cell = TRANSITIONS[self.state, event]
        if isinstance(cell, CpsFate):
            return
        was_online = self.is_online
        if cell is CpsState.OFFLINE:
            self._last_known = self._state_name()
        self.state = cell
        info = self.info()
        if info.state != self._shown:
            self._shown = info.state
            self._device.out.note("reader", face="cps", state=info.state)
        self._account.tell(info, online_moved=was_online != self.is_online)

    def refusal(self, event: CpsEvent, now_ms: int) -> Response | None:
        """The answer to what the table refuses; None when it does not."""
        if TRANSITIONS[self.state, event] is not CpsFate.REFUSED:
            return None
        if not self.is_online:
            return self.offline(now_ms)
        if event is CpsEvent.AUTHORIZE:
            status = self._policy.authorize_without_card
            return self._answers.error(status, ErrorText.NO_CARD, now_ms)
        return self._answers.error(409, ErrorText.TERMINAL_BUSY, now_ms)

    def offline(self, now_ms: int) -> Response:
        """The answer to a call that needs the terminal."""
        status = self._policy.offline_status
        return self._answers.error(status, ErrorText.TERMINAL_OFFLINE, now_ms)

    def _state_name(self) -> str:
        state: CpsState = self.state
        if state is CpsState.OFFLINE:
            is_kept = self._policy.offline_state == "last_known"
            return self._last_known if is_kept else CpsState.IDLE.value
        if state is CpsState.IDLE:
            state = self._of_psp()
        if state is CpsState.AUTHORIZING:
            return self._policy.authorizing_state
        return CpsState.IDLE.value if state is CpsState.STARTING else state.value

    def _of_psp(self) -> CpsState:
        order = self._device.reader.order
        if order is None or order.face == "cps":
            return CpsState.IDLE
        return _READER_STATES.get(self._device.reader.state, CpsState.IDLE)
