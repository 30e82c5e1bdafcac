"""Whatever is asked of an issuer, nobody's money is lost or made."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
)

from simulator.behaviour import Behaviour
from simulator.cards import CARDS, Outcome
from simulator.events import (
    IssuerAnswered,
)
from simulator.holds import Hold
from simulator.issuer import (
    EVERY_ASK,
    Ask,
)
from tests.simulator.issuer_desk import DAY_MS, Desk, notes_of
from wire.records import KINDS


class Money(RuleBasedStateMachine):
    """Whatever is asked, in whatever order: money is conserved, holds end once."""

    grants = Bundle("grants")

    @initialize(seed=st.integers(0, 99))
    def begin(self, seed: int) -> None:
        self.desk = Desk(seed=seed)
        self.ended: dict[str, Hold] = {}
        self.seen = 0

    @rule(target=grants, card=st.sampled_from(list(CARDS)), amount=st.integers(0, 9999))
    def authorise(self, card: str, amount: int) -> int:
        return self.desk.authorise(card, amount)

    @rule(grant=grants, amount=st.integers(0, 12_000))
    def capture(self, grant: int, amount: int) -> None:
        self.desk.capture(self.hold_of(grant), amount)

    @rule(grant=grants)
    def release(self, grant: int) -> None:
        self.desk.release(self.hold_of(grant))

    @rule(grant=consumes(grants), times=st.integers(2, 3))
    def release_again_and_again(self, grant: int, times: int) -> None:
        for _ in range(times):
            self.desk.release(self.hold_of(grant))

    @rule(grant=grants, total=st.integers(0, 12_000))
    def increment(self, grant: int, total: int) -> None:
        self.desk.increment(self.hold_of(grant), total)

    @rule(
        card=st.none() | st.sampled_from(list(CARDS)),
        behaviour=st.none()
        | st.builds(
            Behaviour,
            outcome=st.none() | st.sampled_from(Outcome),
            increment=st.sampled_from(Outcome),
            partial_minor=st.none() | st.integers(0, 3000),
            over_capture=st.sampled_from(["refuse", "accept"]),
            close_delay_ms=st.none() | st.integers(0, 5000),
        ),
    )
    def behave(self, card: str | None, behaviour: Behaviour | None) -> None:
        self.desk.issuer.set_behaviour(card, behaviour)

    @rule(times=st.integers(0, 2), limit=st.none() | st.integers(0, 5000))
    def refuse(self, times: int, limit: int | None) -> None:
        self.desk.issuer.refuse_next_capture(times)
        self.desk.issuer.refuse_next_release(times)
        self.desk.issuer.refuse_captures_over(limit)

    @rule(asks=st.frozensets(st.sampled_from(sorted(EVERY_ASK))), after=st.booleans())
    def fall_silent(self, asks: frozenset[Ask], after: bool) -> None:
        self.desk.issuer.answer_silence(asks, after_effect=after)

    @rule(span=st.sampled_from([1, 300, 500, 60_000, 250_000, DAY_MS, 40 * DAY_MS]))
    def wait(self, span: int) -> None:
        self.desk.wait(span)

    def hold_of(self, request: int) -> str:
        found = self.desk.answers(request)
        return found[0].hold if found else "H999999"

    @invariant()
    def money_is_conserved(self) -> None:
        for hold in self.desk.issuer.holds.values():
            over_minor = max(0, hold.captured_minor - hold.held_minor)
            open_minor = hold.held_minor if hold.state == "open" else 0
            parts_minor = hold.captured_minor + hold.released_minor + open_minor
            assert hold.held_minor + over_minor == parts_minor

    @invariant()
    def no_hold_ends_twice(self) -> None:
        for name, hold in self.desk.issuer.holds.items():
            assert self.ended.get(name, hold) == hold
            if hold.state != "open":
                self.ended[name] = hold

    @invariant()
    def the_trace_tells_the_same_as_the_holds(self) -> None:
        ends: dict[object, list[object]] = {}
        for note in notes_of(self.desk.log):
            assert note.kind == "issuer"
            known = {name.rstrip("?") for name in KINDS["issuer"].fields}
            assert set(note.fields) <= known
            if note.fields["event"] in ("captured", "released", "dropped"):
                ends.setdefault(note.fields["hold"], []).append(note.fields["event"])
        assert ends == {name: [hold.state] for name, hold in self.ended.items()}

    @invariant()
    def every_request_is_answered_once_at_most(self) -> None:
        numbers = [
            row.request for row in self.desk.log if isinstance(row, IssuerAnswered)
        ]
        assert len(numbers) == len(set(numbers))


TestMoney = Money.TestCase
TestMoney.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
