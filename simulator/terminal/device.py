"""What the two faces share: one reader, one display, one session store, one bank.

``Device`` is the box itself. Both faces hold it and use its parts; they never call each
other.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from simulator.terminal.authorisations import Authorisations, Decision, Verdict
from simulator.terminal.closings import Closings
from simulator.terminal.display import Display, money
from simulator.terminal.host_line import HostLine
from simulator.terminal.impairments import Impairments
from simulator.terminal.outbox import Outbox
from simulator.terminal.reader import PresentedCard, Reader, ReaderState
from simulator.terminal.sessions import SessionStore
from simulator.terminal.settings import TerminalSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """The parts of one terminal."""

    settings: TerminalSettings
    cards: Mapping[str, PresentedCard]
    ids: random.Random
    out: Outbox
    faults: Impairments
    store: SessionStore
    display: Display
    reader: Reader
    host: HostLine
    authorisations: Authorisations
    closings: Closings

    def show_authorising(self) -> None:
        """The payment flow asks for the PIN, or for patience."""
        if self.reader.state is not ReaderState.AUTHORISING:
            return
        if self.authorisations.is_asking_pin:
            self.display.flow("pin", "Enter PIN")
        else:
            self.display.flow("authorising", "Authorising")

    def show_decision(self, decision: Decision, now_ms: int) -> None:
        """The outcome of an authorisation, in words that tell no bank's reasons."""
        screen, text = _OUTCOMES[decision.verdict]
        if decision.session is not None:
            amount = decision.session.authorised_minor
            text = f"{text} {money(amount, self.settings.currency)}"
        self.display.passing(screen, text, now_ms=now_ms)


_OUTCOMES: Final[Mapping[Verdict, tuple[str, str]]] = {
    Verdict.APPROVED: ("approved", "Approved"),
    Verdict.PARTIAL: ("approved", "Approved for"),
    Verdict.DECLINED: ("declined", "Declined"),
    Verdict.CANCELLED: ("cancelled", "Cancelled"),
}


def assemble(
    settings: TerminalSettings,
    cards: Mapping[str, PresentedCard],
    ids: random.Random,
) -> Device:
    """Put a terminal together; ``ids`` is the chance for its identifiers."""
    out = Outbox()
    faults = Impairments(out)
    profile = settings.psp_profile
    store = SessionStore(out, ids, scatters=lambda: profile.session_ids == "scattered")
    display = Display(out)
    host = HostLine(out)
    return Device(
        settings=settings,
        cards=cards,
        ids=ids,
        out=out,
        faults=faults,
        store=store,
        display=display,
        reader=Reader(settings, display, faults),
        host=host,
        authorisations=Authorisations(settings, host=host, store=store, faults=faults),
        closings=Closings(host, store),
    )
