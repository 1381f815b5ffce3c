import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from './eventually.ts'
import { spawnNode } from './process.ts'
import { type TempDir, makeTempDir } from './temp.ts'

describe('a spawned program', () => {
  let dir: TempDir
  const program = (text: string): string => {
    const path = join(dir.path, `program-${Math.random().toString(36).slice(2)}.mjs`)
    writeFileSync(path, text)
    return path
  }
  before(() => {
    dir = makeTempDir()
  })
  after(() => dir.remove())

  test('is ready when it says so, and its output is kept', async () => {
    const main = program(
      `console.log('hello', process.argv[2]); process.send({ ready: true, url: 'http://x' }); setInterval(() => {}, 1000)`,
    )
    const child = spawnNode(main, ['golem'])
    assert.deepEqual(await child.ready, { ready: true, url: 'http://x' })
    await eventually(() => child.log() === 'hello golem\n', { what: 'it greets' })
    await child.kill('SIGTERM')
    assert.deepEqual(await child.exited, { code: null, signal: 'SIGTERM' })
    assert.equal(child.alive, false)
  })

  test('that ends before it is ready is reported with its output', async () => {
    const child = spawnNode(program(`console.error('no site'); process.exit(3)`), [], { name: 'worker' })
    await assert.rejects(child.ready, /worker ended before it was ready.*no site/s)
    assert.deepEqual(await child.exited, { code: 3, signal: null })
  })

  test('that was frozen does nothing until it is let go on', async () => {
    const child = spawnNode(
      program(`process.send({ ready: true }); let n = 0; setInterval(() => console.log(n++), 5)`),
      [],
    )
    await child.ready
    await eventually(() => child.log() !== '', { what: 'it counts' })
    child.stop()
    await sleep(50)
    const frozen = child.log()
    await sleep(100)
    assert.equal(child.log(), frozen)
    child.cont()
    await eventually(() => child.log() !== frozen, { what: 'it counts on' })
    await child.kill('SIGKILL')
  })
})
