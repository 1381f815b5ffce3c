import { execFile } from 'node:child_process'
import { join } from 'node:path'
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { CommandRecord, StateDocument } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import { ROOT } from '../kit/root.ts'
import { type Stand, startStand } from '../kit/stand.ts'

interface Run {
  code: number
  stdout: string
  stderr: string
}

let stand: Stand

before(async () => {
  stand = await startStand()
})
after(() => stand.close())

/** Runs the command line as a shell would. */
function golem(...argv: string[]): Promise<Run> {
  const env = { ...process.env, GOLEM_URL: stand.url(), GOLEM_SITE: stand.siteFile }
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(ROOT, 'apps/cli/dist/main.js'), ...argv],
      { env },
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr })
      },
    )
  })
}

test('golem set moves the relay at the board and says done', async () => {
  const relays = stand.sim.device('relays')
  relays.resetCounters()
  const run = await golem('set', 'relays.relay0', 'on', '--json')
  assert.equal(run.code, 0, run.stderr)
  assert.equal((JSON.parse(run.stdout) as CommandRecord).outcome, 'done')
  assert.equal(relays.counters()['POST /relay'], 1)
  await eventually(async () => (await golem('get', 'relays.relay0')).stdout.includes('on'), {
    what: 'golem get shows it',
  })
})

test('golem list and status show the stand', async () => {
  const list = await golem('list')
  assert.match(list.stdout, /relays[\s\S]*lamp/)
  const status = await golem('status')
  assert.equal(status.code, 0, status.stdout + status.stderr)
  assert.match(status.stdout, /worker-0/)
})

test('a value beyond the limits is refused before anything is sent, with the limits in the message', async () => {
  const run = await golem('set', 'lamp.red', '101')
  assert.equal(run.code, 3)
  assert.match(run.stderr, /0 to 100/)
})

test('golem do asks the board to restart, once', async () => {
  const relays = stand.sim.device('relays')
  relays.resetCounters()
  const run = await golem('do', 'relays', 'reset')
  assert.equal(run.code, 0, run.stderr)
  assert.equal(relays.counters()['POST /reset'], 1)
  await stand.until('relays', ({ condition }) => condition === 'ok', 'the board is back', 30_000)
})

test('golem stop goes directly through Redis when no web process answers', async () => {
  await golem('set', 'lamp.white', '40')
  await stand.webs[0]?.kill('SIGKILL')
  const run = await golem('stop', '--reason', 'smoke')
  assert.equal(run.code, 0, run.stderr)
  const lamp = stand.sim.device('lamp')
  await eventually(() => JSON.stringify(lamp.requests()).includes('{\\"channel\\":0,\\"duty\\":0}'), {
    what: 'the lamp is told to go dark',
  })
  await stand.restartWeb(0)
  const { stop }: StateDocument = await stand.state()
  assert.equal(stop.site?.reason, 'smoke')
  assert.equal((await golem('set', 'lamp.white', '40')).code, 3)
  assert.equal((await golem('release')).code, 0)
  assert.equal((await golem('set', 'lamp.white', '0')).code, 0)
})

test('golem clear-queue asks nobody with --yes and says how many it refused', async () => {
  const run = await golem('clear-queue', '--yes', '--json')
  assert.equal(run.code, 0, run.stderr)
  assert.deepEqual(JSON.parse(run.stdout), { refused: 0 })
})
