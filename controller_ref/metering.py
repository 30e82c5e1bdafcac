"""Which meter readings are believed, and what they add up to.

A register that moves faster than the connector can deliver, or backwards, has not
measured energy: the step is replaced by what the meter's own power says flowed, and
counting goes on from the new register. So a jump costs the driver nothing and a fall
costs the operator nothing (S-D07, R-FLT-04). What a meter calls suspect, or no number
at all, is not looked at; the next good reading brings the energy in between along.
"""

from dataclasses import dataclass
from typing import Final

from controller_ref.session import Session

#: Readings are late by what the line takes, and registers are whole Wh.
_SLACK_MS: Final = 2_000
_SLACK_WH: Final = 2
_MS_W_PER_WH: Final = 3_600_000
#: Taken as the age of a reading when the calendar clock went backwards meanwhile.
_UNKNOWN_AGE_MS: Final = 7 * 86_400_000
#: A register of which nothing good has been heard.
UNREAD: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A register that the charger calls good."""

    register_wh: int
    power_w: int
    wall_ms: int


def begin(session: Session, register_wh: int, *, wall_ms: int) -> None:
    """Count from here: nothing has flowed yet."""
    session.register_wh, session.metered_wall_ms = register_wh, wall_ms


def take(session: Session, reading: Reading, *, max_power_w: int) -> bool:
    """Add what flowed since the last reading; False when the step is not believed."""
    if session.register_wh == UNREAD:
        begin(session, reading.register_wh, wall_ms=reading.wall_ms)
        return True
    age_ms = reading.wall_ms - session.metered_wall_ms
    if age_ms < 0:
        age_ms = _UNKNOWN_AGE_MS
    step_wh = reading.register_wh - session.register_wh
    most_wh = max_power_w * (age_ms + _SLACK_MS) // _MS_W_PER_WH + _SLACK_WH
    is_plausible = 0 <= step_wh <= most_wh
    if not is_plausible:
        power_w = min(max(reading.power_w, 0), max_power_w)
        known_ms = max(reading.wall_ms - session.metered_wall_ms, 0)
        step_wh = min(power_w * known_ms // _MS_W_PER_WH, most_wh)
    session.energy_wh += step_wh
    # A register that stands still although power flows will catch up in one step, so
    # the age of its last movement is kept.
    if step_wh or not is_plausible or reading.power_w == 0:
        session.metered_wall_ms = reading.wall_ms
    session.register_wh = reading.register_wh
    return is_plausible


def skip(session: Session, *, wall_ms: int) -> None:
    """Count time from now on: nobody can say how long we were dead.

    Only the calendar could, and it may have been put meanwhile; what nobody can prove
    is not billed. A charger that was away as well is asked from when it went.
    """
    if session.energised_wall_ms:
        session.energised_wall_ms = wall_ms


def accrue(session: Session, *, wall_ms: int, is_closed: bool) -> None:
    """Count the time with the contactor closed up to now."""
    if session.energised_wall_ms:
        passed_ms = wall_ms - session.energised_wall_ms
        session.energised_ms += passed_ms if 0 <= passed_ms <= _UNKNOWN_AGE_MS else 0
    session.energised_wall_ms = wall_ms if is_closed else 0
