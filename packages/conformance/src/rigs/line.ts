import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Address, parseAddress } from '@golem/core'
import {
  answererEnd,
  type DeviceEnd,
  type FaultyWire,
  listenOn,
  type NearSide,
  serveSerial,
  serveUsbtmc,
  USB_DRIVERS,
} from '@golem/simulator'
import type { RigMaker } from '../rig.ts'

/** How a driver of lines reaches its instrument. */
export type Place = 'tcp' | 'serial' | 'usbtmc'

/** Where a wire is reached. */
export interface Reached {
  endpoint: Address
  /** For another driver at the same time. */
  another: Address
  usbDrivers?: string
  close: () => Promise<void>
}

/** What a serial line has not, and when nothing comes through. */
const SERIAL: Pick<RigMaker, 'without' | 'deaf'> = {
  without: {
    'half-open connection':
      'a serial line has no connection that one end could have lost: it is silent (see silence), or the port is gone (see refuse)',
  },
  // The port is pulled out.
  deaf: ['cut'],
}

/** What USBTMC has not, and when nothing comes through. */
const USBTMC: Pick<RigMaker, 'without' | 'deaf'> = {
  without: {
    'slow drip': 'the host fetches an answer when it is there; it does not come by itself, byte by byte',
    'half-open connection':
      'the bus has no connection that one end could have lost: the kernel says when a device is gone (see refuse and cut), or it is silent (see silence)',
  },
  // The cable is pulled out; and a stop waits until the kernel's read, which can't be broken off, has ended.
  deaf: ['cut', 'silence', 'drop', 'late answer'],
}

/** What faults mean where an instrument of lines is. */
export function meaningAt(place: Place): Pick<RigMaker, 'without' | 'deaf'> {
  return { tcp: {}, serial: SERIAL, usbtmc: USBTMC }[place]
}

/** Makes the near side of a wire, and where the driver finds it. */
export async function reach(
  wire: FaultyWire,
  place: Place,
  { baudRate = 9600, terminator = '\n' }: { baudRate?: number | undefined; terminator?: string } = {},
): Promise<Reached> {
  const onTcp = await listenOn(wire)
  const another = parseAddress(onTcp.address)
  if (place === 'tcp') return { endpoint: another, another, close: () => onTcp.close() }
  const folder = mkdtempSync(join(tmpdir(), 'golem-conformance-'))
  let near: NearSide
  try {
    const path = join(folder, 'port')
    near =
      place === 'serial' ? await serveSerial(wire, path, baudRate) : await serveUsbtmc(wire, path, terminator)
  } catch (error) {
    await onTcp.close()
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
  return {
    endpoint: parseAddress(near.address),
    another,
    ...(place === 'usbtmc' ? { usbDrivers: USB_DRIVERS } : {}),
    close: async () => {
      await near.close()
      await onTcp.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** An instrument of another maker, which answers whatever it is asked. */
export function strangerLine(terminator: string): DeviceEnd {
  return answererEnd(() => Buffer.from(`ACME INSTRUMENTS,MODEL 1,0,1.0${terminator}`, 'latin1'))
}
