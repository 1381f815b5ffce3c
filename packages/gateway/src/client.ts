import { asGolemError, DEFAULT_VALID_FOR_MS } from '@golem/core'
import type { Socket } from 'node:net'
import type { PortOptions } from './port.ts'

/** So much may wait of what a client has sent, in messages; then it is not read any further. */
const MAX_PENDING = 64
/** A client that takes nothing for so long, although something is there for it, is let go, in ms. */
const STALLED_AFTER_MS = 60_000

export interface ClientOptions<Message> {
  /** `gateway 10.0.0.7:51234` */
  by: string
  socket: Socket
  port: Pick<PortOptions, 'onLog' | 'onWritten' | 'stalledAfterMs'>
  /** Cuts what comes into messages. @throws what says why nothing can be made of it: the connection ends */
  take: (chunk: Buffer) => readonly Message[]
  /** Carries one out, and writes its answer; does not throw. */
  carryOut: (message: Message) => Promise<void>
}

/** The connection of one client: takes its messages and has them carried out, one after the other. */
export class Client<Message> {
  readonly by: string
  readonly #options: ClientOptions<Message>
  readonly #socket: Socket
  readonly #pending: Message[] = []
  #working = false
  #over = false
  /** It has said all it will say; what it has sent is still carried out, until then by the monotonic clock. */
  #until = Infinity

  constructor(options: ClientOptions<Message>) {
    const { by, socket } = options
    this.by = by
    this.#options = options
    this.#socket = socket
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 30_000)
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('end', () => {
      this.#until = performance.now() + DEFAULT_VALID_FOR_MS
      void this.#work()
    })
    socket.on('close', () => {
      this.#over = true
      this.#pending.length = 0
    })
  }

  /** It has gone, or was sent away. */
  get isOver(): boolean {
    return this.#over
  }

  /** What is on its way to it, in bytes. */
  get unread(): number {
    return this.#socket.writableLength
  }

  write(bytes: Buffer): void {
    if (this.#over) return
    this.#socket.write(bytes)
    this.#options.port.onWritten?.()
  }

  /** Ends the connection. @param why - as a sentence, for the log */
  end(why: string): void {
    if (this.#over) return
    this.#over = true
    this.#pending.length = 0
    this.#options.port.onLog(`${this.by} was disconnected: ${why}`)
    this.#socket.destroy()
  }

  /** Throws away what has not been carried out yet. */
  forgetPending(): void {
    this.#pending.length = 0
  }

  #take(chunk: Buffer): void {
    if (this.#over) return
    try {
      this.#pending.push(...this.#options.take(chunk))
    } catch (error) {
      return this.end(asGolemError(error).message)
    }
    if (this.#pending.length > MAX_PENDING) this.#socket.pause()
    void this.#work()
  }

  /** Carries out what waits, one after the other; does not throw. */
  async #work(): Promise<void> {
    if (this.#working) return
    this.#working = true
    for (let message = this.#next(); message !== undefined; message = this.#next()) {
      await this.#options.carryOut(message)
      await this.#taken()
    }
    this.#working = false
    if (this.#until < Infinity && !this.#over) this.#socket.end()
  }

  #next(): Message | undefined {
    if (this.#over) return undefined
    if (performance.now() > this.#until) this.#pending.length = 0
    const next = this.#pending.shift()
    if (this.#pending.length < MAX_PENDING / 2) this.#socket.resume()
    return next
  }

  /** Settles when the client has taken what was written: the next message is not looked at before. */
  #taken(): Promise<void> {
    const socket = this.#socket
    if (this.#over || !socket.writableNeedDrain) return Promise.resolve()
    return new Promise((resolve) => {
      let left = socket.writableLength
      const timer = setInterval(() => {
        if (socket.writableLength >= left) this.end('it takes nothing of what it asked for.')
        left = socket.writableLength
      }, this.#options.port.stalledAfterMs ?? STALLED_AFTER_MS)
      const done = (): void => {
        clearInterval(timer)
        socket.off('drain', done)
        socket.off('close', done)
        resolve()
      }
      socket.on('drain', done)
      socket.on('close', done)
    })
  }
}
