"""``nohold check``: is everything reachable and configured, before any case is run.

Every line says what was looked at and what was found; a line that fails says what to
change, and ends the check, because what follows would only repeat it. The answer is
READY or SETUP ERROR, never a verdict on the controller.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from rich.console import Console

from harness.bench import Bench, CaseName, NotClaimed, Wishes
from harness.columns import column_of
from harness.declaration import Declaration, SetupError, load
from harness.shells.wall import WallWorld
from harness.world import VirtualWorld, World

READY: Final = 0
SETUP_ERROR: Final = 3


def check(path: Path, console: Console) -> int:
    """Look at everything in turn; the exit status of ``nohold check``."""
    try:
        declaration = load(path)
    except SetupError as error:
        return _end(console, "declaration", str(error))
    _say(console, "declaration", f"every key of {path} is fine")
    bench: Bench | None = None
    try:
        bench = _bench(declaration, path)
        for name, look in _LOOKS:
            _say(console, name, look(bench))
    except (SetupError, NotClaimed) as error:
        return _end(console, "set-up", str(error))
    finally:
        if bench is not None:
            bench.close()
    console.print("READY")
    return READY


def _bench(declaration: Declaration, path: Path) -> Bench:
    world: World = VirtualWorld()
    if declaration.text("reach", "mode") == "process":
        time_scale = declaration.number("reach", "time_scale")
        world = WallWorld(path.parent, path, time_scale=time_scale)
    return Bench(
        Wishes(declaration=declaration, configurable=False),
        column=column_of(declaration),
        seed=1,
        case=CaseName(scenario="nohold check"),
        world=world,
    )


def _starts(bench: Bench) -> str:
    bench.start_device()
    return bench.declaration.text("reach", "mode")


def _connects(bench: Bench) -> str:
    bench.wait_until_ready()
    if bench.column.interface == "cps":
        return "hello on the bay link, calls with the right API key"
    baud = bench.world.baud
    speed = f" at {baud} baud" if baud else ""
    return f"hello on the bay link, terminal set up over {bench.psp_link}{speed}"


def _restarts(bench: Bench) -> str:
    since = len(bench.trace.records)
    bench.device.kill()
    bench.device.start()
    bench.wait_until_ready(since=since)
    return "killed, started with the same state directory, ready again"


def _keeps_state(bench: Bench) -> str:
    if bench.device.has_state:
        return "the state directory is used"
    return "nothing kept yet; a session has to be, before energy flows (R-SES-02)"


#: What is looked at, in this order.
_LOOKS: Final[tuple[tuple[str, Callable[[Bench], str]], ...]] = (
    ("start", _starts),
    ("connections", _connects),
    ("restart", _restarts),
    ("state", _keeps_state),
)


def _say(console: Console, name: str, found: str) -> None:
    console.print(f"  ok     {name:<12} {found}", markup=False, soft_wrap=True)


def _end(console: Console, name: str, found: str) -> int:
    console.print(f"  wrong  {name:<12} {found}", markup=False, soft_wrap=True)
    console.print("SETUP ERROR")
    return SETUP_ERROR
