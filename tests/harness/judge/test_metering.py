"""Energy from a register that may lie, and the price of it."""

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge import Judgement, Settlement
from harness.judge.bay import Reading
from harness.judge.metering import Pace, climb
from harness.judge.promises import Prices
from harness.judge.tariff import price, rounded

Play = Callable[..., Judgement]
PACE = Pace(max_power_w=22_000)


def readings(*pairs: tuple[int, int]) -> list[Reading]:
    """(seconds, Wh) as good readings."""
    return [
        Reading(seq=n, t_ms=t * 1000, energy_wh=wh, power_w=0, good=True)
        for n, (t, wh) in enumerate(pairs)
    ]


def test_a_register_that_behaves() -> None:
    assert climb(readings((0, 100), (10, 150), (600, 3000)), PACE) == (2900, 2900)
    assert climb([], PACE) == (0, 0)


def test_a_jump_is_left_out_and_leaves_a_doubt() -> None:
    """10 s at 22 kW are 62 Wh at most, and 5 for the grain."""
    low, high = climb(readings((0, 0), (600, 3000), (610, 9000), (1200, 12_000)), PACE)
    assert (low, high) == (6000, 6067)


def test_a_reading_may_be_late_where_time_is_fast() -> None:
    """Ten seconds of 11 kW each; the third one came eight seconds late."""
    late = readings((0, 0), (10, 31), (28, 62), (30, 92), (40, 123))
    assert climb(late, PACE)[0] < 123
    fast = Pace(max_power_w=22_000, late_ms=19_000)
    assert climb(late, fast) == (123, 123)
    jump = readings((0, 0), (10, 31), (20, 5_062), (30, 5_092))
    assert climb(jump, fast)[0] < 500


def test_a_fall_is_left_out() -> None:
    low, high = climb(readings((0, 5000), (600, 8000), (610, 100), (1200, 3100)), PACE)
    assert (low, high) == (6000, 6067)


def test_one_wild_reading_changes_nothing() -> None:
    wild = readings((0, 0), (600, 3000), (610, 99_000), (620, 3100), (1200, 6000))
    assert climb(wild, PACE) == (6000, 6000)


def test_giving_up_at_a_jump_is_right_when_the_charge_ends_there() -> None:
    low, high = climb(readings((0, 0), (600, 3000), (610, 9000), (620, 9050)), PACE)
    assert (low, high) == (3000, 3117)


@given(st.lists(st.tuples(st.integers(1, 600), st.integers(0, 10**7)), max_size=12))
def test_the_range_is_never_upside_down(steps: list[tuple[int, int]]) -> None:
    t = 0
    pairs = []
    for wait, wh in steps:
        t += wait
        pairs.append((t, wh))
    low, high = climb(readings(*pairs), PACE)
    assert 0 <= low <= high


PRICES = Prices(per_kwh=59, per_minute=0, per_session=0, minimum=0, rounding="half_up")


@pytest.mark.parametrize(
    ("mode", "half", "less"),
    [("half_up", 3, 2), ("half_even", 2, 2), ("up", 3, 3), ("down", 2, 2), ("?", 3, 2)],
)
def test_rounding(mode: str, half: int, less: int) -> None:
    assert rounded(Fraction(5, 2), mode) == half
    assert rounded(Fraction(9, 4), mode) == less
    assert rounded(Fraction(7), mode) == 7


def test_half_even_rounds_to_the_even_side() -> None:
    assert rounded(Fraction(7, 2), "half_even") == 4


def test_prices_by_hand() -> None:
    """12.345 kWh at 0.59 are 7.28355; an hour at 0.10 a minute is 6.00."""
    assert price(PRICES, energy_wh=12_345, energised_ms=0) == 728
    full = Prices(
        per_kwh=59, per_minute=10, per_session=100, minimum=2000, rounding="up"
    )
    assert price(full, energy_wh=12_345, energised_ms=3_600_000) == 2000
    assert price(full, energy_wh=20_345, energised_ms=3_600_000) == 1901 + 99
    assert price(full, energy_wh=0, energised_ms=90_000) == 15
    assert price(PRICES, energy_wh=0, energised_ms=90_000) == 0


# --- In a transcript ------------------------------------------------------------

CHARGING = """
0     said welcome 1:A:open:1000
1     tap Ada visa
1.1   > CC 02 3C 36 40 : Auth Session
2     store opened 66 5000 visa
2     < AA 06 3C 31 00 00 00 42 5F : Session Approved session_id=66
10    plug Ada 1
10    said plug 1 B
11    order close 1
11    said contactor 1 closed
12    said plug 1 C
600   said meter 1 3000 11000
"""


def committed(at: float, amount: int) -> str:
    return f"""
{at} > CC 0A : Commit Session session_id=66 amount_minor={amount}
{at} store committed 66 {amount}
{at} < AA 03 3C 00 00 E9 : Result result=0
"""


def expected(judgement: Judgement) -> tuple[int, int] | None:
    return judgement.sessions[0].expected_minor


END = """
1200 said contactor 1 open
1200 said meter 1 5000 0
1200 said plug 1 A
"""


def test_what_is_not_a_number_is_no_reading(play: Play) -> None:
    noise = "1100 said meter 1 NaN\n1101 said meter 1 -5\n1102 said meter 1 true"
    judgement = play(f"{CHARGING}\n{noise}{END}{committed(1201, 200)}")
    assert judgement.green, judgement.findings
    assert expected(judgement) == (200, 200)


def test_suspect_readings_are_skipped(play: Play) -> None:
    end = END.replace("5000 0", "9000 0 suspect")
    judgement = play(f"{CHARGING}{end}{committed(1201, 100)}")
    assert judgement.green, judgement.findings


def test_a_meter_fault_leaves_the_last_trusted_reading(play: Play) -> None:
    fault = "700 said meter 1 3500 0\n700 said fault 1 PowerMeterFailure on"
    end = "\n710 said contactor 1 open\n710 said meter 1 3540 0\n"
    judgement = play(f"{CHARGING}\n{fault}{end}{committed(711, 125)}")
    assert expected(judgement) == (125, 127)
    assert judgement.green, judgement.findings


def test_a_welded_contactor_does_not_hold_up_the_close(play: Play) -> None:
    weld = "700 said meter 1 3500 11000\n700 order open 1\n720 said meter 1 3600 11000"
    judgement = play(f"{CHARGING}\n700 said plug 1 B\n{weld}{committed(730, 130)}")
    assert expected(judgement) == (125, 130)
    assert judgement.settlement is Settlement.CLOSED


def test_with_the_link_down_the_last_register_counts(play: Play) -> None:
    lost = "700 link bay down cut"
    back = "2000 link bay up\n2000 said welcome 1:A:open:9000"
    judgement = play(f"{CHARGING}\n{lost}{committed(1310, 100)}\n{back}")
    assert judgement.green, judgement.findings
    back = "1250 link bay up\n1250 said welcome 1:A:open:5000"
    waited = play(f"{CHARGING}\n{lost}\n{back}{committed(1251, 200)}")
    assert waited.green, waited.findings


def test_what_flowed_before_the_welcome_that_showed_a_closed_contactor(
    play: Play,
) -> None:
    """Ordered, then the link went down: the register before the order was known."""
    lost = "11 link bay down cut\n60 link bay up\n60 said welcome 1:C:closed:1200"
    script = CHARGING.replace("11    said contactor 1 closed", lost)
    script = script.replace("12    said plug 1 C\n", "")
    for amount in (190, 200):
        judgement = play(f"{script}{END}{committed(1201, amount)}")
        assert expected(judgement) == (190, 200)
        assert judgement.green, judgement.findings


def test_without_any_start_register_the_first_reading_counts(play: Play) -> None:
    script = CHARGING.replace("0     said welcome 1:A:open:1000\n", "")
    judgement = play(f"{script}{END}{committed(1201, 100)}")
    assert expected(judgement) == (100, 100)


MINUTES = {"per_minute": 60, "per_kwh": 0}


def test_energised_time_is_billed_with_one_unit_of_tolerance(play: Play) -> None:
    judgement = play(f"{CHARGING}{END}{committed(1201, 1190)}", tariff=MINUTES)
    assert expected(judgement) == (1188, 1190)
    assert judgement.green, judgement.findings


def test_an_outage_hides_when_energy_ended(play: Play) -> None:
    lost = "700 link bay down cut\n1250 link bay up\n1250 said welcome 1:A:open:5000"
    judgement = play(f"{CHARGING}\n{lost}{committed(1251, 689)}", tariff=MINUTES)
    assert expected(judgement) == (688, 1240)
    open_end = play(
        f"{CHARGING}\n700 link bay down cut{committed(1310, 689)}", tariff=MINUTES
    )
    assert expected(open_end) == (688, 1300)
    live = play(f"{CHARGING}\n900 order open 1{committed(911, 900)}", tariff=MINUTES)
    assert expected(live) == (899, 901)


def test_a_fee_for_time_alone_may_be_waived(play: Play) -> None:
    script = CHARGING.replace("3000 11000", "1000 0")
    end = END.replace("5000 0", "1000 0")
    judgement = play(f"{script}{end}{committed(1201, 1189)}", tariff=MINUTES)
    assert expected(judgement) == (0, 1190)


def test_a_second_charge_on_the_connector_is_another_matter(play: Play) -> None:
    again = "\n2000 said contactor 1 closed\n2300 said meter 1 6000 11000"
    again += "\n2400 said contactor 1 open"
    judgement = play(f"{CHARGING}{END}{committed(1201, 200)}{again}")
    assert expected(judgement) == (200, 200)
    assert [f.requirement for f in judgement.findings] == ["R-NOS-05"]


def test_a_charge_that_goes_on_after_the_close_is_not_billed(play: Play) -> None:
    again = "\n1300 said contactor 1 closed\n1400 said contactor 1 open"
    again += "\n1400 said meter 1 5500 0"
    first = END.replace("1200 said plug 1 A\n", "")
    refused = "1201 > CC 0A : Commit Session session_id=66 amount_minor=200"
    later = committed(1500, 200)
    judgement = play(f"{CHARGING}{first}\n{refused}{again}{later}")
    assert expected(judgement) == (200, 200)
