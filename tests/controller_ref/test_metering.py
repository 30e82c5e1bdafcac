"""Which readings are believed."""

from hypothesis import given
from hypothesis import strategies as st

from controller_ref.metering import Reading, accrue, begin, skip, take
from controller_ref.session import Session
from controller_ref.transitions import State

MAX_POWER_W = 22_000


def charging(register_wh: int = 50_000) -> Session:
    session = Session(key=1, state=State.CHARGING)
    begin(session, register_wh, wall_ms=0)
    return session


def feed(session: Session, at_s: int, register_wh: int, power_w: int = 11_000) -> bool:
    reading = Reading(register_wh=register_wh, power_w=power_w, wall_ms=at_s * 1000)
    return take(session, reading, max_power_w=MAX_POWER_W)


@given(st.lists(st.integers(0, 61), max_size=30))
def test_plausible_steps_add_up(steps: list[int]) -> None:
    session, register = charging(), 50_000
    for number, step in enumerate(steps, start=1):
        register += step
        assert feed(session, number * 10, register)
    assert session.energy_wh == sum(steps)


@given(st.integers(200, 10**7), st.booleans())
def test_a_jump_and_a_fall_cost_nobody_anything(size: int, falls: bool) -> None:
    session, shift = charging(10**8), -size if falls else size
    for number in range(1, 13):
        moved = shift if number >= 6 else 0
        is_believed = feed(session, number * 10, 10**8 + number * 30 + moved, 10_800)
        assert is_believed is (number != 6)
    assert session.energy_wh == 12 * 30


def test_a_frozen_register_catches_up() -> None:
    session = charging()
    feed(session, 10, 50_030)
    for number in range(2, 30):
        assert feed(session, number * 10, 50_030)
    assert feed(session, 300, 50_900)
    assert session.energy_wh == 900


def test_a_pause_is_no_credit_for_a_jump() -> None:
    session = charging()
    feed(session, 10, 50_030)
    feed(session, 20, 50_060, power_w=0)
    feed(session, 7200, 50_060, power_w=0)
    assert not feed(session, 7210, 55_060)
    assert session.energy_wh < 120


def test_a_clock_that_went_back() -> None:
    session = charging()
    feed(session, 1000, 50_100)
    assert feed(session, 10, 50_200)
    assert not feed(session, 5, 50_100)
    assert session.energy_wh == 200


def test_energised_time() -> None:
    session = charging()
    session.energised_wall_ms = 1_000
    accrue(session, wall_ms=61_000, is_closed=True)
    accrue(session, wall_ms=71_000, is_closed=False)
    accrue(session, wall_ms=99_000, is_closed=False)
    assert session.energised_ms == 70_000
    session.energised_wall_ms = 90_000
    accrue(session, wall_ms=1_000, is_closed=True)
    assert session.energised_ms == 70_000


def test_time_that_nobody_can_prove_is_not_counted() -> None:
    session = charging()
    session.energised_wall_ms = 1_000
    accrue(session, wall_ms=61_000, is_closed=True)
    skip(session, wall_ms=3_661_000)
    accrue(session, wall_ms=3_671_000, is_closed=False)
    assert session.energised_ms == 70_000
    skip(session, wall_ms=4_000_000)
    accrue(session, wall_ms=5_000_000, is_closed=True)
    assert session.energised_ms == 70_000
