"""Faults of the calls to the payment cloud and of its callbacks."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from harness.callbacks import CallbackFault, How
from harness.cloud_line import FOREIGN, CallFault, What
from harness.faults.cable import turn
from harness.faults.life import Heal, Injection, Put
from harness.line_faults import Turn
from wire.cps import build
from wire.records import Record


def _call(put: Injection, what: What) -> Heal:
    """Calls of one route, some of them."""
    params = put.fault.params
    route = put.text("route")
    fault = CallFault(
        what=what,
        hit=put.hit,
        turn=turn(put),
        route="" if route == "any" else route,
        status=put.number("status") if "status" in params else 500,
        delay_ms=put.number("delay_ms") if "delay_ms" in params else 0,
    )
    return _into_line(put, fault)


def _refused(put: Injection) -> Heal:
    """All calls, until it is healed."""
    fault = CallFault(what="refuse", hit=put.first_hit, turn=Turn(count=None))
    return _into_line(put, fault)


def _into_line(put: Injection, fault: CallFault) -> Heal:
    faults = put.bench.lines.cloud.faults
    faults.append(fault)
    return lambda: faults.remove(fault)


def _key_rejected(put: Injection) -> Heal:
    """Another key is valid meanwhile; the controller keeps the one it was given."""
    bench = put.bench
    refused = bench.court.terminal.settings.cps_policy.bad_key

    def shows(record: Record) -> bool:
        return record["kind"] == "http_answer" and record["status"] == refused

    put.hit_when(shows)
    return put.hold(
        "api key",
        lambda: bench.court.terminal.replace_api_key(f"revoked-{bench.seed}"),
        lambda: bench.court.terminal.replace_api_key(bench.api_key),
    )


def _foreign_cancel(put: Injection) -> None:
    """Another system with the same key cancels a session (R-MUL-05)."""
    bench = put.bench
    found = bench.court.terminal.sessions.values()
    open_ids = [session.session_id for session in found if session.is_open]
    session_id = put.text("session") or (open_ids[-1] if open_ids else "")
    if not session_id:
        return
    request = build(
        "E10",
        api_key=bench.api_key,
        serial_number=bench.serial_number,
        session_id=session_id,
    )
    bench.court.call_cloud(FOREIGN, request)
    put.hit(session_id)


# --- Callbacks ------------------------------------------------------------------


def _callback(put: Injection, how: How) -> Heal:
    callbacks = put.bench.lines.cloud.callbacks
    what = put.text("what")
    fault = CallbackFault(
        how=how,
        hit=put.hit,
        turn=turn(put),
        what="" if what == "any" else what,
        delay_ms=put.number(_LATER[how]) if how in _LATER else 0,
    )
    callbacks.faults.append(fault)

    def heal() -> None:
        callbacks.faults.remove(fault)
        callbacks.release_overtaken(fault)
        if how == "overtake":
            callbacks.release_answers()

    return heal


#: The parameter that says how much later.
_LATER: Final[Mapping[How, str]] = {"delay": "delay_ms", "twice": "gap_ms"}


def _card_news_late(put: Injection) -> Heal:
    """Callback and long poll alike: whoever waits for either learns of a card late."""
    lines, delay_ms = put.bench.lines, put.number("delay_ms")
    poll = CallFault(
        what="late",
        hit=lambda _words: None,  # it has asked; whether for a card is not known yet
        turn=Turn(count=None),
        route="E4",
        delay_ms=delay_ms,
    )
    callback = CallbackFault(
        how="delay",
        hit=put.first_hit,
        turn=Turn(count=None),
        what="card",
        delay_ms=delay_ms,
    )
    lines.cloud.faults.append(poll)
    lines.cloud.strike_pending(poll)
    lines.cloud.callbacks.faults.append(callback)

    def heal() -> None:
        lines.cloud.faults.remove(poll)
        lines.cloud.callbacks.faults.remove(callback)

    return heal


def _callback_foreign(put: Injection) -> Heal:
    callbacks = put.bench.lines.cloud.callbacks
    callbacks.post_foreign(put.hit)
    return lambda: callbacks.withdraw_foreign(put.hit)


ROWS: Final[Mapping[str, Put]] = {
    "http_refused": _refused,
    "http_lost_before": partial(_call, what="break_before"),
    "http_lost_after": partial(_call, what="break_after"),
    "http_timeout_before": partial(_call, what="silence_before"),
    "http_timeout_after": partial(_call, what="silence_after"),
    "http_status": partial(_call, what="status_before"),
    "http_status_after": partial(_call, what="status_after"),
    "http_key_rejected": _key_rejected,
    "http_hollow": partial(_call, what="hollow"),
    "http_empty_body": partial(_call, what="empty"),
    "http_malformed": partial(_call, what="garble"),
    "http_slow": partial(_call, what="late"),
    "foreign_cancel": _foreign_cancel,
    "callback_lost": partial(_callback, how="lose"),
    "callback_twice": partial(_callback, how="twice"),
    "card_news_late": _card_news_late,
    "callback_late": partial(_callback, how="delay"),
    "callback_out_of_order": partial(_callback, how="swap"),
    "callback_before_answer": partial(_callback, how="overtake"),
    "callback_foreign": _callback_foreign,
}
