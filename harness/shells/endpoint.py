"""A box on a bench as a device under test: it runs already, and goes on after a case.

The examiner opens the declared ports, says what to configure, and waits. Nobody can
kill the box but whoever can cut its power: ``power_command`` does, off and on again in
one go, and the case goes on meanwhile. What needs more than that (its storage, its
clock, a death without the command) is NOT APPLICABLE.
"""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.deaths import Doom
from harness.declaration import NotClaimed, SetupError
from harness.device import note_life
from harness.shells.process import last_line
from harness.unready import has_contact, what_came

if TYPE_CHECKING:
    from harness.bench import Bench

#: A relay clicks at once, a power strip with a web page takes a while; seconds.
POWER_COMMAND_S: Final = 60

#: Where the examiner listens when ``[reach]`` does not say.
PORTS: Final[Mapping[str, int]] = {
    "psp_port": 3201,
    "cps_port": 8201,
    "bay_port": 8202,
}


class EndpointDevice:
    """See the module's text. ``forget_links`` drops connections that a death broke."""

    def __init__(
        self,
        bench: "Bench",
        *,
        folder: Path,
        log: Path,
        forget_links: Callable[[int], None],
    ) -> None:
        self._bench = bench
        self._folder = folder
        self._log = log
        self._forget_links = forget_links
        self._power_command = bench.declaration.listed("reach", "power_command")
        self.boots = 0

    @property
    def is_alive(self) -> bool:
        """Nobody can tell; a box has power unless its power is being cut."""
        return self.boots > 0

    @property
    def has_state(self) -> bool:
        return False

    def start(self) -> None:
        """It runs already, also after its power has been cut."""
        if not self.is_alive:
            self._note_start()

    def kill(self) -> None:
        """Cut its power and restore it. Raises NotClaimed without a way to do so."""
        if not self._power_command:
            raise NotClaimed("[reach] power_command: not given, so it cannot be killed")
        note_life(self._bench.court, "killed", self.boots)
        since = len(self._bench.trace.records)
        self._cycle_power(self._power_command)
        self._forget_links(since)
        self._note_start()

    def _note_start(self) -> None:
        self.boots += 1
        note_life(self._bench.court, "started", self.boots)

    def _cycle_power(self, command: Sequence[str]) -> None:
        """Run the command while the world goes on. Raises SetupError."""
        name = f"[reach] power_command: {command[0]!r}"
        try:
            with self._log.open("wb") as log:
                power = subprocess.Popen(
                    command,
                    cwd=self._folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
        except OSError as error:
            raise SetupError(f"{name}: {error.strerror or error}") from None
        within_ms = POWER_COMMAND_S * 1000 * self._bench.time_scale
        if not self._bench.run_until(lambda: power.poll() is not None, within_ms):
            power.kill()
            power.wait()
            raise SetupError(f"{name} was not over after {POWER_COMMAND_S} s")
        if power.returncode != 0:
            words = last_line(self._log)
            raise SetupError(f"{name} ended with status {power.returncode}: {words}")

    def why_unready(self) -> str:
        if not has_contact(self._bench):
            return "nothing has connected to the ports"
        return what_came(self._bench)

    def fail_storage(self, kind: str) -> Callable[[], None]:
        """Raises NotClaimed: nobody outside a box gets at its storage."""
        raise NotClaimed(f"the storage of a box cannot be made {kind} from outside")

    def shift_clock(
        self, seconds: int, *, ppm: int = 0, epoch: bool = False
    ) -> Callable[[], None]:
        """Raises NotClaimed: nobody outside a box moves its clock."""
        raise NotClaimed("the clock of a box cannot be moved from outside")

    def wrap_counter(
        self, in_ms: int, *, passed: Callable[[str], None]
    ) -> Callable[[], None]:
        """Raises NotClaimed: nobody outside a box sets its counters."""
        raise NotClaimed("the counter of a box cannot be set from outside")

    def die_at(self, doom: Doom) -> Callable[[], None]:
        """Raises NotClaimed: no relay is as fast as a box."""
        raise NotClaimed(
            f"the power of a box cannot be cut right {doom.moment} a {doom.what}"
        )

    def close(self) -> None:
        """The box goes on."""
