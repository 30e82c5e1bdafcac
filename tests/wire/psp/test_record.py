"""Messages as the trace writes them."""

import json

from wire.psp import Malformed, Name, message, record_of


def test_numbers_and_text() -> None:
    item = message(Name.COMMIT_SESSION, session_id=4, amount_minor=106)
    assert record_of(item) == {
        "message": "Commit Session",
        "fields": {"session_id": 4, "amount_minor": 106},
    }


def test_tags_by_name_text_where_they_are_text() -> None:
    item = message(
        Name.CARD_READ,
        data=((0xDFF006, b"AB01"), (0xDFCA0B, b"\xff"), (0xDFCA03, b"12"), (0x5A, b"")),
    )
    assert record_of(item)["fields"] == {
        "data": {"DFF006": "AB01", "DFCA0B": "ff", "DFCA03": "31 32", "00005A": ""}
    }


def test_control_characters_are_not_text() -> None:
    item = message(Name.CARD_READ, data=((0xDFF006, b"A\0"),))
    assert record_of(item)["fields"] == {"data": {"DFF006": "41 00"}}


def test_lists_and_bytes() -> None:
    items = [
        message(Name.LIST_SESSIONS_RESPONSE, total=2, session_ids=(66, 67)),
        message(Name.UI_REQUEST, type="info", properties=(("title", "x"),)),
        message(Name.RECEIPT, data=b"\x01\x02"),
        message(Name.CARD_READ, data=()),
    ]
    fields = [record_of(item)["fields"] for item in items]
    assert fields == [
        {"total": 2, "session_ids": [66, 67]},
        {"type": "info", "properties": [["title", "x"]]},
        {"data": "01 02"},
        {"data": []},
    ]
    assert json.dumps(fields)


def test_malformed() -> None:
    assert record_of(Malformed(0x99, b"", "why")) == {"malformed": "why"}
