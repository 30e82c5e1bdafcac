"""Anything may be asked over PSP at any time: money and state stay right."""

import random

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from simulator.events import (
    HostLinkMoved,
    PspBytes,
    PspConnected,
    PspDisconnected,
    TerminalPower,
)
from simulator.terminal import Kind, Session, TerminalSettings
from tests.simulator.terminal import invariants
from tests.simulator.terminal.pair import Court, Outcome
from wire.psp import (
    Direction,
    Family,
    Name,
    Profile,
    Reading,
    SetupAction,
    State,
    encode,
    message,
)

_CARDS = ("visa", "mastercard", "amex", "rfid", "removed_early", "pin_slow")
_REQUESTS = (
    Name.SYNCHRONIZE,
    Name.RESET,
    Name.ENABLE,
    Name.DISABLE,
    Name.GET_STATUS,
    Name.AUTH_SESSION,
    Name.CANCEL_SESSION,
    Name.REQUEST_IDS,
)
_OUTCOMES: tuple[Outcome, ...] = ("approved", "partial", "declined")


class PspMachine(RuleBasedStateMachine):
    """A host that asks whatever it likes, and a world that comes and goes."""

    @initialize(
        family=st.sampled_from(Family),
        late=st.sampled_from(("deliver", "reverse")),
        link=st.sampled_from(("tcp", "serial")),
    )
    def begin(self, family: Family, late: str, link: str) -> None:
        self.settings = TerminalSettings(
            family=family,
            psp_profile=Profile.from_mapping({"late_approval": late}),
            link="tcp" if link == "tcp" else "serial",
        )
        self.court = Court(self.settings)
        self.reading = Reading(family=family)
        self.court.tell(PspConnected())
        self._set_up()

    def _send(self, name: Name, **fields: object) -> None:
        request = message(name, **fields)  # type: ignore[arg-type]  # values of the row
        data = encode(request, Direction.TO_TERMINAL, self.reading)
        self.court.tell(PspBytes(data=data))

    def _set_up(self) -> None:
        self._send(Name.SYNCHRONIZE)
        self._send(Name.SETUP, timeout_s=3600, action=SetupAction.VOID)
        self._send(Name.ENABLE)

    def _session(self, which: int) -> Session | None:
        sessions = self.court.sessions()
        return sessions[which % len(sessions)] if sessions else None

    @rule(name=st.sampled_from(_REQUESTS))
    def ask(self, name: Name) -> None:
        self._send(name)

    @rule()
    def set_up(self) -> None:
        self._set_up()

    @rule(seconds=st.sampled_from((0, 1, 60)), action=st.sampled_from(SetupAction))
    def set_up_with(self, seconds: int, action: SetupAction) -> None:
        self._send(Name.SYNCHRONIZE)
        self._send(Name.SETUP, timeout_s=seconds, action=action)

    @rule(amount=st.integers(0, 0xFFFFFFFF))
    def start(self, amount: int) -> None:
        self._send(Name.START_SESSION, amount_minor=amount, reference=1)

    @rule(card=st.sampled_from(_CARDS))
    def tap(self, card: str) -> None:
        self.court.tap(card)

    @rule(amount=st.integers(1, 10_000), card=st.sampled_from(_CARDS[:3]))
    def pay(self, amount: int, card: str) -> None:
        self._set_up()
        self._send(Name.START_SESSION, amount_minor=amount, reference=1)
        self.court.tap(card)
        self._send(Name.AUTH_SESSION)

    @rule(which=st.integers(0, 9), amount=st.integers(0, 12_000))
    def commit(self, which: int, amount: int) -> None:
        if session := self._session(which):
            number = session.psp_session_id
            self._send(Name.COMMIT_SESSION, session_id=number, amount_minor=amount)

    @rule(which=st.integers(0, 9))
    def void(self, which: int) -> None:
        if session := self._session(which):
            self._send(Name.VOID_SESSION, session_id=session.psp_session_id)

    @rule(which=st.integers(0, 9), amount=st.integers(1, 12_000))
    def update(self, which: int, amount: int) -> None:
        session = self._session(which)
        if session and self.settings.family is Family.APOLLO:
            number = session.psp_session_id
            self._send(Name.UPDATE_SESSION, session_id=number, amount_minor=amount)

    @rule(noise=st.binary(max_size=20))
    def make_noise(self, noise: bytes) -> None:
        self.court.tell(PspBytes(data=noise))
        self.court.run(1_000)

    @rule(ms=st.sampled_from((50, 200, 2_000, 15_000, 31_000, 250_000)))
    def wait(self, ms: int) -> None:
        self.court.run(ms)

    @rule(up=st.booleans())
    def move_host_link(self, up: bool) -> None:
        self.court.tell(HostLinkMoved(up=up))

    @rule(refuses=st.booleans())
    def refuse_closes(self, refuses: bool) -> None:
        self.court.bank.refuses_closes = refuses

    @rule()
    def open_two_at_once(self) -> None:
        self.court.impair(Kind.SURPLUS_SESSION)

    @rule(on=st.booleans())
    def move_power(self, on: bool) -> None:
        self.court.tell(TerminalPower(on=on))

    @rule()
    def reconnect(self) -> None:
        self.court.tell(PspDisconnected())
        self.court.tell(PspConnected())

    @rule(
        outcome=st.sampled_from(_OUTCOMES),
        delay_ms=st.sampled_from((50, 3000, 240_000)),
    )
    def change_issuer(self, outcome: Outcome, delay_ms: int) -> None:
        self.court.bank.outcome = outcome
        self.court.bank.delay_ms = delay_ms

    @invariant()
    def money_is_right(self) -> None:
        if hasattr(self, "court"):
            invariants.all_hold(self.court)

    @invariant()
    def the_state_is_legal(self) -> None:
        if hasattr(self, "court"):
            assert self.court.terminal.state in State

    def teardown(self) -> None:
        if not hasattr(self, "court"):
            return
        self.court.bank.refuses_closes = False
        self.court.tell(HostLinkMoved(up=True))
        self.court.tell(TerminalPower(on=True))
        self.court.run(600_000)
        invariants.all_hold(self.court)
        if not self.court.bank.has_refused:
            invariants.everything_settles(self.court)


TestPspMachine = PspMachine.TestCase
TestPspMachine.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None
)


def test_the_same_seed_gives_the_same_identifiers() -> None:
    courts = [Court(seed=random.Random(5).randrange(100)) for _ in range(2)]
    for court in courts:
        court.terminal.open_old_sessions(3)
        court.run(1_000)
    one, two = ([s.session_id for s in court.sessions()] for court in courts)
    assert one == two
    assert len(set(one)) == 3
