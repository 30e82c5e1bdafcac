"""The controller: one machine that hands facts to its parts and collects actions.

Order matters in one place only. Whatever a part wants to leave the controller goes into
one list, in the order in which it was decided; and everything that has to be durable
has been written, in the same call, before the action that depends on it is returned.

Nothing here knows PSP, CPS or the bay link.
"""

from collections.abc import Sequence
from typing import assert_never

from controller_ref.charger_facts import ChargerFacts
from controller_ref.charger_side import ChargerSide, Line
from controller_ref.charging import Charging
from controller_ref.closing import Closing
from controller_ref.cps_side import CpsSide
from controller_ref.desk import Desk
from controller_ref.ledger import Ledger, restore
from controller_ref.port import (
    Approved,
    AuthorisationOver,
    CardRead,
    CloseAnswered,
    Declined,
    LimitAnswered,
    Lost,
    NoAnswer,
    OpenSessions,
    Ready,
    Report,
    TerminalPort,
    Trouble,
)
from controller_ref.psp_side import PspSide
from controller_ref.psp_traits import TRAITS
from controller_ref.reception import Reception
from controller_ref.recovery import Recovery
from controller_ref.settings import Settings, from_declaration
from controller_ref.timers import For
from wire.machine import Action, Controller, Fact, Place, Started, earliest


class Core:
    """Meets ``wire.machine.Controller``."""

    def __init__(self, desk: Desk, out: list[Action]) -> None:
        self._desk = desk
        self._out = out
        self._closing = Closing(desk)
        self._charging = Charging(desk, self._closing)
        self._facts = ChargerFacts(desk, self._charging)
        self._reception = Reception(desk, self._charging, self._closing)
        self._recovery = Recovery(desk, self._closing)
        self._is_started = False
        self._is_down = False
        self._has_terminal = False

    @property
    def is_ready(self) -> bool:
        """The terminal can be used and the charger is there."""
        return self._has_terminal and self._desk.charger.is_up

    def handle(self, event: Fact, now_ms: int) -> Sequence[Action]:
        desk = self._desk
        desk.now_ms = now_ms
        if isinstance(event, Started):
            self._start(event, now_ms)
        elif self._is_started:
            was_up = desk.charger.is_up
            lines = desk.charger.handle(event, now_ms)
            for line in lines:
                self._on_line(line)
            desk.terminal.handle(event, now_ms)
            is_news = lines or desk.terminal.reports or desk.charger.is_up is not was_up
            if not is_news and not self._is_down:
                # Most of what is heard: the terminal is there, and nothing has changed.
                return self._take_actions()
        return self._settle()

    def deadline_ms(self) -> int | None:
        desk = self._desk
        return earliest(
            desk.timers.deadline_ms(),
            desk.charger.deadline_ms(),
            desk.terminal.deadline_ms(),
        )

    def on_deadline(self, now_ms: int) -> Sequence[Action]:
        desk = self._desk
        desk.now_ms = now_ms
        desk.charger.on_deadline(now_ms)
        desk.terminal.on_deadline(now_ms)
        is_news = bool(desk.terminal.reports)
        self._take_reports()
        while (name := desk.timers.pop_due(now_ms)) is not None:
            is_news = True
            self._on_timer(*name)
        if not is_news and not self._is_down:
            # The line is kept alive, or opened again: nothing follows from it.
            return self._take_actions()
        return self._settle()

    def _start(self, started: Started, now_ms: int) -> None:
        """Remember first, then speak: what was open is known before anybody calls."""
        self._is_started = True
        self._desk.boot(started.wall_ms, now_ms)
        self._closing.resume()
        self._facts.resume()
        self._recovery.boot()
        self._desk.charger.begin()
        self._desk.terminal.begin(started.boot, now_ms)

    def _settle(self) -> Sequence[Action]:
        """Let everything that follows happen, then hand out the actions."""
        desk = self._desk
        if self._is_started:
            self._take_reports()
            self._is_down = is_down = self._serves_nobody()
            desk.terminal.stand_down(desk.now_ms, is_down=is_down)
            wanted = not is_down and self._reception.wants_reading()
            desk.terminal.want_reading(desk.now_ms, wanted=wanted)
            self._take_reports()
        return self._take_actions()

    def _take_actions(self) -> Sequence[Action]:
        actions = tuple(self._out)
        self._out.clear()
        return actions

    def _serves_nobody(self) -> bool:
        """Whether the terminal may rest: nothing to read cards for, nothing to keep.

        While a close is overdue no new hold is wanted (see ``closing``), and a station
        that is wholly out of service with no session open has nobody to serve. The line
        is then opened only for what is due, instead of being kept alive.
        """
        if self._closing.is_overdue:
            return True
        return not self._charging.is_in_service() and not self._desk.ledger.open()

    def _take_reports(self) -> None:
        reports = self._desk.terminal.reports
        while reports:
            self._on_report(reports.pop(0))

    def _on_line(self, line: Line) -> None:
        if line["type"] == "press":
            self._reception.on_press(line)
        else:
            self._facts.on_line(line)

    def _on_report(self, report: Report) -> None:
        match report:
            case Ready():
                self._has_terminal = True
                self._recovery.compare()
                self._closing.on_ready()
            case Lost():
                self._has_terminal = False
                self._desk.note(None, "terminal lost")
            case CardRead():
                self._reception.on_card(report)
            case Approved():
                self._reception.on_approved(report)
                self._recovery.look()
            case Declined(is_certain=is_certain):
                session = self._reception.on_declined(is_certain=is_certain)
                self._recovery.question(session)
            case NoAnswer(suspect=suspect):
                session = self._reception.on_no_answer()
                self._recovery.question(session, suspect)
            case AuthorisationOver():
                self._closing.on_authorisation_over()
            case CloseAnswered():
                self._closing.on_answer(report)
                self._reception.on_close_answered()
            case LimitAnswered(session_id=session_id, limit_minor=limit_minor):
                self._charging.on_limit(session_id, limit_minor)
            case OpenSessions(sessions=sessions):
                self._recovery.on_open_sessions(sessions)
            case Trouble(code=code, text=text):
                self._desk.alarm(code, text)
            case _:
                assert_never(report)

    def _on_timer(self, what: For, key: int) -> None:
        match what:
            case For.CLOSE:
                self._closing.on_timer(key)
            case For.PROBE:
                self._recovery.on_timer(key)
            case For.LOOK:
                self._recovery.compare()
            case For.START_PRESSED | For.STOP_PRESSED:
                self._reception.on_timer(what)
            case For.STORAGE:
                self._desk.store_again()
            case For.CHARGER_LOSS:
                self._facts.charger_is_gone()
            case _:
                self._charging.on_timer(what, key)


def build(place: Place) -> Controller:
    """The controller for a place; a new one after each death, with the same store.

    Raises ValueError when the declaration cannot be followed.
    """
    return assemble(place, restore(place.store))


def assemble(place: Place, ledger: Ledger) -> Core:
    """The controller for a place, with its memory kept wherever ``ledger`` keeps it.

    ``place.store`` is not used. Raises ValueError as ``build`` does.
    """
    settings = from_declaration(place.declaration)
    out: list[Action] = []
    desk = Desk(
        settings,
        ledger=ledger,
        terminal=_terminal(place, settings, out),
        charger=ChargerSide(settings.name, out),
    )
    return Core(desk, out)


def _terminal(place: Place, settings: Settings, out: list[Action]) -> TerminalPort:
    if settings.interface == "cps":
        return CpsSide(place, reserve_minor=settings.reserve_minor, out=out)
    return PspSide(
        TRAITS[settings.terminal],
        is_tcp=place.psp_link == "tcp",
        reserve_minor=settings.reserve_minor,
        out=out,
    )
