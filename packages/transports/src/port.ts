import type { Address, SerialSettings } from '@golem/core'
import { openSerialPort } from './serial-port.ts'
import { openTcpPort } from './tcp-port.ts'

/** An open connection that carries bytes. When it closes, open a new one. */
export interface Port {
  /**
   * Hands bytes to the operating system, before the first await.
   *
   * @param hint - is an answer to them expected? (USBTMC instruments speak only when they are asked to)
   * @throws when the port is not open any more
   */
  write(bytes: Buffer, hint: { reply: boolean }): Promise<void>
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

export type PortAddress = Extract<Address, { kind: 'tcp' | 'serial' | 'usbtmc' }>

/**
 * Opens a serial port (exclusively), a TCP connection or a USBTMC instrument.
 *
 * @param settings - of a serial port, where its address does not say otherwise
 * @throws what the operating system says
 */
export async function openPort(
  address: PortAddress,
  settings: SerialSettings,
  events: PortEvents,
): Promise<Port> {
  switch (address.kind) {
    case 'tcp':
      return openTcpPort(address.host, address.port, events)
    case 'serial':
      return openSerialPort(address.path, { ...settings, ...address }, events)
    case 'usbtmc':
      throw new Error('USBTMC is not supported')
  }
}
