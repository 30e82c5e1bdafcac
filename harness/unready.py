"""Why a controller that lives is not ready: what came from it, read from the trace."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wire.records import Record

if TYPE_CHECKING:
    from harness.bench import Bench


def what_came(bench: "Bench") -> str:
    """The mistake that the trace shows; empty when it shows none."""
    records = bench.trace.records
    calls = [record for record in records if record["kind"] == "http"]
    if calls and not any(record["authorised"] for record in calls):
        return "its calls carry a wrong API key"
    if _only_noise(records):
        return _noise(bench)
    return ""


def has_contact(bench: "Bench") -> bool:
    """Whether anything has come from the controller, be it a connection."""
    is_wired = bench.psp_link == "serial"  # a cable has no connection to come
    return any(_is_contact(record, is_wired) for record in bench.trace.records)


def _is_contact(record: Record, is_wired: bool) -> bool:
    match record["kind"]:
        case "http":
            return True
        case "psp":
            return record["direction"] == "to_terminal"
        case "link":
            is_cable = is_wired and record["link"] == "psp"
            return record["state"] == "up" and not is_cable
    return False


def _only_noise(records: Sequence[Record]) -> bool:
    """Bytes came from it, and no message of PSP was among them."""
    came = [
        record
        for record in records
        if record["kind"] == "psp" and record["direction"] == "to_terminal"
    ]
    understood = any(
        "message" in message
        for record in came
        if isinstance(record["messages"], list)
        for message in record["messages"]
    )
    return bool(came) and not understood


def _noise(bench: "Bench") -> str:
    baud, right = bench.world.baud, bench.world.terminal_baud
    if baud is not None and baud != right:
        return (
            f"wrong baud rate: its port is set to {baud} baud, the terminal to {right}"
        )
    return "bytes came from it that are no PSP blocks: wrong baud rate?"
