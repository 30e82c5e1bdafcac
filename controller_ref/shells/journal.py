"""What an operator reads on standard output: one line for each important event.

Ready or not, a session opened, closed or given up on, an alarm. Read from outside: from
the ledger's sessions and from the lines that leave for the charger, so the controller
does not know that it is being reported on. No card data, no keys.
"""

import json
from collections.abc import Callable, Mapping
from typing import Final

from controller_ref.core import Core
from controller_ref.ledger import Ledger
from controller_ref.session import Session
from controller_ref.transitions import FINAL, LIVE, State
from wire.machine import Action, Link, SendBytes

_ENDED: Final = (State.CLOSED, State.EXHAUSTED, State.DISPUTED, State.LOST)


class Journal:
    """``say`` is given each line, without its end."""

    def __init__(self, core: Core, ledger: Ledger, say: Callable[[str], None]) -> None:
        self._core = core
        self._ledger = ledger
        self._say = say
        self._was_ready = False
        #: What is settled was told by an earlier boot.
        self._told: dict[int, State] = {
            key: session.state
            for key, session in ledger.sessions.items()
            if session.state in FINAL
        }

    def sent(self, action: Action) -> None:
        """An action leaves the controller."""
        if not isinstance(action, SendBytes) or action.link is not Link.BAY:
            return
        line = json.loads(action.data)
        if line.get("type") == "alarm":
            self._say(f"alarm {line['code']}: {line['text']}{_where(line)}")

    def look(self) -> None:
        """Something may have changed."""
        if self._core.is_ready is not self._was_ready:
            self._was_ready = self._core.is_ready
            self._say("ready" if self._was_ready else "not ready")
        sessions = self._ledger.sessions
        for key, session in sessions.items():
            if self._told.get(key) is not session.state:
                self._tell(session)
        self._told = {key: session.state for key, session in sessions.items()}

    def _tell(self, session: Session) -> None:
        name = f"session {session.session_id or '?'}"
        was_open = self._told.get(session.key) in (*LIVE, State.CLOSING)
        if session.state in _ENDED:
            done = f"{session.op} {session.amount_minor}" if session.op else "unknown"
            self._say(f"{name} {session.state}: {done}")
        elif session.state in LIVE and not was_open:
            self._say(f"{name} open: up to {session.limit_minor}")
        elif session.state is State.CHARGING:
            self._say(f"{name} charging at connector {session.connector}")


def _where(line: Mapping[str, object]) -> str:
    names = ("session_id", "connector")
    found = ", ".join(f"{name} {line[name]}" for name in names if name in line)
    return f" ({found})" if found else ""
