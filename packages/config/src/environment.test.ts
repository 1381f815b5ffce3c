import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { readEnvironment } from './environment.ts'
import { SiteFaults } from './site-faults.ts'

test('an empty environment gives the defaults', () => {
  assert.deepEqual(readEnvironment({ GOLEM_LOG_LEVEL: '', REDIS_URL: ' ' }), {
    redisUrl: null,
    archive: null,
    siteFile: resolve('instance/site.yaml'),
    instanceDir: null,
    host: hostname(),
    logLevel: 'info',
    simulated: null,
  })
})

test('every variable arrives', () => {
  assert.deepEqual(
    readEnvironment({
      REDIS_URL: 'unix:///run/golem/redis.sock',
      GOLEM_ARCHIVE: 'postgres://golem@db/lab',
      GOLEM_SITE: '/etc/golem/site.yaml',
      GOLEM_INSTANCE: '/var/lib/golem',
      GOLEM_HOST: 'pi-2',
      GOLEM_LOG_LEVEL: 'debug',
      GOLEM_SIMULATED: '{"relay-1":"http://127.0.0.1:4001","sba5":"serial:/tmp/pty"}',
    }),
    {
      redisUrl: 'unix:///run/golem/redis.sock',
      archive: 'postgres://golem@db/lab',
      siteFile: '/etc/golem/site.yaml',
      instanceDir: '/var/lib/golem',
      host: 'pi-2',
      logLevel: 'debug',
      simulated: { 'relay-1': 'http://127.0.0.1:4001', sba5: 'serial:/tmp/pty' },
    },
  )
})

test('without GOLEM_SITE the site file is in GOLEM_INSTANCE', () => {
  assert.equal(readEnvironment({ GOLEM_INSTANCE: '/srv/lab' }).siteFile, '/srv/lab/site.yaml')
})

test('all faulty variables are named at once', () => {
  assert.throws(
    () => readEnvironment({ REDIS_URL: 'localhost', GOLEM_LOG_LEVEL: 'loud', GOLEM_SIMULATED: '{' }),
    (error: unknown) => {
      assert.ok(error instanceof SiteFaults)
      assert.deepEqual(
        error.faults.map(({ path }) => path),
        ['REDIS_URL', 'GOLEM_LOG_LEVEL', 'GOLEM_SIMULATED'],
      )
      return true
    },
  )
})

test('GOLEM_SIMULATED is an object of real addresses', () => {
  for (const text of ['[]', '5', 'null', '{"a":5}', '{"a":"sim:b"}', '{"a":"nonsense"}']) {
    assert.throws(() => readEnvironment({ GOLEM_SIMULATED: text }), SiteFaults, text)
  }
})
