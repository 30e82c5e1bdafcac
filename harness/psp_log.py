"""What the trace keeps of a PSP line.

All that is understood, in whole; of what nobody can understand only so much as somebody
will read (``simulator.flood``). The terminal's answers to garbage that was not kept are
not kept either: they are ``None`` in place of messages.
"""

from collections.abc import Mapping, Sequence

from harness.line_faults import Way
from simulator.flood import MAX_SHOWN_BYTES, Flood
from simulator.forecourt import Forecourt
from simulator.trace import hex_pairs

Messages = Sequence[Mapping[str, object]]


class PspLog:
    """Writes the ``psp`` records of one line."""

    def __init__(self, court: Forecourt) -> None:
        self._court = court
        self._flood = Flood()
        #: The terminal answers garbage that was not recorded.
        self.is_muted = False

    def keep(
        self, way: Way, data: bytes, *, fate: str, messages: Messages | None
    ) -> bool:
        """Record what came, unless it is more garbage than anybody will read."""
        if messages is None:
            return False
        if way == "to_terminal":
            sense = any("message" in message for message in messages)
            garbage = bool(messages) and not sense
            if not self._flood.keeps(len(data), sense=sense, garbage=garbage):
                return False
            if sense:
                self.tell_of_flood()
        self._record(way, data, fate=fate, messages=messages)
        return True

    def tell_of_flood(self) -> None:
        """The line makes sense again, or goes down: say how much was left out."""
        words = self._flood.told()
        if words:
            malformed = [{"malformed": words}]
            self._record("to_terminal", b"", fate="delivered", messages=malformed)

    def _record(self, way: Way, data: bytes, *, fate: str, messages: Messages) -> None:
        fields: dict[str, object] = {
            "direction": way,
            "hex": hex_pairs(data[:MAX_SHOWN_BYTES]),
            "fate": fate,
            "messages": messages,
        }
        if len(data) > MAX_SHOWN_BYTES:
            fields["length"] = len(data)
        self._court.trace.append(self._court.kernel.now_ms, "psp", fields)
