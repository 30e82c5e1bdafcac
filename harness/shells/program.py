"""A program as a device under test: deaths, storage faults and clock jumps for real.

The examiner starts it, and ends it with SIGKILL at any moment; its state directory
stays. What it can do to the program's storage and clock is in ``state_folder`` and
``lying_clock``, and is NOT APPLICABLE, with the reason, where the machine or the
program does not allow it.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from harness.deaths import WRITE, Doom, names_in
from harness.declaration import Declined, NotClaimed
from harness.device import note_life
from harness.shells.lying_clock import LyingClock
from harness.shells.process import NOT_IMPLEMENTED, ControllerProcess
from harness.shells.state_folder import StateFolder
from harness.unready import what_came
from simulator import events

if TYPE_CHECKING:
    from harness.bench import Bench

#: Records that the controller has caused: kind -> the direction that is its own.
_SAYS: Final[Mapping[str, str | None]] = {
    "psp": "to_terminal",
    "bay": "to_charger",
    "http": None,
    "callback_answer": None,
}
#: From a death to what befalls its storage: by then all that it had said is heard.
HEARD_AFTER_MS: Final = 100


class ProgramDevice:
    """See the module's text."""

    def __init__(
        self,
        process: ControllerProcess,
        *,
        bench: "Bench",
        state: StateFolder,
        clock: LyingClock,
        died: Callable[[], None],
    ) -> None:
        self._process = process
        self._state = state
        self._clock = clock
        self._died = died
        self._bench = bench
        self._died_ms: int | None = None
        self._dooms: list[Doom] = []
        #: Dead, and what the lines know of it has not been done yet.
        self._is_dying = False
        self.boots = 0
        bench.trace.watchers.append(self._watch)

    @property
    def is_alive(self) -> bool:
        return self._process.is_running

    @property
    def has_state(self) -> bool:
        return self._state.has_state

    # --- life and death ---------------------------------------------------------

    def start(self) -> None:
        """Start it, with what its last life has left and what befell that since."""
        self._bury()
        self._tell_of_crash()
        for told in self._befall():
            self._bench.saw(told)
        self._clock.boot()
        self.boots += 1
        note_life(self._bench.court, "started", self.boots)
        self._bench.lines.cloud.listening = True
        self._process.start()

    def kill(self) -> None:
        """SIGKILL: the charger goes on as it was, the state directory stays."""
        self._process.kill()
        self._is_dying = True
        self._bury()

    def _bury(self) -> None:
        if not self._is_dying:
            return
        self._is_dying = False
        self._died_ms = self._bench.now_ms
        note_life(self._bench.court, "killed", self.boots)
        lines = self._bench.lines
        lines.psp.close("death")
        lines.cloud.forget()
        lines.bay.close("death")
        self._died()

    def _tell_of_crash(self) -> None:
        """It is to be started again although nobody has killed it."""
        if self._process.exit_status is None:
            return
        fields = {
            "requirement": "process",
            "expected": "a controller that runs until it is told to stop",
            "seen": self._how_it_ended(),
        }
        self._bench.court.note(events.Note(kind="finding", fields=fields))

    def _how_it_ended(self) -> str:
        status = self._process.exit_status
        return f"it ended with status {status}: {self._process.last_words()}"

    def why_unready(self) -> str:
        """Raises Declined when it says that it does not do what is declared."""
        status = self._process.exit_status
        if status == NOT_IMPLEMENTED:
            raise Declined(f"status {status}: {self._process.last_words()}")
        if status is not None:
            return self._how_it_ended()
        return what_came(self._bench)

    # --- storage and clock ------------------------------------------------------

    def fail_storage(self, kind: str) -> Callable[[], None]:
        """``full``, ``read_only``, ``torn``, ``lost_write`` or ``corrupt``.

        Returns what heals it. Raises NotClaimed with the reason where that cannot be.
        """
        with self._process.held():
            return self._state.fail(kind)

    def shift_clock(
        self, seconds: int, *, ppm: int = 0, epoch: bool = False
    ) -> Callable[[], None]:
        """Its calendar jumps; ``ppm``: and drifts; ``epoch``: from 1970 at next boot.

        Returns what moves it back. Raises NotClaimed with the reason.
        """
        running = self._process.pids()
        return self._clock.shift(seconds, ppm=ppm, epoch=epoch, running=running)

    def wrap_counter(
        self, in_ms: int, *, passed: Callable[[str], None]
    ) -> Callable[[], None]:
        """Raises NotClaimed: its monotonic clock is that of the machine."""
        raise NotClaimed("a program's counter of milliseconds is the machine's own")

    def die_at(self, doom: Doom) -> Callable[[], None]:
        """Killed as what it says arrives. Raises NotClaimed for every other moment."""
        if doom.moment == "before" or doom.what == WRITE:
            raise NotClaimed(
                "from outside a program can be killed only after what it sends has "
                f"arrived, not {doom.moment} a {doom.what}"
            )
        self._dooms.append(doom)

        def take_back() -> None:
            if doom in self._dooms:
                self._dooms.remove(doom)

        return take_back

    def _befall(self) -> list[str]:
        """Strike at the storage, if everything has been heard that it rests on."""
        heard_ms = HEARD_AFTER_MS * self._bench.time_scale
        if self._state.wants_copies and (
            self._died_ms is None or self._bench.now_ms < self._died_ms + heard_ms
        ):
            return []
        return self._state.strike()

    def _watch(self, record: Mapping[str, object]) -> None:
        """What it has said rests on what it has synced."""
        kind = str(record["kind"])
        self._copy_after(record, kind)
        if self._dooms and not self._is_dying:
            self._doom(record)

    def _copy_after(self, record: Mapping[str, object], kind: str) -> None:
        if not self._state.wants_copies or kind not in _SAYS:
            return
        if _SAYS[kind] in (None, record.get("direction")):
            with self._process.held():
                self._state.copy()

    def _doom(self, record: Mapping[str, object]) -> None:
        """Dead before it can do any more; the lines close once this has arrived."""
        names = names_in(record)
        for doom in [one for one in self._dooms if one.comes_with(*names)][:1]:
            self._dooms.remove(doom)
            self._process.kill()
            self._is_dying = True
            self._bench.kernel.at(self._bench.now_ms, self._bury)
            doom.strike(f"after {' and '.join(names)}, number {doom.seen}")

    def close(self) -> None:
        self._process.close()
        self._state.close()
