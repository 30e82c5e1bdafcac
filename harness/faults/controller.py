"""Faults of the controller itself: its power, its durable store, its wall clock.

They go through the device under test, whatever it is; one that cannot do them raises
NotClaimed.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final, Literal

from harness.deaths import Doom
from harness.device import InProcessDevice
from harness.faults.charger import hold_link
from harness.faults.life import Heal, Injection, Put
from harness.faults.terminal import hold_power
from harness.line_faults import Turn
from simulator import events
from wire.records import Record

# --- Power ----------------------------------------------------------------------


def _hold_controller(put: Injection) -> Heal:
    device = put.bench.device

    def off() -> None:
        if device.is_alive:
            device.kill()

    def on() -> None:
        if not device.is_alive:
            device.start()

    return put.hold("controller", off, on)


def _killed(put: Injection) -> Heal:
    """SIGKILL of the controller alone; the charger goes on as it was."""
    heal = _hold_controller(put)
    put.hit("")
    return heal


def _killed_at(put: Injection) -> Heal:
    """Right before or after something that it sends or writes."""
    heals: list[Heal] = []

    def strike(words: str) -> None:
        heals.append(_hold_controller(put))
        put.hit(words)

    doom = Doom(
        moment="before" if put.text("moment") == "before" else "after",
        what=put.text("what"),
        turn=Turn(after=put.number("after")),
        strike=strike,
    )
    heals.append(put.bench.device.die_at(doom))
    if put.text("since") == "approval":
        heals.append(_once_approved(put, doom))

    def heal() -> None:
        while heals:
            heals.pop()()

    return heal


def _once_approved(put: Injection, doom: Doom) -> Heal:
    """Count from the moment at which the terminal opens a session."""
    doom.is_asleep = True
    watchers = put.bench.trace.watchers

    def watch(record: Record) -> None:
        if record["kind"] == "session" and record["event"] == "opened":
            doom.is_asleep = False

    watchers.append(watch)
    return lambda: watchers.remove(watch)


def _site_power_cut(put: Injection) -> Heal:
    """Controller, contactors, bay link and terminal go; all come back together."""
    tell = put.bench.court.tell_station
    heals = [
        _hold_controller(put),
        hold_link(put),
        hold_power(put),
        put.hold(
            "site power",
            lambda: tell(events.SitePower(on=False)),
            lambda: tell(events.SitePower(on=True)),
        ),
    ]
    put.hit("")

    def heal() -> None:
        for one in reversed(heals):
            one()

    return heal


# --- The durable store ----------------------------------------------------------


def _refuses_writes(put: Injection, kind: Literal["full", "read_only"]) -> Heal:
    heal = put.bench.device.fail_storage(kind)
    put.hit("")
    return heal


#: Told of a storage that was empty: then the fault has not hit.
NOTHING: Final = "nothing was at risk"


def _damaged(put: Injection, kind: Literal["torn", "corrupt", "lost_write"]) -> Heal:
    """At the next death. Healing what is broken ends the life that found it so."""
    device = put.bench.device
    mend = device.fail_storage(kind)
    struck: list[bool] = []

    def shows(record: Record) -> bool:
        mark = str(record.get("mark"))
        if mark.startswith(f"state {kind}: ") and not mark.endswith(NOTHING):
            struck.append(True)
        return bool(struck)

    put.hit_when(shows)

    def heal() -> None:
        was_alive = device.is_alive
        ends = bool(struck) and was_alive and kind != "lost_write"
        if ends:
            device.kill()
        mend()
        if ends:
            device.start()

    return heal


# --- The wall clock -------------------------------------------------------------


def _clock(
    put: Injection, *, seconds: int = 0, ppm: int = 0, epoch: bool = False
) -> Heal:
    device = put.bench.device
    heal = device.shift_clock(seconds, ppm=ppm, epoch=epoch)
    if epoch or isinstance(device, InProcessDevice):
        # An object learns the calendar at its start, and never again.
        put.hit_when(_is_started)
    else:
        put.hit("")
    return heal


def _is_started(record: Record) -> bool:
    return record["kind"] == "controller" and record["event"] == "started"


def _step(put: Injection) -> Heal:
    return _clock(put, seconds=put.number("seconds"))


def _drift(put: Injection) -> Heal:
    return _clock(put, ppm=put.number("ppm"))


def _wrap(put: Injection) -> Heal:
    in_ms = put.number("in_s") * 1000
    return put.bench.device.wrap_counter(in_ms, passed=put.hit)


ROWS: Final[Mapping[str, Put]] = {
    "controller_killed": _killed,
    "controller_killed_at": _killed_at,
    "site_power_cut": _site_power_cut,
    "store_full": partial(_refuses_writes, kind="full"),
    "store_read_only": partial(_refuses_writes, kind="read_only"),
    "store_torn": partial(_damaged, kind="torn"),
    "store_corrupt": partial(_damaged, kind="corrupt"),
    "store_lost_write": partial(_damaged, kind="lost_write"),
    "clock_step": _step,
    "clock_drift": _drift,
    "clock_1970": partial(_clock, epoch=True),
    "clock_wrap": _wrap,
}
