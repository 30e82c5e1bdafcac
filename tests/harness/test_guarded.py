"""What a controller object does wrong ends its own life, and is said in words."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from harness.bench import Bench
from harness.declaration import SetupError
from harness.places import FEATURES, REFERENCE
from harness.run import RunOptions, play
from harness.shells.watchdog import WatchedWorld
from harness.world import World
from wire.machine import Action, Fact, Link, OpenLink, Place, SendBytes, Started

MakeBench = Callable[..., Bench]


class Tame:
    """Connects, and does nothing else unless a test changes it."""

    def __init__(self, place: Place) -> None:
        self.link = place.psp_link

    def handle(self, event: Fact, now_ms: int) -> Any:
        return (OpenLink(link=Link.BAY),) if isinstance(event, Started) else ()

    def deadline_ms(self) -> Any:
        return None

    def on_deadline(self, now_ms: int) -> Any:
        return ()


class RaisesAtBuild(Tame):
    def __init__(self, place: Place) -> None:
        raise RuntimeError("no such card reader")


class Raises(Tame):
    def handle(self, event: Fact, now_ms: int) -> Any:
        raise ValueError("boom")


class Leaves(Tame):
    def handle(self, event: Fact, now_ms: int) -> Any:
        raise SystemExit(0)


class ReturnsNothing(Tame):
    def handle(self, event: Fact, now_ms: int) -> Any:
        return None


class ReturnsNumbers(Tame):
    def handle(self, event: Fact, now_ms: int) -> Any:
        return [42]


class SendsText(Tame):
    def handle(self, event: Fact, now_ms: int) -> Any:
        return [SendBytes(link=Link.BAY, data="hello")]  # type: ignore[arg-type]


class StopsTime(Tame):
    def deadline_ms(self) -> Any:
        return 0


class IsVague(Tame):
    def deadline_ms(self) -> Any:
        return "soon"


class Hangs(Tame):
    def handle(self, event: Fact, now_ms: int) -> Any:
        while True:
            time.monotonic()


class HangsAndCatches(Tame):
    def handle(self, event: Fact, now_ms: int) -> Sequence[Action]:
        while True:
            with suppress(Exception):
                time.monotonic()


def _why(
    make_bench: MakeBench, factory: type[Tame], world: World | None = None
) -> tuple[str, list[str]]:
    """Why it is not ready, and what the trace says against it."""
    bench = make_bench("apollo", factory=factory)
    bench.world = world or bench.world
    try:
        with pytest.raises(SetupError) as caught:
            bench.open()
    finally:
        bench.close()
    found = [r for r in bench.trace.records if r["kind"] == "finding"]
    return str(caught.value), [str(record["seen"]) for record in found]


@pytest.mark.parametrize(
    ("factory", "words"),
    [
        (RaisesAtBuild, r"it raised RuntimeError('no such card reader') (test_guarded"),
        (Raises, "it raised ValueError('boom') (test_guarded.py:"),
        (Leaves, "it raised SystemExit(0)"),
        (ReturnsNothing, "it returned None, allowed a sequence of actions"),
        (ReturnsNumbers, "it returned the action 42, allowed AnswerCallback, CallHttp"),
        (SendsText, "it sent 'hello', allowed bytes"),
        (StopsTime, "it asked 5000 times to be called at 0 ms of its clock"),
        (IsVague, "deadline_ms() returned 'soon', allowed an int or None"),
    ],
)
def test_it_is_the_controller_s_own_end(
    make_bench: MakeBench, factory: type[Tame], words: str
) -> None:
    why, found = _why(make_bench, factory)
    assert words in why
    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize("factory", [Hangs, HangsAndCatches])
def test_a_call_that_does_not_come_back_ends_the_life_and_not_the_run(
    make_bench: MakeBench, factory: type[Tame]
) -> None:
    why, found = _why(make_bench, factory, WatchedWorld(period_s=0.05))
    assert why.endswith("it did not come back from a call")
    assert found == ["it did not come back from a call"]


def test_one_that_ends_during_a_charge_fails_and_its_money_is_looked_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way: the verdict is FAIL, and nobody says that the examiner failed."""
    (tmp_path / "frail.py").write_text(FRAIL, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    text = REFERENCE.read_text(encoding="utf-8")
    declaration = tmp_path / "frail.toml"
    declaration.write_text(text.replace("controller_ref.core:build", "frail:build"))
    result, heard = play(
        RunOptions(
            paths=(FEATURES / "paying_for_a_charge.feature",),
            words='"Tap, plug in, charge, unplug"',
            declaration=declaration,
        ),
        Console(quiet=True),
    )
    assert not heard.setup_errors
    (case,) = result.cases
    assert (case.conduct, case.settlement) == ("FAIL", "CLOSED")
    seen = {found.seen for found in case.findings if found.requirement == "process"}
    assert seen == {"it raised ValueError('boom') (frail.py:14)"}


#: Raises when the first contactor closes, in its first life only.
FRAIL = """
from controller_ref.core import build as sound
from wire.machine import BytesReceived

class Frail:
    def __init__(self, place):
        self.sound, self.is_first = sound(place), place.store.load() is None
        self.deadline_ms = self.sound.deadline_ms
        self.on_deadline = self.sound.on_deadline

    def handle(self, event, now_ms):
        data = event.data if type(event) is BytesReceived else b""
        if self.is_first and b'"contactor"' in data:
            raise ValueError("boom")
        return self.sound.handle(event, now_ms)

build = Frail
"""
