import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type NodeProcess, spawnNode } from './process.ts'
import { type Stand, startStand } from './stand.ts'
import { type Supply, startSupply } from './supply.ts'

/** A whole stand before a supply that other programs share through the gateway. */
export interface SupplyStand {
  readonly stand: Stand
  readonly supply: Supply
  /** The gateway port of the supply, by which everything passes. */
  readonly port: number
  /** The gateway port through which only queries pass. */
  readonly readOnlyPort: number
  readonly workers: NodeProcess[]
  addWorker(): Promise<NodeProcess>
  log(): string
  close(): Promise<void>
}

const WORKER = fileURLToPath(new URL('./supply-worker.js', import.meta.url))

/**
 * Starts it, with one worker. The instruments are `supply`, and `guarded`, a second supply for reading only.
 *
 * @param gateway - further keys of the gateway of `supply`
 */
export async function startSupplyStand({
  pollEveryMs = 100,
  gateway = {},
  leaseMs,
  address,
}: {
  pollEveryMs?: number
  leaseMs?: number
  gateway?: Record<string, unknown>
  /** Of the supply, when it is not its TCP port. */
  address?: (supply: Supply) => Promise<string>
} = {}): Promise<SupplyStand> {
  const supply = await startSupply()
  const [port, readOnlyPort] = await Promise.all([freePort(), freePort()])
  const place = (await address?.(supply)) ?? `tcp://127.0.0.1:${supply.port}`
  const stand = await startStand({
    workers: 0,
    devices: [],
    pollEveryMs,
    ...(leaseMs === undefined ? {} : { leaseMs }),
    instruments: () => [
      { id: 'supply', model: 'test-supply', address: place, gateway: { port, ...gateway } },
      {
        id: 'guarded',
        model: 'test-supply',
        address: `tcp://localhost:${supply.port}`,
        gateway: { port: readOnlyPort, readOnly: true },
      },
    ],
  })
  const workers: NodeProcess[] = []
  const addWorker = async (): Promise<NodeProcess> => {
    const id = `worker-${workers.length}`
    const worker = spawnNode(WORKER, ['--site', stand.siteFile, '--id', id], { name: id })
    workers.push(worker)
    await worker.ready
    return worker
  }
  const log = (): string => [stand.log(), ...workers.map((worker) => worker.log())].join('\n')
  const close = async (): Promise<void> => {
    await Promise.all(workers.map((worker) => worker.kill()))
    await stand.close()
    await supply.close()
  }
  try {
    await addWorker()
    await stand.until('supply', ({ condition }) => condition === 'ok', 'the supply answers')
    await stand.until(
      'guarded',
      ({ condition }) => condition === 'ok',
      'the supply answers by its other name',
    )
  } catch (error) {
    await close()
    throw error
  }
  return { stand, supply, port, readOnlyPort, workers, addWorker, log, close }
}

/** A port that nobody has just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
