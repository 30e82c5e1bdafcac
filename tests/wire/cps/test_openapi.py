"""The OpenAPI document says what the tables say, in every reading of the policy."""

import json
import re
from typing import Any

import pytest
import schemathesis

from wire.cps import POLICY_SWITCHES, ROUTES, SCREENS, Grade, Policy, openapi
from wire.cps.openapi import best
from wire.cps.policy import Switch


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        operation["operationId"]: operation
        for here in document["paths"].values()
        for operation in here.values()
    }


def readings(name: str, switch: Switch) -> list[Policy]:
    choices = switch.allowed or switch.span or ()
    return [Policy.from_mapping({name: choice}) for choice in choices]


@pytest.mark.parametrize(("name", "switch"), POLICY_SWITCHES.items())
def test_every_reading_is_an_openapi_document(name: str, switch: Switch) -> None:
    for policy in readings(name, switch):
        document = openapi(policy)
        schemathesis.openapi.from_dict(document).validate()
        assert json.loads(json.dumps(document)) == document, "plain values"


def test_every_row_is_an_operation_with_its_parameters_and_grades() -> None:
    document = openapi(Policy(update_call="on"))
    found = operations(document)
    assert set(found) == set(ROUTES)
    for route in ROUTES.values():
        operation = document["paths"][route.path][route.verb.lower()]  # type: ignore[index]  # plain JSON
        assert operation["x-grade"] == route.grade.value
        assert operation["tags"], route.id
        places = re.findall(r"{(\w+)}", route.path)
        names = [one["name"] for one in operation["parameters"]]
        assert names == places + [param.name for param in route.params]
        assert ("requestBody" in operation) == route.body
        codes = {int(code) for code in operation["responses"]}
        assert codes == {status.code for status in route.statuses}


def test_a_reading_chooses_the_codes_and_the_routes() -> None:
    plain = operations(openapi())
    assert "E14" not in plain
    assert "E12-set" not in operations(openapi(Policy(webhook_calls="off")))
    changed = openapi(Policy(bad_key=403, no_card=408, unknown_parameter="refuse"))
    card = operations(changed)["E4"]["responses"]
    assert {"200", "400", "403", "404", "408"} == set(card)
    assert set(operations(changed)["E1"]["responses"]) == {"200", "400", "403"}
    assert changed["x-policy"] == {
        "bad_key": 403,
        "no_card": 408,
        "unknown_parameter": "refuse",
    }


def test_a_status_has_the_best_grade_of_what_it_may_mean() -> None:
    # 404: the terminal (our assumption), or the session (seen in code).
    assert operations(openapi())["E9"]["responses"]["404"]["x-grade"] == "CODE"
    assert best([Grade.ASSUMPTION, Grade.DOC, Grade.CODE]) is Grade.DOC


def test_screens_are_those_that_the_reading_takes() -> None:
    def kinds(policy: Policy) -> object:
        schemas: Any = openapi(policy)["components"]
        return schemas["schemas"]["Screen"]["properties"]["type"].get("enum")

    assert kinds(Policy()) == list(SCREENS)
    assert kinds(Policy(unknown_screen="accept")) is None
    documented = kinds(Policy(undocumented_screen="refuse"))
    assert documented == [n for n, row in SCREENS.items() if row.is_documented]


def test_an_api_key_is_bought_with_a_token_and_nothing_else_is() -> None:
    found = operations(openapi())
    assert found["E13"]["security"] == [{"token": []}]
    assert [name for name, one in found.items() if "security" in one] == ["E13"]
