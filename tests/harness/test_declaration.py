"""The declaration: every key checked, every error names what was found and allowed."""

from pathlib import Path

import pytest

from harness.declaration import TABLES, Declaration, SetupError, check, load

REFERENCE = Path(__file__).parents[2] / "controller_ref" / "declaration.toml"


@pytest.fixture
def fine() -> dict[str, dict[str, object]]:
    return load(REFERENCE).plain()


def test_the_reference_declaration_is_fine() -> None:
    declaration = load(REFERENCE)
    assert declaration.number("tariff", "per_minute") == 0
    assert declaration.flag("claims", "free_vend") is False
    assert declaration.listed("claims", "start") == ("tap", "plug", "ui")
    assert declaration.text("claims", "same_card_twice") == "refuse"


def test_every_key_may_be_given_and_comes_back(
    fine: dict[str, dict[str, object]],
) -> None:
    again = check(fine)
    assert again.plain() == fine
    assert {name: set(table) for name, table in fine.items()} == {
        name: set(keys) for name, keys in TABLES.items()
    }


@pytest.mark.parametrize(
    ("table", "key", "value", "complaint"),
    [
        ("claims", "interface", "usb", r"\[claims\] interface: found 'usb'.*psp, cps"),
        ("claims", "connectors", 0, r"connectors: found 0.*from 1 to 32"),
        ("claims", "connectors", True, r"connectors: found True.*from 1 to 32"),
        ("claims", "start", [], r"start: found \[\].*a list of tap, plug, ui"),
        ("claims", "start", "tap", r"start: found 'tap'.*a list of"),
        ("claims", "rfid", 1, r"rfid: found 1, allowed is true or false"),
        ("tariff", "reserve", 0x1_0000_0000, r"reserve: found 4294967296"),
        ("tariff", "reserve", -1, r"reserve: found -1"),
        ("tariff", "currency", 978, r"currency: found 978, allowed is 3 capital"),
        ("tariff", "currency", "Euro", r"found 'Euro', allowed is 3 capital letters"),
        ("answers", "S-R01", "no", r"\[answers\] S-R01: allowed are S-R02, S-R05"),
        ("answers", "S-R05", "", r"S-R05: found 0 characters, allowed is text of 1"),
        ("reach", "command", 7, r"command: found 7, allowed is a list of texts"),
        ("tariff", "discount", 5, r"\[tariff\] discount: allowed are currency"),
    ],
)
def test_a_wrong_key_is_named(
    fine: dict[str, dict[str, object]],
    table: str,
    key: str,
    value: object,
    complaint: str,
) -> None:
    fine.setdefault(table, {})[key] = value
    with pytest.raises(SetupError, match=complaint):
        check(fine)


def test_a_missing_key_is_named(fine: dict[str, dict[str, object]]) -> None:
    del fine["timing"]["plug_in_window"]
    with pytest.raises(
        SetupError, match=r"plug_in_window: missing, allowed is a whole"
    ):
        check(fine)


def test_an_unknown_table_and_a_table_that_is_none() -> None:
    with pytest.raises(SetupError, match=r"table \[claim\]: allowed are controller"):
        check({"claim": {}})
    with pytest.raises(SetupError, match=r"\[claims\]: found 3, allowed is a table"):
        check({"controller": {"vendor": "", "name": "", "version": ""}, "claims": 3})


def test_a_changed_claim_is_checked_again() -> None:
    declaration = load(REFERENCE)
    assert (
        declaration.replaced("claims", connectors=8).number("claims", "connectors") == 8
    )
    with pytest.raises(SetupError, match="connectors: found 33"):
        declaration.replaced("claims", connectors=33)
    assert isinstance(declaration, Declaration)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "no such file"),
        (b"[claims", "not TOML"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read(
    tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    path = tmp_path / "declaration.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SetupError, match=complaint):
        load(path)


@pytest.mark.parametrize("host", ["cps.mypayter.com", "https://API.Payter.com:443/v3"])
def test_a_host_of_payters_own_is_refused_wherever_it_stands(
    fine: dict[str, dict[str, object]], host: str
) -> None:
    fine["reach"]["callback_hosts"] = ["127.0.0.1", host]
    with pytest.raises(
        SetupError, match=r"\[reach\] callback_hosts: found .*(?i:payter\.com)"
    ):
        check(fine)


@pytest.mark.parametrize(
    ("mode", "key", "allowed"),
    [
        ("process", "command", "the program and its arguments"),
        ("in_process", "controller", "package.module:factory"),
    ],
)
def test_what_a_mode_cannot_do_without(
    fine: dict[str, dict[str, object]], mode: str, key: str, allowed: str
) -> None:
    fine["reach"] = {"mode": mode}
    with pytest.raises(
        SetupError, match=rf"\[reach\] {key}: missing, allowed is {allowed}"
    ):
        check(fine)


def test_a_box_on_a_named_serial_port_is_wired_to_one(
    fine: dict[str, dict[str, object]],
) -> None:
    fine["reach"] = {"mode": "endpoint", "psp_device": "/dev/ttyUSB0"}
    assert check(fine).text("reach", "psp_link") == "serial"
    assert check(check(fine).plain()).text("reach", "psp_link") == "serial"
    fine["reach"] = {"mode": "endpoint", "psp_link": "serial"}
    with pytest.raises(SetupError, match="psp_device: missing, allowed is the path of"):
        check(fine)
    fine["claims"]["interface"] = "cps"
    assert check(fine).text("reach", "mode") == "endpoint"


def test_answers_stay_with_the_declaration_and_go_nowhere_else(
    fine: dict[str, dict[str, object]],
) -> None:
    assert check(fine).answers == {}
    declared = check({**fine, "answers": {"S-R06": "Not yet"}})
    assert declared.answers == {"S-R06": "Not yet"}
    assert declared.replaced("claims", connectors=8).answers == {"S-R06": "Not yet"}
    assert "answers" not in declared.plain()


def test_the_reference_answers_what_it_truthfully_can() -> None:
    assert set(load(REFERENCE).answers) == {"S-R05", "S-R07"}
