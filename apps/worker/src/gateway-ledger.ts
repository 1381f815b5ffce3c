import { type ErrorCode, type Outcome, asGolemError } from '@golem/core'
import { type ForeignExchange, shown } from '@golem/gateway'
import { outcomeOf } from '@golem/queue'
import { randomUUID } from 'node:crypto'
import type { WorkerContext } from './context.ts'

/** So many exchanges in a row get a record each, */
const BURST = 50
/** and so many a second for as long as it goes on; */
const PER_SECOND = 10
/** what goes beyond that shares one record per client and outcome, written after so long, in ms. */
const GATHER_MS = 1_000
/** What clients asked and how often they came is told so often at most, in ms. */
const TELL_EVERY_MS = 60_000
/** Of so many addresses it is told one by one. */
const MAX_ADDRESSES = 64
/** The longest text of a record, in characters. */
const MAX_TEXT = 400

interface Gathered {
  first: ForeignExchange
  last: ForeignExchange
  count: number
  outcome: Outcome
}

interface Tally {
  connections: number
  refused: number
  queries: number
}

/**
 * What foreign programs do with one instrument, in the site's ledger and log.
 *
 * What may have changed something is in the ledger. The journal has none of it: it is there so that golem never
 * repeats a command whose id comes again, and an exchange of a foreign program has no id and no second try; when the
 * worker dies in the middle, the program sees its connection break. Queries are counted, and told once a minute.
 */
export class GatewayLedger {
  readonly #context: WorkerContext
  readonly #instrument: string
  readonly #gathered = new Map<string, Gathered>()
  readonly #tallies = new Map<string, Tally>()
  #left = BURST
  #filledAt = performance.now()
  #gatherTimer: NodeJS.Timeout | undefined
  #tellTimer: NodeJS.Timeout | undefined
  #closed = false

  constructor(context: WorkerContext, instrument: string) {
    this.#context = context
    this.#instrument = instrument
  }

  /** A client came. @param admitted - false: its address is not allowed */
  connection(address: string, admitted: boolean): void {
    this.#tally(address)[admitted ? 'connections' : 'refused'] += 1
  }

  /** An exchange is over. @param beganAt - by the site's clock, as `endedAt` */
  exchange(exchange: ForeignExchange, beganAt: number, endedAt: number): void {
    if (!exchange.changes) {
      this.#tally(exchange.by.replace(/^gateway (.*):\d+$/, '$1')).queries += 1
      return
    }
    const outcome = outcomeFor(exchange)
    // What was under way when the link was given up: nobody comes back to what would be gathered.
    if (this.#closed || this.#mayWrite())
      return this.#write(exchange, exchange.text, outcome, beganAt, endedAt)
    const key = `${exchange.by} ${outcome.outcome} ${outcome.code ?? ''}`
    const known = this.#gathered.get(key)
    if (known) {
      known.last = exchange
      known.count += 1
    } else this.#gathered.set(key, { first: exchange, last: exchange, count: 1, outcome })
    this.#gatherTimer ??= setTimeout(() => this.#writeGathered(), GATHER_MS)
  }

  /** Writes what has been gathered; what comes after that is written at once. */
  close(): void {
    this.#closed = true
    this.#writeGathered()
    this.#tell()
  }

  event(message: string): void {
    this.#context.client
      .event('gateway', this.#instrument, message)
      .catch((error: unknown) => this.#context.log.error({ err: error }, 'event not written'))
  }

  #mayWrite(): boolean {
    const now = performance.now()
    this.#left = Math.min(BURST, this.#left + ((now - this.#filledAt) / 1000) * PER_SECOND)
    this.#filledAt = now
    // While a record is being gathered, what follows belongs behind it.
    if (this.#left < 1 || this.#gathered.size > 0) return false
    this.#left -= 1
    return true
  }

  #writeGathered(): void {
    clearTimeout(this.#gatherTimer)
    this.#gatherTimer = undefined
    const now = this.#context.client.clock.now()
    for (const { first, last, count, outcome } of this.#gathered.values()) {
      const text = count === 1 ? first.text : `${count} messages: ${first.text} … ${last.text}`
      this.#write(first, text, outcome, now - GATHER_MS, now)
    }
    this.#gathered.clear()
  }

  #write({ by }: ForeignExchange, text: string, outcome: Outcome, beganAt: number, endedAt: number): void {
    const { client, log } = this.#context
    const exchange = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
    const done = { id: randomUUID(), instrument: this.#instrument, exchange, by, beganAt, endedAt }
    client
      .record(done, outcome)
      .catch((error: unknown) => log.error({ err: error, by, exchange }, 'the exchange is not in the ledger'))
  }

  #tally(address: string): Tally {
    const key = this.#tallies.has(address) || this.#tallies.size < MAX_ADDRESSES ? address : 'others'
    const tally = this.#tallies.get(key) ?? { connections: 0, refused: 0, queries: 0 }
    this.#tallies.set(key, tally)
    this.#tellTimer ??= setTimeout(() => this.#tell(), TELL_EVERY_MS)
    return tally
  }

  #tell(): void {
    clearTimeout(this.#tellTimer)
    this.#tellTimer = undefined
    for (const [address, { connections, refused, queries }] of this.#tallies) {
      const said = [
        queries > 0 ? `${queries} queries` : '',
        connections > 0 ? `${connections} connections` : '',
        refused > 0 ? `${refused} connections not admitted, its address is not allowed` : '',
      ].filter((part) => part !== '')
      this.event(`gateway ${address}: ${said.join(', ')}`)
    }
    this.#tallies.clear()
  }
}

/** These are about the message; the words of the others already say what was sent where. */
const CODES_WITHOUT_ANSWER: ReadonlySet<ErrorCode> = new Set(['REPLY_TIMEOUT'])

function outcomeFor({ error, sent, answer }: ForeignExchange): Outcome {
  if (error === undefined) {
    return {
      outcome: 'done',
      effect: 'done',
      ...(answer === undefined
        ? { message: 'Sent; it does not acknowledge.' }
        : { result: shown(answer, 100) }),
    }
  }
  const outcome = outcomeOf(asGolemError(error), sent)
  return CODES_WITHOUT_ANSWER.has(error.code)
    ? { ...outcome, message: `No answer: ${error.message}` }
    : outcome
}
