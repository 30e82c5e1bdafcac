"""Anything may be called over CPS at any time: money and state stay right."""

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from simulator.events import CloudLinkMoved, HostLinkMoved, TerminalPower
from simulator.terminal import Kind, TerminalSettings
from tests.simulator.terminal import invariants
from tests.simulator.terminal.pair import Court, CpsHost, Outcome
from wire.cps import Policy

_OUTCOMES: tuple[Outcome, ...] = ("approved", "partial", "declined")
_STATES = {"IDLE", "READING", "CARD", "AUTHORIZING"}
_DAYS_MS = 3 * 86_400_000


class CpsMachine(RuleBasedStateMachine):
    """A controller that calls whatever it likes, and a world that comes and goes."""

    @initialize(
        over=st.sampled_from(("reject", "accept", "fail")),
        offline=st.sampled_from(("error", "queue")),
        failed=st.sampled_from(("retryable", "final")),
        hours=st.sampled_from((0, 1)),
    )
    def begin(self, over: str, offline: str, failed: str, hours: int) -> None:
        policy = Policy.from_mapping(
            {
                "over_commit": over,
                "offline_close": offline,
                "failed_session": failed,
                "session_expiry_h": hours,
                "same_card_open": "accept",
            }
        )
        self.court = Court(TerminalSettings(cps_policy=policy))
        self.host = CpsHost(self.court)
        self.closes: dict[int, str] = {}

    def _any_session(self, which: int) -> str:
        sessions = self.court.sessions()
        if not sessions:
            return "none"
        return sessions[which % len(sessions)].session_id

    @rule(amount=st.integers(0, 10_000))
    def start(self, amount: int) -> None:
        self.host.send("E3", authorizedAmount=amount)

    @rule(card=st.sampled_from(("visa", "mastercard", "rfid", "pin_slow")))
    def tap(self, card: str) -> None:
        self.court.tap(card)

    @rule(route=st.sampled_from(("E1", "E2", "E4", "E5", "E6", "E7")))
    def call(self, route: str) -> None:
        self.host.send(route)

    @rule(amount=st.integers(1, 10_000))
    def pay(self, amount: int) -> None:
        self.host.send("E5")
        self.host.send("E3", authorizedAmount=amount)
        self.court.run(300)
        self.court.tap()
        self.host.send("E6")

    @rule(which=st.integers(0, 9), amount=st.integers(0, 12_000))
    def commit(self, which: int, amount: int) -> None:
        session = self._any_session(which)
        self.closes[self.host.send("E9", session, commitAmount=amount)] = session

    @rule(which=st.integers(0, 9))
    def cancel(self, which: int) -> None:
        session = self._any_session(which)
        self.closes[self.host.send("E10", session)] = session

    @rule(ms=st.sampled_from((50, 300, 2_000, 31_000, 250_000, 3_600_000)))
    def wait(self, ms: int) -> None:
        self.court.run(ms)

    @rule(up=st.booleans())
    def move_host_link(self, up: bool) -> None:
        self.court.tell(HostLinkMoved(up=up))

    @rule(up=st.booleans())
    def move_cloud_link(self, up: bool) -> None:
        self.court.tell(CloudLinkMoved(up=up))

    @rule(refuses=st.booleans())
    def refuse_closes(self, refuses: bool) -> None:
        self.court.bank.refuses_closes = refuses

    @rule()
    def open_two_at_once(self) -> None:
        self.court.impair(Kind.SURPLUS_SESSION)

    @rule(on=st.booleans())
    def move_power(self, on: bool) -> None:
        self.court.tell(TerminalPower(on=on))

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
            assert self.court.terminal.info.state in _STATES

    @invariant()
    def a_409_means_closed(self) -> None:
        for call, session_id in getattr(self, "closes", {}).items():
            answer = self.court.answers.get(call)
            if answer is not None and answer.status == 409:
                assert not self.court.terminal.sessions[session_id].is_open

    def teardown(self) -> None:
        if not hasattr(self, "court"):
            return
        self.court.bank.refuses_closes = False
        self.court.tell(HostLinkMoved(up=True))
        self.court.tell(CloudLinkMoved(up=True))
        self.court.tell(TerminalPower(on=True))
        self.court.run(_DAYS_MS)
        invariants.all_hold(self.court)
        if not self.court.bank.has_refused:
            invariants.everything_settles(self.court)


TestCpsMachine = CpsMachine.TestCase
TestCpsMachine.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None
)
