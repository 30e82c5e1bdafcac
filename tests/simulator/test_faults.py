"""The catalogue of faults: every row can be planned and said."""

import dataclasses
import re
from typing import get_args, get_type_hints

import pytest

from simulator.events import Trouble
from simulator.fault_codes import FAULT_CODES
from simulator.faults import (
    FAULTS,
    Fault,
    FaultPlanError,
    Seam,
    Value,
    plan,
)
from simulator.terminal import Kind

GIVEN: dict[str, dict[str, Value]] = {
    "charger_fault": {"code": "GroundFailure"},
    "station_fault": {"code": "OtherError"},
}


def planned(name: str) -> Fault:
    return plan(name, **GIVEN.get(name, {}))


def test_every_seam_of_the_architecture_has_faults() -> None:
    assert {kind.seam for kind in FAULTS.values()} == set(Seam)


@pytest.mark.parametrize("name", FAULTS)
def test_every_row_can_be_planned_and_said(name: str) -> None:
    kind = FAULTS[name]
    fault = planned(name)
    assert fault.name == kind.name == name
    assert fault.kind is kind
    assert fault.seam is kind.seam
    assert set(fault.params) == set(kind.parameters)
    assert set(re.findall(r"{(\w+)}", kind.words)) <= set(kind.parameters)
    assert kind.about
    assert "{" not in fault.words
    assert "  " not in fault.words


def test_the_words_are_unique() -> None:
    words = [kind.words for kind in FAULTS.values()]
    assert len(words) == len(set(words))


def test_every_trouble_of_the_charger_is_in_the_catalogue_by_its_own_name() -> None:
    assert set(get_args(get_type_hints(Trouble)["part"])) <= set(FAULTS)


def test_every_impairment_of_the_terminal_is_in_the_catalogue() -> None:
    """By its own name, but for three that have an older one."""
    renamed = {Kind.NOT_READY, Kind.COMMIT_FAILED, Kind.HTTP_STATUS}
    assert {str(kind) for kind in set(Kind) - renamed} <= set(FAULTS)
    assert {"terminal_not_ready", "http_failed_state", "http_status"} <= set(FAULTS)


def test_what_happens_once_or_waits_says_how_long_it_lasts() -> None:
    for kind in FAULTS.values():
        assert not (kind.once and "for_s" in kind.parameters), kind.name
        assert not kind.waits or "for_s" in kind.parameters, kind.name


def test_the_charger_reports_every_code_of_its_table() -> None:
    assert FAULTS["charger_fault"].parameters["code"].words == tuple(FAULT_CODES)


def test_a_fault_says_itself_in_the_words_of_a_scenario() -> None:
    fault = plan("cable_lose", fault_id="f1", message="Commit Session", count=2)
    assert fault.fault_id == "f1"
    assert fault.words == "the next Commit Session is lost on the cable"
    assert (fault.number("count"), fault.text("message")) == (2, "Commit Session")


def test_a_fault_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        planned("cable_cut").name = "other"  # type: ignore[misc]  # that is the test


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("gremlins", {}, "fault: found 'gremlins', allowed cable_cut, "),
        ("tcp_reset", {"x": 1}, "tcp_reset: found 'x', allowed no parameters"),
        ("host_down", {"x": 1}, "host_down: found 'x', allowed for_s"),
        ("host_down", {"for_s": -1}, "host_down.for_s: found -1, allowed 0..604800"),
        ("host_down", {"for_s": True}, "host_down.for_s: found True, allowed 0"),
        ("host_down", {"for_s": "9"}, "host_down.for_s: found '9', allowed 0"),
        ("pilot", {"reason": "G"}, "pilot.reason: found 'G', allowed E, F"),
        ("charger_fault", {}, "charger_fault.code: found None, allowed Connector"),
        ("charger_fault", {"code": "NoError"}, "found 'NoError', allowed Connector"),
        ("http_status", {"status": 409}, "found 409, allowed 400..599 without 409"),
        ("cable_lose", {"message": "Comit"}, "found 'Comit', allowed '', Synchronize"),
        ("refuses", {"reason": 5}, "refuses.reason: found 5, allowed text of at"),
        ("refuses", {"reason": "x" * 201}, "allowed text of at most 200"),
    ],
)
def test_a_plan_that_does_not_fit_names_found_and_allowed(
    name: str, params: dict[str, Value], message: str
) -> None:
    with pytest.raises(FaultPlanError, match=re.escape(message)):
        plan(name, **params)


def test_a_parameter_of_the_wrong_kind_is_named() -> None:
    with pytest.raises(
        TypeError, match=r"cable_lose\.message: found '', allowed a num"
    ):
        plan("cable_lose").number("message")
    with pytest.raises(TypeError, match=r"cable_lose\.count: found 1, allowed a text"):
        plan("cable_lose").text("count")
