import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { WebSocket } from 'ws'

/** What the thread is started with. */
export interface ClientsData {
  /** Of the socket. */
  url: string
  count: number
}

/** What it tells. Times are ms since 1970, with fractions. */
export type ClientsNews =
  | { type: 'open' }
  /** All of them have been shown the mark with this number. */
  | { type: 'seen'; mark: number; first: number; last: number }
  /** How many states have come to all of them together. */
  | { type: 'count'; states: number }

/** How many are opened at once. */
const BATCH = 100

const { url, count } = workerData as ClientsData
const seen = new Map<number, { clients: number; first: number }>()
let states = 0

function tell(news: ClientsNews): void {
  parentPort?.postMessage(news)
}

function now(): number {
  return performance.timeOrigin + performance.now()
}

/** Looks at a message without reading it as JSON: what is measured is golem, not a thousand parsers in one thread. */
function take(data: Buffer): void {
  if (data.indexOf('"type":"state"') !== 1) return
  states += 1
  const at = data.indexOf('"mark ')
  if (at < 0) return
  const mark = Number(data.toString('latin1', at + 6, data.indexOf('"', at + 6)))
  const known = seen.get(mark) ?? { clients: 0, first: now() }
  known.clients += 1
  seen.set(mark, known)
  if (known.clients === count) tell({ type: 'seen', mark, first: known.first, last: now() })
}

async function open(): Promise<void> {
  for (let n = 0; n < count; n += BATCH) {
    const size = Math.min(BATCH, count - n)
    await Promise.all(
      Array.from(
        { length: size },
        () =>
          new Promise<void>((resolve, reject) => {
            const socket = new WebSocket(url, 'golem.v1')
            socket.once('error', reject)
            socket.once('message', () => resolve())
            socket.on('message', (data) => take(data as Buffer))
          }),
      ),
    )
    await sleep(1)
  }
  tell({ type: 'open' })
}

parentPort?.on('message', () => tell({ type: 'count', states }))
await open()
