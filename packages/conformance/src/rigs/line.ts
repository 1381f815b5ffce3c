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

/** How a driver of lines reaches its instrument. */
export type Place = 'tcp' | 'serial'

/** Makes the near side of a wire, and where the driver finds it. */
export async function reach(
  wire: FaultyWire,
  place: Place,
  baudRate = 9600,
): Promise<{ endpoint: Address; close: () => Promise<void> }> {
  if (place === 'tcp') {
    const near = await listenOn(wire)
    return { endpoint: parseAddress(near.address), close: () => near.close() }
  }
  const folder = mkdtempSync(join(tmpdir(), 'golem-conformance-'))
  let near: NearSide
  try {
    near = await serveSerial(wire, join(folder, 'port'), baudRate)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
  return {
    endpoint: parseAddress(near.address),
    close: async () => {
      await near.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** An instrument of another maker, which answers whatever it is asked. */
export function strangerLine(terminator: string): DeviceEnd {
  return answererEnd(() => Buffer.from(`ACME INSTRUMENTS,MODEL 1,0,1.0${terminator}`, 'latin1'))
}
