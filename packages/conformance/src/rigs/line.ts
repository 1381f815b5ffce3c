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
} from '@golem/simulator'
import type { RigMaker } from '../rig.ts'

/** How a driver of lines reaches its instrument. */
export type Place = 'tcp' | 'serial'

/** Where a wire is reached. */
export interface Reached {
  endpoint: Address
  /** For another driver at the same time. */
  another: Address
  close: () => Promise<void>
}

/** What a serial line has not, and when nothing comes through. */
export const SERIAL: Pick<RigMaker, 'without' | 'deaf'> = {
  without: {
    'half-open connection':
      'a serial line has no connection that one end could have lost: it is silent (see silence), or the port is gone (see refuse)',
  },
  // The port is pulled out.
  deaf: ['cut'],
}

/** Makes the near side of a wire, and where the driver finds it. */
export async function reach(wire: FaultyWire, place: Place, baudRate = 9600): Promise<Reached> {
  const onTcp = await listenOn(wire)
  const another = parseAddress(onTcp.address)
  if (place === 'tcp') return { endpoint: another, another, close: () => onTcp.close() }
  const folder = mkdtempSync(join(tmpdir(), 'golem-conformance-'))
  let near: NearSide
  try {
    near = await serveSerial(wire, join(folder, 'port'), baudRate)
  } catch (error) {
    await onTcp.close()
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
  return {
    endpoint: parseAddress(near.address),
    another,
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
