"""The OCPP 1.6 error codes that a charger can report, and what each does to a charge.

A table: the name on the wire, whether the charger takes the power away by itself, and
which part it reports as broken. Which codes end a charge follows the map from trigger
to disposal in the requirements catalogue (1.15): trouble with a card reader, a radio
or a list of tokens is no reason to stop a vehicle (S-D11).
"""

# ruff: noqa: E501

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultCode:
    about: str
    #: The contactor opens by itself and refuses to close while the fault is active.
    stops_power: bool
    #: The part that does not work while the fault is active.
    breaks: Literal["", "lock", "meter"] = ""


# fmt: off
FAULT_CODES: Final[Mapping[str, FaultCode]] = {
    "ConnectorLockFailure": FaultCode(about="the cable lock does not move",            stops_power=True,  breaks="lock"),
    "EVCommunicationError": FaultCode(about="the vehicle cannot be understood",        stops_power=True),
    "GroundFailure":        FaultCode(about="the residual-current device tripped",     stops_power=True),
    "HighTemperature":      FaultCode(about="too hot inside",                          stops_power=True),
    "InternalError":        FaultCode(about="the charger's own hardware or software",  stops_power=True),
    "LocalListConflict":    FaultCode(about="a list of tokens does not match",         stops_power=False),
    "OtherError":           FaultCode(about="anything else",                           stops_power=True),
    "OverCurrentFailure":   FaultCode(about="too much current",                        stops_power=True),
    "OverVoltage":          FaultCode(about="the mains voltage is too high",           stops_power=True),
    "PowerMeterFailure":    FaultCode(about="the meter cannot be read",                stops_power=True,  breaks="meter"),
    "PowerSwitchFailure":   FaultCode(about="the contactor cannot be trusted",         stops_power=True),
    "ReaderFailure":        FaultCode(about="the charger's token reader",              stops_power=False),
    "ResetFailure":         FaultCode(about="a reset could not be done",               stops_power=False),
    "UnderVoltage":         FaultCode(about="the mains voltage is too low",            stops_power=True),
    "WeakSignal":           FaultCode(about="the charger's radio link is weak",        stops_power=False),
}
# fmt: on


def fault_code(code: str) -> FaultCode:
    """The row of ``code``; ValueError naming what is allowed (``NoError`` is not)."""
    if code not in FAULT_CODES:
        allowed = ", ".join(FAULT_CODES)
        raise ValueError(f"fault code: found {code!r}, allowed {allowed}")
    return FAULT_CODES[code]
