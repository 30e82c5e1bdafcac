"""Whether the search for readings misses any: each reading, one at a time.

``nohold run --readings all`` plays a reading only where the default play asked for its
switch, and several in one play. Here every reading of a sample is played by itself. Of
a reading that the search left out, the trace must be the default's, byte for byte but
for the first record, which names the reading; of one that it tried, the verdict must be
what the search found. Takes minutes; ``python -m benchmarks.readings [WORDS]``.
"""

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from harness.columns import COLUMNS
from harness.readings import ALL, SWITCHES, Alternative, Interface, others
from harness.run import RunOptions, play
from harness.shells.cores import cores
from reports.results import CaseResult

#: Scenarios with one of these words, when none are given: one of each group.
SAMPLE = "sample"


#: Title and column of a case; the rows of an outline share one.
Key = tuple[str, str]


def played(
    words: str, readings: str, folder: Path, face: Interface
) -> Sequence[CaseResult]:
    """The cases of one run, their traces in ``folder``."""
    options = RunOptions(
        words=words, readings=readings, trace_dir=folder, interface=face, jobs=cores()
    )
    result, heard = play(options, Console(quiet=True))
    if heard.crashes or heard.wrong_use or heard.setup_errors:
        raise RuntimeError((heard.crashes, heard.wrong_use, heard.setup_errors))
    return result.cases


def traces(folder: Path) -> Mapping[Key, set[str]]:
    """What follows the first record, by case."""
    found: dict[Key, set[str]] = {}
    for path in folder.glob("*.jsonl"):
        first, _, rest = path.read_text("ascii").partition("\n")
        run = json.loads(first)
        found.setdefault((run["scenario"], run["column"]), set()).add(rest)
    return found


def key(case: CaseResult) -> Key:
    return (case.title, case.column)


def complaints(words: str, face: Interface) -> list[str]:
    """What the search missed, or judged otherwise, over one interface."""
    found: list[str] = []
    with tempfile.TemporaryDirectory() as place:
        played(words, "", Path(place) / "base", face)
        plain = traces(Path(place) / "base")
        searched = played(words, ALL, Path(place) / "all", face)
        for number, one in enumerate(others(face, SWITCHES[face])):
            folder = Path(place) / str(number)
            single = played(words, str(one), folder, face)
            found += _misjudged(one, single, searched)
            tried = {key(case) for case in searched if _tries(one, case)}
            now = traces(folder)
            moved = {each for each in now if now[each] != plain[each]}
            found += [f"{one}: not tried, and changes {each}" for each in moved - tried]
            told = f"tried in {len(tried)} cases, changes {len(moved)}"
            print(f"{face} {one}: {told}; {len(found)} complaints so far", flush=True)
    return found


def _tries(one: Alternative, case: CaseResult) -> bool:
    return case.other_readings is not None and str(one) in case.other_readings.tried


def _misjudged(
    one: Alternative, single: Sequence[CaseResult], searched: Sequence[CaseResult]
) -> list[str]:
    """Where a reading is red by itself and the search says otherwise, or back."""
    red = {key(case) for case in single if case.is_red}
    blamed = {
        key(case)
        for case in searched
        if str(one) in {found.reading for found in case.red_readings}
    }
    return [f"{one}: judged otherwise by itself: {each}" for each in red ^ blamed]


def main() -> None:
    words = " ".join(sys.argv[1:]) or SAMPLE
    faces: list[Interface] = list(dict.fromkeys(one.interface for one in COLUMNS))
    found = [line for face in faces for line in complaints(words, face)]
    print("\n".join(found) or "nothing missed")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
