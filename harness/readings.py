"""Readings of ambiguous clauses: chosen by the run, or each in its turn.

What Payter's pages leave open is a table of switches per interface (``wire.psp``
profile, ``wire.cps`` policy). A case is played under one value of each. ``Answers`` is
what a bench plays by: the default, what the run asks for, and above both what a
scenario itself is about.

How all readings are tried without playing all of them is in ``harness.reading_search``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from wire.cps import POLICY_SWITCHES, Policy, WatchedPolicy
from wire.cps import Switch as PolicySwitch
from wire.psp import PROFILE_SWITCHES, Profile, WatchedProfile
from wire.psp import Switch as ProfileSwitch

Value = bool | int | str
Interface = Literal["psp", "cps"]
Switch = ProfileSwitch | PolicySwitch

#: Play each case under every reading that can change how it ends.
ALL: Final = "all"
#: The same, each reading by itself: slow, and without a doubt.
EACH: Final = "each"

SWITCHES: Final[Mapping[Interface, Mapping[str, Switch]]] = {
    "psp": PROFILE_SWITCHES,
    "cps": POLICY_SWITCHES,
}


_NO_WAY_OUT: Final = (
    "who attempts more than was reserved, as some declare to, is left with a session "
    "that failed and can never be closed; each by itself is played"
)
#: Values that are never in one play, and why.
APART: Final[Mapping[frozenset[str], str]] = {
    frozenset({"over_commit=accept", "failed_session=final"}): _NO_WAY_OUT,
    frozenset({"over_commit=fail", "failed_session=final"}): _NO_WAY_OUT,
    frozenset({"read_timeout_s=30", "wait_max_s=0"}): (
        "where reads end by themselves and polls do not wait, a terminal is dark "
        "between two questions, and nobody says how long that may be; each by itself "
        "is played"
    ),
}


class NoSuchReading(ValueError):
    """Words of the command line that name no reading: found and allowed."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """One switch at another value than its default."""

    name: str
    value: Value

    def __str__(self) -> str:
        return f"{self.name}={value_words(self.value)}"


def value_words(value: Value) -> str:
    """A value as the command line takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def in_words(reading: Iterable[Alternative]) -> str:
    """A reading as the command line takes it: ``name=value[,name=value]``."""
    return ",".join(map(str, reading))


def others(interface: Interface, names: Iterable[str]) -> tuple[Alternative, ...]:
    """What there is to play besides the default, of these switches, in table order."""
    wanted = set(names)
    return tuple(
        Alternative(name, value)
        for name, switch in SWITCHES[interface].items()
        if name in wanted
        for value in switch.others
    )


def unplayed() -> Mapping[str, str]:
    """What no run plays -> why: the ends must agree on it beforehand."""
    return {
        name: f"the ends must agree: {one.agreed}"
        for table in SWITCHES.values()
        for name, one in table.items()
        if one.agreed
    }


def playable() -> Mapping[str, tuple[str, ...]]:
    """Interface -> the switches that have another reading to play."""
    return {
        face: tuple(name for name, one in table.items() if one.others)
        for face, table in SWITCHES.items()
    }


def is_search(words: str) -> bool:
    """Whether ``--readings`` asks for more than one reading of each case."""
    return words in (ALL, EACH)


def parse(words: str) -> tuple[Alternative, ...]:
    """``name=value[,name=value]``. Raises NoSuchReading: found and allowed."""
    if not words or is_search(words):
        return ()
    return tuple(_parsed(word) for word in words.split(","))


def _parsed(word: str) -> Alternative:
    name, equals, text = word.partition("=")
    known = [table[name] for table in SWITCHES.values() if name in table]
    if not equals or not known:
        names = ", ".join(
            dict.fromkeys(n for table in SWITCHES.values() for n in table)
        )
        raise NoSuchReading(
            f"--readings: found {word!r}, allowed {ALL}, {EACH} or name=value of "
            f"{names}"
        )
    values = [value for one in known if (value := _value_of(one, text)) is not None]
    if not values:
        allowed = " or ".join(allowed_words(one) for one in known)
        raise NoSuchReading(f"--readings: {name}: found {text!r}, allowed {allowed}")
    return Alternative(name, values[0])


def _value_of(switch: Switch, text: str) -> Value | None:
    span = _span(switch)
    if span is None:
        values = tuple(switch.allowed)
        return next((one for one in values if text in _names(one)), None)
    try:
        number = int(text, 0)
    except ValueError:
        return None
    return number if number in span else None


def _names(value: Value) -> tuple[str, ...]:
    """How a value may be written; numbers also as the pages write them."""
    if isinstance(value, int) and not isinstance(value, bool):
        return (str(value), f"0x{value:02x}", f"0x{value:02X}")
    return (value_words(value),)


def _span(switch: Switch) -> range | None:
    if isinstance(switch, ProfileSwitch):
        return switch.allowed if isinstance(switch.allowed, range) else None
    return range(switch.span[0], switch.span[1] + 1) if switch.span else None


def allowed_words(switch: Switch) -> str:
    """What a switch may be set to."""
    span = _span(switch)
    if span is not None:
        return f"{span[0]}..{span[-1]}"
    return ", ".join(value_words(value) for value in tuple(switch.allowed))


# --- What a bench plays by ------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a run wants: a reading, and whether to note which switches count."""

    reading: tuple[Alternative, ...] = ()
    is_watched: bool = False
    #: One play of several of a case: its result is looked at, not reported.
    is_inner: bool = False

    def of(self, interface: Interface) -> Mapping[str, Value]:
        """The switches of one interface; a name that it does not have is not for it."""
        known = SWITCHES[interface]
        return {
            one.name: one.value
            for one in self.reading
            if one.name in known and _allows(known[one.name], one.value)
        }


def _allows(switch: Switch, value: Value) -> bool:
    """``over_commit`` is a word of both interfaces, not all of its values are."""
    return value in (_span(switch) or tuple(switch.allowed))


class Answers:
    """One answer to every open question.

    ``profile`` and ``policy``: what the scenario is about, above what the run asks for.
    Raises LocalProtocolError on what does not exist.
    """

    def __init__(
        self,
        asked: Asked,
        interface: Interface,
        *,
        profile: Mapping[str, Value],
        policy: Mapping[str, Value],
    ) -> None:
        chosen = asked.of(interface)
        self._own = {"psp": profile, "cps": policy}[interface]
        psp = {**(chosen if interface == "psp" else {}), **profile}
        cps = {**(chosen if interface == "cps" else {}), **policy}
        self.told: Mapping[str, Value] = {**psp, **cps}
        self.profile = Profile.from_mapping(psp)
        self.policy = Policy.from_mapping(cps)
        self._notes: set[str] = set()
        if asked.is_watched:
            watched_profile = WatchedProfile(self.profile)
            watched_policy = WatchedPolicy(self.policy)
            self.profile, self.policy = watched_profile, watched_policy
            watched = {"psp": watched_profile, "cps": watched_policy}
            self._notes = watched[interface].consulted

    def consulted(self) -> tuple[str, ...]:
        """Switches that were asked for and that the scenario leaves open, sorted."""
        return tuple(sorted(self._notes - self._own.keys()))
