import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { InstrumentState, SiteEvent } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import { type Stand, relayBoard, startStand } from '../kit/stand.ts'

const POLICIES = ['hold', 'safe', 'restore', 'ask'] as const

let stand: Stand
before(async () => {
  stand = await startStand({
    devices: POLICIES.map((policy) => ({ ...relayBoard(policy), rebootSeconds: 0.2 })),
    instruments: (address) =>
      POLICIES.map((policy) => ({
        id: policy,
        model: 'esp32-relay',
        address: address(policy),
        onPowerReturn: policy,
      })),
  })
})
after(() => stand.close())

const relays = (board: string): number[] => stand.sim.device(board).state()['relays'] as number[]

async function set(board: string, relay: number, value: boolean): Promise<void> {
  const { body } = await stand.command(board, { parameter: `relay${relay}`, value })
  assert.equal(body.outcome, 'done', JSON.stringify(body))
}

/** Long enough without power that its time since power-on tells of it. */
async function powerCut(board: string): Promise<void> {
  await stand.until(
    board,
    ({ readings }) => Number(readings['uptime']?.value) >= 2,
    `${board} has been up for 2 s`,
  )
  await stand.sim.device(board).unplug()
  await stand.until(board, ({ condition }) => condition === 'lost', `${board} is lost`)
  await stand.sim.device(board).replug()
}

const told = async (board: string): Promise<string> => {
  const { body } = await stand.api<SiteEvent[]>(`/api/events?instrument=${board}`)
  return body.map(({ kind, message }) => `${kind}: ${message}`).join('\n')
}

const decide = (keep: string) =>
  stand.api('/api/instruments/ask/power-return', { method: 'POST', body: { keep } })

async function asked(): Promise<InstrumentState> {
  await set('ask', 0, true)
  await powerCut('ask')
  return stand.until('ask', ({ powerReturn }) => powerReturn, 'it is asked', 30_000)
}

test('hold, safe, restore: what is written after a power cut, and what is told', async () => {
  for (const board of ['hold', 'safe', 'restore']) {
    await set(board, 0, true)
    await powerCut(board)
    await eventually(async () => (await told(board)).includes('power return'), {
      what: `${board}: it is noticed`,
      timeoutMs: 30_000,
    })
  }
  await eventually(() => relays('restore')[0] === 1, { what: 'it is on again' })
  assert.match(await told('restore'), /power: restored after power return: relay0 = true/)
  assert.match(await told('hold'), /power: power return \(hold\): relay0 is false, was true/)
  await eventually(async () => /safe: safe state \(its power has returned\)/.test(await told('safe')), {
    what: 'safe',
  })
  assert.deepEqual([relays('hold')[0], relays('safe')[0]], [0, 0])
})

test('ask: the page shows what differs; a person says which wins', async () => {
  const { powerReturn } = await asked()
  assert.deepEqual(powerReturn?.differences, [{ parameter: 'relay0', before: true, now: false }])
  assert.equal((await decide('nonsense')).status, 422)
  assert.equal((await decide('golem')).status, 202)
  await eventually(() => relays('ask')[0] === 1, { what: 'it is on again' })
  await stand.until('ask', (state) => state.powerReturn === undefined, 'nothing is asked any more')
  assert.equal((await decide('golem')).status, 404)
  assert.match(await told('ask'), /decided: keep what was there before/)
})

test('ask: a worker that dies leaves the question to the next; whoever writes the output has answered it', async () => {
  await asked()
  await stand.workers[0]?.kill()
  await stand.addWorker()
  await stand.until(
    'ask',
    ({ owner, condition }) => owner === 'worker-1' && condition === 'ok',
    'taken over',
    30_000,
  )
  assert.ok((await stand.state()).instruments['ask']?.powerReturn)
  await set('ask', 0, false)
  await stand.until('ask', (state) => state.powerReturn === undefined, 'nothing is asked any more')
})

test('a board that loses its power while no worker is there is noticed by the next one', async () => {
  await set('restore', 1, true)
  await stand.until('restore', ({ readings }) => readings['relay1']?.value === true, 'it is read')
  await Promise.all(stand.workers.map((worker) => worker.kill()))
  await stand.sim.device('restore').unplug()
  await stand.sim.device('restore').replug()
  await stand.addWorker()
  await eventually(() => relays('restore')[1] === 1, { what: 'it is on again', timeoutMs: 30_000 })
})
