# ruff: noqa: E501 - tables
"""The three ways to pay at a forecourt that the suite examines side by side.

A column is a terminal family and an interface. A scenario marked for both runs in all
three from the same text; a tag narrows it down.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from harness.declaration import Declaration


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of the matrix; ``tags`` are those of which one selects it."""

    name: str
    title: str
    interface: Literal["psp", "cps"]
    terminal: Literal["p6x", "apollo"]
    psp_link: Literal["tcp", "serial"]
    tags: frozenset[str]

    def fit(self, declaration: Declaration) -> Declaration:
        """The declaration of a controller that is wired for this column."""
        return declaration.replaced(
            "claims", interface=self.interface, terminal=self.terminal
        ).replaced("reach", psp_link=self.psp_link)


# fmt: off
COLUMNS: Final = (
    Column(name="p6x", title="P6X", interface="psp", terminal="p6x", psp_link="serial", tags=frozenset({"psp", "p6x", "serial"})),
    Column(name="apollo", title="Apollo", interface="psp", terminal="apollo", psp_link="tcp", tags=frozenset({"psp", "apollo", "tcp"})),
    Column(name="cps", title="CPS", interface="cps", terminal="apollo", psp_link="tcp", tags=frozenset({"cps", "cloud"})),
)
# fmt: on

#: Every tag that narrows a scenario to some columns.
COLUMN_TAGS: Final = frozenset().union(*(column.tags for column in COLUMNS))


def columns_for(tags: Collection[str]) -> tuple[Column, ...]:
    """The columns in which a scenario with these tags runs."""
    narrowing = COLUMN_TAGS.intersection(tags)
    if not narrowing:
        return COLUMNS
    return tuple(column for column in COLUMNS if column.tags & narrowing)


def column_of(declaration: Declaration) -> Column:
    """The one column that a declaration claims."""
    interface = declaration.text("claims", "interface")
    terminal = declaration.text("claims", "terminal")
    for column in COLUMNS:
        if column.interface == interface and (
            interface == "cps" or column.terminal == terminal
        ):
            return column
    raise AssertionError(f"no column for {interface}/{terminal}")
