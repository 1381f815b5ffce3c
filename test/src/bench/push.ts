import autocannon from 'autocannon'
import { connect, disconnect, keysOf } from '@golem/queue'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { WebSocket } from 'ws'
import { type Stand, relayBoard, relayBoards, startStand } from '../kit/stand.ts'
import { type Figure, inMs, perSecond, spreadOf, times } from './figures.ts'
import { HttpClient } from './http-client.ts'
import { cpuPercent, cpuSeconds, pssMb } from './process-cost.ts'
import type { ClientsData, ClientsNews } from './push-clients.ts'

const MANY = 1_000
const FEW = 10
const IDLE = 5_000
const INSTRUMENTS = 20
const MARKS = 100
const OVER_MS = 10_000
const ROUNDS = 50
const POLL_MS = 200

/** How soon clients of the socket see what changes, and what they cost the web process, beside the same clients polling. */
export async function measurePush(): Promise<Figure[]> {
  return [...(await fromBoard()), ...(await fromRedis()), ...(await underLoad()), ...(await idle())]
}

/** From a relay switched at the board itself to a client of the socket, beside one that polls each second as the page does without it. */
async function fromBoard(): Promise<Figure[]> {
  const stand = await startStand({ devices: [relayBoard('board')], pollEveryMs: POLL_MS })
  const socket = new WebSocket(socketUrl(stand), 'golem.v1')
  const http = new HttpClient(stand.url())
  try {
    let shown = ''
    const seenAt = new Map<string, number>()
    socket.on('message', (data) => {
      const found = /"relay0":\{"value":(true|false)/.exec((data as Buffer).toString())?.[1]
      if (found === undefined || found === shown) return
      shown = found
      seenAt.set(found, performance.now())
    })
    await once(socket, 'open')
    const pushed: number[] = []
    const polled: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      await sleep(Math.random() * POLL_MS)
      const wanted = String(round % 2 === 0)
      seenAt.delete(wanted)
      await fetch(`${stand.sim.device('board').address}/relay`, {
        method: 'POST',
        body: JSON.stringify({ channel: 0, state: round % 2 === 0 ? 1 : 0 }),
      })
      const begun = performance.now()
      await sleep(Math.random() * 1_000)
      for (;;) {
        const state = await http.send<{
          instruments: Record<string, { readings: Record<string, { value: unknown }> }>
        }>('GET', '/api/state')
        if (String(state.instruments['board']?.readings['relay0']?.value) === wanted) break
        await sleep(1_000)
      }
      polled.push(performance.now() - begun)
      // A poll may be answered a moment before the same state is pushed.
      while (!seenAt.has(wanted)) await sleep(1)
      pushed.push((seenAt.get(wanted) ?? NaN) - begun)
    }
    const push = spreadOf(pushed)
    const poll = spreadOf(polled)
    return [
      {
        what: `change at the board to a client of the socket, polled every ${POLL_MS} ms, p50 / p99`,
        value: `${inMs(push.p50)} / ${inMs(push.p99)}`,
        compared: `${inMs(poll.p50)} / ${inMs(poll.p99)} asking each second`,
        aim: `below ${POLL_MS + 50} ms`,
      },
    ]
  } finally {
    socket.terminate()
    http.close()
    await stand.close()
  }
}

/**
 * From a change written to Redis until the first and the last of many clients has it. The board itself is not read meanwhile: its
 * reading would take a mark's place.
 */
async function fromRedis(): Promise<Figure[]> {
  const stand = await startStand({ devices: [relayBoard('board')], pollEveryMs: 600_000 })
  const redis = connect(stand.redis.url, 'patient', () => undefined)
  try {
    const figures: Figure[] = []
    const [snapshot] = Object.values(await redis.hgetall(keysOf('test').snapshots))
    const record = JSON.parse(snapshot ?? '') as object
    let mark = 0
    for (const count of [FEW, MANY]) {
      const clients = await startClients({ url: socketUrl(stand), count })
      const first: number[] = []
      const last: number[] = []
      for (let n = 0; n < MARKS; n++) {
        mark += 1
        const value = JSON.stringify({ ...record, message: `mark ${mark}` })
        const seen = clients.seen(mark)
        const begun = performance.timeOrigin + performance.now()
        await redis.xadd(keysOf('test').changes, '*', 'k', 'snapshot', 'i', 'board', 'v', value)
        const times = await seen
        first.push(times.first - begun)
        last.push(times.last - begun)
        await sleep(50 + Math.random() * 50)
      }
      await clients.end()
      const [soonest, latest] = [spreadOf(first), spreadOf(last)]
      figures.push({
        what: `change in Redis to the last of ${count} clients, p50 / p99`,
        value: `${inMs(latest.p50)} / ${inMs(latest.p99)}`,
        compared: `${inMs(soonest.p50)} / ${inMs(soonest.p99)} to the first`,
        aim: count === FEW ? 'below 50 ms' : '',
      })
    }
    return figures
  } finally {
    disconnect(redis)
    await stand.close()
  }
}

/** What clients cost a web process while instruments are read once a second, pushed and polled. */
async function underLoad(): Promise<Figure[]> {
  const stand = await startStand({ devices: relayBoards(INSTRUMENTS), pollEveryMs: 1_000 })
  try {
    const pid = stand.webs[0]?.pid ?? NaN
    const none = await cpuPercent(pid, OVER_MS)
    const figures: Figure[] = []
    const polled = await pollingCost(stand)
    const cases = [
      { count: FEW, every: 0, how: 'each change' },
      { count: MANY, every: 0, how: 'each change' },
      { count: MANY, every: 1_000, how: 'changes of a second gathered' },
    ]
    for (const { count, every, how } of cases) {
      const clients = await startClients({ url: `${socketUrl(stand)}?every=${every}`, count })
      const states = await clients.states()
      const cpu = await cpuPercent(pid, OVER_MS)
      const sent = (await clients.states()) - states
      await clients.end()
      figures.push({
        what: `web process, ${count} clients of the socket, ${INSTRUMENTS} instruments at 1 Hz, ${how}: share of a core`,
        value: `${cpu.toFixed(1)} %, ${perSecond(sent, OVER_MS / 1000)} states`,
        compared:
          count === MANY
            ? `${times(cpu - none, polled.cpu - none)} ${MANY} clients polling each second: ${polled.cpu.toFixed(1)} %`
            : `${none.toFixed(1)} % without clients`,
      })
    }
    figures.push({
      what: `polls of deltas, as many as go, beside it`,
      value: perSecond(polled.most, 1),
    })
    return figures
  } finally {
    await stand.close()
  }
}

/** The share of a core while as many clients poll each second, and how many polls a second there can be. */
async function pollingCost(stand: Stand): Promise<{ cpu: number; most: number }> {
  const pid = stand.webs[0]?.pid ?? NaN
  const { body } = await stand.api<{ cursor: string }>('/api/state')
  const url = `${stand.url()}/api/state?since=${encodeURIComponent(body.cursor)}`
  const before = cpuSeconds(pid)
  const seconds = OVER_MS / 1000
  const steady = await autocannon({ url, connections: 100, overallRate: MANY, duration: seconds })
  const cpu = ((cpuSeconds(pid) - before) / seconds) * 100 * (MANY / steady.requests.average)
  const flood = await autocannon({ url, connections: 50, duration: 5 })
  return { cpu, most: flood.requests.average }
}

/** What clients cost of memory and processor while nothing changes. */
async function idle(): Promise<Figure[]> {
  const stand = await startStand({ devices: [relayBoard('board')], pollEveryMs: 60_000 })
  try {
    const pid = stand.webs[0]?.pid ?? NaN
    // What the first hundred bring along (code that is compiled, buffers) is not theirs.
    const first = await startClients({ url: socketUrl(stand), count: 100 })
    await sleep(2_000)
    const before = pssMb(pid)
    const clients = await startClients({ url: socketUrl(stand), count: IDLE })
    await sleep(20_000)
    const memory = pssMb(pid)
    const cpu = await cpuPercent(pid, 2 * 15_000)
    await clients.end()
    await first.end()
    return [
      {
        what: `web process with ${IDLE} idle clients: memory (PSS), share of a core`,
        value: `${memory.toFixed(0)} MB, ${cpu.toFixed(1)} %`,
        compared: `${(((memory - before) * 1000) / IDLE).toFixed(1)} kB for each`,
      },
    ]
  } finally {
    await stand.close()
  }
}

function socketUrl(stand: Stand): string {
  return `${stand.url().replace('http', 'ws')}/ws`
}

interface Clients {
  seen(mark: number): Promise<{ first: number; last: number }>
  states(): Promise<number>
  end(): Promise<void>
}

/** Opens sockets in a thread of their own. */
async function startClients(data: ClientsData): Promise<Clients> {
  const thread = new Worker(new URL('push-clients.js', import.meta.url), { workerData: data })
  const next = <T extends ClientsNews['type']>(
    type: T,
    wanted: (news: ClientsNews & { type: T }) => boolean = () => true,
  ): Promise<ClientsNews & { type: T }> =>
    new Promise((resolve, reject) => {
      const hear = (news: ClientsNews): void => {
        if (news.type !== type || !wanted(news as ClientsNews & { type: T })) return
        thread.off('message', hear)
        thread.off('error', reject)
        resolve(news as ClientsNews & { type: T })
      }
      thread.on('message', hear)
      thread.once('error', reject)
    })
  await next('open')
  return {
    seen: (mark) => next('seen', (news) => news.mark === mark),
    states: async () => {
      const answer = next('count')
      thread.postMessage('count')
      return (await answer).states
    },
    end: async () => {
      await thread.terminate()
    },
  }
}
