"""No declaration leads to a production host of Payter, wherever it is named."""

from pathlib import Path

import pytest

from harness.declaration import TABLES, SetupError, check, load
from harness.hosts import ADDRESSES, NOT_PRODUCTION, is_production, production_host

REFERENCE = Path(__file__).parents[2] / "controller_ref" / "declaration.toml"
FREE_TEXTS = [
    (table, key)
    for table, keys in TABLES.items()
    for key, row in keys.items()
    if row.kind in (str, tuple) and not (row.allowed or row.letters)
]


@pytest.fixture
def fine() -> dict[str, dict[str, object]]:
    return load(REFERENCE).plain()


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://cps.mypayter.com/", "cps.mypayter.com"),
        ("CPS.MyPayter.COM", "cps.mypayter.com"),
        ("--url=https://key@cps.mypayter.com:443/x?y", "cps.mypayter.com"),
        ("wss://eu.cps.mypayter.com.", "eu.cps.mypayter.com"),
        ("https://api.mypayter.com/API/Auth", "api.mypayter.com"),
        ("mypayter.com", "mypayter.com"),
        ("first cps-test.mypayter.com then cps.mypayter.com", "cps.mypayter.com"),
        *((f"https://{number}/", number) for number in ADDRESSES),
    ],
)
def test_a_production_host_is_found_in_any_text(text: str, host: str) -> None:
    assert production_host(text) == host


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1",
        "localhost",
        *(f"https://{host}:443/terminals" for host in NOT_PRODUCTION),
        "eu.cps-test.mypayter.com",
        "notmypayter.com",
        "mypayter.com.example",
        "my-cps.mypayter.community",
        "134.107.204.82",
        "mypayter",
    ],
)
def test_other_hosts_are_not(text: str) -> None:
    assert production_host(text) == ""


def test_an_unknown_name_of_the_domain_counts_as_production() -> None:
    assert is_production("cps2.mypayter.com")
    assert is_production("cps-test2.mypayter.com")


@pytest.mark.parametrize(("table", "key"), FREE_TEXTS)
def test_every_text_of_a_declaration_is_looked_at(
    fine: dict[str, dict[str, object]], table: str, key: str
) -> None:
    text = "--cps-url=https://CPS.mypayter.com/v1"
    is_list = TABLES[table][key].kind is tuple
    fine[table][key] = ["node", text] if is_list else text
    complaint = (
        rf"\[{table}\] {key}: found cps\.mypayter\.com, .*allowed are .*cps-test"
    )
    with pytest.raises(SetupError, match=complaint):
        check(fine)


def test_the_test_cloud_may_be_named(fine: dict[str, dict[str, object]]) -> None:
    fine["reach"]["command"] = ["node", "--fallback", "https://cps-test.mypayter.com"]
    assert check(fine).listed("reach", "command")[2].endswith("mypayter.com")
