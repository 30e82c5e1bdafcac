"""What the card issuer is told to do otherwise.

The issuer knows one behaviour and one set of questions that it does not answer, so both
are worked out anew from all faults of this seam that are in force, the last one first.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

from harness.faults.life import Heal, Injection, Put
from simulator.cards import Outcome
from simulator.faults import Fault
from simulator.issuer import Ask, Behaviour
from wire.records import Record

_DAY_MS: Final = 86_400_000
_ASKS: Final[tuple[Ask, ...]] = get_args(Ask)


def _slow(fault: Fault) -> dict[str, Any]:
    return {"delay_ms": fault.number("delay_ms")}


def _increment(fault: Fault) -> dict[str, Any]:
    if fault.text("answer") == "declined":
        return {"increment": Outcome.DECLINE}
    total_minor = fault.number("total_minor") or None
    return {"increment": Outcome.PARTIAL, "increment_minor": total_minor}


def _validity(fault: Fault) -> dict[str, Any]:
    return {"valid_ms": fault.number("days") * _DAY_MS}


#: What each fault changes of the issuer's behaviour.
_CHANGES: Final[Mapping[str, Callable[[Fault], dict[str, Any]]]] = {
    "issuer_slow": _slow,
    "issuer_increment": _increment,
    "issuer_validity": _validity,
}


def _is_decision(record: Record, _fault: Fault) -> bool:
    return record["kind"] == "issuer"


def _is_silence(record: Record, fault: Fault) -> bool:
    is_silent = record["kind"] == "issuer" and record["event"] == "silent"
    return is_silent and record["reason"] == fault.text("ask")


def _is_increment(record: Record, _fault: Fault) -> bool:
    """A raise that was granted, if only in part, or a hold that was not raised."""
    if record["kind"] != "issuer":
        return False
    reason = str(record.get("reason", ""))
    is_declined = record["event"] == "declined" and bool(record.get("hold"))
    return record["event"] == "hold_raised" or (is_declined and reason.startswith("0x"))


def _is_hold(record: Record, _fault: Fault) -> bool:
    return record["kind"] == "issuer" and record["event"] == "hold_opened"


_SHOWN_BY: Final[Mapping[str, Callable[[Record, Fault], bool]]] = {
    "issuer_slow": _is_decision,
    "issuer_silent": _is_silence,
    "issuer_increment": _is_increment,
    "issuer_validity": _is_hold,
}


def _put(put: Injection) -> Heal:
    put.hit_when(lambda record: _SHOWN_BY[put.fault.name](record, put.fault))

    def apply() -> None:
        issuer, faults = put.bench.court.issuer, put.siblings()
        changes: dict[str, Any] = {}
        for fault in faults:
            if fault.name in _CHANGES:
                changes |= _CHANGES[fault.name](fault)
        issuer.set_behaviour(None, Behaviour(**changes) if changes else None)
        unheard = {f.text("ask") for f in faults if f.name == "issuer_silent"}
        issuer.answer_silence(frozenset(ask for ask in _ASKS if ask in unheard))

    apply()
    return apply


ROWS: Final[Mapping[str, Put]] = dict.fromkeys(_SHOWN_BY, _put)
