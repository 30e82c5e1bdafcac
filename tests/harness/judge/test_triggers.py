"""What tells a controller that a close is due: one transcript per signal.

Each script ends with a close 100 s after the signal, which is too late for every
signal; so LATE, the trigger's name and its requirement show that it was recognised.
"""

from collections.abc import Callable

import pytest

from harness.judge import Judgement, Settlement

Play = Callable[..., Judgement]

OPEN = """
0     said welcome 1:A:open:1000 2:A:open:7000
1     tap Ada visa
1.1   > CC 02 3C 36 40 : Auth Session
2     store opened 66 5000 visa
2     < AA 06 3C 31 00 00 00 42 5F : Session Approved session_id=66
"""
PLUGGED = (
    OPEN
    + """
10    plug Ada 1
10    said plug 1 B
"""
)
CHARGING = (
    PLUGGED
    + """
11    order close 1
11    said contactor 1 closed
12    said plug 1 C
22    said meter 1 1020 11000
"""
)
OK = "< AA 03 3C 00 00 E9 : Result result=0"


def released(at: float) -> str:
    return f"""
{at} > CC 06 3C 33 00 00 00 42 83 : Void Session session_id=66
{at} store cancelled 66 0
{at} {OK}
{at} order show released
"""


def committed(at: float, amount: int) -> str:
    return f"""
{at} > CC 0A 3C 35 : Commit Session session_id=66 amount_minor={amount}
{at} store committed 66 {amount}
{at} {OK}
"""


def settled(judgement: Judgement) -> tuple[Settlement, str, tuple[str, ...]]:
    (verdict,) = judgement.sessions
    return verdict.settlement, verdict.trigger, verdict.requirements


SIGNALS_BEFORE_ENERGY = [
    ("100 said plug 1 A", "vehicle unplugged", "R-SES-14"),
    ("100 said fault 1 GroundFailure on", "charger fault", "R-NOS-04"),
    ("100 said fault null InternalError on", "charger fault", "R-NOS-04"),
    ("100 said estop on", "emergency stop", "R-FLT-03"),
    ("100 said plug 1 E", "pilot error", "R-FLT-03"),
    ("100 said plug 1 D", "pilot error", "R-FLT-03"),
    ("100 said press 1 cancel", "driver pressed cancel", "R-NOS-03"),
    ("99 press Ada 1 stop\n100 said press 1 stop", "driver pressed cancel", "R-NOS-03"),
    ("100 said rejected 1 contactor", "charger rejected the start", "R-NOS-04"),
    ("100 said available 1 no", "connector out of service", "R-NOS-04"),
]


@pytest.mark.parametrize(("signal", "trigger", "requirement"), SIGNALS_BEFORE_ENERGY)
def test_before_energy(play: Play, signal: str, trigger: str, requirement: str) -> None:
    judgement = play(f"{PLUGGED}\n{signal}\n{released(200)}")
    settlement, seen, requirements = settled(judgement)
    assert (settlement, seen) == (Settlement.LATE, trigger)
    assert requirement in requirements


STOP = "100 said contactor 1 open\n100 said meter 1 1200 0"
SIGNALS_AFTER_ENERGY = [
    ("100 said plug 1 A", "vehicle unplugged", "R-STP-01"),
    ("100 said fault 1 OverVoltage on", "charger fault", "R-FLT-03"),
    ("100 said estop on", "emergency stop", "R-STP-02"),
    ("100 said plug 1 F", "pilot error", "R-FLT-03"),
    ("100 said plug 1 B", "parked-full window over", "R-STP-10"),
    ("", "charge ended", "R-SES-03"),
]


@pytest.mark.parametrize(("signal", "trigger", "requirement"), SIGNALS_AFTER_ENERGY)
def test_after_energy(play: Play, signal: str, trigger: str, requirement: str) -> None:
    judgement = play(f"{CHARGING}\n{STOP}\n{signal}\n{committed(200, 10)}")
    assert settled(judgement) == (Settlement.LATE, trigger, (requirement,))


HARMLESS_SIGNALS = [
    "100 said fault 1 ReaderFailure on",
    "100 said fault 2 GroundFailure on",
    "100 said fault 1 GroundFailure on\n102 said fault 1 GroundFailure off",
    "100 said plug 1 A\n101 said plug 1 B\n102 said plug 1 A\n103 said plug 1 B",
    "100 said plug 1 E\n102 said plug 1 B",
    "100 said press 2 cancel",
    "100 press Bob 1 cancel\n100 said press 1 cancel",
    "100 said press 1 start",
    "100 said rejected 1 other",
    "100 said available 2 no",
    "100 said bay 1 full",
    "100 said lock 1 x",
    "100 said plug null B",
]


@pytest.mark.parametrize("signal", HARMLESS_SIGNALS)
def test_what_is_no_reason_to_close(play: Play, signal: str) -> None:
    judgement = play(f"{PLUGGED}\n{signal}\n{released(312)}")
    assert settled(judgement) == (Settlement.CLOSED, "no-energy window over", ())


RESUMED = """
100   said contactor 1 open
100   said meter 1 1200 0
{signal}
110   said contactor 1 closed
111   said meter 1 1210 11000
500   said contactor 1 open
500   said meter 1 2000 0
500   said plug 1 A
"""


@pytest.mark.parametrize(
    "signal",
    [
        "100 said fault 1 GroundFailure on\n102 said fault 1 GroundFailure off",
        "100 said estop on\n102 said estop off",
        "100 said plug 1 F\n102 said plug 1 C",
        "100 said plug 1 A\n102 said plug 1 B\n103 said plug 1 C",
        "100 said plug 1 B\n104 said plug 1 C",
    ],
)
def test_a_charge_that_goes_on_is_one_session(play: Play, signal: str) -> None:
    script = CHARGING + RESUMED.format(signal=signal) + committed(501, 50)
    judgement = play(script)
    assert settled(judgement) == (Settlement.CLOSED, "vehicle unplugged", ())
    assert judgement.sessions[0].expected_minor == (50, 50)


def test_the_plug_in_window_ends_where_it_was_promised(play: Play) -> None:
    late = play(OPEN + released(370), timing={"plug_in_window": 300})
    assert settled(late) == (Settlement.LATE, "plug-in window over", ("R-NOS-02",))
    fine = play(OPEN + released(370), timing={"plug_in_window": 365})
    assert settled(fine)[0] is Settlement.CLOSED


def test_the_no_energy_window_runs_from_the_plug(play: Play) -> None:
    script = PLUGGED + "\n11 said contactor 1 closed\n11.5 said contactor 1 closed"
    late = play(script + "\n373 said contactor 1 open" + released(373))
    assert settled(late)[:2] == (Settlement.LATE, "no-energy window over")
    fine = play(script + "\n371 said contactor 1 open" + released(371))
    assert settled(fine)[0] is Settlement.CLOSED


def test_a_charger_lost_while_perhaps_charging_has_its_own_window(play: Play) -> None:
    script = f"""{PLUGGED}
11   said contactor 1 closed
12   link bay down cut
{released(620)}
"""
    judgement = play(script)
    settlement, trigger, _ = settled(judgement)
    assert (settlement, trigger) == (Settlement.CLOSED, "charger-loss window over")


def test_a_lost_charger_is_given_up_after_the_declared_time(play: Play) -> None:
    lost = f"{CHARGING}\n100 link bay down cut"
    late = play(lost + committed(770, 1))
    assert settled(late)[:2] == (Settlement.LATE, "charger-loss window over")
    assert settled(late)[2] == ("R-FLT-01", "R-FLT-06")
    fine = play(lost + committed(710, 1))
    assert settled(fine)[0] is Settlement.CLOSED


def test_a_link_that_comes_back_is_no_reason_to_stop(play: Play) -> None:
    script = f"""{CHARGING}
100 link bay down cut
300 link bay up
300 said welcome 1:C:closed:2000 2:A:open:7000
400 said contactor 1 open
400 said meter 1 2500 0
400 said plug 1 A
{committed(401, 75)}
"""
    assert settled(play(script)) == (Settlement.CLOSED, "vehicle unplugged", ())


def test_what_a_welcome_brings_counts_from_the_welcome(play: Play) -> None:
    script = f"""{CHARGING}
100 link bay down cut
300 link bay up
300 said welcome 1:A:open:2000 2:A:open:7000
{committed(301, 50)}
"""
    judgement = play(script)
    assert settled(judgement)[:2] == (Settlement.CLOSED, "vehicle unplugged")
    assert judgement.sessions[0].known_at_ms == 300_000


def test_a_restarted_charger_may_resume_for_as_long_as_a_lost_one(play: Play) -> None:
    script = f"""{CHARGING}
100 link bay down cut
130 link bay up
130 said welcome 1:C:open:1600 2:A:open:7000
330 order close 1
330 said contactor 1 closed
400 said contactor 1 open
400 said meter 1 2000 0
400 said plug 1 A
{committed(401, 50)}
"""
    assert settled(play(script)) == (Settlement.CLOSED, "vehicle unplugged", ())


PARKED = OPEN.replace("1     tap", "0.5 park Ada 1\n0.6 said bay 1 full\n1 tap")


def test_an_empty_bay_ends_the_wait_where_a_sensor_is_claimed(play: Play) -> None:
    script = f"{PARKED}\n50 said bay 1 empty\n{released(150)}"
    with_sensor = play(script, claims={"bay_sensor": True})
    assert settled(with_sensor) == (Settlement.LATE, "bay empty", ("R-SES-14",))
    assert settled(play(script)) == (Settlement.CLOSED, "", ())


@pytest.mark.parametrize(
    "signal",
    [
        "50 said bay 1 empty\n52 said bay 1 full",
        "50 said plug 1 B\n51 said bay 1 empty",
    ],
)
def test_a_flickering_sensor_is_outranked(play: Play, signal: str) -> None:
    script = f"{PARKED}\n{signal}\n{released(302)}"
    judgement = play(script, claims={"bay_sensor": True})
    assert settled(judgement)[0] is Settlement.CLOSED
    assert settled(judgement)[1] != "bay empty"


def test_a_bay_that_was_empty_before_is_no_news(play: Play) -> None:
    before = "0.1 said bay 1 empty\n0.2 said bay 1 full\n0.3 said bay 1 empty"
    script = PARKED.replace("0.6", f"{before}\n0.6") + released(303)
    judgement = play(script, claims={"bay_sensor": True})
    assert settled(judgement)[1] == "plug-in window over"


def test_leaving_before_the_approval_is_known_at_the_approval(play: Play) -> None:
    script = PARKED.replace("2     store", "1.5 said bay 1 empty\n2     store")
    judgement = play(script + released(150), claims={"bay_sensor": True})
    assert settled(judgement)[:2] == (Settlement.LATE, "bay empty")
    assert judgement.sessions[0].known_at_ms == 2_000


TAP_AGAIN = """
100   tap Ada visa
100.2 < AA 2F 3C 34 2C : Card Read
"""


def test_the_card_that_comes_back_stops_its_charge(play: Play) -> None:
    script = (
        f"{CHARGING}{TAP_AGAIN}\n201 said contactor 1 open\n201 said meter 1 1200 0"
    )
    judgement = play(script + committed(202, 10))
    assert settled(judgement) == (Settlement.LATE, "tap to stop", ("R-STP-03",))


@pytest.mark.parametrize(
    ("tap", "claims"),
    [
        (TAP_AGAIN, {"stop": ["unplug"]}),
        (TAP_AGAIN, {"same_card_twice": "allow"}),
        (TAP_AGAIN.replace("visa", "wallet"), {}),
        ("100 tap Ada visa", {}),
        ("100 tap Ada visa\n101 tap Bob amex\n102 < AA 03 : Card Read", {}),
    ],
)
def test_a_tap_that_stops_nothing(
    play: Play, tap: str, claims: dict[str, object]
) -> None:
    script = f"{CHARGING}\n{tap}\n300 said contactor 1 open\n300 said meter 1 1200 0"
    script += f"\n300 said plug 1 A{committed(301, 10)}"
    assert settled(play(script, claims=claims))[1] == "vehicle unplugged"


def test_an_approval_later_than_any_limit_is_released_at_once(play: Play) -> None:
    script = OPEN.replace("\n2 ", "\n40 ")
    judgement = play(script + released(75), claims={"terminal": "p6x"})
    assert settled(judgement) == (
        Settlement.LATE,
        "late or surplus approval",
        ("R-SES-11",),
    )
    assert settled(play(script + released(342)))[1] == "plug-in window over"


def test_a_second_session_for_one_call_is_released_at_once(play: Play) -> None:
    script = f"""{OPEN}
2 store opened 67 5000 visa
2 < AA 06 3C 31 00 00 00 43 60 : Session Approved session_id=67
50 > CC 06 3C 33 00 00 00 43 84 : Void Session session_id=67
50 store cancelled 67 0
50 {OK}
{released(302)}
"""
    judgement = play(script)
    assert [s.settlement for s in judgement.sessions] == [
        Settlement.CLOSED,
        Settlement.LATE,
    ]
    assert judgement.sessions[1].requirements == ("R-SES-11",)


def test_a_press_while_authorising_counts_from_the_approval(play: Play) -> None:
    script = OPEN.replace("2     store", "1.5 said press 1 cancel\n2     store")
    judgement = play(script + released(33))
    assert settled(judgement)[:2] == (Settlement.LATE, "driver pressed cancel")
    assert judgement.sessions[0].known_at_ms == 2_000


def test_with_a_free_connector_a_fault_is_no_reason_to_close(play: Play) -> None:
    one = "100 said fault 1 GroundFailure on"
    script = f"{OPEN}\n{one}{released(302)}"
    assert settled(play(script))[1] == "plug-in window over"
    both = play(f"{OPEN}\n{one}\n110 said available 2 no{released(200)}")
    assert settled(both)[:2] == (Settlement.LATE, "charger fault")
    assert both.sessions[0].known_at_ms == 110_000


def test_an_outage_ends_no_running_charge(play: Play) -> None:
    script = f"""{CHARGING}
100 said available 1 no
500 said contactor 1 open
500 said meter 1 3000 0
500 said plug 1 A
{committed(501, 100)}
"""
    assert settled(play(script))[:2] == (Settlement.CLOSED, "vehicle unplugged")


def test_faults_in_a_welcome_are_facts(play: Play) -> None:
    script = f"""{PLUGGED}
50  link bay down cut
80  link bay up
80  said welcome 1:B:open:1000:GroundFailure:WeakSignal 2:A:open:7000
{released(200)}
"""
    judgement = play(script)
    assert settled(judgement)[:2] == (Settlement.LATE, "charger fault")
    healed = f"""{PLUGGED}
50  link bay down cut
80  link bay up
80  said welcome 1:B:open:1000:GroundFailure 2:A:open:7000
85  link bay down cut
90  link bay up
90  said welcome 1:B:open:1000 2:A:open:7000
{released(312)}
"""
    assert settled(play(healed)) == (Settlement.CLOSED, "no-energy window over", ())


def test_a_station_that_was_stopped_before_the_approval(play: Play) -> None:
    script = OPEN.replace("1     tap", "0.5 said estop on\n1 tap")
    assert settled(play(script + released(100)))[1] == "emergency stop"
    freed = OPEN.replace("1     tap", "0.5 said estop on\n0.6 said estop off\n1 tap")
    assert settled(play(freed + released(302)))[1] == "plug-in window over"


def test_a_sensor_that_was_wrong_before_the_approval(play: Play) -> None:
    """Empty at 0.7, full again long before the approval at 100: no news."""
    script = PARKED.replace("1 tap", "0.7 said bay 1 empty\n80 said bay 1 full\n90 tap")
    script = script.replace("1.1   >", "99 >").replace("\n2 ", "\n100 ")
    judgement = play(script + released(401), claims={"bay_sensor": True})
    assert settled(judgement)[1] == "plug-in window over"


def test_a_welcome_may_bring_an_emergency_stop_and_leave_much_out(play: Play) -> None:
    rows = '[{"connector":1,"pilot":"B","energy_wh":1000},{"pilot":"A"}]'
    line = '{"type":"welcome","emergency_stop":true,"connectors":' + rows + "}"
    record = '{"kind":"bay","direction":"%s","fate":"%s","line":%s}'
    arrived = record % ("to_controller", "delivered", line)
    judgement = play(f"{PLUGGED}\n100 json '{arrived}'{released(200)}")
    assert settled(judgement)[:2] == (Settlement.LATE, "emergency stop")
    lost = record % ("to_controller", "lost", line)
    unheard = play(f"{PLUGGED}\n100 json '{lost}'{released(312)}")
    assert settled(unheard)[1] == "no-energy window over"
    nowhere = record % ("to_charger", "delivered", '{"type":"contactor","close":true}')
    assert play(f"100 json '{nowhere}'").green


def test_known_faults_are_no_news_in_a_welcome(play: Play) -> None:
    welcome = "said welcome 1:B:open:1000:GroundFailure 2:A:open:7000"
    script = f"{PLUGGED}\n80 {welcome}\n90 {welcome}{released(200)}"
    judgement = play(script)
    assert judgement.sessions[0].known_at_ms == 80_000
    assert settled(judgement)[1] == "charger fault"


def test_a_pilot_that_never_asks_for_energy(play: Play) -> None:
    script = f"{PLUGGED}\n11 said contactor 1 closed\n12 said plug 1 B"
    late = play(f"{script}\n380 said contactor 1 open{released(380)}")
    assert settled(late)[:2] == (Settlement.LATE, "no-energy window over")
