"""Mistakes that the reference controller made about closing, cards and readers.

As in ``own.py``, each exchanges one part for what it was before it was mended.
"""

from typing import Final

from controller_ref.bays import Bays, Connector
from controller_ref.cps_calls import CpsAnswer
from controller_ref.cps_side import CpsSide
from controller_ref.port import Declined
from controller_ref.psp_closes import PspCloses
from controller_ref.psp_reader import Reader
from controller_ref.psp_side import PspSide
from tests.harness.mistakes.own import exchanged
from wire.cps import TerminalState
from wire.machine import CallbackReceived, Controller, Place
from wire.psp import Message, ResultCode

_SOON_MS: Final = 5_000
_FIVE_MINUTES_MS: Final = 300_000
#: Longer than the reference waits for a read to begin.
_LONG_AGO_MS: Final = 60_000
_WHOLE_POLL_MS: Final = 50_000
_TWO_MINUTES_MS: Final = 120_000


class _ForgetsWhoWaits(PspCloses):
    """Takes a close that has not left yet for no work."""

    @property
    def is_busy(self) -> bool:
        return bool(self._current or self._questioned or self.must_list)


class _LooksEveryFiveMinutes(CpsSide):
    """Looks for a lost terminal as seldom as its return may last."""

    def _lost(self, now_ms: int) -> None:
        pause_ms = self._check_pause_ms
        super()._lost(now_ms)
        if self._is_down:
            self._check_pause_ms = min(pause_ms * 2, _FIVE_MINUTES_MS)


class _BelievesErrors(CpsSide):
    """Takes every 4xx for the cloud's word that nothing has been done."""

    def _on_authorised(self, answer: CpsAnswer, now_ms: int) -> None:
        super()._on_authorised(answer, now_ms)
        if answer.is_refused:
            self.reports[:] = [
                Declined() if isinstance(report, Declined) else report
                for report in self.reports
            ]


class _HearsADecline(PspSide):
    """Takes every refusal during an authorisation for that of the authorisation."""

    def _on_result(self, said: Message, now_ms: int) -> None:
        is_ok = said.number("result") == ResultCode.OK
        is_authorising = self._reader is Reader.AUTHORISING
        if is_authorising and not is_ok and self._line.exchange is None:
            self._authorisation_refused(said, now_ms)
        else:
            super()._on_result(said, now_ms)


class _TrustsTheLongPoll(CpsSide):
    """Believes that cards are read because it was made to wait for one."""

    def _has_waited(self, now_ms: int) -> bool:
        is_fresh = now_ms - self._checked_ms < _TWO_MINUTES_MS
        return is_fresh and now_ms - self._polled_ms >= _WHOLE_POLL_MS


class _GivesUpItsReads(CpsSide):
    """Believes that a read has ended because nobody answers its own calls."""

    def _take_callback(self, fact: CallbackReceived, now_ms: int) -> bool:
        self._has_lost_read = False
        return super()._take_callback(fact, now_ms)


class _HurriesTheReader(CpsSide):
    """Has no more patience with a read than the terminal on its desk needs."""

    def _compare(self, state: str, now_ms: int) -> None:
        is_late = now_ms - self._started_ms >= _SOON_MS
        if state == TerminalState.IDLE and is_late:
            self._started_ms = now_ms - _LONG_AGO_MS
        super()._compare(state, now_ms)


class _ForgetsWhoWasServed(Bays):
    """Takes whoever taps after a charge for the next driver."""

    def choose(
        self, free: list[Connector], *, selected: int, card_id: str
    ) -> Connector | None:
        return super().choose(free, selected=selected, card_id="")


def forgets_who_waits(place: Place) -> Controller:
    return exchanged(place, [("_desk.terminal._closes", _ForgetsWhoWaits)])


def looks_every_five_minutes(place: Place) -> Controller:
    return exchanged(place, [("_desk.terminal", _LooksEveryFiveMinutes)])


def believes_an_error(place: Place) -> Controller:
    return exchanged(place, [("_desk.terminal", _BelievesErrors)])


def hears_a_decline(place: Place) -> Controller:
    return exchanged(place, [("_desk.terminal", _HearsADecline)])


def trusts_the_long_poll(place: Place) -> Controller:
    return exchanged(place, [("_desk.terminal", _TrustsTheLongPoll)])


def gives_up_its_reads(place: Place) -> Controller:
    return exchanged(place, [("_desk.terminal", _GivesUpItsReads)])


def hurries_the_reader(place: Place) -> Controller:
    return exchanged(place, [("_desk.terminal", _HurriesTheReader)])


def forgets_who_was_served(place: Place) -> Controller:
    return exchanged(place, [("_charging.bays", _ForgetsWhoWasServed)])
