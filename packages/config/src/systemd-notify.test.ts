import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { notifySystemd, startWatchdog } from './systemd-notify.ts'

/** Stands where systemd would be. @returns what has been told so far */
async function listen(t: TestContext): Promise<() => string> {
  const dir = mkdtempSync(join(tmpdir(), 'golem-notify-'))
  const [socket, told] = [join(dir, 'notify.sock'), join(dir, 'told')]
  const child = spawn('socat', ['-u', `UNIX-RECV:${socket}`, `OPEN:${told},creat,append`], {
    stdio: 'ignore',
  })
  const ended = once(child, 'exit')
  while (!existsSync(socket)) await sleep(10)
  process.env['NOTIFY_SOCKET'] = socket
  t.after(async () => {
    for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete process.env[name]
    child.kill('SIGKILL')
    await ended
    rmSync(dir, { recursive: true })
  })
  return () => (existsSync(told) ? readFileSync(told, 'utf8') : '')
}

async function until(check: () => boolean): Promise<void> {
  for (const end = performance.now() + 10_000; !check(); await sleep(10)) {
    assert.ok(performance.now() < end, 'not within 10 s')
  }
}

test('systemd is told that a process is ready', async (t) => {
  const told = await listen(t)
  await notifySystemd('READY=1')
  await until(() => told().includes('READY=1'))
})

test('without systemd nothing is told and nothing fails', async () => {
  assert.equal(process.env['NOTIFY_SOCKET'], undefined)
  await notifySystemd('READY=1')
  startWatchdog(() => true)()
})

test('the watchdog is kept quiet only while the process is healthy', async (t) => {
  const told = await listen(t)
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
  await listen(t)
  process.env['WATCHDOG_USEC'] = '20000'
  process.env['WATCHDOG_PID'] = '1'
  let asked = 0
  t.after(startWatchdog(() => (asked += 1) > 0))
  await sleep(80)
  assert.equal(asked, 0)
})

test('a systemd that can not be told is an error that names the state', async (t) => {
  process.env['NOTIFY_SOCKET'] = '/nonexistent/notify.sock'
  t.after(() => delete process.env['NOTIFY_SOCKET'])
  await assert.rejects(notifySystemd('READY=1'), /could not be told READY=1/)
})
