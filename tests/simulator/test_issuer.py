"""The issuer: every answer, every silence, and the money in between."""

from collections.abc import Sequence

import pytest
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
from simulator.cards import CARDS, ORDINARY_CARDS, Outcome
from simulator.events import (
    Authorise,
    Capture,
    Increment,
    IssuerAnswered,
    Note,
    Release,
)
from simulator.holds import VALIDITY, Hold
from simulator.issuer import (
    EVERY_ASK,
    JITTER_MS,
    MAX_PENDING,
    MAX_REMEMBERED,
    ROUND_TRIP_MS,
    Action,
    Ask,
    Event,
    Issuer,
)
from simulator.seed import Seed
from wire.records import KINDS

DAY_MS = 86_400_000


class Desk:
    """An issuer, a clock and the numbers of the requests."""

    def __init__(self, family: str = "apollo", seed: int = 1) -> None:
        self.issuer = Issuer(Seed(seed).stream("issuer"), family=family)
        self.now_ms = 0
        self.requests = 0
        self.log: list[Action] = []

    def send(self, event: Event) -> None:
        self.log += self.issuer.handle(event, self.now_ms)

    def number(self) -> int:
        self.requests += 1
        return self.requests

    def authorise(self, card: str = "visa", amount_minor: int = 5000) -> int:
        number = self.number()
        self.send(Authorise(request=number, card=card, amount_minor=amount_minor))
        return number

    def increment(self, hold: str, total_minor: int) -> int:
        number = self.number()
        self.send(Increment(request=number, hold=hold, total_minor=total_minor))
        return number

    def capture(self, hold: str, amount_minor: int) -> int:
        number = self.number()
        self.send(Capture(request=number, hold=hold, amount_minor=amount_minor))
        return number

    def release(self, hold: str) -> int:
        number = self.number()
        self.send(Release(request=number, hold=hold))
        return number

    def wait(self, span_ms: int) -> None:
        end_ms = self.now_ms + span_ms
        while True:
            due_ms = self.issuer.deadline_ms()
            if due_ms is None or due_ms > end_ms:
                break
            assert due_ms >= self.now_ms
            self.now_ms = due_ms
            self.log += self.issuer.on_deadline(due_ms)
        self.now_ms = end_ms

    def answer(self, request: int) -> IssuerAnswered:
        found = self.answers(request)
        assert len(found) == 1
        return found[0]

    def answers(self, request: int) -> list[IssuerAnswered]:
        return [
            row
            for row in self.log
            if isinstance(row, IssuerAnswered) and row.request == request
        ]

    def notes(self) -> list[str]:
        return [str(row.fields["event"]) for row in notes_of(self.log)]

    def opened(self, card: str = "visa", amount_minor: int = 5000) -> Hold:
        request = self.authorise(card, amount_minor)
        self.wait(1000)
        return self.issuer.holds[self.answer(request).hold]

    def held(self, hold: Hold) -> Hold:
        return self.issuer.holds[hold.hold]


def notes_of(actions: Sequence[Action]) -> list[Note]:
    return [row for row in actions if isinstance(row, Note)]


@pytest.fixture
def desk() -> Desk:
    return Desk()


# --- Authorise ------------------------------------------------------------------


def test_an_ordinary_card_is_approved_after_a_round_trip(desk: Desk) -> None:
    request = desk.authorise()
    due_ms = desk.issuer.deadline_ms()
    assert due_ms is not None
    assert abs(due_ms - ROUND_TRIP_MS) <= JITTER_MS
    desk.wait(1000)
    answer = desk.answer(request)
    assert (answer.outcome, answer.amount_minor, answer.reason) == ("approved", 5000, 0)
    hold = desk.issuer.holds[answer.hold]
    assert (hold.state, hold.held_minor, hold.card) == ("open", 5000, "visa")
    assert notes_of(desk.log)[0].fields == {
        "event": "hold_opened",
        "card": "visa",
        "hold": answer.hold,
        "amount_minor": 5000,
    }


def test_round_trips_vary_within_the_jitter() -> None:
    dues = [Desk(seed=seed) for seed in range(40)]
    for desk in dues:
        desk.authorise()
    delays = {desk.issuer.deadline_ms() or 0 for desk in dues}
    assert len(delays) > 10
    assert min(delays) >= ROUND_TRIP_MS - JITTER_MS
    assert max(delays) <= ROUND_TRIP_MS + JITTER_MS


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        ("insufficient_funds", 0x09),
        ("declined", 0x05),
        ("host_timeout", 0x08),
        ("host_error", 0x03),
        ("rfid", 0x06),
    ],
)
def test_declines_hold_nothing_and_say_why(desk: Desk, card: str, reason: int) -> None:
    request = desk.authorise(card)
    desk.wait(20_000)
    answer = desk.answer(request)
    assert (answer.outcome, answer.reason, answer.hold) == ("declined", reason, "")
    assert not desk.issuer.holds
    assert notes_of(desk.log)[0].fields == {
        "event": "declined",
        "card": card,
        "reason": f"0x{reason:02X}",
    }


@pytest.mark.parametrize(
    ("asked", "held", "outcome"),
    [(5000, 1000, "partial"), (1000, 1000, "approved"), (400, 400, "approved")],
)
def test_a_part_is_held_when_more_was_asked(
    desk: Desk, asked: int, held: int, outcome: str
) -> None:
    request = desk.authorise("partial", asked)
    desk.wait(1000)
    answer = desk.answer(request)
    assert (answer.outcome, answer.amount_minor) == (outcome, held)
    assert desk.issuer.holds[answer.hold].held_minor == held


def test_a_part_of_nothing_is_a_decline(desk: Desk) -> None:
    desk.issuer.set_behaviour(
        "visa", Behaviour(outcome=Outcome.PARTIAL, partial_minor=0)
    )
    request = desk.authorise()
    desk.wait(1000)
    assert desk.answer(request).outcome == "declined"
    assert desk.answer(request).reason == 0xFF


def test_silence_holds_nothing(desk: Desk) -> None:
    request = desk.authorise("silent")
    desk.wait(DAY_MS)
    assert desk.answers(request) == []
    assert desk.notes() == ["silent"]
    assert not desk.issuer.holds


def test_a_lost_answer_holds_the_money_all_the_same(desk: Desk) -> None:
    desk.issuer.set_behaviour("visa", Behaviour(outcome=Outcome.LOST))
    request = desk.authorise()
    desk.wait(1000)
    assert desk.answers(request) == []
    assert [hold.state for hold in desk.issuer.holds.values()] == ["open"]
    desk.wait(31 * DAY_MS)
    assert desk.notes() == ["hold_opened", "dropped"]


@pytest.mark.parametrize(
    ("card", "family", "delay_ms"),
    [("slow", "p6x", 29_000), ("slow", "apollo", 200_000), ("late", "p6x", 240_000)],
)
def test_slow_and_late_cards_take_their_time(
    card: str, family: str, delay_ms: int
) -> None:
    desk = Desk(family)
    request = desk.authorise(card)
    desk.wait(delay_ms - 1)
    assert desk.answers(request) == []
    assert not desk.issuer.holds
    desk.wait(1)
    assert desk.answer(request).outcome == "approved"


def test_closes_of_a_slow_card_are_not_slow(desk: Desk) -> None:
    request = desk.authorise("slow")
    desk.wait(200_000)
    close = desk.release(desk.answer(request).hold)
    desk.wait(ROUND_TRIP_MS + JITTER_MS)
    assert desk.answer(close).outcome == "released"


# --- Closes ---------------------------------------------------------------------


@pytest.mark.parametrize("amount", [0, 1, 4999, 5000])
def test_a_capture_takes_its_amount_and_frees_the_rest(desk: Desk, amount: int) -> None:
    hold = desk.opened()
    request = desk.capture(hold.hold, amount)
    desk.wait(1000)
    answer, closed = desk.answer(request), desk.held(hold)
    assert (answer.outcome, answer.amount_minor) == ("captured", amount)
    assert (closed.state, closed.captured_minor) == ("captured", amount)
    assert closed.released_minor == 5000 - amount
    assert closed.closed_ms is not None
    assert desk.notes() == ["hold_opened", "captured"]


def test_a_release_gives_everything_back(desk: Desk) -> None:
    hold = desk.opened()
    request = desk.release(hold.hold)
    desk.wait(1000)
    assert desk.answer(request).outcome == "released"
    assert desk.answer(request).amount_minor == 5000
    assert desk.held(hold).released_minor == 5000


def test_the_drops_of_closed_holds_are_not_kept_behind_an_open_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("simulator.agenda.TIDY_FROM", 20)
    desk = Desk()
    desk.issuer.set_behaviour(None, Behaviour(valid_ms=DAY_MS))
    desk.opened()
    desk.issuer.set_behaviour(None, Behaviour(valid_ms=2 * DAY_MS))
    for _ in range(100):
        desk.release(desk.opened().hold)
        desk.wait(1000)
    assert len(desk.issuer._agenda) < 30
    desk.wait(DAY_MS)
    assert desk.notes().count("dropped") == 1


@pytest.mark.parametrize("first", ["capture", "release"])
@pytest.mark.parametrize("second", ["capture", "release", "increment"])
def test_a_closed_hold_is_refused(desk: Desk, first: str, second: str) -> None:
    hold = desk.opened()
    close(desk, first, hold)
    desk.wait(1000)
    before = desk.held(hold)
    request = close(desk, second, hold)
    desk.wait(1000)
    assert desk.answer(request).outcome == "refused"
    assert desk.held(hold) == before
    assert "not open" in str(notes_of(desk.log)[-1].fields["reason"])


def close(desk: Desk, how: str, hold: Hold) -> int:
    if how == "capture":
        return desk.capture(hold.hold, 100)
    if how == "release":
        return desk.release(hold.hold)
    return desk.increment(hold.hold, 9000)


@pytest.mark.parametrize("how", ["capture", "release", "increment"])
def test_an_unknown_hold_is_refused(desk: Desk, how: str) -> None:
    hold = Hold(
        hold="H000099", card="visa", account="", held_minor=1, opened_ms=0, drops_ms=1
    )
    request = close(desk, how, hold)
    desk.wait(1000)
    assert desk.answer(request).outcome == "refused"


def test_more_than_is_held_is_refused_and_the_hold_stays_open(desk: Desk) -> None:
    hold = desk.opened()
    request = desk.capture(hold.hold, 5001)
    desk.wait(1000)
    again = desk.capture(hold.hold, 5000)
    desk.wait(1000)
    assert desk.answer(request).outcome == "refused"
    assert desk.answer(again).outcome == "captured"


def test_an_issuer_may_accept_more_than_is_held(desk: Desk) -> None:
    desk.issuer.set_behaviour("visa", Behaviour(over_capture="accept"))
    hold = desk.opened()
    request = desk.capture(hold.hold, 6000)
    desk.wait(1000)
    assert desk.answer(request).amount_minor == 6000
    assert (desk.held(hold).captured_minor, desk.held(hold).released_minor) == (6000, 0)


def test_captures_over_a_limit_are_refused_until_healed(desk: Desk) -> None:
    desk.issuer.refuse_captures_over(1000)
    hold = desk.opened()
    over, under = desk.capture(hold.hold, 1001), desk.number()
    desk.wait(1000)
    desk.issuer.refuse_captures_over(None)
    desk.send(Capture(request=under, hold=hold.hold, amount_minor=1001))
    desk.wait(1000)
    assert desk.answer(over).outcome == "refused"
    assert desk.answer(under).outcome == "captured"


def test_the_next_captures_are_refused_as_often_as_told(desk: Desk) -> None:
    desk.issuer.refuse_next_capture(2)
    hold = desk.opened()
    outcomes = []
    for _ in range(3):
        request = desk.capture(hold.hold, 1000)
        desk.wait(1000)
        outcomes.append(desk.answer(request).outcome)
    assert outcomes == ["refused", "refused", "captured"]


def test_the_next_release_is_refused_and_the_one_after_is_not(desk: Desk) -> None:
    desk.issuer.refuse_next_release()
    hold = desk.opened()
    first = desk.release(hold.hold)
    desk.wait(1000)
    second = desk.release(hold.hold)
    desk.wait(1000)
    assert desk.answer(first).outcome == "refused"
    assert desk.answer(second).outcome == "released"


def test_two_closes_under_way_have_one_effect(desk: Desk) -> None:
    hold = desk.opened()
    requests = [desk.capture(hold.hold, 900), desk.release(hold.hold)]
    desk.wait(1000)
    outcomes = [desk.answer(request).outcome for request in requests]
    assert outcomes.count("refused") == 1
    assert desk.held(hold).state in ("captured", "released")


# --- Increments -----------------------------------------------------------------


def test_an_increment_raises_and_lowers_the_total(desk: Desk) -> None:
    hold = desk.opened()
    for total in (8000, 2000):
        request = desk.increment(hold.hold, total)
        desk.wait(1000)
        answer = desk.answer(request)
        assert (answer.outcome, answer.amount_minor) == ("approved", total)
        assert desk.held(hold).held_minor == total
    assert desk.notes() == ["hold_opened", "hold_raised", "hold_raised"]


@pytest.mark.parametrize(
    ("outcome", "answers", "held"),
    [
        (Outcome.PARTIAL, ["partial"], 6500),
        (Outcome.DECLINE, ["declined"], 5000),
        (Outcome.SILENT, [], 5000),
        (Outcome.LOST, [], 8000),
    ],
)
def test_an_increment_that_is_not_simply_approved(
    desk: Desk, outcome: Outcome, answers: list[str], held: int
) -> None:
    desk.issuer.set_behaviour("visa", Behaviour(increment=outcome))
    hold = desk.opened()
    request = desk.increment(hold.hold, 8000)
    desk.wait(1000)
    assert [row.outcome for row in desk.answers(request)] == answers
    assert (desk.held(hold).state, desk.held(hold).held_minor) == ("open", held)


def test_an_increment_makes_a_mastercard_last_longer() -> None:
    desk = Desk()
    hold = desk.opened("mastercard")
    desk.increment(hold.hold, 8000)
    desk.wait(1000)
    moved = desk.held(hold)
    assert moved.drops_ms == hold.drops_ms + 30 * DAY_MS
    desk.wait(hold.drops_ms - desk.now_ms)
    assert desk.held(hold).state == "open"
    desk.wait(30 * DAY_MS)
    assert desk.held(hold).state == "dropped"


# --- Dropping -------------------------------------------------------------------


@pytest.mark.parametrize("card", ["visa", "amex", "mastercard"])
def test_an_unclosed_hold_drops_within_the_range_of_its_scheme(card: str) -> None:
    low, high = VALIDITY[CARDS[card].scheme].span_ms
    spans = set()
    for seed in range(30):
        desk = Desk(seed=seed)
        hold = desk.opened(card)
        spans.add(hold.drops_ms - hold.opened_ms)
        desk.wait(high + DAY_MS)
        dropped = desk.held(hold)
        assert (dropped.state, dropped.closed_ms) == ("dropped", hold.drops_ms)
        assert desk.issuer.deadline_ms() is None
    assert low <= min(spans) < max(spans) <= high
    assert len(spans) > 20


def test_a_dropped_hold_says_so_once_and_cannot_be_captured(desk: Desk) -> None:
    desk.issuer.set_behaviour("visa", Behaviour(valid_ms=DAY_MS))
    hold = desk.opened()
    desk.wait(DAY_MS)
    request = desk.capture(hold.hold, 100)
    desk.wait(DAY_MS)
    assert desk.answer(request).outcome == "refused"
    assert desk.notes() == ["hold_opened", "dropped", "declined"]


def test_nobody_waits_for_the_drop_of_a_closed_hold(desk: Desk) -> None:
    hold = desk.opened()
    other = desk.opened("amex")
    desk.release(hold.hold)
    desk.wait(1000)
    assert desk.issuer.deadline_ms() == other.drops_ms
    desk.release(other.hold)
    desk.wait(1000)
    assert desk.issuer.deadline_ms() is None


def test_a_drop_behind_another_is_skipped_when_its_hold_has_closed(desk: Desk) -> None:
    desk.issuer.set_behaviour("visa", Behaviour(valid_ms=DAY_MS))
    desk.issuer.set_behaviour("amex", Behaviour(valid_ms=DAY_MS + 5000))
    first, second = desk.opened("visa"), desk.opened("amex")
    desk.release(second.hold)
    desk.wait(1000)
    desk.log += desk.issuer.on_deadline(3 * DAY_MS)
    assert desk.held(first).state == "dropped"
    assert desk.held(second).state == "released"


# --- Behaviour, silence, bounds -------------------------------------------------


def test_behaviour_of_a_card_goes_before_that_of_all(desk: Desk) -> None:
    desk.issuer.set_behaviour(None, Behaviour(outcome=Outcome.DECLINE))
    desk.issuer.set_behaviour("amex", Behaviour(delay_ms=50))
    requests = [desk.authorise("visa"), desk.authorise("amex")]
    desk.wait(1000)
    outcomes = [desk.answer(request).outcome for request in requests]
    assert outcomes == ["declined", "approved"]


def test_a_behaviour_can_be_healed(desk: Desk) -> None:
    desk.issuer.set_behaviour(
        None, Behaviour(outcome=Outcome.DECLINE, decline_reason=7)
    )
    first = desk.authorise()
    desk.wait(1000)
    desk.issuer.set_behaviour(None, None)
    desk.issuer.set_behaviour(None, None)
    second = desk.authorise()
    desk.wait(1000)
    assert (desk.answer(first).outcome, desk.answer(first).reason) == ("declined", 7)
    assert desk.answer(second).outcome == "approved"


def test_a_behaviour_of_a_card_that_does_not_exist_is_an_error(desk: Desk) -> None:
    with pytest.raises(LookupError, match="found 'gold', allowed visa"):
        desk.issuer.set_behaviour("gold", None)


def test_delays_can_be_set_for_requests_and_closes(desk: Desk) -> None:
    desk.issuer.set_behaviour("visa", Behaviour(delay_ms=7, close_delay_ms=5))
    request = desk.authorise()
    assert desk.issuer.deadline_ms() == 7
    desk.wait(7)
    desk.release(desk.answer(request).hold)
    assert desk.issuer.deadline_ms() == 12


@pytest.mark.parametrize("after_effect", [False, True])
def test_silence_before_and_after_the_effect(desk: Desk, after_effect: bool) -> None:
    hold = desk.opened()
    desk.issuer.answer_silence(frozenset({"capture"}), after_effect=after_effect)
    request = desk.capture(hold.hold, 100)
    other = desk.authorise("amex")
    desk.wait(1000)
    assert desk.answers(request) == []
    assert desk.answer(other).outcome == "approved"
    assert desk.held(hold).state == ("captured" if after_effect else "open")
    assert ("captured" in desk.notes()) is after_effect
    assert ("silent" in desk.notes()) is not after_effect


def test_silence_covers_everything_and_ends(desk: Desk) -> None:
    hold = desk.opened()
    desk.issuer.answer_silence()
    mute = [desk.authorise(), desk.increment(hold.hold, 1), desk.release(hold.hold)]
    mute.append(desk.capture("H000099", 5))
    desk.wait(1000)
    assert all(desk.answers(request) == [] for request in mute)
    assert desk.notes().count("silent") == len(mute) == len(EVERY_ASK)
    desk.issuer.answer_silence(frozenset())
    request = desk.release(hold.hold)
    desk.wait(1000)
    assert desk.answer(request).outcome == "released"


def test_a_request_number_is_answered_once(desk: Desk) -> None:
    event = Authorise(request=1, card="visa", amount_minor=100)
    desk.send(event)
    desk.send(event)
    desk.wait(1000)
    desk.send(event)
    desk.wait(1000)
    assert len(desk.answers(1)) == 1
    assert len(desk.issuer.holds) == 1


def test_the_memory_of_request_numbers_is_bounded(desk: Desk) -> None:
    for _ in range(MAX_REMEMBERED + 1):
        desk.authorise("declined")
        desk.wait(1000)
    desk.log.clear()
    desk.send(Authorise(request=2, card="visa", amount_minor=100))
    desk.send(Authorise(request=1, card="visa", amount_minor=100))
    desk.wait(1000)
    assert len(desk.answers(2)) == 0
    assert len(desk.answers(1)) == 1


def test_requests_under_way_are_bounded(desk: Desk) -> None:
    for _ in range(MAX_PENDING):
        desk.authorise("declined")
    lost = desk.authorise()
    gone = desk.release("H000099")
    assert [note.fields["reason"] for note in notes_of(desk.log)] == ["overload"] * 2
    desk.wait(1000)
    assert desk.answers(lost) == desk.answers(gone) == []
    after = desk.authorise()
    desk.wait(1000)
    assert desk.answer(after).outcome == "approved"


def test_an_unknown_card_is_an_error_of_the_bench(desk: Desk) -> None:
    with pytest.raises(LookupError, match="found 'gold'"):
        desk.authorise("gold")


def test_references_are_twelve_digits_and_never_the_same(desk: Desk) -> None:
    for card in ("visa", "amex", "declined", "partial"):
        desk.authorise(card)
    desk.wait(1000)
    found = [row.host_reference for row in desk.log if isinstance(row, IssuerAnswered)]
    assert len(set(found)) == 4
    assert all(len(text) == 12 and text.isdigit() for text in found)


def test_the_holds_cannot_be_written(desk: Desk) -> None:
    hold = desk.opened()
    with pytest.raises(TypeError):
        desk.issuer.holds["x"] = hold  # type: ignore[index]  # refused at run time too


def test_the_same_seed_gives_the_same_story() -> None:
    stories = []
    for _ in range(2):
        desk = Desk(seed=9)
        for card in ORDINARY_CARDS:
            desk.authorise(card)
        desk.wait(90 * DAY_MS)
        stories.append(desk.log)
    assert stories[0] == stories[1]
    assert len(stories[0]) == 3 * len(ORDINARY_CARDS)


# --- Money ----------------------------------------------------------------------


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
