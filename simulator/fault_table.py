# ruff: noqa: E501
"""Every fault of the forecourt: the rows of the catalogue, and what they share.

Only a table: what its columns mean stands in ``simulator.fault_kinds``, and whoever
plans a fault asks ``simulator.faults``.
"""

from collections.abc import Mapping
from typing import Final

from simulator.deeds import DEEDS
from simulator.fault_codes import FAULT_CODES
from simulator.fault_kinds import FaultKind, Parameter, Seam
from wire.cps import ROUTES
from wire.psp import Name

_HOUR_S: Final = 3_600
_WEEK_S: Final = 7 * 24 * _HOUR_S

# --- Parameters that many rows share ---------------------------------------------

_DIRECTION: Final = Parameter(
    about="which way the bytes were going",
    default="to_controller",
    words=("to_controller", "to_terminal"),
)
_WAY: Final = Parameter(
    about="which way the bytes were going",
    default="either",
    words=("either", "to_controller", "to_terminal"),
)
_MESSAGE: Final = Parameter(
    about="the vendor's name of the message that is hit; empty: any",
    default="",
    words=("", *(name.value for name in Name)),
)
_AFTER: Final = Parameter(
    about="so many of them pass unharmed first", default=0, span=(0, 10_000)
)
_COUNT: Final = Parameter(
    about="how many are hit; 0: all until healed", default=1, span=(0, 10_000)
)
_FOR_S: Final = Parameter(
    about="how long, in seconds; 0: until healed", default=0, span=(0, _WEEK_S)
)
_ROUTE: Final = Parameter(
    about="which call is hit; any",
    default="any",
    words=("any", *(f"E{n}" for n in range(1, 15))),
)
_WHAT: Final = Parameter(
    about="which callback is hit",
    default="any",
    words=("any", "card", "ui", "session", "state"),
)
_CONNECTOR: Final = Parameter(about="1..32", default=1, span=(1, 32))
_DELAY_MS: Final = Parameter(
    about="how much later, in ms", default=5_000, span=(1, _HOUR_S * 1000)
)
_WH: Final = Parameter(about="by how much, in Wh", default=5_000, span=(1, 10_000_000))
_BYTES: Final = Parameter(about="how many bytes", default=3, span=(1, 1_024))
_STATUS: Final = Parameter(
    about="4xx or 5xx; 409 is kept for sessions that really are closed",
    default=500,
    span=(400, 599),
    without=(409,),
)
_REASON: Final = Parameter(
    about="result reason, psp.md 5.1", default=0x09, span=(1, 255)
)
_ANY_MESSAGE: Final = Parameter(
    about="vendor's name of the PSP message, or E1 to E14; empty: any",
    default="",
    words=(*_MESSAGE.words, *ROUTES, "card", "ui", "session", "state"),
)

_DEED: Final = Parameter(
    about="a write, a send, or what is sent", default="write", words=DEEDS
)
_BLOCK: Final[Mapping[str, Parameter]] = {
    "direction": _WAY,
    "message": _MESSAGE,
    "answers": Parameter(
        about="not before this has been asked; empty: at once",
        default="",
        words=_MESSAGE.words,
    ),
    "after": _AFTER,
    "count": _COUNT,
}
#: ``_BLOCK``, at one byte of it: the first byte that does not arrive as it should.
_AT: Final[Mapping[str, Parameter]] = {
    **_BLOCK,
    "byte": Parameter(
        about="so many bytes pass first; beyond the end of a block: all of it",
        default=0,
        span=(0, 1_000_000),
    ),
    "of": Parameter(
        about="counted in the block, or in all bytes from now on, whatever they are",
        default="block",
        words=("block", "stream"),
    ),
}
_CALL: Final[Mapping[str, Parameter]] = {
    "route": _ROUTE,
    "after": _AFTER,
    "count": _COUNT,
}
_ANSWER: Final[Mapping[str, Parameter]] = {
    "message": _ANY_MESSAGE,
    "after": _AFTER,
    "count": _COUNT,
}
_BACK: Final[Mapping[str, Parameter]] = {
    "what": _WHAT,
    "after": _AFTER,
    "count": _COUNT,
}
_FOR: Final[Mapping[str, Parameter]] = {"for_s": _FOR_S}
_ON: Final[Mapping[str, Parameter]] = {"connector": _CONNECTOR, "for_s": _FOR_S}
_ONCE_ON: Final[Mapping[str, Parameter]] = {"connector": _CONNECTOR}

# fmt: off
FAULT_KINDS: Final[tuple[FaultKind, ...]] = (
    # The cable's bytes
    FaultKind(name="cable_cut", seam=Seam.CABLE, about="nothing passes either way; nobody is told", words="the cable to the terminal is cut", parameters=_FOR),
    FaultKind(name="cable_cut_at", seam=Seam.CABLE, about="the cable is cut inside a block", words="the cable is cut after {byte} bytes of {message}", parameters={**_AT, "for_s": _FOR_S}, waits=True),
    FaultKind(name="cable_deaf", seam=Seam.CABLE, about="nothing passes one way; the other still works", words="the cable to the terminal works one way only", parameters={"direction": _DIRECTION, "for_s": _FOR_S}),
    FaultKind(name="cable_lose", seam=Seam.CABLE, about="a whole block is lost", words="the next {message} is lost on the cable", parameters=_BLOCK),
    FaultKind(name="cable_corrupt", seam=Seam.CABLE, about="the checksum byte is damaged, the rest is not", words="the checksum of the next {message} is damaged", parameters=_BLOCK),
    FaultKind(name="cable_flip", seam=Seam.CABLE, about="one bit of one byte is flipped", words="one bit of the next {message} is flipped",
              parameters={**_AT, "byte": Parameter(about="which byte, from 0; beyond the end of a block: its last", default=3, span=(0, 1_000_000)), "bit": Parameter(about="which bit, 0 the lowest", default=0, span=(0, 7))}),
    FaultKind(name="cable_overwrite", seam=Seam.CABLE, about="one byte of it becomes another; byte 1 is the length of a classic block", words="byte {byte} of the next {message} becomes {value}", parameters={**_AT, "byte": Parameter(about="which byte, from 0; beyond the end of a block: its last", default=1, span=(0, 1_000_000)), "value": Parameter(about="what it becomes", default=255, span=(0, 255))}),
    FaultKind(name="cable_truncate", seam=Seam.CABLE, about="the block ends early", words="the end of the next {message} is lost on the cable", parameters={**_BLOCK, "keep": _BYTES}),
    FaultKind(name="cable_duplicate", seam=Seam.CABLE, about="the block arrives twice", words="the next {message} arrives twice", parameters={**_BLOCK, "gap_ms": Parameter(about="between the two", default=0, span=(0, 600_000))}),
    FaultKind(name="cable_garbage", seam=Seam.CABLE, about="noise arrives before the block", words="noise comes before the next {message}", parameters={**_BLOCK, "bytes": _BYTES}),
    FaultKind(name="cable_split", seam=Seam.CABLE, about="the block arrives in pieces", words="the next {message} arrives in pieces", parameters={**_BLOCK, "piece": Parameter(about="bytes in a piece", default=1, span=(1, 1_024)), "gap_ms": Parameter(about="between two pieces", default=20, span=(0, 60_000))}),
    FaultKind(name="cable_join", seam=Seam.CABLE, about="the block waits for the next one, and both arrive in one piece", words="the next {message} arrives in one piece with its successor", parameters={**_BLOCK, "hold_ms": Parameter(about="how long it waits at most, in ms", default=1_000, span=(1, 60_000))}),
    FaultKind(name="cable_delay", seam=Seam.CABLE, about="the block arrives late, from one byte on", words="the next {message} is late by {delay_ms} ms", parameters={**_AT, "delay_ms": _DELAY_MS}),
    FaultKind(name="cable_hold", seam=Seam.CABLE, about="the block waits until the controller speaks again, so long after its last words at the earliest, and comes ahead of the answer to that", words="the next {message} is held back for {hold_ms} ms and until the controller speaks again",
              parameters={"message": _MESSAGE, "hold_ms": Parameter(about="at the earliest, in ms", default=60_000, span=(1, _HOUR_S * 1000))}),
    # TCP
    FaultKind(name="tcp_reset", seam=Seam.TCP, about="the connection is reset", words="the connection to the terminal is reset", once=True),
    FaultKind(name="tcp_reset_at", seam=Seam.TCP, about="the connection is reset inside a block", words="the connection is reset after {byte} bytes of {message}", parameters=_AT),
    FaultKind(name="tcp_closed", seam=Seam.TCP, about="the terminal closes in good order", words="the terminal closes the connection", once=True),
    FaultKind(name="tcp_refused", seam=Seam.TCP, about="new connections are refused", words="the terminal refuses connections", parameters=_FOR),
    FaultKind(name="tcp_half_open", seam=Seam.TCP, about="the connection is dead and nobody is told", words="the connection to the terminal dies silently", parameters=_FOR),
    FaultKind(name="tcp_half_open_at", seam=Seam.TCP, about="the connection dies inside a block and nobody is told", words="the connection dies silently after {byte} bytes of {message}", parameters={**_AT, "for_s": _FOR_S}, waits=True),
    FaultKind(name="tcp_second_client", seam=Seam.TCP, about="somebody else connects to the terminal", words="a second controller connects to the terminal", once=True),
    # HTTP
    FaultKind(name="http_refused", seam=Seam.HTTP, about="the cloud cannot be reached", words="the payment cloud cannot be reached", parameters=_FOR),
    FaultKind(name="http_lost_before", seam=Seam.HTTP, about="the connection breaks before the call has an effect", words="the next call is lost before the cloud sees it", parameters=_CALL),
    FaultKind(name="http_lost_after", seam=Seam.HTTP, about="the call has its effect, the connection breaks before the answer", words="the answer to the next call is lost", parameters=_CALL),
    FaultKind(name="http_timeout_before", seam=Seam.HTTP, about="no answer, no effect", words="the next call is never answered and has no effect", parameters=_CALL),
    FaultKind(name="http_timeout_after", seam=Seam.HTTP, about="no answer, but the effect", words="the next call has its effect but is never answered", parameters=_CALL),
    FaultKind(name="http_status", seam=Seam.HTTP, about="an error answer without effect", words="the payment cloud answers {status}", parameters={**_CALL, "status": _STATUS, "for_s": _FOR_S}),
    FaultKind(name="http_status_after", seam=Seam.HTTP, about="an error answer although the call had its effect", words="the payment cloud answers {status} after doing what was asked", parameters={**_CALL, "status": _STATUS}),
    FaultKind(name="http_key_rejected", seam=Seam.HTTP, about="the API key is no longer valid", words="the API key is revoked", parameters=_FOR),
    FaultKind(name="http_failed_state", seam=Seam.HTTP, about="200, and the session in state FAILED; no effect", words="the next commit is answered with state FAILED", parameters={"after": _AFTER, "count": _COUNT}),
    FaultKind(name="http_empty_body", seam=Seam.HTTP, about="the answer has no body; the effect is there", words="the answer to the next call is empty", parameters=_CALL),
    FaultKind(name="http_hollow", seam=Seam.HTTP, about="a success without a body, and nothing was done", words="the payment cloud answers {status} and does nothing",
              parameters={**_CALL, "status": Parameter(about="200 or 204", default=200, span=(200, 204), without=(201, 202, 203))}),
    FaultKind(name="http_malformed", seam=Seam.HTTP, about="the answer is not JSON; the effect is there", words="the answer to the next call cannot be read", parameters=_CALL),
    FaultKind(name="http_slow", seam=Seam.HTTP, about="the answer is late", words="the next answer is late by {delay_ms} ms", parameters={**_CALL, "delay_ms": _DELAY_MS}),
    FaultKind(name="foreign_cancel", seam=Seam.HTTP, about="another system with the same key cancels a session", words="another system cancels a session: {session}", parameters={"session": Parameter(about="its UUID; empty: the newest that is open", default="")}, once=True),
    # Callbacks
    FaultKind(name="callback_lost", seam=Seam.CALLBACK, about="never delivered", words="the next {what} callback is lost", parameters=_BACK),
    FaultKind(name="callback_twice", seam=Seam.CALLBACK, about="delivered twice", words="the next {what} callback comes twice", parameters={**_BACK, "gap_ms": Parameter(about="between the two", default=0, span=(0, _HOUR_S * 1000))}),
    FaultKind(name="card_news_late", seam=Seam.CALLBACK, about="the card callback and the answers to those who ask for a card are late", words="the news of a card is late by {delay_ms} ms", parameters={"delay_ms": _DELAY_MS, "for_s": _FOR_S}),
    FaultKind(name="callback_late", seam=Seam.CALLBACK, about="delivered late", words="the next {what} callback is late by {delay_ms} ms", parameters={**_BACK, "delay_ms": _DELAY_MS}),
    FaultKind(name="callback_out_of_order", seam=Seam.CALLBACK, about="delivered after the one that follows it", words="the next {what} callback is overtaken by its successor", parameters=_BACK),
    FaultKind(name="callback_before_answer", seam=Seam.CALLBACK, about="delivered before the answer to the call that caused it", words="the next {what} callback overtakes the answer", parameters=_BACK),
    FaultKind(name="callback_foreign", seam=Seam.CALLBACK, about="a callback about a session of somebody else", words="a callback about a foreign session arrives", once=True),
    # The terminal's host link
    FaultKind(name="host_down", seam=Seam.HOST_LINK, about="the terminal cannot reach its payment host", words="the terminal loses its payment host", parameters=_FOR),
    FaultKind(name="cloud_down", seam=Seam.HOST_LINK, about="the terminal cannot reach the cloud: offline there", words="the terminal is offline in the payment cloud", parameters=_FOR),
    # The terminal's power and configuration
    FaultKind(name="terminal_off", seam=Seam.TERMINAL, about="no power", words="the terminal loses power", parameters=_FOR),
    FaultKind(name="terminal_reboot", seam=Seam.TERMINAL, about="starts again by itself", words="the terminal reboots", once=True),
    FaultKind(name="terminal_reboot_at", seam=Seam.TERMINAL, about="starts again as a message reaches it", words="the terminal reboots as the next {message} arrives", parameters={"message": _ANY_MESSAGE, "after": _AFTER, "effect": Parameter(about="what becomes of the message", default="done", words=("done", "lost"))}, once=True),
    FaultKind(name="terminal_falls_back", seam=Seam.TERMINAL, about="loses its set-up just before a message reaches it, and says nothing", words="the terminal is {state} when the next {message} arrives", parameters={"message": _MESSAGE, "after": _AFTER, "state": Parameter(about="where it finds itself; online: what was agreed with Protocol still holds", default="offline", words=("offline", "online"))}, once=True),
    FaultKind(name="terminal_extended_blocks", seam=Seam.TERMINAL, about="speaks and expects extended blocks until it is set up anew", words="the terminal changes to extended blocks", once=True),
    FaultKind(name="terminal_not_ready", seam=Seam.TERMINAL, about="answers not ready (0x11)", words="the terminal is not ready", parameters=_FOR),
    FaultKind(name="terminal_session_timeout", seam=Seam.TERMINAL, about="closes open sessions by itself", words="the terminal closes sessions by itself after {after_s} seconds",
              parameters={"after_s": Parameter(about="seconds", default=60, span=(1, _WEEK_S)), "action": Parameter(about="what it does with them", default="void", words=("void", "commit"))}),
    FaultKind(name="terminal_stale_sessions", seam=Seam.TERMINAL, about="remembers sessions of an earlier life", words="the terminal holds {count} old sessions",
              parameters={"count": Parameter(about="how many", default=70, span=(1, 500))}, once=True),
    FaultKind(name="terminal_forgets_callbacks", seam=Seam.TERMINAL, about="the callback addresses are gone", words="the terminal forgets the callback addresses", once=True),
    # The terminal's and the cloud's own answers (simulator.terminal.Kind)
    FaultKind(name="refuse_close", seam=Seam.ANSWERS, about="closes are refused and change nothing", words="the next close is refused",
              parameters={"after": _AFTER, "count": _COUNT, "for_s": _FOR_S, "reason": _REASON, "status": _STATUS, "operation": Parameter(about="only one of the two; empty: both", default="", words=("", "commit", "cancel"))}),
    FaultKind(name="refuse_command", seam=Seam.ANSWERS, about="a PSP command is answered Not OK and changes nothing", words="the next {message} is refused for reason {reason}", parameters={**_ANSWER, "reason": _REASON}),
    FaultKind(name="ignore_command", seam=Seam.ANSWERS, about="no effect and no answer", words="the next {message} is ignored", parameters=_ANSWER),
    FaultKind(name="swallow_answer", seam=Seam.ANSWERS, about="the effect, but no answer", words="the next {message} is done and not answered", parameters=_ANSWER),
    FaultKind(name="duplicate_answer", seam=Seam.ANSWERS, about="answered twice; over CPS a callback (card, ui, session, state) posted twice", words="the next {message} is answered twice", parameters=_ANSWER),
    FaultKind(name="delay_answer", seam=Seam.ANSWERS, about="the answer is late, others may overtake it", words="the answer to the next {message} is late by {delay_ms} ms", parameters={**_ANSWER, "delay_ms": _DELAY_MS}),
    FaultKind(name="surplus_session", seam=Seam.ANSWERS, about="one authorisation opens two sessions", words="the next authorisation opens two sessions", parameters={"after": _AFTER, "count": _COUNT}),
    FaultKind(name="stop_reading", seam=Seam.ANSWERS, about="the reader stops without telling the host", words="the terminal stops reading after {delay_ms} ms", parameters={"after": _AFTER, "count": _COUNT, "delay_ms": _DELAY_MS}),
    FaultKind(name="read_timeout", seam=Seam.ANSWERS, about="the read ends as by the card-detect time-out", words="the reading of cards times out after {delay_ms} ms", parameters={"after": _AFTER, "count": _COUNT, "delay_ms": _DELAY_MS}),
    FaultKind(name="wrong_running_flag", seam=Seam.ANSWERS, about="Get Status denies that a transaction is running", words="the terminal denies that a transaction is running", parameters={"after": _AFTER, "count": _COUNT}),
    # The card issuer
    FaultKind(name="issuer_slow", seam=Seam.ISSUER, about="decides late", words="the issuer answers after {delay_ms} ms", parameters={"delay_ms": _DELAY_MS, "for_s": _FOR_S}),
    FaultKind(name="issuer_silent", seam=Seam.ISSUER, about="never answers one kind of question; nothing happens there", words="the issuer never answers to {ask}",
              parameters={"ask": Parameter(about="which question", default="authorise", words=("authorise", "increment", "capture", "release")), "for_s": _FOR_S}),
    FaultKind(name="issuer_increment", seam=Seam.ISSUER, about="raises of a reservation are not granted as asked", words="raises of the reservation are {answer}",
              parameters={"answer": Parameter(about="what is said", default="declined", words=("declined", "partial")), "total_minor": Parameter(about="partial: the new total, minor units; 0: half of the raise", default=0, span=(0, 100_000_000)), "for_s": _FOR_S}),
    FaultKind(name="issuer_validity", seam=Seam.ISSUER, about="new holds drop off by themselves after so long, and not before", words="the issuer keeps holds for {days} days",
              parameters={"days": Parameter(about="from the approval on", default=30, span=(1, 366)), "for_s": _FOR_S}),
    # The charger link
    FaultKind(name="bay_down", seam=Seam.CHARGER_LINK, about="the link is closed and refused for a while", words="the charger cannot be reached", parameters=_FOR),
    FaultKind(name="bay_reset", seam=Seam.CHARGER_LINK, about="the link breaks and may be opened again at once", words="the link to the charger breaks", once=True),
    FaultKind(name="bay_reset_at", seam=Seam.CHARGER_LINK, about="the link breaks inside a line", words="the link to the charger breaks after {byte} bytes of {line}",
              parameters={"direction": Parameter(about="which way the line was going", default="to_controller", words=("to_controller", "to_charger")), "line": Parameter(about="type of the line; empty: any", default=""), "after": _AFTER, "byte": _AT["byte"]}, once=True),
    FaultKind(name="charger_reboot", seam=Seam.CHARGER_LINK, about="the charger starts again: contactors open, the link breaks", words="the charger reboots", once=True),
    # Charger and vehicle
    FaultKind(name="charger_fault", seam=Seam.CHARGER, about="an OCPP error code at one connector", words="connector {connector} reports {code}",
              parameters={**_ON, "code": Parameter(about="OCPP 1.6 ChargePointErrorCode", words=tuple(FAULT_CODES))}),
    FaultKind(name="station_fault", seam=Seam.CHARGER, about="an OCPP error code of the whole station", words="the whole station reports {code}",
              parameters={"for_s": _FOR_S, "code": Parameter(about="OCPP 1.6 ChargePointErrorCode", words=tuple(FAULT_CODES))}),
    FaultKind(name="emergency_stop", seam=Seam.CHARGER, about="the red button is pressed", words="the emergency stop is pressed", parameters=_FOR),
    FaultKind(name="out_of_service", seam=Seam.CHARGER, about="a connector is taken out of service", words="connector {connector} is taken out of service", parameters=_ON),
    FaultKind(name="contactor_welded", seam=Seam.CHARGER, about="stays closed", words="the contactor of connector {connector} is welded", parameters=_ON),
    FaultKind(name="contactor_dead", seam=Seam.CHARGER, about="never closes", words="the contactor of connector {connector} does not close", parameters=_ON),
    FaultKind(name="lock_stuck", seam=Seam.CHARGER, about="keeps its position", words="the cable lock of connector {connector} is stuck", parameters=_ON),
    FaultKind(name="refuses", seam=Seam.CHARGER, about="the next close command is rejected", words="the charger rejects the next start on connector {connector}",
              parameters={**_ONCE_ON, "reason": Parameter(about="the reason given", default="rejected")}, once=True),
    FaultKind(name="connection_timeout", seam=Seam.CHARGER, about="the charger gives up waiting for a vehicle", words="the charger waits {amount} seconds for a vehicle",
              parameters={**_ON, "amount": Parameter(about="seconds", default=270, span=(1, _HOUR_S)), "reason": Parameter(about="the reason given", default="connection time-out")}),
    FaultKind(name="pilot", seam=Seam.CHARGER, about="the control pilot shows an error", words="the pilot of connector {connector} goes to {reason}",
              parameters={**_ON, "reason": Parameter(about="pilot state", default="E", words=("E", "F"))}),
    FaultKind(name="sensor", seam=Seam.CHARGER, about="the bay's sensor sees nothing", words="the sensor of bay {connector} says empty", parameters=_ON),
    # The meter
    FaultKind(name="meter_frozen", seam=Seam.METER, about="repeats its register", words="the meter of connector {connector} stands still", parameters=_ON),
    FaultKind(name="meter_suspect", seam=Seam.METER, about="says itself that it is not to be trusted", words="the meter of connector {connector} is suspect", parameters=_ON),
    FaultKind(name="meter_jump", seam=Seam.METER, about="the register jumps", words="the meter of connector {connector} jumps by {amount} Wh", parameters={**_ONCE_ON, "amount": _WH}, once=True),
    FaultKind(name="meter_falls", seam=Seam.METER, about="the register falls", words="the meter of connector {connector} falls by {amount} Wh", parameters={**_ONCE_ON, "amount": _WH}, once=True),
    FaultKind(name="meter_nan", seam=Seam.METER, about="sends no number", words="the meter of connector {connector} sends no number", parameters=_ON),
    FaultKind(name="meter_silent", seam=Seam.METER, about="sends nothing", words="the meter of connector {connector} is silent", parameters=_ON),
    # The controller's power
    FaultKind(name="controller_killed", seam=Seam.CONTROLLER, about="the controller dies and is started again", words="the controller dies", parameters={"for_s": Parameter(about="until it is started again, in seconds; 0: until healed", default=5, span=(0, _WEEK_S))}),
    FaultKind(name="controller_killed_at", seam=Seam.CONTROLLER, about="the controller dies right before or after something that it sends or writes, and is started again", words="the controller dies {moment} its next {what}", parameters={"moment": Parameter(about="before: it does not happen; after: it is the last thing that happens", default="after", words=("before", "after")), "what": _DEED, "after": _AFTER, "since": Parameter(about="from when they are counted; approval: from the next session that the terminal opens", default="now", words=("now", "approval")), "for_s": Parameter(about="until it is started again, in seconds; 0: until healed", default=5, span=(0, _WEEK_S))}, waits=True),
    FaultKind(name="site_power_cut", seam=Seam.CONTROLLER, about="controller, charger and terminal lose power together", words="the site loses power for {for_s} seconds", parameters={"for_s": Parameter(about="seconds; 0: until healed", default=600, span=(0, _WEEK_S))}),
    # The controller's durable store
    FaultKind(name="store_full", seam=Seam.STORE, about="nothing more can be written", words="the controller's storage is full", parameters=_FOR),
    FaultKind(name="store_read_only", seam=Seam.STORE, about="nothing can be written", words="the controller's storage is read-only", parameters=_FOR),
    FaultKind(name="store_torn", seam=Seam.STORE, about="the last write is cut short at the next death, and nobody mends it", words="the last write is torn by the power cut"),
    FaultKind(name="store_lost_write", seam=Seam.STORE, about="what was not synced is gone at the next death", words="the last write never reached the disk", once=True),
    FaultKind(name="store_corrupt", seam=Seam.STORE, about="the tail of the store is overwritten at the next death, and nobody mends it", words="the controller's storage is damaged"),
    # The controller's wall clock
    FaultKind(name="clock_step", seam=Seam.CLOCK, about="calendar time jumps, monotonic time does not", words="the controller's clock jumps by {seconds} seconds", parameters={"seconds": Parameter(about="forward, or back when negative", default=_HOUR_S, span=(-_WEEK_S * 520, _WEEK_S * 520))}),
    FaultKind(name="clock_drift", seam=Seam.CLOCK, about="calendar time runs too fast or too slow", words="the controller's clock drifts by {ppm} ppm", parameters={"ppm": Parameter(about="parts per million, slow when negative", default=500, span=(-100_000, 100_000))}),
    FaultKind(name="clock_wrap", seam=Seam.CLOCK, about="from the next boot on, the controller's counter of milliseconds starts shortly before 2^32 and passes it", words="the controller's clock counts past 2^32 ms {in_s} seconds after its next start", parameters={"in_s": Parameter(about="seconds after that start", default=60, span=(1, _WEEK_S))}),
    FaultKind(name="clock_1970", seam=Seam.CLOCK, about="no calendar time at the next boot", words="the controller's clock starts in 1970", parameters=_FOR),
)
# fmt: on
