"""What all parts of the controller share: settings, memory, timers, and two voices.

``show`` speaks to the driver, ``alarm`` to the operator; both go over the bay link, and
to the terminal's own screen while that link is down. ``now_ms`` is set by the core
before anything else happens, and is the only clock there is.
"""

import json
from collections.abc import Mapping
from typing import Final

from controller_ref.charger_side import ChargerSide
from controller_ref.ledger import Ledger
from controller_ref.port import TerminalPort
from controller_ref.session import Session
from controller_ref.settings import Settings
from controller_ref.timers import For, Timers

#: A storage that has failed is tried again so often, whether or not there is news.
_STORE_AGAIN_MS: Final = 10_000


class Desk:
    def __init__(
        self,
        settings: Settings,
        *,
        ledger: Ledger,
        terminal: TerminalPort,
        charger: ChargerSide,
    ) -> None:
        self.settings = settings
        self.ledger = ledger
        self.terminal = terminal
        self.charger = charger
        self.timers = Timers()
        self.now_ms = 0
        self._booted_wall_ms = 0

    def boot(self, wall_ms: int, now_ms: int) -> None:
        self.now_ms = now_ms
        self._booted_wall_ms = wall_ms - now_ms

    @property
    def wall_ms(self) -> int:
        """Calendar time by the clock at boot plus the monotonic clock (R-RTY-08)."""
        return self._booted_wall_ms + self.now_ms

    def put(self, session: Session) -> bool:
        """Write a session down; an alarm when the storage fails."""
        was_healthy = self.ledger.is_healthy
        is_durable = self.ledger.put(session)
        if was_healthy and not is_durable:
            self.alarm("ledger", "The ledger cannot be written", session=session)
        self._store_later(is_durable=is_durable)
        return is_durable

    def store_again(self) -> None:
        """What could not be written, before a death makes us do it all again."""
        self._store_later(is_durable=self.ledger.flush())

    def _store_later(self, *, is_durable: bool) -> None:
        name = (For.STORAGE, 0)
        if is_durable or self.ledger.is_damaged:
            self.timers.cancel(name)
        elif not self.timers.is_set(name):
            self.timers.set(name, self.now_ms + _STORE_AGAIN_MS)

    def note(self, session: Session | None, text: str) -> None:
        self.ledger.note(session, text, wall_ms=self.wall_ms)

    def show(
        self,
        text: str,
        *,
        code: str = "",
        kind: str = "info",
        connector: int = 0,
        session: Session | None = None,
    ) -> None:
        """Tell the driver. A session adds its id, and its amount once decided."""
        if not self.charger.is_up:
            self.terminal.tell(text, self.now_ms)
            return
        fields: dict[str, object] = {"type": "show", "connector": connector or None}
        fields.update({"kind": kind, "text": text})
        if code:
            fields["code"] = code
        if session is not None and session.session_id:
            fields["session_id"] = wire_id(session.session_id)
        if session is not None and session.op:
            fields["amount_minor"] = session.amount_minor
        self.charger.send(fields)

    def show_price(self) -> None:
        """What will be reserved, before anybody taps (R-AMT-11)."""
        settings = self.settings
        text = (
            f"{money(settings.reserve_minor, settings.currency)} will be reserved; "
            f"{money(settings.tariff.per_kwh, settings.currency)} per kWh"
        )
        fields = {"type": "show", "connector": None, "kind": "price", "text": text}
        self.charger.send({**fields, "amount_minor": settings.reserve_minor})

    def alarm(
        self,
        code: str,
        text: str,
        *,
        session: Session | None = None,
        session_id: str = "",
        connector: int = 0,
    ) -> None:
        """Tell the operator; kept until the bay link is up."""
        self.note(session, f"alarm {code}: {text}")
        fields: dict[str, object] = {"type": "alarm", "code": code, "text": text}
        named = session_id or (session.session_id if session else "")
        if named:
            fields["session_id"] = wire_id(named)
        if where := connector or (session.connector if session else 0):
            fields["connector"] = where
        self.charger.send_or_keep(fields)


def wire_id(session_id: str) -> int | str:
    """An id as the terminal's protocol writes it: PSP a number, CPS a text."""
    is_number = session_id.isdecimal() and len(session_id) <= 10
    return int(session_id) if is_number else session_id


def money(amount_minor: int, currency: str) -> str:
    return f"{currency} {amount_minor // 100}.{amount_minor % 100:02}"


def add_receipt(session: Session, data: Mapping[str, str]) -> None:
    """Keep what the terminal said for the receipt (R-UI-04)."""
    if data:
        session.receipt = json.dumps({**json.loads(session.receipt), **data})
