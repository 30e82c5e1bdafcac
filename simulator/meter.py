"""The energy meter of one connector: what it shows, which may not be what flowed.

The true register is the connector's integral on top of the reading the meter had when
the run began. What is *shown* is that register with the troubles of the meter in front
of it (``simulator.events.Trouble``). The meter never adds up energy itself.

Two readings are told apart on purpose: the register in a ``meter`` line may be missing
(``meter_nan``: null, the nearest that JSON has to not-a-number), the one in ``welcome``
is always a number, the last that could be read.
"""

from simulator.energy import MJ_PER_WH, Integral, whole_wh


class Meter:
    """Shows an integral; ``initial_wh`` is the register at the start of the run."""

    __slots__ = (
        "_frozen_wh",
        "_initial_mj",
        "_integral",
        "_offset_wh",
        "broken",
        "frozen",
        "nan",
        "said",
        "silent",
        "suspect",
    )

    def __init__(self, integral: Integral, *, initial_wh: int) -> None:
        if initial_wh < 0:
            raise ValueError(f"register: found {initial_wh} Wh, allowed 0 and up")
        self._integral = integral
        self._initial_mj = initial_wh * MJ_PER_WH
        self._offset_wh = 0
        self._frozen_wh: int | None = None
        self.frozen = False
        #: The charger reports ``PowerMeterFailure``.
        self.broken = False
        self.nan = False
        self.silent = False
        self.suspect = False
        #: The last register and power that went out; None at the start of a link.
        self.said: tuple[int | None, int] | None = None

    def true_wh(self, now_ms: int) -> int:
        return whole_wh(self._initial_mj + self._integral.at_mj(now_ms))

    def shown_wh(self, now_ms: int) -> int:
        """The register as displayed; it never goes below 0."""
        if self._frozen_wh is not None:
            return self._frozen_wh
        return max(0, self.true_wh(now_ms) + self._offset_wh)

    @property
    def quality(self) -> str:
        return "suspect" if self.suspect or self.broken else "good"

    def shift(self, amount_wh: int) -> None:
        """The register jumps (or falls) by ``amount_wh`` and goes on from there."""
        self._offset_wh += amount_wh

    def hold(self, now_ms: int) -> None:
        """Freeze or thaw the display, as ``frozen`` and ``broken`` say."""
        if not (self.frozen or self.broken):
            self._frozen_wh = None
        elif self._frozen_wh is None:
            self._frozen_wh = self._last_said(now_ms)

    def _last_said(self, now_ms: int) -> int:
        """A meter that cannot be read repeats the last register that it sent."""
        if self.said is not None and self.said[0] is not None:
            return self.said[0]
        return self.shown_wh(now_ms)

    def reading(self, now_ms: int) -> tuple[int | None, int]:
        """Register (None: not a number) and power, as a ``meter`` line has them."""
        return (None if self.nan else self.shown_wh(now_ms)), self._integral.power_w
