import { type AskBytesOptions, GolemError, messageOf } from '@golem/core'
import { ByteCollector } from './byte-collector.ts'
import { FrameFraming, type Framing, inWords, LineFraming } from './line-framing.ts'
import type { LineLimits, LineSettings } from './line-settings.ts'
import { openPort, type Port, type PortAddress, type WriteHint } from './port.ts'
import { Silence } from './silence.ts'
import type { Talk } from './turns.ts'

/** How long writing one line may take, in ms: only a blocked port needs that long. */
const WRITE_TIMEOUT_MS = 5000
/** After so many questions in a row without a single byte, a TCP connection is taken to be dead without a word. */
const UNANSWERED = 2
/** Lines that nobody has waited for yet and that are kept for the conversation that runs. */
const MAX_KEPT = 256

export interface WireOptions {
  address: PortAddress
  where: string
  settings: LineSettings
  /** See `LinkOptions.usbDrivers`. */
  usbDrivers?: string | undefined
  /** Asked each time: an instrument more on the line may need more. */
  limits: () => LineLimits
  /** A line that nobody asked for. @returns whether an instrument made something of it */
  onStray: (line: string) => boolean
  onConnection: (up: boolean, message: string) => void
}

interface Waiter {
  accept: (line: string) => boolean
  resolve: (line: string) => void
  reject: (error: unknown) => void
  /** Lines that came and were not accepted, the last few. */
  others: string[]
}

/** The line as such: open, write, wait for a line, wait until it is quiet. Knows nothing of turns and drivers. */
export class LineWire {
  readonly #options: WireOptions
  readonly #framing: Framing
  #port: Port | undefined
  #opening: Promise<void> | undefined
  #down = false
  #waiter: Waiter | undefined
  #collector: ByteCollector | undefined
  #kept: string[] = []
  #keeping = false
  #draining = false
  /** When bytes last came, and when they last came or went. */
  #lastByteAt = -Infinity
  #busyAt = -Infinity
  /** Questions that got no answer since a byte last came. */
  #unanswered = 0
  #ended = false
  /** An answer may still come that nobody waits for: drain before the next question. */
  outOfStep = true
  /** Grows each time the port is opened: what was known of the instruments before is void. */
  generation = 0
  /** Just opened, and nothing has been drained yet. */
  fresh = true

  constructor(options: WireOptions) {
    this.#options = options
    const { receiveFrame, receiveTerminator } = options.settings
    this.#framing = receiveFrame
      ? new FrameFraming(receiveFrame.header, receiveFrame.length, (frame) => this.#onLine(frame))
      : new LineFraming(
          receiveTerminator,
          () => options.limits().maxLineLength,
          (line) => this.#onLine(line),
          (beginning) => this.#onOverflow(beginning),
        )
  }

  get isOpen(): boolean {
    return this.#port?.isOpen ?? false
  }

  /** Opens the port if it is not open. @throws LINK_DOWN */
  async open(): Promise<void> {
    if (this.isOpen) return
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined
    })
    await this.#opening
  }

  /** Throws unfinished pieces away, for a stop, which has no time to drain. */
  listenAnew(): void {
    this.#framing.reset()
  }

  /** Keeps lines that nobody waits for until `release`, for the conversation that now runs. */
  keep(): void {
    this.#keeping = true
  }

  /** Hands kept lines to `onStray`. */
  release(): void {
    this.#keeping = false
    this.forgetKept()
  }

  /** Lines that came before a question can't be its answer: they go to `onStray`. */
  forgetKept(): void {
    for (const line of this.#kept.splice(0)) this.#options.onStray(line)
  }

  /** Waits until the line has been left alone for long enough since the last exchange. */
  async gap(talk: Talk): Promise<void> {
    const left = this.#busyAt + this.#options.limits().gapMs - performance.now()
    if (left > 0) await talk.sleep(left)
  }

  /**
   * Writes one line, terminator added.
   *
   * @param pass - called directly before the bytes go out; when it throws, nothing goes out
   * @throws LINK_DOWN when the port is not open, LINK_LOST when writing failed, and what `pass` throws
   */
  write(line: string, pass: () => void, hint: WriteHint): Promise<void> {
    return this.writeBytes(Buffer.from(line + this.#options.settings.sendTerminator, 'latin1'), pass, hint)
  }

  /** As `write`, bytes as they are. */
  async writeBytes(bytes: Buffer, pass: () => void, hint: WriteHint): Promise<void> {
    const port = this.#port
    const what = (): string => inWords(bytes.toString('latin1', 0, 80))
    if (!port?.isOpen) throw this.#closedError('LINK_DOWN', `${what()} was not sent`)
    pass()
    let timer: NodeJS.Timeout | undefined
    const blocked = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`blocked for ${WRITE_TIMEOUT_MS} ms`)), WRITE_TIMEOUT_MS)
    })
    try {
      await Promise.race([port.write(bytes, hint), blocked])
    } catch (error) {
      await this.close(`writing failed: ${messageOf(error)}`)
      this.#tell(false, `The connection to ${this.#options.where} was lost: writing failed.`)
      throw new GolemError(
        'LINK_LOST',
        `Writing ${what()} to ${this.#options.where} failed: ${messageOf(error)}.`,
        { cause: error },
      )
    } finally {
      clearTimeout(timer)
      this.#busyAt = performance.now()
    }
  }

  /**
   * The next line that is accepted; others go to `onStray`.
   *
   * @param what - what is waited for, for the message: the question, or undefined
   * @param after - the time starts when this is done, e.g. when the question has been written
   * @throws REPLY_TIMEOUT, LINK_LOST (the port closed), REPLY_MALFORMED (a line without end), what `after` throws
   */
  async nextLine(
    question: string | undefined,
    accept: (line: string) => boolean,
    timeoutMs: number,
    talk: Talk,
    after?: () => Promise<void>,
  ): Promise<string> {
    const what = (): string => (question === undefined ? 'a line' : inWords(question))
    if (!this.isOpen) throw this.#closedError('LINK_DOWN', what())
    const others: string[] = []
    let over = false
    let silence: Silence | undefined
    let waiter: Waiter | undefined
    const line = new Promise<string>((resolve, reject) => {
      waiter = { accept, resolve, reject, others }
      this.#waiter = waiter
      for (const kept of this.#kept.splice(0)) this.#onLine(kept)
    })
    const timedOut = async (): Promise<never> => {
      await after?.()
      return new Promise((_resolve, reject) => {
        if (over) return
        silence = new Silence(() => {
          const came = [...others, this.#framing.piece].filter((text) => text !== '').map(inWords)
          reject(
            new GolemError(
              'REPLY_TIMEOUT',
              `${what()} on ${this.#options.where}: no answer within ${timeoutMs} ms${came.length > 0 ? `; what came was ${came.join(', ')}` : ''}.`,
            ),
          )
        })
        silence.watch(timeoutMs)
      })
    }
    try {
      return await talk.orOver(Promise.race([line, timedOut()]))
    } finally {
      over = true
      silence?.stop()
      if (this.#waiter === waiter) this.#waiter = undefined
    }
  }

  /**
   * Sends bytes and gathers the answer as it comes.
   *
   * @throws REPLY_TIMEOUT, LINK_LOST, REPLY_MALFORMED, and what `pass` throws
   */
  async exchangeBytes(
    bytes: Buffer,
    options: AskBytesOptions & { timeoutMs: number; maxBytes: number },
    talk: Talk,
    pass: () => void,
  ): Promise<Uint8Array> {
    const collector = new ByteCollector(options, this.#options.where, (rest) => this.#framing.take(rest))
    const answer = collector.answer()
    // It may fail (the port closes) before it is waited for below.
    answer.catch(() => undefined)
    this.#framing.reset()
    this.#collector = collector
    try {
      await talk.orOver(this.writeBytes(bytes, pass, { reply: true, timeoutMs: options.timeoutMs }))
      collector.startClock()
      return await talk.orOver(answer)
    } finally {
      collector.stop()
      if (this.#collector === collector) this.#collector = undefined
    }
  }

  /**
   * Throws away what comes until the line has been quiet for `quietMs`.
   *
   * @returns false when it did not become quiet within five times that, at least 1 s
   */
  async drain(talk: Talk): Promise<boolean> {
    const { quietMs } = this.#options.limits()
    const startedAt = performance.now()
    const giveUpAt = startedAt + Math.max(1000, 5 * quietMs)
    this.#kept = []
    this.#draining = true
    let quiet = false
    try {
      for (;;) {
        const now = performance.now()
        const quietFor = now - Math.max(startedAt, this.#lastByteAt)
        quiet = quietFor >= quietMs
        if (quiet || now >= giveUpAt) break
        await talk.sleep(quietMs - quietFor)
      }
    } finally {
      this.#draining = false
      this.fresh = false
      if (quiet) this.#framing.reset()
      else if (this.#framing.piece !== '') this.#framing.skipToNext()
    }
    if (quiet) this.outOfStep = false
    return quiet
  }

  /** Closes the port; whoever waits for a line gets LINK_LOST. */
  async close(why: string): Promise<void> {
    const port = this.#port
    this.#port = undefined
    this.#onClosed(why)
    await port?.close()
  }

  /** When something came last, by the monotonic clock. */
  get lastByteAt(): number {
    return this.#lastByteAt
  }

  /**
   * A question got no answer in time. When nothing at all comes any more on a TCP connection, the other end may have
   * gone without a word (TCP itself notices that after a quarter of an hour): the next conversation makes a new one.
   */
  async noteUnanswered(): Promise<void> {
    this.#unanswered += 1
    if (this.#options.address.kind !== 'tcp' || this.#unanswered < UNANSWERED) return
    await this.close('nothing comes on this connection any more')
  }

  /** Closes the port for good. */
  async end(): Promise<void> {
    this.#ended = true
    // A port that is being opened just now is closed there.
    await this.#opening?.catch(() => undefined)
    await this.close('the link was closed')
  }

  async #open(): Promise<void> {
    const { address, where, settings, usbDrivers } = this.#options
    let current: Port | undefined
    try {
      current = await openPort(
        address,
        { ...settings, usbDrivers },
        {
          onBytes: (bytes) => {
            // Bytes of a port that has been given up belong to nobody.
            if (current !== undefined && this.#port !== current) return
            this.#lastByteAt = this.#busyAt = performance.now()
            this.#unanswered = 0
            if (this.#collector) this.#collector.take(bytes)
            else this.#framing.take(bytes)
          },
          onLost: (why) => {
            if (this.#port !== current) return
            this.#port = undefined
            this.#onClosed(why)
            this.#tell(false, `The connection to ${where} was lost: ${why}.`)
          },
        },
      )
    } catch (error) {
      this.#tell(false, `${where} can't be opened: ${messageOf(error)}.`)
      throw new GolemError('LINK_DOWN', `${where} can't be opened: ${messageOf(error)}.`, { cause: error })
    }
    if (this.#ended) {
      await current.close()
      throw this.#closedError('LINK_DOWN', 'the link was closed')
    }
    this.#port = current
    this.#framing.reset()
    this.#unanswered = 0
    this.outOfStep = true
    this.fresh = true
    this.generation += 1
    this.#tell(true, `The connection to ${where} is back.`)
  }

  #onClosed(why: string): void {
    this.#framing.reset()
    this.outOfStep = true
    this.#kept = []
    this.#collector?.fail(this.#closedError('LINK_LOST', why))
    this.#waiter?.reject(this.#closedError('LINK_LOST', why))
    this.#waiter = undefined
  }

  /** @returns false when nobody made anything of it: a frame of that kind may have begun in the wrong place */
  #onLine(line: string): boolean {
    if (this.#draining) return false
    const waiter = this.#waiter
    if (!waiter) {
      if (!this.#keeping) return this.#options.onStray(line)
      this.#kept.push(line)
      if (this.#kept.length > MAX_KEPT) this.#options.onStray(this.#kept.shift() ?? '')
      return true
    }
    let accepted: boolean
    try {
      accepted = waiter.accept(line)
    } catch (error) {
      this.#waiter = undefined
      waiter.reject(error)
      return true
    }
    if (accepted) {
      this.#waiter = undefined
      waiter.resolve(line)
      return true
    }
    waiter.others.push(line)
    if (waiter.others.length > 3) waiter.others.shift()
    return this.#options.onStray(line)
  }

  /** A line too long while nobody waits is noise: what comes after its end is taken again. */
  #onOverflow(beginning: string): void {
    const waiter = this.#waiter
    if (!waiter || this.#draining) return
    this.outOfStep = true
    this.#waiter = undefined
    waiter.reject(
      new GolemError(
        'REPLY_MALFORMED',
        `More than ${this.#options.limits().maxLineLength} characters came from ${this.#options.where} without a line end; they began with ${inWords(beginning)}.`,
      ),
    )
  }

  #closedError(code: 'LINK_DOWN' | 'LINK_LOST', what: string): GolemError {
    return new GolemError(code, `${this.#options.where} is not open: ${what}.`)
  }

  #tell(up: boolean, message: string): void {
    if (up !== this.#down) return
    this.#down = !up
    this.#options.onConnection(up, message)
  }
}
