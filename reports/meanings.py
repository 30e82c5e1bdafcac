"""What each requirement meant when its id was given, kept as a digest.

Scenarios, reports and certificates quote ids. An id whose words change under them says
something else from then on, and nobody sees it. So each id has a digest over all that
it says, committed in ``meanings.toml``; a change of the words is a red test until its
digest is changed as well, deliberately and in sight of whoever reviews it. An id that
is given up moves to ``[retired]`` and is never used again.

Pure but for ``load_meanings``, which reads the file that is shipped.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final

from reports.register import REQUIREMENT_ID, Register, RegisterError, Requirement

#: Hexadecimal digits that are kept: enough, and a line stays short.
_LENGTH: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Meanings:
    """Requirement id -> digest, and the ids that were given up, with what they were."""

    digests: Mapping[str, str]
    retired: Mapping[str, str]


def digest(requirement: Requirement) -> str:
    """Over id, title, level, basis, interface, source, deadline and note."""
    parts = (
        requirement.id,
        requirement.title,
        requirement.level,
        requirement.basis,
        requirement.interface,
        *requirement.source,
        requirement.deadline,
        requirement.note,
    )
    text = "\x1f".join(parts)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def parse_meanings(text: str) -> Meanings:
    """Read the text of ``meanings.toml``. Raises RegisterError."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RegisterError(f"not a TOML document: {error}") from error
    tables = {"meaning": document.pop("meaning", {}), **document}
    retired = tables.pop("retired", {})
    if list(tables) != ["meaning"]:
        raise RegisterError(f"found {', '.join(tables)}, allowed meaning and retired")
    for key, value in {**tables["meaning"], **retired}.items():
        if not REQUIREMENT_ID.fullmatch(key) or not isinstance(value, str):
            raise RegisterError(f"found {key} = {value!r}, allowed R-SES-01 = text")
    return Meanings(digests=tables["meaning"], retired=retired)


def load_meanings() -> Meanings:
    """The digests that are shipped with this package."""
    path = resources.files(__package__).joinpath("meanings.toml")
    return parse_meanings(path.read_text(encoding="utf-8"))


def meaning_problems(register: Register, meanings: Meanings) -> list[str]:
    """Ids whose meaning is new, gone or another than it was; [] is good."""
    wrong = []
    for key, row in register.requirements.items():
        line = f'{key} = "{digest(row)}"'
        if key in meanings.retired:
            wrong.append(f"{key}: retired as {meanings.retired[key]!r}; take a new id")
        elif key not in meanings.digests:
            wrong.append(f"{key}: new; if that is meant, [meaning] gets {line}")
        elif meanings.digests[key] != digest(row):
            wrong.append(f"{key}: means something else now; if that is meant: {line}")
    for key in meanings.digests:
        if key not in register.requirements:
            wrong.append(f"{key}: gone; its line moves to [retired] with what it meant")
    return wrong
