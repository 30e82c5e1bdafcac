"""The audits of group R turn red for whoever does not do what is declared."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.audit import card_number_written, untraceable
from harness.watch import await_session
from tests.harness.conftest import MakeBench
from tests.harness.mistakes import declared as wrong
from tests.harness.mistakes.examined import MISTAKES, catch, declared, examined

AUDITS = "audits.feature"
SETUP = "The terminal is set up to release what everybody has forgotten"
LIFE = "One driver pays and one walks away"
RESERVE = "The reservation is the declared one"
PLUG_IN = "A driver has the declared window to plug in"
NO_ENERGY = "A vehicle has the declared window to draw"
LOSS = "A lost charger is waited for as long as declared"
EVERY = ("p6x", "apollo", "cps")
PSP = ("p6x", "apollo")


pytestmark = pytest.mark.usefixtures("impatient")


@pytest.mark.parametrize(
    ("factory", "title", "columns", "requirement"),
    [
        ("forgets_too_soon", SETUP, PSP, "R-PER-05"),
        ("charges_what_is_forgotten", SETUP, PSP, "R-PER-05"),
        ("writes_the_card_down", LIFE, EVERY, "R-UI-07"),
        ("prints_another_amount", LIFE, EVERY, "R-PER-08"),
        ("reserves_more_than_declared", RESERVE, EVERY, "R-AMT-01"),
        ("waits_half_the_plug_in_window", PLUG_IN, EVERY, "R-GOL-04"),
        ("waits_half_the_no_energy_window", NO_ENERGY, EVERY, "R-GOL-04"),
        ("waits_twice_for_the_charger", LOSS, EVERY, "R-GOL-04"),
    ],
)
def test_an_audit_turns_red(
    factory: str, title: str, columns: tuple[str, ...], requirement: str, tmp_path: Path
) -> None:
    assert hasattr(wrong, factory)
    for column in columns:
        path = declared(tmp_path, f"{MISTAKES}.declared:{factory}", column)
        catch(examined(path, AUDITS, f'"{title}"'), requirement)


def test_a_session_is_traced_part_by_part(make_bench: MakeBench) -> None:
    bench = make_bench("apollo")
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    session = await_session(bench, driver)
    assert untraceable(bench, session) == "never closed"
    assert untraceable(bench, replace(session, session_id="x")) == "never opened"
    bench.run_for(310_000)
    session = bench.court.terminal.sessions[session.session_id]
    assert untraceable(bench, session) == ""
    stranger = replace(session, psp_session_id=1)
    assert untraceable(bench, stranger) == "closed by nobody"


def test_a_session_that_nobody_asked_for_is_named(make_bench: MakeBench) -> None:
    bench = make_bench("p6x")
    bench.open()
    bench.faults.put("terminal_stale_sessions", count=1)
    bench.run_for(5_000)
    (session,) = bench.court.terminal.sessions.values()
    assert untraceable(bench, session) == "opened without an authorisation"


def test_what_was_said_and_what_was_written_are_both_looked_at(
    make_bench: MakeBench,
) -> None:
    bench = make_bench("apollo")
    bench.open()
    assert card_number_written(bench) == ""
    number = "4" + "1" * 15
    # A clock in milliseconds, twenty times faster than life, that passes the check.
    clock = "3590790446" + "9900"
    bench.store.save(f'{{"nextAt": {clock}}}'.encode())
    assert card_number_written(bench) == ""
    bench.store.save(f'{{"card": "{number}"}}'.encode())
    assert card_number_written(bench) == "one in its state or its output"
    bench.store.save(" ".join((number[:4], *["1111"] * 3)).encode())
    assert card_number_written(bench) == "one in its state or its output"
    fields = {"requirement": "R-UI-07", "expected": "none", "seen": "a card number"}
    bench.trace.append(bench.now_ms, "finding", fields)
    assert card_number_written(bench) == "one said to the world, a card number"
