"""One seed, from which all chance of a run is drawn.

Everything that needs chance asks for a stream by name. Streams are independent: what
one machine draws never shifts what another sees, so a change in one corner of the
forecourt leaves the rest of the run as it was. They are derived with a hash of our own
choosing and not with Python's, so neither process, platform nor locale shows in a run.
Apart from tests this is the only module that makes a ``random.Random``.
"""

from hashlib import sha256
from random import Random


class Seed:
    """The number that a run is repeated with."""

    def __init__(self, value: int) -> None:
        self.value = value

    def stream(self, name: str) -> Random:
        """A fresh generator for ``name``; the same name gives the same numbers."""
        return Random(self._number(f"stream {name}"))

    def child(self, name: str) -> "Seed":
        """A seed of its own for a part of a campaign."""
        return Seed(self._number(f"child {name}") >> 192)

    def _number(self, purpose: str) -> int:
        text = f"nohold {self.value} {purpose}"
        return int.from_bytes(sha256(text.encode("utf-8")).digest(), "big")
