"""What a run needs, made by a second process while the first one imports.

A start is mostly importing, on one core. Two things take long and need none of what is
imported: the names of the drivers (their source alone takes a quarter of a second to
import) and the second look at the feature files. A process that is forked before
anything else makes them on another core.

Nothing but time depends on it: what did not come is made where it is asked for.
"""

import multiprocessing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What has been made; empty when it did not come."""

    #: Names for the drivers (``simulator.people``).
    names: tuple[str, ...] = ()
    #: How many cases to expect of a feature file (``harness.feature_lint``).
    expected: Mapping[Path, int] = field(default_factory=dict)


NOTHING: Final = Made()


class Ahead:
    """The process; it ends when it has said what it has made."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Begin; ``paths`` are feature files and folders of them."""
        fork = multiprocessing.get_context("fork")
        self._pipe, there = fork.Pipe()
        args = (paths, self._pipe, there)
        # A daemon: whoever leaves early, for wrong use, need not wait for it.
        self._process = fork.Process(target=_make, args=args, daemon=True)
        self._process.start()
        there.close()

    def made(self) -> Made:
        """Wait for it; to be asked once."""
        try:
            made: Made = self._pipe.recv()
        except (EOFError, OSError):
            made = NOTHING  # it died, perhaps in the middle of a word
        self._pipe.close()
        self._process.join()
        return made


def _make(paths: Sequence[Path], here: Connection, there: Connection) -> None:
    here.close()
    try:
        # Late: what is imported here, the other process has not to.
        from harness.feature_lint import lint_good
        from simulator.people import draw_names

        there.send(Made(names=draw_names(), expected=lint_good(paths)))
    except (ConnectionError, KeyboardInterrupt):
        return  # nobody waits any more
