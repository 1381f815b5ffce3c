import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { DeviceEnd } from '../wire/device-end.ts'
import { isMessage, packetLength } from './packets.ts'

/** A broker in this process, on TCP. */
export interface SimulatedBroker {
  readonly port: number
  /** `mqtt://127.0.0.1:port` */
  readonly address: string
  close(): Promise<void>
}

/** Starts a broker on a free port of 127.0.0.1. It keeps nothing when it is closed. */
export async function startBroker(): Promise<SimulatedBroker> {
  // Loaded when needed: most simulators have no broker.
  const { Aedes } = await import('aedes')
  const broker = await Aedes.createBroker()
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    broker.handle(socket)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    port,
    address: `mqtt://127.0.0.1:${port}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      await new Promise<void>((resolve) => broker.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/**
 * A broker at the end of a wire. Acknowledgements answer what the client has sent; messages come by themselves, each
 * an exchange of its own.
 *
 * @param end - the broker's port at the end of a wire that knows nothing of packets
 */
export function brokerEnd(end: DeviceEnd): DeviceEnd {
  return {
    connect: (line) => {
      let pending: Buffer = Buffer.alloc(0)
      let answer = line.emit
      const take = (bytes: Buffer): void => {
        pending = Buffer.concat([pending, bytes])
        for (;;) {
          const length = pending.length === 0 ? undefined : packetLength(pending)
          if (length === undefined) return
          const packet = Buffer.from(pending.subarray(0, length))
          pending = pending.subarray(length)
          if (isMessage(packet)) line.emit(packet)
          else answer(packet)
        }
      }
      const session = end.connect({ ...line, emit: take })
      return {
        receive: (request, send) => {
          answer = send
          session.receive(request, take)
        },
        close: () => session.close(),
      }
    },
  }
}
