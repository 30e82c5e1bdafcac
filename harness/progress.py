"""What is going on while cases are played: under way, elapsed, remaining.

On a terminal a few lines that are drawn again and again; otherwise, in a log, a line
now and then. In real time the rehearsal has told how long each case will take, and what
the first cases really took corrects that; in virtual time cases are simply counted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

#: At most one line in so many seconds goes to a log.
LOG_EVERY_S: Final = 30
#: How often a terminal is drawn again, per second.
FRAMES_PER_S: Final = 4
#: More cases under way than this are only counted.
MAX_LINES: Final = 16
_TITLE: Final = 64


@dataclass(slots=True, kw_only=True)
class Tally:
    """Which cases are over, which are under way, and how long the rest will take.

    ``now_s`` is real time in seconds. ``needs_s``: what each case is expected to take;
    empty where nobody knows, and then all count the same.
    """

    now_s: Callable[[], float]
    jobs: int = 1
    needs_s: Mapping[str, int] = field(default_factory=dict)
    began_s: float = field(init=False)
    total: int = 0
    #: Cases played again, under another reading.
    again: int = 0
    _under_way: dict[str, float] = field(default_factory=dict)
    _over: set[str] = field(default_factory=set)
    #: Real and expected seconds of the cases that are over.
    _took_s: float = 0.0
    _expected_s: float = 0.0

    def __post_init__(self) -> None:
        self.began_s = self.now_s()

    def begin(self, node: str) -> None:
        self._under_way[node] = self.now_s()

    def end(self, node: str) -> None:
        began_s = self._under_way.pop(node, None)
        self._over.add(node)
        # A case that is left alone after a glance says nothing about the pace.
        if began_s is not None and self._need_s(node) > 0:
            self._took_s += self.now_s() - began_s
            self._expected_s += self._need_s(node)

    @property
    def over(self) -> int:
        return len(self._over)

    @property
    def elapsed_s(self) -> int:
        return int(self.now_s() - self.began_s)

    def under_way(self) -> list[tuple[str, int]]:
        """Node and seconds so far, the longest first."""
        now_s = self.now_s()
        # A list first: a terminal is drawn by a thread of its own.
        begun = list(self._under_way.items())
        ages = [(node, int(now_s - at_s)) for node, at_s in begun]
        return sorted(ages, key=lambda one: -one[1])

    def remaining_s(self) -> int | None:
        """Seconds until all is over; None while nobody can tell."""
        if not self.needs_s and not self._over:
            return None
        pace = self._took_s / self._expected_s if self._expected_s else 1.0
        left = [pace * self._need_s(node) - s for node, s in self.under_way()]
        longest_s = max([0.0, *left])
        waiting_s = pace * self._waiting_need_s()
        all_s = (sum(s for s in left if s > 0) + waiting_s) / self.jobs
        return int(max(longest_s, all_s))

    def _need_s(self, node: str) -> float:
        return self.needs_s.get(node, 0) if self.needs_s else 1.0

    def _waiting_need_s(self) -> float:
        """Of the cases that have not begun."""
        if not self.needs_s:
            return self.total - len(self._over) - len(self._under_way)
        begun = self._over | self._under_way.keys()
        return sum(need for node, need in self.needs_s.items() if node not in begun)

    def headline(self) -> str:
        """Where the run stands, in one line."""
        remaining_s = self.remaining_s()
        left = "" if remaining_s is None else f", about {in_time(remaining_s)} left"
        plays = f", {self.over + self.again} plays" if self.again else ""
        return (
            f"{self.over} of {self.total} cases{plays}, {in_time(self.elapsed_s)}{left}"
        )


def in_time(seconds: int) -> str:
    """``3:07``, or ``1:02:03`` from an hour on."""
    minutes, rest = divmod(max(0, seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def title_of(node: str) -> str:
    """The scenario's name and column, from the id that pytest gives a case."""
    return node.rpartition("::test_")[2].replace("_", " ")[:_TITLE]


class ProgressDisplay:
    """Shows a tally on ``console``: a terminal at any time, a log now and then."""

    def __init__(self, tally: Tally, console: Console) -> None:
        self.tally = tally
        self._console = console
        self._said_s = 0
        self._live: Live | None = None
        if console.is_terminal:
            self._live = Live(
                get_renderable=self._draw,
                console=console,
                refresh_per_second=FRAMES_PER_S,
                transient=True,
            )

    def start(self, total: int) -> None:
        """So many cases are about to begin; not earlier, for it starts a thread."""
        self.tally.total = total
        if self._live is not None:
            self._live.start()

    def stop(self) -> None:
        if self._live is not None:
            self._live.stop()

    def begin(self, node: str) -> None:
        self.tally.begin(node)
        self._log()

    def end(self, node: str) -> None:
        self.tally.end(node)

    def again(self) -> None:
        """A case has been played once more."""
        self.tally.again += 1

    def _log(self) -> None:
        """One line, if the last one is old enough and nobody watches a terminal."""
        if self._live is not None or not self.tally.total:
            return
        if self.tally.elapsed_s - self._said_s >= LOG_EVERY_S:
            self._said_s = self.tally.elapsed_s
            names = [title_of(node) for node, _ in self.tally.under_way()]
            now = f"; under way: {', '.join(names)}" if names else ""
            line = f"nohold: {self.tally.headline()}{now}"
            self._console.print(line, markup=False, soft_wrap=True)

    def _draw(self) -> RenderableType:
        if not self.tally.total:
            return Text()
        under_way = self.tally.under_way()
        lines = [
            Text(f"  {in_time(age_s):>7}  {title_of(node)}")
            for node, age_s in under_way[:MAX_LINES]
        ]
        return Group(Text(self.tally.headline()), *lines)
