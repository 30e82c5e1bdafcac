"""``nohold check``: is everything reachable and configured, before any case is run.

Every line says what was looked at and what was found; a line that fails says what to
change, and ends the check, because what follows would only repeat it. The answer is
READY or SETUP ERROR, never a verdict on the controller. ``nohold run`` looks at the
first of it as well (``preflight``), so that a set-up mistake is one line and not a red
case for each scenario.

A box has to be configured by somebody: it is told what, and given the time that a
person needs, before its own time to become ready begins.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console

from harness.bench import Bench, CaseName
from harness.columns import column_of
from harness.declaration import Declaration, Declined, NotClaimed, SetupError, load
from harness.shells.wall import Setup, WallWorld
from harness.shells.watchdog import WatchedWorld
from harness.unready import has_contact
from harness.wishes import Wishes
from harness.world import World

READY: Final = 0
SETUP_ERROR: Final = 3

#: What a person has to configure a box; seconds.
OPERATOR_S: Final = 300
#: How often they are told that nothing has come yet; seconds.
REMIND_S: Final = 10

Say = Callable[[str, str], None]
#: What was found; empty when there was nothing to look at.
Look = Callable[[Bench, Say], str]


def check(path: Path, console: Console, *, host: str, seed: int) -> int:
    """Look at everything in turn; the exit status of ``nohold check``."""

    def say(name: str, found: str, *, mark: str = "ok") -> None:
        line = f"  {mark:<6} {name:<12} {found}"
        console.print(line, markup=False, soft_wrap=True)

    try:
        declaration = load(path)
        say("declaration", f"every key of {path} is fine")
        with _bench(declaration, path, host=host, seed=seed) as bench:
            for name, look in _LOOKS:
                say(name, look(bench, say))
    except (SetupError, NotClaimed) as error:
        say("set-up", in_words(error), mark="wrong")
        console.print("SETUP ERROR")
        return SETUP_ERROR
    console.print("READY")
    return READY


def preflight(path: Path, say: Say, *, host: str, seed: int) -> None:
    """Start the controller once and wait until it is ready. Raises SetupError.

    Declined becomes a SetupError too: what cannot be played at all is no verdict.
    """
    try:
        with _bench(load(path), path, host=host, seed=seed) as bench:
            _starts(bench, say)
            _connects(bench, say)
    except Declined as error:
        raise SetupError(in_words(error)) from None


def in_words(error: Exception) -> str:
    """The line for a person; what is declared and refused is named."""
    if isinstance(error, Declined):
        return f"the controller does not implement what is declared: {error}"
    return str(error)


@contextmanager
def _bench(
    declaration: Declaration, path: Path, *, host: str, seed: int
) -> Iterator[Bench]:
    world: World = WatchedWorld()
    if declaration.text("reach", "mode") != "in_process":
        time_scale = declaration.number("reach", "time_scale")
        setup = Setup(host=host)
        world = WallWorld(path.parent, path, time_scale=time_scale, setup=setup)
    bench = Bench(
        Wishes(declaration=declaration, configurable=False),
        column=column_of(declaration),
        seed=seed,
        case=CaseName(scenario="nohold check"),
        world=world,
    )
    try:
        yield bench
    finally:
        bench.close()


def _is_box(bench: Bench) -> bool:
    return bench.declaration.text("reach", "mode") == "endpoint"


def _starts(bench: Bench, say: Say) -> str:
    """Start a program, or tell a person how to reach us with a box."""
    bench.start_device()
    if not _is_box(bench):
        return bench.declaration.text("reach", "mode")
    for what, value in instructions(bench):
        say("configure", f"{what:<22} {value}")
    _await_operator(bench, say)
    return "the box has made contact"


def instructions(bench: Bench) -> Iterator[tuple[str, str]]:
    """What to configure in a box, and with which value."""
    wiring = bench.world.wiring
    names = {
        "psp": "terminal (PSP)",
        "cps_url": "payment cloud (CPS)",
        "cps_api_key": "its API key",
        "terminal_serial": "terminal serial number",
        "bay": "charger (bay link)",
    }
    for key, what in names.items():
        if key in wiring:
            yield what, wiring[key]
    if "cps_url" in wiring:
        hosts = bench.callback_hosts
        yield "callbacks only to", ", ".join(hosts)


def _await_operator(bench: Bench, say: Say) -> None:
    """Until something comes from the box, for as long as a person may need."""
    for waited_s in range(0, OPERATOR_S, REMIND_S):
        within_ms = REMIND_S * 1000 * bench.time_scale
        if bench.run_until(lambda: has_contact(bench), within_ms):
            return
        so_far = f"{waited_s + REMIND_S} of {OPERATOR_S} s"
        say("waiting", f"nothing has come from the box yet, {so_far}")
    raise SetupError(
        f"the box has made no contact within {OPERATOR_S} s: is it configured as above?"
    )


def _connects(bench: Bench, _say: Say) -> str:
    bench.wait_until_ready()
    if bench.column.interface == "cps":
        return "hello on the bay link, calls with the right API key"
    baud = bench.world.baud
    speed = f" at {baud} baud" if baud else ""
    return f"hello on the bay link, terminal set up over {bench.psp_link}{speed}"


def _restarts(bench: Bench, _say: Say) -> str:
    since = len(bench.trace.records)
    try:
        bench.device.kill()
    except NotClaimed as reason:
        return f"NOT APPLICABLE: {reason}"
    bench.device.start()
    bench.wait_until_ready(since=since)
    if _is_box(bench):
        return "its power was cut and came back, ready again"
    return "killed, started with the same state directory, ready again"


def _keeps_state(bench: Bench, _say: Say) -> str:
    if _is_box(bench):
        return "cannot be seen in a box"
    if bench.device.has_state:
        return "the state directory is used"
    return "nothing kept yet; a session has to be, before energy flows (R-SES-02)"


#: What is looked at, in this order.
_LOOKS: Final[tuple[tuple[str, Look], ...]] = (
    ("start", _starts),
    ("connections", _connects),
    ("restart", _restarts),
    ("state", _keeps_state),
)
