import { connect } from 'node:net'
import { messageOf } from '@golem/core'
import { OPEN_TIMEOUT_MS, type Port, type PortEvents } from './port.ts'

/** How long a connection may be silent before TCP itself asks whether the other end is there, in ms. */
const KEEP_ALIVE_MS = 10_000

/** Connects by TCP. @throws when that does not work within 3 s */
export function openTcpPort(host: string, port: number, events: PortEvents): Promise<Port> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: host.replace(/^\[(.*)\]$/, '$1'),
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      autoSelectFamilyAttemptTimeout: OPEN_TIMEOUT_MS / 2,
    })
    let open = false
    let reason = 'the other end closed the connection'
    const timer = setTimeout(() => {
      socket.destroy(new Error(`no connection within ${OPEN_TIMEOUT_MS} ms`))
    }, OPEN_TIMEOUT_MS)
    socket.on('error', (error) => {
      reason = messageOf(error)
      reject(error)
    })
    // Without allowHalfOpen Node answers the other end's end with its own, then comes `close`.
    socket.on('close', () => {
      clearTimeout(timer)
      const lost = open
      open = false
      if (lost) events.onLost(reason)
      else reject(new Error(reason))
    })
    socket.on('data', events.onBytes)
    socket.on('connect', () => {
      clearTimeout(timer)
      open = true
      resolve({
        get isOpen() {
          return open && socket.writable
        },
        write: (bytes) =>
          new Promise((written, failed) => {
            socket.write(bytes, (error) => (error ? failed(error) : written()))
          }),
        close: () =>
          new Promise((closed) => {
            if (!open) return closed()
            open = false
            socket.once('close', () => closed())
            socket.destroy()
          }),
      })
    })
  })
}
