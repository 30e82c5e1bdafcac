"""``nohold questions``: what Payter is asked, made of the ambiguity register.

For a person at Payter who answers questions: the weightiest first, each with why it is
asked, how it can be read, what nohold takes it for, and what another answer would
change for a controller.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from harness.ambiguities import Entry, Played, entries, readings_in_words
from harness.readings import APART, SWITCHES, value_words
from reports.register import load_catalogue, load_register

_HEAD = """# Questions to Payter

Made by `nohold questions` from the ambiguity register (`harness/ambiguities/`); do
not edit. Each question is something that the public pages leave open, or say in two
ways. Until it is answered, nohold plays every reading of it that can be played
(`nohold run --readings all`), and a controller has to be safe under all. Nothing below
is a claim about Payter: what we take for granted is an assumption and marked as one.

The questions on which most depends come first. In brackets: the ids of the register.
"""

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
    asked = sorted(
        (one for one in every.values() if one.ask), key=lambda one: -weight(one)
    )
    parts = [_HEAD]
    for number, one in enumerate(asked, 1):
        also = [other for other in every.values() if other.see == one.id]
        parts.append("\n".join(_question(number, one, also)))
    parts.append("\n".join(_agreed()))
    parts.append("\n".join(_apart()))
    parts.append("\n".join(_not_asked([one for one in every.values() if one.why_not])))
    return "\n".join(parts)


def weight(one: Entry) -> int:
    """How much depends on an answer: requirements, obligations twice, and scenarios."""
    register = _register().requirements
    levels = [str(register[name].level) for name in one.requirements]
    return sum(2 if level == "MUST" else 1 for level in levels) + len(scenarios(one))


def scenarios(one: Entry) -> tuple[str, ...]:
    """Scenarios of the catalogue that test one of its requirements."""
    wanted = set(one.requirements)
    every = _catalogue().scenarios.values()
    return tuple(each.id for each in every if wanted & set(each.requirements))


# Read once: a question is weighed again and again.
_register = lru_cache(maxsize=1)(load_register)
_catalogue = lru_cache(maxsize=1)(load_catalogue)


def _question(number: int, one: Entry, also: Sequence[Entry]) -> Iterator[str]:
    ids = ", ".join([one.id, *(other.id for other in also)])
    yield f"## {number}. {one.ask}\n"
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
    wire = ", ".join(name for name in one.depends if not name.startswith("R-"))
    rests = ", ".join(one.requirements)
    count = len(scenarios(one))
    parts = [
        f"It decides {wire}." if wire else "",
        f"On it rest {rests}" if rests else "",
    ]
    text = " ".join(part for part in parts if part)
    return f"{text}, and {count} scenarios." if rests else text


def _face(played: Played) -> str:
    return {"psp": "PSP", "cps": "CPS"}[played.interface]


def _about(played: Played) -> str:
    return played.switch.about.rstrip(".")


def _default(played: Played) -> str:
    return value_words(played.switch.default)


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
