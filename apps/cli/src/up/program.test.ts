import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Program, type ProgramSpec } from './program.ts'

interface Rig {
  dir: string
  news: string[]
  lines: string[]
  make: (script: string, more?: Partial<ProgramSpec<number>>) => Program<number>
}

/** Makes programs out of a few lines of JavaScript. `ready(n)` in them tells that they are ready. */
function rig(t: TestContext): Rig {
  const dir = mkdtempSync(path.join(tmpdir(), 'golem program '))
  const programs: Program<number>[] = []
  const news: string[] = []
  const lines: string[] = []
  t.after(() => {
    for (const program of programs) program.kill()
    rmSync(dir, { recursive: true, force: true })
  })
  const make: Rig['make'] = (script, more = {}) => {
    const file = path.join(dir, `part-${programs.length}.mjs`)
    writeFileSync(file, `const ready = (n) => process.send({ n })\n${script}`)
    const program = new Program<number>(
      {
        name: 'part',
        command: () => ({ file: process.execPath, args: [file] }),
        env: { PATH: process.env['PATH'] },
        cwd: dir,
        logFile: path.join(dir, 'part.log'),
        readiness: { onMessage: (message) => (message as { n: number }).n },
        readyWithinMs: 20_000,
        endBy: 'SIGTERM',
        ...more,
      },
      {
        onLine: (_, line) => void lines.push(line),
        onNews: (name, sentence) => void news.push(`${name} ${sentence}`),
      },
    )
    programs.push(program)
    return program
  }
  return { dir, news, lines, make }
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let waited = 0; !condition(); waited += 10) {
    assert.ok(waited < 20_000, `never: ${what}`)
    await sleep(10)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('a program is started, says what it found, and ends when it is asked to', async (t) => {
  const { make, news } = rig(t)
  const program = make(`process.on('SIGTERM', () => process.exit(0)); ready(7)`)
  assert.equal(await program.start(), 7)
  const { pid } = program
  assert.ok(pid && isAlive(pid))
  await program.stop(5000)
  assert.ok(!isAlive(pid))
  assert.deepEqual(news, [])
})

test('a program that ends by itself is started again, and that is told in one line each', async (t) => {
  const { make, news } = rig(t)
  const program = make(`ready(1); setInterval(() => undefined, 1000)`)
  await program.start()
  const first = program.pid
  assert.ok(first)
  process.kill(first, 'SIGKILL')
  await until(() => news.includes('part is running again'), 'running again')
  assert.deepEqual(news, ['part ended (SIGKILL); it is started again in 0.3 s', 'part is running again'])
  assert.notEqual(program.pid, first)
})

test('a program that is stopped while it waits for its next start stays stopped', async (t) => {
  const { make, news } = rig(t)
  const program = make(`ready(1); setInterval(() => undefined, 1000)`)
  await program.start()
  process.kill(program.pid ?? 0, 'SIGKILL')
  await until(() => news.length === 1, 'its end')
  await program.stop(1000)
  await sleep(500)
  assert.ok(!isAlive(program.pid ?? 0))
})

test('what ends before it is ready fails with its last words', async (t) => {
  const { make } = rig(t)
  const program = make(`console.error('the port is on fire'); process.exitCode = 3`)
  await assert.rejects(
    program.start(),
    /part ended before it was ready \(exit code 3\)\.[^]*the port is on fire/,
  )
})

test('what is not ready in time fails and is gone', async (t) => {
  const { make } = rig(t)
  const program = make(`setInterval(() => undefined, 1000)`, { readyWithinMs: 300 })
  await assert.rejects(program.start(), /was not ready within 0.3 s/)
  await until(() => !isAlive(program.pid ?? 0), 'its end')
})

test('a program that cannot be started at all fails with the reason', async (t) => {
  const { make } = rig(t)
  const program = make('', { command: () => ({ file: '/no/such/program', args: [] }) })
  await assert.rejects(program.start(), /ENOENT/)
  await program.stop(100)
})

test('a program that does not listen to its end is killed with its children', async (t) => {
  const { make, news, lines } = rig(t)
  const program = make(`
    import { spawn } from 'node:child_process'
    process.on('SIGTERM', () => undefined)
    const child = spawn('sleep', ['1000'])
    console.log(child.pid)
    ready(1)
    setInterval(() => undefined, 1000)`)
  await program.start()
  await until(() => lines.length === 1, 'the pid of its child')
  const grandchild = Number(lines[0])
  assert.ok(isAlive(grandchild))
  await program.stop(200)
  await until(() => !isAlive(grandchild), 'the end of its child')
  assert.deepEqual(news, ['part did not end within 200 ms and was killed'])
})

test('everything it says goes into its log', async (t) => {
  const { make, dir } = rig(t)
  const program = make(`console.log('one'); console.error('two'); ready(1)`)
  await program.start()
  const log = path.join(dir, 'part.log')
  await until(() => existsSync(log) && readFileSync(log, 'utf8').split('\n').length > 2, 'two lines')
  assert.deepEqual(readFileSync(log, 'utf8').trim().split('\n').sort(), ['one', 'two'])
})
