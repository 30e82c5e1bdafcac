"""The search for readings under which a case goes wrong, on plays that are sums."""

from collections.abc import Callable

import pytest

from harness.reading_search import Bundle, Found, Search, Seen, Standing, bundles
from harness.readings import Alternative

A1, A2, B1, C1, D1 = (Alternative(*one) for one in ("a1", "a2", "b1", "c1", "d1"))
Rule = Callable[[set[str]], Standing]


def search(
    red_when: Callable[[set[str]], bool],
    *alternatives: Alternative,
    masks: dict[str, str] | None = None,
    word: Standing = "red",
) -> tuple[Found[None], list[Bundle]]:
    """``masks``: under the first value, the other switch is not asked for."""
    played: list[Bundle] = []

    def play(bundle: Bundle) -> Seen[None]:
        played.append(bundle)
        values = {one.name + str(one.value) for one in bundle}
        hidden = {gone for by, gone in (masks or {}).items() if by in values}
        reached = {one for one in values if one[0] not in hidden}
        standing: Standing = word if red_when(reached) else "green"
        return Seen(standing, frozenset("abcd") - hidden, None)

    return Search(play).run(alternatives), played


def green(_: set[str]) -> bool:
    return False


def culprits(found: Found[None]) -> list[Bundle]:
    return [one.reading for one in found.culprits]


def test_as_many_plays_as_the_switch_with_most_values() -> None:
    found, played = search(green, A1, A2, B1, C1)
    assert played == [(A1, B1, C1), (A2,)]
    assert found.plays == 2
    assert found.tried == {A1, A2, B1, C1}
    assert not found.culprits


def test_nothing_to_try_is_no_play() -> None:
    assert search(green)[1] == []


def test_a_masked_switch_gets_a_play_of_its_own() -> None:
    found, played = search(green, A1, B1, C1, masks={"a1": "b"})
    assert played == [(A1, B1, C1), (B1,)]
    assert found.tried == {A1, B1, C1}
    assert found.unreached == ()


def test_what_no_play_comes_to_is_told() -> None:
    found, _ = search(green, A1, B1, masks={"a1": "b", "b1": "b"})
    assert found.unreached == (B1,)
    assert found.tried == {A1}


@pytest.mark.parametrize("word", ["red", "moot"])
def test_a_red_bundle_is_halved_to_the_switch(word: Standing) -> None:
    found, played = search(lambda on: "c1" in on, A1, B1, C1, D1, word=word)
    assert culprits(found) == [(C1,)]
    assert found.tried == {A1, B1, C1, D1}
    assert played == [(A1, B1, C1, D1), (A1, B1), (C1, D1), (C1,), (D1,)]


def test_two_culprits_are_two() -> None:
    found, _ = search(lambda on: bool(on & {"a1", "d1"}), A1, B1, C1, D1)
    assert culprits(found) == [(A1,), (D1,)]


def test_a_switch_that_hides_a_red_one_is_no_excuse() -> None:
    found, _ = search(lambda on: "b1" in on, A1, B1, masks={"a1": "b"})
    assert culprits(found) == [(B1,)]


def test_switches_that_are_red_together_are_as_few_as_will_do() -> None:
    found, _ = search(lambda on: {"a1", "c1"} <= on, A1, B1, C1, D1)
    assert culprits(found) == [(A1, C1)]


def mixed(bundle: Bundle) -> Seen[None]:
    """Moot with a1, but red as soon as b1 and c1 meet, whatever else there is."""
    values = {one.name + str(one.value) for one in bundle}
    standing: Standing = "moot" if "a1" in values else "green"
    if {"b1", "c1"} <= values:
        standing = "red"
    return Seen(standing, frozenset("abcd"), None)


def test_what_is_moot_alone_does_not_hide_what_is_red_together() -> None:
    found = Search(mixed).run((A1, B1, C1, D1))
    shown = [(one.reading, one.seen.standing) for one in found.culprits]
    assert shown == [((A1,), "moot"), ((B1, C1), "red")]


def test_each_by_itself() -> None:
    played: list[Bundle] = []

    def play(bundle: Bundle) -> Seen[None]:
        played.append(bundle)
        return Seen("green", frozenset("abcd"), None)

    found = Search(play).run_each((A1, A2, B1))
    assert played == [(A1,), (A2,), (B1,)]
    assert found.tried == {A1, A2, B1}


def test_what_must_not_meet_is_kept_apart() -> None:
    apart = [frozenset({"a=1", "b=1"})]
    assert bundles((A1, B1, C1), apart) == [(A1, C1), (B1,)]
