import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Duplex } from 'node:stream'
import { Pty } from '../pty.ts'
import { UsbBus } from '../usbtmc-bus.ts'
import { UsbtmcInstrument } from '../usbtmc-instrument.ts'
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
    hangUp: () => {
      // What was written still leaves.
      if (stream.writableLength > 0) stream.end(() => stream.destroy())
      else stream.destroy()
    },
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

/** How long something that was hung up on is away, in ms. */
const REPLUG_MS = 50

/** Something with a cable: it is there or not. */
interface Pluggable {
  plug(): Promise<void>
  unplug(): Promise<void>
}

/** Plugs and unplugs as the wire says it, step by step. */
async function keepPlugged(
  wire: FaultyWire,
  make: (hangUp: () => void) => Pluggable,
): Promise<{ close: () => Promise<void> }> {
  let closed = false
  let refusing = false
  let step: Promise<void> = Promise.resolve()
  const inTurn = (what: () => Promise<void>): Promise<void> => {
    step = step.then(what)
    return step
  }
  const plug = async (): Promise<void> => {
    if (!closed && !refusing) await device.plug()
  }
  const replug = async (): Promise<void> => {
    // Time for what was written last to pass.
    await sleep(REPLUG_MS)
    await device.unplug()
    await plug()
  }
  const device = make(() => void inTurn(replug))
  await plug()
  const forget = wire.onRefuse((now) => {
    refusing = now
    return inTurn(now ? () => device.unplug() : plug)
  })
  return {
    close: async () => {
      closed = true
      forget()
      await inTurn(() => device.unplug())
    },
  }
}

/**
 * Lets a client open the wire as a serial port.
 *
 * @param path - where the port is to appear
 * @throws CONFIG_INVALID when socat is missing
 */
export async function serveSerial(wire: FaultyWire, path: string, baudRate: number): Promise<NearSide> {
  let pty: Pty | null = null
  let far: FarEnd | null = null
  const { close } = await keepPlugged(wire, (hangUp) => ({
    plug: async () => {
      if (pty) return
      // The wire may emit before the terminal is there; a line nobody listens to loses that.
      const mine = wire.attach({ write: (bytes) => pty?.write(bytes), hangUp })
      far = mine
      pty = await Pty.open(path, (bytes) => mine.receive(bytes))
    },
    unplug: async () => {
      const old = pty
      pty = null
      far?.close()
      far = null
      await old?.close()
    },
  }))
  return { address: `serial:${pathOf(path)}?baud=${baudRate}`, close }
}

/**
 * Lets a client with the simulated USB drivers (`usb-shim`) open the wire as a HID device.
 *
 * @param path - where its device file is to appear
 */
export async function serveHid(wire: FaultyWire, path: string): Promise<NearSide> {
  let far: FarEnd | null = null
  const leave = (): void => {
    far?.close()
    far = null
  }
  const { close } = await keepPlugged(wire, (hangUp) => {
    const bus: UsbBus = new UsbBus(path, 'hid', {
      onOpen: () => {
        leave()
        far = wire.attach({ write: (report) => bus.send('H', report), hangUp })
      },
      onClosed: leave,
      onReport: (report) => far?.receive(Buffer.from(report)),
    })
    return {
      plug: () => bus.plug(),
      unplug: async () => {
        leave()
        await bus.unplug()
      },
    }
  })
  return { address: `hid:${pathOf(path)}`, close }
}

/**
 * Lets a client with the simulated USB drivers (`usb-shim`) open the wire as a USBTMC instrument.
 *
 * @param path - where its device file is to appear
 * @param terminator - what ends a message of the client, which USBTMC itself does not need
 */
export async function serveUsbtmc(wire: FaultyWire, path: string, terminator: string): Promise<NearSide> {
  let far: FarEnd | null = null
  const leave = (): void => {
    far?.close()
    far = null
  }
  const { close } = await keepPlugged(wire, (hangUp) => {
    const instrument: UsbtmcInstrument = new UsbtmcInstrument({
      path,
      onOpen: () => {
        leave()
        far = wire.attach({ write: (answer) => instrument.say(answer), hangUp })
      },
      onClosed: leave,
      answer: (message) => {
        far?.receive(Buffer.from(`${message}${terminator}`, 'latin1'))
        return null
      },
    })
    return {
      plug: () => instrument.replug(),
      unplug: async () => {
        leave()
        await instrument.unplug()
      },
    }
  })
  return { address: `usbtmc:${pathOf(path)}`, close }
}

function pathOf(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}
