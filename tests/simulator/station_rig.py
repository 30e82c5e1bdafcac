"""A station on a bench: what it says, and a controller that says what it is told."""

import json
from collections.abc import Mapping, Sequence

from simulator.events import (
    BayBytes,
    BayConnected,
    BayToController,
    Note,
    PlugInserted,
    Trouble,
)
from simulator.fault_codes import FAULT_CODES
from simulator.site import Action
from simulator.station import Event, Station, StationSettings

Line = Mapping[str, object]
STOPS = sorted(code for code, row in FAULT_CODES.items() if row.stops_power)
HARMLESS = sorted(code for code, row in FAULT_CODES.items() if not row.stops_power)


class Rig:
    """A station with a controller that says what the test says."""

    def __init__(
        self, settings: StationSettings | None = None, *, greeted: bool = True
    ) -> None:
        self.station = Station(settings or StationSettings(max_power_w=11_000))
        self.now_ms = 0
        self.lines: list[tuple[int, Line]] = []
        self.notes: list[Note] = []
        if greeted:
            self.do(BayConnected())
            self.say(type="hello", controller="test", version="1")
            self.say(type="pong", n=1)
            self.forget()

    def do(self, event: Event) -> None:
        self._take(self.station.handle(event, self.now_ms))

    def say(self, **fields: object) -> None:
        self.do(BayBytes(data=json.dumps(fields).encode() + b"\n"))

    def wait(self, ms: int) -> None:
        until_ms = self.now_ms + ms
        while (due_ms := self.station.deadline_ms()) is not None:
            if due_ms > until_ms:
                break
            self.now_ms = due_ms
            self._take(self.station.on_deadline(due_ms))
        self.now_ms = until_ms

    def close(self, connector: int = 1) -> None:
        self.say(type="contactor", connector=connector, close=True)
        self.wait(200)

    def open(self, connector: int = 1) -> None:
        self.say(type="contactor", connector=connector, close=False)
        self.wait(200)

    def charge(self, vehicle: str = "hatchback", connector: int = 1) -> None:
        """Plug in, close, and be in pilot C with energy flowing."""
        self.do(PlugInserted(connector=connector, vehicle=vehicle))
        self.close(connector)
        self.wait(3_000)
        self.forget()

    def trouble(self, part: str, *, active: bool = True, **fields: object) -> None:
        self.do(Trouble(connector=1, part=part, active=active, **fields))  # type: ignore[arg-type]  # parts by name

    def forget(self) -> None:
        self.lines.clear()
        self.notes.clear()

    def types(self) -> list[object]:
        return [line["type"] for _, line in self.lines]

    def of(self, kind: str) -> list[Line]:
        return [line for _, line in self.lines if line["type"] == kind]

    def charger_notes(self, event: str) -> list[Mapping[str, object]]:
        notes = [note.fields for note in self.notes if note.kind == "charger"]
        return [fields for fields in notes if fields["event"] == event]

    def findings(self) -> list[Mapping[str, object]]:
        return [note.fields for note in self.notes if note.kind == "finding"]

    def _take(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Note():
                    self.notes.append(action)
                case BayToController(data=data):
                    assert data.endswith(b"\n")
                    self.lines.append((self.now_ms, json.loads(data)))


def meter(energy_wh: int | None, power_w: int, quality: str = "good") -> Line:
    return {
        "type": "meter",
        "connector": 1,
        "energy_wh": energy_wh,
        "power_w": power_w,
        "quality": quality,
    }
