// A small charger controller: the terminal through CPS, the charger through the bay link.
//
//   settings.mjs  options, declaration, clock
//   cps.mjs       the terminal: reading cards, authorising, closing
//   bay.mjs       the charger: facts in, commands out
//   ledger.mjs    what must survive a power cut
//   charge.mjs    the sessions' lives: the only file that decides anything

import { BayLink } from './bay.mjs'
import { Charge } from './charge.mjs'
import { Cps } from './cps.mjs'
import { Ledger } from './ledger.mjs'
import { options } from './settings.mjs'

const bay = new BayLink()
const ledger = new Ledger(options.state, bay.alarm)
const terminal = new Cps(bay.alarm)
const charge = new Charge(ledger, bay, terminal)

// Everything that matters is on disk already: leaving needs no ceremony.
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0))

charge.boot()
bay.start(charge)
terminal.start(charge)
