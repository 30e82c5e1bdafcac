# ruff: noqa: E501 - a table
"""The trace: what a run leaves behind, and all that the judge ever sees.

One JSON object per line, in the order in which things happened. Every record has
``seq`` (from 0), ``t_ms`` (virtual time since the start of the run) and ``kind``. This
module is the table of kinds: the simulator writes them, the judge and the reports read
them, and neither needs to know the other. A field that may be absent is marked ``?``.

Two kinds of knowledge stand side by side: what crossed a boundary of the controller
(``psp``, ``http``, ``callback``, ``bay``, ``link``) and what really happened in the world
(``act``, ``session``, ``issuer``, ``charger``). Deadlines run on the first, money on both.

Times: a record of a crossing carries the time at which it *arrived*; what is lost
carries the time at which it was sent, and ``fate: lost``. Bytes are written as hex pairs
with spaces. Secrets (API keys) never appear; runs of digits that could be a card number
are masked by the writer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Record = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of record: field name -> what it holds. ``?`` ends optional names."""

    about: str
    fields: Mapping[str, str]


# fmt: off
KINDS: Final[Mapping[str, Kind]] = {
    "run": Kind(about="first record of every run", fields={
        "version": "version of nohold",
        "scenario": "title of the scenario",
        "feature": "feature file, relative to its root",
        "column": "p6x | apollo | cps",
        "seed": "integer",
        "declaration": "the claims, timing and tariff tables of the declaration",
        "started_at": "calendar time at t_ms 0, ISO 8601 with zone",
        "requirements": "requirement ids of the scenario",
        "profile": "readings of ambiguous clauses that differ from the default",
    }),
    "step": Kind(about="a Gherkin step begins", fields={"keyword": "Given | When | Then", "text": "its words"}),
    "act": Kind(about="a person does something", fields={
        "act": "tap | remove_card | park | leave | plug | unplug | draw | pause | press | terminal_button | emergency_stop",
        "driver": "name of the person",
        "connector?": "1..32", "card?": "name of the test card", "card_id?": "hash of the card as the wire shows it",
        "button?": "start | stop | cancel, or the id of a terminal button", "active?": "emergency stop pressed or released",
        "seated?": "false: the plug is not fully inserted",
    }),
    "psp": Kind(about="bytes on the PSP line", fields={
        "direction": "to_terminal | to_controller",
        "hex": "bytes as hex pairs with spaces, the first 512", "length?": "bytes in all, where there are more",
        "fate": "delivered | late | lost | changed; late: sent, and not there yet",
        "messages": "list of {message, fields} that these bytes complete; {malformed: reason} for a bad block",
    }),
    "http": Kind(about="a call reaches the cloud", fields={
        "call": "integer, unique in the run", "method": "GET | POST | DELETE", "target": "path and query",
        "route?": "E1..E14 of the CPS reference", "terminal_serial?": "path parameter", "session_id?": "path parameter (UUID)",
        "query": "name -> value, or list of values when repeated", "authorised": "whether the Authorization header is right",
        "fate": "delivered | lost",
    }),
    "http_answer": Kind(about="an answer reaches the controller", fields={
        "call": "the call answered", "status": "integer", "body": "parsed JSON, or null", "fate": "delivered | lost | changed",
    }),
    "http_failed": Kind(about="a call ends without an answer, as the controller sees it", fields={
        "call": "the call", "reason": "refused | reset | timeout",
    }),
    "callback": Kind(about="the cloud posts to the controller", fields={
        "callback": "integer, unique in the run", "target": "path and query", "what": "card | ui | session | state",
        "body": "parsed JSON", "fate": "delivered | lost",
    }),
    "callback_answer": Kind(about="the controller's listener answered", fields={"callback": "which", "status": "integer"}),
    "bay": Kind(about="a line on the bay link", fields={
        "direction": "to_controller | to_charger", "line": "the JSON object; {raw, length?} for what is none or too long to keep", "fate": "delivered | lost",
    }),
    "link": Kind(about="a link changed", fields={
        "link": "psp | bay | cloud | host", "state": "up | down", "reason?": "refused | closed | reset | idle | cut | death | unread | second_client",
    }),
    "session": Kind(about="the terminal's session store changed, or refused to", fields={
        "event": "opened | committed | cancelled | refused | expired | updated | forwarded",
        "session_id": "UUID as CPS shows it", "psp_session_id": "integer as PSP shows it", "hold": "the issuer's hold",
        "card": "name of the test card", "card_id?": "hash of the card as the wire shows it",
        "amount_minor?": "authorised (opened, updated), committed, or asked for (refused)",
        "op?": "commit | cancel | update (refused)", "via?": "psp | cps | terminal", "reason?": "words",
    }),
    "issuer": Kind(about="what the cardholder's money does", fields={
        "event": "hold_opened | hold_raised | captured | released | dropped | declined | silent",
        "card": "name of the test card", "hold?": "the hold", "amount_minor?": "held, captured or released",
        "reason?": "why declined or dropped",
    }),
    "charger": Kind(about="what the charger really did", fields={
        "event": "contactor | lock | fault | available | emergency_stop | power", "connector?": "1..32", "closed?": "contactor", "locked?": "lock",
        "energy_wh?": "true register", "code?": "OCPP 1.6 error code", "active?": "true | false", "reason?": "words",
    }),
    "reader": Kind(about="the terminal changed state", fields={"face": "psp | cps", "state": "its name in that protocol"}),
    "display": Kind(about="the terminal shows something", fields={"screen": "which", "text": "what the driver reads"}),
    "controller": Kind(about="life of the device under test", fields={"event": "started | ready | killed", "boot": "counts from 1"}),
    "fault": Kind(about="life of an injected fault", fields={
        "event": "planned | hit | healed", "fault": "its id in this run", "name": "name in the catalogue", "detail?": "words",
    }),
    "seen": Kind(about="something a case needs to have seen did happen", fields={"mark": "its name"}),
    "finding": Kind(about="the bench noticed a breach while playing", fields={
        "requirement": "R-...", "expected": "words", "seen": "words",
    }),
    "epilogue": Kind(about="the end that every scenario shares", fields={
        "event": "begun | healed | settled | ended",
        "late_ms?": "ended, in real time: how late this machine was at worst, so that what came late need not be the controller's fault",
    }),
}
# fmt: on
