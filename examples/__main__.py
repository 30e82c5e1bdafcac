"""Builds the examples and examines both, with the command that a vendor uses.

    python -m examples          the scenarios tagged @sample: one of each group
    python -m examples --all    all of them: several minutes each

They are examined side by side. One that this machine has no compiler or interpreter for
is skipped, and the last lines say so. Exit status 1 when one is not conformant, or took
longer than an examination may.
"""

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
#: What a whole examination may take, and so any part of it.
LIMIT_S: Final = 600
JOBS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    name: str
    #: A program without which there is nothing to examine.
    needs: str
    build: tuple[str, ...] = ()


EXAMPLES: Final = (
    Example(name="c_psp", needs="cc", build=("make", "-C", str(HERE / "c_psp"))),
    Example(name="node_cps", needs="node"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    example: Example
    is_right: bool
    words: str


def examine(options: Sequence[str], example: Example) -> Outcome:
    """Build an example and let ``nohold run`` judge it."""
    if shutil.which(example.needs) is None:
        words = f"SKIPPED: this machine has no {example.needs}"
        return Outcome(example=example, is_right=True, words=words)
    declaration = HERE / example.name / "declaration.toml"
    nohold = Path(sys.executable).with_name("nohold")
    run = (str(nohold), "run", "-d", str(declaration), "-j", str(JOBS), *options)
    began_s = time.monotonic()
    for command in filter(None, (example.build, run)):
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=LIMIT_S, check=False
            )
        except subprocess.TimeoutExpired:
            words = f"FAILED: {command[0]} took longer than {LIMIT_S} s"
            return Outcome(example=example, is_right=False, words=words)
        if done.returncode:
            sys.stdout.write(f"{done.stdout}{done.stderr}\n")
            words = f"FAILED: {command[0]} ended with {done.returncode}"
            return Outcome(example=example, is_right=False, words=words)
    last = " ".join(_last_lines(done.stdout))
    words = f"{last} (in {time.monotonic() - began_s:.0f} s)"
    return Outcome(example=example, is_right=True, words=words)


def _last_lines(text: str) -> Iterator[str]:
    """How many cases there were, and the verdict."""
    for line in text.splitlines():
        if " scenarios, " in line or "exit status" in line:
            yield f"{line}."


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m examples")
    parser.add_argument("--all", action="store_true", help="every scenario")
    options = () if parser.parse_args().all else ("-k", "sample")
    with ThreadPoolExecutor() as pool:
        outcomes = list(pool.map(partial(examine, options), EXAMPLES))
    for outcome in outcomes:
        print(f"{outcome.example.name:<9} {outcome.words}")
    return 0 if all(outcome.is_right for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
