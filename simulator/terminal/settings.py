"""What a terminal is told before it is switched on, and what its family can do.

A family difference is a value in ``TRAITS``; nothing else in this package asks which
family it plays. Figures: psp.md 3.2, 4.1, 8 and 11, cps.md 7. Fields marked ASSUMPTION
decide what no public page decides; they are ours and can be moved.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from wire.cps import Policy
from wire.psp import CARD_DETECT_OFF, Family, Name, Profile, Value, answer_limit_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What one family of terminals can do."""

    #: The terminal itself gives up an authorisation after this (psp.md 4.1).
    authorise_limit_ms: int
    has_pin_pad: bool
    #: Approvals below the amount asked for reach the host (psp.md 11).
    takes_partial: bool
    #: UI Request and E11.
    has_screens: bool
    #: A card without payment data is sent as Proprietary Card Read; otherwise as a
    #: Card Read that carries no masked PAN (ASSUMPTION).
    has_proprietary_read: bool
    #: Request Ids Response, without the serial number; made-up figures.
    identity: Mapping[str, Value]


def _limit(family: Family) -> int:
    limit = answer_limit_ms(Name.AUTH_SESSION, family)
    assert limit is not None
    return limit


_P6X_IDENTITY: Final[Mapping[str, Value]] = MappingProxyType(
    {
        "sam1_status": 1,
        "sam1_serial": bytes.fromhex("0400A1B2C3D4E5F6"),
        "sam2_status": 0,
        "sam2_serial": bytes(8),
        "sam3_status": 0,
        "sam3_serial": bytes(8),
        "mac": bytes.fromhex("02005E10AB01"),
        "sim_status": 0,
        "sim_serial": "",
        "firmware": "nohold-p6x-1",
    }
)
_APOLLO_IDENTITY: Final[Mapping[str, Value]] = MappingProxyType(
    {
        "model_id": "apollo",
        "platform_id": "nohold",
        "platform_version": "1.0",
        "platform_release": "1",
        "applications": (("psp", "1.0"),),
    }
)

TRAITS: Final[Mapping[Family, Traits]] = MappingProxyType(
    {
        Family.P6X: Traits(
            authorise_limit_ms=_limit(Family.P6X),
            has_pin_pad=False,
            takes_partial=False,
            has_screens=False,
            has_proprietary_read=False,
            identity=_P6X_IDENTITY,
        ),
        Family.APOLLO: Traits(
            authorise_limit_ms=_limit(Family.APOLLO),
            has_pin_pad=True,
            takes_partial=True,
            has_screens=True,
            has_proprietary_read=True,
            identity=_APOLLO_IDENTITY,
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalSettings:
    """One terminal as MyPayter and the installer would have configured it."""

    family: Family = Family.APOLLO
    serial_number: str = "APO20240000001"
    api_key: str = "nohold-test-key"
    #: Buys a new API key (E13).
    api_token: str = "nohold-test-token"
    psp_profile: Profile = field(default_factory=Profile)
    cps_policy: Policy = field(default_factory=Policy)
    link: Literal["tcp", "serial"] = "tcp"
    #: Life of a Start Session in seconds; 2147483647 never ends (psp.md 8).
    card_detect_s: int = CARD_DETECT_OFF
    currency: str = "EUR"
    #: Calendar time at ``now_ms`` 0, milliseconds since 1970 UTC.
    started_at_ms: int = 1_767_225_600_000
    #: Cards that are not payment cards are turned away by the terminal, and the host
    #: sees nothing (psp.md 6.3, "RFID refused by configuration").
    refuses_rfid: bool = False
    #: From power-on until the terminal answers again. ASSUMPTION.
    boot_ms: int = 15_000
    #: A card has to stay at the reader this long. ASSUMPTION.
    read_ms: int = 300

    def __post_init__(self) -> None:
        if not 1 <= self.card_detect_s <= CARD_DETECT_OFF:
            raise ValueError(
                f"card_detect_s: found {self.card_detect_s}, "
                f"allowed 1 to {CARD_DETECT_OFF}"
            )
        if self.boot_ms < 0 or self.read_ms < 1:
            raise ValueError(
                f"boot_ms, read_ms: found {self.boot_ms}, {self.read_ms}, "
                "allowed from 0, from 1"
            )

    @property
    def traits(self) -> Traits:
        return TRAITS[self.family]

    @property
    def card_detect_ms(self) -> int | None:
        """Life of a read in milliseconds; None when it never ends."""
        if self.card_detect_s == CARD_DETECT_OFF:
            return None
        return self.card_detect_s * 1000
