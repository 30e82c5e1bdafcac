"""The durable store of a controller object: one image, which fails as a disk does."""

from collections.abc import Callable, Mapping
from typing import Final

from harness.deaths import Moment


class MemoryStore:
    """A durable store in memory, which can fail as a disk does.

    ``failures`` are reasons for which nothing can be written. ``at_death`` is what
    becomes of the image when the power goes: ``torn`` (its end is missing), ``corrupt``
    (its end is overwritten) or ``lost_write`` (it is the one before).
    """

    def __init__(self) -> None:
        self.image: bytes | None = None
        self.failures: list[str] = []
        self.at_death: list[str] = []
        self.saves = 0
        #: Asked before and after each image that is kept; may raise ``Died``.
        self.on_write: Callable[[Moment], None] = lambda _moment: None
        self._before: bytes | None = None
        #: How often it had been saved when a death damaged it.
        self._damaged_after: int | None = None

    def load(self) -> bytes | None:
        return self.image

    def save(self, image: bytes) -> None:
        if self.failures:
            raise OSError(self.failures[-1])
        self.on_write("before")
        self.saves += 1
        self._before, self.image = self.image, image
        self.on_write("after")

    def die(self) -> list[str]:
        """The power goes; tells in words what befell the image."""
        kinds, self.at_death = self.at_death, []
        if kinds and self.image is not None:
            self._damaged_after = self.saves
        told = []
        for kind in kinds:
            hit = "nothing was at risk"
            is_synced = kind == "lost_write" and self._before is self.image
            if self.image is not None and not is_synced:
                hit = f"the image of {len(self.image)} bytes"
                self.image = _DAMAGES[kind](self.image, self._before)
            told.append(f"state {kind}: {hit}")
        # What has outlived a death is on the disk for good.
        self._before = self.image
        return told

    def mend(self) -> None:
        """New storage for what a death has damaged, unless it was written over since.

        Not what was there before: the controller has acted without it, and to bring the
        past back would make it do so again.
        """
        damaged_after, self._damaged_after = self._damaged_after, None
        if damaged_after == self.saves:
            self.image = None


_DAMAGES: Final[Mapping[str, Callable[[bytes, bytes | None], bytes | None]]] = {
    "torn": lambda image, _before: image[: len(image) // 2],
    "corrupt": lambda image, _before: (
        image[: len(image) // 2] + b"\xff" * (len(image) - len(image) // 2)
    ),
    "lost_write": lambda _image, before: before,
}
FAILURES: Final[Mapping[str, str]] = {
    "full": "no space left on device",
    "read_only": "read-only file system",
}
