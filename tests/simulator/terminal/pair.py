"""A terminal, an issuer that does as it is told, and the two hosts that talk to it.

``Court`` is terminal and issuer in virtual time. ``PspHost`` speaks real bytes through
``wire.psp``, ``CpsHost`` real requests through ``wire.cps``; both check what comes back
against their own codec, so every test of a flow checks both directions.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from simulator.events import (
    Authorise,
    Capture,
    CardTapped,
    CloudAnswer,
    CloudCalled,
    Increment,
    IssuerAnswered,
    Note,
    PostCallback,
    PspBytes,
    PspConnected,
    PspHangUp,
    PspToHost,
    Release,
)
from simulator.terminal import (
    Impairment,
    Kind,
    Session,
    Terminal,
    TerminalAction,
    TerminalEvent,
    TerminalSettings,
)
from wire import cps
from wire.psp import (
    BadBlock,
    BlockDecoder,
    Direction,
    Family,
    Malformed,
    Message,
    Name,
    Option,
    Profile,
    Reading,
    SetupAction,
    decode,
    encode,
    message,
)

Outcome = Literal["approved", "partial", "declined"]


@dataclass
class Hold:
    """What the issuer knows of one hold."""

    card: str
    held_minor: int
    is_open: bool = True
    captured_minor: int | None = None


@dataclass
class Bank:
    """Answers after ``delay_ms``; ``is_silent`` never, the effect takes place."""

    delay_ms: int = 100
    outcome: Outcome = "approved"
    partial_minor: int = 1000
    is_silent: bool = False
    refuses_closes: bool = False
    has_refused: bool = False
    holds: dict[str, Hold] = field(default_factory=dict)
    due: list[tuple[int, IssuerAnswered]] = field(default_factory=list)

    def ask(
        self, request: Authorise | Capture | Increment | Release, now_ms: int
    ) -> None:
        answer = self._answer(request)
        if not self.is_silent:
            self.due.append((now_ms + self.delay_ms, answer))

    def _answer(
        self, request: Authorise | Capture | Increment | Release
    ) -> IssuerAnswered:
        if isinstance(request, Authorise):
            return self._authorise(request)
        hold = self.holds[request.hold]
        if isinstance(request, Increment):
            return self._increase(request, hold)
        if not hold.is_open or self.refuses_closes:
            self.has_refused = True
            return IssuerAnswered(request=request.request, outcome="refused")
        hold.is_open = False
        if isinstance(request, Capture):
            hold.captured_minor = request.amount_minor
            return IssuerAnswered(
                request=request.request,
                outcome="captured",
                hold=request.hold,
                amount_minor=request.amount_minor,
            )
        return IssuerAnswered(
            request=request.request, outcome="released", hold=request.hold
        )

    def _authorise(self, request: Authorise) -> IssuerAnswered:
        if self.outcome == "declined":
            return IssuerAnswered(
                request=request.request, outcome="declined", reason=0x09
            )
        is_partial = self.outcome == "partial"
        amount = self.partial_minor if is_partial else request.amount_minor
        name = f"H{len(self.holds) + 1}"
        self.holds[name] = Hold(card=request.card, held_minor=amount)
        return IssuerAnswered(
            request=request.request,
            outcome=self.outcome,
            hold=name,
            amount_minor=amount,
            host_reference=f"{700000000000 + len(self.holds)}",
        )

    def _increase(self, request: Increment, hold: Hold) -> IssuerAnswered:
        if self.outcome == "declined":
            return IssuerAnswered(
                request=request.request, outcome="declined", reason=0x0A
            )
        hold.held_minor = request.total_minor
        return IssuerAnswered(
            request=request.request,
            outcome="approved",
            hold=request.hold,
            amount_minor=request.total_minor,
        )

    def open_holds(self) -> set[str]:
        return {name for name, hold in self.holds.items() if hold.is_open}


class Court:
    """Terminal and issuer; time moves only by ``run``."""

    def __init__(self, settings: TerminalSettings | None = None, seed: int = 1) -> None:
        self.settings = settings or TerminalSettings()
        self.terminal = Terminal(self.settings, ids=random.Random(seed))
        self.bank = Bank()
        self.now_ms = 0
        self.notes: list[Mapping[str, object]] = []
        self.bytes_out: list[bytes] = []
        self.hang_ups: list[str] = []
        self.answers: dict[int, cps.Response] = {}
        self.callbacks: list[PostCallback] = []

    def tell(self, event: TerminalEvent) -> None:
        self._take(self.terminal.handle(event, self.now_ms))

    def tap(self, card: str = "visa") -> None:
        """A tap, and the time that reading the card takes."""
        self.tell(CardTapped(card=card))
        self.run(self.settings.read_ms)

    def run(self, duration_ms: int) -> None:
        until_ms = self.now_ms + duration_ms
        for _ in range(100_000):
            at_ms = self._next_ms()
            if at_ms is None or at_ms > until_ms:
                break
            self.now_ms = max(self.now_ms, at_ms)
            self._step()
        else:
            raise AssertionError(f"time stands still at {self.now_ms} ms")
        self.now_ms = until_ms

    def impair(self, kind: Kind, **fields: object) -> None:
        impairment = Impairment(fault="F1", kind=kind, **fields)  # type: ignore[arg-type]  # the test names fields of the row
        self.terminal.impair(impairment)

    def sessions(self) -> list[Session]:
        return list(self.terminal.sessions.values())

    def noted(self, kind: str, **wanted: object) -> list[Mapping[str, object]]:
        return [
            note
            for note in self.notes
            if note["kind"] == kind
            and all(note.get(name) == value for name, value in wanted.items())
        ]

    def _next_ms(self) -> int | None:
        times = [at_ms for at_ms, _ in self.bank.due]
        mine = self.terminal.deadline_ms()
        return min([*times, *([] if mine is None else [mine])], default=None)

    def _step(self) -> None:
        due = [one for one in self.bank.due if one[0] <= self.now_ms]
        self.bank.due = [one for one in self.bank.due if one[0] > self.now_ms]
        for _, answer in due:
            self.tell(answer)
        mine = self.terminal.deadline_ms()
        if mine is not None and mine <= self.now_ms:
            self._take(self.terminal.on_deadline(self.now_ms))

    def _take(self, actions: Sequence[TerminalAction]) -> None:
        for action in actions:
            match action:
                case Note():
                    self.notes.append({"kind": action.kind, **action.fields})
                case PspToHost():
                    self.bytes_out.append(action.data)
                case PspHangUp():
                    self.hang_ups.append(action.reason)
                case CloudAnswer():
                    assert action.call not in self.answers, "answered twice"
                    self.answers[action.call] = action.response
                case PostCallback():
                    self.callbacks.append(action)
                case _:
                    self.bank.ask(action, self.now_ms)


class PspHost:
    """The host's end of the line."""

    def __init__(self, court: Court) -> None:
        self.court = court
        self.reading = Reading(
            family=court.settings.family, profile=court.settings.psp_profile
        )
        self._plain = self.reading
        self._decoder = BlockDecoder(Direction.TO_HOST)
        court.tell(PspConnected())

    def send(self, name: Name, **fields: object) -> None:
        request = message(name, **fields)  # type: ignore[arg-type]  # field values of the row
        data = encode(request, Direction.TO_TERMINAL, self.reading)
        self.court.tell(PspBytes(data=data))

    def heard(self, expecting: Name | None = None) -> list[Message]:
        """What has arrived since the last look."""
        data, self.court.bytes_out = b"".join(self.court.bytes_out), []
        found = []
        for block in self._decoder.receive(data, self.court.now_ms):
            assert not isinstance(block, BadBlock), block
            one = decode(block, Direction.TO_HOST, self.reading, expecting=expecting)
            assert not isinstance(one, Malformed), one
            found.append(one)
        return found

    def ask(self, name: Name, *, wait_ms: int = 0, **fields: object) -> Message:
        """Send, let time pass, and take the one message that answers."""
        self.send(name, **fields)
        self.court.run(wait_ms)
        heard = self.heard(name)
        assert len(heard) == 1, (name, heard)
        return heard[0]

    def agree(self, options: Option) -> None:
        answer = self.ask(Name.PROTOCOL, version=3, options=int(options))
        assert answer.name is Name.PROTOCOL
        self.reading = self._plain.with_options(options)
        self._decoder.extended = self.reading.extended

    def set_up(
        self,
        options: Option = Option.DETAILED,
        *,
        timeout_s: int = 86_400,
        action: SetupAction = SetupAction.VOID,
    ) -> None:
        assert self.ask(Name.SYNCHRONIZE).name is Name.SYNCHRONIZE
        if options and self.court.settings.family is Family.APOLLO:
            self.agree(options)
        assert self.is_ok(Name.SETUP, timeout_s=timeout_s, action=action)
        assert self.is_ok(Name.ENABLE)

    def is_ok(self, name: Name, *, wait_ms: int = 0, **fields: object) -> bool:
        answer = self.ask(name, wait_ms=wait_ms, **fields)
        assert answer.name is Name.RESULT, answer
        return answer.number("result") == 0

    def reason(self, name: Name, *, wait_ms: int = 0, **fields: object) -> int:
        """The reason of the refusal that must come."""
        answer = self.ask(name, wait_ms=wait_ms, **fields)
        assert answer.name is Name.RESULT, answer
        assert answer.number("result") == 1, answer
        return answer.number("reason", 0)

    def status(self) -> tuple[int, int]:
        answer = self.ask(Name.GET_STATUS)
        return answer.number("state"), answer.number("running")

    def approve(self, amount_minor: int = 5000, card: str = "visa") -> Session:
        """Start, tap, authorise: an open session."""
        self.send(Name.START_SESSION, amount_minor=amount_minor, reference=1)
        self.court.tap(card)
        assert self.heard()[-1].name is Name.CARD_READ
        answer = self.ask(Name.AUTH_SESSION, wait_ms=self.court.bank.delay_ms)
        session = self.court.sessions()[-1]
        assert answer.number("session_id") == session.psp_session_id
        return session

    def commit(self, session: Session, amount_minor: int, wait_ms: int = 200) -> bool:
        return self.is_ok(
            Name.COMMIT_SESSION,
            session_id=session.psp_session_id,
            amount_minor=amount_minor,
            wait_ms=wait_ms,
        )

    def void(self, session: Session, wait_ms: int = 200) -> bool:
        return self.is_ok(
            Name.VOID_SESSION, session_id=session.psp_session_id, wait_ms=wait_ms
        )


class CpsHost:
    """A controller in the cloud."""

    def __init__(self, court: Court) -> None:
        self.court = court
        self.api_key = court.settings.api_key
        self._calls = 0

    def send(
        self,
        route: str,
        session: str = "",
        body: Mapping[str, object] | None = None,
        **params: cps.Value,
    ) -> int:
        self._calls += 1
        request = cps.build(
            route,
            api_key=self.api_key,
            serial_number=self.court.settings.serial_number,
            session_id=session,
            params=params,
            body=body,
        )
        self.court.tell(CloudCalled(call=self._calls, request=request))
        return self._calls

    def call(
        self,
        route: str,
        session: str = "",
        body: Mapping[str, object] | None = None,
        *,
        wait_ms: int = 0,
        **params: cps.Value,
    ) -> cps.Response:
        """Call and wait; the answer must have come by then."""
        call = self.send(route, session, body, **params)
        self.court.run(wait_ms)
        return self.court.answers[call]

    def state(self) -> str:
        return cps.TerminalInfo.from_json(json_of(self.call("E2"))).state

    def read(self, amount_minor: int = 5000, card: str = "visa") -> None:
        """Start and tap."""
        answer = self.call("E3", authorizedAmount=amount_minor, wait_ms=300)
        assert answer.status == 204
        self.court.tap(card)

    def approve(self, amount_minor: int = 5000, card: str = "visa") -> Session:
        self.read(amount_minor, card)
        answer = self.call("E6", wait_ms=self.court.bank.delay_ms)
        session = cps.Session.from_json(json_of(answer))
        assert session.state == "AUTHORIZED"
        return self.court.terminal.sessions[session.session_id]

    def close(
        self, route: str, session: Session, wait_ms: int = 200, **params: cps.Value
    ) -> cps.Response:
        call = self.send(route, session.session_id, None, **params)
        self.court.run(wait_ms)
        return self.court.answers[call]


def json_of(response: cps.Response) -> object:
    return json.loads(response.body)


def psp(
    family: Family = Family.APOLLO,
    *,
    link: Literal["tcp", "serial"] = "tcp",
    card_detect_s: int = 2_147_483_647,
    readings: Mapping[str, object] | None = None,
    **more: object,
) -> PspHost:
    """A host whose terminal is set up and ENABLED; other names are readings."""
    settings = TerminalSettings(
        family=family,
        link=link,
        card_detect_s=card_detect_s,
        psp_profile=Profile.from_mapping({**(readings or {}), **more}),
    )
    host = PspHost(Court(settings))
    host.set_up()
    return host


def cloud(
    family: Family = Family.APOLLO,
    *,
    policy: Mapping[str, object] | None = None,
    **more: object,
) -> CpsHost:
    """A controller of a terminal under a policy; other names are its switches."""
    switches = {**(policy or {}), **more}
    settings = TerminalSettings(
        family=family, cps_policy=cps.Policy.from_mapping(switches)
    )
    return CpsHost(Court(settings))
