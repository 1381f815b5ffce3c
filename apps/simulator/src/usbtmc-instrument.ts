import { UsbBus } from './usbtmc-bus.ts'

/**
 * What can go wrong on the bus.
 *
 * - `silence`: takes the question and never answers; `late`: only after `ms`
 * - `stall`: the endpoint stalls when the answer is fetched
 * - `wrongTag`, `tooMuch`, `garbage`: an answer with a wrong tag, a longer one than asked for, no header at all
 * - `stuck`: does not become clear, for ever
 */
export interface UsbtmcFault {
  kind: 'silence' | 'late' | 'stall' | 'wrongTag' | 'tooMuch' | 'garbage' | 'stuck'
  /** late, default 1500 */
  ms?: number
  /** Only so many answers (default: all). */
  times?: number
  /** Only answers to messages that match. */
  match?: RegExp
}

export interface UsbtmcOptions {
  /** Where its device file is to appear. */
  path: string
  /** What it says to a message (latin1, without line end); null: nothing, or later with `say`. */
  answer: (message: string) => string | Buffer | null
  /** Ends each answer (default LF; '': only the end-of-message mark tells). */
  terminator?: string
  /** The most data in one transfer, in bytes: longer answers come in pieces (default: as much as is asked for). */
  maxTransfer?: number
  onOpen?: () => void
  onClosed?: () => void
  /** As behind a kernel before 4.20, without most ioctls. */
  oldKernel?: boolean
}

/** What it has seen, for tests. */
export interface UsbtmcCounters {
  clears: number
  aborts: number
  /** Answers that were not fetched before the next message: the host is out of step. */
  interrupted: number
}

const MESSAGE = 1
const REQUEST = 2
const HEADER_BYTES = 12
/** Class requests of USBTMC and its subclass USB488. */
const ABORT_BULK_IN = 3
const CHECK_ABORT = 4
const CLEAR = 5
const CHECK_CLEAR = 6
const READ_STATUS_BYTE = 128
const SUCCESS = 1
const PENDING = 2
const FAILED = 0x80
const MESSAGE_AVAILABLE = 16

/** A USBTMC instrument: messages in, answers out, with the real headers and tags. */
export class UsbtmcInstrument {
  readonly #options: UsbtmcOptions
  readonly #bus: UsbBus
  /** Messages as they came (latin1, without line end), oldest first. */
  readonly messages: string[] = []
  readonly counters: UsbtmcCounters = { clears: 0, aborts: 0, interrupted: 0 }
  #fault: UsbtmcFault | null = null
  #faultsLeft = 0
  #input: Buffer[] = []
  #output: Buffer | null = null
  #spoilt: UsbtmcFault['kind'] | null = null
  #request: { tag: number; length: number } | null = null
  #timer: NodeJS.Timeout | undefined

  constructor(options: UsbtmcOptions) {
    this.#options = options
    this.#bus = new UsbBus(options.path, options.oldKernel ? 'usbtmc,old' : 'usbtmc', {
      onBulk: (transfer) => this.#onBulk(transfer),
      onControl: (request, value) => this.#onControl(request, value),
      ...(options.onOpen ? { onOpen: options.onOpen } : {}),
      ...(options.onClosed ? { onClosed: options.onClosed } : {}),
    })
  }

  /** Plugs it in. */
  static async start(options: UsbtmcOptions): Promise<UsbtmcInstrument> {
    const instrument = new UsbtmcInstrument(options)
    await instrument.replug()
    return instrument
  }

  /** As golem takes it. */
  get address(): string {
    return `usbtmc:${this.#options.path}`
  }

  /** How many programs have it open. */
  get hosts(): number {
    return this.#bus.hosts
  }

  /** Makes it misbehave; null: it behaves again. */
  setFault(fault: UsbtmcFault | null): void {
    this.#fault = fault
    this.#faultsLeft = fault?.times ?? Infinity
  }

  /** Has something to say, to the last message: it waits until it is fetched, or until the next message. */
  say(answer: Buffer): void {
    this.#output = this.#output ? Buffer.concat([this.#output, answer]) : answer
    this.#speak()
  }

  replug(): Promise<void> {
    return this.#bus.plug()
  }

  /** Pulls the cable; it keeps its own power and forgets only what was on its way. */
  async unplug(): Promise<void> {
    this.#forget()
    await this.#bus.unplug()
  }

  close(): Promise<void> {
    return this.unplug()
  }

  #onBulk(transfer: Buffer): void {
    const [kind = 0, tag = 0, inverse = 0] = transfer
    // What has no good header is stalled, as the standard wants it.
    if (transfer.length < HEADER_BYTES || tag === 0 || (tag ^ 0xff) !== inverse) return this.#bus.send('P')
    const length = transfer.readUInt32LE(4)
    if (kind === REQUEST) {
      this.#request = { tag, length }
      return this.#speak()
    }
    if (kind !== MESSAGE || transfer.length !== HEADER_BYTES + Math.ceil(length / 4) * 4) {
      return this.#bus.send('P')
    }
    this.#input.push(transfer.subarray(HEADER_BYTES, HEADER_BYTES + length))
    if (((transfer[8] ?? 0) & 1) === 1) this.#take(Buffer.concat(this.#input.splice(0)).toString('latin1'))
  }

  #take(message: string): void {
    const text = message.replace(/\r?\n$/, '')
    this.messages.push(text)
    if (this.#output) this.counters.interrupted += 1
    clearTimeout(this.#timer)
    this.#output = null
    const answer = this.#options.answer(text)
    if (answer === null) return
    const bytes = typeof answer === 'string' ? Buffer.from(answer, 'latin1') : answer
    const output = Buffer.concat([bytes, Buffer.from(this.#options.terminator ?? '\n', 'latin1')])
    const fault = this.#takeFault(text)
    if (fault?.kind === 'silence') return
    const say = (): void => {
      this.#output = output
      this.#spoilt = fault?.kind ?? null
      this.#speak()
    }
    if (fault?.kind === 'late') this.#timer = setTimeout(say, fault.ms ?? 1500)
    else say()
  }

  #takeFault(message: string): UsbtmcFault | null {
    const fault = this.#fault
    if (!fault || this.#faultsLeft <= 0 || fault.match?.test(message) === false) return null
    this.#faultsLeft -= 1
    return fault
  }

  /** Answers the request for data, as soon as there is something to say. */
  #speak(): void {
    const [output, request] = [this.#output, this.#request]
    if (!output || !request) return
    this.#request = null
    const spoilt = this.#spoilt
    this.#spoilt = null
    if (spoilt === 'stall') return this.#bus.send('P')
    if (spoilt === 'garbage') return this.#bus.send('I', Buffer.from('#####'))
    const most = Math.min(request.length, this.#options.maxTransfer ?? Infinity)
    const size = spoilt === 'tooMuch' ? request.length + 4 : Math.min(most, output.length)
    const piece = Buffer.alloc(size, output.subarray(0, size))
    this.#output = output.length > size ? output.subarray(size) : null
    const tag = spoilt === 'wrongTag' ? (request.tag % 255) + 1 : request.tag
    const header = Buffer.from([REQUEST, tag, tag ^ 0xff, 0, 0, 0, 0, 0, this.#output ? 0 : 1, 0, 0, 0])
    header.writeUInt32LE(piece.length, 4)
    this.#bus.send('I', Buffer.concat([header, piece, Buffer.alloc((4 - (piece.length % 4)) % 4)]))
  }

  #onControl(request: number, value: number): Buffer {
    switch (request) {
      case ABORT_BULK_IN:
        this.counters.aborts += 1
        if (this.#request?.tag !== value) return Buffer.from([FAILED, 0])
        this.#request = null
        return Buffer.from([SUCCESS, value])
      case CHECK_ABORT:
        return Buffer.from([SUCCESS, 0, 0, 0, 0, 0, 0, 0])
      case CLEAR:
        this.counters.clears += 1
        this.#forget()
        return Buffer.from([SUCCESS])
      case CHECK_CLEAR:
        return Buffer.from([this.#fault?.kind === 'stuck' ? PENDING : SUCCESS, 0])
      case READ_STATUS_BYTE:
        return Buffer.from([SUCCESS, value, this.#output ? MESSAGE_AVAILABLE : 0])
      default:
        return Buffer.from([FAILED])
    }
  }

  #forget(): void {
    clearTimeout(this.#timer)
    this.#input = []
    this.#output = null
    this.#request = null
  }
}
