"""Which session belongs to which connector, as far as the controller has said so.

Neither PSP nor CPS carries a connector. A controller may name both in what it shows at
the charger or tells the operator (``show`` and ``alarm`` of the bay link); until then
nobody knows. The bench does not guess.
"""

from collections.abc import Mapping
from typing import Final

from wire.records import Record

MAX_NAMED: Final = 10_000
#: A UUID has 36 characters; longer names are no session's.
MAX_NAME: Final = 36
_TELLING: Final = ("show", "alarm")


class Bindings:
    """Session id, as either protocol writes it, to connector."""

    def __init__(self) -> None:
        self._connectors: dict[int | str, int] = {}

    def see(self, record: Record) -> None:
        """Learn from one record of the trace."""
        if record["kind"] != "bay" or record["direction"] != "to_charger":
            return
        line = record["line"]
        if not isinstance(line, Mapping) or line.get("type") not in _TELLING:
            return
        named, connector = line.get("session_id"), line.get("connector")
        if isinstance(named, int | str) and type(connector) is int:
            self._learn(named, connector)

    def _learn(self, named: int | str, connector: int) -> None:
        if len(str(named)) > MAX_NAME:
            return
        self._connectors.pop(named, None)
        self._connectors[named] = connector
        if len(self._connectors) > MAX_NAMED:
            del self._connectors[next(iter(self._connectors))]

    def connector(self, session_id: str, psp_session_id: int) -> int | None:
        """The connector of a session; None while nobody has named it."""
        by_uuid = self._connectors.get(session_id)
        return self._connectors.get(psp_session_id) if by_uuid is None else by_uuid

    def clear(self) -> None:
        """The sessions are gone."""
        self._connectors.clear()
