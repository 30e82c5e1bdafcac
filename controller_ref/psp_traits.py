"""What differs between the families of terminals over PSP (psp.md 11)."""

from dataclasses import dataclass
from typing import Final

from wire.psp import Family, Option


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """One family."""

    family: Family
    options: Option
    can_list: bool
    can_raise: bool
    has_screen: bool
    #: Whether the terminal's first byte and magic can be configured (psp.md 2.4).
    has_free_preamble: bool


TRAITS: Final = {
    "apollo": Traits(
        family=Family.APOLLO,
        options=Option.AUTHORIZATION_DOL | Option.DETAILED,
        can_list=False,
        can_raise=True,
        has_screen=True,
        has_free_preamble=False,
    ),
    "p6x": Traits(
        family=Family.P6X,
        options=Option.AUTHORIZATION_DOL,
        can_list=True,
        can_raise=False,
        has_screen=False,
        has_free_preamble=True,
    ),
}
