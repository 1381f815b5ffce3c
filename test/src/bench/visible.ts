import { setTimeout as sleep } from 'node:timers/promises'
import type { StateDocument } from '@golem/core'
import { relayBoard, startStand } from '../kit/stand.ts'
import { type Figure, inMs, spreadOf } from './figures.ts'
import { HttpClient } from './http-client.ts'

const ROUNDS = 50
const POLL_MS = 200

/** From a relay switched at the board itself, by somebody else, to the state document that shows it. */
export async function measureVisible(): Promise<Figure[]> {
  const stand = await startStand({ devices: [relayBoard('board')], pollEveryMs: POLL_MS })
  const client = new HttpClient(stand.url())
  try {
    const taken: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      // Anywhere within the poll period.
      await sleep(Math.random() * POLL_MS)
      const wanted = round % 2 === 0
      const response = await fetch(`${stand.sim.device('board').address}/relay`, {
        method: 'POST',
        body: JSON.stringify({ channel: 0, state: wanted ? 1 : 0 }),
      })
      if (!response.ok) throw new Error(`The board said ${response.status}: ${await response.text()}`)
      const begun = performance.now()
      for (;;) {
        const state = await client.send<StateDocument>('GET', '/api/state')
        if (state.instruments['board']?.readings['relay0']?.value === wanted) break
        await sleep(2)
      }
      taken.push(performance.now() - begun)
    }
    const { p50, p99, max } = spreadOf(taken)
    return [
      {
        what: `change at the board to the state document, polled every ${POLL_MS} ms, p50 / p99 / max`,
        value: `${inMs(p50)} / ${inMs(p99)} / ${inMs(max)}`,
        aim: `below ${POLL_MS + 50} ms`,
      },
    ]
  } finally {
    client.close()
    await stand.close()
  }
}
