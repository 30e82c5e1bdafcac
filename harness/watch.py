"""What the steps look at: questions about a bench, answered from outside the
controller.

Everything here reads the trace or the machines of the forecourt, never the controller,
so a scenario that uses it runs against a real box as well. Waiting questions let time
pass until the answer is yes or the limit is over; they raise ``Breach`` (the
controller's fault) or ``NotReached`` (the situation did not come about) with what was
seen instead.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from harness.bench import Bench, NotReached
from harness.deaths import names_in
from harness.declaration import NotClaimed
from harness.faults.controller import NOTHING
from simulator.people import Person
from simulator.terminal import Session, SessionState
from wire.records import Record

#: A host answers within a second, a PIN within minutes (psp.md 4.1).
AUTHORISE_WITHIN_MS: Final = 220_000
CHARGE_WITHIN_MS: Final = 60_000
#: A step that is about a driver's session waits this long for it to be opened.
SESSION_WITHIN_MS: Final = 60_000


class Breach(AssertionError):
    """The controller did not do what a step demands."""

    def __init__(self, expected: str, seen: str) -> None:
        super().__init__(f"expected {expected}; seen {seen}")
        self.expected = expected
        self.seen = seen


def sessions_of(bench: Bench, driver: Person) -> list[Session]:
    """The sessions opened with this driver's card, oldest first."""
    return [
        session
        for session in bench.court.terminal.sessions.values()
        if session.card == driver.card
    ]


def last_session(bench: Bench, driver: Person) -> Session:
    """The driver's latest session, waited for. Raises NotReached when none comes."""
    bench.run_until(lambda: bool(sessions_of(bench, driver)), SESSION_WITHIN_MS)
    found = sessions_of(bench, driver)
    if not found:
        card = driver.card.replace("_", " ")
        raise NotReached(f"no session was opened for {driver.name} ({card} card)")
    return found[-1]


def await_situation(
    bench: Bench, what: str, holds: Callable[[], bool], *, within_ms: int
) -> None:
    """Let time pass until ``holds``. Raises NotReached."""
    if not bench.run_until(holds, within_ms):
        raise NotReached(f"{what}: not within {within_ms // 1000} s")
    bench.saw(what)


def await_session(bench: Bench, driver: Person) -> Session:
    """Wait until the driver's tap has opened one more session than before."""
    before = len(sessions_of(bench, driver))
    await_situation(
        bench,
        f"a session for {driver.name}",
        lambda: len(sessions_of(bench, driver)) > before,
        within_ms=AUTHORISE_WITHIN_MS,
    )
    bench.run_for(1_000)
    return last_session(bench, driver)


def end_fault(bench: Bench, *names: str, **params: str) -> None:
    """Undo what a step has done. Raises NotReached where there is nothing to undo."""
    if not sum(bench.faults.heal(name, **params) for name in names):
        raise NotReached("nothing of the kind is in force that could end")


def await_return(bench: Bench, *, since: int) -> None:
    """Let a controller that has died after record ``since`` become ready again.

    It has the time that it declares for it; deadlines run from then, because it could
    not know any earlier. One that does not come back is left to the judge.
    """
    within_s = bench.declaration.number("reach", "ready_within")
    within_ms = within_s * 1000 * bench.time_scale
    bench.run_until(lambda: bench.is_ready(since=since), within_ms)


def demand_damage(bench: Bench, *, since: int) -> None:
    """What was to befall its storage must have done so after record ``since``.

    Raises NotClaimed when nothing was at risk, because a program had synced all that it
    had written: then there is no such death for it, and what a scenario asks of a
    controller with a damaged storage is neither held against it nor counted as passed.
    """
    for record in bench.trace.records[since:]:
        mark = str(record.get("mark"))
        if mark.startswith("state ") and mark.endswith(NOTHING):
            raise NotClaimed(f"its death has damaged no storage: {mark}")


def demand(
    bench: Bench,
    expected: str,
    holds: Callable[[], bool],
    *,
    within_ms: int,
    seen: Callable[[], str],
) -> None:
    """``holds`` must come true before ``within_ms`` after the last When. Or Breach."""
    within_ms += bench.world.slack_ms
    limit_ms = max(0, bench.since_ms + within_ms - bench.now_ms)
    if not bench.run_until(holds, limit_ms):
        raise Breach(f"{expected} within {within_ms / 1000:g} s", seen())


def demand_state(
    bench: Bench, driver: Person, state: SessionState, *, within_ms: int
) -> Session:
    """The driver's latest session must reach ``state`` in time.

    Raises NotReached once it no longer can, because terminal or cloud ended it.
    """
    session_id = last_session(bench, driver).session_id

    def now() -> Session:
        return bench.court.terminal.sessions[session_id]

    demand(
        bench,
        f"{driver.name}'s session {state}",
        lambda: now().state is state or _is_beyond_reach(bench, now()),
        within_ms=within_ms,
        seen=lambda: f"session {session_id} {now().state}",
    )
    if now().state is not state:
        require_within_reach(bench, now())
    return now()


def require_within_reach(bench: Bench, session: Session) -> None:
    """Raises NotReached when no close can end a session any more, and none has."""
    if _is_beyond_reach(bench, session):
        bench.allow_unknown = True
        raise NotReached(f"{session.state} before anybody could close it")


def _is_beyond_reach(bench: Bench, session: Session) -> bool:
    """Whether the session is lost to a controller that has tried to close it.

    Whoever has not even tried has shown what it does: that is for the step to judge.
    """
    is_final = bench.court.terminal.settings.cps_policy.failed_session == "final"
    is_failed = session.state is SessionState.FAILED and is_final
    if session.state is not SessionState.EXPIRED and not is_failed:
        return False
    names = (session.session_id, str(session.psp_session_id))
    return any(name in names for _, name, _ in close_requests(bench))


def is_reading(bench: Bench) -> bool:
    """Whether the terminal waits for a card."""
    return bench.court.terminal.is_reading(bench.column.interface)


# --- the trace ------------------------------------------------------------------


def bay_lines(bench: Bench, way: str, kind: str) -> Iterator[tuple[Record, Record]]:
    """Bay lines of one type that crossed, newest first, with their records."""
    for record in reversed(bench.trace.records):
        if record["kind"] == "bay" and record["direction"] == way:
            line = record["line"]
            if isinstance(line, Mapping) and line.get("type") == kind:
                yield record, line


def alarms(bench: Bench) -> list[str]:
    """Codes of all alarms the controller has raised, oldest first."""
    return list(alarms_until(bench)())


def alarms_until(
    bench: Bench, until_ms: int | None = None
) -> Callable[[], Sequence[str]]:
    """Tells the alarms raised up to an instant so far, oldest first.

    It may be asked after every event of a week: it looks at each record once.
    """
    found: list[str] = []
    seen = 0

    def now() -> Sequence[str]:
        nonlocal seen
        records = bench.trace.records
        new, seen = records[seen:], len(records)
        found.extend(
            str(line.get("code"))
            for record in new
            for line in _alarm_in(record)
            if until_ms is None or time_of(record) <= until_ms
        )
        return found

    return now


def _alarm_in(record: Record) -> Iterator[Mapping[str, object]]:
    if record["kind"] == "bay" and record["direction"] == "to_charger":
        line = record["line"]
        if isinstance(line, Mapping) and line.get("type") == "alarm":
            yield line


def count_messages(bench: Bench, *names: str, routes: tuple[str, ...] = ()) -> int:
    """How many PSP requests of these names, or CPS calls of these routes, were sent."""
    total = 0
    for record in bench.trace.records:
        if record["kind"] == "http":
            total += record.get("route") in routes
        elif record["kind"] == "psp" and record["direction"] == "to_terminal":
            messages = record["messages"]
            assert isinstance(messages, list)
            for message in messages:
                total += message.get("message") in names
    return total


def closes_between(bench: Bench, from_ms: int, to_ms: int) -> int:
    """How many commits and releases were sent from one moment up to another."""
    return sum(
        bool({"Commit Session", "Void Session", "E9", "E10"}.intersection(said))
        for record in bench.trace.records
        if from_ms <= time_of(record) < to_ms
        for said in [names_in(record)]
    )


def last_death(bench: Bench) -> tuple[int, int]:
    """When the controller died last, and when it was started after that."""
    found = {
        str(record["event"]): time_of(record)
        for record in bench.trace.records
        if record["kind"] == "controller"
    }
    if "killed" not in found:
        raise NotReached("the controller has not died")
    return found["killed"], found["started"]


def close_requests(bench: Bench) -> list[tuple[str, str, int | None]]:
    """Each close that was sent: operation, session, amount; oldest first."""
    found: list[tuple[str, str, int | None]] = []
    for record in bench.trace.records:
        if record["kind"] == "http" and record.get("route") in _CLOSE_ROUTES:
            query = record["query"]
            assert isinstance(query, Mapping)
            amount = query.get("commitAmount")
            found.append((str(record["route"]), str(record["session_id"]), amount))
        elif record["kind"] == "psp" and record["direction"] == "to_terminal":
            found += [_close_in(one) for one in _rows(record) if _is_close(one)]
    return found


_CLOSE_ROUTES: Final = ("E9", "E10")


def _rows(record: Record) -> list[Mapping[str, Any]]:
    rows = record["messages"]
    assert isinstance(rows, list)
    return rows


def _is_close(row: Mapping[str, Any]) -> bool:
    return row.get("message") in ("Commit Session", "Void Session")


def _close_in(row: Mapping[str, Any]) -> tuple[str, str, int | None]:
    fields = row["fields"]
    session_id = str(fields.get("session_id"))
    return str(row["message"]), session_id, fields.get("amount_minor")


def reading_pauses(bench: Bench) -> list[int]:
    """How long the terminal was not reading each time between two readings, in ms."""
    pauses: list[int] = []
    left_ms: int | None = None
    for at_ms, is_begun in _readings(bench):
        if not is_begun:
            left_ms = at_ms
        elif left_ms is not None:
            pauses.append(at_ms - left_ms)
            left_ms = None
    return pauses if left_ms is None else [*pauses, bench.now_ms - left_ms]


def began_reading(bench: Bench, *, since_ms: int) -> bool:
    """Whether a reading has begun at or after an instant."""
    return any(is_begun and at_ms >= since_ms for at_ms, is_begun in _readings(bench))


def _readings(bench: Bench) -> Iterator[tuple[int, bool]]:
    """When the reader changed its state; True: it waits for a card from then on."""
    for record in bench.trace.records:
        if record["kind"] == "reader" and record["face"] == bench.column.interface:
            yield time_of(record), record["state"] in ("WAIT_CARD", "READING")


def setups(bench: Bench, *, since_ms: int = 0) -> list[Mapping[str, Any]]:
    """The fields of each Setup that reached the terminal from an instant on."""
    return [
        row["fields"]
        for record in bench.trace.records
        if record["kind"] == "psp"
        and record["direction"] == "to_terminal"
        and record["fate"] == "delivered"
        and time_of(record) >= since_ms
        for row in _rows(record)
        if row.get("message") == "Setup"
    ]


def authorisations(bench: Bench) -> int:
    """How often the controller asked for an authorisation."""
    return count_messages(bench, "Auth Session", routes=("E6",))


def statuses_of(bench: Bench, *routes: str) -> list[int]:
    """How the calls of these routes were answered, by status, oldest first."""
    asked = {r["call"] for r in bench.trace.records if r.get("route") in routes}
    return [
        int(str(record["status"]))
        for record in bench.trace.records
        if record["kind"] == "http_answer" and record["call"] in asked
    ]


def most_at_once(bench: Bench, *routes: str) -> int:
    """How many calls of these routes have waited for their end at one time, at most."""
    waiting: set[object] = set()
    most = 0
    for record in bench.trace.records:
        if record["kind"] == "http" and record.get("route") in routes:
            waiting.add(record["call"])
            most = max(most, len(waiting))
        elif record["kind"] in ("http_answer", "http_failed"):
            waiting.discard(record["call"])
    return most


def time_of(record: Record) -> int:
    """When it was written, ms of the run's clock."""
    at_ms = record["t_ms"]
    assert isinstance(at_ms, int)
    return at_ms
