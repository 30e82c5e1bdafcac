// The terminal behind the payment cloud: what it is asked, and what the answers mean.
//
// Success of a call means that the cloud took it, not that it has happened. Each read
// has a callback address of its own with a token that nobody can guess; the same card is
// asked for with a long poll at the same time, so that a lost callback costs nothing,
// and whatever comes twice, late or for another read changes nothing.

import { randomBytes } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import { after, HASTE, note, now, options, seconds, settings } from './settings.mjs'

const MAX_BODY = 1 << 20
const CALL_MS = seconds(30)
const CLOSE_MS = seconds(65) // the terminal's own limit is 60 s
const AUTHORISE_MS = seconds(220) // three PIN entries may take 210 s
const WAIT_CARD_S = 50
/** A host answers within seconds: a decline after this may have been a time-out. */
const SWIFT_DECLINE_MS = seconds(28)
const MAX_TOKENS = 16

const isSuccess = (answer) => answer.status >= 200 && answer.status < 300
/** Surely without effect: turned away, or nobody was there. */
const isRefused = (answer) =>
  answer.failure === 'ECONNREFUSED' || (answer.status >= 400 && answer.status < 500 && answer.status !== 408)

/** Letters only: what is made of digits may look like a card number. */
const newToken = () => randomBytes(16).toString('hex').replace(/\d/g, (digit) => 'ghijklmnop'[digit])

export class Cps {
  isReady = false
  isAuthorising = false
  #reader = 'idle' // idle, starting, reading, holding, authorising, stopping
  #read = 0
  #tokens = []
  #checkTimer = null
  #checkAt = Infinity
  #checkPause = seconds(5)
  #isKeyBad = false
  #base = new URL(options.cpsUrl)
  // Shorter than a server keeps a connection: a reset on reuse would be an unknown outcome.
  #agent = new (this.#base.protocol === 'https:' ? https : http).Agent({ keepAlive: true, timeout: 2000 })

  constructor(alarm) {
    this.alarm = alarm
  }

  /** `charge` is told: onReady, onCard, onApproved, onDeclined, onNoAnswer, onListed. */
  start(charge) {
    this.charge = charge
    this.server = http.createServer((request, response) => this.#callback(request, response))
    this.server.listen(0, options.callbackHost, () => this.#check())
  }

  // --- Calls ---------------------------------------------------------------------------

  /** Resolves to {status, body, failure}, never rejects. */
  async #call(method, path, params = {}, { timeout = CALL_MS, isAlone = false } = {}) {
    const base = `${this.#base.pathname.replace(/\/$/, '')}/terminals/${encodeURIComponent(options.serial)}`
    const query = new URLSearchParams(params).toString().replaceAll('+', '%20')
    const target = base + path + (query && `?${query}`)
    let answer = await this.#send(method, target, timeout, isAlone)
    // An idle connection that the server has just closed; only what may be repeated.
    if (answer.wasReused && !isAlone) answer = await this.#send(method, target, timeout, true)
    const isKeyRefused = answer.status === 401 || answer.status === 403
    if (isKeyRefused && !this.#isKeyBad) this.alarm('key', `The cloud refuses our key: ${answer.status}`)
    if (answer.status) this.#isKeyBad = isKeyRefused
    if (isKeyRefused || answer.failure || answer.status >= 500) this.#checkWithin(seconds(5))
    return answer
  }

  #send(method, path, timeout, isAlone) {
    return new Promise((resolve) => {
      const lib = this.#base.protocol === 'https:' ? https : http
      const request = lib.request({
        host: this.#base.hostname, port: this.#base.port, method, path,
        agent: isAlone ? false : this.#agent,
        headers: { Authorization: `CPS apikey="${options.apiKey}"`, 'Content-Length': 0 },
      })
      const timer = after(timeout, () => request.destroy(new Error('timeout')))
      const end = (answer) => {
        clearTimeout(timer)
        resolve({ status: 0, body: null, failure: '', ...answer })
      }
      request.on('error', (error) => {
        const wasReused = request.reusedSocket && error.code === 'ECONNRESET'
        end({ failure: error.code ?? error.message, wasReused })
      })
      request.on('response', async (response) => {
        try {
          end({ status: response.statusCode, body: await readJson(response) })
        } catch (error) {
          end({ failure: error.code ?? error.message })
        }
      })
      request.end()
    })
  }

  // --- Is it there? -----------------------------------------------------------------------

  /** Looks after the pause, or earlier if that was decided already. */
  #checkWithin(pause) {
    if (this.#checkAt <= now() + pause) return
    clearTimeout(this.#checkTimer)
    this.#checkAt = now() + pause
    this.#checkTimer = after(pause, () => this.#check())
  }

  async #check() {
    clearTimeout(this.#checkTimer)
    this.#checkAt = Infinity
    const read = this.#read
    const { status, body } = await this.#call('GET', '')
    if (status !== 200 || body?.online !== true) {
      if (this.isReady) note('terminal lost')
      this.isReady = false
      if (['starting', 'reading', 'holding'].includes(this.#reader)) this.#reader = 'idle'
      this.#checkWithin(this.#checkPause)
      this.#checkPause = Math.min(this.#checkPause * 2, seconds(60))
      return
    }
    this.#checkPause = seconds(5)
    if (!this.isReady) {
      this.isReady = true
      note('terminal ready')
      this.charge.onReady()
    }
    if (this.#reader === 'idle') {
      // A read from before a death, or somebody else's, is ended first.
      if (body.state === 'IDLE') this.#start()
      else this.dropCard('')
    } else if (this.#reader === 'reading' && read === this.#read) {
      if (body.state === 'IDLE') {
        this.#reader = 'idle'
        this.#start()
      } else {
        this.#pollCard()
      }
    }
  }

  // --- Reading cards --------------------------------------------------------------------------

  async #start() {
    const read = ++this.#read
    this.#reader = 'starting'
    this.#tokens = [...this.#tokens.slice(1 - MAX_TOKENS), newToken()]
    const { address, port } = this.server.address()
    const answer = await this.#call('POST', '/start', {
      authorizedAmount: settings.reserve,
      callbackUrl: `http://${address}:${port}/card/${this.#tokens.at(-1)}`,
      uiMessage: 'Tap your card',
    })
    if (read !== this.#read || this.#reader !== 'starting') return // the card was faster
    this.#reader = 'reading'
    if (isSuccess(answer)) return this.#pollCard()
    // 409: a read goes on that is not ours. It is ended by the next look, not in a loop.
    this.#reader = 'idle'
    this.#checkWithin(answer.status && answer.status !== 409 ? seconds(30) : seconds(5))
  }

  async #pollCard() {
    const read = this.#read
    const began = now()
    const params = { waitTime: WAIT_CARD_S }
    const answer = await this.#call('GET', '/card', params, { timeout: seconds(WAIT_CARD_S + 20) + HASTE })
    if (read !== this.#read || this.#reader !== 'reading') return
    if (answer.status === 200 && answer.body?.cardId !== undefined) this.#takeCard(answer.body)
    // A cloud that does not wait is not asked more often than this.
    else this.#checkWithin(Math.max(HASTE, seconds(20) - (now() - began)))
  }

  async #callback(request, response) {
    const token = request.url.split('?')[0].split('/').at(-1)
    let card = null
    try {
      card = await readJson(request)
    } catch { /* answered below */ }
    const isOurs = request.method === 'POST' && this.#tokens.includes(token) && typeof card?.cardId === 'string'
    response.writeHead(isOurs ? 200 : 404).end()
    const isAwaited = this.#reader === 'starting' || this.#reader === 'reading'
    if (isOurs && isAwaited && token === this.#tokens.at(-1)) this.#takeCard(card)
  }

  #takeCard(card) {
    if (card.serialNumber !== options.serial) return
    this.#reader = 'holding'
    this.charge.onCard(String(card.cardId ?? ''), Boolean(card.maskedPan))
  }

  /** Ends a read or ignores its card; never releases a session. Then reads again. */
  async dropCard(text) {
    this.#reader = 'stopping'
    const params = text ? { uiMessage: text, uiMessageTimeout: 10 } : {}
    const answer = await this.#call('POST', '/stop', params)
    this.#reader = 'idle'
    if (isSuccess(answer)) this.#start()
    else this.#checkWithin(seconds(5))
  }

  // --- Sessions ------------------------------------------------------------------------------------

  async authorise() {
    if (this.#reader !== 'holding') return this.charge.onDeclined(true)
    this.#reader = 'authorising'
    const began = now()
    // On a connection of its own: nothing may make us ask twice.
    const params = { uiMessage: 'One moment please' }
    const answer = await this.#call('POST', '/authorize', params, { timeout: AUTHORISE_MS, isAlone: true })
    const { status, body } = answer
    if (status === 200 && body?.state === 'AUTHORIZED' && body.sessionId) {
      this.charge.onApproved(String(body.sessionId), body.authorizedAmount)
    } else if (status === 200 && typeof body?.state === 'string') {
      this.charge.onDeclined(now() - began < SWIFT_DECLINE_MS)
    } else if (isRefused(answer)) {
      this.charge.onDeclined(true)
    } else {
      this.charge.onNoAnswer()
    }
    this.#reader = 'idle'
    if (status === 200) this.#start()
    else this.dropCard('')
  }

  /** The open sessions of this terminal, to charge.onListed; whether there was an answer. */
  async list() {
    const { status, body } = await this.#call('GET', '/sessions')
    const rows = Array.isArray(body) ? body : body?.sessions
    if (status !== 200 || !Array.isArray(rows)) return false
    this.charge.onListed(rows.filter((row) => row?.state === 'AUTHORIZED' && row.sessionId))
    return true
  }

  /** One attempt. {outcome, detail}: confirmed, otherwise (closed, but not as asked),
   * open (surely), unknown. */
  async close(session) {
    const path = `/sessions/${encodeURIComponent(session.id)}`
    const answer = session.commit
      ? await this.#call('POST', `${path}/commit`, { commitAmount: session.amount }, { timeout: CLOSE_MS })
      : await this.#call('POST', `${path}/cancel`, {}, { timeout: CLOSE_MS })
    const detail = answer.failure || `HTTP ${answer.status}`
    if (answer.status === 200 && isAsAsked(session, answer.body)) return { outcome: 'confirmed', detail }
    if (isSuccess(answer) || answer.status === 409) return this.#look(session, path, answer)
    return { outcome: isRefused(answer) ? 'open' : 'unknown', detail, status: answer.status }
  }

  /** The session itself says what has become of it. */
  async #look(session, path, first) {
    const { status, body } = await this.#call('GET', path)
    const state = status === 200 ? body?.state : ''
    const detail = `HTTP ${first.status}, then ${state || 'nothing'}`
    if (state && isAsAsked(session, body)) return { outcome: 'confirmed', detail }
    if (['COMMITED', 'COMMITTED', 'CANCELLED'].includes(state)) return { outcome: 'otherwise', detail }
    if (state) return { outcome: 'open', detail }
    return { outcome: first.status === 409 ? 'otherwise' : 'unknown', detail }
  }

  stop() {
    this.server.close()
  }
}

function isAsAsked(session, body) {
  if (!session.commit) return body?.state === 'CANCELLED'
  const isCommitted = body?.state === 'COMMITED' || body?.state === 'COMMITTED'
  return isCommitted && (body.finalAmount ?? session.amount) === session.amount
}

/** The JSON of a bounded body; null when there is none, or none that can be read. */
async function readJson(stream) {
  let text = ''
  stream.setEncoding('utf8')
  for await (const piece of stream) {
    text += piece
    if (text.length > MAX_BODY) throw new Error('body too large')
  }
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
