"""The terminal's end of the PSP line: bytes in, messages out, and the idle timer.

Knows blocks, readings and the connection; it does not know what a message means to a
session. Faults of the answer side (lost, late, twice) are played here, on the message
that leaves. A late answer dies with its connection and with a reset (requirements.md
2.1, S-K09).

TCP: the terminal hangs up after 20 s without traffic while it owes no answer
(``is_owing``). Serial: no connection, no timer; what the host's end does is not seen.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from simulator.events import PspHangUp, PspToHost
from simulator.terminal.impairments import Impairments, Kind
from simulator.terminal.outbox import Outbox
from simulator.terminal.settings import TerminalSettings
from wire.psp import (
    PREAMBLES,
    TCP_IDLE_CLOSE_MS,
    VERSION_BLOCK_BYTES,
    BadBlock,
    Block,
    BlockDecoder,
    Direction,
    Malformed,
    Message,
    Name,
    Reading,
    State,
    decode,
    encode,
    message,
)

#: Answers held back at the same time.
MAX_HELD: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    at_ms: int
    data: bytes


class PspLine:
    """One line. On serial it counts as connected whenever there is power."""

    def __init__(
        self,
        settings: TerminalSettings,
        *,
        out: Outbox,
        faults: Impairments,
        is_owing: Callable[[], bool],
    ) -> None:
        self._profile = settings.psp_profile
        self._is_tcp = settings.link == "tcp"
        self._out = out
        self._faults = faults
        self._is_owing = is_owing
        self._plain = Reading(family=settings.family, profile=self._profile)
        self.reading = self._plain
        self._decoder = self._new_decoder(None)
        #: Counts connections; an answer belongs to one of them.
        self.connection = 0
        self.is_connected = not self._is_tcp
        self._active_at_ms = 0
        self._held: list[_Held] = []
        self._statuses: dict[tuple[State, int], bytes] = {}

    # --- The connection ---------------------------------------------------------

    def connected(self, now_ms: int) -> bool:
        """A host connects; False when it is turned away because there is one."""
        if not self._is_tcp:
            return True
        if self.is_connected:
            self._out.put(PspHangUp(reason="second_client"))
            if self._profile.second_client == "close_new":
                return False
        self.is_connected = True
        self.connection += 1
        self._active_at_ms = now_ms
        self._held.clear()
        self._decoder.clear()
        return True

    def disconnected(self) -> bool:
        """The host's end is gone; False when the terminal cannot notice."""
        if not self._is_tcp or not self.is_connected:
            return False
        self.is_connected = False
        self._held.clear()
        return True

    def hang_up(self, reason: str) -> None:
        """Close a TCP connection from this end."""
        if self._is_tcp and self.is_connected:
            self.is_connected = False
            self._held.clear()
            self._out.put(_HANG_UPS[reason])

    def power_lost(self) -> None:
        self.hang_up("power")
        self.forget_late()
        self.connection += 1
        self._decoder.clear()
        self.restore()

    # --- The agreed format ------------------------------------------------------

    def agree(self, options: int, version: int) -> None:
        """From now on blocks and messages look as these Protocol options say."""
        self._use(self._plain.with_options(options), version)

    def extend(self) -> None:
        """Extended blocks from now on; everything else stays as agreed."""
        self._use(replace(self.reading, extended=True), None)

    def restore(self) -> None:
        """Back to the classic format."""
        self._use(self._plain, None)

    def forget_late(self) -> None:
        """Answers that are still held back are never sent: the host starts anew."""
        self._held.clear()

    def _use(self, reading: Reading, version: int | None) -> None:
        if reading == self.reading and version is None:
            return
        self.reading = reading
        self._statuses.clear()
        limit = None
        if version is not None and self._profile.version_frame_limit == "enforced":
            limit = VERSION_BLOCK_BYTES[version]
        self._decoder = self._new_decoder(limit)

    def _new_decoder(self, limit: int | None) -> BlockDecoder:
        decoder = BlockDecoder(
            Direction.TO_TERMINAL,
            extended=self.reading.extended,
            preamble=PREAMBLES[Direction.TO_TERMINAL],
            max_block_bytes=limit,
            inter_byte_ms=self._profile.inter_byte_ms,
        )
        if self._profile.wrong_magic == "accept":
            decoder.magic = None
        return decoder

    # --- Bytes in ---------------------------------------------------------------

    def blocks(self, data: bytes, now_ms: int) -> list[Block | BadBlock]:
        """What these bytes complete."""
        self._active_at_ms = now_ms
        return self._decoder.receive(data, now_ms)

    def understood(self, block: Block) -> Message | Malformed:
        """What a block says under the reading of this moment."""
        return decode(block, Direction.TO_TERMINAL, self.reading)

    # --- Messages out -----------------------------------------------------------

    def send(self, answer: Message, answers: Name | None, now_ms: int) -> None:
        """Send ``answer``; ``answers`` is the request it answers, None for events."""
        if not self.is_connected:
            return
        data = encode(answer, Direction.TO_HOST, self.reading)
        self._leave(data, answer.name, answers, now_ms)

    def send_status(self, state: State, running: int, now_ms: int) -> None:
        """Get Status Response; asked for so often that its bytes are kept."""
        if not self.is_connected:
            return
        data = self._statuses.get((state, running))
        if data is None:
            answer = message(Name.GET_STATUS_RESPONSE, state=state, running=running)
            data = encode(answer, Direction.TO_HOST, self.reading)
            self._statuses[state, running] = data
        self._leave(data, Name.GET_STATUS_RESPONSE, Name.GET_STATUS, now_ms)

    def _leave(
        self, data: bytes, name: Name, answers: Name | None, now_ms: int
    ) -> None:
        self._active_at_ms = now_ms
        if not self._faults:
            self._out.put(PspToHost(data=data))
            return
        names = (name.value,) if answers is None else (answers.value, name.value)
        if self._faults.hit(Kind.SWALLOW_ANSWER, *names):
            return
        copies = 2 if self._faults.hit(Kind.DUPLICATE_ANSWER, *names) else 1
        late = self._faults.hit(Kind.DELAY_ANSWER, *names)
        for _ in range(copies):
            if late is not None and len(self._held) < MAX_HELD:
                self._held.append(_Held(at_ms=now_ms + late.delay_ms, data=data))
            else:
                self._out.put(PspToHost(data=data))

    # --- Time -------------------------------------------------------------------

    def touch(self, now_ms: int) -> None:
        """Something that was owed has ended without a message: idle from now on."""
        self._active_at_ms = now_ms

    def _idle_at_ms(self) -> int | None:
        if not self._is_tcp or not self.is_connected or self._is_owing():
            return None
        return self._active_at_ms + TCP_IDLE_CLOSE_MS

    def is_idle(self, now_ms: int) -> bool:
        """Whether the connection has been idle for too long."""
        idle_at_ms = self._idle_at_ms()
        return idle_at_ms is not None and idle_at_ms <= now_ms

    def deadline_ms(self) -> int | None:
        first = self._idle_at_ms()
        stale = self._decoder.deadline_ms()
        if stale is not None and (first is None or stale < first):
            first = stale
        for one in self._held:
            if first is None or one.at_ms < first:
                first = one.at_ms
        return first

    def on_deadline(self, now_ms: int) -> list[Block | BadBlock]:
        """Send what was held back; return the blocks found in unfinished bytes."""
        due = [one for one in self._held if one.at_ms <= now_ms]
        if due:
            self._held = [one for one in self._held if one.at_ms > now_ms]
            for one in due:
                self._out.put(PspToHost(data=one.data))
        stale = self._decoder.deadline_ms()
        if stale is not None and stale <= now_ms:
            return self._decoder.on_deadline(now_ms)
        return []


_HANG_UPS: Final = {
    "idle": PspHangUp(reason="idle"),
    "reboot": PspHangUp(reason="reboot"),
    "power": PspHangUp(reason="power"),
}
