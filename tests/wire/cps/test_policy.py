"""Every open point has a switch, and a wrong choice says what is allowed."""

from dataclasses import fields

import pytest

from wire.cps import POLICY_SWITCHES, ROUTES, Grade, LocalProtocolError, Policy


def test_table_and_dataclass_say_the_same() -> None:
    assert [row.name for row in fields(Policy)] == list(POLICY_SWITCHES)
    for row in fields(Policy):
        assert row.default == POLICY_SWITCHES[row.name].default


def test_every_default_is_allowed_and_every_switch_switches() -> None:
    for name, switch in POLICY_SWITCHES.items():
        assert switch.read(switch.default) == switch.default, name
        assert switch.span or len(switch.allowed) > 1, name
        assert not (switch.span and switch.allowed), name


def test_every_choice_makes_a_policy() -> None:
    for name, switch in POLICY_SWITCHES.items():
        for choice in switch.allowed or switch.span or ():
            policy = Policy.from_mapping({name: choice})
            assert getattr(policy, name) == choice
            wanted = {} if choice == switch.default else {name: choice}
            assert policy.differences() == wanted


def test_no_switch_claims_to_be_documented() -> None:
    grades = {switch.grade for switch in POLICY_SWITCHES.values()}
    assert grades == {Grade.ASSUMPTION, Grade.CODE}


def test_a_close_while_offline_never_answers_409() -> None:
    assert 409 not in POLICY_SWITCHES["offline_close_status"].allowed


def test_a_number_may_come_as_its_text() -> None:
    assert Policy.from_mapping({"bad_key": "403"}).bad_key == 403
    assert Policy.from_mapping({"start_busy": 409}).start_busy == "409"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"over_comit": "reject"}, "found 'over_comit', allowed over_commit, zero_"),
        ({"over_commit": "maybe"}, "found 'maybe', allowed reject, accept, fail"),
        ({"over_commit": None}, "found None, allowed reject"),
        ({"bad_key": True}, "found True, allowed 401, 403"),
        ({"bad_key": 401.0}, "found 401.0, allowed 401, 403"),
        ({"card_timeout_s": 0}, "found 0, allowed integer 1 to 3600"),
        ({"card_timeout_s": "30"}, "found '30', allowed integer 1 to 3600"),
        ({"card_timeout_s": True}, "found True, allowed integer 1 to 3600"),
    ],
)
def test_a_wrong_choice_names_found_and_allowed(
    values: dict[str, object], message: str
) -> None:
    with pytest.raises(LocalProtocolError, match=message):
        Policy.from_mapping(values)


def test_the_constructor_is_as_strict() -> None:
    with pytest.raises(LocalProtocolError, match="found 418, allowed 401, 403"):
        Policy(bad_key=418)


def test_routes_that_may_not_exist() -> None:
    default = Policy()
    assert {name for name in ROUTES if not default.offers(name)} == {"E14"}
    assert Policy(update_call="on").offers("E14")
    bare = Policy(webhook_calls="off", apikey_call="off")
    missing = {name for name in ROUTES if not bare.offers(name)}
    assert missing == {"E12-set", "E12-delete", "E13", "E14"}
