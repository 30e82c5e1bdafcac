"""The virtual payment terminal and its cloud; see ``terminal`` for the whole."""

from simulator.terminal.cps_answers import cps_card_id
from simulator.terminal.display import Screen
from simulator.terminal.impairments import ABOUT, Impairment, Kind
from simulator.terminal.outbox import TerminalAction
from simulator.terminal.sessions import Session, SessionState
from simulator.terminal.settings import TRAITS, TerminalSettings, Traits
from simulator.terminal.terminal import Terminal, TerminalEvent

__all__ = [
    "ABOUT",
    "TRAITS",
    "Impairment",
    "Kind",
    "Screen",
    "Session",
    "SessionState",
    "Terminal",
    "TerminalAction",
    "TerminalEvent",
    "TerminalSettings",
    "Traits",
    "cps_card_id",
]
