"""``nohold questions``: what Payter is asked, made of the ambiguity register.

For a person at Payter who answers questions: by protocol, the weightiest first, each
with why it is asked, how it can be read, what nohold takes it for, and what another
answer would change for a controller.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from harness.ambiguities import (
    Entry,
    Played,
    Source,
    entries,
    page_words,
    readings_in_words,
)
from harness.readings import APART, SWITCHES
from reports.register import Level, load_catalogue, load_register
from wire.cps import ROUTES

_HEAD: Final = """# Questions to Payter

Made by `nohold questions` from the ambiguity register (`harness/ambiguities/`); do
not edit.

nohold examines EV charger controllers that take card payments through a Payter
terminal: does each of them close every session, once, in time and for the right amount?
It was built from Payter's public pages. This is what they leave open, or say in two
ways.

An answer of one line helps ("12: yes", or a link to a page), and so does one to the
first few only: they are sorted by what hangs on them, and the ten on which most hangs
are named below. Thank you for reading this far.

Until a question is answered, nohold plays every reading of it that can be played
(`nohold run --readings all`), and a controller has to be safe under all. Nothing below
is a claim about Payter: what we take for granted is an assumption and marked as one.

In square brackets: the ids of the register. What R-SES-01 and the like ask of a
controller is at the end, and whether a source says so or we have concluded it.
"""

_SECTIONS: Final[Mapping[Source, str]] = {
    "requirements": "Rules, plans and papers",
    "psp": "PSP, the protocol of the terminal",
    "cps": "CPS, the cloud",
}
#: Where a wrong answer leaves money held, or takes a wrong amount.
_MONEY: Final = frozenset({"SES", "NOS", "STP", "FLT", "AMT", "RTY", "PER", "EXT"})
_FIRST: Final = 10
_GRADES = {
    "DUMP": "seen in a published recording",
    "DOC": "documented",
    "INF": "inferred from the pages",
    "INFER": "inferred from the pages",
    "CODE": "seen in published client code",
    "CONTRA": "the pages contradict each other",
    "ASSUMPTION": "our assumption",
}


def questions() -> str:
    """The whole document."""
    every = entries()
    asked = in_order()
    parts = [_HEAD, "\n".join(_first(asked))]
    section = ""
    for number, one in enumerate(asked, 1):
        if section != _SECTIONS[one.source]:
            section = _SECTIONS[one.source]
            parts.append(f"## {section}\n")
        also = [other for other in every.values() if other.see == one.id]
        parts.append("\n".join(_question(number, one, also)))
    parts.append("\n".join(_agreed()))
    parts.append("\n".join(_apart()))
    parts.append("\n".join(_not_asked([one for one in every.values() if one.why_not])))
    parts.append("\n".join(_meanings(asked)))
    return "\n".join(parts)


def in_order() -> Sequence[Entry]:
    """What is asked: section by section, the weightiest first."""
    places = list(_SECTIONS)
    asked = [one for one in entries().values() if one.ask]
    return sorted(asked, key=lambda one: (places.index(one.source), -weight(one)))


def weight(one: Entry) -> int:
    """How much depends on an answer.

    Its requirements, obligations twice, and the scenarios of those about money.
    """
    register = _register().requirements
    levels = [register[name].level for name in one.requirements]
    duties = sum(2 if level is Level.MUST else 1 for level in levels)
    money = {name for name in one.requirements if name.split("-")[1] in _MONEY}
    return duties + len(_testing(money))


def scenarios(one: Entry) -> tuple[str, ...]:
    """Scenarios of the catalogue that test one of its requirements."""
    return _testing(set(one.requirements))


def _testing(wanted: set[str]) -> tuple[str, ...]:
    every = _catalogue().scenarios.values()
    return tuple(each.id for each in every if wanted & set(each.requirements))


# Read once: a question is weighed again and again.
_register = lru_cache(maxsize=1)(load_register)
_catalogue = lru_cache(maxsize=1)(load_catalogue)


def _first(asked: Sequence[Entry]) -> Iterator[str]:
    yield "## Where most money hangs on the answer\n"
    numbers = {one.id: number for number, one in enumerate(asked, 1)}
    for one in sorted(asked, key=lambda each: -weight(each))[:_FIRST]:
        yield f"- **{numbers[one.id]}.** {one.ask}"
    yield ""


def _question(number: int, one: Entry, also: Sequence[Entry]) -> Iterator[str]:
    ids = ", ".join([one.id, *(other.id for other in also)])
    yield f"### {number}. {one.ask}\n"
    yield f"[{ids}] Unclear: {one.about}.\n"
    yield f"- **Why we ask.** {_why(one)}"
    for played in one.switches:
        yield f"- **Readings of `{played.name}`** ({_face(played)}): {_about(played)}."
        yield f"  - nohold assumes `{_default(played)}` ({_grade(played)})"
        yield f"  - it may as well be {readings_in_words(played)}{_note(played)}"
    for reading in one.readings:
        yield f"- **Reading.** {reading}"
    if one.note:
        yield f"- **In nohold.** {_sentence(one.note)}"
    yield f"- **What changes for a controller.** {one.changes}\n"


def _why(one: Entry) -> str:
    wire = ", ".join(_wire(name) for name in one.depends if name[:2] != "R-")
    rests = ", ".join(one.requirements)
    count = len(scenarios(one))
    parts = [
        f"It decides {wire}." if wire else "",
        f"On it rest {rests}" if rests else "",
    ]
    text = " ".join(part for part in parts if part)
    if not rests:
        return text
    return f"{text}, and {count} scenario{'s' if count != 1 else ''}."


def _wire(name: str) -> str:
    """A message by its name, a call of CPS by its verb and path."""
    route = ROUTES.get(name)
    return f"`{route.verb} {route.path}`" if route else name


def _face(played: Played) -> str:
    return {"psp": "PSP", "cps": "CPS"}[played.interface]


def _about(played: Played) -> str:
    return played.switch.about.rstrip(".")


def _default(played: Played) -> str:
    return page_words(played, played.switch.default)


def _grade(played: Played) -> str:
    return _GRADES[played.grade]


def _note(played: Played) -> str:
    agreed = played.switch.agreed
    return f"; not played, since the ends must agree on it: {agreed}" if agreed else ""


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _agreed() -> Iterator[str]:
    yield "## On what the ends must agree beforehand\n"
    yield "No controller can be safe under both readings of these: no run plays them.\n"
    for table in SWITCHES.values():
        for name, switch in table.items():
            if switch.agreed:
                yield f"- `{name}` ({switch.about}): {switch.agreed}."
    yield ""


def _apart() -> Iterator[str]:
    yield "## What is never played together\n"
    for values, why in APART.items():
        yield f"- `{'` with `'.join(sorted(values))}`: {why}."
    yield ""


def _not_asked(rest: Sequence[Entry]) -> Iterator[str]:
    yield "## What we do not ask\n"
    for one in rest:
        note = f" In nohold: {one.note}." if one.note else ""
        yield f"- [{one.id}] {_sentence(one.about)} {one.why_not}{note}"
    yield ""


def _meanings(asked: Sequence[Entry]) -> Iterator[str]:
    yield "## What the controller has to do\n"
    yield "The requirements named above, in our words. What is stated is stated by one"
    yield "of its sources: Payter's pages, a card scheme, a law.\n"
    named = {name for one in asked for name in one.requirements}
    for row in _register().requirements.values():
        if row.id in named:
            yield f"- {row.id} ({row.level}, {row.basis.words}): {row.title}"
    yield ""
