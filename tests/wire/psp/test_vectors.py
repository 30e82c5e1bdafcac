"""Both ways through bytes that our encoder did not make.

``published.toml`` holds dumps of other people's devices, ``computed.toml`` bytes worked
out by hand from the rules. They stand apart because they prove different things.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from wire.psp import (
    Block,
    BlockDecoder,
    Direction,
    Family,
    Message,
    Name,
    Profile,
    Reading,
    Value,
    checksum,
    decode,
    encode,
)

Vector = Mapping[str, object]


def load(file: str) -> list[Vector]:
    text = Path(__file__).with_name(file).read_text(encoding="utf-8")
    return cast("list[Vector]", tomllib.loads(text)["vector"])


PUBLISHED = load("published.toml")
COMPUTED = load("computed.toml")


def wire_bytes(vector: Vector) -> bytes:
    return bytes.fromhex(str(vector["bytes"]))


def item_of(item: int | list[int | str]) -> int | tuple[int, bytes]:
    """A number, or a tag with its value."""
    if isinstance(item, int):
        return item
    return int(item[0]), bytes.fromhex(str(item[1]))


def expected(vector: Vector) -> Message:
    fields: dict[str, Value] = {}
    for name, value in cast("dict[str, object]", vector.get("fields", {})).items():
        match value:
            case int() | str():
                fields[name] = value
            case list():
                fields[name] = tuple(item_of(item) for item in value)  # type: ignore[assignment]  # the file holds one kind per list
    for name, text in cast("dict[str, str]", vector.get("raw_fields", {})).items():
        fields[name] = bytes.fromhex(text)
    return Message(Name(str(vector["name"])), fields)


def reading_of(vector: Vector, family: Family) -> Reading:
    options = cast("list[str]", vector.get("options", []))
    return Reading(
        family=family,
        extended="extended" in options,
        detailed="detailed" in options,
        authorization_dol="authorization_dol" in options,
        profile=Profile.from_mapping(
            cast("dict[str, object]", vector.get("profile", {}))
        ),
    )


def readings(vector: Vector) -> list[Reading]:
    """The families that a vector holds for: both, unless it names one."""
    apollo_only = vector["name"] in {
        "Update Session",
        "Update Session Result",
        "Control",
        "Session Partially Approved",
        "UI Event",
    }
    both = [Family.APOLLO] if apollo_only else list(Family)
    families = [Family(str(vector["family"]))] if "family" in vector else both
    return [reading_of(vector, family) for family in families]


def label(vector: Vector) -> str:
    return f"{vector['direction']}:{vector['name']}:{vector['bytes']}"[:60]


@pytest.mark.parametrize("vector", PUBLISHED + COMPUTED, ids=label)
class TestVector:
    def test_checksum_is_the_published_rule(self, vector: Vector) -> None:
        raw = wire_bytes(vector)
        assert checksum(raw[:-1]) == raw[-1]

    def test_decodes(self, vector: Vector) -> None:
        direction = Direction(str(vector["direction"]))
        for reading in readings(vector):
            decoder = BlockDecoder(direction, extended=reading.extended)
            (block,) = decoder.receive(wire_bytes(vector), 0)
            assert isinstance(block, Block)
            assert decode(block, direction, reading) == expected(vector)

    def test_encodes(self, vector: Vector) -> None:
        direction = Direction(str(vector["direction"]))
        for reading in readings(vector):
            found = encode(expected(vector), direction, reading)
            assert found.hex(" ") == wire_bytes(vector).hex(" ")


def test_all_published_dumps_are_here() -> None:
    # psp.md 6.0 prints 20 rows; the last one holds two Results.
    assert len(PUBLISHED) == 21


def test_worked_example_of_the_checksum_in_both_formats() -> None:
    assert checksum(bytes.fromhex("AA 04 3C 21 03 66")) == 0x74
    assert checksum(bytes.fromhex("AA 00 00 00 04 3C 21 03 66")) == 0x74
