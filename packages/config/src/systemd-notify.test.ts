import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { notifySystemd, startWatchdog } from './systemd-notify.ts'

/**
 * Puts a program in the place of systemd-notify that writes down what it is told. (Whether systemd itself hears it is
 * tested with a real one, see test/src/systemd.)
 */
function listen(t: TestContext, exit = 0): () => string {
  const dir = mkdtempSync(join(tmpdir(), 'golem-notify-'))
  const told = join(dir, 'told')
  const script = `#!/bin/sh\necho "$@" >> '${told}'\necho "no such socket" >&2\nexit ${exit}\n`
  writeFileSync(join(dir, 'systemd-notify'), script, { mode: 0o755 })
  const path = process.env['PATH'] ?? ''
  process.env['PATH'] = `${dir}:${path}`
  process.env['NOTIFY_SOCKET'] = join(dir, 'notify.sock')
  t.after(() => {
    for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete process.env[name]
    process.env['PATH'] = path
    rmSync(dir, { recursive: true, force: true })
  })
  return () => (existsSync(told) ? readFileSync(told, 'utf8') : '')
}

async function until(check: () => boolean): Promise<void> {
  for (const end = performance.now() + 10_000; !check(); await sleep(10)) {
    assert.ok(performance.now() < end, 'not within 10 s')
  }
}

test('systemd is told that a process is ready', async (t) => {
  const told = listen(t)
  await notifySystemd('READY=1')
  assert.equal(told(), 'READY=1\n')
})

test('without systemd nothing is told and nothing fails', async () => {
  assert.equal(process.env['NOTIFY_SOCKET'], undefined)
  await notifySystemd('READY=1')
  startWatchdog(() => true)()
})

test('the watchdog is kept quiet only while the process is healthy', async (t) => {
  const told = listen(t)
  process.env['WATCHDOG_USEC'] = '40000'
  let healthy = false
  let asked = 0
  const end = startWatchdog(() => {
    asked += 1
    return healthy
  })
  t.after(end)
  const alive = setInterval(() => undefined, 1_000)
  t.after(() => clearInterval(alive))
  await until(() => asked > 3)
  assert.equal(told(), '')
  healthy = true
  await until(() => told().includes('WATCHDOG=1'))
})

test('a watchdog that was meant for another process is left alone', async (t) => {
  listen(t)
  process.env['WATCHDOG_USEC'] = '20000'
  process.env['WATCHDOG_PID'] = '1'
  let asked = 0
  t.after(startWatchdog(() => (asked += 1) > 0))
  await sleep(80)
  assert.equal(asked, 0)
})

test('a systemd that can not be told is an error that names the state and what was said', async (t) => {
  listen(t, 1)
  await assert.rejects(
    notifySystemd('READY=1'),
    /could not be told READY=1: systemd-notify: no such socket \(1\)/,
  )
})

test('without the systemd-notify program the error names the state', async (t) => {
  listen(t)
  process.env['PATH'] = '/nonexistent'
  await assert.rejects(notifySystemd('READY=1'), /could not be told READY=1: .*ENOENT/)
})
