"""What the bench shows of itself: plain values, described in ``shapes``."""

from collections.abc import Mapping
from typing import Final

from harness.faults import InForce
from harness.serve.acts import buttons
from harness.serve.faulting import why_not
from harness.serve.play import Play
from simulator.cards import CARDS, TestCard
from simulator.faults import FAULTS, MAX_TEXT, FaultKind, Parameter
from simulator.site import ConnectorView
from simulator.terminal.sessions import Session, SessionState

#: Sessions that are over and still stand in the overview.
RECENT: Final = 20

View = dict[str, object]

#: The terminal's states as the bench names them.
_STATES: Final[Mapping[SessionState, str]] = {
    SessionState.OPEN: "open",
    SessionState.COMMITTING: "open",
    SessionState.CANCELLING: "open",
    SessionState.FAILED: "open",
    SessionState.COMMITTED: "committed",
    SessionState.CANCELLED: "cancelled",
    SessionState.EXPIRED: "expired",
}


def overview(play: Play, addresses: Mapping[str, str]) -> View:
    """Everything at a glance."""
    every = list(play.court.terminal.sessions.values())
    recent = [one for one in every if not one.is_open][-RECENT:]
    shown = [one for one in every if one.is_open or one in recent]
    views = play.court.station.connectors(now_ms=play.now_ms)
    return {
        "clock": {
            "t_ms": play.now_ms,
            "started_at": play.settings.started_at.isoformat(timespec="seconds"),
        },
        "terminal": _terminal(play),
        "connectors": [_connector(one) for one in views],
        "sessions": [_session(play, one) for one in shown],
        "faults": [fault(one) for one in play.faults.in_force()],
        "links": {"psp": play.lines.psp.is_open, "bay": play.lines.bay.is_open},
        "addresses": dict(addresses),
        "next_seq": play.tail.next_seq,
    }


def _terminal(play: Play) -> View:
    terminal = play.court.terminal
    screen = terminal.screen
    return {
        "family": play.settings.terminal.value,
        "serial_number": play.settings.serial,
        "state": terminal.state.name,
        "cps_state": terminal.info.state,
        "display": {
            "screen": screen.screen,
            "text": screen.text,
            "buttons": list(buttons(play)),
        },
        "online": terminal.online,
        "running": terminal.is_running,
    }


def _connector(view: ConnectorView) -> View:
    is_plugged = bool(view.vehicle)
    return {
        "connector": view.connector,
        "pilot": view.pilot.value,
        "contactor_closed": view.contactor_closed,
        "locked": view.locked,
        "energy_wh": view.energy_wh,
        "shown_wh": view.shown_wh,
        "power_w": view.power_w,
        "occupied": view.occupied,
        "available": view.available,
        "faults": list(view.faults),
        "vehicle": view.vehicle if is_plugged else None,
        "charge_permille": view.charge_permille if is_plugged else None,
    }


def sessions(play: Play) -> list[View]:
    """Every session that the terminal remembers."""
    return [_session(play, one) for one in play.court.terminal.sessions.values()]


def _session(play: Play, session: Session) -> View:
    return {
        "session_id": session.session_id,
        "psp_session_id": session.psp_session_id,
        "state": _STATES[session.state],
        "card": session.card,
        "authorised_minor": session.authorised_minor,
        "committed_minor": _committed_minor(session),
        "opened_at_ms": session.opened_at_ms,
        "closed_at_ms": session.closed_at_ms,
        "connector": play.bindings.connector(
            session.session_id, session.psp_session_id
        ),
        "settlement": _settlement(play, session),
    }


def _committed_minor(session: Session) -> int | None:
    """What the cardholder pays; None where nothing is taken."""
    by_itself = session.state is SessionState.EXPIRED
    takes = session.state is SessionState.COMMITTED or (
        by_itself and session.expiry is not None and session.expiry.action == "commit"
    )
    return session.final_minor if takes else None


def _settlement(play: Play, session: Session) -> str | None:
    """How the session was settled, as far as that is decided by its state alone."""
    if session.state is SessionState.EXPIRED:
        return "LEFT OPEN"
    hold = play.court.issuer.holds.get(session.hold)
    # A hold that is forgotten has ended; one that is open waits for a stored close.
    is_settled = hold is None or hold.state in ("captured", "released")
    return "CLOSED" if not session.is_open and is_settled else None


def fault(one: InForce) -> View:
    """One fault in force."""
    return {
        "id": one.fault_id,
        "name": one.name,
        "params": dict(one.params),
        "state": one.state,
    }


def cards(play: Play) -> list[View]:
    """The test cards."""
    return [_card(card, play.settings.terminal.value) for card in CARDS.values()]


def _card(card: TestCard, family: str) -> View:
    return {
        "name": card.name,
        "kind": card.kind,
        "scheme": card.scheme,
        "account": card.account,
        "masked_pan": card.masked_pan,
        "outcome": card.outcome.value,
        "delay_ms": card.issuer_delay_ms(family),
    }


def catalogue(play: Play) -> list[View]:
    """Every fault, also those that this bench cannot play."""
    return [_kind(kind, play.settings.link) for kind in FAULTS.values()]


def _kind(kind: FaultKind, link: str) -> View:
    parameters = kind.parameters.items()
    return {
        "name": kind.name,
        "seam": kind.seam.value,
        "about": kind.about,
        "words": kind.words,
        "once": kind.once,
        "parameters": [_parameter(name, one) for name, one in parameters],
        "impossible": why_not(kind, link=link) or None,
    }


def _parameter(name: str, parameter: Parameter) -> View:
    shown: View = {"name": name, "about": parameter.about, "default": parameter.default}
    if parameter.span is not None:
        return shown | {"minimum": parameter.span[0], "maximum": parameter.span[1]}
    if parameter.words:
        return shown | {"allowed": list(parameter.words)}
    return shown | {"max_length": MAX_TEXT}
