"""The plugin that plays a case under other readings as well (``--readings all``).

Readings are plays of the same pytest item: steps, bench and judgement of each are those
of a run that asks for that reading alone. Reported is the one case, with the default
reading's verdict and, next to it, every reading under which it is not green.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

import pytest
from _pytest.runner import runtestprotocol  # as every plugin that plays an item again

from harness.collector import CONSULTED_PROPERTY, PROPERTY, WIRE_PROPERTY
from harness.reading_search import Bundle, Found, Search, Seen, Standing
from harness.readings import (
    APART,
    EACH,
    Asked,
    Interface,
    in_words,
    is_search,
    others,
    parse,
)
from reports.results import CaseResult, OtherReadings, case_from

_ASKED: Final = pytest.StashKey[Asked]()


class Hooks:
    """What the plugin says to others."""

    @pytest.hookspec
    def pytest_nohold_played(self, nodeid: str) -> None:
        """A case has been played once more, under another reading."""


def asked_of(item: pytest.Item) -> Asked:
    """The reading under which an item is played now."""
    found = item.stash.get(_ASKED, None)
    return found or Asked(reading=parse(item.config.getoption("--nohold-readings")))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(
    item: pytest.Item, nextitem: pytest.Item | None
) -> bool | None:
    words = item.config.getoption("--nohold-readings")
    if item.path.suffix != ".feature" or not is_search(words):
        return None
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in _Plays(item, nextitem).reports(is_each=words == EACH):
        hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


class _Plays:
    """All plays of one item."""

    def __init__(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        self._item = item
        self._nextitem = nextitem
        self._wire: list[tuple[str, Any]] = []

    def reports(self, *, is_each: bool) -> list[pytest.TestReport]:
        """Those of the default reading; its result tells of the others."""
        reports = self._play(())
        called = next((one for one in reports if one.when == "call"), None)
        first = _case_of(called) if called else None
        if called is None or first is None or not first.is_green:
            return reports
        search = Search(self._seen, apart=APART)
        face: Interface = "cps" if first.column == "cps" else "psp"
        alternatives = others(face, _property(called, CONSULTED_PROPERTY) or ())
        explore = search.run_each if is_each else search.run
        other = _told(explore(alternatives))
        _put(called, replace(first, other_readings=other))
        called.user_properties += self._wire
        if other.red:
            called.outcome = "failed"
            called.longrepr = "\n".join(f"red under {one.reading}" for one in other.red)
        return reports

    def _play(self, reading: Bundle) -> list[pytest.TestReport]:
        self._item.user_properties.clear()
        self._item.stash[_ASKED] = Asked(
            reading=reading, is_watched=True, is_inner=bool(reading)
        )
        return runtestprotocol(self._item, log=False, nextitem=self._nextitem)

    def _seen(self, reading: Bundle) -> Seen[CaseResult]:
        reports = self._play(reading)
        self._item.ihook.pytest_nohold_played(nodeid=self._item.nodeid)
        called = next((one for one in reports if one.when == "call"), None)
        result = _case_of(called) if called else None
        if called is None or result is None:
            failed = next(one for one in reports if one.failed)
            raise RuntimeError(f"under {in_words(reading)}: {failed.longreprtext}")
        self._wire += [one for one in called.user_properties if one[0] == WIRE_PROPERTY]
        names = frozenset(_property(called, CONSULTED_PROPERTY) or ())
        return Seen(_standing(result), names, result)


def _standing(result: CaseResult) -> Standing:
    if result.is_green:
        return "green"
    return "moot" if result.is_moot else "red"


def _told(found: Found[CaseResult]) -> OtherReadings:
    # Beside what was not reached, a play may have been of more than is to blame.
    not_green = [
        replace(one.seen.result, reading=in_words(one.reading))
        for one in found.culprits
    ]
    return OtherReadings(
        plays=found.plays,
        tried=tuple(sorted(map(str, found.tried))),
        unreached=tuple(map(str, found.unreached)),
        not_green=tuple(not_green),
    )


def _property(report: pytest.TestReport, name: str) -> Any:
    return dict(report.user_properties).get(name)


def _case_of(report: pytest.TestReport) -> CaseResult | None:
    found: Mapping[str, Any] | None = _property(report, PROPERTY)
    return None if found is None else case_from(found)


def _put(report: pytest.TestReport, result: CaseResult) -> None:
    rest: Sequence[tuple[str, Any]] = report.user_properties
    kept = [one for one in rest if one[0] != PROPERTY]
    report.user_properties = [(PROPERTY, asdict(result)), *kept]
