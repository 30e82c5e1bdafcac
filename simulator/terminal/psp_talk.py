"""The PSP conversation: which phase it is in, and what is said into the line.

``Talk`` moves by the transition table and nowhere else. The commands (``psp_face``,
``psp_reads``, ``psp_sessions``) decide what to say; this is how it is said.
"""

from collections.abc import Callable

from simulator.terminal.device import Device
from simulator.terminal.psp_line import PspLine
from simulator.terminal.psp_transitions import (
    STATES,
    SWITCHES,
    Cell,
    Fate,
    Phase,
    Trigger,
    transitions,
)
from wire.psp import (
    OPTIONS_OF,
    Message,
    Name,
    Option,
    Reason,
    ResultCode,
    State,
    TransactionEvent,
    message,
)


class Talk:
    """Phase, line and agreed options of one conversation."""

    def __init__(self, device: Device, is_owing: Callable[[], bool]) -> None:
        self._out = device.out
        self._family = device.settings.family
        self._profile = device.settings.psp_profile
        self._table = transitions(self._profile)
        self.line = PspLine(
            device.settings, out=device.out, faults=device.faults, is_owing=is_owing
        )
        self.phase = Phase.OFFLINE
        self._has_events = False

    @property
    def state(self) -> State:
        """What Get Status says."""
        return STATES[self.phase]

    # --- Moving -----------------------------------------------------------------

    def cell(self, trigger: Trigger) -> Cell:
        """What the table says about ``trigger`` now."""
        if trigger in SWITCHES:
            self._profile.note(SWITCHES[trigger])
        if trigger is Name.READ_FILE_RESPONSE:
            # A message of the host's where the terminal sends Read File (C15). This
            # terminal never does, so nothing is answered by it.
            return Fate.REFUSED
        return self._table[self.phase, trigger]

    def move(self, trigger: Trigger) -> bool:
        """Enter the phase that ``trigger`` leads to; False when it leads nowhere."""
        cell = self.cell(trigger)
        if isinstance(cell, Fate):
            return False
        if STATES[cell] is not STATES[self.phase]:
            self._out.note("reader", face="psp", state=STATES[cell].name)
        self.phase = cell
        return True

    # --- Speaking ---------------------------------------------------------------

    def say(self, words: Message, answers: Name | None, now_ms: int) -> None:
        """Send a message; ``answers`` names the request, None for what comes alone."""
        self.line.send(words, answers, now_ms)

    def refuse(self, reason: Reason, answers: Name | None, now_ms: int) -> None:
        """Result Not OK; the reason is seen with detailed codes only."""
        words = message(Name.RESULT, result=ResultCode.NOT_OK, reason=reason)
        self.line.send(words, answers, now_ms)

    def event(self, event: TransactionEvent, now_ms: int) -> None:
        """A step of the payment flow, if the host has asked for these (option 1)."""
        if self._has_events:
            words = message(Name.TRANSACTION_EVENT, event=event)
            self.line.send(words, None, now_ms)

    # --- Agreeing ---------------------------------------------------------------

    def agree(self, options: int, version: int) -> None:
        """Protocol: what the family does not have stays off (A35)."""
        self._has_events = bool(options & OPTIONS_OF[self._family] & Option.EVENTS)
        self.line.agree(options, version)

    def fall_back(self, *, online: bool) -> None:
        """As by a Synchronize, or a Reset, that nobody has sent."""
        self.move(Name.RESET)
        if online:
            # From there in every reading of the states for Synchronize (A29).
            self.move(Name.SYNCHRONIZE)
        else:
            self.start_over()

    def speak_extended(self) -> bool:
        """As if the host had asked for it; False: this family does not have it."""
        option = OPTIONS_OF[self._family] & Option.EXTENDED
        if option:
            self.line.extend()
        return bool(option)

    def start_over(self) -> None:
        """Classic blocks, no options: as after power-on."""
        self._has_events = False
        self.line.restore()
