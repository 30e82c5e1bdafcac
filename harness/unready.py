"""Why a controller is not ready: what came from it, and what did not."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from wire.records import Record

if TYPE_CHECKING:
    from harness.bench import Bench

#: So many refused calls are no accident: nobody need wait any longer.
SURE_AFTER_CALLS: Final = 3


def what_is_missing(bench: "Bench", *, since: int) -> str:
    """Why it is not ready: what is known about it, or what has not come."""
    if why := bench.device.why_unready():
        return why
    missing = []
    if not bench.said_hello(since=since):
        missing.append("no hello on the bay link")
    if not bench.is_reachable(since=since):
        psp = "the set-up sequence did not reach ENABLED"
        cps = "no call with the right API key"
        missing.append(psp if bench.column.interface == "psp" else cps)
    return ", ".join(missing)


def what_came(bench: "Bench") -> str:
    """The mistake that the trace shows; empty when it shows none."""
    if has_wrong_key(bench, calls=1):
        return "its calls carry a wrong API key"
    if _only_noise(bench.trace.records):
        return _noise(bench)
    return ""


def has_wrong_key(bench: "Bench", *, calls: int = SURE_AFTER_CALLS) -> bool:
    """Whether it has made so many calls, and none with the right API key."""
    made = [record for record in bench.trace.records if record["kind"] == "http"]
    return len(made) >= calls and not any(record["authorised"] for record in made)


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
