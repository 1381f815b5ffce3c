import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, disconnect } from '@golem/queue'
import { preparePrivateRedis, readPrivateRedisUrl } from './private-redis.ts'

const SILENT = { onLine: () => undefined, onNews: () => undefined }
const ENV = { PATH: process.env['PATH'] }

/** An instance folder with a space in its name, as people have them. */
function instance(t: TestContext, ...below: string[]): string {
  const top = mkdtempSync(path.join(tmpdir(), 'golem redis '))
  t.after(() => rmSync(top, { recursive: true, force: true }))
  const dir = path.join(top, ...below)
  mkdirSync(dir, { recursive: true })
  return dir
}

async function ask<T>(url: string, work: (redis: ReturnType<typeof connect>) => Promise<T>): Promise<T> {
  const redis = connect(url, 'patient', () => undefined)
  try {
    return await work(redis)
  } finally {
    disconnect(redis)
  }
}

test('a private Redis keeps its data over a stop and a start', async (t) => {
  const dir = instance(t)
  const first = await preparePrivateRedis(dir, ENV, SILENT)
  await first.program.start()
  assert.match(first.url, /^unix:\/\//)
  assert.doesNotMatch(first.url, / /)
  await ask(first.url, (redis) => redis.set('lamp', 'on'))
  await first.program.stop(5000)
  assert.equal(await readPrivateRedisUrl(dir), null)

  const second = await preparePrivateRedis(dir, ENV, SILENT)
  await second.program.start()
  t.after(() => second.program.stop(5000))
  assert.equal(await ask(second.url, (redis) => redis.get('lamp')), 'on')
  assert.equal(await readPrivateRedisUrl(dir), second.url)
})

test('it has the settings that golem rests on, and its socket is for its owner only', async (t) => {
  const dir = instance(t)
  const { program, url } = await preparePrivateRedis(dir, ENV, SILENT)
  await program.start()
  t.after(() => program.stop(5000))
  const settings = await ask(url, async (redis) =>
    Promise.all(
      ['appendonly', 'maxmemory-policy', 'hz', 'save'].map((name) => redis.call('CONFIG', 'GET', name)),
    ),
  )
  assert.match(JSON.stringify(settings), /yes.*noeviction.*100.*""/)
  assert.equal(statSync(path.join(dir, 'run', 'redis.sock')).mode & 0o777, 0o600)
})

test('where the path is too long for a socket it listens on loopback behind a password', async (t) => {
  const dir = instance(t, 'a'.repeat(60), 'b'.repeat(60))
  const { program, url } = await preparePrivateRedis(dir, ENV, SILENT)
  await program.start()
  t.after(() => program.stop(5000))
  assert.equal(await ask(url, (redis) => redis.ping()), 'PONG')
  const open = connect(url.replace(/:[^:@]*@/, ''), 'patient', () => undefined)
  await assert.rejects(open.get('x'), /NOAUTH/)
  disconnect(open)
  assert.equal(await readPrivateRedisUrl(dir), url)
})

test('one that a crashed golem left behind is ended first, and its data are there', async (t) => {
  const dir = instance(t)
  const left = await preparePrivateRedis(dir, ENV, SILENT)
  await left.program.start()
  await ask(left.url, (redis) => redis.set('lamp', 'on'))
  const next = await preparePrivateRedis(dir, ENV, SILENT)
  await left.program.stop(5000)
  await next.program.start()
  t.after(() => next.program.stop(5000))
  assert.equal(await ask(next.url, (redis) => redis.get('lamp')), 'on')
})

test('it ends by itself when the process that started it was killed', async (t) => {
  const dir = instance(t)
  const module = new URL('private-redis.js', import.meta.url).href
  const script = `
    const { preparePrivateRedis } = await import(${JSON.stringify(module)})
    const listener = { onLine() {}, onNews() {} }
    const { program } = await preparePrivateRedis(${JSON.stringify(dir)}, process.env, listener)
    await program.start()
    console.log('started')`
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise((resolve) => parent.stdout.once('data', resolve))
  assert.notEqual(await readPrivateRedisUrl(dir), null)
  parent.kill('SIGKILL')
  for (let waited = 0; (await readPrivateRedisUrl(dir)) !== null; waited += 100) {
    assert.ok(waited < 20_000, 'Redis is still there')
    await sleep(100)
  }
})
