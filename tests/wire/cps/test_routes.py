"""The table of routes is complete, consistent and graded."""

import re

import pytest

from wire.cps import ROUTES, Grade, ParamType, Route
from wire.cps.routes import MAX_AMOUNT_MINOR

PLACES = {"serialNumber", "sessionId"}


def test_every_operation_of_the_reference_has_a_row() -> None:
    assert {f"E{number}" for number in range(1, 15)} <= set(ROUTES)


def test_no_two_rows_answer_the_same_call() -> None:
    calls = [(row.verb, row.path) for row in ROUTES.values()]
    assert len(set(calls)) == len(calls)


@pytest.mark.parametrize("row", ROUTES.values(), ids=ROUTES)
def test_places_of_a_path_are_those_that_a_call_carries(row: Route) -> None:
    assert set(re.findall(r"{(\w+)}", row.path)) <= PLACES


@pytest.mark.parametrize("row", ROUTES.values(), ids=ROUTES)
def test_every_row_has_a_success_status(row: Route) -> None:
    assert any(status.code < 300 for status in row.statuses)


def test_amounts_are_unsigned_32_bit() -> None:
    amounts = [
        param
        for row in ROUTES.values()
        for param in row.params
        if param.name in ("authorizedAmount", "commitAmount")
    ]
    assert len(amounts) == 3
    for param in amounts:
        assert (param.minimum, param.maximum) == (0, MAX_AMOUNT_MINOR)
        assert param.type is ParamType.INTEGER
        assert param.required


def test_what_payter_never_showed_is_graded_as_our_choice() -> None:
    for name in ("E12-set", "E12-delete", "E13", "E14"):
        assert ROUTES[name].grade is Grade.ASSUMPTION


def test_a_closed_session_answers_409_by_evidence() -> None:
    grades = {status.grade for status in ROUTES["E9"].statuses if status.code == 409}
    assert grades == {Grade.CODE}


def test_a_parameter_is_found_by_name() -> None:
    param = ROUTES["E3"].param("callbackUrl")
    assert param is not None
    assert param.type is ParamType.URL
    assert ROUTES["E3"].param("commitAmount") is None
