import { asGolemError } from '@golem/core'
import { Bonjour, type Service } from 'bonjour-service'
import type { FoundDevice } from './device.ts'

/** Services that instruments announce by mDNS, and what stands behind each. */
const SERVICES: readonly (readonly [
  type: string,
  make: (host: string, service: Service) => Partial<FoundDevice> & Pick<FoundDevice, 'kind' | 'address'>,
])[] = [
  ['esphomelib', (host) => ({ kind: 'esphome', address: `http://${host}` })],
  ['scpi-raw', (host, { port }) => ({ kind: 'lxi', address: `tcp://${host}:${port}` })],
  [
    'lxi',
    (host) => ({
      kind: 'lxi',
      address: `tcp://${host}:5025`,
      note: 'The port of its raw socket was not announced: 5025 with most makers, 5555 with Rigol.',
    }),
  ],
]

export interface AnnouncedOptions {
  /** How long to listen, in ms. */
  forMs: number
  /** Of multicast-dns: interface, address and port to listen on; others than the standard ones only in tests. */
  mdns?: { bind?: string; ip?: string; port?: number; multicast?: boolean }
}

/** Listens for what announces itself in the local network (mDNS): ESPHome boards and LXI instruments. */
export async function findAnnounced({ forMs, mdns = {} }: AnnouncedOptions): Promise<FoundDevice[]> {
  const found = new Map<string, FoundDevice>()
  let failure: Error | undefined
  const bonjour = new Bonjour(mdns, (error: unknown) => (failure = asGolemError(error)))
  for (const [type, make] of SERVICES) {
    bonjour.find({ type }, (service: Service) => {
      const host = service.addresses?.find((address) => /^\d+(\.\d+){3}$/.test(address)) ?? service.host
      const device = { label: service.name, ...make(host, service) }
      // A raw socket with its port says more than the bare announcement of the same instrument.
      const known = found.get(host)
      if (!known || known.note !== undefined) found.set(host, device)
    })
  }
  await new Promise((resolve) => setTimeout(resolve, forMs))
  await new Promise<void>((resolve) => bonjour.destroy(() => resolve()))
  if (failure !== undefined) throw failure
  return [...found.values()]
}
