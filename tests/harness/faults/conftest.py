# ruff: noqa: E501 - a table
"""How each fault of the catalogue is brought about, and what is to be seen of it.

A play is given a bench on which driver 1 charges at connector 1. Its fault is put in,
its story is told, and ``sees`` finds the effect in what the trace has gained since.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from harness.bench import Bench
from simulator.faults import Value

Record = Mapping[str, Any]
PSP: Final = ("p6x", "apollo")
CPS: Final = ("cps",)
ALL: Final = (*PSP, *CPS)
TCP: Final = ("apollo",)


@dataclass(frozen=True)
class Seen:
    """What the trace has gained since the fault was put in."""

    bench: Bench
    records: list[Record]

    def of(self, kind: str, **fields: object) -> list[Record]:
        return [
            record
            for record in self.records
            if record["kind"] == kind
            and all(record.get(name) == value for name, value in fields.items())
        ]

    def details(self) -> list[str]:
        return [str(hit.get("detail", "")) for hit in self.of("fault", event="hit")]

    def lines(self, kind: str) -> Iterator[Record]:
        for record in self.of("bay"):
            if record["line"].get("type") == kind:
                yield record["line"]

    def messages(self, name: str) -> Iterator[Record]:
        for record in self.of("psp"):
            for message in record["messages"]:
                if message.get("message") == name:
                    yield message["fields"]


Story = Callable[[Bench], object]
Sees = Callable[[Seen], object]


@dataclass(frozen=True)
class Play:
    columns: tuple[str, ...]
    story: Story
    sees: Sees
    params: Mapping[str, Value] = field(default_factory=dict)
    #: Claims that the play needs, as (table, key) -> value.
    claims: Mapping[tuple[str, str], Any] = field(default_factory=dict)


# --- Stories ----------------------------------------------------------------------


def waits(bench: Bench) -> None:
    """A minute passes."""
    bench.run_for(60_000)


def stops(bench: Bench) -> None:
    """Driver 1 leaves, which is when a close is sent."""
    bench.drivers.leave(bench.driver(1), 1)
    bench.run_for(100_000)


def dies(bench: Bench) -> None:
    """The controller dies and lives again."""
    bench.run_for(5_000)
    bench.faults.put("controller_killed")
    bench.run_for(30_000)


def breaks(bench: Bench) -> None:
    """The connection to the terminal is lost, so that it has to be made again."""
    bench.lines.psp.reset()
    bench.run_for(60_000)


def taps(bench: Bench) -> None:
    """Another driver taps and plugs in."""
    driver = bench.driver(2)
    bench.drivers.tap(driver, driver.card)
    bench.run_for(10_000)
    bench.drivers.plug(driver, 2, driver.vehicle)
    bench.run_for(60_000)


def taps_only(bench: Bench) -> None:
    """Another driver taps, and has no vehicle."""
    bench.drivers.tap(bench.driver(2), bench.driver(2).card)
    bench.run_for(200_000)


def taps_twice(bench: Bench) -> None:
    taps(bench)
    bench.drivers.tap(bench.driver(2), bench.driver(2).card)
    bench.run_for(60_000)


def taps_at_once(bench: Bench) -> None:
    """A tap while the answer to the call that starts the read is under way."""
    bench.drivers.tap(bench.driver(2), bench.driver(2).card)
    count = len(_starts(bench))
    bench.run_until(lambda: len(_starts(bench)) > count, 60_000)
    bench.run_for(3_000)
    bench.drivers.tap(bench.driver(4), bench.driver(4).card)
    bench.run_for(60_000)


def _starts(bench: Bench) -> list[Record]:
    return [r for r in bench.trace.records if r.get("route") == "E3"]


def calls_for_more(bench: Bench) -> None:
    """Energy flows until the reservation has to be raised."""
    bench.run_for(2 * 3_600_000)


# --- What is to be seen -----------------------------------------------------------


def _block(byte: int, *, fate: str, arrives: int, times: int = 1) -> Sees:
    """Struck at this byte of 13; so many bytes arrived so often, with this fate."""

    def sees(seen: Seen) -> bool:
        records = seen.of("psp", direction="to_terminal", fate=fate)
        found = [len(record["hex"].split()) for record in records]
        words = f"Commit Session to_terminal, byte {byte} of 13"
        return words in seen.details() and found.count(arrives) >= times

    return sees


def _link(name: str, *reasons: str) -> Sees:
    def sees(seen: Seen) -> bool:
        downs = seen.of("link", link=name, state="down")
        return [down.get("reason") for down in downs[:1]] == list(reasons)

    return sees


def _dead(seen: Seen) -> bool:
    """Bytes are lost both ways, and only the controller itself gives up."""
    lost = {record["direction"] for record in seen.of("psp", fate="lost")}
    downs = [down.get("reason") for down in seen.of("link", link="psp", state="down")]
    return "to_terminal" in lost and "reset" not in downs and "idle" not in downs


def _failed(route: str, reason: str, *, effect: bool) -> Sees:
    """The close failed in this way, and the session is closed all the same, or not."""

    def sees(seen: Seen) -> bool:
        struck = seen.of("http", route=route)[0]["call"]
        failure = seen.of("http_failed", call=struck, reason=reason)
        return bool(failure) and _had_effect(seen, struck) is effect

    return sees


def _answered(status: int, fate: str, *, effect: bool) -> Sees:
    def sees(seen: Seen) -> bool:
        struck = seen.of("http", route="E9")[0]["call"]
        answers = seen.of("http_answer", call=struck, status=status, fate=fate)
        return bool(answers) and _had_effect(seen, struck) is effect

    return sees


def _had_effect(seen: Seen, call: int) -> bool:
    """Whether the session was closed before another close was called for."""
    calls = [r["seq"] for r in seen.of("http", route="E9")]
    later = [seq for seq in calls if seq > seen.of("http", call=call)[0]["seq"]]
    done = seen.of("session", event="committed")
    return bool(done) and (not later or done[0]["seq"] < later[0])


def _callbacks(what: str, *fates: str) -> Sees:
    def sees(seen: Seen) -> bool:
        found = [record["fate"] for record in seen.of("callback", what=what)]
        return found[: len(fates)] == list(fates)

    return sees


def _out_of_order(seen: Seen) -> bool:
    numbers = [r["callback"] for r in seen.of("callback", what="card")]
    return numbers != sorted(numbers)


def _before_answer(seen: Seen) -> bool:
    (callback, *_) = seen.of("callback", what="card")
    starts = [r["call"] for r in seen.of("http", route="E3")]
    answers = [r for r in seen.of("http_answer") if r["call"] in starts]
    return any(answer["seq"] > callback["seq"] for answer in answers[:1])


def _late_callback(seen: Seen) -> bool:
    act = seen.of("act", act="tap")[0]["t_ms"]
    callback = seen.of("callback", what="card", fate="delivered")[0]
    return bool(callback["t_ms"] - act > 5_000)


def _late_poll(seen: Seen) -> bool:
    """Whoever had asked for a card learns of it no sooner than by the callback."""
    act = seen.of("act", act="tap")[0]["t_ms"]
    known = [r["t_ms"] for r in seen.of("http_answer") if "cardId" in str(r["body"])]
    return all(t_ms - act > 5_000 for t_ms in known)


def _late_answer(seen: Seen) -> bool:
    call = seen.of("http", route="E9")[0]
    answer = seen.of("http_answer", call=call["call"])[0]
    return bool(answer["t_ms"] - call["t_ms"] > 5_000)


def _charger(event: str, **fields: object) -> Sees:
    return lambda seen: seen.of("charger", event=event, **fields)


def _line(kind: str, **fields: object) -> Sees:
    return lambda seen: any(
        fields.items() <= dict(line).items() for line in seen.lines(kind)
    )


def _refused(reason: int) -> Sees:
    """Not OK for this reason, which only some terminals tell."""
    return lambda seen: any(
        fields["result"] == 1 and fields.get("reason", reason) == reason
        for fields in seen.messages("Result")
    )


def _after_reset(seen: Seen) -> bool:
    """The commit's Result comes when the host has given up, and ahead of all else."""
    (lost, *_) = seen.of("psp", direction="to_controller", fate="lost")
    resets = [r for r in seen.of("psp") if "'Reset'" in str(r["messages"])]
    later = [
        r
        for r in seen.of("psp", direction="to_controller")
        if r["t_ms"] >= resets[0]["t_ms"]
    ]
    return bool(later[0]["hex"] == lost["hex"])


def _swallowed(seen: Seen) -> bool:
    """The commit was done, and nothing said so for as long as a host waits."""
    done_ms = seen.of("session", event="committed")[0]["t_ms"]
    return not any(
        "Result" in str(record["messages"])
        for record in seen.of("psp", direction="to_controller")
        if 0 <= record["t_ms"] - done_ms < 30_000
    )


def _hit(words: str) -> Sees:
    return lambda seen: any(words in detail for detail in seen.details())


def _boots(seen: Seen) -> bool:
    return "Starting" in str([record["text"] for record in seen.of("display")])


def _contactor_stays(seen: Seen) -> bool:
    """A close command, and no energy after it."""
    return not seen.bench.court.station.connector(2).contactor_closed


def _alarm(code: str) -> Sees:
    return lambda seen: any(line.get("code") == code for line in seen.lines("alarm"))


def _registers(seen: Seen) -> list[Any]:
    return [line["energy_wh"] for line in seen.lines("meter") if line["connector"] == 1]


def _moves(low_wh: int, high_wh: int) -> Sees:
    """The register moves by so much between two lines."""

    def sees(seen: Seen) -> bool:
        found = _registers(seen)
        before = Seen(seen.bench, list(seen.bench.trace.records[: -len(seen.records)]))
        moved_wh: int = found[0] - _registers(before)[-1]
        return low_wh <= moved_wh <= high_wh

    return sees


_COMMIT: Final[Mapping[str, Value]] = {"message": "Commit Session"}
_E9: Final[Mapping[str, Value]] = {"route": "E9"}
_CARD: Final[Mapping[str, Value]] = {"what": "card"}
_TWO: Final[Mapping[str, Value]] = {"connector": 2}
_STATUS: Final[Mapping[str, Value]] = {"message": "Get Status"}
_GROUND: Final[Mapping[str, Value]] = {"code": "GroundFailure"}

# fmt: off
PLAYS: Final[Mapping[str, Play]] = {
    "cable_cut": Play(PSP, waits, lambda seen: seen.of("psp", fate="lost")),
    "cable_cut_at": Play(PSP, stops, _block(4, fate="changed", arrives=4), {**_COMMIT, "byte": 4}),
    "cable_deaf": Play(PSP, waits, lambda seen: seen.of("psp", fate="lost", direction="to_controller") and not seen.of("psp", fate="lost", direction="to_terminal"), {"direction": "to_controller"}),
    "cable_lose": Play(PSP, stops, _block(0, fate="lost", arrives=13), _COMMIT),
    "cable_corrupt": Play(PSP, stops, _block(12, fate="changed", arrives=13), _COMMIT),
    "cable_flip": Play(PSP, stops, _block(3, fate="changed", arrives=13), _COMMIT),
    "cable_overwrite": Play(PSP, stops, _block(1, fate="changed", arrives=13), {**_COMMIT, "byte": 1}),
    "cable_truncate": Play(PSP, stops, _block(5, fate="changed", arrives=5), {**_COMMIT, "keep": 5}),
    "cable_duplicate": Play(PSP, stops, _block(13, fate="delivered", arrives=13, times=2), _COMMIT),
    "cable_garbage": Play(PSP, stops, _block(0, fate="changed", arrives=16), _COMMIT),
    "cable_split": Play(PSP, stops, _block(4, fate="delivered", arrives=4), {**_COMMIT, "piece": 4}),
    "cable_join": Play(TCP, taps, _hit("Card Read and Get Status Response to_controller"), {"message": "Card Read", "hold_ms": 20_000}),
    "cable_delay": Play(PSP, stops, _block(6, fate="delivered", arrives=7), {**_COMMIT, "byte": 6}),
    "cable_hold": Play(("p6x",), stops, lambda seen: _hit("held back")(seen) and _after_reset(seen), {"message": "Result"}),
    "tcp_reset": Play(TCP, waits, _link("psp", "reset")),
    "tcp_reset_at": Play(TCP, stops, lambda seen: _block(5, fate="changed", arrives=5)(seen) and _link("psp", "reset")(seen), {**_COMMIT, "byte": 5}),
    "tcp_closed": Play(TCP, waits, _link("psp", "closed")),
    "tcp_refused": Play(TCP, breaks, lambda seen: len(seen.of("link", link="psp")) == 1),
    "tcp_half_open": Play(TCP, waits, _dead),
    "tcp_half_open_at": Play(TCP, stops, lambda seen: _block(5, fate="changed", arrives=5)(seen) and _dead(seen), {**_COMMIT, "byte": 5}),
    "tcp_second_client": Play(TCP, waits, lambda seen: _hit("turned away")(seen) and not seen.of("link")),
    "http_refused": Play(CPS, stops, lambda seen: seen.of("http_failed", reason="refused")),
    "http_lost_before": Play(CPS, stops, _failed("E9", "reset", effect=False), _E9),
    "http_lost_after": Play(CPS, stops, _failed("E9", "reset", effect=True), _E9),
    "http_timeout_before": Play(CPS, stops, _failed("E9", "timeout", effect=False), _E9),
    "http_timeout_after": Play(CPS, stops, _failed("E9", "timeout", effect=True), _E9),
    "http_status": Play(CPS, stops, _answered(503, "delivered", effect=False), {**_E9, "status": 503}),
    "http_status_after": Play(CPS, stops, _answered(503, "changed", effect=True), {**_E9, "status": 503}),
    "http_key_rejected": Play(CPS, stops, lambda seen: seen.of("http_answer", status=401)),
    "http_failed_state": Play(CPS, stops, lambda seen: seen.of("session", event="refused", reason="200 FAILED")),
    "http_hollow": Play(CPS, stops, _answered(204, "delivered", effect=False), {**_E9, "status": 204}),
    "http_empty_body": Play(CPS, stops, _answered(200, "changed", effect=True), _E9),
    "http_malformed": Play(CPS, stops, _answered(200, "changed", effect=True), _E9),
    "http_slow": Play(CPS, stops, _late_answer, _E9),
    "foreign_cancel": Play(CPS, waits, lambda seen: seen.of("session", event="cancelled", via="cps")),
    "callback_lost": Play(CPS, taps, _callbacks("card", "lost"), _CARD),
    "callback_twice": Play(CPS, taps, _callbacks("card", "delivered", "delivered"), _CARD),
    "card_news_late": Play(CPS, taps, lambda seen: _late_callback(seen) and _late_poll(seen), {"delay_ms": 6_000}),
    "callback_late": Play(CPS, taps, _late_callback, _CARD),
    "callback_out_of_order": Play(CPS, taps_twice, _out_of_order, _CARD),
    "callback_before_answer": Play(CPS, taps_at_once, _before_answer, _CARD),
    "callback_foreign": Play(CPS, waits, lambda seen: any(r["body"]["session"]["sessionId"].startswith("00000000") for r in seen.of("callback", what="session"))),
    "host_down": Play(ALL, waits, lambda seen: seen.of("link", link="host", state="down")),
    "cloud_down": Play(CPS, waits, lambda seen: any("OFFLINE" in str(r["body"]) or "'online': False" in str(r["body"]) for r in seen.of("http_answer"))),
    "terminal_off": Play(ALL, waits, lambda seen: not seen.bench.court.terminal.is_running),
    "terminal_reboot": Play(ALL, waits, _boots),
    "terminal_reboot_at": Play(PSP, stops, lambda seen: _hit("Commit Session arrives")(seen) and _boots(seen), _COMMIT),
    "terminal_falls_back": Play(PSP, stops, _refused(0x05), _COMMIT),
    "terminal_extended_blocks": Play(TCP, waits, lambda seen: not list(seen.messages("Get Status Response"))[:1] or seen.of("link", link="psp", state="down")),
    "terminal_not_ready": Play(PSP, stops, _refused(0x11)),
    "terminal_session_timeout": Play(ALL, waits, lambda seen: seen.of("session", event="expired"), {"after_s": 30}),
    "terminal_stale_sessions": Play(ALL, waits, lambda seen: len(seen.of("session", event="opened")) == 3, {"count": 3}),
    "terminal_forgets_callbacks": Play(CPS, taps, lambda seen: not seen.of("callback", what="card")),
    "refuse_close": Play(ALL, stops, lambda seen: seen.of("session", event="refused")),
    "refuse_command": Play(PSP, stops, _refused(0x0C), {**_COMMIT, "reason": 0x0C}),
    "ignore_command": Play(PSP, stops, lambda seen: len(list(seen.messages("Commit Session"))) > 1 or not seen.of("session", event="committed"), _COMMIT),
    "swallow_answer": Play(PSP, stops, _swallowed, _COMMIT),
    "duplicate_answer": Play(PSP, waits, lambda seen: len(list(seen.messages("Get Status Response"))) > len(list(seen.messages("Get Status"))), _STATUS),
    "delay_answer": Play(PSP, stops, lambda seen: any(r["t_ms"] - a["t_ms"] > 4_000 for a in seen.of("session", event="committed") for r in seen.of("psp", direction="to_controller") if "Result" in str(r["messages"])), _COMMIT),
    "surplus_session": Play(ALL, taps, lambda seen: len(seen.of("session", event="opened")) == 2),
    "stop_reading": Play(ALL, waits, lambda seen: seen.of("reader")),
    "read_timeout": Play(ALL, waits, lambda seen: seen.of("reader")),
    "wrong_running_flag": Play(PSP, taps, lambda seen: any(f.get("running") == 0 for f in seen.messages("Get Status Response"))),
    "issuer_slow": Play(ALL, taps, lambda seen: any(r["t_ms"] - a["t_ms"] > 5_000 for a in seen.of("act", act="tap") for r in seen.of("issuer", event="hold_opened"))),
    "issuer_silent": Play(ALL, taps, lambda seen: seen.of("issuer", event="silent", reason="authorise")),
    "issuer_increment": Play(TCP, calls_for_more, lambda seen: any(r.get("hold") for r in seen.of("issuer", event="declined")), claims={("claims", "amount_strategy"): "increment", ("tariff", "reserve"): 1000}),
    "issuer_validity": Play(ALL, taps, lambda seen: [h.drops_ms - h.opened_ms for h in seen.bench.court.issuer.holds.values()][-1] == 300 * 86_400_000, {"days": 300}),
    "bay_down": Play(ALL, waits, _link("bay", "cut")),
    "bay_reset": Play(ALL, waits, _link("bay", "reset")),
    "bay_reset_at": Play(ALL, waits, lambda seen: any(r["line"].get("raw") == '{"type": "m' or str(r["line"].get("raw", "")).startswith('{"') for r in seen.of("bay", fate="delivered")) and _link("bay", "reset")(seen), {"line": "meter", "byte": 11}),
    "charger_reboot": Play(ALL, waits, _line("welcome", boot=2)),
    "charger_fault": Play(ALL, waits, _line("fault", connector=1, code="GroundFailure", active=True), _GROUND),
    "station_fault": Play(ALL, waits, _line("fault", connector=None, code="GroundFailure", active=True), _GROUND),
    "emergency_stop": Play(ALL, waits, _line("emergency_stop", active=True)),
    "out_of_service": Play(ALL, waits, _line("available", connector=1, available=False)),
    "contactor_welded": Play(ALL, stops, lambda seen: seen.bench.court.station.connector(1).contactor_closed),
    "contactor_dead": Play(ALL, taps, _contactor_stays, _TWO),
    "lock_stuck": Play(ALL, taps, lambda seen: not seen.bench.court.station.connector(2).locked, _TWO),
    "refuses": Play(ALL, taps, _line("rejected", connector=2, reason="too hot"), {**_TWO, "reason": "too hot"}),
    "connection_timeout": Play(ALL, taps_only, _line("rejected", connector=2), {**_TWO, "amount": 20}),
    "pilot": Play(ALL, waits, _line("plug", connector=1, pilot="E")),
    "sensor": Play(ALL, waits, _line("bay", connector=1, occupied=False), claims={("claims", "bay_sensor"): True}),
    "meter_frozen": Play(ALL, waits, lambda seen: len(_registers(seen)) > 1 and len(set(_registers(seen))) == 1),
    "meter_suspect": Play(ALL, waits, _line("meter", connector=1, quality="suspect")),
    "meter_jump": Play(ALL, waits, _moves(5_000, 5_500)),
    "meter_falls": Play(ALL, waits, _moves(-5_000, -4_500)),
    "meter_nan": Play(ALL, waits, _line("meter", connector=1, energy_wh=None)),
    "meter_silent": Play(ALL, waits, lambda seen: not list(seen.lines("meter"))),
    "controller_killed": Play(ALL, waits, lambda seen: seen.of("controller", event="killed") and seen.of("controller", event="started", boot=2)),
    "controller_killed_at": Play(ALL, stops, lambda seen: _hit("before write, number")(seen) and seen.of("controller", event="killed") and seen.of("controller", event="started", boot=2), {"moment": "before", "what": "write"}),
    "site_power_cut": Play(ALL, waits, lambda seen: seen.of("charger", event="power", active=False) and seen.of("controller", event="killed")),
    "store_full": Play(ALL, waits, _alarm("ledger")),
    "store_read_only": Play(ALL, waits, _alarm("ledger")),
    "store_torn": Play(ALL, dies, _alarm("ledger")),
    "store_lost_write": Play(ALL, dies, lambda seen: seen.of("controller", event="started")),
    "store_corrupt": Play(ALL, dies, _alarm("ledger")),
    "clock_step": Play(ALL, dies, lambda seen: seen.of("controller", event="started")),
    "clock_drift": Play(ALL, dies, lambda seen: seen.of("controller", event="started")),
    "clock_wrap": Play(ALL, dies, _hit("passes 4294967296 ms"), {"in_s": 20}),
    "clock_1970": Play(ALL, dies, lambda seen: seen.of("controller", event="started")),
}
# fmt: on


@pytest.fixture
def plays() -> Mapping[str, Play]:
    """Name in the catalogue -> its play."""
    return PLAYS


@pytest.fixture
def seen() -> Callable[[Bench, int], Seen]:
    """What a trace has gained since its record of a number."""
    return lambda bench, since: Seen(bench, list(bench.trace.records[since:]))
