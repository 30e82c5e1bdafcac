"""What is read from a trace as having happened on the wire, and what could have."""

from typing import Any

import pytest

from harness.wire_coverage import FALLS_BACK, NOT_OK, happened, possible, wire_lines
from reports.wire_table import wire_text


def psp(way: str, name: str, **fields: object) -> dict[str, Any]:
    messages = [{"message": name, "fields": fields}]
    record = {"kind": "psp", "direction": way, "fate": "delivered", "t_ms": 0}
    return {**record, "messages": messages}


def ask(name: str, **fields: object) -> dict[str, Any]:
    return psp("to_terminal", name, **fields)


def tell(name: str, **fields: object) -> dict[str, Any]:
    return psp("to_controller", name, **fields)


def state(name: str) -> dict[str, Any]:
    return {"kind": "reader", "face": "psp", "state": name, "t_ms": 0}


def test_a_command_meets_a_state_and_gets_an_answer() -> None:
    records = [state("ENABLED"), ask("Commit Session"), tell("Result", result=0)]
    records += [ask("Commit Session"), tell("Result", result=1)]
    assert happened(records) == {
        "psp|Commit Session|ENABLED|Result OK": 1,
        "psp|Commit Session|ENABLED|Result Not OK": 1,
    }


def test_a_read_waits_while_others_are_answered() -> None:
    records = [state("ENABLED"), ask("Start Session"), state("WAIT_CARD")]
    records += [tell("Result", result=0), ask("Void Session"), tell("Result", result=0)]
    records += [tell("Transaction Event"), tell("Card Read"), tell("Card Read")]
    assert happened(records) == {
        "psp|Start Session|ENABLED|Result OK": 1,
        "psp|Void Session|WAIT_CARD|Result OK": 1,
        "psp|Start Session|ENABLED|Card Read": 1,
    }


def test_what_is_not_answered_is_told() -> None:
    records = [ask("Reset"), ask("Reset"), ask("Result")]
    assert happened(records) == {"psp|Reset|OFFLINE|no answer": 2}


def down() -> dict[str, Any]:
    return {"kind": "link", "link": "psp", "state": "down"}


def killed() -> dict[str, Any]:
    return {"kind": "controller", "event": "killed"}


@pytest.mark.parametrize(
    "between",
    [
        [down()],
        [killed()],
        [state("OFFLINE")],
        [ask("Reset"), tell("Result", result=0)],
    ],
    ids=["line", "death", "restart", "reset"],
)
def test_an_answer_that_cannot_come_is_not_taken_from_the_next(
    between: list[dict[str, Any]],
) -> None:
    records = [state("ENABLED"), ask("Commit Session"), *between]
    records += [ask("Setup"), tell("Result", result=0)]
    seen = happened(records)
    assert seen["psp|Commit Session|ENABLED|no answer"] == 1
    assert sum(seen[key] for key in seen if "|Setup|" in key and "OK" in key) == 1


def test_an_answer_that_names_its_command_leaves_older_ones_without() -> None:
    records = [ask("Reset"), ask("Synchronize"), tell("Synchronize")]
    records += [ask("Setup"), tell("Result", result=0)]
    assert happened(records) == {
        "psp|Reset|OFFLINE|no answer": 1,
        "psp|Synchronize|OFFLINE|Synchronize": 1,
        "psp|Setup|OFFLINE|Result OK": 1,
    }


def test_a_lost_answer_answers_nothing_else() -> None:
    lost = {**tell("Result", result=0), "fate": "lost"}
    records = [ask("Commit Session"), lost, ask("Setup"), tell("Result", result=1)]
    assert happened(records) == {
        "psp|Commit Session|OFFLINE|no answer": 1,
        "psp|Setup|OFFLINE|Result Not OK": 1,
    }


def test_reasons_are_told_apart() -> None:
    records = [ask("Commit Session"), tell("Result", result=1, reason=0x0C)]
    records += [ask("Commit Session"), tell("Result", result=1, reason=0x7F)]
    records += [ask("Auth Session"), tell("Session Declined", reason=0x09)]
    seen = happened(records)
    assert seen == {
        "psp|Commit Session|OFFLINE|Result Not OK 0x0C SESSION_ID_NOT_FOUND": 1,
        "psp|Commit Session|OFFLINE|Result Not OK 0x7F not in any table": 1,
        "psp|Auth Session|OFFLINE|Session Declined 0x09 INSUFFICIENT_FUNDS": 1,
    }
    offline = {
        one.result
        for one in wire_lines(seen)
        if (one.ask, one.state) == ("Commit Session", "OFFLINE")
    }
    assert NOT_OK not in offline, "it happened, with its reason"


def test_what_was_lost_did_not_happen() -> None:
    lost = {**ask("Reset"), "fate": "lost"}
    noise = {**ask("Reset"), "messages": [{"malformed": "checksum"}]}
    assert happened([lost, noise]) == {}


def test_a_call_ends_in_a_status_or_a_failure() -> None:
    records: list[dict[str, Any]] = [
        {"kind": "http", "call": 1, "route": "E9"},
        {"kind": "http", "call": 2, "route": "E9"},
        {"kind": "http", "call": 3},
        {"kind": "http_answer", "call": 1, "status": 200},
        {"kind": "http_failed", "call": 2, "reason": "timeout"},
        {"kind": "http_answer", "call": 3, "status": 404},
    ]
    assert happened(records) == {"cps|E9||200": 1, "cps|E9||timeout": 1}


def test_what_could_happen_comes_from_the_tables() -> None:
    every = set(possible())
    assert "psp|Commit Session|ENABLED|Result OK" in every
    assert "psp|Commit Session|OFFLINE|Result Not OK" in every
    assert "psp|Commit Session|OFFLINE|Result OK" not in every
    assert "cps|E9||412" in every, "another reading of an offline close"
    assert "cps|E10||reset" in every


def test_lines_hold_what_did_and_what_never_did() -> None:
    lines = wire_lines({"cps|E9||200": 7, "cps|E9||418": 1})
    counts = {(one.ask, one.result): one.count for one in lines}
    commit = "POST /terminals/{serialNumber}/sessions/{sessionId}/commit"
    assert counts[commit, "200"] == 7
    assert counts[commit, "418"] == 1, "also what no table knows"
    assert counts[commit, "409"] == 0
    text = wire_text(lines)
    assert "PSP" not in text, "nothing was said over it"
    assert "    200 7, 418 1" in text
    assert "  POST /terminals/{serialNumber}/ui: never" in text
    assert wire_text(()) == ""


def test_what_was_not_answered_in_time_takes_no_other_answer() -> None:
    late = {**ask("Commit Session"), "t_ms": 10_001}
    records = [state("WAIT_CARD"), ask("Update Session"), late]
    records += [{**tell("Result", result=0), "t_ms": 10_500}]
    assert happened(records) == {
        "psp|Update Session|WAIT_CARD|no answer": 1,
        "psp|Commit Session|WAIT_CARD|Result OK": 1,
    }


def test_a_terminal_that_falls_back_is_met_in_the_state_it_fell_to() -> None:
    hit = {"kind": "fault", "event": "hit", "name": FALLS_BACK, "t_ms": 5}
    records = [state("WAIT_CARD"), {**ask("Commit Session"), "t_ms": 5}, hit]
    records += [{**state("OFFLINE"), "t_ms": 5}, {**state("ONLINE"), "t_ms": 5}]
    records += [{**tell("Result", result=1), "t_ms": 7}]
    assert happened(records) == {"psp|Commit Session|ONLINE|Result Not OK": 1}


def test_an_answer_that_was_lost_is_no_status() -> None:
    call = {"kind": "http", "call": 1, "route": "E9"}
    lost = {"kind": "http_answer", "call": 1, "status": 200, "fate": "lost"}
    failed = {"kind": "http_failed", "call": 1, "reason": "timeout"}
    assert happened([call, lost, failed]) == {"cps|E9||timeout": 1}


def test_a_line_ends_between_two_results() -> None:
    seen = {
        f"psp|Commit Session|ENABLED|Result Not OK 0x{n:02X} X": 1 for n in range(9)
    }
    text = wire_text(wire_lines(seen))
    assert max(map(len, text.splitlines())) <= 100
    assert all(f"Result Not OK 0x{n:02X} X 1" in text for n in range(9))
