import { Answer } from './answer.ts'
import type { DeviceEnd, DeviceSession } from './device-end.ts'
import { FaultScript, type WireFault } from './faults.ts'
import type { Requests } from './requests.ts'

/** A request that reached the wire. */
export interface Arrived {
  /** From 1, over all connections. */
  number: number
  /** Equal for equal questions. */
  key: string
  bytes: Buffer
  /** By the monotonic clock, in ms. */
  at: number
  fault: WireFault['kind'] | null
  /** The device (or, with a wrong identity, the other one) got it. */
  passed: boolean
  /** What came back to the client, in bytes. */
  answered: number
}

/** The client's side of one connection, as the wire sees it. */
export interface NearEnd {
  write(bytes: Buffer): void
  /** Ends the connection after what was written. */
  hangUp(): void
}

/** What the client's side tells the wire. */
export interface FarEnd {
  receive(bytes: Buffer): void
  /** The client has gone. */
  close(): void
}

export interface WireOptions {
  device: DeviceEnd
  requests: Requests
  /** Answers in place of the device under `wrongIdentity` (default: nobody does). */
  stranger?: DeviceEnd
  /** How many requests are kept with their content (default 20 000). */
  keep?: number
  /** Told of each request before the device is. */
  onArrived?: (request: Arrived) => void
}

const KEPT = 20_000

/**
 * The wire between a client's own transport and a device, on which things go wrong as a script says. What stands at
 * its near side (a TCP port, a serial port, any stream) is attached connection by connection.
 */
export class FaultyWire {
  readonly #options: WireOptions
  #script = new FaultScript()
  readonly #connections = new Set<Connection>()
  readonly #arrived: Arrived[] = []
  readonly #answers = new Map<string, Buffer>()
  /** What went wrong in the simulation itself. */
  readonly errors: unknown[] = []
  readonly #gates = new Set<(refusing: boolean) => Promise<void>>()
  #count = 0
  #connected = 0

  constructor(options: WireOptions) {
    this.#options = options
  }

  /** Every request so far (of very many the last ones), oldest first. */
  get arrived(): readonly Arrived[] {
    return this.#arrived
  }

  /** How many requests have arrived, and how many connections were made. */
  get counters(): { requests: number; connections: number } {
    return { requests: this.#count, connections: this.#connected }
  }

  /** What `arrived` calls a request. */
  keyOf(request: Buffer): string {
    return this.#options.requests.key(request)
  }

  get refusing(): boolean {
    return this.#script.refuses
  }

  /**
   * The faults from now on; none: all is well again. Connections that are dead stay dead. Resolves when a port
   * really refuses, or is there again.
   *
   * @param seed - of chance and jitter
   * @throws INVALID_REQUEST
   */
  async setFaults(faults: readonly WireFault[], seed = 1): Promise<void> {
    this.#script = new FaultScript(faults, seed)
    const { refuses } = this.#script
    if (refuses) this.hangUp()
    await Promise.all([...this.#gates].map((gate) => gate(refuses)))
  }

  /** Ends all connections, as when the device loses its power or its cable. */
  hangUp(): void {
    for (const connection of this.#connections) connection.hangUp()
  }

  /** A near side is told when it is to refuse connections. Returns the function that takes that back. */
  onRefuse(gate: (refusing: boolean) => Promise<void>): () => void {
    this.#gates.add(gate)
    return () => this.#gates.delete(gate)
  }

  /** Attaches a connection of a client. */
  attach(near: NearEnd): FarEnd {
    this.#connected += 1
    const connection: Connection = new Connection(near, {
      ...this.#options,
      take: (request) => this.#script.take(request),
      random: () => this.#script.random.next(),
      note: (bytes, fault) => this.#note(bytes, fault),
      answers: this.#answers,
      onClosed: () => this.#connections.delete(connection),
      broken: (error) => void this.errors.push(error),
    })
    this.#connections.add(connection)
    return connection
  }

  #note(bytes: Buffer, fault: WireFault['kind'] | null): Arrived {
    this.#count += 1
    const { key } = this.#options.requests
    const entry = {
      number: this.#count,
      key: key(bytes),
      bytes,
      at: performance.now(),
      fault,
      passed: false,
      answered: 0,
    }
    const { keep = KEPT, onArrived } = this.#options
    this.#arrived.push(entry)
    if (this.#arrived.length > keep)
      this.#arrived.splice(0, Math.ceil(keep / 10) + this.#arrived.length - keep)
    onArrived?.(entry)
    return entry
  }
}

interface ConnectionParts extends WireOptions {
  take: (request: Buffer) => WireFault | null
  random: () => number
  note: (bytes: Buffer, fault: WireFault['kind'] | null) => Arrived
  /** How each question was answered last, for `stuck`. */
  answers: Map<string, Buffer>
  onClosed: () => void
  broken: (error: unknown) => void
}

class Connection implements FarEnd {
  readonly #near: NearEnd
  readonly #parts: ConnectionParts
  #device: DeviceSession | undefined
  #stranger: DeviceSession | undefined
  #pending: Buffer = Buffer.alloc(0)
  #current: Answer | undefined
  /** What is sent leaves in the order of the requests it belongs to. */
  #sent: Promise<void> = Promise.resolve()
  #dead = false
  #closed = false
  readonly #over = new AbortController()

  constructor(near: NearEnd, parts: ConnectionParts) {
    this.#near = near
    this.#parts = parts
    this.#device = parts.device.connect({
      emit: (bytes) => this.#byItself(bytes),
      hangUp: () => this.#deviceGone(),
      broken: parts.broken,
    })
  }

  receive(bytes: Buffer): void {
    if (this.#dead || this.#closed) return
    this.#pending = Buffer.concat([this.#pending, bytes])
    while (this.#pending.length > 0) {
      const length = this.#parts.requests.length(this.#pending)
      if (length === undefined) return
      const request = Buffer.from(this.#pending.subarray(0, length))
      this.#pending = this.#pending.subarray(length)
      this.#request(request)
      if (this.#dead || this.#closed) return
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#over.abort()
    this.#device?.close()
    this.#stranger?.close()
    this.#parts.onClosed()
  }

  hangUp(): void {
    if (this.#closed) return
    this.close()
    this.#near.hangUp()
  }

  #request(bytes: Buffer): void {
    const fault = this.#parts.take(bytes)
    const entry = this.#parts.note(bytes, fault?.kind ?? null)
    const answer = this.#begin(entry, fault)
    switch (fault?.kind) {
      case 'drop':
        return
      case 'halfOpen':
        this.#dead = true
        return
      case 'stuck': {
        const said = this.#parts.answers.get(entry.key)
        if (said) answer.take(said)
        return
      }
      case 'reboot':
        Promise.resolve(this.#parts.device.reboot?.()).catch(this.#parts.broken)
        return
      case 'wrongIdentity':
        entry.passed = true
        this.#stranger ??= this.#parts.stranger?.connect({
          emit: (said) => this.#byItself(said),
          hangUp: () => this.hangUp(),
          broken: this.#parts.broken,
        })
        this.#stranger?.receive(bytes, (said) => answer.take(said))
        return
      default:
        entry.passed = true
        this.#device?.receive(bytes, (said) => this.#answered(entry, answer, said))
    }
  }

  #begin(entry: Arrived, fault: WireFault | null): Answer {
    this.#current?.complete()
    const { requests, random, answers, broken } = this.#parts
    const answer = new Answer({
      fault,
      random,
      spoilEnd: requests.spoilEnd,
      packets: requests.packets ?? false,
      inTurn: (send) => {
        this.#sent = this.#sent.then(send).catch(broken)
      },
      signal: this.#over.signal,
      write: (bytes) => {
        if (this.#closed || this.#dead) return
        entry.answered += bytes.length
        this.#near.write(bytes)
      },
      hangUp: () => this.hangUp(),
    })
    if (fault === null && entry.key !== '') answers.set(entry.key, Buffer.alloc(0))
    this.#current = answer
    return answer
  }

  #answered({ key, fault }: Arrived, answer: Answer, bytes: Buffer): void {
    if (this.#closed || this.#dead) return
    const { answers } = this.#parts
    if (fault === null) answers.set(key, Buffer.concat([answers.get(key) ?? Buffer.alloc(0), bytes]))
    answer.take(bytes)
  }

  /** The device speaks by itself: what comes at once is an exchange of its own. */
  #byItself(bytes: Buffer): void {
    if (this.#closed || this.#dead) return
    const nothing = Buffer.alloc(0)
    const fault = this.#parts.take(nothing)
    if (fault?.kind === 'halfOpen') this.#dead = true
    else this.#begin(this.#parts.note(nothing, fault?.kind ?? null), fault).take(bytes)
  }

  /** The device has ended the connection: the client learns of it after what is still under way. */
  #deviceGone(): void {
    if (this.#closed) return
    this.#current?.complete()
    void this.#sent.then(() => this.hangUp())
  }
}
