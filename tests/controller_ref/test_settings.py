"""Errors name the key, what was found and what is allowed."""

from typing import Any

import pytest

from controller_ref.settings import from_declaration


def test_defaults() -> None:
    settings = from_declaration({})
    assert settings.plug_in_window_ms == 300_000
    assert settings.reserve_minor == 5000
    assert settings.stop == ("tap", "unplug")
    assert settings.is_always_scanning
    assert not settings.takes_rfid


@pytest.mark.parametrize(
    ("table", "key", "value", "allowed"),
    [
        ("claims", "interface", "ocpi", "psp | cps"),
        ("claims", "connectors", 0, "integer 1 to 32"),
        ("claims", "connectors", True, "integer 1 to 32"),
        ("claims", "start", ["shout"], "some of tap, plug, ui"),
        ("claims", "start", [], "some of tap, plug, ui"),
        ("claims", "rfid", 1, "true or false"),
        ("timing", "plug_in_window", -1, "integer 0 to 604800"),
        ("tariff", "reserve", 1 << 32, "integer 1 to 4294967295"),
        ("tariff", "per_kwh", "59", "integer 0 to"),
        ("tariff", "rounding", "bankers", "half_up | half_even | up | down"),
    ],
)
def test_wrong_values(table: str, key: str, value: Any, allowed: str) -> None:
    with pytest.raises(ValueError, match=f"{table}.{key}: found") as error:
        from_declaration({table: {key: value}})
    assert f"allowed {allowed}" in str(error.value)


def test_wrong_tables() -> None:
    with pytest.raises(ValueError, match="claims: found 5, allowed a table"):
        from_declaration({"claims": 5})
    with pytest.raises(ValueError, match="rfid_whitelist: found"):
        from_declaration({"rfid_whitelist": "04A2"})


def test_a_list_of_own_cards() -> None:
    settings = from_declaration({"rfid_whitelist": ["04aa"], "claims": {"rfid": True}})
    assert settings.rfid_whitelist == ("04AA",)
