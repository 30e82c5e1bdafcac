// The bay link: one JSON object a line, facts in and commands out. Keeps the connectors
// as the charger tells them; what a fact means is decided in charge.mjs.

import { connect } from 'node:net'
import { after, HASTE, note, now, options, seconds, settings } from './settings.mjs'

const MAX_LINE = 64 * 1024
const HARMLESS = new Set(['NoError', 'ReaderFailure', 'WeakSignal', 'LocalListConflict', 'ResetFailure'])
const MAX_KEPT = 50

export class Connector {
  pilot = 'A'
  closed = false
  locked = false
  available = true
  served = false
  unlocking = false
  faults = new Set()
  registerWh = 0
  powerW = 0
  pluggedAt = 0

  constructor(number) {
    this.number = number
  }

  get isPlugged() {
    return this.pilot === 'B' || this.pilot === 'C'
  }

  setPilot(pilot) {
    const wasPlugged = this.isPlugged
    this.pilot = typeof pilot === 'string' ? pilot : 'F'
    if (this.isPlugged && !wasPlugged) this.pluggedAt = now()
    if (this.pilot === 'A') this.served = false
  }

  /** False for a reading that cannot be trusted. */
  setMeter({ energy_wh, power_w, quality }) {
    if (quality !== 'good' || !Number.isSafeInteger(energy_wh) || energy_wh < 0) return false
    this.registerWh = energy_wh
    this.powerW = Number.isSafeInteger(power_w) ? power_w : 0
    return true
  }

  setFault(code, active) {
    if (HARMLESS.has(code)) return
    if (active) this.faults.add(code)
    else this.faults.delete(code)
  }

  welcome(row) {
    this.setPilot(row.pilot)
    this.setMeter(row)
    this.closed = row.contactor_closed === true
    this.locked = row.locked === true
    this.available = row.available === true
    this.unlocking = false // its answer died with the last connection
    this.faults.clear()
    for (const code of Array.isArray(row.faults) ? row.faults : []) this.setFault(code, true)
  }
}

export class BayLink {
  isUp = false
  emergencyStop = false
  /** Connector n is at index n - 1. */
  connectors = Array.from({ length: settings.connectors }, (_, index) => new Connector(index + 1))
  #socket = null
  #text = ''
  #heardAt = 0
  #pause = seconds(0.5)
  #kept = []

  /** `charge` is told: onWelcome, onLost, onObstacle and on<Type>(connector, fact). */
  start(charge) {
    this.charge = charge
    this.#open()
  }

  #open() {
    const { hostname, port } = new URL(options.bay)
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    this.#socket = socket
    socket.setEncoding('utf8')
    socket.on('connect', () => {
      this.#text = ''
      this.#heardAt = now()
      this.#pause = seconds(1)
      this.#write({ type: 'hello', controller: 'nohold example in JavaScript', version: '1' })
      this.#watch(socket)
    })
    socket.on('data', (text) => this.#receive(text))
    socket.on('error', (error) => note(`bay link: ${error.code}`))
    socket.on('close', () => {
      const wasUp = this.isUp
      this.isUp = false
      if (wasUp) this.charge.onLost()
      after(this.#pause, () => this.#open())
      this.#pause = Math.min(this.#pause * 2, seconds(20))
    })
  }

  /** A connection that has died in silence is found by asking. */
  #watch(socket) {
    if (socket.destroyed) return
    if (now() - this.#heardAt > seconds(35) + HASTE) socket.destroy()
    else if (now() - this.#heardAt > seconds(25)) this.#write({ type: 'ping', n: 1 })
    after(seconds(5), () => this.#watch(socket))
  }

  #receive(text) {
    this.#heardAt = now()
    const lines = (this.#text + text).split('\n')
    this.#text = lines.pop()
    for (const line of lines) this.#take(line)
    if (this.#text.length > MAX_LINE) this.#socket.destroy()
  }

  #take(line) {
    let fact = null
    try {
      fact = JSON.parse(line)
    } catch { /* told below */ }
    if (fact === null || typeof fact !== 'object' || Array.isArray(fact)) {
      note('bay link: not a JSON object')
    } else if (fact.type === 'welcome') {
      this.#welcome(fact)
    } else if (this.isUp) {
      this.#fact(fact, this.connectors[fact.connector - 1])
    }
  }

  #welcome(fact) {
    this.emergencyStop = fact.emergency_stop === true
    for (const row of Array.isArray(fact.connectors) ? fact.connectors : []) {
      this.connectors[row?.connector - 1]?.welcome(row)
    }
    this.isUp = true
    for (const line of this.#kept.splice(0)) this.#write(line)
    this.charge.onWelcome()
  }

  #fact(fact, connector) {
    switch (fact.type) {
      case 'ping':
        return this.#write({ type: 'pong', n: fact.n })
      case 'emergency_stop':
        this.emergencyStop = fact.active === true
        return this.charge.onObstacle()
      case 'fault':
        for (const each of fact.connector === null ? this.connectors : [connector]) {
          each?.setFault(fact.code, fact.active === true)
        }
        return this.charge.onObstacle()
    }
    if (connector) this.#connectorFact(fact, connector)
  }

  #connectorFact(fact, connector) {
    switch (fact.type) {
      case 'plug': {
        const before = connector.pilot
        connector.setPilot(fact.pilot)
        return this.charge.onPilot(connector, before)
      }
      case 'meter':
        return this.charge.onMeter(connector, connector.setMeter(fact))
      case 'contactor':
        connector.closed = fact.closed === true
        return this.charge.onContactor(connector)
      case 'lock':
        connector.locked = fact.locked === true
        return this.charge.onLock(connector)
      case 'available':
        connector.available = fact.available === true
        return this.charge.onObstacle()
      case 'rejected':
        return this.charge.onRejected(connector, fact.command)
      case 'press':
        return this.charge.onPress(connector, fact.button)
    }
  }

  #write(line) {
    this.#socket.write(`${JSON.stringify(line)}\n`)
  }

  command(type, connector, fields) {
    if (this.isUp) this.#write({ type, connector: connector.number, ...fields })
  }

  /** What must not be lost waits for the link. */
  #tell(line, keep) {
    if (this.isUp) this.#write(line)
    else if (keep && this.#kept.length < MAX_KEPT) this.#kept.push(line)
  }

  show(kind, code, text, { connector = null, session = null, amount } = {}) {
    note(`show ${kind} ${code ?? ''}: ${text}`)
    const line = { type: 'show', connector, kind, code, text, amount_minor: amount }
    this.#tell({ ...line, session_id: session?.id || undefined }, kind === 'receipt')
  }

  alarm = (code, text, session = null) => {
    note(`ALARM ${code}, session ${session?.id ?? ''}: ${text}`)
    this.#tell({ type: 'alarm', code, text, session_id: session?.id || undefined }, true)
  }
}
