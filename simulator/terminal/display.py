"""What the driver sees on the terminal.

Four layers, the topmost that has something wins: the device itself (off, starting), the
payment flow, a passing message (approved, declined, ``uiMessage``), and the screen the
host has asked for (UI Request, E11). A host's screen asked for while the payment flow
owns the display is accepted and becomes visible afterwards (psp.md 3.3). With nothing
to show, the idle screen is visible. Only changes are noted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from simulator.terminal.outbox import Outbox
from simulator.trace import shortened

#: How long the outcome of a payment stays on the screen. ASSUMPTION.
RESULT_MS: Final = 5_000
#: A trace keeps this much of what a screen says; no driver reads more.
MAX_NOTED: Final = 2_000
#: Digits after the point where they are not two (ISO 4217).
_EXPONENTS: Final[Mapping[str, int]] = {
    "JPY": 0, "KRW": 0, "ISK": 0, "CLP": 0, "BHD": 3, "JOD": 3, "KWD": 3, "TND": 3,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One screen: which, what the driver reads, and the buttons on it."""

    screen: str
    text: str
    buttons: tuple[str, ...] = ()
    #: Correlation id of an E11 screen, returned with each press.
    screen_id: str = ""
    #: Whose screen it is: a press goes back there. Empty: the terminal's own.
    face: Literal["psp", "cps", ""] = ""


IDLE: Final = Screen(screen="idle", text="Welcome")
OFF: Final = Screen(screen="off", text="")
STARTING: Final = Screen(screen="starting", text="Starting")


def money(amount_minor: int, currency: str) -> str:
    """An amount as drivers read it, e.g. ``EUR 25.00``."""
    exponent = _EXPONENTS.get(currency, 2)
    if exponent == 0:
        return f"{currency} {amount_minor}"
    whole, rest = divmod(amount_minor, 10**exponent)
    return f"{currency} {whole}.{rest:0{exponent}d}"


class Display:
    """The layers, and a note whenever the visible one changes."""

    def __init__(self, out: Outbox) -> None:
        self._out = out
        self._device: Screen | None = None
        self._flow: Screen | None = None
        self._passing: Screen | None = None
        self._passing_until_ms: int | None = None
        self._host: Screen | None = None
        self._shown = IDLE

    @property
    def visible(self) -> Screen:
        return self._shown

    def device(self, screen: Screen | None) -> None:
        """The terminal is off or starting (screen), or works (None)."""
        self._device = screen
        if screen is not None:
            self._flow = self._passing = self._host = self._passing_until_ms = None
        self._refresh()

    def flow(self, screen: str, text: str) -> None:
        """The payment flow takes or keeps the display."""
        self._flow = Screen(screen=screen, text=text)
        self._passing = self._passing_until_ms = None
        self._refresh()

    def release(self) -> None:
        """The payment flow gives the display back."""
        self._flow = None
        self._refresh()

    def passing(
        self, screen: str, text: str, *, now_ms: int, for_ms: int = RESULT_MS
    ) -> None:
        """Show something for a while, then what was below it."""
        self._passing = Screen(screen=screen, text=text)
        self._passing_until_ms = now_ms + for_ms
        self._refresh()

    def host(self, screen: Screen | None) -> None:
        """The host asks for a screen of its own, or takes it back."""
        self._host = screen
        self._refresh()

    def deadline_ms(self) -> int | None:
        return self._passing_until_ms

    def on_deadline(self, now_ms: int) -> None:
        if self._passing_until_ms is not None and self._passing_until_ms <= now_ms:
            self._passing = self._passing_until_ms = None
            self._refresh()

    def _refresh(self) -> None:
        layers = (self._device, self._flow, self._passing, self._host, IDLE)
        visible = next(layer for layer in layers if layer is not None)
        if visible != self._shown:
            self._shown = visible
            self._out.note(
                "display",
                screen=shortened(visible.screen, MAX_NOTED),
                text=shortened(visible.text, MAX_NOTED),
            )
