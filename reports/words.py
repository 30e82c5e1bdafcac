"""A trace record in one line of words, for people who read evidence.

    00:05:00.012  controller -> terminal  Void Session 66

Time since the start of the run, who to whom, what. One row of ``WORDS`` per kind of
record; a kind without a row, and a field that is missing, still give a line, because
evidence must never fail to print. Works on plain dictionaries, the JSON of the trace,
and knows nothing of the packages that write them. Lines are at most ``MAX_LENGTH``
characters and hold no control characters.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final

Record = Mapping[str, object]

#: Longest line, in characters; the rest is cut off and marked with an ellipsis.
MAX_LENGTH: Final = 200
#: Longest rendering of one JSON body within a line.
MAX_BODY: Final = 90

_DAY_MS: Final = 86_400_000

_FATES: Final[Mapping[str, str]] = {
    "late": " (late on the way)",
    "lost": " (lost on the way)",
    "changed": " (changed on the way)",
}


def in_words(record: Record) -> str:
    """One line for one record."""
    who, what = WORDS.get(str(record.get("kind")), _unknown)(record)
    line = f"{clock(record.get('t_ms'))}  {who:<22}  {what}"
    shown = line[:MAX_LENGTH]
    clean = "".join(c if c.isprintable() else "�" for c in shown).rstrip()
    return clean if len(line) <= MAX_LENGTH else clean[: MAX_LENGTH - 1] + "…"


def tail_in_words(records: Sequence[Record], count: int = 12) -> tuple[str, ...]:
    """The last ``count`` records, one line each."""
    return tuple(in_words(record) for record in records[-count:])


#: Questions that are asked over and over, and tell nothing when asked once more.
_CHATTER: Final = frozenset({"Get Status", "Get Status Response"})
_CHATTER_ROUTES: Final = ("E2", "E4")
_CHATTER_LINES: Final = ("ping", "pong")


def without_chatter(records: Sequence[Record]) -> list[Record]:
    """The records without polling and its answers, as far as nothing got lost."""
    chatter = Chatter()
    return [record for record in records if not chatter.has(record)]


class Chatter:
    """Tells polling and its answers from the rest, record after record."""

    def __init__(self) -> None:
        #: Calls whose answers are chatter too.
        self._polls: set[object] = set()

    def has(self, record: Record) -> bool:
        """Whether ``record`` is chatter; each record once, in their order."""
        kind, call = record.get("kind"), record.get("call")
        is_poll = call in self._polls
        if kind in ("http_answer", "http_failed"):
            self._polls.discard(call)
        if record.get("fate", "delivered") != "delivered":
            return False
        if kind == "psp":
            return _is_status(record.get("messages"))
        if kind == "http" and record.get("route") in _CHATTER_ROUTES:
            self._polls.add(call)
            return True
        if kind == "http_answer":
            return is_poll and record.get("status") in (200, 204)
        line = record.get("line")
        return isinstance(line, Mapping) and line.get("type") in _CHATTER_LINES


def _is_status(messages: object) -> bool:
    said = messages if isinstance(messages, list) else []
    names = {one.get("message") for one in said if isinstance(one, Mapping)}
    return bool(names) and names <= _CHATTER


def clock(t_ms: object) -> str:
    """Virtual milliseconds as hours, minutes, seconds; days in front when there are."""
    if not isinstance(t_ms, int) or isinstance(t_ms, bool) or t_ms < 0:
        return "??:??:??.???"
    days, rest = divmod(t_ms, _DAY_MS)
    seconds, ms = divmod(rest, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    day = f"{days}d " if days else ""
    return f"{day}{hour:02}:{minute:02}:{second:02}.{ms:03}"


# --- Pieces of lines --------------------------------------------------------------


def _text(record: Record, key: str) -> str:
    return str(record.get(key, "?"))


def _plain(name: object) -> str:
    return str(name).replace("_", " ")


def _fate(record: Record) -> str:
    return _FATES.get(str(record.get("fate")), "")


def _given(record: Record, *keys: str) -> str:
    """Those of the fields that are there: ``, connector 1, code GroundFailure``."""
    found = [f", {_plain(key)} {record[key]}" for key in keys if key in record]
    return "".join(found)


def _body(value: object) -> str:
    if value is None:
        return "no JSON"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MAX_BODY else text[: MAX_BODY - 1] + "…"


def _message(item: object) -> str:
    """``Void Session 66``, ``Commit Session 66, amount minor 621``."""
    if not isinstance(item, Mapping):
        return str(item)
    if "malformed" in item:
        return f"a malformed block ({item['malformed']})"
    fields = item.get("fields")
    if not isinstance(fields, Mapping):
        fields = {}
    session = f" {fields['session_id']}" if "session_id" in fields else ""
    rest = [key for key in fields if key != "session_id"]
    return f"{item.get('message', '?')}{session}{_given(fields, *rest)}"


def _messages(record: Record) -> str:
    messages = record.get("messages")
    if isinstance(messages, Sequence) and not isinstance(messages, str) and messages:
        return "; ".join(_message(item) for item in messages)
    return f"{len(str(record.get('hex', '')).split())} bytes, no whole message"


# --- One row per kind: (record) -> (who, what) ------------------------------------

Line = tuple[str, str]


def _unknown(record: Record) -> Line:
    hidden = ("seq", "t_ms", "kind")
    fields = {key: record[key] for key in record if key not in hidden}
    return _plain(_text(record, "kind")), _body(fields)


def _run(record: Record) -> Line:
    return (
        "run begins",
        f"{_text(record, 'scenario')}{_given(record, 'column', 'seed')}",
    )


def _step(record: Record) -> Line:
    return "step", f"{_text(record, 'keyword')} {_text(record, 'text')}"


def _act(record: Record) -> Line:
    optional = ("connector", "card", "button", "active", "seated")
    return _text(record, "driver"), (
        f"{_plain(_text(record, 'act'))}{_given(record, *optional)}"
    )


def _psp(record: Record) -> Line:
    to_terminal = record.get("direction") == "to_terminal"
    who = "controller -> terminal" if to_terminal else "terminal -> controller"
    return who, f"{_messages(record)}{_fate(record)}"


def _http(record: Record) -> Line:
    key = "" if record.get("authorised", True) else " with a wrong key"
    call = f"{_text(record, 'method')} {_text(record, 'target')}"
    return "controller -> cloud", f"{call}{key}{_fate(record)}"


def _http_answer(record: Record) -> Line:
    said = f"{_text(record, 'status')} {_body(record.get('body'))}"
    return "cloud -> controller", (
        f"answers call {_text(record, 'call')}: {said}{_fate(record)}"
    )


def _http_failed(record: Record) -> Line:
    call, reason = _text(record, "call"), _text(record, "reason")
    return "cloud -> controller", f"no answer to call {call}: {reason}"


def _callback(record: Record) -> Line:
    what = f"{_text(record, 'what')} callback {_text(record, 'callback')}"
    return "cloud -> controller", f"{what}: {_body(record.get('body'))}{_fate(record)}"


def _callback_answer(record: Record) -> Line:
    which, status = _text(record, "callback"), _text(record, "status")
    return "controller -> cloud", f"answers callback {which}: {status}"


def _bay(record: Record) -> Line:
    to_charger = record.get("direction") == "to_charger"
    who = "controller -> charger" if to_charger else "charger -> controller"
    line = record.get("line")
    if not isinstance(line, Mapping):
        return who, f"{_body(line)}{_fate(record)}"
    rest = [key for key in line if key not in ("type", "connectors")]
    what = f"{_plain(line.get('type', '?'))}{_given(line, *rest)}"
    return who, f"{what}{_fate(record)}"


def _link(record: Record) -> Line:
    what = f"{_text(record, 'link')} link {_text(record, 'state')}"
    return "link", f"{what}{_given(record, 'reason')}"


def _session(record: Record) -> Line:
    optional = ("card", "amount_minor", "op", "via", "reason")
    number = _text(record, "psp_session_id")
    what = f"session {number} ({_text(record, 'session_id')}) {_text(record, 'event')}"
    return "terminal", f"{what}{_given(record, *optional)}"


def _issuer(record: Record) -> Line:
    optional = ("card", "hold", "amount_minor", "reason")
    what = _plain(_text(record, "event"))
    return "card issuer", f"{what}{_given(record, *optional)}"


def _charger(record: Record) -> Line:
    optional = (
        "connector",
        "closed",
        "locked",
        "energy_wh",
        "code",
        "active",
        "reason",
    )
    return "charger", f"{_plain(_text(record, 'event'))}{_given(record, *optional)}"


def _reader(record: Record) -> Line:
    return "terminal", f"{_text(record, 'face').upper()} state {_text(record, 'state')}"


def _display(record: Record) -> Line:
    return "terminal shows", f"{_text(record, 'screen')}: {_text(record, 'text')}"


def _controller(record: Record) -> Line:
    return "controller", f"{_text(record, 'event')}{_given(record, 'boot')}"


def _fault(record: Record) -> Line:
    what = f"{_text(record, 'name')} {_text(record, 'event')}"
    return "fault", f"{what}{_given(record, 'detail')}"


def _seen(record: Record) -> Line:
    return "seen", _text(record, "mark")


def _finding(record: Record) -> Line:
    expected, seen = _text(record, "expected"), _text(record, "seen")
    return f"breach of {_text(record, 'requirement')}", (
        f"expected {expected}; seen {seen}"
    )


def _epilogue(record: Record) -> Line:
    return "epilogue", _text(record, "event")


WORDS: Final[Mapping[str, Callable[[Record], Line]]] = {
    "run": _run,
    "step": _step,
    "act": _act,
    "psp": _psp,
    "http": _http,
    "http_answer": _http_answer,
    "http_failed": _http_failed,
    "callback": _callback,
    "callback_answer": _callback_answer,
    "bay": _bay,
    "link": _link,
    "session": _session,
    "issuer": _issuer,
    "charger": _charger,
    "reader": _reader,
    "display": _display,
    "controller": _controller,
    "fault": _fault,
    "seen": _seen,
    "finding": _finding,
    "epilogue": _epilogue,
}
