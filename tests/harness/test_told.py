"""What counts as telling the driver, whoever writes the words."""

from collections.abc import Callable, Mapping

import pytest

from harness.bench import Bench
from harness.told import was_told

Make = Callable[..., Bench]


@pytest.fixture
def told(make_bench: Make) -> Callable[..., bool]:
    """Whether these records, a second old, tell that the hold is released."""

    def ask(*records: tuple[str, Mapping[str, object]], since_ms: int = 0) -> bool:
        bench = make_bench("cps")
        bench.trace.records.clear()
        for kind, fields in records:
            bench.trace.append(1_000, kind, fields)
        return was_told(bench, "released", since_ms=since_ms)

    return ask


def show(**fields: object) -> tuple[str, Mapping[str, object]]:
    line = {"type": "show", "connector": None, "kind": "info", "text": "words"}
    way = {"direction": "to_charger", "fate": "delivered"}
    return "bay", {**way, "line": {**line, **fields}}


def call(route: str, **query: str) -> tuple[str, Mapping[str, object]]:
    target = {"call": 1, "method": "POST", "target": "/", "authorised": True}
    return "http", {**target, "route": route, "query": query, "fate": "delivered"}


def request(name: str) -> tuple[str, Mapping[str, object]]:
    messages = [{"message": name, "fields": {}}]
    way = {"direction": "to_terminal", "hex": "", "fate": "delivered"}
    return "psp", {**way, "messages": messages}


def test_the_code_says_it(told: Callable[..., bool]) -> None:
    assert told(show(code="released"))
    assert not told(show(code="declined"))
    assert not told(show(code="released"), since_ms=1_001)
    assert not told()


def test_who_uses_no_codes_tells_by_words(told: Callable[..., bool]) -> None:
    assert told(show())
    assert not told(show(kind="price")), "that is no news"
    assert not told(show(code="charging"), show()), "who uses codes has one for it"


def test_the_terminals_screen_is_as_good(told: Callable[..., bool]) -> None:
    assert told(request("UI Request"))
    assert not told(request("UI Request"), since_ms=1_001)
    assert not told(request("Get Status"))
    assert told(call("E10", uiMessage="Released"))
    assert not told(call("E10"))


@pytest.mark.parametrize("route", ["E3", "E6"])
def test_a_prompt_tells_of_no_end(told: Callable[..., bool], route: str) -> None:
    assert not told(call(route, uiMessage="Tap your card"))
