import { setTimeout as sleep } from 'node:timers/promises'
import { DEFAULT_GARBAGE, msOf, type WireFault } from './faults.ts'

/** An answer is taken to be whole when nothing more of it has come for so long, in ms. */
const GATHER_MS = 20

/** These need the whole answer; the others pass it on as it comes. */
const WHOLE: ReadonlySet<WireFault['kind']> = new Set(['duplicate', 'cut', 'garbage', 'terminator'])
/** Under these nothing of the answer reaches the client. */
const NOTHING: ReadonlySet<WireFault['kind']> = new Set(['silence', 'drop', 'halfOpen', 'reboot'])

export interface AnswerOptions {
  fault: WireFault | null
  random: () => number
  spoilEnd: (answer: Buffer) => Buffer
  /** It goes out in packets, which are whole. */
  packets: boolean
  /** Runs what sends a piece, when everything before it on this connection has been sent. */
  inTurn: (send: () => Promise<void>) => void
  /** The connection has ended. */
  signal: AbortSignal
  write: (bytes: Buffer) => void
  hangUp: () => void
}

/** One answer on its way to the client, with what a fault makes of it. */
export class Answer {
  readonly #options: AnswerOptions
  #gathered: Buffer[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(options: AnswerOptions) {
    this.#options = options
  }

  /** More of it has come from the device. */
  take(bytes: Buffer): void {
    const { fault } = this.#options
    if (fault && NOTHING.has(fault.kind)) return
    if (!fault || !WHOLE.has(fault.kind)) {
      this.#send(bytes)
      return
    }
    this.#gathered.push(bytes)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.complete(), GATHER_MS)
  }

  /** It is whole, so far as can be known. */
  complete(): void {
    clearTimeout(this.#timer)
    if (this.#gathered.length === 0) return
    const whole = Buffer.concat(this.#gathered.splice(0))
    this.#send(whole)
  }

  #send(bytes: Buffer): void {
    const { fault } = this.#options
    const late = fault?.kind === 'delay' || fault?.kind === 'late'
    // Counted from here: several that are late overtake nobody, but are not late by each other's delays.
    const dueAt = performance.now() + (late ? msOf(fault) : 0)
    this.#options.inTurn(async () => {
      if (this.#options.signal.aborted) return
      try {
        if (late) await this.#pause(Math.max(0, dueAt - performance.now()))
        await this.#deliver(bytes)
      } catch (error) {
        // The client has gone in the middle of a pause.
        if (!this.#options.signal.aborted) throw error
      }
    })
  }

  async #deliver(bytes: Buffer): Promise<void> {
    const { fault, write, hangUp, random, spoilEnd, packets } = this.#options
    if (!fault) return write(bytes)
    const garbage = Buffer.from(fault.bytes ?? DEFAULT_GARBAGE, 'latin1')
    const half = Math.ceil(bytes.length / 2)
    const send = (...parts: Buffer[]): void => {
      for (const part of packets ? parts : [Buffer.concat(parts)]) write(part)
    }
    switch (fault.kind) {
      case 'jitter':
        for (const piece of packets ? [bytes] : [bytes.subarray(0, half), bytes.subarray(half)]) {
          await this.#pause(random() * msOf(fault))
          if (piece.length > 0) write(piece)
        }
        return
      case 'drip': {
        // By the clock, not by pauses: on a busy machine those are longer than they should be.
        const begunAt = performance.now()
        for (const [index] of bytes.entries()) {
          write(bytes.subarray(index, index + 1))
          const ms = begunAt + (index + 1) * msOf(fault) - performance.now()
          if (ms > 0) await this.#pause(ms)
        }
        return
      }
      case 'duplicate':
        return send(bytes, bytes)
      case 'cut':
        write(bytes.subarray(0, half))
        return hangUp()
      case 'garbage':
        if (fault.where === 'instead') return write(garbage)
        if (fault.where !== 'inside') return send(garbage, bytes)
        // A packet does not grow: what was in the middle is gone.
        return write(packets ? overwritten(bytes, garbage) : withInside(bytes, half, garbage))
      case 'terminator':
        return write((fault.spoil ?? spoilEnd)(bytes))
      default:
        return write(bytes)
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#options.signal })
  }
}

function withInside(bytes: Buffer, at: number, strange: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), strange, bytes.subarray(at)])
}

/** From the first bytes on, where a packet says what it is. */
function overwritten(bytes: Buffer, strange: Buffer): Buffer {
  const spoilt = Buffer.from(bytes)
  strange.copy(spoilt, 1)
  return spoilt
}
