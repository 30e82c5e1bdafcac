"""A watched profile answers like the plain one and notes what it is asked for."""

import pytest

from wire.cps import Policy, WatchedPolicy
from wire.psp import (
    PROFILE_SWITCHES,
    Direction,
    Family,
    Name,
    Profile,
    Reading,
    WatchedProfile,
    decode,
    encode,
    message,
)
from wire.psp.frame import Block

OK = message(Name.RESULT, result=0)


@pytest.fixture
def watched() -> WatchedProfile:
    return WatchedProfile(Profile(result_size=1))


def test_it_answers_like_the_plain_one(watched: WatchedProfile) -> None:
    plain = watched.plain()
    assert plain == Profile(result_size=1)
    for name in PROFILE_SWITCHES:
        assert getattr(watched, name) == getattr(plain, name)
    assert watched.consulted == set(PROFILE_SWITCHES)


def test_only_what_is_asked_for_is_noted(watched: WatchedProfile) -> None:
    assert watched.consulted == set()
    assert watched.deviations() == {"result_size": 1}
    assert Reading(profile=watched) == Reading(profile=Profile(result_size=1))
    assert len({watched, Policy(), WatchedProfile(Profile())}) == 3
    assert watched.consulted == set()
    assert watched.commit_zero == "accept"
    assert watched.consulted == {"commit_zero"}


def test_a_plain_profile_takes_no_notes() -> None:
    plain = Profile()
    plain.note(["commit_zero"])
    assert plain.plain() is plain


def test_a_policy_is_watched_the_same_way() -> None:
    policy = WatchedPolicy(Policy(bad_key=403))
    assert policy.bad_key == 403
    assert not policy.offers("E14")
    assert policy.consulted == {"bad_key", "update_call"}


@pytest.mark.parametrize("times", [1, 2])
def test_a_cached_message_notes_its_switches_too(times: int) -> None:
    """The plain reading fills the caches first; every play must note the same."""
    encode(OK, Direction.TO_HOST, Reading())
    for _ in range(times):
        profile = WatchedProfile(Profile())
        reading = Reading(profile=profile)
        encode(OK, Direction.TO_HOST, reading)
        assert profile.consulted == {"result_size"}
        decode(Block(0x35, bytes(8), b""), Direction.TO_TERMINAL, reading)
        assert profile.consulted == {"result_size", "commit_order"}


@pytest.mark.parametrize(("size", "asks"), [(200, False), (247, True)])
def test_a_long_block_asks_for_the_limit(size: int, *, asks: bool) -> None:
    profile = WatchedProfile(Profile())
    words = message(Name.CARD_READ, data=((0xDFCA09, bytes(size)),))
    reading = Reading(family=Family.P6X, profile=profile)
    encode(words, Direction.TO_HOST, reading)
    assert ("frame_limit_bytes" in profile.consulted) is asks


@pytest.mark.parametrize("name", PROFILE_SWITCHES)
def test_what_is_played_is_allowed_and_not_the_default(name: str) -> None:
    switch = PROFILE_SWITCHES[name]
    assert bool(switch.others) is not bool(switch.agreed)
    for value in switch.others:
        assert value in switch.allowed
        assert value != switch.default
