"""A small script for golden transcripts: one line per record, written by hand.

``SECONDS WHAT ...`` where WHAT is one of the verbs below. PSP lines carry the bytes
and, after a colon, what they mean; nothing here computes a checksum or an amount, so a
mistake in the examiner cannot repeat itself in its own examples.
"""

import json
import shlex
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from harness.judge import Expectations, Judgement, judge

DECLARATION: dict[str, Any] = {
    "claims": {
        "interface": "psp",
        "terminal": "apollo",
        "connectors": 2,
        "start": ["tap", "plug"],
        "stop": ["tap", "unplug"],
        "scanning": "always",
        "amount_strategy": "maximum",
        "max_power_w": 22000,
    },
    "timing": {
        "plug_in_window": 300,
        "no_energy_window": 300,
        "charger_loss_window": 600,
        "parked_full_window": 0,
    },
    "tariff": {"currency": "EUR", "reserve": 5000, "per_kwh": 50},
    "reach": {},
}
#: Card hashes as the wire shows them; an account has the same one in every hand.
CARD_IDS = {"visa": "A1" * 20, "amex": "B2" * 20, "wallet": "C3" * 20}

Fields = dict[str, Any]


def _value(word: str) -> Any:
    try:
        return json.loads(word)
    except ValueError:
        return word


def _pairs(words: list[str]) -> Fields:
    return {k: _value(v) for k, _, v in (word.partition("=") for word in words)}


def _uuid(psp_id: str) -> str:
    return f"5e551000-0000-4000-8000-0000000000{int(psp_id):02d}"


def _tap(driver: str, card: str) -> Fields:
    return {
        "kind": "act",
        "act": "tap",
        "driver": driver,
        "card": card,
        "card_id": CARD_IDS.get(card, ""),
    }


def _act(act: str) -> Callable[..., Fields]:
    def make(driver: str, connector: str, *button: str) -> Fields:
        fields: Fields = {"kind": "act", "act": act, "driver": driver}
        fields["connector"] = int(connector)
        return {**fields, **({"button": button[0]} if button else {})}

    return make


def _psp(direction: str, *words: str) -> Fields:
    split = words.index(":")
    fate = "delivered"
    meaning = list(words[split + 1 :])
    if meaning and meaning[-1].startswith("!"):
        fate = meaning.pop()[1:]
    names = [w for w in meaning if "=" not in w]
    fields = _pairs([w for w in meaning if "=" in w])
    messages: list[Fields] = []
    if "malformed" in fields:
        messages = [{"malformed": fields["malformed"]}]
    elif names:
        messages = [{"message": " ".join(names), "fields": fields}]
    return {
        "kind": "psp",
        "direction": direction,
        "hex": " ".join(words[:split]),
        "fate": fate,
        "messages": messages,
    }


def _store(event: str, psp_id: str, amount: str, *rest: str) -> Fields:
    fields: Fields = {
        "kind": "session",
        "event": event,
        "session_id": _uuid(psp_id),
        "psp_session_id": int(psp_id),
        "hold": f"hold-{psp_id}",
        "amount_minor": int(amount),
    }
    if event == "opened":
        fields["card"] = rest[0] if rest else "visa"
        fields["card_id"] = CARD_IDS.get(fields["card"], "")
    else:
        fields["via"] = rest[0] if rest else "psp"
    return fields


def _issuer(event: str, psp_id: str, amount: str) -> Fields:
    hold = f"hold-{psp_id}"
    return {
        "kind": "issuer",
        "event": event,
        "hold": hold,
        "card": "visa",
        "amount_minor": int(amount),
    }


def _http(call: str, route: str, session: str = "", *words: str) -> Fields:
    fate = "delivered"
    rest = list(words)
    if rest and rest[-1].startswith("!"):
        fate = rest.pop()[1:]
    flags = [w for w in rest if "=" not in w]
    return {
        "kind": "http",
        "call": int(call),
        "method": "POST",
        "target": f"/{route}",
        "route": route,
        "session_id": _uuid(session) if session.isdigit() else session,
        "query": _pairs([w for w in rest if "=" in w]),
        "authorised": "badkey" not in flags,
        "fate": fate,
    }


def _answer(call: str, status: str, state: str = "", session: str = "0") -> Fields:
    body = {"sessionId": _uuid(session), "state": state} if state else None
    fields: Fields = {"kind": "http_answer", "call": int(call), "status": int(status)}
    return {**fields, "body": body, "fate": "delivered"}


def _failed(call: str, reason: str) -> Fields:
    return {"kind": "http_failed", "call": int(call), "reason": reason}


def _callback(what: str, card: str) -> Fields:
    body = {"cardId": CARD_IDS[card], "serialNumber": "APO1"}
    return {"kind": "callback", "what": what, "body": body, "fate": "delivered"}


def _line(direction: str, line: Fields) -> Fields:
    return {"kind": "bay", "direction": direction, "line": line, "fate": "delivered"}


def _welcome(*connectors: str) -> Fields:
    """Each connector as ``number:pilot:open|closed:energy``."""
    rows = []
    for words in connectors:
        number, pilot, contactor, energy, *faults = words.split(":")
        rows.append(
            {
                "connector": int(number),
                "pilot": pilot,
                "contactor_closed": contactor == "closed",
                "energy_wh": int(energy),
                "power_w": 0,
                "quality": "good",
                "faults": faults,
                "occupied": pilot != "A",
                "available": True,
            }
        )
    line = {"type": "welcome", "emergency_stop": False, "connectors": rows}
    return _line("to_controller", line)


def _fact(kind: str, *words: str) -> Fields:
    if kind == "welcome":
        return _welcome(*words)
    if kind == "estop":
        fields: Fields = {"active": words[0] == "on"}
        return _line("to_controller", {"type": "emergency_stop", **fields})
    first = _value(words[0])
    line: Fields = {"type": kind, "connector": first}
    match kind:
        case "plug":
            line["pilot"] = words[1]
        case "contactor":
            line["closed"] = words[1] == "closed"
        case "meter":
            line["energy_wh"] = _value(words[1])
            line["power_w"] = int(words[2]) if len(words) > 2 else 0
            line["quality"] = words[3] if len(words) > 3 else "good"
        case "fault":
            line["code"], line["active"] = words[1], words[2] == "on"
        case "press":
            line["button"] = words[1]
        case "rejected":
            line["command"], line["reason"] = words[1], "no vehicle"
        case "bay":
            line["occupied"] = words[1] == "full"
        case "available":
            line["available"] = words[1] == "yes"
    return _line("to_controller", line)


def _order(kind: str, *words: str) -> Fields:
    line: Fields = {"type": kind}
    match kind:
        case "close" | "open":
            line = {"type": "contactor", "connector": int(words[0])}
            line["close"] = kind == "close"
        case "alarm":
            line["code"] = words[0]
        case "show":
            line["text"] = " ".join(words)
    return _line("to_charger", line)


def _link(link: str, state: str, reason: str = "") -> Fields:
    return {"kind": "link", "link": link, "state": state, "reason": reason}


def _fault(event: str, fault: str, name: str = "cable_cut") -> Fields:
    return {"kind": "fault", "event": event, "fault": fault, "name": name}


VERBS: Mapping[str, Callable[..., Fields]] = {
    "tap": _tap,
    **{name: _act(name) for name in ("plug", "unplug", "park", "leave", "press")},
    ">": lambda *words: _psp("to_terminal", *words),
    "<": lambda *words: _psp("to_controller", *words),
    "store": _store,
    "issuer": _issuer,
    "call": _http,
    "answer": _answer,
    "failed": _failed,
    "callback": _callback,
    "said": _fact,
    "order": _order,
    "link": _link,
    "life": lambda event: {"kind": "controller", "event": event, "boot": 1},
    "fault": _fault,
    "seen": lambda mark: {"kind": "seen", "mark": mark},
    "reader": lambda face, state: {"kind": "reader", "face": face, "state": state},
    "finding": lambda rid, *words: {
        "kind": "finding",
        "requirement": rid,
        "expected": "better",
        "seen": " ".join(words),
    },
    "json": lambda *words: json.loads(" ".join(words)),
}


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **base,
        **{k: {**base[k], **v} for k, v in changes.items()},
    }


def expand(script: str, *, ended: bool = True, **changes: Any) -> list[Fields]:
    """A script as records; ``changes`` are merged into the declaration's tables."""
    declaration = merged(DECLARATION, changes)
    records: list[Fields] = [
        {"kind": "run", "t_ms": 0, "declaration": declaration, "column": ""}
    ]
    t_ms = 0
    for line in script.strip().splitlines():
        words = shlex.split(line)
        if not words:
            continue
        t_ms = round(float(words[0]) * 1000)
        records.append({**VERBS[words[1]](*words[2:]), "t_ms": t_ms})
    if ended:
        records.append({"kind": "epilogue", "event": "ended", "t_ms": t_ms + 900_000})
    return [{**record, "seq": seq} for seq, record in enumerate(records)]


Play = Callable[..., Judgement]


@pytest.fixture
def play() -> Play:
    """Judge a script: ``play(script, expectations=..., claims={...})``."""

    def run(
        script: str, expectations: Expectations | None = None, **changes: Any
    ) -> Judgement:
        records = expand(script, **changes)
        return judge(records, expectations=expectations or Expectations())

    return run


@pytest.fixture
def records_of() -> Callable[..., list[Fields]]:
    """The records of a script, for tests that look below the verdict."""
    return expand
