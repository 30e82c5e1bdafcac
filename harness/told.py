"""What the driver is told: on the charger's screen, and on the terminal's.

Read from the trace, for the steps that ask for it.
"""

import itertools
from collections.abc import Mapping
from typing import Final

from harness.bench import Bench
from harness.watch import bay_lines, time_of
from wire.records import Record

#: Calls whose text asks a driver to tap or to wait, and tells of no end.
_PROMPTS: Final = frozenset({"E3", "E6"})


def was_told(bench: Bench, code: str, *, since_ms: int) -> bool:
    """Whether the driver was told this at or after ``since_ms``.

    A ``show`` with this code says so. Codes are optional and words are not judged: who
    uses no codes tells by any words, and everybody by words on the terminal's screen
    (device_under_test.md 1).
    """
    shows = list(bay_lines(bench, "to_charger", "show"))
    new = [line for record, line in shows if time_of(record) >= since_ms]
    if any(line.get("code") == code for line in new) or _on_terminal(bench, since_ms):
        return True
    uses_codes = any("code" in line for _, line in shows)
    return not uses_codes and any(line.get("kind") != "price" for line in new)


def was_answered(bench: Bench, *, since_ms: int) -> bool:
    """Whether the driver was told anything, wherever, at or after ``since_ms``.

    The price and the text of a reading of cards are there for everybody.
    """
    shows = bay_lines(bench, "to_charger", "show")
    return _on_terminal(bench, since_ms) or any(
        line.get("kind") != "price" and time_of(record) >= since_ms
        for record, line in shows
    )


def _on_terminal(bench: Bench, since_ms: int) -> bool:
    """Words for the driver by a UI Request, or by a ``uiMessage`` that is no prompt."""
    for record in reversed(bench.trace.records):
        if time_of(record) < since_ms:
            return False
        if _is_request(record) or _is_message(record):
            return True
    return False


def _is_request(record: Record) -> bool:
    messages = record.get("messages")
    is_said = record["kind"] == "psp" and record["direction"] == "to_terminal"
    return is_said and any(
        one.get("message") == "UI Request"
        for one in (messages if isinstance(messages, list) else ())
    )


def _is_message(record: Record) -> bool:
    is_call = record["kind"] == "http" and record.get("route") not in _PROMPTS
    query = record.get("query")
    return is_call and isinstance(query, Mapping) and "uiMessage" in query


def shown(bench: Bench, *, since_ms: int) -> list[str]:
    """What the driver was told on the charger's screen, oldest first."""
    return [
        f"{line.get('kind')}/{line.get('code')}: {line.get('text')}"
        for record, line in bay_lines(bench, "to_charger", "show")
        if time_of(record) >= since_ms
    ][::-1]


def before_tap(bench: Bench) -> list[Record]:
    """All that happened before anybody held a card to the reader."""
    return list(itertools.takewhile(_is_no_tap, bench.trace.records))


def _is_no_tap(record: Record) -> bool:
    return record["kind"] != "act" or record["act"] != "tap"
