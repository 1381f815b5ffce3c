import { connect } from 'node:net'
import { askIdentity } from './ask.ts'
import type { FoundDevice } from './device.ts'

/** Raw sockets of instruments (SCPI), which may be asked for `*IDN?` without harm. */
const SCPI_PORTS: readonly (readonly [port: number, whose: string])[] = [
  [5025, 'SCPI socket'],
  [5555, 'SCPI socket (Rigol)'],
]
const MODBUS_PORT = 502
const CONNECT_MS = 700
const AT_ONCE = 32

/** Where it is looked; others than the standard ones only in tests. */
export interface ScanPorts {
  scpi?: readonly (readonly [port: number, whose: string])[]
  modbus?: number
}

/** Looks for instruments at the given hosts: SCPI sockets are asked `*IDN?`; of Modbus only the port is looked at. */
export async function scanHosts(
  hosts: readonly string[],
  { scpi = SCPI_PORTS, modbus = MODBUS_PORT }: ScanPorts = {},
): Promise<FoundDevice[]> {
  const found: FoundDevice[] = []
  const left = [...hosts]
  const work = async (): Promise<void> => {
    for (let host = left.shift(); host !== undefined; host = left.shift())
      found.push(...(await scanHost(host, scpi, modbus)))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return found.sort((a, b) => a.address.localeCompare(b.address, 'en', { numeric: true }))
}

async function scanHost(
  host: string,
  scpi: readonly (readonly [number, string])[],
  modbus: number,
): Promise<FoundDevice[]> {
  const found: FoundDevice[] = []
  for (const [port, whose] of scpi) {
    if (!(await isOpen(host, port))) continue
    const address = `tcp://${host}:${port}`
    const idn = await askIdentity(address)
    found.push({ kind: 'tcp', address, label: idn ?? whose, ...(idn === null ? {} : { idn }) })
  }
  if (await isOpen(host, modbus)) {
    found.push({
      kind: 'tcp',
      address: `modbus-tcp://${host}/1`,
      label: 'Modbus TCP',
      note: 'Its unit and registers are in its manual; nothing was asked.',
    })
  }
  return found
}

function isOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const end = (open: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(open)
    }
    const timer = setTimeout(() => end(false), CONNECT_MS)
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}
