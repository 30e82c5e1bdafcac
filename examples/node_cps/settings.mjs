// Options, the declaration, and the clock that runs --time-scale times faster.

import { readFileSync } from 'node:fs'

const NOT_IMPLEMENTED = 89

export function refuse(what, found) {
  console.error(`node_cps: not implemented: ${what} = ${found}`)
  process.exit(NOT_IMPLEMENTED)
}

export function note(text) {
  console.error(`${(performance.now() / 1000).toFixed(3)} ${text}`)
}

/** An option as `--name value`, else the environment variable. */
function option(name, variable, fallback) {
  const at = process.argv.indexOf(name)
  const found = at > 0 ? process.argv[at + 1] : process.env[variable]
  if (found === undefined && fallback === undefined) refuse(name, 'missing')
  return found ?? fallback
}

export const options = {
  cpsUrl: option('--cps-url', 'NOHOLD_CPS_URL'),
  apiKey: option('--cps-api-key', 'NOHOLD_CPS_API_KEY'),
  serial: option('--terminal-serial', 'NOHOLD_TERMINAL_SERIAL'),
  bay: option('--bay', 'NOHOLD_BAY'),
  state: option('--state', 'NOHOLD_STATE_DIR'),
  scale: Number(option('--time-scale', 'NOHOLD_TIME_SCALE', '1')),
  declaration: option('--declaration', 'NOHOLD_DECLARATION', ''),
  callbackHost: option('--callback-host', 'NOHOLD_CALLBACK_HOST', '127.0.0.1'),
}
if (!(options.scale >= 1 && options.scale <= 20)) refuse('--time-scale', options.scale)

/** From declaration.toml; windows in seconds. */
export const settings = {
  connectors: 2, max_power_w: 22000, reserve: 5000, per_kwh: 59,
  plug_in_window: 300, no_energy_window: 300, charger_loss_window: 600, parked_full_window: 0,
}
// What this example cannot do is refused, not ignored.
const FIXED = {
  interface: 'cps', scanning: 'always', amount_strategy: 'maximum', same_card_twice: 'refuse',
  rounding: 'half_up', rfid: 'false', free_vend: 'false', ventilation: 'false',
  bay_sensor: 'false', per_minute: '0', per_session: '0', minimum: '0',
}

/** The keys that are needed: `key = number` or `key = "word"`, one a line. */
function readDeclaration(text) {
  for (const [, key, quoted, bare] of text.matchAll(/^\s*([a-z_]+)\s*=\s*(?:"([^"]*)"|(\w+))/gm)) {
    const value = quoted ?? bare
    if (key in settings) settings[key] = Number(value)
    if (key in FIXED && value !== FIXED[key]) refuse(key, value)
  }
  if (!(settings.connectors >= 1 && settings.connectors <= 32)) refuse('connectors', settings.connectors)
}
if (options.declaration) readDeclaration(readFileSync(options.declaration, 'utf8'))

// --- Clock: milliseconds ------------------------------------------------------------

/** A tenth of a second of real time, for what a busy machine does to a schedule. */
export const HASTE = 100 * options.scale
export const seconds = (n) => n * 1000
/** Monotonic; for timers. */
export const now = () => performance.now() * options.scale
/** Since 1970; only for what must outlive a restart. */
export const calendar = () => Date.now() * options.scale
export const after = (ms, call) => setTimeout(call, Math.max(0, ms) / options.scale)
