"""nohold as a pytest plugin: the vocabulary, the bench and the judgement.

Installed through an entry point, so a vendor's or QA's own pytest project gets all of
it by installing nohold. Feature files below the given paths are collected as they are;
each scenario runs in every column that its tags and the options allow; when its steps
have run, or one of them has failed, the epilogue is played and the trace judged. A case
passes only when conduct is PASS and every session in it is closed.

Step definitions live in ``steps/<actor>.py`` and are loaded from here.
"""

import gc
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pytest
from pytest_bdd.parser import Scenario, ScenarioTemplate, Step
from pytest_bdd.scenario import scenario_wrapper_template_registry

from harness.bench import Bench, CaseName, WrongUse
from harness.case import Case, CaseNotGreen, conclude
from harness.collector import (
    CONSULTED_PROPERTY,
    NAMES,
    PROPERTY,
    WIRE_PROPERTY,
    WRONG_USE_PROPERTY,
)
from harness.columns import COLUMNS, Column, column_of, columns_for
from harness.declaration import Declaration, NotClaimed, load
from harness.guarded import find_factory
from harness.places import REFERENCE
from harness.shells.watchdog import WatchedWorld
from harness.wire_coverage import happened
from harness.wishes import Wishes
from harness.world import Desk, World
from simulator.faults import FaultPlanError
from simulator.station import ImpossibleError
from steps import readings
from steps.collect import FeatureFile, tags_of
from steps.lookup import Lookup
from steps.readings import Hooks, asked_of
from steps.traps import refuse_traps
from steps.vocabulary import UnknownStep, show, unknown_step

pytest_plugins = [
    "steps.driver",
    "steps.vehicle",
    "steps.charger",
    "steps.terminal",
    "steps.cable",
    "steps.cloud",
    "steps.issuer",
    "steps.controller",
    "steps.money",
    "steps.site",
    "steps.audit",
]

DEFAULT_SEED: Final = 1

#: New objects after which garbage is looked for; a case makes about as many.
_NEW_OBJECTS: Final = 50_000

#: What is raised when a feature asks for what cannot be.
_REFUSED: Final = (WrongUse, ImpossibleError, FaultPlanError)

_CASE: Final = pytest.StashKey[Case]()
_DECLARATION: Final = pytest.StashKey[Declaration]()
#: The same for each column, where the claims are ours to choose.
_FITTED: Final = pytest.StashKey[dict[str, Declaration]]()
_DESK: Final = pytest.StashKey[Desk]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("nohold", "examination of charger controllers")
    group.addoption("--nohold-declaration", type=Path, help="declaration.toml")
    group.addoption("--nohold-seed", type=int, default=DEFAULT_SEED)
    group.addoption("--nohold-interface", choices=["psp", "cps"])
    group.addoption("--nohold-terminal", choices=["p6x", "apollo"])
    group.addoption("--nohold-requirement", action="append", default=[])
    group.addoption("--nohold-words", default="", help="words of title, tags or file")
    group.addoption("--nohold-steps", metavar="WORDS", help="show the vocabulary")
    group.addoption("--nohold-rehearsal", action="store_true")
    group.addoption("--nohold-host", default="127.0.0.1", help="where ports listen")
    group.addoption("--nohold-leave-out", action="append", default=[])
    group.addoption("--nohold-readings", default="", metavar="all|each|NAME=VALUE")
    group.addoption("--nohold-coverage", action="store_true")
    group.addoption("--nohold-trace-dir", type=Path, help="keep each case's trace here")


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(Hooks)


def pytest_configure(config: pytest.Config) -> None:
    # Not by name above: a module that is imported already cannot be a plugin by name.
    config.pluginmanager.register(readings)
    lookup = Lookup()
    lookup.install()
    config.add_cleanup(lookup.remove)
    config.addinivalue_line(
        "markers", "requirement(id): a requirement that the scenario tests"
    )
    config.addinivalue_line("markers", "scenario_id(id): S-id of the catalogue")
    config.addinivalue_line("markers", "tagged(name): a tag of a feature file")


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """``--nohold-steps``: show the vocabulary instead of running anything."""
    words: str | None = config.getoption("--nohold-steps")
    return None if words is None else show(words)


def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> pytest.Collector | None:
    if file_path.suffix != ".feature":
        return None
    collector: pytest.Collector = FeatureFile.from_parent(parent, path=file_path)
    return collector


# Before pytest-bdd's own answer, in whatever order the plugins have been found.
@pytest.hookimpl(tryfirst=True)
def pytest_bdd_apply_tag(tag: str, function: Any) -> bool:
    """Tags become markers that ``-m`` can select, whatever characters they hold."""
    if tag.startswith("R-"):
        mark = pytest.mark.requirement(id=tag)
    elif tag.startswith("S-"):
        mark = pytest.mark.scenario_id(id=tag)
    else:
        mark = pytest.mark.tagged(name=tag)
    mark(function)
    return True


# --- columns --------------------------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    is_scenario = metafunc.function in scenario_wrapper_template_registry
    if "column" not in metafunc.fixturenames or not is_scenario:
        return
    config = metafunc.config
    wanted = [
        column
        for column in columns_for(tags_of(metafunc.function))
        if config.getoption("--nohold-interface") in (None, column.interface)
        and config.getoption("--nohold-terminal") in (None, column.terminal)
        and _is_claimed(config, column)
    ]
    metafunc.parametrize("column", wanted, ids=[column.name for column in wanted])


def _is_claimed(config: pytest.Config, column: Column) -> bool:
    """A vendor's controller is examined in the column it claims, ours in all three."""
    if config.getoption("--nohold-declaration") is None:
        return True
    return column is column_of(_declared(config))


def _declared(config: pytest.Config) -> Declaration:
    if _DECLARATION not in config.stash:
        path = config.getoption("--nohold-declaration") or REFERENCE
        config.stash[_DECLARATION] = load(path)
    return config.stash[_DECLARATION]


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Keep the scenarios that have the requirements and words asked for."""
    wanted = set(config.getoption("--nohold-requirement"))
    words = config.getoption("--nohold-words").lower()
    left_out = set(config.getoption("--nohold-leave-out"))
    kept = [
        item
        for item in items
        if item.nodeid not in left_out and _is_wanted(item, wanted, words)
    ]
    if len(kept) < len(items):
        gone = [item for item in items if item not in kept]
        config.hook.pytest_deselected(items=gone)
        items[:] = kept


def _is_wanted(item: pytest.Item, wanted: set[str], words: str) -> bool:
    """``words`` in double quotes are a whole title, with the values of its row."""
    if wanted:
        has = {mark.kwargs["id"] for mark in item.iter_markers("requirement")}
        if not wanted & has:
            return False
    if not words:
        return True
    function = getattr(item, "function", None)
    template = scenario_wrapper_template_registry.get(function) if function else None
    title = template.name if template else item.name
    row = getattr(item, "callspec", None)
    values = row.params.get("_pytest_bdd_example", {}).values() if row else ()
    whole = " ".join((title, *values)).lower()
    if words == f'"{words[1:-1]}"':
        return words[1:-1] == whole
    parts = (whole, item.name, item.path.name, *tags_of(function))
    text = " ".join(parts).lower()
    return all(word in text for word in words.split())


# --- one case -------------------------------------------------------------------


@pytest.fixture
def column() -> Column:
    """The column under test; scenarios are parametrised over all that fit."""
    return COLUMNS[1]


@pytest.fixture
def declaration(pytestconfig: pytest.Config, column: Column) -> Declaration:
    """What the controller under test claims, wired for this column."""
    declared = _declared(pytestconfig)
    if pytestconfig.getoption("--nohold-declaration") is not None:
        return declared
    fitted = pytestconfig.stash.setdefault(_FITTED, {})
    if column.name not in fitted:
        fitted[column.name] = column.fit(declared)
    return fitted[column.name]


@pytest.fixture
def bench(
    request: pytest.FixtureRequest, column: Column, declaration: Declaration
) -> Iterator[Bench]:
    """A forecourt with a controller on it, cold until a step needs it."""
    config = request.config
    wishes = Wishes(
        declaration=declaration,
        configurable=config.getoption("--nohold-declaration") is None,
        asked=asked_of(request.node),
        names=config.stash.get(NAMES, ()),
    )
    if config.getoption("--nohold-rehearsal"):
        wishes.factory = find_factory(load(REFERENCE).text("reach", "controller"))
    node: pytest.Item = request.node
    template = scenario_wrapper_template_registry.get(request.function)
    feature = Path(template.feature.filename).name if template else node.path.name
    marks = sorted({mark.kwargs["id"] for mark in node.iter_markers("requirement")})
    name = CaseName(
        scenario=template.name if template else node.name,
        row=_row(request) if template else "",
        feature=feature,
        requirements=tuple(marks),
    )
    seed = config.getoption("--nohold-seed")
    world = _world(config, declaration, steps=_steps_of(template))
    built = Bench(wishes, column=column, seed=seed, case=name, world=world)
    if template:
        tags = tags_of(request.function)
        node.stash[_CASE] = Case(
            bench=built,
            tags=tags,
            path=node.path,
            declaration=config.getoption("--nohold-declaration"),
        )
    yield built
    built.close()


def _steps_of(template: ScenarioTemplate | None) -> str:
    """The words of all steps of a scenario."""
    return "\n".join(step.name for step in template.steps) if template else ""


def _world(config: pytest.Config, declaration: Declaration, *, steps: str) -> World:
    """Virtual time for a controller object, real time for a program or a box."""
    path: Path | None = config.getoption("--nohold-declaration")
    is_virtual = declaration.text("reach", "mode") == "in_process"
    if is_virtual or path is None or config.getoption("--nohold-rehearsal"):
        return WatchedWorld()
    # Late: sockets and a web server are nothing that a virtual run needs.
    from harness.shells.wall import Setup, WallWorld

    is_box = declaration.text("reach", "mode") == "endpoint"
    setup = Setup(
        host=config.getoption("--nohold-host"),
        desk=config.stash.setdefault(_DESK, Desk()) if is_box else None,
        # Only where they may be needed: each puts something around the program.
        lying_clock="controller's clock" in steps,
        small_disk="controller's storage" in steps,
    )
    time_scale = declaration.number("reach", "time_scale")
    return WallWorld(path.parent, path, time_scale=time_scale, setup=setup)


def _row(request: pytest.FixtureRequest) -> str:
    """The values of an outline's row, as pytest-bdd hands them to the scenario."""
    values: dict[str, str] = request.getfixturevalue("_pytest_bdd_example")
    return " ".join(values.values())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Look for garbage less often while a case is played.

    A trace is many small objects that live until their case is judged: looking at them
    again and again finds nothing and costs a fifth of a run.
    """
    if item.path.suffix != ".feature":
        return (yield)
    usual = gc.get_threshold()
    gc.set_threshold(max(_NEW_OBJECTS, usual[0]), *usual[1:])
    try:
        return (yield)
    finally:
        gc.set_threshold(*usual)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Judge every case, also one whose steps failed."""
    error: BaseException | None = None
    try:
        yield
    except (Exception, pytest.fail.Exception, pytest.skip.Exception) as caught:  # noqa: BLE001 - whatever a step raised is part of the verdict
        error = caught
    case = item.stash.get(_CASE, None)
    if isinstance(error, _REFUSED):
        _note_wrong_use(item, case, error)
    if case is None or isinstance(error, _REFUSED):
        if error is not None:
            raise error
        return
    result = conclude(case, error)
    if result.is_red or not asked_of(item).is_inner:
        _keep(item, case)
    # The item lives as long as the session; a forecourt with its trace need not.
    del item.stash[_CASE]
    item.user_properties.append((PROPERTY, asdict(result)))
    item.user_properties.append((CONSULTED_PROPERTY, case.bench.answers.consulted()))
    if item.config.getoption("--nohold-coverage"):
        seen = happened(case.bench.trace.records)
        item.user_properties.append((WIRE_PROPERTY, dict(seen)))
    if asked_of(item).is_inner:
        return  # the case goes on; nobody reads a traceback of this play
    if isinstance(error, NotClaimed):
        pytest.skip(str(error))
    if not result.is_green:
        raise CaseNotGreen(result) from error


def _note_wrong_use(item: pytest.Item, case: Case | None, error: Exception) -> None:
    """The feature cannot run: no verdict on anybody, and the run says so."""
    has_step = case is not None and case.step
    where = f"{case.path}:{case.line}: {case.step}: " if case and has_step else ""
    text = str(error) if isinstance(error, UnknownStep) else f"{where}{error}"
    item.user_properties.append((WRONG_USE_PROPERTY, text))


def _keep(item: pytest.Item, case: Case) -> None:
    folder: Path | None = item.config.getoption("--nohold-trace-dir")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / case.file_name()
        path.write_text(case.bench.trace.render(), encoding="ascii", newline="\n")


# --- steps ----------------------------------------------------------------------


def pytest_bdd_before_step(
    request: pytest.FixtureRequest, step: Step, step_func: Callable[..., object]
) -> None:
    case = request.node.stash.get(_CASE, None)
    if case is not None:
        case.begin_step(step.type, step.name, line=step.line_number)
    refuse_traps(step, step_func)


def pytest_bdd_after_step(request: pytest.FixtureRequest, step: Step) -> None:
    case = request.node.stash.get(_CASE, None)
    if case is not None:
        case.end_step(step.type)


def pytest_bdd_step_func_lookup_error(
    scenario: Scenario, step: Step, exception: Exception
) -> None:
    """Answer an unknown step with the closest phrases of the vocabulary."""
    where = f"{scenario.feature.filename}:{step.line_number}"
    raise unknown_step(step.type, step.name, where=where) from exception
