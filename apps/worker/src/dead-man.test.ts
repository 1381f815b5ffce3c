import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeadMan } from './dead-man.ts'

function deadMan(more: { readable?: boolean; kept?: number } = {}): DeadMan {
  const { readable = true, kept } = more
  return new DeadMan({
    rearmMs: 20_000,
    readable,
    isOff: (value) => value === 0,
    matches: (wanted, got) => Math.abs(Number(wanted) - Number(got)) < 1,
    kept,
  })
}

/** Switched on at 0, acknowledged 100 ms later. */
function on(more: { readable?: boolean } = {}): DeadMan {
  const one = deadMan(more)
  one.writing(50, 0)
  one.wrote(50, 100)
  return one
}

test('it is due at half of the time, counted from when it was sent, and again after each time', () => {
  const one = on()
  assert.equal(one.due(9_999), undefined)
  assert.equal(one.due(10_000), 50)
  one.armed(10_050)
  assert.equal(one.due(20_000), undefined)
  assert.equal(one.due(20_050), 50)
})

test('an output that golem has not switched on is left alone, however it reads', () => {
  const one = deadMan()
  assert.equal(one.read(50, 1_000), undefined)
  assert.equal(one.due(100_000), undefined)
})

test('what is being switched off is not re-armed any more, also when the answer is lost; a refusal leaves it as it was', () => {
  const off = on()
  off.writing(0, 5_000)
  assert.deepEqual([off.kept, off.due(12_000)], [undefined, undefined])
  off.refused()
  assert.deepEqual([off.kept, off.due(12_000)], [50, 50])
  const stopped = on()
  stopped.wrote(0, 5_000)
  assert.equal(stopped.due(12_000), undefined)
})

test('a command of unknown outcome is not made up for: only a reading tells that it is on', () => {
  const one = deadMan()
  one.writing(50, 0)
  assert.equal(one.due(10_000), undefined)
  one.read(50, 3_000)
  assert.equal(one.due(3_000), 50)
  const blind = deadMan({ readable: false })
  blind.writing(50, 0)
  assert.equal(blind.due(10_000), undefined)
})

test('what has gone off is never switched on by re-arming', () => {
  const seen = on()
  assert.equal(seen.read(0, 500), undefined, 'too soon to be believed')
  assert.match(seen.read(0, 8_000) ?? '', /golem has not switched it off/)
  assert.equal(seen.due(10_000), undefined)
  assert.equal(seen.read(0, 9_000), undefined, 'told once')

  const late = on()
  assert.equal(late.due(17_900), 50)
  assert.equal(late.due(18_100), undefined, 'it might be off when it arrives')
  assert.match(late.tick(20_000) ?? '', /could not be re-armed in time/)
  assert.equal(late.tick(20_100), undefined)
  assert.equal(late.due(20_200), undefined)
  late.read(50, 20_300)
  assert.equal(late.due(20_400), 50, 'a try whose answer was lost has reached it')

  const blind = on({ readable: false })
  assert.match(blind.tick(20_000) ?? '', /could not be re-armed in time/)
  assert.deepEqual([blind.kept, blind.due(20_100)], [undefined, undefined])
})

test('the next owner goes on when a reading shows that it is still on, and with the value that it has', () => {
  const next = deadMan({ kept: 50 })
  assert.equal(next.due(0), undefined)
  next.read(50.4, 10)
  assert.equal(next.due(20), 50)
  const turned = deadMan({ kept: 50 })
  turned.read(80, 10)
  assert.equal(turned.due(20), 80)
  const gone = deadMan({ kept: 50 })
  gone.read(0, 10)
  gone.read(50, 5_000)
  assert.equal(gone.due(6_000), undefined, 'somebody has switched it on by hand since')
})
