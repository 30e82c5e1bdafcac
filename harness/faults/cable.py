"""Faults of the cable's bytes and of the TCP connection to the terminal.

On a line that is not there (a CPS controller has no PSP line, a serial line has no
connection) such a fault never hits, which leaves the case inconclusive.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from harness.faults.life import Heal, Injection, Put
from harness.line_faults import LineFault, Outage, Turn, Way
from simulator.cable import Arrivals, manipulate

_BOTH: Final[tuple[Way, ...]] = ("to_terminal", "to_controller")


def turn(put: Injection) -> Turn:
    """``after`` and ``count`` of the catalogue; a count of 0 is all of them."""
    return Turn(after=put.number("after"), count=put.number("count") or None)


_WAYS: Final[Mapping[str, Way | None]] = {
    "either": None,
    "to_terminal": "to_terminal",
    "to_controller": "to_controller",
}


def _outage(
    put: Injection,
    *,
    ways: tuple[Way, ...] = (),
    refuses: bool = True,
    connection: int | None = None,
) -> Heal:
    line = put.bench.lines.psp
    outage = Outage(
        strike=put.first_hit, ways=ways, refuses=refuses, connection=connection
    )
    line.begin_outage(outage)
    return lambda: line.end_outage(outage)


def _refuse(put: Injection) -> Heal:
    """It simply happens: nobody sees who knocks at a port that does not listen."""
    heal = _outage(put)
    put.hit("")
    return heal


def _cut(put: Injection) -> Heal:
    return _outage(put, ways=_BOTH)


def _deaf(put: Injection) -> Heal:
    """A connection cannot be made in one direction either."""
    way = _WAYS[put.text("direction")]
    return _outage(put, ways=_BOTH if way is None else (way,))


def _half_open(put: Injection) -> Heal:
    """Healed, the dead connection is found out: it is reset if it still stands."""
    line = put.bench.lines.psp
    connection = line.connection
    mend = _outage(put, ways=_BOTH, refuses=False, connection=connection)

    def heal() -> None:
        mend()
        if line.connection == connection:
            line.reset()

    return heal


# --- Blocks ---------------------------------------------------------------------


def _block(put: Injection, then: Callable[[], object] | None = None) -> Heal:
    """Change blocks as the catalogue says (``simulator.cable``)."""
    fault = _line_fault(put, then)
    if put.text("answers"):
        return _after_question(put, fault)
    faults = put.bench.lines.psp.faults
    faults.append(fault)
    return lambda: faults.remove(fault)


def _line_fault(put: Injection, then: Callable[[], object] | None) -> LineFault:
    params = put.fault.params
    return LineFault(
        way=_WAYS[put.text("direction")],
        change=lambda block, byte: manipulate(put.fault, block, byte=byte),
        hit=put.hit,
        turn=turn(put),
        message=put.text("message"),
        byte=put.number("byte") if "byte" in params else 0,
        in_stream=params.get("of") == "stream",
        hold_ms=put.number("hold_ms") if "hold_ms" in params else 0,
        then=then,
    )


def _after_question(put: Injection, fault: LineFault) -> Heal:
    """It is put in when the question passes that it waits for."""
    faults = put.bench.lines.psp.faults

    def ask(block: bytes, _byte: int) -> Arrivals:
        faults.append(fault)
        return [(0, block)]

    question = LineFault(
        way=None,
        change=ask,
        hit=lambda _words: None,
        turn=Turn(),
        message=put.text("answers"),
    )
    faults.append(question)

    def heal() -> None:
        for one in (question, fault):
            if one in faults:
                faults.remove(one)

    return heal


def _hold(put: Injection) -> Heal:
    """Never on another connection: late answers die with theirs."""
    line, kernel = put.bench.lines.psp, put.bench.court.kernel
    held: list[tuple[bytes, int, int]] = []
    spoken_ms = [kernel.now_ms]

    def keep(block: bytes, _byte: int) -> Arrivals:
        due_ms = spoken_ms[0] + put.number("hold_ms")
        held.append((block, line.connection, due_ms))
        return []

    def release(block: bytes, _byte: int) -> Arrivals:
        spoken_ms[0] = kernel.now_ms
        if held and held[0][2] <= kernel.now_ms:
            late, connection, _due_ms = held.pop()
            if connection == line.connection:
                put.hit(f"{put.text('message') or 'a block'} held back until now")
                kernel.at(kernel.now_ms, lambda: line.receive(late))
        return [(0, block)]

    message = put.text("message")
    # fmt: off
    faults = (
        LineFault(way="to_controller", change=keep, hit=_silent, turn=Turn(), message=message),  # noqa: E501
        LineFault(way="to_terminal", change=release, hit=_silent, turn=Turn(count=None)),  # noqa: E501
    )
    # fmt: on
    line.faults.extend(faults)

    def heal() -> None:
        for fault in faults:
            line.faults.remove(fault)

    return heal


def _silent(_words: str) -> None:
    """What is told of a hit is told when it shows."""


def _reset_at(put: Injection) -> Heal:
    return _block(put, put.bench.lines.psp.reset)


def _stop_at(put: Injection, stop: Put) -> Heal:
    """From the byte at which it strikes, nothing passes any more."""
    heals: list[Heal] = []

    def strike() -> None:
        heal = stop(put)
        if heal is not None:
            heals.append(heal)

    heals.append(_block(put, strike))

    def heal_all() -> None:
        while heals:
            heals.pop()()

    return heal_all


# --- Connections ----------------------------------------------------------------


def _reset(put: Injection) -> None:
    if put.bench.lines.psp.reset():
        put.hit("")


def _closed(put: Injection) -> None:
    if put.bench.lines.psp.close_from_terminal():
        put.hit("")


def _second_client(put: Injection) -> None:
    found = put.bench.lines.psp.meet_stranger()
    if found:
        put.hit(found)


ROWS: Final[Mapping[str, Put]] = {
    "cable_cut": _cut,
    "cable_cut_at": partial(_stop_at, stop=_cut),
    "cable_deaf": _deaf,
    "cable_lose": _block,
    "cable_corrupt": _block,
    "cable_flip": _block,
    "cable_overwrite": _block,
    "cable_truncate": _block,
    "cable_duplicate": _block,
    "cable_garbage": _block,
    "cable_split": _block,
    "cable_join": _block,
    "cable_delay": _block,
    "cable_hold": _hold,
    "tcp_reset": _reset,
    "tcp_reset_at": _reset_at,
    "tcp_closed": _closed,
    "tcp_refused": _refuse,
    "tcp_half_open": _half_open,
    "tcp_half_open_at": partial(_stop_at, stop=_half_open),
    "tcp_second_client": _second_client,
}
