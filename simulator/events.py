"""What the machines of the forecourt tell each other.

Terminal, issuer and station are machines that never call each other: the forecourt
takes the actions of one, appends notes to the trace, and hands the rest to whom they
concern, after the delay of the line between them. Grouped by who may send what.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from wire.cps import Request, Response

# --- Anyone -> the trace --------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A record for the trace; ``kind`` and fields as in ``wire.records.KINDS``."""

    kind: str
    fields: Mapping[str, object]


# --- People -> terminal ---------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CardTapped:
    """A test card (a name in ``simulator.cards``) is held to the reader."""

    card: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRemoved:
    """The card leaves the reader before it has been read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalButtonPressed:
    """A button on the terminal's own screen; ``button`` as named by the controller."""

    button: str


# --- People -> station ----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleParked:
    connector: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleLeft:
    """The vehicle drives off; a plug still in is torn out first."""

    connector: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlugInserted:
    connector: int
    #: A name in ``simulator.vehicle.VEHICLES``.
    vehicle: str
    #: A plug that is not seated makes the pilot flap between A and B.
    seated: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PlugRemoved:
    connector: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyWanted:
    """The vehicle asks for energy (pilot C, or D when it needs ventilation)."""

    connector: int
    #: None: what the vehicle takes by its own charging curve.
    power_w: int | None = None
    ventilation: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyPaused:
    """The vehicle stops asking (pilot B)."""

    connector: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonPressed:
    connector: int
    button: Literal["start", "stop", "cancel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyStopMoved:
    active: bool


# --- Bench -> terminal ----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PspConnected:
    """A host opened the line (TCP accepted, or the serial port opened)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PspDisconnected:
    """The host's end is gone. On a serial line the terminal cannot notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PspBytes:
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudCalled:
    """An HTTP request reached the payment cloud; ``call`` is the trace's number."""

    call: int
    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudHungUp:
    """Whoever made ``call`` waits for its answer no longer."""

    call: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalPower:
    """The terminal loses or regains power."""

    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLinkMoved:
    """The line from the terminal to its payment host (the issuer) goes up or down."""

    up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudLinkMoved:
    """The line from the terminal to the CPS cloud goes up or down."""

    up: bool


# --- Terminal -> bench ----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PspToHost:
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PspHangUp:
    """The terminal closes the TCP connection."""

    reason: Literal["idle", "second_client", "reboot", "power"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudAnswer:
    call: int
    response: Response


@dataclass(frozen=True, slots=True, kw_only=True)
class PostCallback:
    """The cloud posts ``body`` (JSON) to an URL the controller has given."""

    what: Literal["card", "ui", "session", "state"]
    url: str
    body: bytes


# --- Terminal -> issuer ---------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorise:
    request: int
    card: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Increment:
    """Ask that ``hold`` be raised or lowered to a new total."""

    request: int
    hold: str
    total_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """Take ``amount_minor`` from ``hold``; the rest goes back to the cardholder."""

    request: int
    hold: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    request: int
    hold: str


# --- Issuer -> terminal ---------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerAnswered:
    """The issuer's answer to ``request``; exactly one, or none (silence)."""

    request: int
    outcome: Literal[
        "approved", "partial", "declined", "captured", "released", "refused"
    ]
    #: The hold; empty when declined.
    hold: str = ""
    #: What is held (approved, partial), captured or released.
    amount_minor: int = 0
    #: Decline reason, a byte of psp.md 5.2; 0 when not declined.
    reason: int = 0
    #: The host's transaction reference, 12 digits.
    host_reference: str = ""


# --- Bench -> station -----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class BayConnected:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class BayDisconnected:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class BayBytes:
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePower:
    """The site's power: off opens all contactors and stops the charger."""

    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StationRebooted:
    """The charger restarts: contactors open, ``boot`` counts up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerFault:
    """An OCPP 1.6 ChargePointErrorCode starts or ends; None is the whole station."""

    connector: int | None
    code: str
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailabilityMoved:
    connector: int
    available: bool


#: What may misbehave, and how; see ``Trouble``.
Part = Literal[
    "contactor_welded",
    "contactor_dead",
    "lock_stuck",
    "meter_frozen",
    "meter_suspect",
    "meter_jump",
    "meter_falls",
    "meter_nan",
    "meter_silent",
    "refuses",
    "pilot",
    "sensor",
    "connection_timeout",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A part of one connector misbehaves, or works again (``active`` false).

    ``contactor_welded`` stays closed; ``contactor_dead`` never closes; ``lock_stuck``
    keeps its position; ``meter_frozen`` repeats its register; ``meter_suspect`` sends
    quality suspect; ``meter_jump`` adds ``amount`` Wh to the register once;
    ``meter_falls`` takes ``amount`` Wh away once; ``meter_nan`` sends no number;
    ``meter_silent`` sends nothing; ``refuses`` rejects the next close command with
    ``reason``; ``pilot`` forces the pilot to ``reason`` (E or F); ``sensor`` forces the
    bay sensor to empty; ``connection_timeout`` rejects with ``reason`` when no vehicle
    has come ``amount`` seconds after the lock or contactor command.
    """

    connector: int
    part: Part
    active: bool = True
    amount: int = 0
    reason: str = ""


# --- Station -> bench -----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class BayToController:
    """One whole line (with its newline) for the controller."""

    data: bytes
