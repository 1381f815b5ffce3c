import { type Address, type Driver, type ErrorCode, GolemError, nameOf, type Readings } from '@golem/core'
import { HidLink } from './hid-link.ts'
import { HttpLink } from './http-link.ts'
import { LineLink } from './line-link.ts'
import { ModbusLink } from './modbus-link.ts'
import { MqttLink } from './mqtt-link.ts'

/** stop goes at once, command before poll; within one priority first come, first served. */
export type Priority = 'stop' | 'command' | 'poll'

export interface LinkOptions {
  /** Where the other end is. A `sim` address has to be resolved before. */
  endpoint: Address
  /** Called synchronously directly before bytes go out; throws (LEASE_LOST) when this process may not send any more. */
  guard: () => void
  /** Told once when the connection (serial, TCP) is lost and once when it is back. */
  onConnection?: (up: boolean, message: string) => void
  /**
   * For simulated devices only: a Python file that stands in for the kernel's USB drivers in the helper that opens
   * device files. Absent: the kernel's own.
   */
  usbDrivers?: string
}

/** One physical connection, which does one conversation at a time. */
export interface Link {
  /** @throws CONFIG_INVALID when driver and endpoint do not fit, or differ from the link's other instruments */
  attach(options: AttachOptions): Channel
  /**
   * Ends what runs, with `reason` (default INTERRUPTED) if it had sent something, rejects what waits with
   * WORKER_STOPPING, and closes the connection. Nothing runs after that.
   */
  close(reason?: ErrorCode): Promise<void>
}

export interface AttachOptions {
  /** One whose transport takes this kind of endpoint (ADDRESS_KINDS in core). */
  driver: Driver
  /** HTTP: its path is the base path; Modbus: its unit; MQTT: its topic. */
  endpoint: Address
  /** HTTP Basic authentication. */
  auth?: { user: string; password: string } | null
  /** What the driver made of lines, messages and events nobody asked for. */
  onReadings?: (readings: Readings) => void
}

/** One instrument on a link. */
export interface Channel {
  /**
   * Runs one conversation with the instrument when it is its turn on the link: one at a time, commands before
   * polls. A stop interrupts what runs (INTERRUPTED if that had sent something, else STOPPED), rejects this
   * channel's waiting commands with STOPPED, and goes at once.
   *
   * Before the conversation the instrument is identified and initialised if that has not happened since the
   * link was opened or since the last time-out or malformed reply; a line is drained until quiet first. A
   * stop skips both. `io` is dead as soon as the conversation has ended or was interrupted.
   *
   * @param conversation - gets the driver's io
   * @param options - `beforeSend` is called synchronously right before the first byte of the conversation
   *   itself, after `guard`; if it throws, nothing is sent and its error is the result
   * @throws LINK_DOWN, WRONG_INSTRUMENT, LEASE_LOST, STOPPED, WORKER_STOPPING (nothing of this conversation
   *   was sent); LINK_LOST, REPLY_TIMEOUT, REPLY_MALFORMED, INTERRUPTED (sent); whatever the driver throws
   */
  run<T>(
    priority: Priority,
    conversation: (io: never) => Promise<T>,
    options?: { beforeSend?: () => void },
  ): Promise<T>
  readonly driver: Driver
}

/**
 * Makes the link to an address. It connects when the first conversation needs it, so a device that is away
 * is no error here.
 *
 * @throws CONFIG_INVALID for a `sim` address: it has to be resolved before
 */
export function openLink(options: LinkOptions): Link {
  const { endpoint } = options
  switch (endpoint.kind) {
    case 'http':
      return new HttpLink({ ...options, endpoint })
    case 'tcp':
    case 'serial':
    case 'usbtmc':
      return new LineLink({ ...options, endpoint })
    case 'hid':
      return new HidLink({ ...options, endpoint })
    case 'modbus':
      return new ModbusLink({ ...options, endpoint })
    case 'mqtt':
      return new MqttLink({ ...options, endpoint })
    case 'sim':
      throw new GolemError(
        'CONFIG_INVALID',
        `${nameOf(endpoint)} has no address yet: start the simulator, or write the device's own address.`,
      )
  }
}
