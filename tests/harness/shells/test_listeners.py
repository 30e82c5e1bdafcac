"""Listeners: each hears everything in order, or why it hears no more."""

import asyncio
from collections.abc import Awaitable, Callable
from threading import Thread

import pytest

from harness.shells import listeners
from harness.shells.listeners import MAX_CHARACTERS, MAX_WAITING, Listener

Story = Callable[[Listener], Awaitable[None]]


def tell(story: Story, *backlog: str) -> Listener:
    """Play a story with a listener in the web server's loop."""

    async def play() -> Listener:
        listener = Listener(asyncio.get_running_loop(), backlog)
        await asyncio.wait_for(story(listener), 20)
        return listener

    return asyncio.run(play())


async def heard(listener: Listener, count: int | None = None) -> list[str | None]:
    """Lines until the end, or so many."""
    found: list[str | None] = []
    async for line in listener.lines():
        found.append(line)
        if len(found) == count:
            break
    return found


def test_what_was_kept_comes_before_what_happens() -> None:
    async def story(listener: Listener) -> None:
        listener.put("c")
        listener.close("over")
        assert await heard(listener) == ["a", "b", "c"]

    listener = tell(story, "a", "b")
    assert (listener.ended, listener.why) == ("closed", "over")


def test_lines_of_another_thread_come_in_their_order() -> None:
    async def story(listener: Listener) -> None:
        def speak() -> None:
            for number in range(4_000):
                listener.put(str(number))
            listener.close("over")

        speaker = Thread(target=speak)
        speaker.start()
        assert await heard(listener) == [str(number) for number in range(4_000)]
        speaker.join()

    tell(story)


@pytest.mark.parametrize(
    ("count", "size"), [(MAX_WAITING + 1, 1), (3, MAX_CHARACTERS // 3 + 1)]
)
def test_who_is_too_slow_is_dropped_and_keeps_nothing(count: int, size: int) -> None:
    async def story(listener: Listener) -> None:
        for _ in range(count):
            listener.put("x" * size)
        assert await heard(listener) == []

    listener = tell(story)
    assert (listener.ended, listener.why) == ("dropped", "this listener was too slow")
    listener.close("later")
    assert listener.ended == "dropped"


def test_silence_shows_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listeners, "SILENCE_S", 0.01)

    async def story(listener: Listener) -> None:
        assert await heard(listener, 2) == [None, None]

    tell(story)


def test_a_web_server_that_is_gone_is_no_error() -> None:
    async def story(listener: Listener) -> None:
        listener.put("a")
        assert await heard(listener, 1) == ["a"]

    listener = tell(story)
    listener.put("b")
    listener.close("over")
