import { createHash } from 'node:crypto'

/** A link and the host it hangs on; null: any worker may own it. */
export interface LinkPlace {
  link: string
  host: string | null
}

export interface WorkerPlace {
  id: string
  host: string
}

/**
 * Shares links out among workers: each link to the worker it suits best by rendezvous hashing, no worker getting
 * more than its share. Every worker computes the same answer from the same list, without asking the others, and
 * few links move when a worker comes or goes.
 *
 * @returns the worker id for each link that some worker may own
 */
export function assign(links: readonly LinkPlace[], workers: readonly WorkerPlace[]): Map<string, string> {
  const assigned = new Map<string, string>()
  const load = new Map<string, number>()
  // Links tied to a host first: they have the fewest workers to choose from.
  const order = links.toSorted(
    (a, b) => Number(a.host === null) - Number(b.host === null) || (a.link < b.link ? -1 : 1),
  )
  const share = workers.length === 0 ? 0 : Math.ceil(links.length / workers.length)
  for (const { link, host } of order) {
    const able = workers.filter((worker) => host === null || worker.host === host)
    if (able.length === 0) continue
    const free = able.filter((worker) => (load.get(worker.id) ?? 0) < share)
    const candidates = free.length > 0 ? free : able
    const [best] = candidates.toSorted((a, b) => weight(link, b.id) - weight(link, a.id))
    if (!best) continue
    assigned.set(link, best.id)
    load.set(best.id, (load.get(best.id) ?? 0) + 1)
  }
  return assigned
}

function weight(link: string, worker: string): number {
  return createHash('sha256').update(`${link}\0${worker}`).digest().readUInt32BE(0)
}
