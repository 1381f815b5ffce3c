import type { UsbtmcAddress } from '@golem/core'
import { type DeviceFileEvents, openDeviceFile } from './device-file.ts'
import type { Port, PortEvents, PortSettings } from './port.ts'
import { findUsbtmc } from './usbtmc-find.ts'

/** How long writing a message without an answer may take, in ms. */
const WRITE_TIMEOUT_MS = 3000
/** How long an answer may take when nobody says, in ms. */
const REPLY_TIMEOUT_MS = 5000

export interface UsbtmcPort extends Port {
  /** The instrument's status byte (IEEE 488.2), null when it or the kernel has none. */
  statusByte(): Promise<number | null>
}

/**
 * Opens a USBTMC instrument, exclusively, and clears it: what it has not been asked for yet is thrown away.
 *
 * An instrument speaks only when it is told to. So after a write with the hint `reply` its answer is read until its
 * end; the end of a message without line end is handed over as one. When no answer comes in time, the transfer is
 * aborted and the instrument cleared, so that the next exchange is in step.
 *
 * Reading can't be broken off: what is written meanwhile (a stop) goes out when the answer has come, or its time is over.
 *
 * @param settings - the driver's; its `replyTimeoutMs` counts where the hint has no time-out of its own
 * @throws in words
 */
export async function openUsbtmcPort(
  address: UsbtmcAddress,
  { receiveTerminator = '\n', replyTimeoutMs = REPLY_TIMEOUT_MS, usbDrivers }: PortSettings,
  events: PortEvents,
): Promise<UsbtmcPort> {
  const end = Buffer.from(receiveTerminator, 'latin1')
  let tail = Buffer.alloc(0)
  const path = findUsbtmc(address)
  const deviceEvents: DeviceFileEvents = {
    onData: (bytes) => {
      tail = Buffer.concat([tail, bytes.subarray(-end.length)]).subarray(-end.length)
      events.onBytes(bytes)
    },
    // Whoever waits for an answer that does not come has a clock of their own.
    onEnd: (inTime) => {
      const terminated = tail.equals(end)
      tail = Buffer.alloc(0)
      if (inTime && !terminated) events.onBytes(end)
    },
    onLost: events.onLost,
  }
  const file = await openDeviceFile('usbtmc', path, deviceEvents, usbDrivers)
  return {
    get isOpen() {
      return file.isOpen
    },
    write: (bytes, { reply, timeoutMs = replyTimeoutMs }) => {
      tail = Buffer.alloc(0)
      return file.write(bytes, { reply, timeoutMs: reply ? timeoutMs : WRITE_TIMEOUT_MS })
    },
    statusByte: () => file.statusByte(),
    close: () => file.close(),
  }
}
