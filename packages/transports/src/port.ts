import type { Address, LineDriver, SerialSettings } from '@golem/core'
import { openSerialPort } from './serial-port.ts'
import { openTcpPort } from './tcp-port.ts'
import { openUsbtmcPort } from './usbtmc-port.ts'

/** What a port may want to know of the bytes it is to send. */
export interface WriteHint {
  /** Is an answer to them expected? USBTMC instruments speak only when they are asked to. */
  reply: boolean
  /** How long that answer is waited for, in ms. */
  timeoutMs?: number
}

/** An open connection that carries bytes. When it closes, open a new one. */
export interface Port {
  /**
   * Hands bytes to the operating system, before the first await.
   *
   * @throws when the port is not open any more
   */
  write(bytes: Buffer, hint: WriteHint): Promise<void>
  readonly isOpen: boolean
  close(): Promise<void>
}

/** What a port may want to know of what is written: USBTMC instruments speak only when they are asked to. */
export interface WriteHint {
  /** Is an answer expected? */
  reply: boolean
  /** How long it is waited for, in ms. */
  timeoutMs?: number
}

export interface PortEvents {
  onBytes: (bytes: Buffer) => void
  /** Told once when it closes other than by `close`. */
  onLost: (why: string) => void
}

/** How long opening may take, in ms. */
export const OPEN_TIMEOUT_MS = 3000

export type PortAddress = Extract<Address, { kind: 'tcp' | 'serial' | 'usbtmc' }>

/** What a driver wants of its port. */
export type PortSettings = SerialSettings &
  Partial<Pick<LineDriver['link'], 'receiveTerminator' | 'replyTimeoutMs'>> & {
    /** See `LinkOptions.usbDrivers`. */
    usbDrivers?: string | undefined
  }

/**
 * Opens a serial port (exclusively), a TCP connection or a USBTMC instrument.
 *
 * @param settings - the driver's; a serial port's address may say otherwise
 * @throws what the operating system says, or a sentence
 */
export async function openPort(
  address: PortAddress,
  settings: PortSettings,
  events: PortEvents,
): Promise<Port> {
  switch (address.kind) {
    case 'tcp':
      return openTcpPort(address.host, address.port, events)
    case 'serial':
      return openSerialPort(address.path, { ...settings, ...address }, events)
    case 'usbtmc':
      return openUsbtmcPort(address, settings, events)
  }
}
