"""One loop owns the controller: what has happened, or what is due, is handed to it.

Everything that can happen ends up in one queue of facts. Ports that the loop watches
(``watch``) put theirs in (``tell``); other threads have their part done in the loop's
own thread (``post``). Facts are handled one after another, and the actions that follow
are carried out at once, so the controller never needs a lock.

Time is the monotonic clock since the start, times ``time_scale``: a controller whose
clock runs N times faster has timers that are N times shorter. A deadline is only called
when everything that had arrived by then has been handled: on a busy machine an answer
that came in time is not taken for one that did not come.

A fact of a link dies with that link (``forget``): what was read before a hang-up is not
heard after it.
"""

import contextlib
import heapq
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from queue import Empty, SimpleQueue
from typing import Final, Protocol

from wire.machine import (
    Action,
    AnswerCallback,
    BytesReceived,
    CallHttp,
    CloseLink,
    Controller,
    Fact,
    Link,
    LinkClosed,
    LinkOpened,
    OpenLink,
    SendBytes,
)

#: The loop looks up at least this often, whatever the deadlines say.
_LONGEST_WAIT_S: Final = 60.0

OnReady = Callable[[int], None]


class Clock:
    """Milliseconds since it was made, ``scale`` times faster than life."""

    def __init__(self, scale: int = 1) -> None:
        self.scale = scale
        self._origin_ns = time.monotonic_ns()

    def now_ms(self) -> int:
        return (time.monotonic_ns() - self._origin_ns) * self.scale // 1_000_000

    def real_s(self, duration_ms: int) -> float:
        """What a duration of the controller's clock is in seconds of life."""
        return duration_ms / 1000 / self.scale


class Port(Protocol):
    """A link's end: its facts go to the loop."""

    def open(self) -> None: ...
    def close(self) -> None: ...
    def send(self, data: bytes) -> None: ...


class Caller(Protocol):
    def call(self, call: CallHttp) -> None: ...


class Listener(Protocol):
    def answer(self, answer: AnswerCallback) -> None: ...


class Loop:
    """See the module's text. ``links``, ``caller`` and ``listener`` are set once."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.links: Mapping[Link, Port] = {}
        self.caller: Caller | None = None
        self.listener: Listener | None = None
        #: Told of every action before it is carried out, and after every turn.
        self.sent: Callable[[Action], None] = _ignore
        self.turned: Callable[[], None] = _nothing
        self._selector = selectors.DefaultSelector()
        self._facts: deque[Fact] = deque()
        self._from_threads: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._tickets = count()
        self._is_ending = False
        self._waker, self._woken = socket.socketpair()
        for end in (self._waker, self._woken):
            end.settimeout(0)
        self._selector.register(self._woken, selectors.EVENT_READ, self._wake_up)

    # --- for ports --------------------------------------------------------------

    def watch(self, fd: int, events: int, ready: OnReady) -> None:
        """Call ``ready`` with what has happened to ``fd``; again to change ``events``.

        Raises OSError when ``fd`` cannot be watched.
        """
        try:
            self._selector.modify(fd, events, ready)
        except KeyError:
            self._selector.register(fd, events, ready)

    def unwatch(self, fd: int) -> None:
        self._selector.unregister(fd)

    def tell(self, fact: Fact) -> None:
        """A fact, from the loop's own thread."""
        self._facts.append(fact)

    def forget(self, link: Link) -> None:
        """Drop what a link has brought and nobody has heard yet."""
        of_links = (LinkOpened, LinkClosed, BytesReceived)
        self._facts = deque(
            fact
            for fact in self._facts
            if not (isinstance(fact, of_links) and fact.link is link)
        )

    def after(self, delay_s: float, call: Callable[[], None]) -> None:
        """Call back, in the loop's own thread, after some real seconds."""
        due_s = time.monotonic() + delay_s
        heapq.heappush(self._later, (due_s, next(self._tickets), call))

    def post(self, call: Callable[[], None]) -> None:
        """Call back in the loop's own thread; the one way in for other threads."""
        self._from_threads.put(call)
        self._wake()

    def stop(self) -> None:
        """End ``run`` soon; may be called by a thread or a signal's handler."""
        self._is_ending = True
        self._wake()

    def _wake(self) -> None:
        # Full: it is awake. Closed: it has ended.
        with contextlib.suppress(OSError):
            self._waker.send(b"\0")

    # --- running ----------------------------------------------------------------

    def run(self, controller: Controller) -> None:
        """Serve ``controller`` until ``stop``."""
        while not self._is_ending:
            self.turn(controller)

    def turn(self, controller: Controller) -> None:
        """Wait until there is something to do, and do it."""
        # Whatever had arrived by now is handled before what is due by now.
        asked_ms = self.clock.now_ms()
        self._listen(controller.deadline_ms(), asked_ms)
        self._run_later()
        while self._facts:
            fact = self._facts.popleft()
            self._carry(controller.handle(fact, self.clock.now_ms()))
        due_ms = controller.deadline_ms()
        if due_ms is not None and due_ms <= asked_ms:
            self._carry(controller.on_deadline(self.clock.now_ms()))
        self.turned()

    def close(self) -> None:
        """Hang up and let go of everything."""
        for port in self.links.values():
            port.close()
        self._selector.close()
        self._waker.close()
        self._woken.close()

    def _listen(self, due_ms: int | None, now_ms: int) -> None:
        """Wait for something to happen or to be due, and collect what happened."""
        for key, events in self._selector.select(self._wait_s(due_ms, now_ms)):
            ready: OnReady = key.data
            ready(events)
        try:
            while True:
                self._from_threads.get_nowait()()
        except Empty:
            pass

    def _wait_s(self, due_ms: int | None, now_ms: int) -> float:
        if self._facts:
            return 0.0
        waits = [_LONGEST_WAIT_S]
        if due_ms is not None:
            waits.append(self.clock.real_s(due_ms - now_ms))
        if self._later:
            waits.append(self._later[0][0] - time.monotonic())
        return max(0.0, min(waits))

    def _run_later(self) -> None:
        while self._later and self._later[0][0] <= time.monotonic():
            heapq.heappop(self._later)[2]()

    def _wake_up(self, _events: int) -> None:
        self._woken.recv(4096)

    def _carry(self, actions: Sequence[Action]) -> None:
        for action in actions:
            self.sent(action)
            match action:
                case OpenLink(link=link):
                    self.links[link].open()
                case CloseLink(link=link):
                    self.links[link].close()
                case SendBytes(link=link, data=data):
                    self.links[link].send(data)
                case CallHttp() if self.caller is not None:
                    self.caller.call(action)
                case AnswerCallback() if self.listener is not None:
                    self.listener.answer(action)
                case CallHttp() | AnswerCallback():
                    raise AssertionError(f"nobody carries {action}")


def _ignore(_action: Action) -> None:
    """Nobody is interested."""


def _nothing() -> None:
    """Nobody is interested."""
