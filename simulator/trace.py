"""The one trace: append-only, in virtual time, rendered as JSON Lines.

Everything observable is appended here with the time at which it happened; the kinds are
the table in ``wire.records``. Two runs with the same seed give the same bytes: keys
stand in the order in which they are written, nothing depends on hashing or on the
locale.

What must never be kept is masked before it is stored, not when it is printed: runs of
13 to 19 digits that pass the Luhn check could be a card number (R-UI-07), also in the
groups in which people write one. Bytes are kept as hex pairs with spaces, so that no
run of digits arises by chance; ``hex_pairs`` hides digits that spell a number.

Because nobody can find afterwards what has been masked, the writer itself notes the
breach: a record of something that the *controller* said is followed by a ``finding``,
once for each way in which it speaks. Millisecond clocks pass the check one time in ten
and start with 1, references with 0, which no payment card does: they are masked,
but no breach.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from wire.records import KINDS, Record

#: A trace longer than this is a run that has gone wrong.
MAX_RECORDS: Final = 2_000_000

#: A run of digits, or groups of 4-4-4-n or 4-6-5. Neighbours that are digits or dashes
#: make it something else: a longer number, a UUID.
_NUMBER: Final = re.compile(
    r"(?<!\d)\d{13,19}(?!\d)"
    r"|(?<![\d-])\d{4}(?:[ -]\d{4}){2}[ -]\d{1,7}(?![\d-])"
    r"|(?<![\d-])\d{4}[ -]\d{6}[ -]\d{5}(?![\d-])",
    re.ASCII,
)
#: Digits in ASCII, as hex pairs show bytes of a message that have no meaning.
_IN_HEX: Final = re.compile(
    r"(?<!3\d )(?<![0-9A-Fa-f])3\d(?: 3\d){12,18}(?![ ]3\d)", re.ASCII
)
_MASK: Final = "*"
#: What a number may be written with.
_DIGITS: Final = "0123456789 -"
#: How many digits at either end a masked number may show.
_FIRST, _LAST = 6, 4
#: A card number has at least this many digits.
_SHORTEST: Final = 13
_SMALL: Final = 10**12
#: Longer texts are not remembered.
_REMEMBERED: Final = 256
#: The field that ``hex_pairs`` has made, which masks what it shows.
_MASKED_HEX: Final = "hex"


def luhn_valid(digits: str) -> bool:
    """Whether ``digits`` passes the check that card numbers pass (ISO/IEC 7812)."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = ord(char) - 48
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def _hide(match: re.Match[str]) -> str:
    found = match.group()
    places = [at for at, char in enumerate(found) if char.isdigit()]
    if not luhn_valid("".join(found[at] for at in places)):
        return found
    hidden = frozenset(places[_FIRST:-_LAST])
    return "".join(_MASK if at in hidden else char for at, char in enumerate(found))


def _hide_pairs(match: re.Match[str]) -> str:
    pairs = match.group().split()
    if not luhn_valid("".join(pair[1] for pair in pairs)):
        return match.group()
    pairs[_FIRST:-_LAST] = [_MASK * 2] * (len(pairs) - _FIRST - _LAST)
    return " ".join(pairs)


def mask_text(text: str) -> str:
    """Hide whatever could be a full card number, keeping first six and last four.

    The text keeps its length.
    """
    if len(text) < _SHORTEST:
        return text
    # The same ids and phrases come again and again.
    return _hidden(text) if len(text) <= _REMEMBERED else _hide_all(text)


def _hide_all(text: str) -> str:
    return _IN_HEX.sub(_hide_pairs, _NUMBER.sub(_hide, text))


def shortened(text: str, most: int) -> str:
    """``text``, or the ``most`` characters of it that a record keeps.

    A number that would be cut in two goes altogether: half a card number could no
    longer be told from any other digits.
    """
    if len(text) <= most:
        return text
    return f"{text[:most].rstrip(_DIGITS)}... ({len(text)} characters)"


_hidden = lru_cache(maxsize=8192)(_hide_all)


def mask(value: object) -> object:
    """``mask_text`` for every string and every large integer inside ``value``."""
    # The commonest kinds first, by their exact type: a long run appends millions of
    # small values. What is of another type is looked at again by what it can do.
    masker = _MASKERS.get(type(value))
    if masker is not None:
        return masker(value)
    for kind, slow in _FALLBACKS:
        if isinstance(value, kind):
            return slow(value)
    return value


def _mask_number(value: int) -> object:
    if -_SMALL < value < _SMALL:
        return value
    shown = str(value)
    hidden = mask_text(shown)
    return value if hidden == shown else hidden


def _mask_items(value: Iterable[object]) -> list[object]:
    return [mask(item) for item in value]


def _mask_mapping(value: Mapping[str, object]) -> dict[str, object]:
    masked = {}
    for key, item in value.items():
        # Short texts and small numbers are most of what there is.
        kind = type(item)
        is_plain = (
            (kind is str and len(item) < _SHORTEST)  # type: ignore[arg-type]
            or (kind is int and -_SMALL < item < _SMALL)  # type: ignore[operator]
        )
        name = key if len(key) < _SHORTEST else mask_text(key)
        masked[name] = item if is_plain else mask(item)
    return masked


def _as_it_is(value: object) -> object:
    return value


_MASKERS: Final[Mapping[type, Callable[[Any], object]]] = {
    str: mask_text,
    int: _mask_number,
    bool: _as_it_is,
    type(None): _as_it_is,
    dict: _mask_mapping,
    list: _mask_items,
    tuple: _mask_items,
}
_FALLBACKS: Final[tuple[tuple[type, Callable[[Any], object]], ...]] = (
    (str, mask_text),
    (int, _mask_number),
    (Mapping, _mask_mapping),
    (list, _mask_items),
    (tuple, _mask_items),
)


@lru_cache(maxsize=4096)
def hex_pairs(data: bytes) -> str:
    """Bytes as upper-case hex pairs with spaces, card numbers in ASCII hidden."""
    text = data.decode("latin-1")
    shown = mask_text(text).encode("latin-1")
    if shown == data:
        return data.hex(" ").upper()
    pairs = zip(data, shown, strict=True)
    return " ".join("**" if old != new else f"{old:02X}" for old, new in pairs)


#: What the controller says: kind -> the directions that lead away from it.
_SPOKEN: Final[Mapping[str, tuple[object, ...]]] = {
    "psp": ("to_terminal",),
    "bay": ("to_charger",),
    "http": (None,),
}
_CLOCK: Final = re.compile(r"(?<!\d)[01]\d{12,18}(?!\d)", re.ASCII)
_STARRED: Final = re.compile(r"3[02-9](?: 3\d){5} \*\*")


def _shows_card(said: object, kept: object) -> bool:
    """Whether a full card number was in ``said``, which is now ``kept``."""
    if said == kept:
        return False
    if isinstance(said, str | int):
        text = _CLOCK.sub("", str(said))
        return mask_text(text) != text
    if isinstance(said, Mapping) and isinstance(kept, Mapping):
        shown = any(map(_shows_card, said.values(), kept.values()))
        return shown or list(said) != list(kept)
    if isinstance(said, list | tuple) and isinstance(kept, list | tuple):
        return any(map(_shows_card, said, kept))
    return False


class TraceFull(RuntimeError):
    """The run wrote more than MAX_RECORDS records."""


class Clean(list[Mapping[str, object]]):
    """Values that have been looked through already: nothing in them is masked."""


#: Types whose values hold no card number, or are masked already.
_HARMLESS: Final = frozenset({bool, type(None), Clean})


class Trace:
    """Records in the order in which things happened.

    ``watchers`` are told of each record as it is appended: progress lines, live events.
    They see what the trace keeps, never more.
    """

    def __init__(self) -> None:
        self.records: list[Record] = []
        #: How many records stood before the first that is kept.
        self.forgotten = 0
        self.watchers: list[Callable[[Record], None]] = []
        #: Ways in which the controller has shown a card number.
        self._leaks: set[str] = set()

    def append(self, t_ms: int, kind: str, fields: Mapping[str, object]) -> Record:
        """Keep one record; ``kind`` must stand in ``wire.records.KINDS``."""
        if kind not in KINDS:
            allowed = ", ".join(KINDS)
            raise ValueError(f"trace kind {kind!r}: allowed are {allowed}")
        if len(self.records) >= MAX_RECORDS:
            raise TraceFull(f"more than {MAX_RECORDS} records")
        record: dict[str, object] = {
            "seq": self.forgotten + len(self.records),
            "t_ms": t_ms,
            "kind": kind,
            **fields,
        }
        may_leak = False
        for name, value in fields.items():
            # Most of what there is, by its exact type, is never a card number.
            what = type(value)
            if what is str:
                if len(value) < _SHORTEST:  # type: ignore[arg-type]
                    continue
            elif what is int:
                if -_SMALL < value < _SMALL:  # type: ignore[operator]
                    continue
            elif what in _HARMLESS:
                continue
            if name == _MASKED_HEX:
                may_leak |= _MASK in str(value)
            else:
                record[name] = mask(value)
                may_leak = True
        self.records.append(record)
        for watcher in tuple(self.watchers):
            watcher(record)
        if may_leak and fields.get("direction") in _SPOKEN.get(kind, ()):
            self._note_leak(record, fields)
        return record

    def forget(self) -> None:
        """Keep none of the records so far; numbers go on. For runs without an end."""
        self.forgotten += len(self.records)
        self.records.clear()

    def _note_leak(self, record: Record, fields: Mapping[str, object]) -> None:
        """R-UI-07: what was masked in the controller's own words is a breach."""
        kind = str(record["kind"])
        if kind in self._leaks:
            return
        starred = _STARRED.search(str(fields.get(_MASKED_HEX, "")))
        shown = any(
            _shows_card(value, record[name])
            for name, value in fields.items()
            if value is not record[name]
        )
        if not shown and not starred:
            return
        self._leaks.add(kind)
        at_ms, number = record["t_ms"], record["seq"]
        assert isinstance(at_ms, int)
        found = {
            "requirement": "R-UI-07",
            "expected": "masked card numbers only",
            "seen": f"what looks like a full card number, masked in record {number}",
        }
        self.append(at_ms, "finding", found)

    def render(self) -> str:
        """The whole trace as JSON Lines, ASCII only."""
        return "".join(render_record(record) + "\n" for record in self.records)


def render_record(record: Record) -> str:
    """One line of the trace."""
    return json.dumps(record, separators=(",", ":"), ensure_ascii=True)
