import type { WorkerClient } from '@golem/queue'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Publisher } from './publisher.ts'

test('a link that is given up while Redis is away does not wait for it', async () => {
  let asked = 0
  const client = {
    publish: () => {
      asked += 1
      return new Promise<void>(() => undefined)
    },
  }
  const publisher = new Publisher(client as unknown as WorkerClient, assert.fail)
  publisher.snapshot({
    id: 'board',
    condition: 'stopped',
    conditionSince: '2026-01-01T00:00:00.000Z',
    message: 'Its worker was stopped.',
    owner: null,
    seenAt: null,
    staleAfterMs: 3_000,
    readings: {},
  })
  await publisher.flushWithin(20)
  await publisher.flushWithin(20)
  assert.equal(asked, 1)
})
