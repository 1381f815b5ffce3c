import { read } from 'node:fs'
import { promisify } from 'node:util'
import { messageOf, type SerialSettings } from '@golem/core'
import type { SerialPort } from 'serialport'
import type { Port, PortEvents } from './port.ts'

/**
 * Opens a serial port exclusively: a second opener anywhere on the machine is refused. The operating system switches
 * the wires DTR and RTS on when a port is opened, before anybody can say otherwise, and off when it is closed; boards
 * that reset on DTR reset then. Who does not want that takes the flag off the port (`stty -F PORT -hupcl`), and golem
 * leaves it off.
 *
 * @param path - as in /dev; by-id names stay the same when the adapter is plugged in again
 * @param settings - what is absent: 9600 8N1 without flow control
 */
export async function openSerialPort(
  path: string,
  settings: SerialSettings,
  events: PortEvents,
): Promise<Port> {
  // Loaded when needed: processes without serial instruments do without the native part.
  const { SerialPort } = await import('serialport')
  const port = new SerialPort({ path, ...optionsOf(settings), autoOpen: false, lock: true })
  let closing = false
  let reason = 'it was closed'
  port.on('error', (error) => {
    reason = messageOf(error)
    if (port.isOpen) port.close()
  })
  await new Promise<void>((resolve, reject) => {
    port.open((error) => (error ? reject(error) : resolve()))
  })
  await setWires(port, settings)
  keepReceiving(port)
  noticeTheEnd(port)
  port.on('data', events.onBytes)
  port.on('close', (error: Error | null) => {
    if (!closing) events.onLost(error ? messageOf(error) : reason)
  })
  return {
    get isOpen() {
      return port.isOpen
    },
    write: (bytes) =>
      new Promise((written, failed) => {
        // serialport would keep the bytes for when the port is open again.
        if (!port.isOpen) return failed(new Error('the port is not open'))
        port.write(bytes, (error) => (error ? failed(error) : written()))
      }),
    close: () =>
      new Promise((closed) => {
        closing = true
        if (!port.isOpen) return closed()
        // An error here means that it is closed already, which is what is wanted.
        port.close(() => closed())
      }),
  }
}

type OpenOptions = Pick<
  ConstructorParameters<typeof SerialPort>[0],
  'baudRate' | 'dataBits' | 'parity' | 'stopBits' | 'rtscts' | 'xon' | 'xoff' | 'hupcl'
>

/** @throws when serialport can't set a line so on Linux (serialport 13.0.0, bindings-cpp serialport_unix.cpp) */
function optionsOf(settings: SerialSettings): OpenOptions {
  const { baudRate = 9600, dataBits = 8, parity = 'none', stopBits = 1, flowControl = 'none' } = settings
  if (parity === 'mark' || parity === 'space' || stopBits === 1.5) {
    throw new Error('parity mark and space, and 1.5 stop bits, can not be set here')
  }
  const software = flowControl === 'xonxoff'
  return {
    baudRate,
    dataBits,
    parity,
    stopBits,
    rtscts: flowControl === 'rtscts',
    xon: software,
    xoff: software,
    // false leaves the flag as it is, which on Linux is on.
    hupcl: false,
  }
}

/** Sets DTR and RTS where the settings name them. @throws when the port has no such wires; it is closed then */
async function setWires(port: SerialPort, { dtr, rts }: SerialSettings): Promise<void> {
  if (dtr === undefined && rts === undefined) return
  try {
    await new Promise<void>((resolve, reject) => {
      // What is not named goes on: serialport sets all of them at once.
      port.set({ dtr: dtr ?? true, rts: rts ?? true }, (error) => (error ? reject(error) : resolve()))
    })
  } catch (error) {
    await new Promise<void>((closed) => port.close(() => closed()))
    throw new Error(`DTR and RTS can't be set: ${messageOf(error)}`, { cause: error })
  }
}

/**
 * From Node 26.4 on, promise continuations are not run after an event of serialport's native poller, so
 * received bytes stay unseen. An empty immediate makes the loop run them. Source: serialport 13.0.0 and
 * 13.0.1 with Node 26.10 (2026-11-20); the tests with PTYs fail there without this. Drop it when fixed.
 */
function keepReceiving(port: SerialPort): void {
  const binding = port.port
  if (!binding || !('poller' in binding)) return
  for (const event of ['readable', 'writable', 'disconnect'] as const) {
    binding.poller.on(event, () => setImmediate(() => undefined))
  }
}

const readBytes = promisify(read)

/**
 * Reading 0 bytes means that the device is gone. serialport 13.0.0 reads again at once instead, for ever: the
 * process stays at full load until its memory is used up, and nobody hears of the loss. So the reading of its
 * binding is replaced. Source: serialport/bindings-cpp issue 162; seen with a PTY here (2026-11-21).
 */
function noticeTheEnd(port: SerialPort): void {
  const binding = port.port
  if (!binding || !('poller' in binding)) return
  const whileOpen = (): number => {
    if (binding.fd === null) throw Object.assign(new Error('the port is closed'), { canceled: true })
    return binding.fd
  }
  const readable = (): Promise<void> =>
    new Promise((resolve, reject) => {
      // The port may have been closed since the read began; a poller that is used after that ends the process.
      whileOpen()
      binding.poller.once('readable', (error: Error | null) => (error ? reject(error) : resolve()))
    })
  binding.read = async (buffer, offset, length) => {
    for (;;) {
      try {
        const { bytesRead } = await readBytes(whileOpen(), buffer, offset, length, null)
        if (bytesRead > 0) return { buffer, bytesRead }
      } catch (error) {
        if (!isAgain(error)) throw error
        await readable()
        continue
      }
      throw new Error('the device is gone')
    }
  }
}

/** Nothing to read just now. */
function isAgain(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['EAGAIN', 'EINTR'].includes(String(error.code))
}
