"""The spacing of repeated closes."""

from collections.abc import Callable

import pytest

from harness.judge import Conduct, Expectations, Judgement, Settlement

Play = Callable[..., Judgement]

OPEN = """
0     said welcome 1:A:open:1000 2:A:open:7000
1     tap Ada visa
1.1   > CC 02 3C 36 40 : Auth Session
2     store opened 66 5000 visa
2     < AA 06 3C 31 00 00 00 42 5F : Session Approved session_id=66
"""
VOID = "> CC 06 3C 33 00 00 00 42 83 : Void Session session_id=66"
OK = "< AA 03 3C 00 00 E9 : Result result=0"
DAY = 86_400


def tries(*times: float, answer: str = "", script: str = OPEN) -> str:
    """Voids at these seconds; all but the last get ``answer`` or nothing."""
    lines = [script]
    for at in times[:-1]:
        lines += [f"{at} {VOID}", f"{at} {answer}" if answer else ""]
    at = times[-1]
    lines += [f"{at} {VOID}", f"{at} store cancelled 66 0", f"{at} {OK}"]
    lines.append(f"{at} order show released")
    return "\n".join(lines)


def found(judgement: Judgement) -> tuple[list[str], list[str]]:
    return (
        [f.requirement for f in judgement.findings],
        [w.requirement for w in judgement.warnings],
    )


REFUSED = "< AA 04 3C 00 01 11 FC : Result result=1 reason=17"
WRONG_STATE = "< AA 04 3C 00 01 05 F0 : Result result=1 reason=5"


def test_about_a_minute_is_right(play: Play) -> None:
    judgement = play(tries(302, 363, 424, 485, answer=REFUSED))
    assert found(judgement) == ([], [])
    assert judgement.green


def test_three_intervals_under_ten_seconds_are_hammering(play: Play) -> None:
    assert found(play(tries(302, 303, 304, answer=REFUSED))) == ([], [])
    hammered = play(tries(302, 303, 304, 305, answer=REFUSED))
    assert found(hammered) == (["R-RTY-04"], [])


def test_a_brisk_schedule_is_a_warning(play: Play) -> None:
    judgement = play(tries(302, 317, 332, 347, answer=REFUSED))
    assert found(judgement) == ([], ["R-RTY-04"])


def test_one_repeat_at_once_is_free_after_a_wrong_state(play: Play) -> None:
    one_free = play(tries(302, 303, 304, 305, answer=WRONG_STATE))
    assert found(one_free) == ([], [])
    too_many = play(tries(302, 303, 304, 305, 306, answer=WRONG_STATE))
    assert found(too_many) == (["R-RTY-04"], [])


def test_one_repeat_is_free_after_a_recovery(play: Play) -> None:
    line = "302.5 link psp down reset\n302.7 link psp up"
    script = tries(302, 303, 304, 305, answer=REFUSED).replace(
        "\n303 >", f"\n{line}\n303 >"
    )
    assert found(play(script)) == ([], [])


def test_a_line_that_breaks_under_each_attempt_frees_one_of_them(play: Play) -> None:
    def broken(*times: int) -> str:
        script = tries(*times)
        for at in times[1:]:
            line = f"{at - 0.8} link psp down reset\n{at - 0.1} link psp up"
            script = script.replace(f"\n{at} >", f"\n{line}\n{at} >")
        return script

    assert found(play(broken(302, 304, 306, 308))) == ([], [])
    assert found(play(broken(302, 304, 306, 308, 310))) == (["R-RTY-04"], [])
    assert found(play(broken(302, 332, 362, 392, 422))) == ([], [])


CPS = {"interface": "cps"}
CPS_OPEN = """
0     said welcome 1:A:open:1000 2:A:open:7000
1     tap Ada visa
1     callback card visa
1.1   call 1 E6
2     store opened 66 5000 visa
2     answer 1 200 AUTHORIZED 66
"""


def calls(*times: float, done: bool = True) -> str:
    """Cancels at these seconds, each answered 503; the last works, or does not."""
    lines = [CPS_OPEN]
    for number, at in enumerate(times, start=10):
        lines.append(f"{at} call {number} E10 66")
        if at != times[-1] or not done:
            lines.append(f"{at} answer {number} 503")
        else:
            lines.append(f"{at} store cancelled 66 0 cps")
            lines.append(f"{at} answer {number} 200 CANCELLED 66")
    lines.append(f"{times[-1]} order show released")
    return "\n".join(lines)


def test_a_schedule_with_holes(play: Play) -> None:
    slow = play(calls(302, 502), claims=CPS)
    assert found(slow) == ([], ["R-RTY-01"])
    too_slow = play(calls(302, 700), claims=CPS)
    assert found(too_slow) == (["R-RTY-01"], [])


def test_over_psp_the_schedule_may_not_hold(play: Play) -> None:
    """Its codes are HTTP's; less than one a day fits no purpose."""
    slow = play(tries(302, 700, 90_000, answer=REFUSED))
    assert "R-RTY-01" not in found(slow)[0]
    assert found(slow)[1].count("R-RTY-01") == 2
    too_slow = play(tries(302, 302 + 31 * 3600, answer=REFUSED))
    assert "R-RTY-01" in found(too_slow)[0]


def test_time_in_which_nothing_could_be_sent_does_not_count(play: Play) -> None:
    line = "303 link psp down cut\n9000 link psp up"
    script = tries(302, 9050, answer=REFUSED).replace("\n9050 >", f"\n{line}\n9050 >")
    assert found(play(script)) == ([], [])


def test_the_hourly_phase(play: Play) -> None:
    minutes = [302 + 60 * n for n in range(6)]
    hourly = play(calls(*minutes, minutes[-1] + 3600), claims=CPS)
    assert found(hourly) == ([], [])
    missed = play(calls(*minutes, minutes[-1] + 7200), claims=CPS)
    assert found(missed) == (["R-RTY-01"], [])


def plan(hours: int, days: int, minutes: int = 5) -> list[float]:
    """The times of a plan with so many tries by the hour and by the day."""
    at: list[float] = [302]
    for count, gap in ((minutes, 60), (hours, 3600), (days, DAY)):
        at += [at[-1] + gap * n for n in range(1, count + 1)]
    return at


@pytest.mark.parametrize(("hours", "days"), [(24, 7), (24, 6), (23, 7), (23, 6)])
def test_every_reading_of_the_plan_is_right(play: Play, hours: int, days: int) -> None:
    closed = play(calls(*plan(hours, days)), claims=CPS)
    assert "R-RTY-01" not in [*found(closed)[0], *found(closed)[1]]
    exhausted = calls(*plan(hours, days), done=False)
    end = f"{700_000 + DAY * 9} order alarm close_exhausted"
    given_up = play(f"{exhausted}\n{end}", claims=CPS)
    assert found(given_up) == ([], [])


@pytest.mark.parametrize(
    ("hours", "days", "minutes"),
    [(22, 7, 5), (24, 5, 5), (24, 0, 5), (0, 0, 5), (24, 7, 4), (24, 7, 0)],
    ids=["22 hours", "5 days", "no days", "minutes only", "4 minutes", "no minutes"],
)
def test_what_fits_no_reading_is_refused(
    play: Play, hours: int, days: int, minutes: int
) -> None:
    exhausted = calls(*plan(hours, days, minutes), done=False)
    end = f"{700_000 + DAY * 9} order alarm close_exhausted"
    given_up = play(f"{exhausted}\n{end}", claims=CPS)
    assert "R-RTY-01" in found(given_up)[0]


def test_a_plan_in_a_hurry_does_not_earn_its_daily_tries(play: Play) -> None:
    """Thirty tries by the minute, and then one a day: too rare for the first day."""
    hurried = [302.0 + 60 * n for n in range(31)]
    day_later = play(calls(*hurried, hurried[-1] + DAY), claims=CPS)
    assert "R-RTY-01" in found(day_later)[0]
    hour_later = play(calls(*hurried, hurried[-1] + 3600), claims=CPS)
    assert found(hour_later) == ([], [])


def test_giving_up_is_only_judged_while_something_could_be_sent(play: Play) -> None:
    script = calls(302, 362, done=False)
    away = f"{script}\n363 link cloud down cut\n90000 order alarm close_failed"
    assert "R-RTY-01" not in found(play(away, claims=CPS))[0]
    there = f"{script}\n90000 order alarm close_failed"
    assert "R-RTY-01" in found(play(there, claims=CPS))[0]


def test_an_unanswered_close_is_given_its_time(play: Play) -> None:
    """60 s for the answer, then a minute: the gap runs from the end of the wait."""
    reset = "> CC 02 3C 55 5F : Reset"
    script = tries(302, 422).replace("\n422 >", f"\n362 {reset}\n422 >", 1)
    assert found(play(script)) == ([], [])


WEEK = [302 + 60 * n for n in range(6)]
WEEK += [WEEK[-1] + 3600 * n for n in range(1, 25)]
WEEK += [WEEK[-1] + DAY * n for n in range(1, 8)]


def test_a_close_that_succeeds_after_five_days_is_late_for_the_scheme(
    play: Play,
) -> None:
    judgement = play(tries(*WEEK, answer=REFUSED))
    assert judgement.settlement is Settlement.LATE
    assert judgement.sessions[0].requirements == ("R-EXT-01",)
    assert found(judgement) == ([], ["R-EXT-01"])
    words = "(R-EXT-01, visa: 24 h)"
    assert words in judgement.sessions[0].why
    excused = Expectations(scheme_late="R-EXT-01")
    assert play(tries(*WEEK, answer=REFUSED), excused).green
    assert not judgement.green
    other = play(tries(*WEEK, answer=REFUSED), Expectations(scheme_late="R-EXT-02"))
    assert not other.is_settled
    assert other.conduct is Conduct.INCONCLUSIVE


def test_a_late_first_attempt_excuses_nothing(play: Play) -> None:
    judgement = play(tries(90_000))
    assert judgement.sessions[0].requirements == ("R-NOS-02", "R-EXT-01")
    excused = Expectations(scheme_late="R-EXT-01")
    assert not play(tries(90_000), excused).green


def test_an_outage_that_outlasts_no_window_has_shown_nothing(play: Play) -> None:
    judgement = play(tries(302), Expectations(scheme_late="R-EXT-01"))
    assert judgement.conduct is Conduct.INCONCLUSIVE
    assert not judgement.green


def test_a_schedule_that_ran_out(play: Play) -> None:
    script = "\n".join(
        [OPEN, *(f"{at} {VOID}\n{at} {REFUSED}" for at in WEEK)],
    )
    silent = play(script)
    assert silent.settlement is Settlement.LEFT_OPEN
    assert "R-RTY-05" in found(silent)[0]
    told = play(f"{script}\n{WEEK[-1] + 60} order alarm close_exhausted")
    assert told.settlement is Settlement.UNKNOWN
    assert found(told) == ([], [])
    too_early = play(f"0 order alarm close_exhausted\n{script}")
    assert too_early.settlement is Settlement.LEFT_OPEN


@pytest.mark.parametrize("answer", ["", REFUSED])
def test_left_open_after_tries_names_the_last_answer(play: Play, answer: str) -> None:
    script = f"{OPEN}\n302 {VOID}\n302 {answer or 'order hello'}\n310 order alarm other"
    judgement = play(script)
    assert judgement.settlement is Settlement.LEFT_OPEN
    words = "Not OK (0x11)" if answer else "no answer"
    assert words in judgement.sessions[0].why
    assert "R-SES-07" in found(judgement)[0]


NOT_FOUND = "< AA 04 3C 00 01 0C F7 : Result result=1 reason=12"


def test_not_found_ends_nothing_for_who_has_not_closed(play: Play) -> None:
    judgement = play(tries(302, 363, 424, answer=NOT_FOUND))
    assert found(judgement) == ([], [])
    assert judgement.green


def test_not_found_is_the_end_where_an_earlier_close_may_have_counted(
    play: Play,
) -> None:
    script = f"{OPEN}\n302 {VOID}\n302 store cancelled 66 0"
    script += f"\n302 order show released\n360 > CC : Reset\n360 {OK}"
    script += f"\n363 {VOID}\n363 {NOT_FOUND}"
    assert found(play(script)) == ([], [])
    assert found(play(f"{script}\n424 {VOID}\n424 {NOT_FOUND}"))[0] == ["R-RTY-02"]
