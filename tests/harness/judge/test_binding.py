"""Whose session pays at which connector, when people make it hard to tell."""

from collections.abc import Callable

import pytest

from harness.judge import Judgement, Settlement
from harness.judge.binding import confusable
from harness.judge.facts import Act, At
from harness.judge.sessions import Session

Play = Callable[..., Judgement]

OPEN = """
0     said welcome 1:A:open:1000 2:A:open:7000
1     tap Ada visa
2     store opened 66 5000 visa
2     < AA 06 3C 31 00 00 00 42 5F : Session Approved session_id=66
"""
OK = "< AA 03 3C 00 00 E9 : Result result=0"


def released(at: float, psp_id: int = 66) -> str:
    return f"""
{at} > CC 06 3C 33 : Void Session session_id={psp_id}
{at} store cancelled {psp_id} 0
{at} {OK}
{at} order show released
"""


def committed(at: float, amount: int, psp_id: int = 66) -> str:
    return f"""
{at} > CC 0A 3C 35 : Commit Session session_id={psp_id} amount_minor={amount}
{at} store committed {psp_id} {amount}
{at} {OK}
"""


def charge(start: float, end: float, final_wh: int) -> str:
    return f"""
{start} said plug 1 B
{start} said contactor 1 closed
{start} said plug 1 C
{end} said contactor 1 open
{end} said meter 1 {final_wh} 0
{end} said plug 1 A
"""


def test_without_people_the_oldest_session_pays(play: Play) -> None:
    script = OPEN.replace("1     tap Ada visa\n", "") + charge(10, 1200, 5000)
    judgement = play(script + committed(1201, 200))
    assert judgement.green, judgement.findings
    assert (judgement.sessions[0].connector, judgement.sessions[0].driver) == (1, None)


def test_a_session_that_never_charged_is_looked_for_at_the_plugs(play: Play) -> None:
    two = "5 said plug 2 B\n6 said plug 1 B"
    judgement = play(f"{OPEN}\n{two}{released(306)}")
    assert judgement.sessions[0].connector == 2
    nowhere = play(OPEN + released(302))
    assert nowhere.sessions[0].connector is None
    later = play(f"{OPEN}{released(302)}\n400 said plug 1 B")
    assert later.sessions[0].connector is None


def test_a_connector_where_somebody_else_charges_is_taken(play: Play) -> None:
    other = """
0.1   store opened 65 5000 amex
0.1   < AA 06 : Session Approved session_id=65
0.2   said plug 1 B
0.3   said contactor 1 closed
"""
    body = OPEN.split("2:A:open:7000")[1]
    script = f"0 said welcome 1:A:open:1000 2:A:open:7000{other}{body}\n3 said plug 2 B"
    judgement = play(script + released(303))
    assert judgement.sessions[1].connector == 2


def test_a_vehicle_that_was_swapped_needs_a_new_authorisation(play: Play) -> None:
    swap = "1210 plug Bob 1\n"
    first = "9 plug Ada 1\n" + charge(10, 1200, 5000) + "1200 unplug Ada 1\n"
    script = OPEN + first + swap + charge(1211, 1300, 5200) + committed(1301, 200)
    judgement = play(script)
    assert "R-NOS-05" in {f.requirement for f in judgement.findings}


def test_the_same_driver_may_plug_in_again(play: Play) -> None:
    again = "1210 plug Ada 1\n"
    first = "9 plug Ada 1\n" + charge(10, 1200, 5000) + "1200 unplug Ada 1\n"
    script = OPEN + first + again + charge(1211, 1300, 5200) + committed(1301, 210)
    judgement = play(script)
    assert judgement.green, judgement.findings


def test_the_connector_chosen_on_the_screen_is_the_sessions(play: Play) -> None:
    """Paid for 1, plugged in at 2: the plug at 2 is no business of this session."""
    chosen = OPEN.replace(
        "1     tap", "0.5 press Ada 1 start\n0.6 said press 1 start\n1 tap"
    )
    plugged = "5 plug Ada 2\n5 said plug 2 B\n50 unplug Ada 2\n50 said plug 2 A"
    judgement = play(f"{chosen}\n{plugged}{released(302)}")
    assert judgement.sessions[0].settlement is Settlement.CLOSED
    assert judgement.sessions[0].trigger == "plug-in window over"
    by_plug = play(f"{OPEN}\n{plugged}{released(302)}")
    assert by_plug.sessions[0].settlement is Settlement.LATE


def test_a_plug_after_the_choice_outranks_an_older_press(play: Play) -> None:
    chosen = OPEN.replace("1     tap", "0.5 press Ada 2 start\n0.7 plug Ada 1\n1 tap")
    judgement = play(f"{chosen}\n3 said plug 1 B{released(303)}")
    assert judgement.sessions[0].connector == 1


def test_a_stop_pressed_before_is_no_choice(play: Play) -> None:
    chosen = OPEN.replace("1     tap", "0.5 press Ada 2 stop\n1 tap")
    judgement = play(chosen + released(302))
    assert judgement.sessions[0].connector is None


def test_a_plug_that_was_pulled_before_does_not_count(play: Play) -> None:
    before = OPEN.replace("1     tap", "0.5 plug Ada 2\n0.8 unplug Ada 2\n1 tap")
    judgement = play(before + released(302))
    assert judgement.sessions[0].connector is None


def test_a_second_session_of_a_driver_who_charges_elsewhere(play: Play) -> None:
    first = "5 plug Ada 1\n" + charge(6, 900, 3000).split("900 said contactor")[0]
    second = """
100 tap Ada visa
101 store opened 67 5000 visa
101 < AA 06 : Session Approved session_id=67
"""
    end = "900 said contactor 1 open\n900 said meter 1 3000 0\n900 said plug 1 A"
    script = OPEN + first + second + released(401, 67) + end + committed(901, 100)
    judgement = play(script)
    assert judgement.green, judgement.findings
    assert judgement.sessions[1].trigger == "plug-in window over"


def test_a_connector_known_only_by_its_contactor(play: Play) -> None:
    judgement = play(
        f"{OPEN}\n5 said contactor 3 closed\n6 said contactor 3 open{released(307)}"
    )
    assert judgement.sessions[0].connector == 3
    assert judgement.sessions[0].trigger == "no-energy window over"


def test_a_contactor_found_open_without_an_outage(play: Play) -> None:
    script = OPEN + charge(10, 1200, 5000).replace(
        "1200 said contactor 1 open", "1200 said welcome 1:C:open:5000"
    )
    judgement = play(script + committed(1201, 200))
    assert judgement.green, judgement.findings


def test_the_driver_of_an_unnamed_card_is_the_last_who_tapped(play: Play) -> None:
    record = (
        '{"kind":"session","event":"opened","session_id":"x","psp_session_id":66,'
        '"hold":"h","amount_minor":5000}'
    )
    script = OPEN.replace("2     store opened 66 5000 visa", f"2 json '{record}'")
    assert play(script).sessions[0].driver == "Ada"
    other = OPEN.replace("Ada visa", "Ada amex")
    assert play(other).sessions[0].driver is None


def test_who_plugged_in_first_waits_from_the_approval(play: Play) -> None:
    plugged = "0.3 plug Ada 1\n0.4 said plug 1 B\n1     tap"
    first = OPEN.replace("1     tap", plugged).replace("\n2 ", "\n100 ")
    late = play(first + released(500))
    assert late.sessions[0].trigger == "no-energy window over"
    assert late.sessions[0].known_at_ms == 400_000
    gone = play(f"{first}\n150 said plug 1 A{released(160)}")
    assert gone.sessions[0].trigger == "vehicle unplugged"


def test_a_vehicle_of_the_driver_before_is_not_this_drivers(play: Play) -> None:
    before = "0.4 said plug 1 B\n0.5 plug Ada 1\n1     tap"
    script = OPEN.replace("1     tap", before) + "3 said plug 1 A\n4 said plug 1 B"
    judgement = play(script + released(304))
    assert judgement.sessions[0].settlement is Settlement.CLOSED


#: In seconds: the session of Ada, who taps at 1,000, is open from 1,002 to 1,900.
@pytest.mark.parametrize(
    ("acts", "is_crossed"),
    [
        ([], False),
        ([(990, "press", "Bob")], True),
        ([(990, "press", "Ada")], False),
        ([(401, "press", "Bob")], False),
        ([(1010, "plug", "Bob")], True),
        ([(1010, "plug", "")], False),
        ([(1010, "unplug", "Bob")], False),
        ([(1901, "plug", "Bob")], False),
        ([(1010, "plug", "Ada"), (1020, "plug", "Bob")], False),
        ([(995, "plug", "Ada"), (1020, "plug", "Bob")], True),
    ],
)
def test_who_could_be_taken_for_the_driver(
    acts: list[tuple[int, str, str]], is_crossed: bool
) -> None:
    told = [*acts, (1000, "tap", "Ada")]
    session = Session(
        index=0,
        session_id="x",
        psp_session_id=66,
        hold="h",
        card="visa",
        card_id="",
        opened=At(seq=1002, t_ms=1_002_000),
        expired=At(seq=1900, t_ms=1_900_000),
    )
    assert confusable([session], [_act(*one) for one in sorted(told)]) is is_crossed


def _act(at_s: int, act: str, driver: str) -> Act:
    return Act(
        seq=at_s,
        t_ms=at_s * 1000,
        act=act,
        driver=driver,
        connector=1,
        card="visa" if act == "tap" else "",
        card_id="",
        button="start" if act == "press" else "",
    )


def test_an_approval_that_nobody_has_heard_yet_pays_for_nothing(play: Play) -> None:
    """The first approval comes after the second one, of the same driver, charges."""
    script = f"""
0     said welcome 1:A:open:1000 2:A:open:7000
1     tap Ada visa
2     store opened 66 5000 visa
40    tap Ada visa
41    store opened 67 5000 visa
41    < AA 06 3C 31 00 00 00 43 60 : Session Approved session_id=67
45    plug Ada 1
{charge(46, 1200, 5000)}
60    < AA 06 3C 31 00 00 00 42 5F : Session Approved session_id=66
"""
    late = sorted_by_time(script + released(61) + committed(1201, 200, 67))
    judgement = play(late)
    ends = [(s.settlement, s.connector, s.closed_minor) for s in judgement.sessions]
    assert ends[1] == (Settlement.CLOSED, 1, 200)
    assert judgement.sessions[0].settlement is Settlement.CLOSED


def sorted_by_time(script: str) -> str:
    lines = [line for line in script.splitlines() if line.strip()]
    return "\n".join(sorted(lines, key=lambda line: float(line.split()[0])))
