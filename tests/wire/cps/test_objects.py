"""Objects survive their JSON, and a cloud that says more, less or something else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.cps import (
    SCREENS,
    Card,
    RemoteProtocolError,
    Session,
    SessionNotification,
    SessionState,
    TerminalInfo,
    TerminalState,
    UiNotification,
    parse_json,
    parse_list,
    parse_state,
    to_json,
)
from wire.cps.objects import SESSION_FIELDS

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
AMOUNT = st.none() | st.integers(0, 2**32 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)
    ),
    max_leaves=8,
)
FIELD_NAMES = st.sampled_from(
    [name for _, name, _ in SESSION_FIELDS]
    + ["online", "ifd", "aid", "maskedPan", "sessions", "screenId", "session", "error"]
)
SESSIONS = st.builds(
    Session,
    session_id=TEXT,
    serial_number=TEXT,
    card_id=TEXT,
    authorized_amount=AMOUNT,
    final_amount=AMOUNT,
    state=st.sampled_from(list(SessionState)).map(str),
    result=TEXT,
    terminal_txn_id=AMOUNT,
    receipt_info=st.none() | st.lists(TEXT, max_size=3).map(tuple),
)
CARDS = st.builds(
    Card,
    serial_number=TEXT,
    card_id=TEXT,
    ifd=TEXT,
    aid=TEXT,
    masked_pan=TEXT,
    sessions=st.lists(SESSIONS, max_size=2).map(tuple),
)


def through_the_wire(value: object) -> object:
    return parse_json(to_json(value))


@given(SESSIONS)
def test_a_session_survives_its_json(session: Session) -> None:
    assert Session.from_json(through_the_wire(session.to_json())) == session


@given(CARDS)
def test_a_card_survives_its_json(card: Card) -> None:
    assert Card.from_json(through_the_wire(card.to_json())) == card


@given(TEXT, st.booleans(), st.sampled_from(list(TerminalState)))
def test_a_terminal_survives_its_json(
    serial: str, online: bool, state: TerminalState
) -> None:
    terminal = TerminalInfo(serial_number=serial, online=online, state=state)
    assert TerminalInfo.from_json(through_the_wire(terminal.to_json())) == terminal


@given(TEXT, TEXT, TEXT)
def test_a_button_survives_its_json(serial: str, screen: str, button: str) -> None:
    press = UiNotification(serial_number=serial, screen_id=screen, response=button)
    assert UiNotification.from_json(through_the_wire(press.to_json())) == press


@given(SESSIONS, TEXT)
def test_a_session_notification_survives_its_json(session: Session, error: str) -> None:
    note = SessionNotification(session=session, error=error)
    assert SessionNotification.from_json(through_the_wire(note.to_json())) == note


@given(JSON | st.dictionaries(FIELD_NAMES, JSON))
def test_reading_raises_nothing_but_a_finding(value: object) -> None:
    for read in (
        TerminalInfo.from_json,
        Card.from_json,
        Session.from_json,
        UiNotification.from_json,
        SessionNotification.from_json,
    ):
        try:
            read(value)
        except RemoteProtocolError as error:
            assert "found" in str(error)  # noqa: PT017  # it may also succeed


def test_the_terminal_is_the_evidenced_one() -> None:
    terminal = TerminalInfo(serial_number="APO1", online=True, state="IDLE")
    assert to_json(terminal.to_json()) == (
        b'{"serialNumber":"APO1","online":true,"state":"IDLE"}'
    )


def test_the_card_is_the_evidenced_one() -> None:
    card = Card(
        serial_number="APO1",
        ifd="CONTACTLESS",
        aid="A0000000041010",
        card_id="6F1C",
        masked_pan="541333******1234",
    )
    assert to_json(card.to_json()) == (
        b'{"serialNumber":"APO1","ifd":"CONTACTLESS","aid":"A0000000041010",'
        b'"cardId":"6F1C","maskedPan":"541333******1234","sessions":[]}'
    )


def test_a_card_without_a_hash_still_names_the_field() -> None:
    written = Card(serial_number="APO1", card_id="", ifd="CONTACTLESS").to_json()
    assert written == {
        "serialNumber": "APO1",
        "ifd": "CONTACTLESS",
        "cardId": "",
        "sessions": [],
    }
    assert Card.from_json(written).card_id == ""


def test_a_declined_session_is_short() -> None:
    short = Session(state="DECLINED", result="DECLINED").to_json()
    assert to_json(short) == b'{"result":"DECLINED","state":"DECLINED"}'
    assert Session.from_json(short).session_id == ""


def test_a_session_without_a_state_can_still_be_closed() -> None:
    session = Session.from_json({"sessionId": "a", "new": {"field": 1}})
    assert (session.session_id, session.state) == ("a", "")


def test_an_amount_of_nothing_is_not_nothing() -> None:
    written = Session(state="COMMITED", final_amount=0).to_json()
    assert written["finalAmount"] == 0


def test_wrong_types_of_what_is_not_essential_are_left_out() -> None:
    session = Session.from_json(
        {"state": "AUTHORIZED", "authorizedAmount": "5000", "receiptInfo": "x"}
    )
    assert session.authorized_amount is None
    assert session.receipt_info is None
    assert Session.from_json({"state": "X", "finalAmount": True}).final_amount is None


def test_receipt_lines_that_are_no_texts_are_left_out() -> None:
    session = Session.from_json({"state": "X", "receiptInfo": ["a", 1, {}]})
    assert session.receipt_info == ("a",)


def test_open_sessions_of_a_card_that_cannot_be_read_are_left_out() -> None:
    card = {"serialNumber": "A", "cardId": "c"}
    both = Card.from_json({**card, "sessions": [{}, {"sessionId": "s"}, 7]})
    assert [session.session_id for session in both.sessions] == ["s"]
    assert Card.from_json({**card, "sessions": "no"}).sessions == ()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "Terminal: found list, allowed an object"),
        (None, "Terminal: found nothing, allowed an object"),
        ({"online": True}, "Terminal.serialNumber: found nothing, it is essential"),
        ({"serialNumber": "a"}, "Terminal.online: found nothing"),
        ({"serialNumber": "a", "online": "true"}, "Terminal.online: found str"),
    ],
)
def test_what_is_essential_is_named(value: object, message: str) -> None:
    with pytest.raises(RemoteProtocolError, match=message):
        TerminalInfo.from_json(value)


def test_empty_answers_are_findings() -> None:
    with pytest.raises(RemoteProtocolError, match="neither state nor sessionId"):
        Session.from_json({})
    with pytest.raises(RemoteProtocolError, match="neither session nor error"):
        SessionNotification.from_json({})
    with pytest.raises(RemoteProtocolError, match="cardId"):
        Card.from_json({"serialNumber": "a"})
    with pytest.raises(RemoteProtocolError, match="screenId"):
        UiNotification.from_json({"serialNumber": "a"})


def test_an_error_alone_is_a_session_notification() -> None:
    note = SessionNotification.from_json({"error": "x", "session": None})
    assert note == SessionNotification(error="x")
    assert note.to_json() == {"error": "x"}


def test_both_spellings_of_committed_are_one_state() -> None:
    assert parse_state("COMMITED") is parse_state("COMMITTED") is SessionState.COMMITED
    assert parse_state("CANCELLED") is SessionState.CANCELLED
    assert parse_state("committed") is None
    assert parse_state("PENDING") is None


def test_a_list_may_be_wrapped() -> None:
    assert parse_list([1, 2], "terminals") == (1, 2)
    assert parse_list({"terminals": [1]}, "terminals") == (1,)
    wrongs: tuple[object, ...] = ({}, {"terminals": {}}, None, "x")
    for wrong in wrongs:
        with pytest.raises(RemoteProtocolError, match="allowed an array"):
            parse_list(wrong, "terminals")


def test_the_screens_of_the_reference() -> None:
    documented = {name for name, row in SCREENS.items() if row.is_documented}
    assert set(SCREENS) - documented == {"message", "dispense"}
    assert {name for name, row in SCREENS.items() if row.elements} == {
        "carousel",
        "dialog",
        "selection",
        "message",
    }
