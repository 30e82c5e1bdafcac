"""A small disk under the controller's state directory, that can be full or read-only.

It is a tmpfs that only the controller sees: a keeper (``disk_keeper``) holds it in a
mount namespace, and the controller is started in there with ``nsenter``. That needs no
rights on most Linux machines. Where the kernel forbids it (many containers do), or
``nsenter`` is missing, there is no such disk, and what needs one is NOT APPLICABLE with
the reason.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from harness.declaration import NotClaimed

#: Room for the state of a controller; memory is only taken for what is written.
SIZE_BYTES: Final = 64 * 1024 * 1024
_KEEPER: Final = Path(__file__).with_name("disk_keeper.py")


class SmallDisk:
    """Covers ``folder``. Raises NotClaimed, with the reason, where it cannot be."""

    def __init__(self, folder: Path, *, size: int = SIZE_BYTES) -> None:
        if shutil.which("nsenter") is None:
            raise NotClaimed("no small disk for its state: nsenter is not installed")
        self._folder = folder
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_KEEPER), str(folder), str(size)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        said, _, rest = self._hear().partition(" ")
        if said != "ready":
            self.close()
            raise NotClaimed(f"no small disk for its state: {rest or 'mounts fail'}")
        self._own_user = rest == "user"

    @property
    def inside(self) -> Path:
        """The folder as the controller sees it, for whoever stands outside."""
        return Path(f"/proc/{self._keeper.pid}/root{self._folder}")

    def front(self, folder: Path) -> tuple[str, ...]:
        """What goes in front of a command to run it on the disk, in ``folder``."""
        enter = ("nsenter", f"--target={self._keeper.pid}", "--mount")
        user = ("--user", "--preserve-credentials") if self._own_user else ()
        return (*enter, *user, f"--wd={folder.resolve()}", "--")

    def tell(self, word: str) -> None:
        """``full``, ``read_only`` or ``heal``. Raises NotClaimed with the reason."""
        assert self._keeper.stdin is not None
        self._keeper.stdin.write(word + "\n")
        self._keeper.stdin.flush()
        if (said := self._hear()) != "done":
            wish = word.replace("_", "-")
            raise NotClaimed(
                f"its disk cannot be made {wish} now: {said} "
                "(Linux does not while a file on it is open for writing)"
            )

    def _hear(self) -> str:
        assert self._keeper.stdout is not None
        return self._keeper.stdout.readline().strip()

    def close(self) -> None:
        """Let the disk go; it ends with the last program on it."""
        for pipe in (self._keeper.stdin, self._keeper.stdout):
            assert pipe is not None
            pipe.close()
        self._keeper.wait()
