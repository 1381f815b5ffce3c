import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Site } from '@golem/config'
import { runForTest } from '../testing.ts'
import { preparePrivateRedis } from '../up/private-redis.ts'
import { examineArchive, judgeServer } from './archive.ts'
import { examineNode, examinePackages } from './examine.ts'
import type { Finding } from './finding.ts'
import { judgeDisk } from './machine.ts'
import { judgeRedis } from './redis.ts'
import { examinePort } from './serial.ts'

function siteFile(t: TestContext, lines: readonly string[] = ['instruments: []']): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'golem-doctor-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const file = path.join(dir, 'site.yaml')
  writeFileSync(file, ['site: doctored', ...lines].join('\n'))
  return file
}

const GOOD = { version: '7.0.15', appendonly: 'yes', policy: 'noeviction', hz: '100', offsetMs: 3 }
const levels = (findings: readonly Finding[]): string[] => findings.map(({ level }) => level)

test('a Redis as golem wants it is found without fault', () => {
  assert.deepEqual(new Set(levels(judgeRedis(GOOD))), new Set(['ok']))
})

test('a Redis that forgets or throws away is a fault, with the line to write', () => {
  for (const wrong of [
    { appendonly: 'no' },
    { policy: 'allkeys-lru' },
    { version: '5.0.14' },
    { offsetMs: 5000 },
  ]) {
    const faults = judgeRedis({ ...GOOD, ...wrong }).filter(({ level }) => level === 'fault')
    assert.equal(faults.length, 1, JSON.stringify(wrong))
    assert.ok(faults[0]?.advice)
  }
})

test('a slow clock of Redis and hidden settings are worth a warning', () => {
  assert.deepEqual(
    levels(judgeRedis({ ...GOOD, hz: '10' })).filter((level) => level !== 'ok'),
    ['warning'],
  )
  assert.deepEqual(
    levels(judgeRedis({ ...GOOD, appendonly: undefined })).filter((level) => level !== 'ok'),
    ['warning'],
  )
})

test('an old Node is a fault and a new one is not', () => {
  assert.equal(examineNode('18.20.4').level, 'fault')
  assert.equal(examineNode('20.18.3').level, 'fault')
  assert.equal(examineNode('20.19.0').level, 'ok')
  assert.equal(examineNode('26.10.0').level, 'ok')
})

test('missing packages, a full disk and a port that is not there are faults', () => {
  assert.equal(examinePackages('/nowhere').level, 'fault')
  assert.equal(judgeDisk('/x', 1e6).level, 'fault')
  assert.equal(judgeDisk('/x', 1e9).level, 'warning')
  assert.equal(judgeDisk('/x', 1e11).level, 'ok')
  assert.equal(examinePort('/dev/no-such-port', 'gas').level, 'fault')
  assert.equal(examinePort('/etc/hostname', 'gas').level, 'fault')
  assert.equal(examinePort('/dev/null', 'gas').level, 'ok')
})

test('a PostgreSQL server can hold an archive when it has the right encoding, and its user may write', () => {
  const good = {
    version: '15.18',
    user: 'golem',
    encoding: 'UTF8',
    sizeBytes: 8e6,
    tables: undefined,
    mayWrite: true,
    hasTimescale: false,
  }
  assert.deepEqual(levels(judgeServer(good)), ['ok'])
  assert.match(judgeServer(good)[0]?.message ?? '', /15\.18.*makes the tables/)
  assert.match(judgeServer({ ...good, tables: 1, hasTimescale: true })[0]?.message ?? '', /TimescaleDB.*8 MB/)
  assert.deepEqual(levels(judgeServer({ ...good, mayWrite: false })), ['ok', 'warning'])
  assert.deepEqual(levels(judgeServer({ ...good, encoding: 'SQL_ASCII' })), ['fault'])
})

test('an archive has a place, or is said not to be kept; a server that is not there is a fault', async () => {
  const levels = async (archive: { place: string } | null): Promise<string[]> =>
    (await examineArchive({ archive } as Site)).map(({ level }) => level)
  assert.deepEqual(await examineArchive(null), [])
  assert.deepEqual(await levels(null), ['ok'])
  assert.equal((await levels({ place: path.join(tmpdir(), 'not', 'there', 'x.sqlite') }))[0], 'ok')
  assert.deepEqual(await levels({ place: 'postgres://golem@127.0.0.1:1/golem' }), ['fault'])
})

test('the whole examination ends with 0 on a machine that is well, and names what it looked at', async (t) => {
  const file = siteFile(t)
  const { program, url } = await preparePrivateRedis(
    path.dirname(file),
    { PATH: process.env['PATH'] },
    {
      onLine: () => undefined,
      onNews: () => undefined,
    },
  )
  await program.start()
  t.after(() => program.stop(5000))
  const env = { GOLEM_SITE: file, REDIS_URL: url, PATH: process.env['PATH'] }
  const { code, out, err } = await runForTest(['doctor', '--json'], { env })
  assert.equal(code, 0, err)
  const findings = JSON.parse(out) as Finding[]
  const subjects = new Set(findings.map(({ subject }) => subject))
  for (const subject of ['Node', 'packages', 'site file', 'Redis', 'web port', 'clock', 'disk', 'archive']) {
    assert.ok(subjects.has(subject), subject)
  }
  assert.equal(findings.filter(({ subject }) => subject === 'Redis').length, 4)
})

test('a Redis that is not there is a fault that names it, and the exit code is 1', async (t) => {
  const env = { GOLEM_SITE: siteFile(t), REDIS_URL: 'unix:///no/such/redis.sock' }
  const { code, out, err } = await runForTest(['doctor'], { env })
  assert.equal(code, 1)
  assert.match(out, /^FAULT {4}Redis: The Redis at unix:\/\/\/no\/such\/redis.sock cannot be used/m)
  assert.match(err, /One fault: Redis/)
})

test('a fixed port that another program has is a fault', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  t.after(() => other.close())
  // Something that takes connections and never answers is no golem either.
  const { port } = other.address() as AddressInfo
  const env = {
    GOLEM_SITE: siteFile(t, [`web: { port: ${port} }`, 'instruments: []']),
    PATH: process.env['PATH'],
  }
  const { code, out } = await runForTest(['doctor'], { env })
  assert.equal(code, 1)
  assert.match(out, new RegExp(`FAULT {4}web port: ${port} on 127.0.0.1 is taken`))
})

test('a faulty site file is one fault among the findings', async (t) => {
  const env = { GOLEM_SITE: siteFile(t, ['instruments: nonsense']), PATH: process.env['PATH'] }
  const { code, out } = await runForTest(['doctor'], { env })
  assert.equal(code, 1)
  assert.match(out, /FAULT {4}site file:/)
  assert.match(out, /^ok {7}disk:/m)
})
