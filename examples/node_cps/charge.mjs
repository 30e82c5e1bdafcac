// The sessions' lives, from a card to a confirmed close. Everything is decided here.
//
//   intent -> reserved -> starting -> charging -> stopping -> closing -> closed
//   intent -> unresolved: nobody answered; looked for in the cloud's list of sessions
//
// What happens next is on disk before it happens: the intent before the issuer is asked,
// the session before the contactor closes, operation and amount before they are sent.
// `closing` repeats one operation with one amount until it is confirmed, and nothing
// changes it any more. Fields of a session that begin with _ do not outlive a restart.

import { after, calendar, HASTE, note, now, seconds, settings } from './settings.mjs'

const FEEDBACK = seconds(10) // a command is answered within 1 s
const FINAL_METER = seconds(2) + HASTE
const REACTION = seconds(2) + 2 * HASTE // from the decision to an open contactor
const REPLUG = seconds(4) // a plug that is not seated comes and goes
const SAME_TAP = seconds(3)
const PRESS = seconds(60)
const RAMP = seconds(5)
const METER_SILENT = seconds(60)
const MS_W_PER_WH = 3_600_000
const LIVE = new Set(['reserved', 'starting', 'charging', 'stopping'])
/** Between attempts: each minute five times, each hour for a day, each day for a week. */
const GAPS = [...Array(5).fill(60), ...Array(24).fill(3600), ...Array(7).fill(86400)].map(seconds)
const MILESTONES = [6, 30] // attempts after which the minutes, and the hours, are over
const CLOSES_AT_ONCE = 4
/** When an unanswered authorisation is looked for; each after the one before. */
const PROBES = [5, 30, 60, 120, 240].map(seconds)
/** When the cloud is asked what an approval has opened besides what its answer named. */
const LOOK = seconds(10)
/** So long after its approval a session that has ended still explains a second one. */
const RECENT = seconds(120)

const isUnbound = (session) => session.state === 'reserved' && !session.connector
/** Of a span that began at a calendar time; safe against jumps of the calendar. */
const leftOf = (whole, began) => Math.min(whole, Math.max(0, whole - (calendar() - began)))

export class Charge {
  #intent = null
  #lastCard = { id: '', at: 0 }
  /** Stop was pressed at this connector: a card has to follow. */
  #stopAt = { connector: null, until: 0 }
  #reported = new Set()
  #lookTimer

  constructor(ledger, bay, terminal) {
    this.ledger = ledger
    this.bay = bay
    this.terminal = terminal
  }

  // --- Timers: one of each name for a session --------------------------------------------

  #set(session, name, ms, call) {
    session._timers ??= {}
    clearTimeout(session._timers[name])
    session._timers[name] = after(ms, () => {
      delete session._timers[name]
      call()
    })
  }

  #clear(session, ...names) {
    const timers = session._timers ?? {}
    for (const name of names.length ? names : Object.keys(timers)) {
      clearTimeout(timers[name])
      delete timers[name]
    }
  }

  // --- Who is where ----------------------------------------------------------------------

  #within = (...states) => this.ledger.sessions.filter((each) => states.includes(each.state))
  #live = () => this.ledger.sessions.filter((each) => LIVE.has(each.state))
  #unbound = () => this.ledger.sessions.filter(isUnbound)
  #at = (connector) => this.#live().find((each) => each.connector === connector.number)
  #connector = (session) => this.bay.connectors[session.connector - 1]

  #obstacle({ faults, pilot }) {
    if (this.bay.emergencyStop) return 'Emergency stop'
    if (faults.size) return 'The charger has a fault'
    if (pilot === 'E' || pilot === 'F') return 'The vehicle or its cable has a fault'
    return pilot === 'D' ? 'Vehicles that need ventilation cannot charge here' : ''
  }

  #free() {
    if (!this.bay.isUp) return []
    return this.bay.connectors.filter(
      (each) => each.available && !each.closed && !this.#obstacle(each) && !this.#at(each))
  }

  // --- Cards and authorisations ------------------------------------------------------------

  #turnAway(kind, code, text) {
    this.terminal.dropCard(text)
    this.bay.show(kind, code, text)
  }

  onCard(id, isPayment) {
    const same = this.ledger.sessions.filter((each) => id && each.card === id)
    const selected = now() < this.#stopAt.until ? this.#at(this.#stopAt.connector) : undefined
    const mine = same.find((each) => LIVE.has(each.state) && (!selected || each === selected))
    const isBeingReleased = same.some((each) => each.state === 'closing' && !each.commit)
    const isFull = this.#free().length <= this.#unbound().length
    if (id && id === this.#lastCard.id && now() - this.#lastCard.at < SAME_TAP) {
      this.terminal.dropCard('') // the second half of a double tap
    } else if (selected && !mine) {
      this.#turnAway('error', 'wrong_card', 'This is not the card that started this charge')
    } else if (!isPayment) {
      this.#turnAway('error', 'declined', 'This card is not accepted')
    } else if (mine) {
      this.#lastCard = { id, at: now() }
      this.#turnAway('info', undefined, 'Stopping')
      this.#stop(mine, mine.state === 'charging' ? 'Stopped by card' : 'Cancelled by card')
    } else if (this.bay.isUp && isFull && this.#live().some((each) => each.connector)) {
      this.#turnAway('error', 'wrong_card', 'This card has not started a charge here')
    } else if (isFull || isBeingReleased || this.#isOverdue || !this.ledger.isUsable || !this.#newIntent(id)) {
      this.#turnAway('error', 'unavailable', 'Not available at the moment')
    } else {
      this.terminal.authorise()
    }
  }

  /** A cloud that still refuses a close when the minutes are over gets no more holds. */
  get #isOverdue() {
    return this.ledger.sessions.some((each) => each.state === 'closing' && each.attempts >= MILESTONES[0])
  }

  #newIntent(card) {
    const intent = this.ledger.create({ state: 'intent', card, connector: 0, openedAt: calendar() })
    if (this.ledger.put(intent)) this.#intent = intent
    else intent.state = 'closed'
    return this.#intent
  }

  #takeIntent() {
    const intent = this.#intent
    this.#intent = null
    return intent
  }

  onApproved(id, amount) {
    const session = this.#takeIntent()
    this.#open(session, id, amount)
    this.#lastCard = { id: session.card, at: now() }
    this.#look()
    const isDurable = this.ledger.put(session)
    if (session._unwanted) this.#stop(session, 'The approval came too late')
    else if (!isDurable) this.#stop(session, 'The session cannot be recorded')
    else this.#place(session)
  }

  #open(session, id, amount) {
    note(`session ${id}: approved`)
    const limit = Number.isSafeInteger(amount) ? amount : settings.reserve
    Object.assign(session, { id, limit, state: 'reserved', openedAt: calendar(), energyWh: 0 })
  }

  /** A slow decline may have been a time-out, after which an approval may still come. */
  onDeclined(isCertain) {
    const session = this.#takeIntent()
    session.state = isCertain ? 'closed' : 'unresolved'
    this.ledger.put(session)
    this.bay.show('error', 'declined', 'Declined. Please ask your card issuer')
    if (!isCertain) this.#lookFor(session)
  }

  onNoAnswer() {
    this.bay.show('error', 'unavailable', 'Payment is not possible at the moment')
    this.#unresolved(this.#takeIntent())
  }

  #unresolved(session) {
    session.state = 'unresolved'
    this.ledger.put(session)
    this.bay.alarm('unknown_outcome', 'An authorisation was not answered; looking for its session')
    this.#lookFor(session)
  }

  #lookFor(session, probe = 0) {
    if (session.state !== 'unresolved') return
    if (probe === PROBES.length) {
      note('an unanswered authorisation has left no session')
      session.state = 'closed'
      this.ledger.put(session)
      return
    }
    this.#set(session, 'probe', PROBES[probe], async () => {
      await this.terminal.list()
      // While the cloud cannot be asked, the last question is not the last.
      this.#lookFor(session, this.terminal.isReady ? probe + 1 : probe)
    })
  }

  /** An answer names one session; only the list tells whether there are two. */
  #look() {
    clearTimeout(this.#lookTimer)
    this.#lookTimer = after(LOOK, async () => {
      const isAnswered = await this.terminal.list()
      if (!isAnswered && this.terminal.isReady) this.#look()
    })
  }

  /** What the cloud has open, and we do not know: released if it must be ours. */
  onListed(rows) {
    const isKnown = (row) => this.ledger.sessions.some((each) => each.id === row.sessionId)
    for (const row of rows.filter((each) => !isKnown(each))) {
      const isOfCard = ({ card }) => !card || !row.cardId || card === row.cardId
      const unanswered = this.#within('unresolved').find(isOfCard)
      if (unanswered) {
        this.#release(unanswered, row, 'The approval was lost')
      } else if (this.#intent) {
        this.#look() // it may be what we are asking for just now
      } else if (this.#isSecond(row)) {
        this.#release(this.#newStray(row), row, 'A second session of one approval')
      } else if (this.ledger.isDamaged) {
        this.#release(this.#newStray(row), row, 'The ledger was damaged')
      } else if (!this.#reported.has(row.sessionId)) {
        this.#reported.add(row.sessionId)
        this.bay.alarm('orphan', 'An open session that is not ours; left alone', { id: row.sessionId })
      }
    }
  }

  /** Its card has an open session here, or had one just now: nobody else has read it. */
  #isSecond = ({ cardId }) => Boolean(cardId) && this.ledger.sessions.some(
    (each) => each.card === cardId && each.id && (each.state !== 'closed' || calendar() - each.openedAt < RECENT))

  #newStray = ({ cardId }) => this.ledger.create({ state: 'unresolved', card: cardId ?? '', connector: 0 })

  #release(session, row, why) {
    this.#clear(session)
    this.#open(session, row.sessionId, row.authorizedAmount)
    this.bay.alarm('orphan', `${why}; its session is released`, session)
    this.#stop(session, why)
  }

  // --- Beginning -----------------------------------------------------------------------------

  /** An approved session: the vehicle that waits, else the next one that plugs in. */
  #place(session) {
    if (this.#free().length < this.#unbound().length) {
      this.#stop(session, 'No connector can deliver')
      return
    }
    const waiting = this.#free().filter((each) => each.isPlugged && !each.served)
    waiting.sort((one, other) => one.pluggedAt - other.pluggedAt)
    if (waiting.length) {
      this.#begin(session, waiting[0])
    } else {
      this.#armPlugIn(session)
      this.bay.show('info', 'plug_in', 'Approved. Plug in now', { session })
    }
  }

  #armPlugIn(session) {
    const left = leftOf(seconds(settings.plug_in_window), session.openedAt)
    this.#set(session, 'window', left, () => this.#stop(session, 'No vehicle was plugged in'))
  }

  #serveWaiting(connector) {
    const waiting = this.#unbound()[0]
    if (waiting && connector.isPlugged && !connector.served && this.#free().includes(connector)) {
      this.#begin(waiting, connector)
    }
  }

  #begin(session, connector) {
    const meter = { registerWh: connector.registerWh, meteredAt: calendar() }
    Object.assign(session, { state: 'starting', connector: connector.number, ...meter })
    this.#armNoEnergy(session)
    if (this.ledger.put(session)) this.#lock(session, connector)
    else this.#stop(session, 'The charge cannot be recorded')
  }

  #armNoEnergy(session) {
    this.#set(session, 'window', seconds(settings.no_energy_window), () => {
      // What may be charging unseen is left to the charger's own window.
      if (this.bay.isUp || !session._ordered) this.#stop(session, 'The vehicle took no energy')
    })
  }

  #lock(session, connector) {
    this.#set(session, 'feedback', FEEDBACK, () => this.#notStarted(session))
    this.bay.command('lock', connector, { locked: true })
  }

  #notStarted(session) {
    this.bay.alarm('contactor', 'The charger does not start', session)
    this.#stop(session, 'The charger does not start')
  }

  #closeContactor(session, connector) {
    if (session.state !== 'starting' || session._ordered || !connector.locked || connector.pilot !== 'C') return
    session._ordered = true
    this.#set(session, 'feedback', FEEDBACK, () => this.#notStarted(session))
    this.bay.show('info', 'charging', 'Charging', { connector: connector.number, session })
    this.bay.command('contactor', connector, { close: true })
  }

  #energised(session, connector) {
    this.#clear(session, 'feedback')
    session.state = 'charging'
    session._ordered = true
    this.ledger.put(session)
    this.#watch(session, connector)
  }

  // --- While it lasts ----------------------------------------------------------------------------

  /** Add what flowed since the last reading. A register that falls or moves faster than
   * the connector can has not measured energy: that step is left out. */
  #count(session, connector) {
    const age = calendar() - session.meteredAt
    const step = connector.registerWh - session.registerWh
    const most = (settings.max_power_w * (age + seconds(2) + 3 * HASTE)) / MS_W_PER_WH + 2
    if (step >= 0 && (age < 0 || step <= most)) session.energyWh += step
    else this.#doubt(session, 'The register has jumped')
    // A register may stand still although power flows, then catch up in one step.
    if (step || !connector.powerW) session.meteredAt = calendar()
    session.registerWh = connector.registerWh
    this.ledger.put(session)
  }

  #doubt(session, text) {
    if (!session._doubted) this.bay.alarm('meter', text, session)
    session._doubted = true
  }

  /** When a charge must end: money, a vehicle that is full, a meter that says nothing. */
  #watch(session, connector) {
    const { pilot, powerW } = connector
    const ifSeen = (why) => () => this.bay.isUp && this.#stop(session, why)
    this.#clear(session, 'silent')
    if (session.energyWh) this.#clear(session, 'window')
    if (pilot === 'C' && powerW) {
      this.#clear(session, 'idle')
    } else if (session.energyWh && !session._timers.idle) {
      const window = seconds(settings.parked_full_window)
      const patience = pilot === 'C' ? Math.max(window, RAMP) : window
      this.#set(session, 'idle', patience, ifSeen('The vehicle has stopped charging'))
    }
    if (settings.per_kwh) {
      const leftWh = Math.floor((session.limit * 1000) / settings.per_kwh) - session.energyWh - 1
      const left = (leftWh * MS_W_PER_WH) / settings.max_power_w - REACTION
      this.#set(session, 'cap', left, ifSeen('The reserved amount is used up'))
    }
    if (pilot === 'C' && powerW >= 500) {
      this.#set(session, 'silent', METER_SILENT, () => this.#doubt(session, 'The meter is silent'))
    }
  }

  // --- What the charger says -----------------------------------------------------------------------

  onPilot(connector, before) {
    const session = this.#at(connector)
    const { pilot } = connector
    if (!session) {
      if (before === 'A') this.#serveWaiting(connector)
    } else if (this.#obstacle(connector)) {
      this.#stop(session, this.#obstacle(connector))
    } else if (pilot === 'A' && session.state === 'starting' && !session._ordered) {
      this.#set(session, 'idle', REPLUG, () => this.#stop(session, 'Unplugged'))
    } else if (pilot === 'A') {
      this.#stop(session, 'Unplugged')
    } else if (session.state === 'starting' && session._timers.idle) {
      this.#clear(session, 'idle')
      this.#lock(session, connector)
    } else if (session.state === 'starting') {
      this.#closeContactor(session, connector)
    } else if (session.state === 'charging') {
      this.#clear(session, 'idle')
      if (pilot === 'B') this.#watch(session, connector)
    }
  }

  onMeter(connector, isGood) {
    const session = this.#at(connector)
    if (!session) return // nobody pays for what comes after the close
    if (!isGood) this.#doubt(session, 'The meter cannot be trusted')
    else if (session.state === 'starting' && !session._ordered) session.registerWh = connector.registerWh
    else this.#count(session, connector)
    if (session._timers.final) this.#finish(session)
    else if (session.state === 'charging' && isGood) this.#watch(session, connector)
  }

  onContactor(connector) {
    const session = this.#at(connector)
    if (!session) {
      if (connector.closed) this.#openUnpaid(connector)
    } else if (session.state === 'starting' && connector.closed) {
      this.#energised(session, connector)
    } else if (session.state === 'starting' && session._ordered) {
      session._ordered = false
      this.#notStarted(session)
    } else if (session.state === 'charging' && !connector.closed) {
      this.#stop(session, 'The charger has ended the charge')
    } else if (session.state === 'stopping' && !connector.closed) {
      this.#awaitFinalMeter(session)
    }
  }

  #openUnpaid(connector) {
    this.bay.alarm('contactor', 'A contactor is closed without a session')
    this.bay.command('contactor', connector, { close: false })
  }

  onLock(connector) {
    const session = this.#at(connector)
    const wasUnlocking = connector.unlocking
    connector.unlocking = false
    if (wasUnlocking) { // answers come in the order of their commands
      if (connector.locked) this.bay.alarm('other', 'A cable does not unlock')
    } else if (session?.state === 'starting' && !session._ordered) {
      this.#clear(session, 'feedback')
      if (connector.locked) this.#closeContactor(session, connector)
      else this.#stop(session, 'The cable cannot be locked')
    }
  }

  onRejected(connector, command) {
    const session = this.#at(connector)
    if (session?.state !== 'starting') return
    if (command === 'contactor') session._ordered = false // nothing to open again
    this.#stop(session, 'The charger refuses')
  }

  onPress(connector, button) {
    const session = this.#at(connector)
    const where = { connector: connector.number, session }
    if (button === 'start') {
      this.bay.show('info', undefined, 'Tap your card', where)
    } else if (session?.energyWh) {
      // Only its card or the plug may end it now.
      this.#stopAt = { connector, until: now() + PRESS }
      this.bay.show('info', undefined, 'Tap the card that started this charge', where)
    } else if (session) this.#stop(session, 'Cancelled by the driver')
    else if (this.#intent) this.#intent._unwanted = true
    else if (this.#unbound().length === 1) this.#stop(this.#unbound()[0], 'Cancelled by the driver')
  }

  /** A fault, the emergency stop, a connector out of service, or the end of one. */
  onObstacle() {
    if (!this.bay.isUp) return
    for (const session of this.#live().filter((each) => each.connector)) {
      const connector = this.#connector(session)
      if (this.#obstacle(connector)) this.#stop(session, this.#obstacle(connector))
      else if (!connector.available && session.state === 'starting') {
        this.#stop(session, 'The connector is out of service')
      }
    }
    for (const surplus of this.#unbound().slice(this.#free().length)) {
      this.#stop(surplus, 'No connector can deliver')
    }
  }

  // --- The charger's link ----------------------------------------------------------------------------

  onLost() {
    note('charger lost')
    for (const session of this.#live()) this.#away(session)
  }

  /** The window runs from the loss, also when we have died since. */
  #away(session) {
    session.lostAt ||= calendar()
    this.ledger.put(session)
    this.#clear(session, 'feedback', 'silent')
    this.#set(session, 'gone', leftOf(seconds(settings.charger_loss_window), session.lostAt), () => {
      this.bay.alarm('other', 'The charger cannot be reached', session)
      session.why ??= 'The charger cannot be reached'
      this.#finish(session)
    })
  }

  onWelcome() {
    const text = `${(settings.reserve / 100).toFixed(2)} will be reserved`
    this.bay.show('price', undefined, text, { amount: settings.reserve })
    for (const session of this.#live()) {
      session.lostAt = 0
      this.#clear(session, 'gone')
      this.ledger.put(session)
      if (session.connector) this.#compare(session, this.#connector(session))
    }
    for (const connector of this.bay.connectors.filter((each) => !this.#at(each))) {
      if (connector.closed) this.#openUnpaid(connector)
      this.#serveWaiting(connector)
    }
    this.onObstacle()
  }

  /** A session and what the charger says about its connector after an absence. */
  #compare(session, connector) {
    this.#count(session, connector)
    if (connector.closed && session.state === 'starting') this.#energised(session, connector)
    if (!connector.closed) {
      session.why ??= 'The charge ended while the charger was away'
      this.#finish(session)
    } else if (session.state === 'stopping') {
      this.#openContactor(session, connector)
    } else if (connector.pilot === 'A') {
      this.#stop(session, 'Unplugged')
    } else {
      if (!session.energyWh) this.#armNoEnergy(session)
      this.#watch(session, connector)
    }
  }

  // --- Ending ---------------------------------------------------------------------------------------------

  /** Every reason to end comes here; harmless when the session is ending already. */
  #stop(session, why) {
    if (!LIVE.has(session.state) || session.state === 'stopping') return
    note(`session ${session.id}: stop: ${why}`)
    const isStarting = session.state === 'starting'
    const gone = session._timers?.gone
    if (gone) this.#clear(session, 'window', 'feedback', 'cap', 'idle', 'silent')
    else this.#clear(session)
    Object.assign(session, { state: 'stopping', why })
    this.ledger.put(session)
    const connector = this.#connector(session)
    if (!connector || !session._ordered) this.#finish(session)
    else if (this.bay.isUp && (connector.closed || isStarting)) this.#openContactor(session, connector)
    else if (this.bay.isUp) this.#awaitFinalMeter(session) // it has opened already
  }

  #openContactor(session, connector) {
    this.#set(session, 'feedback', FEEDBACK, () => {
      this.bay.alarm('contactor', 'The contactor does not open', session)
      this.#finish(session)
    })
    this.bay.command('contactor', connector, { close: false })
  }

  #awaitFinalMeter(session) {
    this.#clear(session, 'feedback')
    this.#set(session, 'final', FINAL_METER, () => this.#finish(session))
  }

  #finish(session) {
    this.#clear(session)
    const connector = this.#connector(session)
    const cost = Math.floor((session.energyWh * settings.per_kwh + 500) / 1000)
    const amount = Math.min(cost, session.limit)
    Object.assign(session, { state: 'closing', commit: amount > 0, amount, attempts: 0, nextAt: calendar() })
    this.ledger.put(session)
    note(`session ${session.id}: ${session.commit ? 'commit' : 'cancel'} ${amount} for ${session.energyWh} Wh`)
    const what = session.commit ? 'charged' : 'the reservation is released'
    const text = `${session.why}. ${session.energyWh} Wh; ${what}`
    const fields = { connector: connector?.number ?? null, session, amount }
    this.bay.show('receipt', session.commit ? 'stopped' : 'released', text, fields)
    if (connector) {
      connector.served = connector.isPlugged && session.energyWh > 0
      connector.unlocking = true
      this.bay.command('lock', connector, { locked: false })
    }
    this.#attempt(session, false)
  }

  // --- Closing ------------------------------------------------------------------------------------------------

  async #attempt(session, isFree) {
    if (session.state !== 'closing' || session._isUnderWay) return
    if (this.#within('closing').filter((each) => each._isUnderWay).length >= CLOSES_AT_ONCE) {
      this.#set(session, 'close', seconds(1), () => this.#attempt(session, isFree))
      return
    }
    this.#clear(session, 'close')
    session._isUnderWay = true
    session._wasFree = isFree
    if (!isFree) {
      session.attempts += 1
      session.nextAt = calendar() + (GAPS[session.attempts - 1] ?? 0)
    }
    Object.assign(session, { inFlight: true, sentAt: calendar() })
    this.ledger.put(session)
    const answer = await this.terminal.close(session)
    note(`session ${session.id}: attempt ${session.attempts}: ${answer.outcome}, ${answer.detail}`)
    session._isUnderWay = false
    session.inFlight = false
    this.#judge(session, answer)
    this.ledger.put(session)
  }

  #judge(session, { outcome, detail, status }) {
    const isFirst = session.attempts === 1 && !session._wasFree
    if (outcome === 'otherwise') {
      this.bay.alarm('unknown_outcome', `Closed, but not as we asked: ${detail}`, session)
    }
    if (status === 404 && isFirst) this.bay.alarm('other', 'The cloud does not know a session', session)
    if (outcome === 'confirmed' || outcome === 'otherwise') {
      session.state = 'closed'
    } else if (session.attempts > GAPS.length) {
      session.state = 'exhausted'
      this.bay.alarm('close_exhausted', 'All attempts to close have failed', session)
    } else {
      if (MILESTONES.includes(session.attempts) && !session._wasFree) {
        this.bay.alarm('close_failed', 'A session is still not closed', session)
      }
      this.#armClose(session)
    }
  }

  #armClose(session) {
    const gap = GAPS[session.attempts - 1] ?? 0
    this.#set(session, 'close', leftOf(gap, session.nextAt - gap), () => this.#attempt(session, false))
  }

  /** After an absence of the cloud or the terminal one attempt is free. */
  onReady() {
    this.terminal.list()
    for (const session of this.#within('closing')) {
      if (session._isUnderWay || session._wasFree || !session.attempts) continue
      const since = calendar() - session.sentAt
      const pause = since >= 0 && since < seconds(30) ? seconds(30) - since : 0
      if (calendar() + pause < session.nextAt) {
        this.#set(session, 'close', pause, () => this.#attempt(session, true))
      }
    }
  }

  // --- Boot -------------------------------------------------------------------------------------------------------

  boot() {
    for (const session of [...this.ledger.sessions]) {
      if (session.state === 'intent') {
        this.#unresolved(session)
      } else if (session.state === 'unresolved') {
        this.#lookFor(session)
      } else if (LIVE.has(session.state)) {
        session._ordered = session.state !== 'reserved'
        session._timers = {}
        if (session.state === 'reserved') this.#armPlugIn(session)
        this.#away(session)
      } else if (session.state === 'closing') {
        session.inFlight = false
        this.#armClose(session)
      }
    }
  }
}
