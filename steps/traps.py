"""Steps that pytest-bdd would pass although they have not done what they say."""

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from pytest_bdd.parser import Step

from harness.bench import WrongUse


class StepIsAsync(WrongUse):
    """A step definition that pytest-bdd would call and never await."""


class StepTakesNothing(WrongUse):
    """A table or a text below a step that does not read it."""


#: More functions than a vocabulary has steps; asked at every step.
_FUNCTIONS: Final = 1024
_is_async: Final = lru_cache(maxsize=_FUNCTIONS)(inspect.iscoroutinefunction)


@lru_cache(maxsize=_FUNCTIONS)
def _takes(step_func: Callable[..., object]) -> frozenset[str]:
    return frozenset(inspect.signature(step_func).parameters)


def refuse_traps(step: Step, step_func: Callable[..., object]) -> None:
    """Raises WrongUse for a step that would pass without having been played."""
    if _is_async(step_func):
        raise StepIsAsync(
            f"{step_func.__name__}: an async step is never awaited and would pass"
        )
    for what, name in ((step.datatable, "datatable"), (step.docstring, "docstring")):
        if what is not None and name not in _takes(step_func):
            thing = "table" if name == "datatable" else "text"
            raise StepTakesNothing(
                f"found a {thing} below it, allowed is none: this phrase reads no "
                f"{thing}, and it would be lost"
            )
