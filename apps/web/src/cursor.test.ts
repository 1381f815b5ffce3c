import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareHeads, formatCursor, parseCursor } from './cursor.ts'

const CURSOR = { epoch: 'a~"b', head: '17-3', process: 'ab12', revision: 4711, alterations: 'ffee' }

test('a cursor is one word that says the same when it is read again', () => {
  const text = formatCursor(CURSOR)
  assert.match(text, /^[\w~%.-]+$/)
})

test('a cursor with an ordinary epoch survives the round trip', () => {
  const cursor = { ...CURSOR, epoch: '0f3a-77' }
  assert.deepEqual(parseCursor(formatCursor(cursor)), cursor)
})

test('what is none of our cursors is told apart without an error', () => {
  for (const text of ['', 'x', '~~~~', 'e~1~p~1~a', '%zz~1-0~p~1~a', `e~1-0~p~1~${'a'.repeat(300)}`]) {
    assert.equal(parseCursor(text), null, text)
  }
})

test('heads are ordered by number, not by letter', () => {
  assert.ok(compareHeads('9-0', '10-0') < 0)
  assert.ok(compareHeads('10-2', '10-10') < 0)
  assert.equal(compareHeads('10-2', '10-2'), 0)
})
