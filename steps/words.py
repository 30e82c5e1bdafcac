"""Words of the scenarios and the values they stand for.

Every field of a step pattern has a type from ``WORDS``: money as ``EUR 25.00``, time as
``60 seconds``, energy as ``12.4 kWh``, places as ``connector 1``. ``phrase`` makes a
pattern that knows them; what does not fit its type does not match, so a mistyped amount
is an unknown step, answered with what is allowed there, instead of a strange failure.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, TypeVar

from pytest_bdd import parsers

from simulator.cards import CARDS
from simulator.fault_codes import FAULT_CODES
from simulator.vehicle import VEHICLES
from steps.terms import CLAIMS, DEEDS, WINDOWS
from wire.bay import ALARM_CODES, SHOW_CODES

ConvertT = TypeVar("ConvertT", bound=Callable[[str], Any])
ValueT = TypeVar("ValueT")

_ORDINALS: Final = (
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
)
_WHO: Final = r"(?:the|a|another) driver|the (?:" + "|".join(_ORDINALS) + r") driver"
_COUNTS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")
_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


def _pattern(
    text: str, *, allowed: str = "", values: Iterable[str] = ()
) -> Callable[[ConvertT], ConvertT]:
    """Say which words a converter takes, in the way that ``parse`` looks it up.

    ``allowed`` says it to a person; ``values`` are all of them, where they are few.
    """

    def mark(convert: ConvertT) -> ConvertT:
        convert.__dict__["pattern"] = text
        convert.__dict__["values"] = tuple(values)
        convert.__dict__["allowed"] = allowed or ", ".join(values)
        return convert

    return mark


def _one_of(*values: str) -> Callable[[ConvertT], ConvertT]:
    """A converter that takes these words and no others."""
    longest_first = sorted(values, key=len, reverse=True)
    return _pattern("|".join(map(re.escape, longest_first)), values=values)


def _told(table: Mapping[str, ValueT]) -> Callable[[str], ValueT]:
    """A converter that takes the words of a table, and gives what stands there."""

    @_one_of(*table)
    def told(text: str) -> ValueT:
        return table[text]

    return told


def _said(*words: str) -> Callable[[str], str]:
    """A converter that takes these words as they are."""
    return _told({word: word for word in words})


def _spoken(names: Iterable[str]) -> tuple[str, ...]:
    """Names of a table, with blanks for underscores."""
    return tuple(sorted(name.replace("_", " ") for name in names))


@_pattern(r"[A-Z]{3} \d+(?:\.\d\d)?", allowed="EUR 25.00")
def money(text: str) -> int:
    """``EUR 25.00`` as minor units: 2500. Two decimals, as the euro has."""
    return int(Decimal(text[4:]) * 100)


@_pattern(
    r"\d+(?:\.\d+)? (?:second|minute|hour|day)s?",
    allowed="60 seconds, 5 minutes, 2 hours, 6.5 days",
)
def duration(text: str) -> int:
    """``5 minutes`` as milliseconds."""
    number, unit = text.split()
    return int(Decimal(number) * _SECONDS[unit.rstrip("s")] * 1000)


@_pattern(r"\d+(?:\.\d+)? k?Wh", allowed="12.4 kWh, 500 Wh")
def energy(text: str) -> int:
    """``12.4 kWh`` as watt-hours."""
    number, unit = text.split()
    return int(Decimal(number) * (1000 if unit == "kWh" else 1))


@_pattern(r"\d+(?:\.\d+)? kW", allowed="11 kW")
def power(text: str) -> int:
    """``11 kW`` as watts."""
    return int(Decimal(text.removesuffix(" kW")) * 1000)


@_pattern(r"connector \d+", allowed="connector 1")
def connector(text: str) -> int:
    """``connector 1`` as 1."""
    return int(text.split()[1])


@_pattern(_WHO, allowed="the driver, the second driver ... the eighth driver")
def driver(text: str) -> int:
    """``the driver`` as 1, ``the second driver`` or ``another driver`` as 2."""
    word = text.split()[1]
    if text == "another driver":
        return 2
    return _ORDINALS.index(word) + 1 if word in _ORDINALS else 1


@_pattern(
    r"the (?:(?:" + "|".join(_ORDINALS) + r") )?driver's",
    allowed="the driver's, the second driver's ... the eighth driver's",
)
def whose(text: str) -> int:
    """``the driver's`` as 1, ``the second driver's`` as 2."""
    number: int = driver(text.removesuffix("'s"))
    return number


@_one_of(*_spoken(CARDS))
def card(text: str) -> str:
    """A test card by its name, blanks for underscores."""
    return text.replace(" ", "_")


@_one_of(*_spoken(VEHICLES))
def vehicle(text: str) -> str:
    """A vehicle by its name, blanks for underscores."""
    return text.replace(" ", "_")


@_one_of("start", "stop", "cancel")
def button(text: str) -> str:
    """A button of the charger's own screen."""
    return text


@_one_of(*sorted(FAULT_CODES))
def error_code(text: str) -> str:
    """An OCPP 1.6 ChargePointErrorCode."""
    return text


@_one_of(*_spoken(SHOW_CODES))
def show_code(text: str) -> str:
    """A ``show`` code of the bay link, blanks for underscores."""
    return text.replace(" ", "_")


@_one_of(*_spoken(ALARM_CODES))
def alarm_code(text: str) -> str:
    """An ``alarm`` code of the bay link, blanks for underscores."""
    return text.replace(" ", "_")


@_pattern(r"\d+|" + "|".join(_COUNTS), allowed="a number: no, one ... eight, 12")
def count(text: str) -> int:
    """A small number in words or digits."""
    return _COUNTS.index(text) if text in _COUNTS else int(text)


def _counted(noun: str, *, tail: str = "") -> Callable[[str], int]:
    """A number with its noun in the right form: ``one session``, ``two sessions``.

    ``tail`` is a verb in both forms: ``has|have``.
    """
    one, many = tail.split("|") if tail else ("", "")
    single = rf"(?:one|1) {noun}{' ' + one if one else ''}"
    others = "|".join(word for word in _COUNTS if word != "one")
    plural = rf"(?:\d+|{others}) {noun}s{' ' + many if many else ''}"

    example = f"one {noun} {one}".strip(), f"two {noun}s {many}".strip()

    @_pattern(f"{single}|{plural}", allowed=", ".join(example))
    def counted(text: str) -> int:
        number: int = count(text.partition(" ")[0])
        return number

    return counted


#: Calls of the cloud, in its own words where they say enough -> the route.
_CALLS: Final = {"commit": "E9", "cancel": "E10", "authorisation": "E6", "start": "E3"}


#: What befalls a callback on its way -> the fault of the catalogue.
_CALLBACK_FATES: Final = {
    "comes twice": "callback_twice",
    "is lost": "callback_lost",
    "is overtaken by its successor": "callback_out_of_order",
}
#: What the caller hears of a call that had its effect.
_UNANSWERED: Final = {
    "hangs up": "http_lost_after",
    "never answers": "http_timeout_after",
    "answers nothing": "http_empty_body",
    "answers nonsense": "http_malformed",
    "answers an error": "http_status_after",
}
#: The same of a call that had none.
_UNDONE: Final = {
    "hangs up": "http_lost_before",
    "never answers": "http_timeout_before",
}


#: A window of the card schemes -> the requirement that has it.
_SCHEME_WINDOWS: Final = {
    "24 hours of a reversal": "R-EXT-01",
    "validity of an authorisation": "R-EXT-02",
}


@_pattern(r"[2-5]\d\d", allowed="a status of HTTP: 200 to 599")
def status(text: str) -> int:
    """A status of HTTP."""
    return int(text)


@_pattern(r"[A-Z]{3}", allowed="a code of ISO 4217: EUR")
def currency(text: str) -> str:
    """A currency code of ISO 4217."""
    return text


_TURNS: Final = ("next", *_ORDINALS[1:])


@_pattern(
    "|".join((*_TURNS, r"[1-9]\d{0,3}(?:st|nd|rd|th)")),
    allowed="next, second to eighth, or 9th and so on",
)
def turn(text: str) -> int:
    """``next`` as 0, ``second`` as 1, ``12th`` as 11: how many of them pass first."""
    return _TURNS.index(text) if text in _TURNS else int(text[:-2]) - 1


#: Name in a pattern -> converter.
WORDS: Final[dict[str, Callable[[str], Any]]] = {
    "Money": money,
    "Duration": duration,
    "Energy": energy,
    "Power": power,
    "Connector": connector,
    "Driver": driver,
    "Whose": whose,
    "Card": card,
    "Vehicle": vehicle,
    "Button": button,
    "ErrorCode": error_code,
    "ShowCode": show_code,
    "AlarmCode": alarm_code,
    "Claim": _told(CLAIMS),
    "Window": _told(WINDOWS),
    #: Verbs in the form that their number asks for; they stand for nothing.
    "Pass": _said("pass", "passes"),
    "Have": _said("have", "has"),
    "Count": count,
    "Connectors": _counted("connector"),
    "Closes": _counted("close"),
    "DriversAre": _counted("driver", tail="is|are"),
    "SessionsAre": _counted("session", tail="is|are"),
    "SessionsHave": _counted("session", tail="has|have"),
    "AuthorisationsHave": _counted("authorisation", tail="has|have"),
    "IncrementAnswer": _said("declined", "partially approved", "never answered"),
    "Call": _told(_CALLS),
    #: The same after a number.
    "Calls": _told({**_CALLS, **{f"{name}s": route for name, route in _CALLS.items()}}),
    "CallbackFate": _told(_CALLBACK_FATES),
    "Unanswered": _told(_UNANSWERED),
    "Undone": _told(_UNDONE),
    "Status": status,
    "SchemeWindow": _told(_SCHEME_WINDOWS),
    #: What becomes of a session whose time is over at the terminal.
    "Expiry": _told({"released": "void", "committed in full": "commit"}),
    #: Where a terminal without its set-up finds itself.
    "Fallen": _said("offline", "online"),
    #: A part of a block that can be damaged.
    "Spot": _said("preamble", "magic", "length", "checksum"),
    #: A pilot state that means an error.
    "Pilot": _said("E", "F"),
    "Currency": currency,
    #: Which side of something that happens.
    "Moment": _said("before", "after"),
    "Turn": turn,
    "Deed": _said(*DEEDS),
    "Way": _told({"forward": 1, "back": -1}),
    "Pace": _told({"fast": 1, "slow": -1}),
}


def phrase(text: str) -> parsers.parse:
    """A step pattern whose fields may have the types of ``WORDS``."""
    return parsers.parse(text, extra_types=WORDS)


def plain(pattern: str) -> str:
    """A pattern as a person reads it: ``{who:Driver}`` becomes ``<who>``.

    A field without a name is a verb, and is shown as one: ``{:Have}`` is ``have``.
    """
    text = re.sub(r"\{:(\w+)\}", lambda verb: verb[1].lower(), pattern)
    return re.sub(r"\{(\w+)(?::\w+)?\}", r"<\1>", text)
