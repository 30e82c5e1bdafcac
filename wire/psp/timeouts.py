# ruff: noqa: E501
"""All times of PSP, each with family, clause and mark. Nobody else writes ``60``.

Milliseconds throughout, except where the wire itself counts seconds. Limits on answers
are what Payter tells the host to apply; the terminal promises nothing faster.
Clauses: psp.md 1, 3.2, 4.1, 8, 9 (requirements 3.2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wire.psp.codes import Family, Mark
from wire.psp.message import Name

TCP_IDLE_CLOSE_MS: Final = 20_000
KEEP_ALIVE_MS: Final = 15_000
IDLE_CARD_DETECT_MS: Final = 300_000
CARD_DETECT_MS: Final = 60_000
CARD_KEPT_MS: Final = 30_000
INTER_BYTE_MS: Final = 1_000
#: Seconds, as configured in the terminal: the card-detect time-out is off (psp.md 8).
CARD_DETECT_OFF: Final = 2_147_483_647
#: Default TCP port, and that of early Apollo releases (psp.md 1).
TCP_PORT: Final = 3201
EARLY_TCP_PORT: Final = 1234

_BOTH: Final = frozenset(Family)
_P6X: Final = frozenset({Family.P6X})
_APOLLO: Final = frozenset({Family.APOLLO})


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout:
    """One time. ``value_ms`` None: not a fixed figure, see ``about``."""

    value_ms: int | None
    families: frozenset[Family]
    about: str
    clause: str
    mark: Mark
    #: For limits on answers: the requests concerned; empty: every other request.
    requests: tuple[Name, ...] = ()


# fmt: off
TIMEOUTS: Final[Mapping[str, Timeout]] = {
    "tcp_idle_close": Timeout(value_ms=TCP_IDLE_CLOSE_MS, families=_APOLLO, about="terminal closes an idle socket and goes OFFLINE", clause="psp.md 1", mark=Mark.DOC),
    "keep_alive": Timeout(value_ms=KEEP_ALIVE_MS, families=_APOLLO, about="host sends Get Status this often on TCP", clause="psp.md 1", mark=Mark.DOC),
    "idle_card_detect": Timeout(value_ms=IDLE_CARD_DETECT_MS, families=_APOLLO, about="with a longer card-detect time-out, WAIT_CARD counts as idle", clause="psp.md 1", mark=Mark.DOC),
    "card_detect": Timeout(value_ms=CARD_DETECT_MS, families=_BOTH, about="default life of a Start Session or Read Card without a card", clause="psp.md 8", mark=Mark.DOC),
    "card_kept": Timeout(value_ms=CARD_KEPT_MS, families=_BOTH, about="terminal drops a read card after this time in WAIT_AUTH", clause="psp.md 3.2", mark=Mark.DOC),
    "inter_byte": Timeout(value_ms=INTER_BYTE_MS, families=_BOTH, about="an unfinished block is given up", clause="psp.md 9 A20", mark=Mark.ASSUMPTION),
    "answer_card": Timeout(value_ms=None, families=_BOTH, about="answer limit: the configured card-detect time-out", clause="psp.md 4.1", mark=Mark.DOC, requests=(Name.START_SESSION, Name.READ_CARD)),
    "answer_auth_p6x": Timeout(value_ms=30_000, families=_P6X, about="answer limit", clause="psp.md 4.1", mark=Mark.DOC, requests=(Name.AUTH_SESSION,)),
    "answer_auth_apollo": Timeout(value_ms=210_000, families=_APOLLO, about="answer limit, three PIN entries", clause="psp.md 4.1", mark=Mark.DOC, requests=(Name.AUTH_SESSION,)),
    "answer_close": Timeout(value_ms=60_000, families=_BOTH, about="answer limit", clause="psp.md 4.1", mark=Mark.DOC, requests=(Name.COMMIT_SESSION, Name.VOID_SESSION)),
    "answer_receipt": Timeout(value_ms=15_000, families=_APOLLO, about="answer limit", clause="psp.md 4.1", mark=Mark.DOC, requests=(Name.GET_RECEIPT,)),
    "answer_other_p6x": Timeout(value_ms=10_000, families=_P6X, about="answer limit of every other request", clause="psp.md 4.1", mark=Mark.DOC),
    "answer_other_apollo": Timeout(value_ms=5_000, families=_APOLLO, about="answer limit of every other request", clause="psp.md 4.1", mark=Mark.DOC),
}
# fmt: on


def answer_limit_ms(name: Name, family: Family) -> int | None:
    """How long a host waits for the answer; None: the card-detect time-out."""
    return _LIMITS[family].get(name, _OTHERS[family])


def _limits(family: Family) -> dict[Name, int | None]:
    return {
        name: row.value_ms
        for row in TIMEOUTS.values()
        if family in row.families
        for name in row.requests
    }


def _other(family: Family) -> int | None:
    return TIMEOUTS[f"answer_other_{family.value}"].value_ms


_LIMITS: Final = {family: _limits(family) for family in Family}
_OTHERS: Final = {family: _other(family) for family in Family}
