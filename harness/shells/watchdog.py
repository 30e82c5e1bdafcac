"""Looks whether a controller object comes back from its calls.

An object shares our process, so one that loops or blocks would hang the run for good,
and a run that hangs in a pipeline says nothing at all. Only a signal gets in between.
It comes by the wall clock, because a controller may also wait for something; a call
that is still the same one a whole period later is thrown out of. Whoever debugs a
controller is not disturbed.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final

from harness.device import InProcessDevice
from harness.guarded import Stuck
from harness.world import VirtualWorld

if TYPE_CHECKING:
    from harness.bench import Bench

#: A call is a matter of microseconds, also on a very busy machine.
PERIOD_S: Final = 10.0
_DEBUGGERS: Final = frozenset({"bdb", "pdb", "pydevd"})


@contextmanager
def watching(
    call_under_way: Callable[[], int | None], *, period_s: float = PERIOD_S
) -> Iterator[None]:
    """Throw ``Stuck`` into a call that takes one to two periods of ``period_s``.

    ``call_under_way``: its number; None between two calls. Does nothing where there is
    no such signal, or in another thread than the main one.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or not hasattr(signal, "setitimer"):
        yield
        return
    last: int | None = None

    def look(number: int, frame: FrameType | None) -> None:
        nonlocal last
        before, last = last, call_under_way()
        if last is not None and last == before and not _is_debugged(frame):
            raise Stuck

    previous = signal.signal(signal.SIGALRM, look)
    left = signal.setitimer(signal.ITIMER_REAL, period_s, period_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *left)
        signal.signal(signal.SIGALRM, previous)


def _is_debugged(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_globals.get("__name__") in _DEBUGGERS:
            return True
        frame = frame.f_back
    return False


class WatchedWorld(VirtualWorld):
    """Virtual time in which no controller can stop the run; ``period_s`` as above."""

    def __init__(self, *, period_s: float = PERIOD_S) -> None:
        super().__init__()
        self._period_s = period_s
        self._watch = ExitStack()

    def build(self, bench: "Bench") -> InProcessDevice:
        device = super().build(bench)
        watch = watching(lambda: device.call, period_s=self._period_s)
        self._watch.enter_context(watch)
        return device

    def close(self) -> None:
        self._watch.close()
        super().close()
