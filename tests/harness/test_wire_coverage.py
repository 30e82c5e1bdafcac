"""What is read from a trace as having happened on the wire, and what could have."""

from typing import Any

from harness.wire_coverage import FALLS_BACK, happened, possible, wire_lines
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
    assert counts["E9", "200"] == 7
    assert counts["E9", "418"] == 1, "also what no table knows"
    assert counts["E9", "409"] == 0
    text = wire_text(lines)
    assert "PSP" not in text, "nothing was said over it"
    assert "    200 7, 418 1" in text
    assert "  E11: never" in text
    assert wire_text(()) == ""


def test_nobody_is_answered_on_a_later_line_or_after_a_reset() -> None:
    down = {"kind": "link", "link": "psp", "state": "down"}
    for cut in (down, ask("Reset")):
        records = [state("WAIT_CARD"), ask("Commit Session"), cut]
        records += [ask("Reset"), tell("Result", result=0)]
        seen = happened(records)
        assert seen["psp|Commit Session|WAIT_CARD|no answer"] == 1
        assert seen["psp|Reset|WAIT_CARD|Result OK"] == 1


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
