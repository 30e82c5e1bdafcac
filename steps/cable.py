"""The line between controller and terminal: what is lost, damaged or late on it.

A sentence names a message and a part of its block; which byte that is stands here and
in the catalogue of faults, never in a feature.
"""

from collections.abc import Mapping
from typing import Final

from pytest_bdd import given, then, when

from harness.bench import Bench
from harness.case import Breach
from harness.watch import (
    await_situation,
    close_requests,
    demand,
    end_fault,
    setups,
)
from simulator.faults import Value
from steps.words import phrase
from wire.psp import State

#: What damages a part of a classic block (psp.md 2.1).
_DAMAGE: Final[Mapping[str, tuple[str, Mapping[str, Value]]]] = {
    "preamble": ("cable_flip", {"byte": 0}),
    "length": ("cable_overwrite", {"byte": 1}),
    "magic": ("cable_flip", {"byte": 2}),
    "checksum": ("cable_corrupt", {}),
}
#: Who has not read the answer to a close waits 60 s for it.
AGAIN_WITHIN_MS: Final = 90_000
#: Two questions for the status, and what would follow from them.
LOOK_MS: Final = 45_000
_COMMIT: Final = "Commit Session"
#: What answers a commit, and only that: whatever was said before it has passed.
_RESULT: Final[Mapping[str, Value]] = {
    "direction": "to_controller",
    "message": "Result",
    "answers": _COMMIT,
}


# --- the connection ---------------------------------------------------------------


@given(phrase("the connection will be reset inside the next Commit Session"))
def reset_inside_commit(bench: Bench) -> None:
    """Given the connection will be reset inside the next Commit Session"""
    bench.faults.put("tcp_reset_at", message=_COMMIT, byte=6)


@given(phrase("the connection will be reset behind the next Commit Session"))
def reset_behind_commit(bench: Bench) -> None:
    """Given the connection will be reset behind the next Commit Session"""
    bench.faults.put("tcp_reset_at", message=_COMMIT, byte=1_000)


@given(phrase("the connection will be reset inside the next {times:Count} commits"))
def reset_inside_commits(bench: Bench, times: int) -> None:
    """Given the connection will be reset inside the next five commits"""
    bench.faults.put("tcp_reset_at", message=_COMMIT, byte=6, count=times)


@when(phrase("the answer to the next Get Status takes {time:Duration}"))
def status_answered_late(bench: Bench, time: int) -> None:
    """When the answer to the next Get Status takes 4 seconds"""
    bench.faults.put("delay_answer", message="Get Status", delay_ms=time)


@given(phrase("the connection to the terminal has died without a word"))
@when(phrase("the connection to the terminal dies without a word"))
def dies_silently(bench: Bench) -> None:
    """When the connection to the terminal dies without a word
    Given the connection to the terminal has died without a word
    """
    bench.faults.put("tcp_half_open")


@when(phrase("the terminal hears nothing for {time:Duration}, and hangs up"))
def hears_nothing(bench: Bench, time: int) -> None:
    """When the terminal hears nothing for 25 seconds, and hangs up"""
    bench.faults.put("cable_deaf", direction="to_terminal", for_s=time // 1000)
    await_situation(
        bench,
        "a terminal that has hung up",
        lambda: bench.court.terminal.state is State.OFFLINE,
        within_ms=time,
    )


@given(phrase("the cable to the terminal has been cut"))
def cable_cut(bench: Bench) -> None:
    """Given the cable to the terminal has been cut"""
    bench.faults.put("cable_cut")


@when(phrase("the cable to the terminal is mended"))
def cable_mended(bench: Bench) -> None:
    """When the cable to the terminal is mended"""
    end_fault(bench, "cable_cut")


@then(phrase("the controller sets the terminal up anew within {limit:Duration}"))
def set_up_anew(bench: Bench, limit: int) -> None:
    """Then the controller sets the terminal up anew within 60 seconds"""
    demand(
        bench,
        "the set-up of the terminal done again",
        lambda: bool(setups(bench, since_ms=bench.since_ms)),
        within_ms=limit,
        seen=lambda: f"terminal {bench.court.terminal.state!s}",
    )


@then(phrase("the controller does not set the terminal up anew"))
def not_set_up_anew(bench: Bench) -> None:
    """Then the controller does not set the terminal up anew"""
    since_ms = bench.since_ms
    if bench.run_until(lambda: bool(setups(bench, since_ms=since_ms)), LOOK_MS):
        raise Breach("no set-up of the terminal", "Setup")


# --- blocks -----------------------------------------------------------------------


@given(phrase("the checksum of the next Session Approved is damaged"))
def approval_damaged(bench: Bench) -> None:
    """Given the checksum of the next Session Approved is damaged"""
    bench.faults.put(
        "cable_corrupt", direction="to_controller", message="Session Approved"
    )


@given(phrase("the {part:Spot} of the answer to the next Commit Session is damaged"))
def answer_damaged(bench: Bench, part: str) -> None:
    """Given the checksum of the answer to the next Commit Session is damaged"""
    name, where = _DAMAGE[part]
    bench.faults.put(name, **_RESULT, **where)


@given(phrase("the end of the answer to the next Commit Session is lost"))
def answer_truncated(bench: Bench) -> None:
    """Given the end of the answer to the next Commit Session is lost"""
    bench.faults.put("cable_truncate", **_RESULT, keep=3)


@given(phrase("noise comes before the answer to the next Commit Session"))
def noise_before_answer(bench: Bench) -> None:
    """Given noise comes before the answer to the next Commit Session"""
    bench.faults.put("cable_garbage", **_RESULT, bytes=6)


@given(phrase("the checksum of the next Commit Session is damaged"))
def commit_damaged(bench: Bench) -> None:
    """Given the checksum of the next Commit Session is damaged"""
    bench.faults.put("cable_corrupt", direction="to_terminal", message=_COMMIT)


@given(phrase("the checksum of every Commit Session is damaged"))
def every_commit_damaged(bench: Bench) -> None:
    """Given the checksum of every Commit Session is damaged"""
    bench.faults.put("cable_corrupt", direction="to_terminal", message=_COMMIT, count=0)


@given(phrase("every block arrives byte by byte"))
def byte_by_byte(bench: Bench) -> None:
    """Given every block arrives byte by byte"""
    bench.faults.put("cable_split", piece=1, gap_ms=3, count=0)


@given(phrase("the next Card Read arrives in one piece with its successor"))
def card_read_joined(bench: Bench) -> None:
    """Given the next Card Read arrives in one piece with its successor"""
    bench.faults.put(
        "cable_join", direction="to_controller", message="Card Read", hold_ms=25_000
    )


@then(phrase("the close is not sent again"))
def close_not_again(bench: Bench) -> None:
    """Then the close is not sent again"""
    if bench.run_until(lambda: len(close_requests(bench)) > 1, AGAIN_WITHIN_MS):
        raise Breach("one close", f"{len(close_requests(bench))} closes")


@then(phrase("the same close is sent again within {limit:Duration}"))
def same_close_again(bench: Bench, limit: int) -> None:
    """Then the same close is sent again within 90 seconds"""
    demand(
        bench,
        "a second close",
        lambda: len(close_requests(bench)) > 1,
        within_ms=limit,
        seen=lambda: f"{len(close_requests(bench))} closes",
    )
    if len(set(close_requests(bench))) > 1:
        raise Breach("the same close again", f"{close_requests(bench)}")
