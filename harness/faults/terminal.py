"""Faults of the terminal: its host link, power and configuration, its own answers."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from harness.faults.life import Heal, Injection, Put, Shows
from simulator import events
from simulator.terminal import Impairment, Kind
from wire.records import Record

if TYPE_CHECKING:
    from harness.faults.ground import Ground


# --- Links and power ------------------------------------------------------------


def _host_down(put: Injection) -> Heal:
    court = put.bench.court

    def off() -> None:
        if court.host_link_up:
            court.move_host_link(up=False)

    return put.strike("host link", off, lambda: court.move_host_link(up=True))


def _cloud_down(put: Injection) -> Heal:
    tell = put.bench.court.tell_terminal
    return put.strike(
        "cloud link",
        lambda: tell(events.CloudLinkMoved(up=False)),
        lambda: tell(events.CloudLinkMoved(up=True)),
    )


def hold_power(put: Injection) -> Heal:
    """The terminal has no power; for cuts of the whole site as well."""
    bench = put.bench
    return put.hold(
        "terminal power",
        lambda: _set_power(bench, on=False),
        lambda: _set_power(bench, on=True),
    )


def _set_power(bench: "Ground", *, on: bool) -> None:
    if not on:
        bench.lines.psp.hang_up("reset")
    bench.lines.psp.terminal_powered = on
    bench.court.tell_terminal(events.TerminalPower(on=on))


def _off(put: Injection) -> Heal:
    heal = hold_power(put)
    put.hit("")
    return heal


def _reboot(put: Injection) -> None:
    put.bench.court.change_terminal(lambda terminal: terminal.reboot())
    put.hit("")


# --- As a message reaches it ----------------------------------------------------


def _arrives(put: Injection) -> Shows:
    """Whether a record is the message that the fault waits for."""
    name, left = put.text("message"), put.number("after")

    def shows(record: Record) -> bool:
        nonlocal left
        found = _arriving(record)
        if not found or (name and name not in found):
            return False
        left -= 1
        return left < 0

    return shows


def _arriving(record: Record) -> Collection[str]:
    """The messages, or the call, that reach the terminal with a record."""
    if record["kind"] == "http":
        return [str(record["route"])] if record["fate"] == "delivered" else []
    if record["kind"] != "psp" or record["direction"] != "to_terminal":
        return []
    messages = record["messages"]
    assert isinstance(messages, Sequence)
    is_here = record["fate"] == "delivered"
    return [str(one.get("message")) for one in messages] if is_here else []


def _reboot_at(put: Injection) -> None:
    """Records come first: the message finds a terminal that has just gone off."""
    court = put.bench.court
    reboot = partial(court.change_terminal, lambda terminal: terminal.reboot())
    act: Callable[[], object] = reboot
    if put.text("effect") == "done":
        act = lambda: court.kernel.at(court.kernel.now_ms + 1, reboot)  # noqa: E731
    put.act_when(_arrives(put), f"{put.text('message')} arrives", act)


def _falls_back(put: Injection) -> None:
    court, is_online = put.bench.court, put.text("state") == "online"
    put.act_when(
        _arrives(put),
        f"{put.text('message')} arrives",
        lambda: court.change_terminal(lambda one: one.fall_back(online=is_online)),
    )


def _extended(put: Injection) -> None:
    """A terminal that does not have them goes on as before: no hit."""
    done: list[bool] = []
    court = put.bench.court
    court.change_terminal(lambda one: done.append(one.speak_extended()))
    if done[0]:
        put.act_when(
            lambda record: bool(_arriving(record)),
            "a classic block is not read",
            lambda: None,
        )


# --- Configuration and memory ---------------------------------------------------


def _session_timeout(put: Injection) -> Heal:
    """Open sessions end by themselves; those that are open keep that end."""
    court = put.bench.court
    action: Literal["commit", "void"] = (
        "commit" if put.text("action") == "commit" else "void"
    )
    life_s = put.number("after_s")
    put.hit_when(_is_expired)
    return put.hold(
        "session life",
        lambda: court.change_terminal(lambda one: one.limit_sessions(life_s, action)),
        lambda: court.change_terminal(lambda one: one.unlimit_sessions()),
    )


def _is_expired(record: Record) -> bool:
    return record["kind"] == "session" and record["event"] == "expired"


def _stale_sessions(put: Injection) -> None:
    count = put.number("count")
    put.bench.court.change_terminal(lambda one: one.open_old_sessions(count))
    put.hit("")


def _forgets_callbacks(put: Injection) -> None:
    put.bench.court.change_terminal(lambda one: one.forget_callbacks())
    put.hit("")


# --- Its own answers ------------------------------------------------------------

#: Parameters of the catalogue that an impairment has by the same name.
_SAME: Final = ("message", "operation", "reason", "status", "delay_ms")


def _impair(put: Injection, kind: Kind) -> Heal:
    """The terminal notes the hits by itself, under the fault's id and name."""
    court, params = put.bench.court, put.fault.params
    fields: dict[str, Any] = {name: params[name] for name in _SAME if name in params}
    impairment = Impairment(
        fault=put.fault.fault_id,
        name=put.fault.name,
        kind=kind,
        times=put.number("count") or None if "count" in params else None,
        skip=put.number("after") if "after" in params else 0,
        **fields,
    )
    court.change_terminal(lambda terminal: terminal.impair(impairment))
    return lambda: court.change_terminal(lambda one: one.heal(impairment.fault))


ROWS: Final[Mapping[str, Put]] = {
    "host_down": _host_down,
    "cloud_down": _cloud_down,
    "terminal_off": _off,
    "terminal_reboot": _reboot,
    "terminal_reboot_at": _reboot_at,
    "terminal_falls_back": _falls_back,
    "terminal_extended_blocks": _extended,
    "terminal_not_ready": partial(_impair, kind=Kind.NOT_READY),
    "terminal_session_timeout": _session_timeout,
    "terminal_stale_sessions": _stale_sessions,
    "terminal_forgets_callbacks": _forgets_callbacks,
    "http_failed_state": partial(_impair, kind=Kind.COMMIT_FAILED),
    **{
        str(kind): partial(_impair, kind=kind)
        for kind in Kind
        if kind not in (Kind.NOT_READY, Kind.COMMIT_FAILED, Kind.HTTP_STATUS)
    },
}
