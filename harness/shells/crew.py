"""A crew: several processes that share the cases of one run.

Cases are collected once, then this process forks: every worker starts with all modules
imported and all cases collected, which costs nothing, where new interpreters would cost
a third of the suite. A worker asks for its next case when it has finished one, so that
nobody waits for a slow one, and sends pytest's reports back in the same message: it
has its case before anybody looks at them. The run's own plugins hear of them as if the
cases had been played here.

A worker that dies leaves its end of the pipe closed: the run ends as a failure of the
examiner, never with a case missing in silence.
"""

import gc
import multiprocessing
from collections import deque
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Final, Literal

import pytest

#: From closing its pipe to the end of a worker that still has a program to stop.
LEAVES_WITHIN_S: Final = 10.0

Word = Literal["next", "again", "finished", "report"]
#: What a worker says at once.
_Message = list[tuple[Word, Any]]


class WorkerDied(RuntimeError):
    """A process of the crew ended before its case did."""


class Crew:
    """A pytest plugin; ``needs_s`` tells how long cases take, the longest go first.

    ``listener`` is the plugin that hears of the cases; in a worker it is taken out.
    """

    def __init__(
        self, size: int, needs_s: Mapping[str, int], *, listener: object
    ) -> None:
        self._size = size
        self._listener = listener
        self._needs_s = needs_s
        self._numbers: deque[int] = deque()
        #: Each worker's pipe and what it plays.
        self._at_work: dict[Connection, str] = {}
        self._workers: list[BaseProcess] = []

    # Before anybody starts a thread that draws: a fork takes no threads along.
    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        is_idle = session.testsfailed or session.config.option.collectonly
        if is_idle or len(session.items) < 2:
            return
        names = [item.nodeid for item in session.items]
        order = sorted(range(len(names)), key=lambda n: -self._needs_s.get(names[n], 0))
        self._numbers.extend(order)
        # What is there now stays: no worker looks through it, or copies it, again.
        gc.freeze()
        for _ in range(min(self._size, len(names))):
            self._hire(session)

    def _hire(self, session: pytest.Session) -> None:
        fork = multiprocessing.get_context("fork")
        here, there = fork.Pipe()
        # A worker holds copies of the run's other ends; as long as it does, nobody
        # at those pipes hears that the run has gone.
        others = [here, *self._at_work]
        worker = fork.Process(
            target=_work, args=(session, there, others, self._listener)
        )
        worker.start()
        there.close()
        self._workers.append(worker)
        self._at_work[here] = "its first case"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if not self._workers:
            return None
        while self._at_work:
            for pipe in wait(list(self._at_work)):
                assert isinstance(pipe, Connection)
                self._listen(pipe, session)
        return True

    def _listen(self, pipe: Connection, session: pytest.Session) -> None:
        try:
            said: _Message = pipe.recv()
        except EOFError:
            raise WorkerDied(f"a process ended with {self._at_work[pipe]}") from None
        hook, config = session.config.hook, session.config
        given = self._give(pipe, session) if ("next", None) in said else None
        for word, data in said:
            if word == "again":
                hook.pytest_nohold_played(nodeid=data)
            elif word == "finished":
                hook.pytest_runtest_logfinish(nodeid=data[0], location=data[1])
            elif word == "report":
                report = hook.pytest_report_from_serializable(config=config, data=data)
                hook.pytest_runtest_logreport(report=report)
        if given is not None:
            # Its line takes pytest longer to find out than all the rest here.
            where = (given.nodeid.partition("::")[0], None, given.name)
            hook.pytest_runtest_logstart(nodeid=given.nodeid, location=where)

    def _give(self, pipe: Connection, session: pytest.Session) -> pytest.Item | None:
        """The next case, or the end of the day."""
        if not self._numbers:
            pipe.send(None)
            del self._at_work[pipe]
            return None
        number = self._numbers.popleft()
        pipe.send(number)
        item = session.items[number]
        self._at_work[pipe] = item.nodeid
        return item

    def pytest_unconfigure(self) -> None:
        """Let nobody stay behind, also when the run was interrupted."""
        for pipe in self._at_work:
            pipe.close()
        for worker in self._workers:
            worker.join(LEAVES_WITHIN_S)
            worker.kill()


class _Messenger:
    """The plugin of a worker: what pytest says goes to the pipe."""

    def __init__(self, config: pytest.Config, pipe: Connection) -> None:
        self._config = config
        self._pipe = pipe
        self._unsaid: _Message = []

    def next(self) -> int | None:
        """Say what is left to say, and get the number of a case; None: go home."""
        self._say("next")
        number: int | None = self._pipe.recv()
        return number

    def _say(self, word: Word, data: object = None) -> None:
        self._pipe.send([*self._unsaid, (word, data)])
        self._unsaid.clear()

    def pytest_nohold_played(self, nodeid: str) -> None:
        self._say("again", nodeid)

    def pytest_runtest_logfinish(self, nodeid: str, location: object) -> None:
        self._unsaid.append(("finished", (nodeid, location)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and report.passed:
            return  # nobody asks for it
        hook = self._config.hook
        data = hook.pytest_report_to_serializable(config=self._config, report=report)
        self._unsaid.append(("report", data))


def _work(
    session: pytest.Session,
    pipe: Connection,
    others: Sequence[Connection],
    listener: object,
) -> None:
    """Play cases until there are no more, or the run has gone."""
    for other in others:
        other.close()
    config = session.config
    plugins = config.pluginmanager
    plugins.unregister(listener)
    messenger = _Messenger(config, pipe)
    plugins.register(messenger)
    runner: Any = plugins.getplugin("runner")
    try:
        while (number := messenger.next()) is not None:
            item = session.items[number]
            config.hook.pytest_runtest_protocol(item=item, nextitem=None)
    except (EOFError, ConnectionError, KeyboardInterrupt):
        # Nobody wants the result any more; programs and ports are given back.
        runner.pytest_sessionfinish(session)
