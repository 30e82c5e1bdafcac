"""The reference controller survives SIGKILL at any moment, over PSP and over CPS.

Real processes at real ports; all 200 kills are ``tox -e kills``, here are some.
"""

from benchmarks.kills import plan, play_all

KILLS = 20
EACH = 4


def test_no_kill_leaves_a_session_open_or_an_amount_wrong() -> None:
    cases = plan(KILLS, ["p6x", "apollo", "cps"], seed=1, each=EACH)
    outcomes = list(play_all(cases, jobs=len(cases)))
    wrong = [str(outcome) for outcome in outcomes if not outcome.is_as_it_should]
    assert not wrong, "\n".join(wrong)
    assert sum(o.kills for o in outcomes if not o.case.forgets) == KILLS
    assert sum(o.while_charging for o in outcomes) >= KILLS // 2
