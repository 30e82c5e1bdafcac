"""What other readings of ambiguous clauses have shown, as text.

Pure: results in, lines out. Red cases have the same words as in the matrix.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from reports.results import CaseResult, RunResult


def readings_text(
    run: RunResult,
    *,
    unplayed: Mapping[str, str],
    switches: Mapping[str, Collection[str]],
) -> str:
    """The section of the run; empty where nobody asked for other readings.

    ``unplayed``: what no run plays -> why. ``switches``: what can be played on each
    interface, by name.
    """
    played = [case for case in run.cases if case.other_readings]
    if not played:
        return ""
    lines = [*_lines(run, played, unplayed), *_untouched(played, switches)]
    return "".join(f"{line}\n" for line in lines)


def _untouched(
    played: Sequence[CaseResult], switches: Mapping[str, Collection[str]]
) -> Iterator[str]:
    """What no case has asked for: nothing is known of a controller under it."""
    tried: dict[str, set[str]] = {}
    for case in played:
        names = {one.partition("=")[0] for one in _tried(case)}
        face = "cps" if case.column == "cps" else "psp"
        tried[face] = tried.get(face, set()) | names
    for face, names in tried.items():
        rest = sorted(set(switches.get(face, ())) - names)
        if rest:
            yield f"  in no case of {face} did anybody ask for: {', '.join(rest)}"


def _tried(case: CaseResult) -> Sequence[str]:
    return case.other_readings.tried if case.other_readings else ()


def _lines(
    run: RunResult, played: list[CaseResult], unplayed: Mapping[str, str]
) -> Iterator[str]:
    others = [case.other_readings for case in played if case.other_readings]
    tried = sum(len(one.tried) for one in others)
    plays = sum(one.plays for one in others)
    red = [one for case in played for one in case.red_readings]
    moot = Counter((one.column, one.reading) for other in others for one in other.moot)
    unreached = Counter(name for one in others for name in one.unreached)
    counted = f"{tried} readings played in {len(played)} cases ({plays} more plays)"
    yield f"Readings: {counted}, {len(red)} red{':' if red else ''}"
    for one in red:
        yield from _red(one)
    for (column, reading), count in moot.items():
        yield f"  {count} x {column}, {reading}: the situation does not come about"
    for reading, count in unreached.items():
        yield f"  {count} x {reading}: hidden behind another reading, not reached"
    rest = len(run.cases) - len(played)
    if rest:
        yield f"  {rest} cases not green under the default reading, or not played"
    for name, why in unplayed.items():
        yield f"  not played: {name}: {why}"


def _red(one: CaseResult) -> Iterator[str]:
    words = [one.conduct, *([one.settlement] if one.settlement else [])]
    yield f"  {' '.join(words)} under {one.reading}: {one.scenario_id} {one.title}"
    for found in one.findings:
        yield f"    {found.requirement} expected {found.expected}"
        yield f"    {' ' * len(found.requirement)} seen     {found.seen}"
    for session in one.sessions:
        if session.settlement != "CLOSED":
            ended = f"{session.settlement}: {session.note}"
            yield f"    session {session.session_id} {ended}"
    if one.reason:
        yield f"    {one.reason}"
    yield f"    replay: {one.replay}"
