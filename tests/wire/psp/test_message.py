"""Messages are values."""

import copy
import pickle

import pytest

from wire.psp import LocalProtocolError, Message, Name, message

COMMIT = message(Name.COMMIT_SESSION, session_id=4, amount_minor=106)


def test_equal_whatever_the_order() -> None:
    other = message(Name.COMMIT_SESSION, amount_minor=106, session_id=4)
    assert other == COMMIT
    assert len({COMMIT, other}) == 1


def test_cannot_be_changed_from_outside() -> None:
    fields = {"session_id": 4}
    taken = Message(Name.VOID_SESSION, fields)
    fields["session_id"] = 5
    assert taken["session_id"] == 4
    with pytest.raises(TypeError):
        taken.fields["session_id"] = 5  # type: ignore[index]  # that is the test


def test_can_be_copied_and_stored() -> None:
    assert copy.deepcopy(COMMIT) == COMMIT
    assert pickle.loads(pickle.dumps(COMMIT)) == COMMIT


def test_none_is_left_out() -> None:
    assert message(Name.RESULT, result=1, reason=None).fields == {"result": 1}


def test_no_fields() -> None:
    assert Message(Name.ENABLE).fields == {}
    assert "session_id" not in Message(Name.ENABLE)


def test_reading_fields() -> None:
    card = message(
        Name.SESSION_APPROVED,
        session_id=11,
        data=((0xDFF006, b"AB"), (0xDFF006, b"CD")),
    )
    assert card.number("session_id") == 11
    assert card.tags() == {0xDFF006: b"AB"}
    assert COMMIT.tags() == {}
    listed = message(Name.LIST_SESSIONS_RESPONSE, total=2, session_ids=(1, 2))
    assert listed.numbers("session_ids") == (1, 2)
    assert listed.tags("session_ids") == {}
    assert message(Name.UI_EVENT, button="ok").text("button") == "ok"
    assert message(Name.RECEIPT, data=b"x").data("data") == b"x"


def test_defaults_for_absent_fields() -> None:
    assert COMMIT.number("reason", 0) == 0
    assert COMMIT.text("button", "none") == "none"
    assert COMMIT.data("data", b"") == b""
    assert COMMIT.get("reason") is None
    assert COMMIT.get("reason", 7) == 7


def test_absent_fields_are_named() -> None:
    words = (
        r"Commit Session: reason: found nothing.*\(fields: session_id, amount_minor\)"
    )
    with pytest.raises(LocalProtocolError, match=words):
        COMMIT["reason"]


def test_fields_of_another_type_are_named() -> None:
    wrong = message(Name.RECEIPT, data=b"secret")
    for read in (wrong.number, wrong.text, wrong.numbers):
        with pytest.raises(LocalProtocolError, match="data: found bytes"):
            read("data")
    with pytest.raises(LocalProtocolError, match="session_id: found 4, allowed bytes"):
        COMMIT.data("session_id")
