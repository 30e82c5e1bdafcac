"""Columns: which scenario runs where."""

from pathlib import Path

import pytest

from harness.columns import COLUMNS, Column, column_of, columns_for
from harness.declaration import load

REFERENCE = Path(__file__).parents[2] / "controller_ref" / "declaration.toml"


@pytest.mark.parametrize(
    ("tags", "names"),
    [
        ((), ["p6x", "apollo", "cps"]),
        (("S-A01", "must"), ["p6x", "apollo", "cps"]),
        (("psp",), ["p6x", "apollo"]),
        (("apollo", "cps"), ["apollo", "cps"]),
        (("serial",), ["p6x"]),
        (("cloud",), ["cps"]),
    ],
)
def test_tags_narrow_the_columns(tags: tuple[str, ...], names: list[str]) -> None:
    assert [column.name for column in columns_for(tags)] == names


@pytest.mark.parametrize("column", COLUMNS, ids=[c.name for c in COLUMNS])
def test_a_declaration_fitted_to_a_column_claims_that_column(column: Column) -> None:
    fitted = column.fit(load(REFERENCE))
    assert column_of(fitted) is column
