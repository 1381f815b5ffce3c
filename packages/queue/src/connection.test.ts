import assert from 'node:assert/strict'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { connect, disconnect, troubleOf } from './connection.ts'

test('a Redis that is not there is told of in words, not in those of the library', async () => {
  const nowhere = path.join(os.tmpdir(), `no-redis-${process.pid}.sock`)
  const connection = connect(`unix://${nowhere}`, 'fast', () => undefined)
  try {
    const error: unknown = await connection.ping().then(
      () => assert.fail('somebody answered'),
      (reason: unknown) => reason,
    )
    assert.equal(troubleOf(error), 'there is no connection to it')
  } finally {
    disconnect(connection)
  }
  assert.equal(troubleOf(new Error('OOM command not allowed')), 'OOM command not allowed')
})
