"""The forecourt: terminal, card issuer and station, and the lines between them.

The forecourt owns the three machines and carries facts from one to another: a terminal
asks the issuer over its host link, a driver's tap goes to the terminal, a plug to the
station. What concerns the controller leaves through ``Outbox``; what comes from it
enters through the methods of the same names. Nobody else knows who is connected to
whom.

All times are virtual or wall milliseconds from the kernel's clock; chance comes from
the seed's named streams, so a machine that draws more does not disturb another.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Never, Protocol, assert_never

from simulator import events
from simulator.issuer import Issuer
from simulator.kernel import Kernel, Seat
from simulator.seed import Seed
from simulator.station import Event as StationEvent
from simulator.station import Station, StationSettings
from simulator.terminal import (
    Terminal,
    TerminalAction,
    TerminalEvent,
    TerminalSettings,
)
from simulator.trace import Trace
from wire.cps import Request, Response

#: One way from the terminal to the payment host; the issuer's own time comes on top.
HOST_LINE_MS: Final = 40


class Outbox(Protocol):
    """Where the forecourt sends what the controller is to receive."""

    def psp_out(self, data: bytes) -> None:
        """Bytes from the terminal."""

    def psp_hang_up(self, reason: str) -> None:
        """The terminal closes the connection."""

    def cloud_answer(self, call: int, response: Response) -> None:
        """The payment cloud answers a call."""

    def callback(
        self, what: Literal["card", "ui", "session", "state"], url: str, body: bytes
    ) -> None:
        """The payment cloud posts to the controller."""

    def bay_out(self, data: bytes) -> None:
        """One line from the charger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecourtSettings:
    terminal: TerminalSettings
    station: StationSettings


class Forecourt:
    """See the module's text. ``outbox`` is set by whoever connects a controller."""

    def __init__(
        self, settings: ForecourtSettings, *, kernel: Kernel, trace: Trace, seed: Seed
    ) -> None:
        self.kernel = kernel
        self.trace = trace
        self.outbox: Outbox | None = None
        self._settings = settings
        #: Counts the sets of machines; what an old one has sent reaches no new one.
        self._era = 0
        self._seats: tuple[Seat[Never, object], ...] = ()
        self.start_over(seed)

    def start_over(self, seed: Seed) -> None:
        """New machines with the same settings; never while the kernel runs.

        The kernel's time goes on. Another seed gives other ids, which is what keeps a
        controller that remembers the sessions of before from mistaking a new one.
        """
        terminal, kernel = self._settings.terminal, self.kernel
        for seat in self._seats:
            kernel.remove(seat)
        self._era += 1
        self.terminal = Terminal(terminal, ids=seed.stream("terminal"))
        self.issuer = Issuer(seed.stream("issuer"), family=terminal.family)
        self.station = Station(self._settings.station)
        self.host_link_up = True
        #: Answers of the host that wait for the line to come back.
        self._held_up: list[events.IssuerAnswered] = []
        self._terminal_seat = Seat(self.terminal, self._take_terminal)
        self._issuer_seat = Seat(self.issuer, self._take_issuer)
        self._station_seat = Seat(self.station, self._take_station)
        self._seats = (self._terminal_seat, self._issuer_seat, self._station_seat)
        for seat in self._seats:
            kernel.add(seat)

    # --- facts in ---------------------------------------------------------------

    def tell_terminal(self, event: TerminalEvent) -> None:
        """Hand one fact to the terminal now."""
        self._terminal_seat.hand(event, self.kernel.now_ms)

    def change_terminal(self, change: Callable[[Terminal], object]) -> None:
        """Do what no fact says to the terminal; what follows is taken from now on."""
        # Woken first, so that it knows what time it is.
        self._terminal_seat.wake(self.kernel.now_ms)
        change(self.terminal)
        self._terminal_seat.refresh()

    def tell_station(self, event: StationEvent) -> None:
        """Hand one fact to the charger now."""
        self._station_seat.hand(event, self.kernel.now_ms)

    def call_cloud(self, call: int, request: Request) -> None:
        """A request of the controller reaches the payment cloud."""
        self.tell_terminal(events.CloudCalled(call=call, request=request))

    def hang_up_cloud(self, call: int) -> None:
        """The controller no longer waits for the answer to a call."""
        self.tell_terminal(events.CloudHungUp(call=call))

    def move_host_link(self, *, up: bool) -> None:
        """The terminal's line to its payment host goes up or down."""
        self.host_link_up = up
        self.note(
            events.Note(
                kind="link",
                fields={"link": "host", "state": "up" if up else "down"},
            )
        )
        self.tell_terminal(events.HostLinkMoved(up=up))
        held_up, self._held_up = self._held_up, []
        for answer in held_up:
            self._answer_terminal(answer)

    # --- actions out ------------------------------------------------------------

    def note(self, note: events.Note) -> None:
        """Append a machine's note to the trace."""
        self.trace.append(self.kernel.now_ms, note.kind, note.fields)

    def _take_terminal(self, actions: Sequence[TerminalAction]) -> None:
        """Carry the terminal's actions to whom they concern."""
        for action in actions:
            match action:
                case events.Note():
                    self.note(action)
                case (
                    events.Authorise()
                    | events.Increment()
                    | events.Capture()
                    | events.Release()
                ):
                    self._ask_issuer(action)
                case _:
                    self._leave(action)

    def _leave(
        self,
        action: events.PspToHost
        | events.PspHangUp
        | events.CloudAnswer
        | events.PostCallback,
    ) -> None:
        if self.outbox is None:
            return
        match action:
            case events.PspToHost():
                self.outbox.psp_out(action.data)
            case events.PspHangUp():
                self.outbox.psp_hang_up(action.reason)
            case events.CloudAnswer():
                self.outbox.cloud_answer(action.call, action.response)
            case events.PostCallback():
                self.outbox.callback(action.what, action.url, action.body)
            case _:
                assert_never(action)

    def _ask_issuer(
        self,
        question: events.Authorise | events.Increment | events.Capture | events.Release,
    ) -> None:
        def arrive() -> None:
            self._issuer_seat.hand(question, self.kernel.now_ms)

        if self.host_link_up:
            self._over_host_line(arrive)

    def _over_host_line(self, arrive: Callable[[], None]) -> None:
        era = self._era

        def arrive_there() -> None:
            if era == self._era:
                arrive()

        self.kernel.at(self.kernel.now_ms + HOST_LINE_MS, arrive_there)

    def _take_issuer(
        self, actions: Sequence[events.Note | events.IssuerAnswered]
    ) -> None:
        """Notes to the trace, answers to the terminal after the line's delay."""
        for action in actions:
            if isinstance(action, events.Note):
                self.note(action)
            else:
                self._answer_terminal(action)

    def _answer_terminal(self, answer: events.IssuerAnswered) -> None:
        def arrive() -> None:
            if self.host_link_up:
                self.tell_terminal(answer)
            else:
                self._held_up.append(answer)

        self._over_host_line(arrive)

    def _take_station(
        self, actions: Sequence[events.Note | events.BayToController]
    ) -> None:
        """Notes to the trace, lines to the controller."""
        for action in actions:
            if isinstance(action, events.Note):
                self.note(action)
            elif self.outbox is not None:
                self.outbox.bay_out(action.data)
