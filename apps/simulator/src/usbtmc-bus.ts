import fs from 'node:fs'
import net from 'node:net'

/** What a device gets from the bus. */
export interface BusEvents {
  /** A host has opened it. */
  onOpen?: () => void
  /** No host has it open any more. */
  onClosed?: () => void
  /** A bulk OUT transfer (USBTMC). */
  onBulk?: (transfer: Buffer) => void
  /** A class request; what is returned is its answer. */
  onControl?: (request: number, value: number) => Buffer
  /** An output report (HID). */
  onReport?: (report: Buffer) => void
}

const HEAD_BYTES = 5

/**
 * A USB cable in place of a real one: transfers as frames on a unix socket, whose path stands for the device file. A
 * frame is a letter, a length (u32, little-endian) and the transfer: O bulk out, I bulk in, P stalled, C class
 * request, R its answer, H report; K tells the host first which driver it needs.
 *
 * Pulling the cable closes the socket and removes the path.
 */
export class UsbBus {
  readonly #path: string
  readonly #driver: string
  readonly #events: BusEvents
  readonly #hosts = new Set<net.Socket>()
  #server: net.Server | undefined

  /** @param driver - `usbtmc` or `hid`; `usbtmc,old` for a kernel before 4.20, without most ioctls */
  constructor(path: string, driver: 'usbtmc' | 'usbtmc,old' | 'hid', events: BusEvents) {
    this.#path = path
    this.#driver = driver
    this.#events = events
  }

  get isPlugged(): boolean {
    return this.#server !== undefined
  }

  /** How many programs have it open. */
  get hosts(): number {
    return this.#hosts.size
  }

  async plug(): Promise<void> {
    if (this.#server) return
    const server = net.createServer((host) => this.#onHost(host))
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#path, resolve)
    })
  }

  async unplug(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (!server) return
    for (const host of this.#hosts) host.destroy()
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
    })
    fs.rmSync(this.#path, { force: true })
  }

  /** Sends a transfer to whoever has the device open. */
  send(letter: 'I' | 'P' | 'H', transfer: Buffer = Buffer.alloc(0)): void {
    for (const host of this.#hosts) host.write(frame(letter, transfer))
  }

  #onHost(host: net.Socket): void {
    this.#hosts.add(host)
    host.on('close', () => {
      this.#hosts.delete(host)
      if (this.#hosts.size === 0) this.#events.onClosed?.()
    })
    // A host that is killed in the middle: its end shows as closed.
    host.on('error', () => host.destroy())
    host.write(frame('K', Buffer.from(this.#driver)))
    this.#events.onOpen?.()
    let kept = Buffer.alloc(0)
    host.on('data', (chunk: Buffer) => {
      kept = Buffer.concat([kept, chunk])
      while (kept.length >= HEAD_BYTES) {
        const end = HEAD_BYTES + kept.readUInt32LE(1)
        if (kept.length < end) return
        const letter = String.fromCharCode(kept[0] ?? 0)
        const transfer = kept.subarray(HEAD_BYTES, end)
        kept = kept.subarray(end)
        this.#take(host, letter, transfer)
      }
    })
  }

  #take(host: net.Socket, letter: string, transfer: Buffer): void {
    const { onBulk, onControl, onReport } = this.#events
    if (letter === 'O') onBulk?.(transfer)
    if (letter === 'H') onReport?.(transfer)
    if (letter === 'C' && onControl) {
      host.write(frame('R', onControl(transfer.readUInt8(1), transfer.readUInt16LE(2))))
    }
  }
}

function frame(letter: string, transfer: Buffer): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  head.write(letter, 0, 'latin1')
  head.writeUInt32LE(transfer.length, 1)
  return Buffer.concat([head, transfer])
}
