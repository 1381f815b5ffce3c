import autocannon from 'autocannon'
import { fileURLToPath } from 'node:url'
import { spawnNode } from '../kit/process.ts'
import { relayBoards, startStand } from '../kit/stand.ts'
import { type Figure, perSecond, times } from './figures.ts'

const CONNECTIONS = 50
const SECONDS = 5
const INSTRUMENTS = 50

/** Polls per second of one web process with 50 instruments, against an empty route of the same web server. */
export async function measurePolls(): Promise<Figure[]> {
  const devices = relayBoards(INSTRUMENTS)
  const empty = spawnNode(fileURLToPath(new URL('empty-route.js', import.meta.url)), [])
  // Polled once a minute: what is measured is the answering, not the following.
  const stand = await startStand({ devices, pollEveryMs: 60_000 })
  try {
    const { url = '' } = await empty.ready
    const base = await rate(url)
    const { headers, body } = await stand.api<{ cursor: string }>('/api/state')
    const state = stand.url() + '/api/state'
    const full = await rate(state)
    const unchanged = await rate(state, { 'if-none-match': headers.get('etag') ?? '' })
    const delta = await rate(`${state}?since=${encodeURIComponent(body.cursor)}`)
    const bytes = JSON.stringify(body).length
    const line = (what: string, measured: number, aim: string): Figure => ({
      what,
      value: perSecond(measured, 1),
      compared: `${times(measured, base)} an empty route`,
      aim,
    })
    return [
      { what: 'empty Fastify route', value: perSecond(base, 1) },
      line('poll, nothing new, 304', unchanged, '0.5x an empty route'),
      line('poll, nothing new, empty delta', delta, '0.5x an empty route'),
      line(
        `poll, full state of ${INSTRUMENTS} instruments (${Math.round(bytes / 1000)} kB)`,
        full,
        '20,000/s',
      ),
    ]
  } finally {
    await empty.kill()
    await stand.close()
  }
}

/** Requests per second, averaged. */
async function rate(url: string, headers: Record<string, string> = {}): Promise<number> {
  const result = await autocannon({ url, headers, connections: CONNECTIONS, duration: SECONDS })
  if (result.errors > 0 || result['4xx'] > 0 || result['5xx'] > 0) {
    throw new Error(`${url}: ${result.errors} errors, ${result['4xx']} refused, ${result['5xx']} failed`)
  }
  return result.requests.average
}
