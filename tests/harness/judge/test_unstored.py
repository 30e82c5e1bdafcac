"""What a controller heard as it died is not held against it."""

from collections.abc import Callable

from harness.judge import Expectations, Judgement, Settlement
from tests.harness.judge.test_triggers import CHARGING, OK, OPEN, committed, released

Play = Callable[..., Judgement]

DIES = """
10     plug Ada 1
10     said plug 1 B
10.001 life killed
10.001 link bay down death
"""
LIVES = """
70     life started
70     link bay up
70     said welcome 1:A:open:1000 2:A:open:7000
70.1   life ready
"""


def test_a_vehicle_seen_at_the_last_moment_may_not_be_known(play: Play) -> None:
    script = f"{OPEN}{DIES}60 leave Ada 1\n{LIVES}{released(371)}"
    assert play(script).green
    spoken = script.replace("10.001 life", "10 order show hello\n10.001 life")
    (verdict,) = play(spoken).sessions
    assert (verdict.settlement, verdict.trigger) == (
        Settlement.LATE,
        "vehicle unplugged",
    )


UNHEARD = """
10     plug Ada 1
10     said plug 1 B
11     order close 1
11.1   link bay down death
11.1   life killed
60     leave Ada 1
70     life started
70     link bay up
70     said welcome 1:A:open:1020 2:A:open:7000
70.1   life ready
"""


def test_energy_that_only_the_registers_show_may_be_billed_or_not(play: Play) -> None:
    assert play(f"{OPEN}{UNHEARD}{released(72)}").green
    assert play(f"{OPEN}{UNHEARD}{committed(72, 1)}").green
    (verdict,) = play(f"{OPEN}{UNHEARD}{committed(72, 2)}").sessions
    assert verdict.settlement is Settlement.WRONG_AMOUNT


def test_without_an_order_no_register_is_billed(play: Play) -> None:
    script = f"{OPEN}{UNHEARD}{committed(72, 1)}".replace("11     order close 1\n", "")
    (verdict,) = play(script).sessions
    assert verdict.settlement is Settlement.WRONG_AMOUNT


RAISED = """
100    > CC 01 3C 41 : Update Session session_id=66 amount_minor=9000
101    store updated 66 9000
101    < AA 01 3C 43 : Update Session Result session_id=66 amount_minor=9000
101.1  life killed
110    life started
110.1  life ready
200    said meter 1 1030 11000
201    said contactor 1 open
201    said meter 1 1030 0
201    said plug 1 A
"""


def test_a_raise_whose_answer_died_need_not_be_known(play: Play) -> None:
    dear = {"per_kwh": 300_000}
    script = f"{CHARGING}{RAISED}{{}}"

    def settlement(script: str, amount: int, terminal: str = "apollo") -> Settlement:
        judgement = play(
            script.format(committed(203, amount)),
            tariff=dear,
            claims={"terminal": terminal},
        )
        return judgement.sessions[0].settlement

    assert settlement(script, 5000) is Settlement.CLOSED
    assert settlement(script, 9000) is Settlement.CLOSED
    assert settlement(script, 8000) is Settlement.WRONG_AMOUNT
    told = script.replace("101.1  life", "101    order show more\n101.1  life", 1)
    assert settlement(told, 5000) is Settlement.WRONG_AMOUNT
    assert settlement(script, 5000, "p6x") is Settlement.WRONG_AMOUNT


FIRST_LOST = """
2.001  life killed
5      life started
5.1    life ready
5.2    order alarm unknown_outcome
20     tap Ada visa
20.1   > CC 02 3C 36 40 : Auth Session
21     store opened 67 5000 visa
21     < AA 06 3C 31 00 00 00 43 5E : Session Approved session_id=67
22     plug Ada 1
22     said plug 1 C
23     order close 1
23     said contactor 1 closed
33     said meter 1 1020 11000
43     said contactor 1 open
43     said meter 1 1040 0
43     said plug 1 A
45     > CC 0A 3C 35 : Commit Session session_id=67 amount_minor=2
45     store committed 67 2
"""


def test_a_charge_rests_on_a_session_that_the_controller_knows(play: Play) -> None:
    script = f"{OPEN}{FIRST_LOST}45 {OK}"
    judgement = play(script, Expectations(allow_unknown=True))
    found = [verdict.settlement for verdict in judgement.sessions]
    assert found == [Settlement.UNKNOWN, Settlement.CLOSED]


TAPPED = """
30     link bay down cut
40     tap Ada visa
40.1   < AA 06 3C 34 : Card Read card_id=A1
100    link bay up
100    said welcome 1:C:closed:1040 2:A:open:7000
100    order open 1
100    said contactor 1 open
100    said meter 1 1040 0
"""


def test_a_stop_that_cannot_be_carried_out_waits_for_the_charger(play: Play) -> None:
    assert play(f"{CHARGING}{TAPPED}{committed(102, 2)}").green
    (late,) = play(f"{CHARGING}{TAPPED}{committed(180, 2)}").sessions
    assert (late.settlement, late.trigger) == (Settlement.LATE, "tap to stop")
    forever = TAPPED.split("100", maxsplit=1)[0]
    assert play(f"{CHARGING}{forever}{committed(632, 1)}").green
