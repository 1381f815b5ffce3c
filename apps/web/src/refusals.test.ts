import { GolemError } from '@golem/core'
import type { NewEvent } from '@golem/queue'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { COMMANDS, open } from './app-in-memory.ts'
import { Refusals } from './refusals.ts'

test('of many refusals in a second the first are told, the others counted, for each instrument', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const told: NewEvent[] = []
  const tell = (event: NewEvent): Promise<string> => Promise.resolve(String(told.push(event)))
  const refusals = new Refusals({ tell }, pino({ level: 'silent' }))
  const full = new GolemError('QUEUE_FULL', 'too many wait')
  for (let n = 0; n < 50; n += 1) refusals.take('relay-1', `light = ${n}`, 'ann', full)
  refusals.take('relay-2', 'light = 1', 'ann', new GolemError('STOPPED', 'stopped'))
  refusals.take('relay-2', 'light = 1', 'ann', new GolemError('NOT_ALLOWED', 'no'))
  assert.deepEqual(
    told.map(({ message }) => message),
    [
      'light = 0: refused (too many wait)',
      'light = 1: refused (too many wait)',
      'light = 2: refused (too many wait)',
      'light = 1: refused (stopped)',
    ],
  )
  t.mock.timers.tick(1_000)
  assert.deepEqual(told.at(-1), {
    kind: 'refusal',
    instrument: 'relay-1',
    by: '',
    message: '47 more commands refused within a second',
    level: 'notice',
    data: { codes: ['QUEUE_FULL'], count: 47 },
  })
  refusals.take('relay-1', 'light = 51', 'ann', full)
  assert.equal(told.length, 6)
  t.mock.timers.tick(1_000)
  assert.equal(told.length, 6)
})

test('a command that is refused at the door is in the log, with who gave it and why', async (t) => {
  const { app, client } = await open(t)
  const answer = await app.inject({
    method: 'POST',
    url: COMMANDS,
    payload: { parameter: 'level', value: 1e9 },
    headers: { 'x-golem-user': 'ann' },
  })
  assert.equal(answer.statusCode, 422, answer.body)
  const [event] = client.told
  assert.deepEqual([client.told.length, event?.kind, event?.instrument], [1, 'refusal', 'relay-1'])
  assert.match(event?.message ?? '', /^level = 1000000000: refused \(/)
  assert.match(event?.by ?? '', /ann/)
})
