import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { CommandRecord, InstrumentState, OutputCount, SiteEvent } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import { type Stand, relayBoard, startStand } from '../kit/stand.ts'

let stand: Stand
before(async () => {
  stand = await startStand({
    devices: [relayBoard('relays'), { name: 'lamp', kind: 'pwm-lamp' }],
    instruments: (address) => [
      {
        id: 'relays',
        model: 'esp32-relay',
        address: address('relays'),
        parameters: {
          relay0: { minOff: '1 h' },
          relay3: { minOn: '1 h' },
          relay1: { count: { cycles: { warnAt: 1, limit: 2 }, onTime: {}, atLimit: 'refuse' } },
          relay2: { count: { onTime: { limit: '1 s' } } },
        },
      },
      {
        id: 'lamp',
        model: 'pwm-lamp',
        address: address('lamp'),
        parameters: { red: { slew: { perSecond: 1, step: 20 } } },
      },
    ],
  })
})
after(() => stand.close())

const set = async (instrument: string, parameter: string, value: unknown): Promise<CommandRecord> =>
  (await stand.command(instrument, { parameter, value })).body

/** How often the board was told so. */
const told = (channel: number, state: number): number =>
  stand.sim
    .device('relays')
    .requests()
    .filter(({ method, body }) => method === 'POST' && body === `{"channel":${channel},"state":${state}}`)
    .length

describe('rules of an output', () => {
  test('minOff refuses before anything is sent, and says when it may be', async () => {
    const tooEarly = await set('relays', 'relay0', true)
    assert.deepEqual([tooEarly.outcome, tooEarly.code, tooEarly.effect], ['refused', 'OUTPUT_RULE', 'none'])
    assert.match(tooEarly.message ?? '', /relays\.relay0 has to stay off for at least 3600 s/)
    assert.equal(told(0, 1), 0)
    const { heldUntil = '' } = (await stand.state()).instruments['relays']?.outputs?.['relay0'] ?? {}
    assert.ok(Date.parse(heldUntil) > Date.now() + 3_000_000, heldUntil)
  })

  test('an emergency stop switches off what minOn would keep on', async () => {
    assert.equal((await set('relays', 'relay3', true)).outcome, 'done')
    const tooEarly = await set('relays', 'relay3', false)
    assert.deepEqual([tooEarly.outcome, tooEarly.code], ['refused', 'OUTPUT_RULE'])
    assert.equal(told(3, 0), 0)
    await stand.api('/api/instruments/relays/stop', { method: 'POST', body: { reason: 'test' } })
    await stand.until('relays', ({ readings }) => readings['relay3']?.value === false, 'it is off')
    await stand.api('/api/stop/release', { method: 'POST', body: {} })
  })

  test('slew refuses a jump and says how far it may go', async () => {
    assert.equal((await set('lamp', 'red', 20)).outcome, 'done')
    const jump = await set('lamp', 'red', 90)
    assert.deepEqual([jump.outcome, jump.code], ['refused', 'OUTPUT_RULE'])
    assert.match(jump.message ?? '', /from 20 .*it may now go to anything from .* not to 90/)
    assert.equal((await set('lamp', 'red', 0)).outcome, 'done')
  })

  test('a disk that does not take what is known of an output refuses the switching on, unsent', async () => {
    const folder = join(stand.dir, 'journal', 'test')
    const file = readdirSync(folder).find(
      (name) => name.endsWith('.outputs.json') && readFileSync(join(folder, name), 'utf8').includes('relays'),
    )
    const inTheWay = join(folder, `${file}.new`)
    mkdirSync(inTheWay)
    try {
      const refused = await set('relays', 'relay2', true)
      assert.deepEqual([refused.outcome, refused.code, refused.effect], ['refused', 'JOURNAL_FAILED', 'none'])
      assert.equal(told(2, 1), 0)
    } finally {
      rmdirSync(inTheWay)
    }
    assert.equal((await set('relays', 'relay2', true)).outcome, 'done')
    assert.equal((await set('relays', 'relay2', false)).outcome, 'done')
  })

  test('counters outlive their worker, tell of limits, refuse, and are reset by an action', async () => {
    const count = async (wanted: (count: OutputCount) => boolean): Promise<unknown> =>
      stand.until(
        'relays',
        ({ outputs }) => {
          const found = outputs?.['relay1']?.count
          return found && wanted(found)
        },
        'it is counted',
      )
    assert.equal((await set('relays', 'relay1', true)).outcome, 'done')
    await count(({ cycles, onTimeS, level }) => cycles === 1 && onTimeS >= 1 && level === 'warn')
    assert.equal((await set('relays', 'relay1', false)).outcome, 'done')
    await stand.workers.at(-1)?.kill('SIGKILL')
    await stand.addWorker()
    const isBack = ({ owner, condition }: InstrumentState): boolean =>
      owner === 'worker-1' && condition === 'ok'
    await stand.until('relays', isBack, 'the next worker has it', 30_000)
    await count(({ cycles, onTimeS }) => cycles === 1 && onTimeS >= 1)
    assert.equal((await set('relays', 'relay1', true)).outcome, 'done')
    assert.equal((await set('relays', 'relay1', false)).outcome, 'done')
    await count(({ cycles, level }) => cycles === 2 && level === 'limit')
    const refused = await set('relays', 'relay1', true)
    assert.deepEqual([refused.outcome, refused.code], ['refused', 'OUTPUT_RULE'])
    assert.equal(told(1, 1), 2)
    const events = await eventually(
      async () => {
        const { body } = await stand.api<SiteEvent[]>('/api/events?kind=counter')
        const mine = body
          .filter(({ message }) => message.startsWith('relay1: '))
          .map(({ message }) => message)
        return mine.length >= 2 ? mine : undefined
      },
      { what: 'it is told' },
    )
    assert.equal(events.length, 2, events.join('\n'))
    const { body: reset } = await stand.command('relays', {
      action: 'resetCounters',
      arguments: { output: 'relay1', note: 'new contacts' },
    })
    assert.equal(reset.outcome, 'done', JSON.stringify(reset))
    assert.equal((await set('relays', 'relay1', true)).outcome, 'done')
    await count(({ cycles, level }) => cycles === 1 && level === 'warn')
  })
})
