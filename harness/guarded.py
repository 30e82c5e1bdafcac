"""A controller object behind a guard: what goes wrong in it is its own, in words.

An object shares our process, so its mistakes would look like ours: what it raises, what
it returns instead of actions, a deadline that never moves, a call that never comes
back. Each of them ends its life, as a crash ends a program's, and is said with what was
found and what is allowed.
"""

import importlib
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar, cast, get_args

from harness.declaration import SetupError
from wire.machine import Action, Controller, ControllerFactory, Fact, Place, SendBytes

#: A machine that is called so often at one instant stops time.
MOST_CALLS_AT_ONCE: Final = 5_000
T = TypeVar("T")

_ACTIONS: Final = frozenset(get_args(Action))


class Crashed(Exception):
    """The controller is at its end; says how."""


class Stuck(BaseException):
    """Thrown into a call that does not come back, whatever that call would catch."""


def find_factory(name: str) -> ControllerFactory:
    """``package.module:factory`` as written in ``[reach] controller``."""
    module_name, _, attribute = name.partition(":")
    try:
        factory = getattr(importlib.import_module(module_name), attribute)
    except Exception as error:  # noqa: BLE001 - whatever a module of a vendor's raises
        raise SetupError(
            f"[reach] controller: found {name!r}, allowed is package.module:factory "
            f"of something that can be imported ({error})"
        ) from None
    # The declaration promises the type; a wrong one shows at the first call.
    return cast(ControllerFactory, factory)


class Guarded:
    """The controller that ``factory`` builds; every method raises Crashed, or Died."""

    def __init__(self, factory: ControllerFactory, place: Place) -> None:
        #: The call under way, counted from 1; None between two of them.
        self.call: int | None = None
        self._calls = 0
        #: The instant of the last deadline, and how often it has been called there.
        self._instant_ms = -1
        self._calls_at_once = 0
        self._controller: Controller = self._do(lambda: factory(place))

    def handle(self, event: Fact, now_ms: int) -> Sequence[Action]:
        return _actions(self._do(lambda: self._controller.handle(event, now_ms)))

    def on_deadline(self, now_ms: int) -> Sequence[Action]:
        is_same = now_ms == self._instant_ms
        self._calls_at_once = self._calls_at_once + 1 if is_same else 0
        self._instant_ms = now_ms
        if self._calls_at_once > MOST_CALLS_AT_ONCE:
            raise Crashed(
                f"it asked {MOST_CALLS_AT_ONCE} times to be called at {now_ms} ms of "
                "its clock: deadline_ms() has to move forward"
            )
        return _actions(self._do(lambda: self._controller.on_deadline(now_ms)))

    def deadline_ms(self) -> int | None:
        # In a lambda, because a thing without such a method is its mistake as well.
        found: object = self._do(lambda: self._controller.deadline_ms())  # noqa: PLW0108
        if found is None or type(found) is int:
            return found
        raise Crashed(f"deadline_ms() returned {found!r}, allowed an int or None")

    def _do(self, call: Callable[[], T]) -> T:
        self._calls += 1
        self.call = self._calls
        try:
            return call()
        except Stuck:
            raise Crashed("it did not come back from a call") from None
        except (Exception, SystemExit) as error:
            raise Crashed(f"it raised {error!r}{_place_of(error)}") from error
        finally:
            self.call = None


def _place_of(error: BaseException) -> str:
    """Where it was raised; nothing when that is in our own call of it."""
    frames = traceback.extract_tb(error.__traceback__)[2:]
    return f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""


def _actions(found: object) -> Sequence[Action]:
    if type(found) is tuple and not found:
        return ()  # nothing to do, as at most turns
    if not isinstance(found, Sequence) or isinstance(found, str | bytes):
        raise Crashed(f"it returned {found!r}, allowed a sequence of actions")
    for action in found:
        if type(action) not in _ACTIONS:
            names = ", ".join(sorted(kind.__name__ for kind in _ACTIONS))
            raise Crashed(f"it returned the action {action!r}, allowed {names}")
        if type(action) is SendBytes and not isinstance(action.data, bytes):
            raise Crashed(f"it sent {action.data!r}, allowed bytes")
    return found
