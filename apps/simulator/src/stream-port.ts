import net from 'node:net'
import { listenOn127 } from './listen.ts'
import { Pty } from './pty.ts'

export interface StreamPortOptions {
  /** For messages. */
  name: string
  /** A serial port at this path, or a TCP port on 127.0.0.1 (0: a free one). */
  at: { path: string; baudRate: number } | { tcpPort: number }
  onBytes: (bytes: Buffer) => void
}

/** Where a simulated device is reached by bytes; what it says goes to all who are connected. */
export class StreamPort {
  readonly #options: StreamPortOptions
  readonly #sockets = new Set<net.Socket>()
  #tcpPort: number
  #pty: Pty | null = null
  #server: net.Server | null = null
  #settling: Promise<void> = Promise.resolve()

  constructor(options: StreamPortOptions) {
    this.#options = options
    this.#tcpPort = 'tcpPort' in options.at ? options.at.tcpPort : 0
  }

  get address(): string {
    const { at } = this.#options
    if ('tcpPort' in at) return `tcp://127.0.0.1:${this.#tcpPort}`
    return `serial:${at.path.split('/').map(encodeURIComponent).join('/')}?baud=${at.baudRate}`
  }

  get reachable(): boolean {
    return this.#pty !== null || this.#server !== null
  }

  get connections(): number {
    return this.#sockets.size
  }

  write(bytes: string | Buffer): void {
    const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
    this.#pty?.write(data)
    for (const socket of this.#sockets) if (socket.writable) socket.write(data)
  }

  /**
   * Makes the port appear or vanish; steps follow each other.
   *
   * @returns whether it appeared just now
   * @throws CONFIG_INVALID when the port is taken, or socat is missing
   */
  settle(wanted: boolean): Promise<boolean> {
    const step = this.#settling.then(async () => {
      if (wanted === this.reachable) return false
      if (wanted) await this.#appear()
      else await this.#vanish()
      return wanted
    })
    this.#settling = step.then(
      () => undefined,
      // Told to its caller; the next one tries again.
      () => undefined,
    )
    return step
  }

  async #appear(): Promise<void> {
    const { at, onBytes } = this.#options
    if ('path' in at) this.#pty = await Pty.open(at.path, onBytes)
    else await this.#listen()
  }

  async #vanish(): Promise<void> {
    const pty = this.#pty
    const server = this.#server
    this.#pty = null
    this.#server = null
    await pty?.close()
    for (const socket of this.#sockets) socket.destroy()
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()))
  }

  async #listen(): Promise<void> {
    const { server, port } = await listenOn127(this.#options.name, this.#tcpPort, () =>
      net.createServer({ noDelay: true }, (socket) => this.#accept(socket)),
    )
    this.#server = server
    this.#tcpPort = port
  }

  #accept(socket: net.Socket): void {
    this.#sockets.add(socket)
    // Who listened has gone: the device does not notice.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('data', this.#options.onBytes)
  }
}
