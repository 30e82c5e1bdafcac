// The ledger: every session as it is now, in a small file that is always whole.
//
// Each put() writes a new file, has it on disk (fsync) and then in the place of the old
// one (rename): after a power cut there is the one or the other, never a mixture. No file
// stays open and each write needs room of its own, so that a disk that is full or
// read-only is found out at the first of them and not when a block happens to be used up.
//
// Each line begins with a checksum, and the last line is that of all the others. If the
// file does not check, what it says in lines that do is still used, but no new money is
// asked for until an operator has looked at it and has removed `ledger.damaged`.

import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { after, note, seconds } from './settings.mjs'

const KEPT_ENDED = 20
const sum = (text) => createHash('sha256').update(text).digest('hex').slice(0, 16)
const hasEnded = (session) => session.state === 'closed'
/** Fields that begin with _ are not kept. */
const toJson = (session) => JSON.stringify(session, (key, value) => (key.startsWith('_') ? undefined : value))

export class Ledger {
  sessions = []
  isDamaged = false
  isWritable = true
  /** The file is damaged, and has not been copied yet. */
  #hasEvidence = false
  #alarm
  #timer

  constructor(directory, alarm) {
    this.directory = directory
    this.path = join(directory, 'ledger')
    this.#alarm = alarm
    this.isDamaged = fs.existsSync(`${this.path}.damaged`)
    this.#read()
    if (this.isDamaged) alarm('ledger', 'The ledger is damaged; no new sessions are opened')
    this.put()
  }

  get isUsable() {
    return this.isWritable && !this.isDamaged
  }

  /** A new session, not yet on disk; the oldest that have ended are forgotten. */
  create(fields) {
    const ended = this.sessions.filter(hasEnded)
    if (ended.length > KEPT_ENDED) this.sessions.splice(this.sessions.indexOf(ended[0]), 1)
    const session = { ...fields }
    this.sessions.push(session)
    return session
  }

  // --- Reading ---------------------------------------------------------------------------

  #read() {
    let text = ''
    try {
      text = fs.readFileSync(this.path, 'utf8')
    } catch (error) {
      if (error.code === 'ENOENT') return // the first start
      note(`ledger: ${error.message}`)
    }
    const lines = text.split('\n').slice(0, -1)
    const total = lines.pop()
    this.#hasEvidence = total !== sum(lines.join('\n'))
    this.isDamaged ||= this.#hasEvidence
    for (const line of lines) {
      const json = line.slice(17)
      if (sum(json) === line.slice(0, 16)) this.sessions.push(JSON.parse(json))
      else note(`ledger: damaged line: ${line}`)
    }
  }

  // --- Writing ---------------------------------------------------------------------------

  /** Whether this session as it is now, like all others, is on disk. What is not is tried
   * again, also without news; until then nothing new is opened. */
  put(session = null) {
    const wasWritable = this.isWritable
    clearTimeout(this.#timer)
    try {
      this.#write()
      this.isWritable = true
    } catch (error) {
      note(`ledger: ${error.message}`)
      this.isWritable = false
      this.#timer = after(seconds(10), () => this.put())
      if (wasWritable) this.#alarm('ledger', 'The ledger cannot be written', session)
    }
    return this.isWritable
  }

  #write() {
    const lines = this.sessions.map(toJson).map((json) => `${sum(json)} ${json}`)
    const total = sum(lines.join('\n'))
    synced(`${this.path}.new`, 'w', (file) => fs.writeFileSync(file, `${[...lines, total].join('\n')}\n`))
    if (this.#hasEvidence) fs.copyFileSync(this.path, `${this.path}.damaged`)
    this.#hasEvidence = false
    fs.renameSync(`${this.path}.new`, this.path)
    synced(this.directory, 'r')
  }
}

function synced(path, flags, write = () => {}) {
  const file = fs.openSync(path, flags, 0o600)
  try {
    write(file)
    fs.fsyncSync(file)
  } finally {
    fs.closeSync(file)
  }
}
