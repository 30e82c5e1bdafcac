"""What happened on the wire, as text: of each command or route, what did and did not.

Pure: values in, lines out. A run as JSON has every line with its count.
"""

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import Final

from reports.results import WireLine

#: A blank at which no line ends.
_STICKS: Final = "\u00a0"
#: Characters in a line, as in the matrix where nobody's window is known.
_WIDTH: Final = 100
_TITLES: Final = {
    "psp": "PSP, command x state of the terminal x answer",
    "cps": "CPS, route x status",
}


def wire_text(lines: Sequence[WireLine]) -> str:
    """Both interfaces, those that nothing was said over left out."""
    parts: list[str] = []
    for interface, title in _TITLES.items():
        ours = [one for one in lines if one.interface == interface]
        seen = sum(one.count > 0 for one in ours)
        if seen:
            parts.append(f"On the wire: {title}: {seen} seen, {len(ours) - seen} never")
            parts += _asks(ours)
    return "".join(f"{part}\n" for part in parts)


def _asks(lines: Sequence[WireLine]) -> Iterator[str]:
    for ask in dict.fromkeys(one.ask for one in lines):
        ours = [one for one in lines if one.ask == ask]
        seen = [one for one in ours if one.count]
        if not seen:
            yield f"  {ask}: never"
            continue
        yield f"  {ask}"
        yield from _states("    ", seen)
        yield from _states("    never ", [one for one in ours if not one.count])


def _states(lead: str, lines: Iterable[WireLine]) -> Iterator[str]:
    """A line for each state; states that have the same results share one."""
    by_state: dict[str, str] = {}
    for one in lines:
        what = f"{one.result} {one.count}" if one.count else one.result
        told = by_state.get(one.state)
        by_state[one.state] = f"{told}, {what}" if told else what
    shared: dict[str, list[str]] = {}
    for state, what in by_state.items():
        shared.setdefault(what, []).append(state)
    for what, states in shared.items():
        where = " ".join(filter(None, states))
        # Between results, never inside one.
        whole = ", ".join(one.replace(" ", _STICKS) for one in what.split(", "))
        text = f"{lead}{where}: {whole}" if where else f"{lead}{whole}"
        for line in wrap(text, _WIDTH, subsequent_indent=" " * 8):
            yield line.replace(_STICKS, " ")
