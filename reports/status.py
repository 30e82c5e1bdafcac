"""How a run ends: its exit status in words, and what kept it from playing everything.

A file that cannot run leaves no case behind, so its cases are missing from every count.
A run that has lost some must not read as conformant anywhere, least of all in a report
that somebody reads without having seen the screen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

CONFORMANT: Final = 0
NOT_CONFORMANT: Final = 1
WRONG_USE: Final = 2
#: Also for a set-up error, and where no case ran.
UNDECIDED: Final = 3
EXAMINER_FAILED: Final = 4

#: What the exit status of a run means, in words.
STATUS_WORDS: Final[Mapping[int, str]] = {
    CONFORMANT: "CONFORMANT",
    NOT_CONFORMANT: "NOT CONFORMANT",
    WRONG_USE: "CANNOT RUN",
    UNDECIDED: "UNDECIDED",
    EXAMINER_FAILED: "THE EXAMINER FAILED",
}

#: What a trouble is -> the exit status of the run, the gravest first.
KINDS: Final = {
    "the examiner failed": EXAMINER_FAILED,
    "cannot run": WRONG_USE,
    "set-up error": UNDECIDED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One of them. ``kind`` is a word of ``KINDS``; ValueError says which there are."""

    kind: str
    text: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            allowed = ", ".join(map(repr, KINDS))
            raise ValueError(f"kind: found {self.kind!r}, allowed {allowed}")


def troubles(
    *, crashes: Iterable[str], wrong_use: Iterable[str], setup_errors: Iterable[str]
) -> tuple[Trouble, ...]:
    """All of them, the gravest first."""
    texts = (crashes, wrong_use, setup_errors)
    return tuple(
        Trouble(kind=kind, text=text)
        for kind, found in zip(KINDS, texts, strict=True)
        for text in found
    )


def status_of(found: Iterable[Trouble]) -> int | None:
    """The exit status that the gravest of them asks for; None when there are none."""
    kinds = {one.kind for one in found}
    return next((status for kind, status in KINDS.items() if kind in kinds), None)
