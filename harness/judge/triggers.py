"""What tells a controller that a close is due (requirements.md 1.15), and since when.

Each rule looks at what the controller was told and yields the moments at which it
could know that the charge is over, will not start, or that the driver has gone. A
moment after which the charge went on is no trigger. Nothing here knows whether or when
the controller acted.
"""

from collections.abc import Callable, Iterator
from typing import Final

from harness.judge.bay import (
    DRAWING,
    PLUGGED,
    Said,
    Story,
    active_faults,
    after,
    last,
    since,
    until,
)
from harness.judge.case import FLICKER_MS, SLACK_MS, Case, Kind, Trigger
from harness.judge.facts import Act, At
from harness.judge.sessions import Session
from harness.judge.spans import covering
from harness.judge.timeline import Timeline
from harness.judge.unstored import died_with_it

# --- The vehicle ----------------------------------------------------------------


def _unplugged(case: Case) -> Iterator[Trigger]:
    plugged = case.plugged
    if plugged is None:
        return
    pilots = since(until(case.story.pilots, case.end_ms), plugged.seq)
    for index, said in enumerate(pilots):
        if said.value != "A":
            continue
        back = any(
            p.value in PLUGGED and p.t_ms <= said.t_ms + FLICKER_MS
            for p in pilots[index + 1 :]
        )
        flapped = back and not case.had_energy(said.t_ms)
        before = pilots[index - 1] if index else plugged
        if said.welcome and died_with_it(case.timeline, before):
            continue  # it may never have known that there was a vehicle
        if not flapped and not case.resumed(said.t_ms, FLICKER_MS):
            yield case.trigger(Kind.UNPLUGGED, said)


def _pilot(case: Case) -> Iterator[Trigger]:
    if case.plugged is None:
        return
    wrong = {"E", "F"} if case.promises.claims.ventilation else {"D", "E", "F"}
    pilots = since(until(case.story.pilots, case.end_ms), case.plugged.seq)
    for index, said in enumerate(pilots):
        if said.value not in wrong:
            continue
        better = any(
            p.value in PLUGGED - wrong and p.t_ms <= said.t_ms + FLICKER_MS
            for p in pilots[index + 1 :]
        )
        went_on = case.resumed(said.t_ms, FLICKER_MS) or _still_live(case, said)
        if not better or (case.had_energy(said.t_ms) and not went_on):
            yield case.trigger(Kind.PILOT, said)


def _still_live(case: Case, said: At) -> bool:
    """The contactor stayed closed well past this fact."""
    return any(
        i.live_at(said.seq) and (i.end is None or i.end.t_ms > said.t_ms + FLICKER_MS)
        for i in case.intervals
    )


def _stopped(case: Case) -> Iterator[Trigger]:
    """The contactor opened although the vehicle still wanted energy."""
    for interval in case.intervals:
        end = interval.end
        if end is None or not case.had_energy(end.t_ms + FLICKER_MS):
            continue
        patience = FLICKER_MS
        if end.welcome:
            patience = max(patience, case.promises.windows.charger_loss_ms)
        if last(case.story.pilots, end.t_ms, "A") not in DRAWING:
            continue
        if not case.resumed(end.t_ms, patience):
            yield case.trigger(Kind.STOPPED, end)


def _full(case: Case) -> Iterator[Trigger]:
    """The vehicle had energy and stopped drawing."""
    window_ms = case.promises.windows.parked_full_ms
    pilots = until(case.story.pilots, case.end_ms) if case.plugged else ()
    for index, said in enumerate(pilots):
        drew = index > 0 and pilots[index - 1].value in DRAWING
        if said.value != "B" or not drew or not case.had_energy(said.t_ms):
            continue
        due_ms = said.t_ms + window_ms
        again = [p for p in pilots[index + 1 :] if p.value in DRAWING]
        if not again or again[0].t_ms > due_ms + FLICKER_MS:
            yield case.trigger(Kind.FULL_WINDOW, said, due_ms)


def _bay_empty(case: Case) -> Iterator[Trigger]:
    """Only with a sensor, and only where no plug says otherwise."""
    connector = case.connector or _parked_at(case)
    if not case.promises.claims.bay_sensor or connector is None:
        return
    story = case.bay.story(connector)
    for index, said in enumerate(story.occupied):
        parked_before = index > 0 and story.occupied[index - 1].value
        if said.value or not parked_before:
            continue
        later = story.occupied[index + 1 : index + 2]
        if any(o.t_ms <= said.t_ms + FLICKER_MS for o in later):
            continue
        if later and later[0].t_ms < case.told.t_ms:
            continue
        if case.session.asked is not None and said.seq < case.session.asked.seq:
            continue  # who pays has not left it
        if last(story.pilots, said.t_ms, "A") == "A":
            yield case.trigger(Kind.BAY_EMPTY, said)


def _parked_at(case: Case) -> int | None:
    ended = case.session.ended
    for act in reversed(case.timeline.acts):
        if ended is not None and act.seq > ended.seq:
            continue
        if act.act == "park" and act.driver == case.driver:
            return act.connector
    return None


# --- The charger ----------------------------------------------------------------


def _stories(case: Case) -> list[Story]:
    """Where this session could charge: its connector, or any while it has none."""
    if case.connector is not None:
        return [case.story]
    return list(case.bay.stories.values())


def _blocked(story: Story, t_ms: int) -> Kind | None:
    if active_faults(story, t_ms):
        return Kind.FAULT
    if not last(story.available, t_ms, default=True):
        return Kind.UNAVAILABLE
    return None


def _faults(case: Case) -> Iterator[Trigger]:
    """No connector that this session could use can deliver."""
    stories = _stories(case)
    moments = [case.told, *(s for s in _news(stories) if s.t_ms > case.told.t_ms)]
    for at in moments:
        kinds = [_blocked(story, at.t_ms) for story in stories]
        if not kinds or None in kinds or case.resumed(at.t_ms, FLICKER_MS):
            continue
        kind = Kind.FAULT if Kind.FAULT in kinds else Kind.UNAVAILABLE
        if kind is Kind.UNAVAILABLE and case.had_energy(at.t_ms):
            continue
        if not _healed_in_time(case, stories, at):
            yield case.trigger(kind, at)


def _news(stories: list[Story]) -> list[At]:
    """Everything said about faults and service, in order."""
    news: list[At] = [s for story in stories for s in story.faults]
    news += [s for story in stories for s in story.available]
    return sorted(news, key=lambda at: at.seq)


def _healed_in_time(case: Case, stories: list[Story], at: At) -> bool:
    """Before energy: whether some connector is usable again soon enough."""
    if case.had_energy(at.t_ms):
        return False
    end_ms = at.t_ms + FLICKER_MS
    times = [s.t_ms for s in _news(stories) if at.t_ms < s.t_ms <= end_ms]
    return any(_blocked(story, t) is None for t in times for story in stories)


def _emergency(case: Case) -> Iterator[Trigger]:
    presses = until(case.bay.emergency, case.end_ms)
    for index, said in enumerate(presses):
        released = presses[index + 1 : index + 2]
        over = released and released[0].t_ms < case.told.t_ms
        if said.value and not over and not case.resumed(said.t_ms, FLICKER_MS):
            yield case.trigger(Kind.EMERGENCY, said)


def _rejected(case: Case) -> Iterator[Trigger]:
    if case.connector is None:
        return
    for said in after(case.story.rejected, case.told.t_ms - 1):
        # A refused order to open is no reason to give up; only a start can fail.
        starting = said.value in ("contactor", "lock") and not case.had_energy(
            said.t_ms
        )
        if starting and not case.resumed(said.t_ms, FLICKER_MS):
            yield case.trigger(Kind.REJECTED, said)


def _charger_lost(case: Case) -> Iterator[Trigger]:
    window_ms = case.promises.windows.charger_loss_ms
    for outage in case.bay.outages:
        due_ms = case.awake(outage.start_ms + window_ms)
        # A controller that boots finds the link down in any case.
        patience = FLICKER_MS if due_ms > outage.start_ms + window_ms else 0
        if outage.end_ms > due_ms + patience and outage.end_ms > case.told.t_ms:
            at = At(seq=case.told.seq, t_ms=due_ms)
            yield case.trigger(Kind.CHARGER_LOST, at)


# --- The driver -----------------------------------------------------------------


def _abort(case: Case) -> Iterator[Trigger]:
    """Stop or cancel on the charger's screen before energy flows."""
    from_ms = case.told.t_ms if case.session.asked is None else case.session.asked.t_ms
    for story in _stories(case):
        for said in after(story.presses, from_ms - 1):
            pressed = said.value in ("stop", "cancel")
            if pressed and not case.had_energy(said.t_ms) and _mine(case, story, said):
                yield case.trigger(Kind.ABORT, said)


def _mine(case: Case, story: Story, said: Said[str]) -> bool:
    """Whether this driver pressed; where nobody is named, the screen decides."""
    for act in reversed(case.timeline.acts):
        pressed = act.act == "press" and act.seq < said.seq
        if pressed and act.connector in (None, story.connector):
            return act.driver in ("", case.driver)
    charging = last(story.contactor, said.t_ms, default=False)
    return case.connector is not None or not charging


def _taps(case: Case) -> Iterator[Trigger]:
    """The session's card is read again while energy flows."""
    claims = case.promises.claims
    if "tap" not in claims.stop or claims.same_card_twice == "allow" or case.twins:
        return
    for act in case.timeline.acts:
        if not is_card_of(act, case.session):
            continue
        if not any(i.live_at(act.seq) for i in case.intervals):
            continue
        read = card_read(case.timeline, act)
        if read is not None:
            due_ms = _reachable(case, read.t_ms)
            yield case.trigger(Kind.TAP, read, due_ms)


def _reachable(case: Case, t_ms: int) -> int:
    """When the charger could be told to stop, or was lost for good (S-G07)."""
    outage = covering(case.bay.outages, t_ms)
    if outage is None:
        return t_ms
    window_ms = case.promises.windows.charger_loss_ms
    return min(outage.end_ms, outage.start_ms + window_ms)


def is_card_of(act: Act, session: Session) -> bool:
    """A tap with the session's own card, which can be recognised.

    The two protocols show the same card by different hashes, so its name counts.
    """
    recognisable = act.act == "tap" and bool(act.card_id and session.card_id)
    return recognisable and session.card in ("", act.card)


def card_read(timeline: Timeline, tap: Act) -> At | None:
    """When the controller was told of the card of this tap; None when it was not."""
    later = (a.seq for a in timeline.acts if a.act == "tap" and a.seq > tap.seq)
    until_seq = next(later, 1 << 62)
    told = since(card_reads(timeline), tap.seq)[:1]
    return next((at for at in told if at.seq < until_seq), None)


def card_reads(timeline: Timeline) -> list[At]:
    """Every card that the controller was told of, by any way; found once."""
    if timeline.card_reads is None:
        told: list[At] = [
            m
            for m in timeline.messages
            if m.name == "Card Read" and not m.outbound and m.fate == "delivered"
        ]
        told += [c for c in timeline.callbacks if c.what == "card" and c.fate != "lost"]
        polls = [c.call for c in timeline.calls if c.route == "E4"]
        answers = [timeline.answers[call] for call in polls if call in timeline.answers]
        told += [
            a
            for a in answers
            if a.fate != "lost" and isinstance(a.body, dict) and a.body.get("cardId")
        ]
        timeline.card_reads = sorted(told, key=lambda at: at.seq)
    return timeline.card_reads


# --- Windows and approvals ------------------------------------------------------


def _windows(case: Case) -> Iterator[Trigger]:
    windows, told = case.promises.windows, case.told
    plug_by_ms = told.t_ms + windows.plug_in_ms
    plugged = case.plugged
    if plugged is None or plugged.t_ms > plug_by_ms + SLACK_MS:
        yield case.trigger(Kind.PLUG_WINDOW, told, plug_by_ms)
        return
    due_ms = plugged.t_ms + windows.no_energy_ms
    energy_ms = case.energy_at()
    if energy_ms is not None and energy_ms <= due_ms + SLACK_MS:
        return
    outage = next((o for o in case.bay.outages if o.covers(due_ms)), None)
    if outage is not None and any(i.start.t_ms < due_ms for i in case.intervals):
        # It may be charging unseen; the loss of the charger has its own window.
        due_ms = min(outage.end_ms, outage.start_ms + windows.charger_loss_ms)
    yield case.trigger(Kind.ENERGY_WINDOW, plugged, due_ms)


def _surplus(case: Case) -> Iterator[Trigger]:
    """An approval that nobody waits for any more, or that nobody asked for."""
    session = case.session
    if session.told_by == "list" and not case.intervals:
        yield case.trigger(Kind.ORPHAN, case.told)
        return
    asked = session.asked
    limit_ms = case.promises.claims.auth_limit_ms
    late = asked is not None and case.told.t_ms - asked.t_ms > limit_ms + SLACK_MS
    if (session.surplus or late) and not case.intervals:
        yield case.trigger(Kind.SURPLUS, case.told)


_RULES: Final[tuple[Callable[[Case], Iterator[Trigger]], ...]] = (
    _surplus,
    _unplugged,
    _pilot,
    _stopped,
    _full,
    _bay_empty,
    _faults,
    _emergency,
    _rejected,
    _charger_lost,
    _abort,
    _taps,
    _windows,
)


def triggers(case: Case) -> list[Trigger]:
    """All triggers of a session, earliest first.

    A contactor that opens is told before the reason why it did; where a better reason
    follows at once, that one stands.
    """
    found = [trigger for rule in _RULES for trigger in rule(case)]
    found.sort(key=lambda t: (t.t_ms, t.seq))
    return [
        trigger
        for index, trigger in enumerate(found)
        if trigger.kind is not Kind.STOPPED
        or not any(t.t_ms <= trigger.t_ms + SLACK_MS for t in found[index + 1 :])
    ]
