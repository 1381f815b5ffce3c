import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { asGolemError, type CommandRecord } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import type { Stand } from '../kit/stand.ts'

/** One command that nobody else gives: a duty of a channel that is asked for once. */
interface Order {
  lamp: string
  channel: number
  duty: number
  key: string
  record?: CommandRecord
}

/** Statuses after which a client may ask again with the same key: nothing wrong with the request itself. */
const AGAIN = new Set([429, 503])
const PAUSE_MS = 10
/** So that the keys of one load are not those of another. */
let loads = 0

/**
 * Clients that give lamps commands without a pause, two to a lamp, and ask again with the same Idempotency-Key until
 * they know the outcome. Each command asks for another duty, so the lamp's own log tells how often it was sent.
 */
export class LampLoad {
  /** Answers that were no outcome, by their code. */
  readonly refusals = new Map<string, number>()
  readonly #stand: Stand
  readonly #lamps: readonly string[]
  readonly #orders: Order[] = []
  readonly #clients: Promise<void>[] = []
  readonly #name = `load-${loads++}`
  #over = false
  #failed: Error | undefined

  constructor(stand: Stand, lamps: readonly string[]) {
    this.#stand = stand
    this.#lamps = lamps
    for (const lamp of lamps) {
      for (const channels of [[0, 1] as const, [2, 3] as const]) {
        this.#clients.push(
          this.#client(lamp, channels).catch((error: unknown) => {
            this.#failed ??= error instanceof Error ? error : asGolemError(error)
          }),
        )
      }
    }
  }

  get done(): number {
    return this.#orders.filter(({ record }) => record?.outcome === 'done').length
  }

  /** Waits until so many more commands are done. */
  async more(count: number, timeoutMs = 30_000): Promise<void> {
    const wanted = this.done + count
    await eventually(() => this.done >= wanted || this.#failed !== undefined, {
      what: `${count} more commands are done`,
      timeoutMs,
    })
    if (this.#failed !== undefined) throw this.#failed
  }

  /** Lets every client come to the end of its last command, and compares outcomes with what the lamps received. */
  async finish(): Promise<void> {
    this.#over = true
    await Promise.all(this.#clients)
    if (this.#failed !== undefined) throw this.#failed
    for (const lamp of this.#lamps) this.#compare(lamp)
  }

  async #client(lamp: string, channels: readonly [number, number]): Promise<void> {
    for (let n = 0; n < 200 && !this.#over; n++) {
      const channel = channels[n % 2 === 0 ? 0 : 1]
      const order: Order = {
        lamp,
        channel,
        duty: 1 + Math.floor(n / 2),
        key: `${this.#name}-${lamp}-${channel}-${n}`,
      }
      this.#orders.push(order)
      order.record = await this.#insist(order, n)
      await sleep(PAUSE_MS)
    }
  }

  async #insist({ lamp, channel, duty, key }: Order, n: number): Promise<CommandRecord> {
    return eventually(
      async () => {
        const web = n++ % this.#stand.webs.length
        const body = { parameter: `channel${channel}`, value: duty }
        const answer = await this.#stand.command(lamp, body, { key, web, wait: 5 })
        if (answer.status === 200) return answer.body
        if (answer.status === 202) return undefined
        const code = answer.body.code ?? 'none'
        this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1)
        if (!AGAIN.has(answer.status)) this.#failed ??= new Error(JSON.stringify(answer.body))
        await sleep(50)
        return undefined
      },
      { what: `${lamp} channel ${channel} = ${duty} has an outcome`, timeoutMs: 60_000 },
    )
  }

  #compare(lamp: string): void {
    const received = this.#stand.sim
      .device(lamp)
      .requests()
      .filter(({ method }) => method === 'POST')
      .map(({ body }) => JSON.parse(body) as { channel: number; duty: number })
    for (const { channel, duty, record } of this.#orders.filter((order) => order.lamp === lamp)) {
      const times = received.filter((one) => one.channel === channel && one.duty === duty).length
      const what = `${lamp} channel ${channel} = ${duty}: sent ${times} times, ${JSON.stringify(record)}`
      assert.equal(record?.state, 'ended', what)
      if (record.outcome === 'done') assert.equal(times, 1, what)
      else if (record.outcome === 'refused') assert.equal(times, 0, what)
      else assert.ok(times <= 1, what)
    }
    for (let channel = 0; channel < 4; channel++) {
      const duties = received.filter((one) => one.channel === channel).map(({ duty }) => duty)
      assert.deepEqual(
        duties,
        duties.toSorted((a, b) => a - b),
        `${lamp} channel ${channel}: in order`,
      )
    }
  }
}
