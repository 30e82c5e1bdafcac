"""Typed access to records that were written by somebody else.

A stored trace may be years old or damaged. Reading it never raises: a field of the
wrong type counts as absent, and the rules downstream say what absence means.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

Table = Mapping[str, object]

_EMPTY: Final[Table] = {}
_DIGITS: Final = re.compile(r"[0-9]{1,15}")
#: What a record is made of, and what may stand for it; in this order, because an
#: abstract class takes long to answer.
_MAPPING: Final = (dict, Mapping)
_SEQUENCE: Final = (list, tuple, Sequence)
_TEXTUAL: Final = (str, bytes)


def number(table: Table, key: str) -> int | None:
    """The integer under ``key``; a boolean is not a number."""
    value = table.get(key)
    if type(value) is int or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    return None


def numeral(table: Table, key: str) -> int | None:
    """As ``number``, and also decimal digits in a string (query parameters)."""
    value = table.get(key)
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    return number(table, key)


def text(table: Table, key: str) -> str:
    value = table.get(key)
    return value if isinstance(value, str) else ""


def flag(table: Table, key: str) -> bool | None:
    value = table.get(key)
    return value if isinstance(value, bool) else None


def table(holder: Table, key: str) -> Table:
    value = holder.get(key)
    return value if isinstance(value, _MAPPING) else _EMPTY


def rows(holder: Table, key: str) -> Iterator[Table]:
    """The objects of a list; anything in it that is not an object is passed over."""
    return tables(holder.get(key))


def tables(value: object) -> Iterator[Table]:
    if isinstance(value, _SEQUENCE) and not isinstance(value, _TEXTUAL):
        for row in value:
            if isinstance(row, _MAPPING):
                yield row


def numbers(holder: Table, key: str) -> tuple[int, ...]:
    value = holder.get(key)
    if not isinstance(value, _SEQUENCE) or isinstance(value, _TEXTUAL):
        return ()
    return tuple(n for n in value if isinstance(n, int) and not isinstance(n, bool))


def words(holder: Table, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
    value = holder.get(key)
    if not isinstance(value, _SEQUENCE) or isinstance(value, _TEXTUAL):
        return default
    return tuple(word for word in value if isinstance(word, str))


def strings_in(value: object, depth: int = 6) -> Iterator[str]:
    """Every string inside a JSON value, at most ``depth`` levels down."""
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, _MAPPING):
        for inner in value.values():
            yield from strings_in(inner, depth - 1)
    elif depth and isinstance(value, _SEQUENCE) and not isinstance(value, bytes):
        for inner in value:
            yield from strings_in(inner, depth - 1)
