import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GolemError } from '@golem/core'
import { scriptedHttp, scriptedLine } from './testing.ts'

test('a scripted board answers what the transcript says, and fails on anything else', async () => {
  const io = scriptedHttp([
    ['GET', '/info', null, '{}'],
    ['POST', '/relay', 'x', { status: 500, text: '' }],
    ['GET', '/info', null, new GolemError('REPLY_TIMEOUT', 'silent')],
  ])
  assert.deepEqual(await io.get('/info'), { status: 200, text: '{}' })
  assert.throws(() => io.done())
  assert.equal((await io.post('/relay', 'x')).status, 500)
  await assert.rejects(io.get('/info'), { code: 'REPLY_TIMEOUT' })
  io.done()
  await assert.rejects(io.get('/more'), /script is over/)
  await assert.rejects(scriptedHttp([['GET', '/a', null, '']]).get('/b'))
})

test('a scripted line hands over lines that are not accepted, times out, and notices what is left over', async () => {
  const strays: string[] = []
  const io = scriptedLine(
    [
      ['A', ['U 1', 'answer', 'more']],
      ['B', null],
      [null, 'by itself'],
      ['C', ['last', 'left over']],
    ],
    (line) => strays.push(line),
  )
  assert.equal(await io.ask('A', { accept: (line) => line === 'answer' }), 'answer')
  await assert.rejects(io.ask('B'), { code: 'REPLY_TIMEOUT' })
  assert.equal(await io.expect(), 'by itself')
  assert.equal(await io.ask('C'), 'last')
  assert.deepEqual(strays, ['U 1', 'more'])
  assert.throws(() => io.done(), /not read/)
})
