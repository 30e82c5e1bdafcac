// The ledger: every session as it last was, in a text file that is only appended to.
//
// One line is one session; the last line of a key counts. Each line begins with a
// checksum and is on disk (fdatasync) before put() returns. A last line without an end
// was never acknowledged and is cut off; any other line that does not check is damage,
// after which no new money is asked for. At each boot, and when the file has grown, it
// is written anew without the sessions that have ended.

import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { after, note, seconds } from './settings.mjs'

const MAX_BYTES = 1 << 20
const KEPT_IN_MEMORY = 100
const sum = (text) => createHash('sha256').update(text).digest('hex').slice(0, 16)
const hasEnded = (session) => session.state === 'closed'

export class Ledger {
  sessions = []
  isDamaged = false
  isWritable = false
  #file = null
  #size = 0
  #key = 0
  #alarm

  constructor(directory, alarm) {
    this.directory = directory
    this.path = join(directory, 'ledger')
    this.#alarm = alarm
    this.#replay()
    this.isWritable = this.isDamaged ? this.#appendToOld() : this.#rewrite()
    if (this.isDamaged || !this.isWritable) {
      alarm('ledger', 'The ledger cannot be used; no new sessions are opened')
      this.#tryLater()
    }
  }

  get isUsable() {
    return this.isWritable && !this.isDamaged
  }

  /** A new session; the oldest that have ended are forgotten. */
  create(fields) {
    const ended = this.sessions.filter(hasEnded)
    if (ended.length > KEPT_IN_MEMORY) this.sessions.splice(this.sessions.indexOf(ended[0]), 1)
    const session = { key: ++this.#key, ...fields }
    this.sessions.push(session)
    return session
  }

  /** Whether the session as it is now is on disk. Fields that begin with _ are not kept. */
  put(session) {
    const line = Ledger.#line(session)
    if (this.isWritable) {
      try {
        fs.writeSync(this.#file, line)
        fs.fdatasyncSync(this.#file)
        this.#size += line.length
        if (this.#size > MAX_BYTES && !this.isDamaged) this.#rewrite()
        return true
      } catch (error) {
        this.isWritable = false
        this.#alarm('ledger', `The ledger cannot be written: ${error.code}`, session)
        this.#tryLater()
      }
    }
    return false
  }

  static #line(session) {
    const text = JSON.stringify(session, (key, value) => (key.startsWith('_') ? undefined : value))
    return `${sum(text)} ${text}\n`
  }

  #replay() {
    let text = ''
    try {
      text = fs.readFileSync(this.path, 'utf8')
    } catch (error) {
      this.isDamaged = error.code !== 'ENOENT'
    }
    const lines = text.split('\n')
    this.#size = Buffer.byteLength(text) - Buffer.byteLength(lines.pop())
    const found = new Map()
    for (const line of lines) {
      const body = line.slice(17)
      if (sum(body) !== line.slice(0, 16)) {
        note(`ledger: damaged line: ${line}`)
        this.isDamaged = true
      } else {
        const session = JSON.parse(body)
        found.set(session.key, session)
        this.#key = Math.max(this.#key, session.key)
      }
    }
    this.sessions = [...found.values()]
  }

  /** A new file with what is still open, put in place of the old one at once. */
  #rewrite() {
    try {
      // The newest key is kept, ended or not: keys are never used twice.
      const kept = this.sessions.filter((each) => !hasEnded(each) || each.key === this.#key)
      const text = kept.map(Ledger.#line).join('')
      const file = fs.openSync(`${this.path}.new`, 'w', 0o600)
      fs.writeSync(file, text)
      fs.fsyncSync(file)
      fs.renameSync(`${this.path}.new`, this.path)
      const directory = fs.openSync(this.directory, 'r')
      fs.fsyncSync(directory)
      fs.closeSync(directory)
      if (this.#file !== null) fs.closeSync(this.#file)
      this.#file = file
      this.#size = text.length
      return true
    } catch (error) {
      note(`ledger: ${error.message}`)
      return false
    }
  }

  /** A damaged ledger is evidence: it is kept and appended to. */
  #appendToOld() {
    try {
      fs.truncateSync(this.path, this.#size)
      this.#file = fs.openSync(this.path, 'a')
      return true
    } catch {
      return false
    }
  }

  #tryLater() {
    after(seconds(30), () => {
      if (this.isWritable) return
      this.isWritable = this.isDamaged ? this.#appendToOld() : this.#rewrite()
      if (!this.isWritable) this.#tryLater()
    }).unref()
  }
}
