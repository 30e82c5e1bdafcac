"""Callbacks of the payment cloud on their way to the controller's listener.

They go nowhere but to the hosts that the declaration names, over plain HTTP: an https
address is refused, because nobody has told the bench which certificates to trust.

What can go wrong is in ``faults``, filled by ``harness.faults``: lost, twice, late,
overtaken by the next one, or in front of the answer to the call that caused it. For
that last one the answers of such calls are held for a while, in case the callback
comes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Final, Literal
from urllib.parse import urlsplit

from harness.cloud_log import kept_body, kept_target, kept_text
from harness.line_faults import Turn
from simulator import events
from simulator.forecourt import Forecourt
from wire.cps import Session, SessionNotification, SessionState, to_json
from wire.machine import CallbackReceived

CALLBACK_LATENCY_MS: Final = 15
#: How long an answer is held for a callback that may overtake it.
HOLD_MS: Final = 5_000
#: Answers and callbacks that may be held at the same time.
MAX_HELD: Final = 64
#: Refused hosts that are told; beyond it they have been told often enough.
MAX_REFUSED_HOSTS: Final = 20

#: The calls that cause a callback (cps.md 5).
CAUSES: Final[Mapping[str, frozenset[str]]] = {
    "card": frozenset({"E3"}),
    "ui": frozenset({"E11"}),
    "session": frozenset({"E6"}),
    "state": frozenset({"E3", "E5", "E6"}),
    "": frozenset({"E3", "E5", "E6", "E11"}),
}
#: A session that nobody on this forecourt has opened.
FOREIGN_SESSION: Final = Session(
    session_id="00000000-0000-4000-8000-00000000f0e1",
    serial_number="F0000000000001",
    state=SessionState.AUTHORIZED.value,
    authorized_amount=5000,
)

#: Says whether a callback has reached its listener.
Heard = Callable[[bool], None]
How = Literal["lose", "twice", "delay", "swap", "overtake"]


@dataclass(slots=True, kw_only=True, eq=False)
class CallbackFault:
    """What happens to callbacks of one kind (any when empty)."""

    how: How
    #: Told of each callback that is hit, in words.
    hit: Callable[[str], None]
    turn: Turn
    what: str = ""
    delay_ms: int = 0

    def takes(self, what: str) -> bool:
        return self.what in ("", what)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Post:
    number: int
    what: str
    url: str
    body: bytes
    is_allowed: bool

    @property
    def target(self) -> str:
        parts = urlsplit(self.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    @property
    def words(self) -> str:
        return f"callback {self.number} {self.what}"


class Callbacks:
    """See the module's text. ``carry`` takes a callback to the controller.

    It says whether the controller's listener has heard of it, at once or later.
    """

    def __init__(
        self,
        court: Forecourt,
        *,
        hosts: tuple[str, ...],
        carry: Callable[[CallbackReceived, Heard], None],
    ) -> None:
        self._court = court
        self._hosts = tuple(host.lower() for host in hosts)
        self._refused_hosts: set[str] = set()
        self.carry = carry
        self._numbers = count(1)
        #: The last address that the controller has passed.
        self._url = ""
        self._foreign: list[Callable[[str], None]] = []
        self._overtaken: list[tuple[_Post, CallbackFault]] = []
        self._answers: dict[int, Callable[[], None]] = {}
        self._holds = count(1)
        self.listening = False
        self.faults: list[CallbackFault] = []

    # --- What the controller says -----------------------------------------------

    def learn(self, url: str) -> None:
        """The controller has passed an address with a call."""
        self._url = url or self._url
        while self._url and self._foreign:
            self._post_foreign(self._foreign.pop(0))

    def hold(self, route: str, arrive: Callable[[], None]) -> bool:
        """Keep the answer to a call of ``route`` if a callback is to overtake it."""
        waits = any(
            fault.how == "overtake"
            and not fault.turn.is_over
            and route in CAUSES[fault.what]
            for fault in self.faults
        )
        if not waits or len(self._answers) >= MAX_HELD:
            return False
        number = next(self._holds)
        self._answers[number] = arrive

        def give_up() -> None:
            if self._answers.pop(number, None) is not None:
                arrive()

        self._later(HOLD_MS, give_up)
        return True

    # --- What the cloud says ----------------------------------------------------

    def post(self, what: str, url: str, body: bytes) -> None:
        """A callback sets out."""
        post = self._stamp(what, url, body)
        fault = self._fault_for(what) if self.faults else None
        self._send(post, fault)

    def post_foreign(self, hit: Callable[[str], None]) -> None:
        """One about a session of somebody else, as soon as an address is known."""
        if self._url:
            self._post_foreign(hit)
        else:
            self._foreign.append(hit)

    def withdraw_foreign(self, hit: Callable[[str], None]) -> None:
        """It is not to be posted any more, if it has not been."""
        if hit in self._foreign:
            self._foreign.remove(hit)

    def _post_foreign(self, hit: Callable[[str], None]) -> None:
        body = to_json(SessionNotification(session=FOREIGN_SESSION).to_json())
        post = self._stamp("session", self._url, body)
        hit(post.words)
        self._later(CALLBACK_LATENCY_MS, partial(self._arrive, post))

    def _stamp(self, what: str, url: str, body: bytes) -> _Post:
        return _Post(
            number=next(self._numbers),
            what=what,
            url=url,
            body=body,
            is_allowed=self._may_be_called(url),
        )

    def _may_be_called(self, url: str) -> bool:
        """Whether a callback may go there; a refusal is recorded once for each host."""
        parts = urlsplit(url)
        host = f"{parts.scheme}://{parts.hostname}"
        if parts.scheme == "http" and parts.hostname in self._hosts:
            return True
        is_told = host in self._refused_hosts
        if not is_told and len(self._refused_hosts) < MAX_REFUSED_HOSTS:
            self._refused_hosts.add(host)
            fields = {
                "requirement": "callback-host",
                "expected": "an http callback to " + ", ".join(self._hosts),
                "seen": f"callback to {kept_text(host)}, not posted",
            }
            self._court.note(events.Note(kind="finding", fields=fields))
        return False

    def _fault_for(self, what: str) -> CallbackFault | None:
        for fault in self.faults:
            if fault.how == "overtake" and not self._answers:
                continue
            if fault.takes(what) and fault.turn.comes():
                return fault
        return None

    def _send(self, post: _Post, fault: CallbackFault | None) -> None:
        arrive = partial(self._arrive, post)
        if fault is None:
            self._later(CALLBACK_LATENCY_MS, arrive)
            return
        if fault.how == "swap":
            self._overtaken.append((post, fault))
            del self._overtaken[:-MAX_HELD]
            return
        fault.hit(post.words)
        match fault.how:
            case "lose":
                self._record(post, fate="lost")
            case "twice":
                self._later(CALLBACK_LATENCY_MS, arrive)
                self._later(CALLBACK_LATENCY_MS + fault.delay_ms, arrive)
            case "delay":
                self._later(CALLBACK_LATENCY_MS + fault.delay_ms, arrive)
            case "overtake":
                self._later(CALLBACK_LATENCY_MS, arrive)
                self._later(CALLBACK_LATENCY_MS, self.release_answers)

    # --- What was held ----------------------------------------------------------

    def release_answers(self) -> None:
        """Let the answers go that were held for a callback."""
        held, self._answers = self._answers, {}
        for arrive in held.values():
            arrive()

    def release_overtaken(self, fault: CallbackFault) -> None:
        """Let callbacks go that nothing has overtaken."""
        kept = [one for one in self._overtaken if one[1] is not fault]
        released = [post for post, by in self._overtaken if by is fault]
        self._overtaken = kept
        for post in released:
            self._arrive(post)

    # --- At the controller ------------------------------------------------------

    def _arrive(self, post: _Post) -> None:
        if not (post.is_allowed and self.listening):
            self._record(post, fate="lost")
            return
        fact = CallbackReceived(
            callback_id=post.number, target=post.target, body=post.body, url=post.url
        )
        overtaken, self._overtaken = self._overtaken, []
        self.carry(fact, partial(self._note_heard, post))
        for held, fault in overtaken:
            fault.hit(f"{held.words} comes after its successor")
            self._arrive(held)

    def _note_heard(self, post: _Post, heard: bool) -> None:
        self._record(post, fate="delivered" if heard else "lost")

    def _record(self, post: _Post, *, fate: str) -> None:
        fields: Mapping[str, object] = {
            "callback": post.number,
            "target": kept_target(post.target),
            "what": post.what,
            "body": kept_body(post.body),
            "fate": fate,
        }
        self._court.note(events.Note(kind="callback", fields=fields))

    def _later(self, delay_ms: int, call: Callable[[], None]) -> None:
        self._court.kernel.at(self._court.kernel.now_ms + delay_ms, call)
