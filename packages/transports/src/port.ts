import type { Address } from '@golem/core'
import { openSerialPort } from './serial-port.ts'
import { openTcpPort } from './tcp-port.ts'

/** An open connection that carries bytes. When it closes, open a new one. */
export interface Port {
  /** Hands bytes to the operating system. @throws when the port is not open any more */
  write(bytes: Buffer): Promise<void>
  readonly isOpen: boolean
  close(): Promise<void>
}

export interface PortEvents {
  onBytes: (bytes: Buffer) => void
  /** Told once when it closes other than by `close`. */
  onLost: (why: string) => void
}

/** How long opening may take, in ms. */
export const OPEN_TIMEOUT_MS = 3000

export type PortAddress = Extract<Address, { kind: 'tcp' | 'serial' }>

/**
 * Opens a serial port (8N1, no flow control, exclusive) or a TCP connection.
 *
 * @param baudRate - of a serial port whose address does not name one
 * @throws what the operating system says
 */
export function openPort(address: PortAddress, baudRate: number, events: PortEvents): Promise<Port> {
  return address.kind === 'tcp'
    ? openTcpPort(address.host, address.port, events)
    : openSerialPort(address.path, address.baudRate ?? baudRate, events)
}
