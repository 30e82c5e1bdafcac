"""The closing of sessions against a terminal that may answer anything.

A machine of rules plays time, deaths and every possible outcome, and holds the promises
that money depends on: one operation, one amount unless the terminal has refused it in
so many words, a record of each attempt before it leaves, and no end without a reason.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from controller_ref import schedule
from controller_ref.charger_side import ChargerSide
from controller_ref.closing import Closing
from controller_ref.desk import Desk
from controller_ref.ledger import restore
from controller_ref.port import (
    Capabilities,
    CloseAnswered,
    CloseRequest,
    Outcome,
)
from controller_ref.session import Op, Session
from controller_ref.settings import from_declaration
from controller_ref.timers import For
from controller_ref.transitions import FINAL, Event, State

SETTINGS = from_declaration({"claims": {"amount_strategy": "over_capture"}})
UNCERTAIN = (Outcome.UNKNOWN,)


class Terminal:
    """A terminal's side that only remembers what it was asked for."""

    capabilities = Capabilities(
        can_list=False, can_raise=False, is_shared=False, closes_at_once=2
    )

    def __init__(self) -> None:
        self.waiting: list[CloseRequest] = []
        self.on_close: Any = None

    def close(self, request: CloseRequest, now_ms: int) -> None:
        self.waiting.append(request)
        if self.on_close is not None:
            self.on_close(request)

    def tell(self, text: str, now_ms: int) -> None:
        pass


class Store:
    def __init__(self) -> None:
        self.image: bytes | None = None

    def load(self) -> bytes | None:
        return self.image

    def save(self, image: bytes) -> None:
        self.image = image


class Setting:
    """A closing on a desk, with a store that outlives it."""

    def __init__(self) -> None:
        self.store = Store()
        self.now_ms = 0
        self.born_ms = 0
        self.boot()

    def boot(self) -> None:
        self.born_ms = self.now_ms
        self.terminal = Terminal()
        self.desk = Desk(
            SETTINGS,
            ledger=restore(self.store),
            terminal=self.terminal,  # type: ignore[arg-type]  # the part that is used
            charger=ChargerSide("test", []),
        )
        self.desk.boot(self.now_ms, 0)
        self.closing = Closing(self.desk)
        self.closing.resume()

    def reserved(self, energy_wh: int) -> Session:
        session = self.desk.ledger.new(State.STOPPING, wall_ms=self.desk.wall_ms)
        session.session_id = str(100 + session.key)
        session.limit_minor, session.energy_wh = 500, energy_wh
        self.desk.put(session)
        return session

    def wait(self, duration_ms: int) -> None:
        end_ms = self.now_ms + duration_ms
        while True:
            due_ms = self.desk.timers.deadline_ms()
            if due_ms is None or due_ms + self.born_ms > end_ms:
                break
            self.now_ms = max(self.now_ms, due_ms + self.born_ms)
            self.desk.now_ms = self.now_ms - self.born_ms
            while (name := self.desk.timers.pop_due(self.desk.now_ms)) is not None:
                assert name[0] is For.CLOSE
                self.closing.on_timer(name[1])
        self.now_ms = end_ms
        self.desk.now_ms = end_ms - self.born_ms

    def answer(self, outcome: Outcome, at: int = 0) -> CloseRequest:
        request = self.terminal.waiting.pop(at)
        answer = CloseAnswered(session_id=request.session_id, outcome=outcome)
        self.closing.on_answer(answer)
        return request


class AnyAnswer(RuleBasedStateMachine):
    """Every outcome, in any order, with deaths and time in between."""

    @initialize()
    def begin(self) -> None:
        self.setting = Setting()
        self.sent: dict[str, list[tuple[Op, int]]] = {}
        self.refused: dict[str, bool] = {}
        self.confirmed: dict[str, int] = {}
        self._watch()

    def _watch(self) -> None:
        self.setting.terminal.on_close = self._on_close

    def _on_close(self, request: CloseRequest) -> None:
        key = request.session_id
        assert key not in self.confirmed, "sent after it was confirmed"
        on_disk = restore(self.setting.store).by_session_id(key)
        assert on_disk is not None
        assert on_disk.is_in_flight, "not written down before it was sent"
        assert (on_disk.op, on_disk.amount_minor) == (request.op, request.amount_minor)
        past = self.sent.setdefault(key, [])
        if past and past[-1] != (request.op, request.amount_minor):
            assert self.refused.get(key), "changed without a refusal"
            assert (request.op, request.amount_minor) == (Op.COMMIT, 500)
        past.append((request.op, request.amount_minor))

    @rule(energy_wh=st.sampled_from([0, 1, 5_000, 20_000]))
    def a_charge_ends(self, energy_wh: int) -> None:
        if len(self.setting.desk.ledger.sessions) < 4:
            self.setting.closing.finish(self.setting.reserved(energy_wh))

    @precondition(lambda self: self.setting.terminal.waiting)
    @rule(outcome=st.sampled_from(Outcome), which=st.integers(0, 1))
    def the_terminal_answers(self, outcome: Outcome, which: int) -> None:
        waiting = self.setting.terminal.waiting
        request = waiting[which % len(waiting)]
        self.refused[request.session_id] = outcome is Outcome.REFUSED
        if outcome in (Outcome.CONFIRMED, Outcome.CLOSED_ALREADY):
            self.confirmed[request.session_id] = 1
        self.setting.answer(outcome, which % len(waiting))

    @rule(duration_s=st.sampled_from([1, 31, 61, 3_601, 86_401]))
    def time_passes(self, duration_s: int) -> None:
        self.setting.wait(duration_s * 1000)

    @rule()
    def the_terminal_comes_back(self) -> None:
        self.setting.closing.on_ready()

    @rule()
    def an_authorisation_is_over(self) -> None:
        self.setting.closing.on_authorisation_over()

    @rule()
    def the_controller_dies(self) -> None:
        self.setting.boot()
        self._watch()

    @invariant()
    def everything_reserved_is_on_its_way(self) -> None:
        if not hasattr(self, "setting"):
            return
        for session in self.setting.desk.ledger.sessions.values():
            assert session.op is not Op.NONE
            assert session.attempts <= len(schedule.GAPS_MS) + 2
            is_waiting = self.setting.desk.timers.is_set((For.CLOSE, session.key))
            assert (
                session.state in FINAL
                or session.is_in_flight
                or is_waiting
                or session.key in self.setting.closing._queue
            )

    @invariant()
    def no_two_attempts_at_once(self) -> None:
        if hasattr(self, "setting"):
            ids = [each.session_id for each in self.setting.terminal.waiting]
            assert len(ids) == len(set(ids)) <= 2


AnyAnswer.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestAnyAnswer = AnyAnswer.TestCase


def fail_until_the_end(setting: Setting, outcome: Outcome) -> list[int]:
    """Answer every attempt so; the times of the attempts in seconds."""
    times = []
    for _ in range(60):
        if setting.terminal.waiting:
            times.append(setting.now_ms // 1000)
            setting.answer(outcome)
        due_ms = setting.desk.timers.deadline_ms()
        if due_ms is None:
            break
        setting.wait(due_ms + setting.born_ms - setting.now_ms)
    return times


def alarms(setting: Setting) -> list[str]:
    return [str(line["code"]) for line in setting.desk.charger._kept]


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.UNKNOWN, Outcome.NOT_SENT])
def test_the_plan_is_followed_to_its_end(outcome: Outcome) -> None:
    setting = Setting()
    session = setting.reserved(1000)
    setting.closing.finish(session)
    times = fail_until_the_end(setting, outcome)
    assert len(times) == 37
    assert times[-1] == 691_500
    assert times[:7] == [0, 60, 120, 180, 240, 300, 3_900]
    assert session.state is State.EXHAUSTED
    assert alarms(setting) == ["close_failed", "close_failed", "close_exhausted"]


def test_not_known_is_disputed_after_the_minutes() -> None:
    setting = Setting()
    session = setting.reserved(1000)
    setting.closing.finish(session)
    assert len(fail_until_the_end(setting, Outcome.NOT_KNOWN)) == 6
    assert session.state is State.DISPUTED
    assert alarms(setting) == ["unknown_outcome"]


def test_not_known_after_silence_means_done() -> None:
    setting = Setting()
    session = setting.reserved(1000)
    setting.closing.finish(session)
    setting.answer(Outcome.UNKNOWN)
    setting.wait(60_000)
    setting.answer(Outcome.NOT_KNOWN)
    assert session.state is State.CLOSED
    assert alarms(setting) == []


def test_death_in_flight_counts_as_silence() -> None:
    setting = Setting()
    setting.closing.finish(setting.reserved(1000))
    setting.now_ms += 40_000
    setting.boot()
    setting.closing.on_ready()
    setting.answer(Outcome.NOT_KNOWN)
    [session] = setting.desk.ledger.sessions.values()
    assert session.state is State.CLOSED


def test_the_schedule_survives_a_death() -> None:
    setting = Setting()
    setting.closing.finish(setting.reserved(1000))
    for _ in range(6):
        setting.answer(Outcome.FAILED)
        setting.wait(60_000)
    setting.boot()
    setting.wait(3_500_000)
    assert setting.terminal.waiting == []
    setting.wait(100_000)
    assert len(setting.terminal.waiting) == 1


def test_one_attempt_is_free_after_a_reconnect() -> None:
    setting = Setting()
    setting.closing.finish(setting.reserved(1000))
    setting.answer(Outcome.FAILED)
    setting.wait(10_000)
    setting.closing.on_ready()
    assert setting.terminal.waiting == []
    setting.wait(20_000)
    setting.answer(Outcome.FAILED)
    setting.wait(29_000)
    setting.closing.on_ready()
    assert setting.terminal.waiting == []
    setting.wait(1_000)
    assert len(setting.terminal.waiting) == 1


def test_overdue_until_it_is_confirmed() -> None:
    setting = Setting()
    session = setting.reserved(1000)
    setting.closing.finish(session)
    for _ in range(6):
        assert not setting.closing.is_overdue
        setting.answer(Outcome.FAILED)
        is_overdue = setting.closing.is_overdue
        setting.wait(3_600_000 if is_overdue else 60_000)
    assert setting.closing.is_overdue
    setting.answer(Outcome.CONFIRMED)
    assert not setting.closing.is_overdue


def test_a_foreign_close_is_told_and_believed() -> None:
    setting = Setting()
    session = setting.reserved(1000)
    setting.closing.finish(session)
    setting.answer(Outcome.CLOSED_ALREADY)
    assert session.state is State.CLOSED
    assert alarms(setting) == ["unknown_outcome"]


def test_an_answer_to_nothing_changes_nothing() -> None:
    setting = Setting()
    session = setting.reserved(1000)
    setting.closing.finish(session)
    setting.answer(Outcome.CONFIRMED)
    late = CloseAnswered(session_id=session.session_id, outcome=Outcome.FAILED)
    setting.closing.on_answer(late)
    setting.closing.on_answer(CloseAnswered(session_id="7", outcome=Outcome.FAILED))
    setting.closing.on_timer(session.key)
    assert session.state is State.CLOSED
    assert session.outcome == "confirmed"


def test_a_burst_is_bounded_and_first_attempts_go_first() -> None:
    setting = Setting()
    for _ in range(5):
        setting.closing.finish(setting.reserved(1000))
    assert len(setting.terminal.waiting) == 2
    while setting.terminal.waiting:
        setting.answer(Outcome.FAILED)
    setting.wait(60_000)
    setting.closing.finish(setting.reserved(1000))
    setting.answer(Outcome.FAILED)
    assert setting.terminal.waiting[-1].session_id == "106"


def test_put_off_for_an_authorisation() -> None:
    setting = Setting()
    session = setting.reserved(1000)
    setting.closing.finish(session)
    setting.answer(Outcome.BUSY)
    setting.closing.on_authorisation_over()
    setting.answer(Outcome.CONFIRMED)
    setting.closing.on_authorisation_over()
    assert session.state is State.CLOSED


def test_own_cards_need_no_terminal() -> None:
    setting = Setting()
    session = setting.reserved(1000)
    session.is_paid = False
    setting.closing.finish(session)
    assert session.state is State.CLOSED
    assert setting.terminal.waiting == []


def test_what_no_repeat_mends_is_told_once() -> None:
    setting = Setting()
    session = setting.reserved(1000)
    setting.closing.finish(session)
    for _ in range(2):
        request = setting.terminal.waiting.pop()
        answer = CloseAnswered(
            session_id=request.session_id, outcome=Outcome.FAILED, for_operator="404"
        )
        setting.closing.on_answer(answer)
        setting.wait(60_000)
    assert alarms(setting) == ["other"]


def test_decided_once() -> None:
    setting = Setting()
    session = setting.reserved(1000)
    setting.closing.finish(session)
    with pytest.raises(AssertionError, match="decided"):
        setting.closing.finish(session)
    assert not session.apply(Event.STOP)
