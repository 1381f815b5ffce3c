import { connect } from 'node:net'

/** The device on a wire: it gets bytes and emits bytes. One for all connections of the wire. */
export interface DeviceEnd {
  /** Somebody has connected. */
  connect(line: DeviceLine): DeviceSession
  /** Starts anew, with the settings it has after power-up. */
  reboot?: () => Promise<void> | void
}

/** What a device has of a connection. */
export interface DeviceLine {
  /** Sends what nobody asked for. */
  emit: (bytes: Buffer) => void
  hangUp: () => void
  /** Told of what went wrong in the simulation itself. */
  broken: (error: unknown) => void
}

export interface DeviceSession {
  /** Takes one whole request. @param answer - sends (a piece of) the answer to it, now or later */
  receive(request: Buffer, answer: (bytes: Buffer) => void): void
  /** The client has gone. */
  close(): void
}

/**
 * A device that is a function from request to answer; one request at a time, whatever connection it came by.
 *
 * @param answer - null: it says nothing
 */
export function answererEnd(
  answer: (request: Buffer) => Buffer | null | Promise<Buffer | null>,
  options: Pick<DeviceEnd, 'reboot'> = {},
): DeviceEnd {
  let turn: Promise<void> = Promise.resolve()
  return {
    ...options,
    connect: ({ broken }) => {
      let open = true
      return {
        receive: (request, send) => {
          turn = turn
            .then(async () => {
              const said = await answer(request)
              if (open && said !== null) send(said)
            })
            .catch(broken)
        },
        close: () => void (open = false),
      }
    },
  }
}

/**
 * A device that listens on TCP: each connection of the wire becomes one to it. What comes from it is taken to answer
 * the last request.
 */
export function tcpEnd(host: string, port: number, options: Pick<DeviceEnd, 'reboot'> = {}): DeviceEnd {
  return {
    ...options,
    connect: ({ emit, hangUp }) => {
      const socket = connect({ host, port, noDelay: true })
      let send = emit
      socket.on('data', (bytes) => send(bytes))
      socket.on('error', () => socket.destroy())
      socket.on('close', hangUp)
      return {
        receive: (request, answer) => {
          send = answer
          socket.write(request)
        },
        close: () => socket.destroy(),
      }
    },
  }
}

/** An instrument played by a table of its own, as the models in YAML have one: it also greets, and may talk by itself. */
export interface PlayedInstrument {
  /** Takes bytes as they come. @returns the answers, in their order */
  receive(bytes: Uint8Array): Buffer[]
  /** Power off and on: what was set is gone. */
  reset(): void
  /** What it sends when somebody connects, or null. */
  readonly greeting: Buffer | null
  /** How often it says something by itself, and what comes next; null: it does not. */
  readonly talks: { readonly everyMs: number; next(): Buffer } | null
}

/** A played instrument as the end of a wire. What it says by itself goes to all who are connected. */
export function playedEnd(
  instrument: PlayedInstrument,
): Omit<DeviceEnd, 'reboot'> & { reboot: () => void; close: () => void } {
  const lines = new Set<DeviceLine>()
  const greet = (to: Iterable<DeviceLine>): void => {
    const { greeting } = instrument
    if (greeting) for (const line of to) line.emit(greeting)
  }
  const { talks } = instrument
  const timer =
    talks &&
    setInterval(() => {
      const said = talks.next()
      for (const line of lines) line.emit(said)
    }, talks.everyMs)
  return {
    connect: (line) => {
      lines.add(line)
      setImmediate(() => greet([line]))
      return {
        receive: (request, answer) => {
          for (const said of instrument.receive(request)) answer(said)
        },
        close: () => void lines.delete(line),
      }
    },
    reboot: () => {
      instrument.reset()
      greet(lines)
    },
    close: () => {
      if (timer) clearInterval(timer)
    },
  }
}
