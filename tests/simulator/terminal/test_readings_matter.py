"""Every reading changes what a terminal says or does, in a story told the same way.

A switch that nobody reads would be offered on the command line, stand in the questions
to Payter and be "played" by runs, and would mean nothing.
"""

from collections.abc import Mapping
from functools import cache
from itertools import product
from typing import Final, Literal

import pytest

from simulator.events import (
    CloudCalled,
    CloudLinkMoved,
    HostLinkMoved,
    PspBytes,
    PspConnected,
    PspDisconnected,
)
from simulator.terminal import TerminalSettings
from tests.simulator.terminal.pair import Court, Outcome
from wire.cps import POLICY_SWITCHES, Policy, Request, authorization
from wire.psp import (
    PROFILE_SWITCHES,
    Direction,
    Family,
    Name,
    Profile,
    Reading,
    encode,
    message,
)
from wire.psp.frame import build_block

Link = Literal["tcp", "serial"]
HOUR_MS: Final = 3_600_000


#: Start Session of 50.00 with reference 1: what both families take, and with the
#: optional fields of Apollo up to a text of its own.
START: Final = {
    Family.P6X: "0000138800000001",
    Family.APOLLO: encode(
        message(
            Name.START_SESSION,
            amount_minor=5000,
            reference=1,
            reference_text="bay 1, beside the wall",
        ),
        Direction.TO_TERMINAL,
        Reading(),
    )[4:-1].hex(),
}


def told(court: Court) -> tuple[object, ...]:
    """All that anybody outside has seen of a terminal."""
    return (
        tuple(court.bytes_out),
        tuple(court.hang_ups),
        tuple(court.answers.items()),
        tuple((one.what, one.body) for one in court.callbacks),
        tuple(map(str, court.bank.holds.values())),
    )


# --- PSP --------------------------------------------------------------------------


class Host:
    """Sends the same bytes whatever the terminal's reading is."""

    def __init__(self, family: Family, link: Link, profile: Profile) -> None:
        self.court = Court(
            TerminalSettings(
                family=family, link=link, card_detect_s=60, psp_profile=profile
            )
        )
        self._is_extended = False
        self.court.tell(PspConnected())

    def say(self, header: int, payload: str = "", wait_ms: int = 300) -> None:
        content = bytes([0x3C, header]) + bytes.fromhex(payload)
        self.tell(
            build_block(content, preamble=0xCC, extended=self._is_extended), wait_ms
        )

    def tell(self, data: bytes, wait_ms: int = 300) -> None:
        self.court.tell(PspBytes(data=data))
        self.court.run(wait_ms)

    def set_up(self, options: int, *, version: int = 3, life: str = "00015180") -> None:
        """From Reset to Get Status; Setup comes twice, with the action void."""
        self.court.tell(PspDisconnected())
        self.court.tell(PspConnected())
        self.say(0x55)
        self._is_extended = False
        self.say(0x24)
        self.say(0x13, f"{version:02x}{options:08x}")
        if self.court.settings.family is Family.APOLLO:
            self._is_extended = bool(options & 0x04)
        self.say(0x30, "00")
        self.say(0x27)
        self.say(0x23, f"{life}01")
        self.say(0x23, f"{life}01")
        self.say(0x12)
        self.say(0x26)

    def start(self, wait_ms: int = 300) -> None:
        self.say(0x34, START[self.court.settings.family], wait_ms)

    def read(self, card: str = "visa") -> None:
        """Start Session and a tap."""
        self.start()
        self.court.tap(card)

    def pay(self) -> str:
        """The number of the session that opens, as its bytes are written."""
        self.read()
        self.say(0x36)
        sessions = self.court.sessions()
        return f"{sessions[-1].psp_session_id if sessions else 0:08x}"


def odd_blocks(host: Host) -> None:
    """A wrong checksum, a wrong magic, a pause in the middle, a long block."""
    host.tell(bytes.fromhex("CC023C2631"))
    host.tell(bytes.fromhex("CC023D2631"))
    host.tell(bytes.fromhex("CC023C"), wait_ms=500)
    host.tell(bytes.fromhex("2630"))
    host.tell(bytes.fromhex("CC023C"), wait_ms=5_000)
    host.tell(bytes.fromhex("2630"))
    host.set_up(0x0B, version=1)
    host.start()
    host.say(0x37)


def odd_requests(host: Host) -> None:
    """Of other families, in other states, with other layouts."""
    host.set_up(0x0B)
    for header in (0x30, 0x40, 0x41, 0x43, 0x45, 0x46, 0x56):
        host.say(header, "00")
        host.say(0x37)
    host.say(0x39, "0100000010")
    host.say(0x56)
    host.say(0x11)
    host.say(0x30, "00")
    host.say(0x42, "0000000100001388")


def cards(host: Host, options: int) -> None:
    """Forgotten, synchronised away, declined, granted in part, not a payment card."""
    host.set_up(options)
    host.start(wait_ms=61_000)
    host.read()
    host.court.run(31_000)
    host.read()
    host.say(0x24)
    host.set_up(options)
    outcomes: tuple[Outcome, ...] = ("declined", "partial", "approved")
    for outcome in outcomes:
        host.court.bank.outcome = outcome
        host.read()
        host.say(0x36, "41")
        host.say(0x36)
    host.read("rfid")
    host.say(0x37)


def closes(host: Host, options: int) -> None:
    """Of 0, of too much, twice, in the other order, while a card is authorised."""
    host.set_up(options)
    one, two = host.pay(), host.pay()
    for session, amount in ((one, 9_999), (one, 12), (one, 12), (two, 0)):
        host.say(0x35, f"{session}{amount:08x}")
    host.read()
    host.court.bank.delay_ms = 3_000
    host.say(0x36)
    host.say(0x26)
    host.say(0x33, two, wait_ms=5_000)
    host.court.bank.delay_ms = 100


def outages(host: Host, options: int) -> None:
    """A silent host, an unreachable one, a late approval, a host that hangs up."""
    host.set_up(options)
    host.read()
    host.court.bank.delay_ms = 240_000
    host.say(0x36, wait_ms=HOUR_MS)
    host.court.bank.delay_ms = 100
    host.set_up(options)
    host.read()
    host.court.tell(HostLinkMoved(up=False))
    host.say(0x36)
    host.court.tell(HostLinkMoved(up=True))
    host.set_up(options)
    host.court.tell(PspConnected())
    host.say(0x26)
    host.court.tell(PspDisconnected())
    host.court.tell(PspConnected())
    host.say(0x26)
    host.set_up(options, life="00000000")
    host.pay()
    host.court.run(10_000)


def many(host: Host) -> None:
    """More sessions than one block of List Sessions holds."""
    host.set_up(0x01)
    for _ in range(64):
        host.pay()
    host.say(0x30, "00")


@cache
def psp_told(profile: Profile) -> tuple[object, ...]:
    found = []
    for family, link in product(Family, ("tcp", "serial")):
        host = Host(family, "tcp" if link == "tcp" else "serial", profile)
        odd_blocks(host)
        odd_requests(host)
        for options in (0x0B, 0x1F, 0x19):
            cards(host, options)
            closes(host, options)
            outages(host, options)
        found.append(told(host.court))
    p6x = Host(Family.P6X, "serial", profile)
    many(p6x)
    return (*found, told(p6x.court))


#: What can be told apart only under a second reading. P6X has one Not OK for all.
BESIDE: Final[Mapping[str, Mapping[str, object]]] = {
    "read_file_from": {"unknown_layouts": "silent"},
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (name, value)
        for name, one in PROFILE_SWITCHES.items()
        for value in (one.samples or tuple(one.allowed)[:2])
        if value != one.default
    ],
)
def test_a_reading_of_psp_shows(name: str, value: object) -> None:
    beside = BESIDE.get(name, {})
    other = Profile.from_mapping({**beside, name: value})
    assert psp_told(other) != psp_told(Profile.from_mapping(beside)), name


# --- CPS --------------------------------------------------------------------------

SCREEN: Final = b'{"id": "1", "type": "%s", "properties": {"title": "Hello"}}'
URL: Final = "callbackUrl=http://127.0.0.1/"


class Caller:
    """Calls the cloud of one terminal."""

    def __init__(self, family: Family, policy: Policy) -> None:
        self.court = Court(TerminalSettings(family=family, cps_policy=policy))
        self._calls = 0

    def ask(self, words: str, body: bytes = b"", key: str = "", **more: int) -> None:
        """``VERB PATH``; ``~`` is the terminal and ``wait_ms`` comes after."""
        self._calls += 1
        verb, path = words.split(" ")
        settings = self.court.settings
        path = path.replace("~", f"/terminals/{settings.serial_number}")
        header = authorization(key or settings.api_key)
        request = Request(verb, path, (header,), body)
        self.court.tell(CloudCalled(call=self._calls, request=request))
        self.court.run(more.get("wait_ms", 300))

    def close(self, *words: str) -> None:
        """Calls on the last session, or on one that nobody has opened."""
        sessions = self.court.sessions()
        last = sessions[-1].session_id if sessions else "none"
        for one in words:
            self.ask(f"POST ~/sessions/{last}/{one}", wait_ms=1_000)

    def read(self, card: str = "visa") -> None:
        self.ask(f"POST ~/start?authorizedAmount=5000&{URL}card")
        self.court.tap(card)

    def pay(self) -> None:
        self.read()
        self.ask("POST ~/authorize")


def account(caller: Caller) -> None:
    """Lists, keys, webhook, screens, parameters, another terminal."""
    for path in ("/terminals", "/terminals/P6X1", "~", "~?surplus=1", "/webhook"):
        caller.ask(f"GET {path}")
    caller.ask("GET ~", key="wrong")
    caller.ask("POST /apikey")
    caller.ask("POST ~/start")
    caller.ask(f"POST /webhook?{URL}state")
    for kind in (b"info", b"message", b"unheard"):
        caller.ask("POST ~/ui", body=SCREEN % kind)
    caller.ask("POST ~/stop")
    caller.ask("POST ~/authorize")


def card_calls(caller: Caller) -> None:
    """A poll, a read begun twice, cards that nobody or nothing can authorise."""
    caller.ask("POST ~/start?authorizedAmount=5000", wait_ms=0)
    caller.ask("GET ~", wait_ms=10_000)
    caller.ask("POST ~/start?authorizedAmount=1", wait_ms=10_000)
    caller.ask("POST ~/ui", body=SCREEN % b"info")
    caller.ask("GET ~/card?waitTime=100", wait_ms=30_000)
    caller.ask("GET ~", wait_ms=50_000)
    caller.ask("GET ~", wait_ms=2 * HOUR_MS)
    caller.ask("GET ~")
    caller.ask("POST ~/stop")
    caller.read()
    caller.court.run(12_000)
    caller.ask("GET ~")
    caller.court.run(30_000)
    caller.ask("GET ~")
    caller.ask("POST ~/stop")
    caller.read("rfid")
    caller.ask("POST ~/authorize")
    caller.ask("POST ~/stop")


def money(caller: Caller) -> None:
    """Declined, partly granted, slow, late; closed in every order."""
    bank = caller.court.bank
    outcomes: tuple[Outcome, ...] = ("declined", "partial", "approved")
    for bank.outcome in outcomes:
        caller.pay()
        caller.close("update?authorizedAmount=900", "commit?commitAmount=1")
    caller.ask("GET ~/sessions")
    caller.close("cancel")
    caller.pay()
    caller.pay()
    caller.close("commit?commitAmount=9999", "commit?commitAmount=0", "cancel")
    caller.pay()
    caller.close("cancel", "cancel")
    caller.read()
    bank.delay_ms = 2_000
    caller.ask("POST ~/authorize")
    caller.ask("GET ~", wait_ms=2_000)
    bank.refuses_closes = True
    caller.close("commit?commitAmount=12")
    caller.court.run(2_000)
    bank.refuses_closes = False
    caller.close("commit?commitAmount=12")
    caller.court.run(2_000)
    caller.read("mastercard")
    bank.delay_ms = 240_000
    caller.ask("POST ~/authorize", wait_ms=300_000)
    bank.delay_ms = 100
    caller.court.run(300_000)
    caller.ask("GET ~/sessions")


def away(caller: Caller) -> None:
    """The terminal loses the cloud; then weeks pass."""
    caller.pay()
    caller.ask("POST ~/start?authorizedAmount=5000", wait_ms=1_000)
    caller.court.tell(CloudLinkMoved(up=False))
    caller.ask("GET ~")
    caller.ask("POST ~/start?authorizedAmount=5000")
    caller.close("commit?commitAmount=12")
    caller.court.tell(CloudLinkMoved(up=True))
    caller.court.run(1_000)
    caller.pay()
    for days in (2, 10, 40):
        caller.court.run(days * 24 * HOUR_MS)
        caller.ask("GET ~/sessions")


@cache
def cps_told(policy: Policy) -> tuple[object, ...]:
    found = []
    for family in Family:
        caller = Caller(family, policy)
        for part in (account, card_calls, money, away):
            part(caller)
        found.append(told(caller.court))
    return tuple(found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (name, value)
        for name, one in POLICY_SWITCHES.items()
        for value in (one.samples or one.allowed)
        if value != one.default
    ],
)
def test_a_reading_of_cps_shows(name: str, value: object) -> None:
    assert cps_told(Policy.from_mapping({name: value})) != cps_told(Policy()), name
