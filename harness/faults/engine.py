"""The life of each fault: planned, hit, healed.

Every step of it is in the trace, and a planned fault that never hits makes the case
inconclusive, so nothing can pass because a fault missed. Hits are read from the trace,
whoever notes them: a line, the terminal, or the record that shows that a fault has
struck.

``for_s`` heals by itself, from the injection on or, for what waits for its moment, from
the hit on. A fault that happens ``once`` is gone with its hit.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from harness.faults.life import Holds, InForce, Injection, Life, Shows
from harness.faults.table import TABLE
from simulator import events
from simulator.faults import Fault, FaultPlanError, Value, plan
from wire.records import Record

if TYPE_CHECKING:
    from harness.faults.ground import Ground

#: Faults in force at the same time.
MAX_IN_FORCE: Final = 64


class Faults:
    """Puts faults in and takes them out again; one per bench."""

    def __init__(self, bench: "Ground") -> None:
        self._bench = bench
        self._court = bench.court
        self._count = 0
        self._lives: dict[str, Life] = {}
        #: Those that wait for a record that shows that they have struck.
        self._waiting: list[Life] = []
        self._holds = Holds()

    # --- In ---------------------------------------------------------------------

    def put(self, name: str, **params: Value) -> str:
        """Plan a fault of the catalogue and inject it."""
        return self.inject(plan(name, **params))

    def inject(self, fault: Fault) -> str:
        """Put a planned fault in; returns its id in this run, such as ``F3``.

        Raises ImpossibleError for a connector that there is not, NotClaimed for what
        this device under test cannot, FaultPlanError when too many are in force.
        """
        if len(self._lives) >= MAX_IN_FORCE:
            raise FaultPlanError(
                f"faults in force: found {len(self._lives)}, allowed {MAX_IN_FORCE}"
            )
        if "connector" in fault.params:
            self._court.station.connector(fault.number("connector"))
        if not self._count:
            self._bench.trace.watchers.append(self._watch)
        self._count += 1
        fault = replace(fault, fault_id=f"F{self._count}")
        life = self._lives[fault.fault_id] = Life(fault=fault)
        try:
            life.heal = TABLE[fault.name](self._injection(life))
        except BaseException:
            self._lives.pop(fault.fault_id, None)
            raise
        self._note_planned(life)
        if not fault.kind.waits:
            self._heal_later(life)
        self._forget_done(life)
        return fault.fault_id

    def _injection(self, life: Life) -> Injection:
        return Injection(
            bench=self._bench,
            fault=life.fault,
            hit=partial(self._hit, life),
            first_hit=partial(self._first_hit, life),
            hit_when=partial(self._hit_when, life),
            act_when=partial(self._act_when, life),
            holds=self._holds,
            siblings=lambda: self._of_seam(life.fault),
        )

    def _of_seam(self, fault: Fault) -> list[Fault]:
        faults = [life.fault for life in self._lives.values()]
        return [one for one in faults if one.seam is fault.seam]

    def _heal_later(self, life: Life) -> None:
        for_s = life.fault.params.get("for_s", 0)
        if not isinstance(for_s, int) or for_s == 0:
            return

        def over() -> None:
            if self._lives.get(life.fault.fault_id) is life:
                self._heal(life)

        self._court.kernel.at(self._court.kernel.now_ms + for_s * 1000, over)

    # --- Hits -------------------------------------------------------------------

    def _hit(self, life: Life, detail: str = "") -> None:
        self._note_planned(life)
        self._note("hit", life.fault, detail)

    def _first_hit(self, life: Life, detail: str = "") -> None:
        if not life.is_hit:
            self._hit(life, detail)

    def _hit_when(self, life: Life, shows: Shows) -> None:
        life.shows = shows
        self._waiting.append(life)

    def _act_when(
        self, life: Life, shows: Shows, detail: str, act: Callable[[], object]
    ) -> None:
        life.detail, life.act = detail, act
        self._hit_when(life, shows)

    def _watch(self, record: Record) -> None:
        """Learn of hits from the trace, whoever has noted them."""
        if record["kind"] == "fault":
            life = self._lives.get(str(record["fault"]))
            if life is not None and record["event"] == "hit" and not life.is_hit:
                life.is_hit = True
                if life.fault.kind.waits:
                    self._heal_later(life)
                self._forget_done(life)
            return
        for life in tuple(self._waiting):
            if life.shows is not None and life.shows(record):
                self._waiting.remove(life)
                self._hit(life, life.detail)
                if life.act is not None:
                    life.act()

    def _forget_done(self, life: Life) -> None:
        """What happens once is gone with its hit."""
        if not (life.fault.kind.once and life.is_hit):
            return
        self._lives.pop(life.fault.fault_id, None)
        heal, life.heal = life.heal, None
        if heal is not None:
            heal()

    # --- Out --------------------------------------------------------------------

    def in_force(self) -> Sequence[InForce]:
        """The faults in force, the oldest first."""
        return [
            InForce(
                fault_id=life.fault.fault_id,
                name=life.fault.name,
                params=life.fault.params,
                state="hit" if life.is_hit else "planned",
            )
            for life in self._lives.values()
        ]

    def heal_one(self, fault_id: str) -> None:
        """Undo one fault. Raises KeyError when it is not in force."""
        self._heal(self._lives[fault_id])

    def heal(self, name: str, **params: Value) -> int:
        """Undo the faults of one name, perhaps with these parameters; how many."""
        found = [life for life in self._lives.values() if life.matches(name, params)]
        for life in found:
            self._heal(life)
        return len(found)

    def heal_all(self) -> None:
        """Undo every fault, the last first."""
        while self._lives:
            self._heal(list(self._lives.values())[-1])

    def _heal(self, life: Life) -> None:
        del self._lives[life.fault.fault_id]
        if life in self._waiting:
            self._waiting.remove(life)
        if life.heal is not None:
            life.heal()
        self._note("healed", life.fault)

    # --- For the end of a case --------------------------------------------------

    def start_controller(self) -> None:
        """Start the controller again unless it runs."""
        if not self._bench.device.is_alive:
            self._bench.device.start()

    # --- The trace --------------------------------------------------------------

    def _note_planned(self, life: Life) -> None:
        """Once; in front of the first hit, however soon that comes."""
        if not life.is_planned:
            life.is_planned = True
            self._note("planned", life.fault, life.fault.words)

    def _note(self, event: str, fault: Fault, detail: str = "") -> None:
        fields = {"event": event, "fault": fault.fault_id, "name": fault.name}
        if detail:
            fields["detail"] = detail
        self._court.note(events.Note(kind="fault", fields=fields))
