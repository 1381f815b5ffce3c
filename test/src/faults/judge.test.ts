import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge } from './judge.ts'

const done = (value: number) => ({ value, outcome: 'done' as const })
const unknown = (value: number) => ({ value, outcome: 'unknown' as const })
const refused = (value: number) => ({ value, outcome: 'refused' as const })

test('what was received is held against what was commanded', () => {
  const cases: [number[], Parameters<typeof judge>[1], boolean, [number, number]][] = [
    [[1, 2, 3], [done(1), done(2), done(3)], true, [0, 0]],
    [[1, 3], [done(1), unknown(2), done(3)], true, [0, 0]],
    [[1, 2, 3], [done(1), unknown(2), done(3)], true, [0, 0]],
    // Twice at the device, commanded once.
    [[1, 2, 2, 3], [done(1), done(2), done(3)], false, [1, 0]],
    // Commanded twice, which is right for some steps and a repetition for others.
    [[1, 2, 2], [done(1), unknown(2), done(2)], false, [0, 0]],
    [[1, 2, 2], [done(1), unknown(2), done(2)], true, [1, 0]],
    [[1], [done(1), done(2)], true, [0, 1]],
    [[1, 3], [done(1), done(2), done(3)], true, [0, 1]],
    [[1, 2], [done(1), refused(2)], true, [1, 0]],
    [[7], [], true, [1, 0]],
    // Given at the same time, so in no order.
    [[2, 1], [done(1), done(2)], true, [0, 0]],
    [[2, 1], [done(1), done(2)], false, [1, 1]],
  ]
  for (const [received, commands, isUnique, [repeated, missing]] of cases) {
    assert.deepEqual(judge(received, commands, isUnique), { repeated, missing }, JSON.stringify(received))
  }
})
