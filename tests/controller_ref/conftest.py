"""A small forecourt by script: a terminal, a cloud and a charger that do as told.

They speak real bytes and real HTTP to the controller, and keep what they heard. None of
them is clever: each answers by its own few rules, and a test replaces the rule it is
about. ``Rig.run`` lets virtual time pass; nothing here sleeps.
"""

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from controller_ref.core import build
from wire.bay import LineDecoder, encode_line
from wire.machine import (
    Action,
    AnswerCallback,
    BytesReceived,
    CallbackReceived,
    CallHttp,
    CloseLink,
    Controller,
    HttpAnswered,
    HttpFailed,
    Link,
    LinkClosed,
    LinkOpened,
    OpenLink,
    Place,
    SendBytes,
    Started,
)
from wire.psp import (
    CARD_HASH_TAG,
    MASKED_PAN_TAG,
    BlockDecoder,
    Direction,
    Family,
    Malformed,
    Message,
    Name,
    Reading,
    State,
    decode,
    encode,
    message,
)

WALL_MS = 1_772_615_000_000
LATENCY_MS = 2
CARD = "A1" * 20
OTHER_CARD = "B2" * 20
SERIAL = "APO20260300042"


class MemoryStore:
    """Keeps one image; ``fault`` makes it fail as a full disk would."""

    def __init__(self) -> None:
        self.image: bytes | None = None
        self.fault = ""

    def load(self) -> bytes | None:
        return self.image

    def save(self, image: bytes) -> None:
        if self.fault:
            raise OSError(self.fault)
        self.image = image


Answer = Callable[[Message], list[Message]]


class FakeTerminal:
    """PSP: remembers sessions, answers each request by ``rules``."""

    def __init__(self, family: str) -> None:
        is_apollo = family == "apollo"
        self.reading = Reading(
            family=Family(family), detailed=is_apollo, authorization_dol=True
        )
        self.decoder = BlockDecoder(Direction.TO_TERMINAL)
        self.state = State.OFFLINE
        self.heard: list[Message] = []
        self.open: dict[int, int] = {}
        self.closed: list[tuple[int, str, int]] = []
        self.next_id = 40
        self.is_reachable = True
        #: Nothing is answered.
        self.is_dead = False
        #: Requests that are answered otherwise, by name; the answer may be empty.
        self.rules: dict[Name, Answer] = {}

    def names(self) -> list[Name]:
        return [each.name for each in self.heard]

    def count(self, name: Name) -> int:
        return self.names().count(name)

    def hear(self, data: bytes, now_ms: int) -> list[bytes]:
        out = []
        for block in self.decoder.receive(data, now_ms):
            said = decode(block, Direction.TO_TERMINAL, self.reading)  # type: ignore[arg-type]
            assert not isinstance(said, Malformed), said
            self.heard.append(said)
            rule = self.rules.get(said.name, self._usual)
            out += [] if self.is_dead else [self.say(each) for each in rule(said)]
        return out

    def say(self, said: Message) -> bytes:
        return encode(said, Direction.TO_HOST, self.reading)

    def card(self, card_id: str = CARD, *, pan: str = "541333******1234") -> Message:
        self.state = State.WAIT_AUTH
        tags = [(CARD_HASH_TAG, card_id.encode()), (MASKED_PAN_TAG, pan.encode())]
        return message(Name.CARD_READ, data=tuple(pair for pair in tags if pair[1]))

    def approve(self, amount_minor: int = 5000) -> Message:
        self.state = State.ENABLED
        self.next_id += 1
        self.open[self.next_id] = amount_minor
        return message(Name.SESSION_APPROVED, session_id=self.next_id, data=())

    def not_ok(self, reason: int = 0) -> list[Message]:
        return [message(Name.RESULT, result=1, reason=reason)]

    def _usual(self, said: Message) -> list[Message]:
        ok = [message(Name.RESULT, result=0)]
        match said.name:
            case Name.RESET:
                self.state = State.OFFLINE
                return ok
            case Name.SYNCHRONIZE:
                self.state = State.ONLINE
                return [message(Name.SYNCHRONIZE)]
            case Name.PROTOCOL:
                return [Message(Name.PROTOCOL, said.fields)]
            case Name.SETUP | Name.UI_REQUEST:
                return ok
            case Name.ENABLE:
                self.state = State.ENABLED
                return ok
            case Name.GET_STATUS:
                running = int(self.state == State.WAIT_CARD)
                fields = {"state": int(self.state), "running": running}
                return [message(Name.GET_STATUS_RESPONSE, **fields)]
            case Name.START_SESSION:
                self.state = State.WAIT_CARD
                return []
            case Name.CANCEL_SESSION:
                self.state = State.ENABLED
                return [message(Name.SESSION_CANCELLED)]
            case Name.AUTH_SESSION:
                return [self.approve()]
            case Name.COMMIT_SESSION | Name.VOID_SESSION:
                return self._close(said)
            case Name.LIST_SESSIONS:
                rest = tuple(self.open)[said.number("offset") :]
                fields_: dict[str, Any] = {
                    "total": len(self.open),
                    "session_ids": rest[:63],
                }
                return [Message(Name.LIST_SESSIONS_RESPONSE, fields_)]
            case _:
                return self.not_ok(0x02)

    def _close(self, said: Message) -> list[Message]:
        session_id = said.number("session_id")
        if session_id not in self.open:
            return self.not_ok(0x0C)
        del self.open[session_id]
        amount = said.number("amount_minor", 0)
        self.closed.append((session_id, said.name.value, amount))
        return [message(Name.RESULT, result=0)]


@dataclass(frozen=True)
class Reply:
    """What a call gets: a status with a body, or a failure."""

    status: int = 200
    body: Any = None
    failure: str = ""


Rule = Callable[[str, Mapping[str, str]], Reply]


class FakeCloud:
    """CPS: one terminal, sessions by number, calls answered by ``rules``."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict[str, str]]] = []
        self.sessions: dict[str, dict[str, Any]] = {}
        self.state = "IDLE"
        self.online = True
        self.callback = ""
        self.reserve = 0
        #: Calls that are answered otherwise, by the last word of their path.
        self.rules: dict[str, Rule] = {}
        self.answered: list[tuple[int, int]] = []

    def words(self) -> list[str]:
        return [word for _, word, _ in self.calls]

    def count(self, word: str) -> int:
        return self.words().count(word)

    def take(self, call: CallHttp) -> Reply:
        parts = urlsplit(call.target)
        params = {key: values[0] for key, values in parse_qs(parts.query).items()}
        path = parts.path.split("/")[3:]
        word = path[-1] if path else "terminal"
        if len(path) == 2:
            word = "session"
        session_id = path[1] if len(path) > 1 else ""
        self.calls.append((call.method, word, {**params, "id": session_id}))
        rule = self.rules.get(word)
        return (
            rule(session_id, params) if rule else self._usual(word, session_id, params)
        )

    def _usual(self, word: str, session_id: str, params: Mapping[str, str]) -> Reply:
        match word:
            case "terminal":
                head = {"serialNumber": SERIAL, "online": self.online}
                return Reply(body={**head, "state": self.state})
            case "start":
                self.state, self.callback = "READING", params["callbackUrl"]
                self.reserve = int(params["authorizedAmount"])
                return Reply(204)
            case "stop":
                self.state = "IDLE"
                return Reply(204)
            case "card":
                return Reply(204)
            case "authorize":
                self.state = "IDLE"
                return Reply(body=self.open())
            case "sessions":
                return Reply(body=list(self.sessions.values()))
            case "session":
                found = self.sessions.get(session_id)
                return Reply(body=found) if found else Reply(404, {})
            case "commit":
                amount = int(params["commitAmount"])
                return self._close(session_id, "COMMITED", finalAmount=amount)
            case _:
                assert word == "cancel", word
                return self._close(session_id, "CANCELLED")

    def open(self, card_id: str = CARD) -> dict[str, Any]:
        session_id = f"ba02c30b-ad50-4ef3-b75e-{len(self.sessions):012x}"
        self.sessions[session_id] = {
            "serialNumber": SERIAL,
            "sessionId": session_id,
            "cardId": card_id,
            "authorizedAmount": self.reserve,
            "result": "APPROVED",
            "state": "AUTHORIZED",
        }
        return self.sessions[session_id]

    def _close(self, session_id: str, state: str, **extra: object) -> Reply:
        session = self.sessions.get(session_id)
        if session is None:
            return Reply(404, {})
        if session["state"] in ("COMMITED", "CANCELLED"):
            return Reply(409, {"message": "Session already committed or cancelled"})
        session.update(state=state, **extra)
        return Reply(body=session)

    def states(self) -> list[str]:
        return [str(each["state"]) for each in self.sessions.values()]


class FakeCharger:
    """The bay link: obeys commands, and keeps what it was told."""

    def __init__(self, connectors: int) -> None:
        self.decoder = LineDecoder()
        self.heard: list[Mapping[str, Any]] = []
        self.is_reachable = True
        self.boot = 1
        self.rows: dict[int, dict[str, Any]] = {
            number: {
                "connector": number,
                "pilot": "A",
                "contactor_closed": False,
                "locked": False,
                "energy_wh": 10_000 * number,
                "power_w": 0,
                "quality": "good",
                "faults": [],
                "occupied": False,
                "available": True,
            }
            for number in range(1, connectors + 1)
        }
        #: Commands that are not obeyed, by type; the answer comes instead.
        self.rules: dict[str, Callable[[Mapping[str, Any]], list[dict[str, Any]]]] = {}

    def welcome(self) -> dict[str, Any]:
        head = {"type": "welcome", "version": 1, "boot": self.boot}
        rows = list(self.rows.values())
        return {**head, "emergency_stop": False, "connectors": rows}

    def hear(self, data: bytes) -> list[dict[str, Any]]:
        out: list[dict[str, Any]] = []
        for line in self.decoder.receive(data):
            assert isinstance(line, Mapping)
            self.heard.append(line)
            rule = self.rules.get(str(line["type"]), self._usual)
            out += rule(line)
        return out

    def _usual(self, line: Mapping[str, Any]) -> list[dict[str, Any]]:
        row = self.rows.get(line.get("connector") or 0)
        if row is None:
            return []
        number = row["connector"]
        match line["type"]:
            case "lock":
                row["locked"] = line["locked"]
                return [{"type": "lock", "connector": number, "locked": line["locked"]}]
            case "contactor":
                return self.switch(number, is_closed=line["close"])
        return []

    def switch(self, number: int, *, is_closed: bool) -> list[dict[str, Any]]:
        row = self.rows[number]
        was_closed, row["contactor_closed"] = row["contactor_closed"], is_closed
        lines = [{"type": "contactor", "connector": number, "closed": is_closed}]
        if was_closed and not is_closed:
            row["power_w"] = 0
            lines.append(self.meter(number))
        return lines

    def meter(self, number: int) -> dict[str, Any]:
        row = self.rows[number]
        fields = {key: row[key] for key in ("energy_wh", "power_w", "quality")}
        return {"type": "meter", "connector": number, **fields}

    def told(self, kind: str) -> list[Mapping[str, Any]]:
        return [line for line in self.heard if line["type"] == kind]

    def alarms(self) -> list[str]:
        return [str(line["code"]) for line in self.told("alarm")]

    def codes(self) -> list[str]:
        return [str(line["code"]) for line in self.told("show") if "code" in line]

    def commands(self) -> list[bool]:
        return [bool(line["close"]) for line in self.told("contactor")]


@dataclass
class Rig:
    """One controller at the ends of three scripted lines."""

    claims: dict[str, Any] = field(default_factory=dict)
    timing: dict[str, Any] = field(default_factory=dict)
    tariff: dict[str, Any] = field(default_factory=dict)
    link: str = "tcp"
    now_ms: int = 0
    wall_ms: int = WALL_MS
    boots: int = 0

    def __post_init__(self) -> None:
        self.claims = {"interface": "psp", "terminal": "apollo", **self.claims}
        self.store = MemoryStore()
        self.terminal = FakeTerminal(str(self.claims["terminal"]))
        self.cloud = FakeCloud()
        self.charger = FakeCharger(int(self.claims.get("connectors", 1)))
        self.controller: Controller | None = None
        self._born_ms = 0
        self._queue: deque[tuple[int, int, Callable[[], None]]] = deque()
        self._life = 0
        self._connection = 0
        self.actions: list[Action] = []

    # --- life -------------------------------------------------------------------

    def boot(self, *, settle_ms: int = 3_000) -> "Rig":
        place = Place(
            declaration={
                "claims": self.claims,
                "timing": self.timing,
                "tariff": {"per_kwh": 50, **self.tariff},
            },
            psp_link="tcp" if self.link == "tcp" else "serial",
            store=self.store,
            cps_url="http://127.0.0.1:8201",
            cps_api_key="key",
            terminal_serial=SERIAL,
            callback_url="http://127.0.0.1:8299/callbacks",
        )
        self.boots += 1
        self._life += 1
        self._born_ms = self.now_ms
        self.controller = build(place)
        self.fact(Started(boot=self.boots, wall_ms=self.wall_ms + self.now_ms))
        return self.run(settle_ms)

    def die(self) -> None:
        self.controller = None
        self._life += 1

    def fact(self, fact: Any) -> None:
        if self.controller is not None:
            self._carry(self.controller.handle(fact, self.now_ms - self._born_ms))

    # --- time -------------------------------------------------------------------

    def run(self, duration_ms: int) -> "Rig":
        end_ms = self.now_ms + duration_ms
        while (at_ms := self._next_ms()) is not None and at_ms <= end_ms:
            self.now_ms = max(self.now_ms, at_ms)
            if self._queue and self._queue[0][0] <= self.now_ms:
                _, life, then = self._queue.popleft()
                if life == self._life:
                    then()
            elif self.controller is not None:
                now_ms = self.now_ms - self._born_ms
                self._carry(self.controller.on_deadline(now_ms))
                later_ms = self.controller.deadline_ms()
                assert later_ms is None or later_ms > now_ms, "the deadline stands"
        self.now_ms = end_ms
        return self

    def _next_ms(self) -> int | None:
        times = [self._queue[0][0]] if self._queue else []
        if self.controller is not None:
            deadline_ms = self.controller.deadline_ms()
            times += [] if deadline_ms is None else [deadline_ms + self._born_ms]
        return min(times, default=None)

    def later(self, then: Callable[[], None], delay_ms: int = LATENCY_MS) -> None:
        self._queue.append((self.now_ms + delay_ms, self._life, then))
        self._queue = deque(sorted(self._queue, key=lambda entry: entry[0]))

    # --- lines ------------------------------------------------------------------

    def _carry(self, actions: Any) -> None:
        self.actions.extend(actions)
        for action in actions:
            match action:
                case OpenLink(link=link):
                    self._open(link)
                case CloseLink(link=Link.PSP):
                    self._connection += 1
                    self.terminal.state = State.OFFLINE
                case SendBytes(link=Link.PSP, data=data):
                    self._to_terminal(data)
                case SendBytes(link=Link.BAY, data=data):
                    for line in self.charger.hear(data):
                        self.later(partial(self._bay, line))
                case CallHttp():
                    self._to_cloud(action)
                case AnswerCallback(callback_id=callback_id, status=status):
                    self.cloud.answered.append((callback_id, status))

    def _open(self, link: Link) -> None:
        peer = self.terminal if link is Link.PSP else self.charger
        if not peer.is_reachable:
            refused = LinkClosed(link=link, reason="refused")
            self.later(lambda: self.fact(refused))
            return
        self._connection += link is Link.PSP
        self.later(lambda: self.fact(LinkOpened(link=link)))
        if link is Link.BAY:
            self.charger.decoder = LineDecoder()
            self.later(lambda: self._bay(self.charger.welcome()))

    def _to_terminal(self, data: bytes) -> None:
        connection = self._connection
        for answer in self.terminal.hear(data, self.now_ms):
            self.later(partial(self._from, answer, connection))

    def _from(self, data: bytes, connection: int) -> None:
        if connection == self._connection:
            self.fact(BytesReceived(link=Link.PSP, data=data))

    def _to_cloud(self, call: CallHttp) -> None:
        reply = self.cloud.take(call)
        if reply.failure == "timeout":
            failed = HttpFailed(call_id=call.call_id, reason="timeout")
            self.later(lambda: self.fact(failed), call.timeout_ms)
        elif reply.failure:
            failed = HttpFailed(call_id=call.call_id, reason=reply.failure)  # type: ignore[arg-type]
            self.later(lambda: self.fact(failed))
        else:
            body = b"" if reply.body is None else json.dumps(reply.body).encode()
            answer = HttpAnswered(call_id=call.call_id, status=reply.status, body=body)
            is_poll = (
                call.target.split("?")[0].endswith("/card") and reply.status == 204
            )
            self.later(lambda: self.fact(answer), 50_000 if is_poll else LATENCY_MS)

    # --- what happens -----------------------------------------------------------

    def say(self, *messages: Message) -> "Rig":
        """The terminal says something by itself."""
        for each in messages:
            self._from(self.terminal.say(each), self._connection)
        return self.run(LATENCY_MS * 3)

    def noise(self, data: bytes) -> None:
        self._from(data, self._connection)

    def hang_up(self, link: Link = Link.PSP) -> "Rig":
        self._connection += 1
        self.fact(LinkClosed(link=link, reason="reset"))
        return self

    def bay(self, line: Mapping[str, Any]) -> "Rig":
        """The charger says something by itself."""
        self._bay(line)
        return self

    def _bay(self, line: Mapping[str, Any]) -> None:
        self.fact(BytesReceived(link=Link.BAY, data=encode_line(line)))

    def tap(self, card_id: str = CARD, *, settle_ms: int = 1_000) -> "Rig":
        if self.claims["interface"] == "cps":
            self.callback(card_id)
        else:
            self.say(self.terminal.card(card_id))
        return self.run(settle_ms)

    def callback(self, card_id: str = CARD, **changes: Any) -> "Rig":
        target = urlsplit(self.cloud.callback).path
        card = {"serialNumber": SERIAL, "ifd": "CONTACTLESS", "cardId": card_id}
        body = {**card, "maskedPan": "541333******1234", **changes}
        self.post(target, json.dumps(body).encode())
        return self

    def post(self, target: str, body: bytes, callback_id: int = 1) -> "Rig":
        fact = CallbackReceived(callback_id=callback_id, target=target, body=body)
        self.fact(fact)
        return self

    def pilot(self, pilot: str, connector: int = 1) -> "Rig":
        self.charger.rows[connector]["pilot"] = pilot
        return self.bay({"type": "plug", "connector": connector, "pilot": pilot})

    def plug(self, connector: int = 1) -> "Rig":
        self.pilot("B", connector).run(500)
        return self.pilot("C", connector).run(500)

    def unplug(self, connector: int = 1) -> "Rig":
        if self.charger.rows[connector]["contactor_closed"]:
            for line in self.charger.switch(connector, is_closed=False):
                self.bay(line)
        return self.pilot("A", connector).run(1_000)

    def charge(
        self, energy_wh: int, connector: int = 1, *, power_w: int = 11_000
    ) -> "Rig":
        """Deliver energy at full cadence: a reading each 10 s."""
        row = self.charger.rows[connector]
        while energy_wh > 0:
            step = min(energy_wh, power_w * 10 // 3600)
            energy_wh -= step
            self.run(10_000)
            row["energy_wh"], row["power_w"] = row["energy_wh"] + step, power_w
            if not row["contactor_closed"]:
                break
            self.bay(self.charger.meter(connector))
        return self.run(10)

    @staticmethod
    def reply(**fields: Any) -> Reply:
        return Reply(**fields)

    def press(self, button: str, connector: int = 1) -> "Rig":
        line = {"type": "press", "connector": connector, "button": button}
        return self.bay(line).run(500)

    def fault(
        self, code: str, *, connector: int | None = 1, active: bool = True
    ) -> "Rig":
        line = {"type": "fault", "connector": connector, "code": code}
        return self.bay({**line, "active": active}).run(3_000)

    @property
    def closes(self) -> list[tuple[str, int]]:
        """Closes that were sent: the operation, and the amount (0 for a release)."""
        if self.claims["interface"] == "cps":
            return [
                (word, int(params.get("commitAmount", 0)))
                for _, word, params in self.cloud.calls
                if word in ("commit", "cancel")
            ]
        names = (Name.COMMIT_SESSION, Name.VOID_SESSION)
        return [
            (each.name.value.split()[0].lower(), each.number("amount_minor", 0))
            for each in self.terminal.heard
            if each.name in names
        ]


@pytest.fixture
def rig_of() -> Callable[..., Rig]:
    """``rig_of(terminal="p6x", timing={...})``: keywords are claims, bar three."""

    def make(**claims: Any) -> Rig:
        timing, tariff = claims.pop("timing", {}), claims.pop("tariff", {})
        link = claims.pop("link", "tcp")
        return Rig(claims=claims, timing=timing, tariff=tariff, link=link)

    return make
