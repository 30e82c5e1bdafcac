"""A controller that is a program of its own: start, kill, and what it said.

The command of the declaration is started in the declaration's folder, with placeholders
filled in and the same values in its environment (device_under_test.md section 2). Its
standard output and error go to a file, the evidence of a set-up that failed.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from harness.declaration import SetupError

#: Exit status of a controller that does not implement what it was asked for.
NOT_IMPLEMENTED: Final = 89
#: From SIGTERM to SIGKILL.
GRACE_S: Final = 5.0
_TAIL_BYTES: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """Where the controller finds its terminal, its cloud, its charger, its state."""

    values: Mapping[str, str]
    #: Words in front of the command, and more of its environment (storage, clock).
    front: Sequence[str] = ()
    more: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """The values as environment variables: ``psp`` as ``NOHOLD_PSP``."""
        named = {f"NOHOLD_{name.upper()}": value for name, value in self.values.items()}
        return {**named, **self.more}

    def fill(self, command: Sequence[str]) -> list[str]:
        """The command with its placeholders replaced."""
        return [*self.front, *(self._fill_word(word) for word in command)]

    def _fill_word(self, word: str) -> str:
        for name, value in self.values.items():
            word = word.replace("{" + name + "}", value)
        return word


class ControllerProcess:
    """One program; started again with the same wiring after each death."""

    def __init__(
        self, command: Sequence[str], wiring: Wiring, *, folder: Path, log: Path
    ) -> None:
        self._name = command[0]
        self._command = wiring.fill(command)
        self._environment = {**os.environ, **wiring.environment()}
        self._folder = folder
        self._log_path = log
        self._log: IO[bytes] = log.open("ab")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the program. Raises SetupError when it cannot be started."""
        try:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                start_new_session=True,
            )
        except OSError as error:
            raise SetupError(
                f"[reach] command: cannot start {self._name!r} in "
                f"{self._folder}: {error.strerror or error}"
            ) from None

    @property
    def is_running(self) -> bool:
        """Whether it has been started and has neither ended nor been killed."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_status(self) -> int | None:
        """Its exit status once it has ended by itself; None while it runs."""
        return None if self._process is None else self._process.poll()

    def kill(self) -> None:
        """SIGKILL, the whole group; nothing of it survives."""
        self._signal(signal.SIGKILL)
        self._reap(None)
        self._process = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Stand still for a moment, so that its files can be read as they are."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def pids(self) -> list[int]:
        """Its processes, all of its session; empty when it is dead."""
        if self._process is None or not self.is_running:
            return []
        found = [int(at.name) for at in Path("/proc").iterdir() if at.name.isdigit()]
        return [pid for pid in found if _session_of(pid) == self._process.pid]

    def stop(self) -> None:
        """SIGTERM, and SIGKILL for what is still there after the grace."""
        self._signal(signal.SIGTERM)
        self._reap(GRACE_S)
        self.kill()

    def _signal(self, number: signal.Signals) -> None:
        """To the whole group, also when the program that was started has ended."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _reap(self, timeout_s: float | None) -> None:
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout_s)

    def last_words(self) -> str:
        """The last line of what it printed, for the error that needs it."""
        self._log.flush()
        return last_line(self._log_path)

    def close(self) -> None:
        """Stop the program and close its log."""
        self.stop()
        self._log.close()


def last_line(path: Path) -> str:
    """The last line of a log, however long the log is."""
    with path.open("rb") as log:
        log.seek(0, os.SEEK_END)
        log.seek(max(0, log.tell() - _TAIL_BYTES))
        lines = log.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "(it printed nothing)"


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None
