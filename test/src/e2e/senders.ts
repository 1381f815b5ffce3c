import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import type { SiteEvent } from '@golem/core'
import type { Stand } from '../kit/stand.ts'

/** One request that a simulated board received, and who sent it. */
export interface Sent {
  /** Place in `stand.workers`; -1 when the sender is gone already. */
  worker: number
  port: number
  method: string
  path: string
}

/** Notes which worker process each request comes from, polls included, by asking the kernel whose socket it is. */
export interface Senders {
  /** All since the beginning, oldest first. */
  readonly sent: readonly Sent[]
  stop(): void
}

/** Begins to watch the boards of a stand, which are servers in this process. */
export function watchSenders(stand: Stand): Senders {
  const sent: Sent[] = []
  const onRequest = (message: unknown): void => {
    const { request } = message as { request: IncomingMessage }
    const { localPort = 0, remotePort = 0 } = request.socket
    sent.push({
      worker: ownerOf(remotePort, stand),
      port: localPort,
      method: request.method ?? '',
      path: request.url ?? '',
    })
  }
  subscribe('http.server.request.start', onRequest)
  return { sent, stop: () => void unsubscribe('http.server.request.start', onRequest) }
}

/**
 * Checks that who sends to a board changed only as the leases of its link did: nobody has sent out of turn.
 *
 * @throws AssertionError with both
 */
export async function assertInTurn(stand: Stand, senders: Senders): Promise<void> {
  // First the requests, then the leases: those of later requests may be missing else.
  const sent = [...senders.sent]
  const { body: events } = await stand.api<SiteEvent[]>('/api/events?kind=owner&limit=500')
  for (const port of new Set(sent.map((each) => each.port))) {
    const leases = events.flatMap(({ message }) => {
      const [, link = '', worker] = /^(\S+) is owned by worker-(\d+) /.exec(message) ?? []
      return link.endsWith(`:${port}`) ? [Number(worker)] : []
    })
    const owners = sent.filter((each) => each.port === port && each.worker >= 0).map(({ worker }) => worker)
    const turns = owners.filter((worker, n) => worker !== owners[n - 1])
    let lease = 0
    for (const worker of turns) {
      lease = leases.indexOf(worker, lease)
      assert.ok(
        lease >= 0,
        `worker-${worker} sent out of turn: port ${port} heard ${turns.join(' ')}, the leases were those of ${leases.join(' ')}`,
      )
    }
  }
}

function ownerOf(port: number, { workers }: Stand): number {
  const inode = inodeOf(port)
  if (inode === undefined) return -1
  return workers.findIndex((worker) => worker.alive && socketsOf(worker.pid).has(inode))
}

/** The socket on this machine whose own port is this one. */
function inodeOf(port: number): string | undefined {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)) {
    const [, address = '', , , , , , , , inode] = line.trim().split(/\s+/)
    if (address.endsWith(local)) return inode
  }
  return undefined
}

function socketsOf(pid: number): Set<string> {
  const folder = `/proc/${pid}/fd`
  const inodes = new Set<string>()
  for (const name of readdirSync(folder)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${name}`))?.[1]
      if (inode !== undefined) inodes.add(inode)
    } catch (error) {
      // Closed since the folder was read: it was not the one that is looked for.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return inodes
}
