"""What the card issuer answers, and when."""

from typing import Final

from pytest_bdd import given

from harness.bench import Bench
from steps.words import phrase

#: Just inside what the terminal allows (psp.md 4.1): 30 s P6X, 210 s Apollo.
_JUST_IN_TIME_MS: Final = {"p6x": 28_500, "apollo": 200_000, "cps": 200_000}


@given(phrase("the issuer answers after {time:Duration}"))
def issuer_slow(bench: Bench, time: int) -> None:
    """Given the issuer answers after 20 seconds"""
    bench.faults.put("issuer_slow", delay_ms=time)


@given(phrase("the issuer answers just before the terminal gives up"))
def issuer_just_in_time(bench: Bench) -> None:
    """Given the issuer answers just before the terminal gives up"""
    bench.faults.put("issuer_slow", delay_ms=_JUST_IN_TIME_MS[bench.column.name])


@given(phrase("the issuer never answers"))
def issuer_silent(bench: Bench) -> None:
    """Given the issuer never answers"""
    bench.faults.put("issuer_silent")


@given(phrase("the issuer keeps the hold for {time:Duration}"))
def issuer_keeps(bench: Bench, time: int) -> None:
    """Given the issuer keeps the hold for 30 days"""
    bench.faults.put("issuer_validity", days=time // 86_400_000)


@given(phrase("increments are {answer:IncrementAnswer}"))
def increments_are(bench: Bench, answer: str) -> None:
    """Given increments are partially approved"""
    if answer == "never answered":
        bench.faults.put("issuer_silent", ask="increment")
        return
    said = "declined" if answer == "declined" else "partial"
    # One unit of the currency more than was reserved, however much is asked for.
    total_minor = bench.declaration.number("tariff", "reserve") + 100
    bench.faults.put("issuer_increment", answer=said, total_minor=total_minor)


@given(phrase("increments are answered after {time:Duration}"))
def increments_slow(bench: Bench, time: int) -> None:
    """Given increments are answered after 8 seconds"""
    bench.faults.put("issuer_slow", delay_ms=time)
