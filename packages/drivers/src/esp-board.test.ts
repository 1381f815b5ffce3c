import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scriptedHttp } from '@golem/transports/testing'
import { postShort } from './esp-board.ts'

test('a body of 100 bytes or more is never sent: the firmware would write past its buffer', async () => {
  const longest = 'x'.repeat(99)
  const io = scriptedHttp([['POST', '/pwm', longest, 'fine']])
  assert.equal(await postShort(io, '/pwm', longest), 'fine')
  await assert.rejects(postShort(io, '/pwm', `${longest}x`), { code: 'OUT_OF_RANGE' })
  await assert.rejects(postShort(io, '/pwm', 'ä'.repeat(50)), { code: 'OUT_OF_RANGE' })
  io.done()
})
