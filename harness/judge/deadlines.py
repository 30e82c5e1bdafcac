# ruff: noqa: E501
"""How late is late: limits per trigger, and what postpones them.

The figures are requirements.md 3.9 (ours, not Payter's): up to the first number is
fine, up to the second a warning, beyond it LATE. A deadline runs from the moment the
controller could know; while it is dead, the terminal out of reach, or the terminal busy
with an authorisation, the clock stands, and starts anew with the limits for recovery.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness.judge.case import SLACK_MS, Kind, Trigger
from harness.judge.facts import Life, Message
from harness.judge.spans import FOREVER, Span, spans_of, spans_of_faults
from harness.judge.timeline import Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    pass_ms: int
    fail_ms: int


STOP: Final = Limit(pass_ms=10_000, fail_ms=60_000)
ABORT: Final = Limit(pass_ms=5_000, fail_ms=30_000)
RECOVERY: Final = Limit(pass_ms=60_000, fail_ms=300_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    limit: Limit
    #: Requirements when no energy had flowed, and when it had.
    idle: tuple[str, ...]
    charged: tuple[str, ...]


# fmt: off
RULES: Final = {
    Kind.UNPLUGGED:     Rule(limit=STOP, idle=("R-SES-14",), charged=("R-STP-01",)),
    Kind.FAULT:         Rule(limit=STOP, idle=("R-NOS-04", "R-FLT-03"), charged=("R-FLT-03",)),
    Kind.EMERGENCY:     Rule(limit=STOP, idle=("R-FLT-03",), charged=("R-STP-02",)),
    Kind.PILOT:         Rule(limit=STOP, idle=("R-FLT-03",), charged=("R-FLT-03",)),
    Kind.BAY_EMPTY:     Rule(limit=STOP, idle=("R-SES-14",), charged=("R-SES-14",)),
    Kind.ABORT:         Rule(limit=ABORT, idle=("R-NOS-03",), charged=("R-NOS-03",)),
    Kind.TAP:           Rule(limit=STOP, idle=("R-STP-03",), charged=("R-STP-03",)),
    Kind.STOPPED:       Rule(limit=STOP, idle=("R-SES-03",), charged=("R-SES-03",)),
    Kind.PLUG_WINDOW:   Rule(limit=STOP, idle=("R-NOS-02",), charged=("R-NOS-02",)),
    Kind.ENERGY_WINDOW: Rule(limit=STOP, idle=("R-NOS-01",), charged=("R-NOS-01",)),
    Kind.FULL_WINDOW:   Rule(limit=STOP, idle=("R-STP-10",), charged=("R-STP-10",)),
    Kind.REJECTED:      Rule(limit=STOP, idle=("R-NOS-04", "R-NOS-11"), charged=("R-NOS-04",)),
    Kind.UNAVAILABLE:   Rule(limit=STOP, idle=("R-NOS-04",), charged=("R-NOS-04",)),
    Kind.CHARGER_LOST:  Rule(limit=STOP, idle=("R-FLT-06",), charged=("R-FLT-01", "R-FLT-06")),
    Kind.SURPLUS:       Rule(limit=ABORT, idle=("R-SES-11",), charged=("R-SES-11",)),
    Kind.ORPHAN:        Rule(limit=RECOVERY, idle=("R-RTY-07", "R-SES-05"), charged=("R-SES-05",)),
}
# fmt: on

_WINDOWS: Final = frozenset(
    {Kind.PLUG_WINDOW, Kind.ENERGY_WINDOW, Kind.FULL_WINDOW, Kind.CHARGER_LOST}
)


def requirements_of(trigger: Trigger) -> tuple[str, ...]:
    rule = RULES[trigger.kind]
    return rule.charged if trigger.energy else rule.idle


# --- What stops the clock -------------------------------------------------------

#: The terminal cannot be reached; after any other hang-up it can be called again.
_CUT: Final = frozenset({"reset", "cut", "refused", "death", ""})


def blockages(timeline: Timeline) -> tuple[Span, ...]:
    """When no close could be sent, in order of time."""
    claims = timeline.promises.claims
    link = "cloud" if claims.interface == "cps" else "psp"
    reach = [
        (change.t_ms, change.up)
        for change in timeline.links
        if change.link == link and (change.up or change.reason in _CUT)
    ]
    spans = [*deaths(timeline.lives), *spans_of(reach, "unreachable")]
    spans += spans_of(timeline.silences, "unreachable")
    spans += spans_of_faults(timeline.faults, _POWER, "unreachable")
    return tuple(sorted([*spans, *_busy(timeline.messages, claims.auth_limit_ms)]))


#: Faults that switch the terminal off without any link noticing (a serial cable), and
#: the one with which it refuses whatever it is asked, a P6X without a word why.
_POWER: Final = frozenset({"terminal_off", "site_power_cut", "terminal_not_ready"})


def deaths(lives: Sequence[Life]) -> list[Span]:
    """From each kill until the next boot is ready, or at least has started."""
    found: list[Span] = []
    for index, life in enumerate(lives):
        if life.event != "killed":
            continue
        end_ms = FOREVER
        for later in lives[index + 1 :]:
            if later.event == "killed":
                break
            end_ms = later.t_ms
            if later.event == "ready":
                break
        found.append(Span(life.t_ms, end_ms, "dead"))
    return found


def _busy(messages: Sequence[Message], limit_ms: int) -> list[Span]:
    """An authorisation runs: the terminal may refuse any close (psp.md A24)."""
    found: list[Span] = []
    since: int | None = None
    for message in messages:
        if message.outbound and message.name == "Auth Session":
            since = message.t_ms
        elif since is not None and message.name in _AUTH_ENDS:
            end_ms = min(message.t_ms, since + limit_ms)
            found.append(Span(since, end_ms, "busy"))
            since = None
    return found


_AUTH_ENDS: Final = frozenset(
    {
        "Session Approved",
        "Session Partially Approved",
        "Session Declined",
        "Session Cancelled",
        "Reset",
        "Synchronize",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    #: From when the controller could have acted.
    due_from_ms: int
    limit: Limit
    late_ms: int

    @property
    def failed(self) -> bool:
        return self.late_ms > self.limit.fail_ms

    @property
    def warned(self) -> bool:
        return self.limit.pass_ms < self.late_ms <= self.limit.fail_ms


def lateness(trigger: Trigger, attempt_ms: int, blocked: Sequence[Span]) -> Lateness:
    """How long after it could have been sent the first attempt was sent."""
    limit, base_ms = RULES[trigger.kind].limit, trigger.t_ms
    for span in blocked:
        ended = span.end_ms < base_ms
        if ended or span.start_ms > min(attempt_ms, base_ms + limit.fail_ms):
            continue
        base_ms = min(span.end_ms, max(attempt_ms, base_ms))
        if span.why != "busy":
            limit = RECOVERY
    if trigger.kind in _WINDOWS and base_ms == trigger.t_ms:
        base_ms += SLACK_MS
    return Lateness(due_from_ms=base_ms, limit=limit, late_ms=attempt_ms - base_ms)
