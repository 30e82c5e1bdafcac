"""Calendar time in the forms of the worked examples."""

from wire.cps import commit_time, emv_date, emv_time, error_time, transaction_time

#: 2026-07-02 11:52:22.007 UTC.
MOMENT_MS = 1_782_993_142_007


def test_the_forms_of_the_worked_examples() -> None:
    assert error_time(MOMENT_MS) == "2026-07-02T11:52:22.007Z"
    assert transaction_time(MOMENT_MS) == "2026-07-02T11:52:22.007"
    assert commit_time(MOMENT_MS) == "2026-07-02T11:52:22.007+0000"
    assert emv_date(MOMENT_MS) == "260702"
    assert emv_time(MOMENT_MS) == "115222"


def test_the_clock_of_a_controller_without_a_battery() -> None:
    assert error_time(0) == "1970-01-01T00:00:00.000Z"
