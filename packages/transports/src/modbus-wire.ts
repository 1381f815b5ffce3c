import { asGolemError, GolemError, type ModbusAddress, messageOf, type SerialSettings } from '@golem/core'
import { type Awaited, type Found, type ModbusFraming, RtuFraming, TcpFraming } from './modbus-framing.ts'
import { exceptionError } from './modbus-pdu.ts'
import { openPort, type Port } from './port.ts'
import type { Talk } from './turns.ts'

/** How long handing one request to the operating system may take, in ms: only a blocked connection needs that long. */
const WRITE_TIMEOUT_MS = 5000
/** How long a line that is never quiet is listened to before a request, in ms. */
const RESTLESS_MS = 1000
/** How long units get to carry out what was sent to all of them, in ms (Modbus over serial line 1.02: 100 to 200). */
const BROADCAST_MS = 150
/** How long a stop waits for an answer that is under way: on two wires, speaking into it would lose both. In ms. */
const STOP_WAIT_MS = 100
/** A connection from which nothing has come for so long, in spite of some requests, is made anew. In ms. */
const DEAF_MS = 1000
const DEAF_REQUESTS = 3
/** How long the answer to another master's request is waited for, in ms. */
const OTHERS_MS = 500
/** That there is another master is told so often at most, in ms. */
const TELL_OTHERS_MS = 60_000

export interface ModbusWireOptions {
  place: ModbusAddress['place']
  framing: ModbusAddress['framing']
  /** The place's name, for messages. */
  where: string
  /** Of a serial line; those of the address count. */
  settings: SerialSettings
  onConnection: (up: boolean, message: string) => void
}

export interface ExchangeOptions extends Awaited {
  /** The instrument's name, for messages. */
  where: string
  /** From the last byte of the request, without the time the line itself takes. */
  timeoutMs: number
  talk: Talk
  /** Called directly before the bytes go out; when it throws, nothing goes out. */
  pass: () => void
}

interface Waiter {
  resolve: (found: Found) => void
  reject: (error: unknown) => void
}

/** A line with Modbus units, or the connection to them: one request at a time. Knows nothing of turns and drivers. */
export class ModbusWire {
  readonly #options: ModbusWireOptions
  readonly #characterMs: number
  #framing: ModbusFraming
  #port: Port | undefined
  #opening: Promise<void> | undefined
  #down = false
  #ended = false
  #waiter: Waiter | undefined
  #lastByteAt = -Infinity
  /** Not before that a request may go out. */
  #freeAt = -Infinity
  /** When a request was given up whose answer may still come. */
  #givenUpAt = -Infinity
  /** Until when a unit may still answer a request that was given up; RTU can't tell that from the next answer. */
  readonly #owed = new Map<number, number>()
  #lateUnit: number | undefined
  /** Until when the answer to another master's request may come. */
  #othersUntil = -Infinity
  #othersToldAt = -Infinity
  #unanswered = 0
  /** Grows each time the port is opened: what was known of the instruments before is void. */
  generation = 0
  /** The least time between an answer and the next request, in ms. */
  gapMs = 0

  constructor(options: ModbusWireOptions) {
    this.#options = options
    const { place, settings } = options
    // Start, eight bits, parity or a second stop bit, stop.
    const baudRate = { ...settings, ...place }.baudRate ?? 9600
    this.#characterMs = place.kind === 'serial' ? 11_000 / baudRate : 0
    this.#framing = this.#newFraming()
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

  /**
   * Sends a request and returns its answer, without unit and frame. To all units (RTU, unit 0) nothing answers.
   *
   * @throws LINK_DOWN, LINK_LOST, REPLY_TIMEOUT, REPLY_MALFORMED; INSTRUMENT_REFUSED and others for an exception;
   *   what `pass` throws
   */
  async exchange(options: ExchangeOptions): Promise<Buffer> {
    const { unit, request, where, talk, pass } = options
    const broadcast = unit === 0 && this.#options.framing === 'rtu'
    if (broadcast && !request.writes) {
      throw new GolemError(
        'CONFIG_INVALID',
        `${where}: unit 0 is all units at once, and none of them answers.`,
      )
    }
    await this.#untilFree(unit, talk)
    // What a stop has interrupted may have taken the connection with it just now.
    if (talk.priority === 'stop' && !this.isOpen) await talk.orOver(this.open())
    const port = this.#port
    if (!port?.isOpen) {
      throw new GolemError('LINK_DOWN', `${this.#options.where} is not open: ${request.what} was not sent.`)
    }
    const bytes = this.#framing.encode({ unit, request })
    this.#lateUnit = undefined
    const answer = new Promise<Found>((resolve, reject) => (this.#waiter = { resolve, reject }))
    // It may fail (the port closes) before it is waited for below.
    answer.catch(() => undefined)
    const waiter = this.#waiter
    let found: Found
    let out = false
    try {
      pass()
      out = true
      await talk.orOver(this.#write(port, bytes, request.what))
      if (broadcast) {
        this.#freeAt = performance.now() + BROADCAST_MS
        found = { pdu: Buffer.alloc(0) }
      } else found = await this.#answer(answer, bytes.length, options)
    } catch (error) {
      if (this.#waiter === waiter) this.#waiter = undefined
      if (out) this.#noteEnd(error, options)
      else this.#framing.forget()
      throw error
    }
    if (this.#waiter === waiter) this.#waiter = undefined
    this.#framing.forget()
    this.#mindOthers()
    this.#unanswered = 0
    if ('exception' in found) throw exceptionError(where, request, found.exception)
    return found.pdu
  }

  /** Closes the port; whoever waits for an answer gets LINK_LOST. */
  async close(why: string): Promise<void> {
    const port = this.#port
    this.#port = undefined
    this.#onClosed(why)
    await port?.close()
  }

  /** Closes the port for good. */
  async end(): Promise<void> {
    this.#ended = true
    // A port that is being opened just now is closed there.
    await this.#opening?.catch(() => undefined)
    await this.close('the link was closed')
  }

  #newFraming(): ModbusFraming {
    return this.#options.framing === 'rtu' ? new RtuFraming() : new TcpFraming(this.#options.where)
  }

  async #write(port: Port, bytes: Buffer, what: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const blocked = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`blocked for ${WRITE_TIMEOUT_MS} ms`)), WRITE_TIMEOUT_MS)
    })
    try {
      await Promise.race([port.write(bytes, { reply: true }), blocked])
    } catch (error) {
      const why = `writing failed: ${messageOf(error)}`
      await this.close(why)
      this.#tell(false, `The connection to ${this.#options.where} was lost: ${why}.`)
      throw new GolemError('LINK_LOST', `${this.#options.where}, ${what}: ${why}.`, { cause: error })
    } finally {
      clearTimeout(timer)
    }
  }

  async #answer(answer: Promise<Found>, requestBytes: number, options: ExchangeOptions): Promise<Found> {
    const { request, where, timeoutMs, talk } = options
    // What the operating system has taken has yet to go over the line, and so has the answer.
    const onTheLine = this.#characterMs * (requestBytes + request.answerBytes + 3)
    let timer: NodeJS.Timeout | undefined
    const timedOut = new Promise<Found>((resolve, reject) => {
      timer = setTimeout(() => {
        try {
          const single = this.#framing instanceof RtuFraming ? this.#framing.single() : undefined
          if (single) return resolve(single)
        } catch (error) {
          return reject(asGolemError(error))
        }
        const came = this.#framing.inVain
        reject(
          new GolemError(
            'REPLY_TIMEOUT',
            `${where}, ${request.what}: no answer within ${timeoutMs} ms${came === '' ? '' : `; what came was ${came}`}.`,
          ),
        )
      }, timeoutMs + onTheLine)
    })
    try {
      return await talk.orOver(Promise.race([answer, timedOut]))
    } finally {
      clearTimeout(timer)
    }
  }

  /** What the end of a request without an answer means for the next one. */
  #noteEnd(error: unknown, { unit, timeoutMs }: ExchangeOptions): void {
    const code = error instanceof GolemError ? error.code : 'INTERNAL'
    if (code === 'LINK_LOST') return
    // What the framing still awaits then is the late answer.
    const now = performance.now()
    this.#givenUpAt = now
    if (this.#options.framing === 'rtu') {
      this.#lateUnit = unit
      this.#owed.set(unit, now + timeoutMs)
    }
    if (code !== 'REPLY_TIMEOUT') return
    this.#unanswered += 1
    const deaf = this.#unanswered >= DEAF_REQUESTS && now - this.#lastByteAt > DEAF_MS
    if (!deaf || this.#options.place.kind !== 'tcp') return
    this.#unanswered = 0
    // Nothing of the other end may be there any more; whether it is shows when it is connected to again.
    this.close('nothing came from it').catch((failure: unknown) => {
      this.#tell(false, `${this.#options.where} can't be closed: ${messageOf(failure)}.`)
    })
  }

  /** Waits until the line is quiet, and no late answer can be taken for the next one. */
  async #untilFree(unit: number, talk: Talk): Promise<void> {
    talk.throwIfOver()
    // Frames are told apart by a silence of three and a half characters, above 19200 baud of 1.75 ms.
    const silence = this.#characterMs === 0 ? 0 : Math.max(3.5 * this.#characterMs, 1.75)
    const gap = Math.max(this.gapMs, silence)
    if (talk.priority === 'stop') return this.#untilStopMayGo(gap, talk)
    const owedUntil = this.#owed.get(unit)
    if (owedUntil !== undefined) {
      await this.#sleepUntil(owedUntil, talk)
      this.#owed.delete(unit)
    }
    const giveUpAt = performance.now() + RESTLESS_MS + gap
    for (;;) {
      const free = Math.max(this.#freeAt, this.#lastByteAt + gap, this.#othersUntil)
      const now = performance.now()
      if (now >= free) return
      if (this.#options.framing === 'rtu' && free > giveUpAt) {
        const why = now < this.#othersUntil ? 'another master talks on it' : 'it does not become quiet'
        throw new GolemError('LINK_DOWN', `${this.#options.where}: ${why}. Nothing was sent.`)
      }
      await this.#sleepUntil(free, talk)
    }
  }

  async #untilStopMayGo(gap: number, talk: Talk): Promise<void> {
    if (this.#options.framing !== 'rtu') return
    // What it interrupts has to have come to its end first.
    await talk.sleep(0)
    const until = this.#givenUpAt + STOP_WAIT_MS
    while (performance.now() < until && this.#lastByteAt < this.#givenUpAt) {
      await talk.sleep(Math.min(5, STOP_WAIT_MS))
    }
    await this.#sleepUntil(Math.min(this.#lastByteAt + gap, performance.now() + gap), talk)
  }

  async #sleepUntil(at: number, talk: Talk): Promise<void> {
    const ms = at - performance.now()
    if (ms > 0) await talk.sleep(ms)
  }

  async #open(): Promise<void> {
    const { place, where, settings } = this.#options
    let current: Port | undefined
    try {
      current = await openPort(place, settings, {
        onBytes: (bytes) => {
          // Bytes of a port that has been given up belong to nobody.
          if (current === undefined || this.#port === current) this.#take(bytes)
        },
        onLost: (why) => {
          if (this.#port !== current) return
          this.#port = undefined
          this.#onClosed(why)
          this.#tell(false, `The connection to ${where} was lost: ${why}.`)
        },
      })
    } catch (error) {
      this.#tell(false, `${where} can't be opened: ${messageOf(error)}.`)
      throw new GolemError('LINK_DOWN', `${where} can't be opened: ${messageOf(error)}.`, { cause: error })
    }
    if (this.#ended) {
      await current.close()
      throw new GolemError('LINK_DOWN', `${where} is not open: the link was closed.`)
    }
    this.#port = current
    this.#framing = this.#newFraming()
    this.#unanswered = 0
    this.generation += 1
    this.#tell(true, `The connection to ${where} is back.`)
  }

  #take(bytes: Buffer): void {
    this.#lastByteAt = performance.now()
    let found: Found | undefined
    try {
      found = this.#framing.take(bytes)
    } catch (error) {
      this.#waiter?.reject(error)
      // On a line each frame is found by its form. Elsewhere where the next one begins nobody knows.
      if (this.#options.framing === 'rtu') return
      this.close('what came from it was no answer').catch((failure: unknown) => {
        this.#tell(false, `${this.#options.where} can't be closed: ${messageOf(failure)}.`)
      })
      return
    }
    if (!found) {
      if (this.#waiter || this.#lateUnit !== undefined) return
      this.#framing.overhear(bytes)
      this.#mindOthers()
      return
    }
    if (this.#waiter) return this.#waiter.resolve(found)
    if (this.#lateUnit !== undefined) this.#owed.delete(this.#lateUnit)
    this.#lateUnit = undefined
    this.#framing.forget()
  }

  /** Somebody else's request is left the time for its answer. */
  #mindOthers(): void {
    const waits = this.#framing.othersWait
    const now = performance.now()
    this.#othersUntil = waits ? now + OTHERS_MS : -Infinity
    if (!waits || now - this.#othersToldAt < TELL_OTHERS_MS) return
    this.#othersToldAt = now
    this.#options.onConnection(
      true,
      `Another master talks on ${this.#options.where}. Modbus allows for one master on a line.`,
    )
  }

  #onClosed(why: string): void {
    this.#owed.clear()
    this.#waiter?.reject(
      new GolemError('LINK_LOST', `The connection to ${this.#options.where} was lost: ${why}.`),
    )
    this.#waiter = undefined
    this.#framing.forget()
  }

  #tell(up: boolean, message: string): void {
    if (up !== this.#down) return
    this.#down = !up
    this.#options.onConnection(up, message)
  }
}
