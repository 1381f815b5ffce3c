import { type FleetDocument, GolemError, isoTime } from '@golem/core'
import type { FastifyInstance } from 'fastify'
import { type WebContext, bounded, noAnswer } from '../context.ts'
import { showQueue } from '../instrument-state.ts'
import { answers, inWords, noQuery } from '../schemas.ts'

/** Who runs: workers, archivers, leases, queues, this process, Redis. */
export function fleetRoutes(app: FastifyInstance, context: WebContext): void {
  app.get(
    '/api/fleet',
    {
      schema: {
        summary: 'Workers, archivers, leases, queues, versions, health of Redis',
        tags: ['fleet'],
        querystring: noQuery,
        response: answers({
          200: inWords(
            'Also while Redis is away; bus says so. Admins are also told of devices that are no instruments yet',
          ),
        }),
      },
    },
    (request) => fleetDocument(context, request.identity.role === 'admin'),
  )
}

/** @param forAdmin - devices that are no instruments yet are told to those who write site.yaml only */
async function fleetDocument(
  { site, client, version, startedAt }: WebContext,
  forAdmin: boolean,
): Promise<FleetDocument> {
  const { view } = client
  const asked = await askFleet(client)
  const now = view.now()
  const heard = ({ lastSeen }: { lastSeen: string }): { alive: boolean; ageMs: number } => {
    const ageMs = Math.max(0, Math.round(now - Date.parse(lastSeen)))
    return { alive: ageMs <= site.leaseMs, ageMs }
  }
  return {
    at: isoTime(now),
    workers: [...view.workers.values()].map(({ unclaimed, ...worker }) => ({
      ...worker,
      ...(forAdmin && unclaimed !== undefined ? { unclaimed } : {}),
      ...heard(worker),
    })),
    archivers: [...view.archivers.values()].map((archiver) => ({ ...archiver, ...heard(archiver) })),
    leases: asked.leases,
    queues: Object.fromEntries(
      [...view.queues].map(([id, stored]) => {
        const { waiting, oldestMs, running } = showQueue(stored, now)
        return [id, { waiting, oldestMs, running: running !== null }]
      }),
    ),
    web: {
      pid: process.pid,
      version,
      node: process.version,
      startedAt,
      rssMb: Math.round(process.memoryUsage.rss() / 1_048_576),
    },
    bus: { ...view.bus, ...asked.bus },
  }
}

type Asked = Pick<FleetDocument, 'leases'> & { bus: Partial<FleetDocument['bus']> & NullableHealth }
type NullableHealth = Pick<FleetDocument['bus'], 'roundTripMs' | 'redisVersion'>

/** What only Redis knows; when it is away the rest is told nevertheless. */
async function askFleet(client: WebContext['client']): Promise<Asked> {
  try {
    const { leases, roundTripMs, redisVersion } = await bounded(client.fleet(), noAnswer)
    return { leases, bus: { roundTripMs: Math.round(roundTripMs * 100) / 100, redisVersion } }
  } catch (error) {
    if (!(error instanceof GolemError) || error.code !== 'QUEUE_DOWN') throw error
    return { leases: [], bus: { ok: false, message: error.message, roundTripMs: null, redisVersion: null } }
  }
}
