import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Duplex } from 'node:stream'
import { Pty } from '../pty.ts'
import type { FarEnd, FaultyWire } from './wire.ts'

/** Where clients reach a wire. */
export interface NearSide {
  /** As site.yaml takes it; of a socket file its path. */
  readonly address: string
  close(): Promise<void>
}

/** Attaches a stream that somebody has made: a socket, a pipe. */
export function attachStream(wire: FaultyWire, stream: Duplex): void {
  const far = wire.attach({
    write: (bytes) => void stream.write(bytes),
    // What was written still leaves.
    hangUp: () => void stream.end(() => stream.destroy()),
  })
  stream.on('data', (bytes: Buffer) => far.receive(bytes))
  stream.on('error', () => stream.destroy())
  stream.on('close', () => far.close())
}

/**
 * Lets clients connect by TCP on 127.0.0.1, or by a socket file.
 *
 * @param at - port (0: a free one) or path; default 0
 */
export async function listenOn(wire: FaultyWire, at: number | string = 0): Promise<NearSide> {
  const sockets = new Set<Socket>()
  let place = at
  let server: Server | null = null
  let step: Promise<void> = Promise.resolve()

  const open = async (): Promise<void> => {
    const fresh = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      attachStream(wire, socket)
    })
    await new Promise<void>((resolve, reject) => {
      fresh.once('error', reject)
      if (typeof place === 'string') fresh.listen(place, resolve)
      else fresh.listen(place, '127.0.0.1', resolve)
    })
    const address = fresh.address()
    if (typeof address === 'object' && address) place = address.port
    server = fresh
  }
  const shut = async (): Promise<void> => {
    const old = server
    server = null
    if (!old) return
    const closed = new Promise<void>((resolve) => old.close(() => resolve()))
    for (const socket of sockets) socket.destroy()
    await closed
  }

  await open()
  const forget = wire.onRefuse((refusing) => {
    step = step.then(() => {
      if (refusing) return shut()
      return server ? undefined : open()
    })
    return step
  })
  return {
    get address() {
      return typeof place === 'string' ? place : `tcp://127.0.0.1:${place}`
    },
    close: async () => {
      forget()
      await step
      await shut()
    },
  }
}

/** How long a serial port that was hung up on is away, in ms. */
const REPLUG_MS = 50

/**
 * Lets a client open the wire as a serial port.
 *
 * @param path - where the port is to appear
 * @throws CONFIG_INVALID when socat is missing
 */
export async function serveSerial(wire: FaultyWire, path: string, baudRate: number): Promise<NearSide> {
  let pty: Pty | null = null
  let far: FarEnd | null = null
  let closed = false
  let refusing = false
  let step: Promise<void> = Promise.resolve()

  const plug = async (): Promise<void> => {
    if (pty || closed || refusing) return
    // The wire may emit before the terminal is there; a line nobody listens to loses that.
    const mine = wire.attach({
      write: (bytes) => pty?.write(bytes),
      hangUp: () => void inTurn(replug),
    })
    far = mine
    pty = await Pty.open(path, (bytes) => mine.receive(bytes))
  }
  const unplug = async (): Promise<void> => {
    const old = pty
    pty = null
    far?.close()
    far = null
    await old?.close()
  }
  const replug = async (): Promise<void> => {
    // Time for what was written last to pass through the terminal.
    await sleep(REPLUG_MS)
    await unplug()
    await plug()
  }
  const inTurn = (what: () => Promise<void>): Promise<void> => {
    step = step.then(what)
    return step
  }

  await plug()
  const forget = wire.onRefuse((now) => {
    refusing = now
    return inTurn(now ? unplug : plug)
  })
  return {
    address: `serial:${path.split('/').map(encodeURIComponent).join('/')}?baud=${baudRate}`,
    close: async () => {
      closed = true
      forget()
      await inTurn(unplug)
    },
  }
}
