"""Jobs in the order in which they become due; equal times keep the order of planning.

Some become stale before their time, as the release of a hold that is closed meanwhile:
they are forgotten, so that nobody waits for them and a bench that runs for days does
not keep them.
"""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Final, Generic, TypeVar

#: Jobs that are kept before stale ones among them are looked for.
TIDY_FROM: Final = 1_000

Job = TypeVar("Job")


class Agenda(Generic[Job]):
    """``is_stale`` tells of a job whether it has become pointless."""

    def __init__(self, is_stale: Callable[[Job], bool]) -> None:
        self._is_stale = is_stale
        self._due: list[tuple[int, int, Job]] = []
        self._turn = 0
        self._tidy_at = TIDY_FROM

    def __len__(self) -> int:
        return len(self._due)

    def deadline_ms(self) -> int | None:
        return self._due[0][0] if self._due else None

    def add(self, due_ms: int, job: Job) -> None:
        self._turn += 1
        heappush(self._due, (due_ms, self._turn, job))

    def pop_due(self, now_ms: int) -> Job | None:
        """The next job that is due; None when none is."""
        if not self._due or self._due[0][0] > now_ms:
            return None
        return heappop(self._due)[2]

    def prune(self) -> None:
        """Forget what is stale: in front, and everywhere when there is much."""
        while self._due and self._is_stale(self._due[0][2]):
            heappop(self._due)
        if len(self._due) >= self._tidy_at:
            self._due = [one for one in self._due if not self._is_stale(one[2])]
            heapify(self._due)
            self._tidy_at = 2 * len(self._due) + TIDY_FROM
