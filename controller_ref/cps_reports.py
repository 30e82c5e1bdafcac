"""What the cloud says about sessions, as reports for the controller's core."""

from controller_ref import port
from controller_ref.cps_closing import receipt_of
from wire.cps import RemoteProtocolError, Session, SessionState, parse_state


def approved(session: Session) -> port.Approved:
    """An authorisation that has opened a session."""
    return port.Approved(
        session_id=session.session_id,
        amount_minor=session.authorized_amount,
        was_asked=True,
        receipt=receipt_of(session),
    )


def open_session(row: object) -> port.OpenSession | None:
    """A row of the list of sessions; None when it is closed, or no session."""
    try:
        session = Session.from_json(row)
    except RemoteProtocolError:
        return None
    if parse_state(session.state) is not SessionState.AUTHORIZED:
        return None
    return port.OpenSession(
        session_id=session.session_id,
        card_id=session.card_id,
        amount_minor=session.authorized_amount,
    )
