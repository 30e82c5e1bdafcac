"""The pytest plugin of a run that hears of its cases.

Results are plain values on the test reports, so it does not matter in which process a
case was played.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from harness.progress import ProgressDisplay
from harness.shells.ahead import NOTHING, Made
from reports.results import CaseResult, case_from

#: The property of a test report that carries a case's result.
PROPERTY: Final = "nohold"
#: The property of one whose feature file cannot run: why.
WRONG_USE_PROPERTY: Final = "nohold wrong use"
#: The switches of the profile or policy that were asked for.
CONSULTED_PROPERTY: Final = "nohold consulted"
#: What happened on the wire, counted.
WIRE_PROPERTY: Final = "nohold wire"

#: Names for the drivers, drawn beforehand; without it each process draws them.
NAMES: Final = pytest.StashKey[tuple[str, ...]]()
#: How many cases to expect of each feature file; without it each is looked at.
EXPECTED: Final = pytest.StashKey[Mapping[Path, int]]()


# A plugin is kept in sets: pytest needs its identity, where there is a conftest.py.
@dataclass(slots=True, eq=False)
class Collector:
    """The pytest plugin that listens; ``progress`` may be None."""

    progress: ProgressDisplay | None
    cases: list[CaseResult] = field(default_factory=list)
    by_node: dict[str, CaseResult] = field(default_factory=dict)
    wrong_use: list[str] = field(default_factory=list)
    setup_errors: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    #: What has been made beforehand, for whoever collects and plays.
    made: Made = NOTHING
    #: What happened on the wire in all plays.
    wire: Counter[str] = field(default_factory=Counter)

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Hand over what was made; silence pytest's own reporter, not its options."""
        config.stash[NAMES] = self.made.names
        config.stash[EXPECTED] = self.made.expected
        reporter = config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None:
            config.pluginmanager.unregister(reporter)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            _add(self.wrong_use, _text(report.longrepr))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if self.progress is not None and session.items:
            self.progress.start(len(session.items))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        if self.progress is not None:
            self.progress.begin(nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        if self.progress is not None:
            self.progress.end(nodeid)

    def pytest_nohold_played(self) -> None:
        if self.progress is not None:
            self.progress.again()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self._take(report)
        elif report.failed:
            _add(self.setup_errors, _text(report.longrepr))

    def pytest_internalerror(self, excrepr: object) -> None:
        self.crashes.append(str(excrepr).strip().splitlines()[-1])

    def _take(self, report: pytest.TestReport) -> None:
        found = dict(report.user_properties)
        for name, counts in report.user_properties:
            if name == WIRE_PROPERTY:
                assert isinstance(counts, dict)
                self.wire.update(counts)
        if PROPERTY in found:
            result = found[PROPERTY]
            assert isinstance(result, dict)
            self.cases.append(case_from(result))
            self.by_node[report.nodeid] = self.cases[-1]
        elif WRONG_USE_PROPERTY in found:
            _add(self.wrong_use, str(found[WRONG_USE_PROPERTY]))
        elif report.failed:
            _add(self.setup_errors, _text(report.longrepr))


def _add(texts: list[str], text: str) -> None:
    """What is wrong with the set-up is wrong in every case: say it once."""
    if text not in texts:
        texts.append(text)


def _text(found: object) -> str:
    """What was raised, in its own words; the place in our code helps nobody."""
    crash = getattr(found, "reprcrash", None)
    if crash is None:
        return str(getattr(found, "longrepr", found)).strip()
    kind, colon, words = str(crash.message).partition(": ")
    is_ours = colon and kind.rpartition(".")[2] == "SetupError"
    return words if is_ours else str(crash.message)
