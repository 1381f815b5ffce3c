import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadSite } from './load-site.ts'
import { SiteFaults } from './site-faults.ts'
import { faultsOf, gauge, heater, inFolder, loadText, models } from './testing.ts'

const MINIMAL = 'site: lab\ninstruments: []\n'

test('a minimal site gets the defaults', () => {
  const site = loadText(MINIMAL)
  assert.equal(site.name, 'lab')
  assert.equal(site.title, 'lab')
  assert.equal(site.redisUrl, null)
  assert.equal(site.leaseMs, 10_000)
  assert.equal(site.maxWaiting, 32)
  assert.deepEqual(site.web, {
    listen: '127.0.0.1',
    port: 8000,
    portFixed: false,
    hosts: [],
    auth: { kind: 'loopback' },
  })
})

test('everything a site can say arrives', () => {
  const hash = `sha256:${'0'.repeat(64)}`
  const site = loadText(
    `site: lab
title: The lab
redis: redis://10.0.0.1:6379/2
lease: 5 s
maxWaiting: 8
web: { listen: 0.0.0.0, port: 8000, hosts: [stand.lab.example] }
auth: { tokens: [{ name: ann, role: admin, hash: "${hash}" }] }
instruments:
  - id: oven
    label: Oven
    group: Heat
    model: heater
    address: http://10.0.0.5:8080/api/
    host: pi-2
    pollEvery: 0.5 s
    onStop: safe
    options: { channels: 2 }
    parameters:
      power: { label: P, group: G, unit: "%", min: 5, max: 50, note: Hot., decimals: 0, pollEvery: 2 min, safe: 5, hidden: false }
      fan: { safe: null }
    actions:
      reset: { label: Restart, group: Devices, hidden: true }
`,
    { models },
  )
  assert.equal(site.redisUrl, 'redis://10.0.0.1:6379/2')
  assert.equal(site.leaseMs, 5000)
  assert.equal(site.maxWaiting, 8)
  assert.deepEqual(site.web, {
    listen: '0.0.0.0',
    port: 8000,
    portFixed: true,
    hosts: ['stand.lab.example'],
    auth: { kind: 'tokens', tokens: [{ name: 'ann', role: 'admin', hash }] },
  })
  assert.deepEqual(site.instruments, [
    {
      id: 'oven',
      label: 'Oven',
      group: 'Heat',
      model: 'heater',
      address: 'http://10.0.0.5:8080/api/',
      endpoint: { kind: 'http', host: '10.0.0.5', port: 8080, path: '/api' },
      link: 'http:10.0.0.5:8080',
      host: 'pi-2',
      pollEveryMs: 500,
      onStop: 'safe',
      auth: null,
      gateway: null,
      options: { channels: 2 },
      parameters: {
        power: {
          label: 'P',
          group: 'G',
          unit: '%',
          min: 5,
          max: 50,
          note: 'Hot.',
          decimals: 0,
          pollEveryMs: 120_000,
          safe: 5,
          hidden: false,
        },
        fan: { safe: null },
      },
      actions: { reset: { label: 'Restart', group: 'Devices', hidden: true } },
    },
  ])
})

test('REDIS_URL goes before the site file and may hold a password', () => {
  const env = { REDIS_URL: 'redis://:secret@10.0.0.9:6379' }
  assert.equal(loadText(`${MINIMAL}redis: redis://10.0.0.1\n`, { env }).redisUrl, env.REDIS_URL)
})

test('the instance folder is the one of the site file unless GOLEM_INSTANCE names another', () => {
  inFolder((folder) => {
    const file = join(folder, 'site.yaml')
    writeFileSync(file, MINIMAL)
    assert.equal(loadSite(file, { env: {} }).instanceDir, folder)
    assert.equal(loadSite(file, { env: { GOLEM_INSTANCE: '/var/lib/golem' } }).instanceDir, '/var/lib/golem')
  })
})

const SIMULATED = `site: lab
instruments:
  - { id: oven, model: heater, address: sim:oven-1 }
`

test('a simulated address becomes the real one when that is known, and stays as it is otherwise', () => {
  const [known] = loadText(SIMULATED, { simulated: { 'oven-1': 'http://127.0.0.1:4001' } }).instruments
  assert.equal(known?.address, 'sim:oven-1')
  assert.deepEqual(known?.endpoint, { kind: 'http', host: '127.0.0.1', port: 4001, path: '' })
  assert.equal(known?.link, 'sim:oven-1', 'at the next start it has another port, but the same journal')
  const [unknown] = loadText(SIMULATED).instruments
  assert.deepEqual(unknown?.endpoint, { kind: 'sim', name: 'oven-1' })
  const env = { GOLEM_SIMULATED: '{"oven-1":"http://127.0.0.1:4002"}' }
  const [fromEnv] = loadText(SIMULATED, { env }).instruments
  assert.deepEqual(fromEnv?.endpoint, { kind: 'http', host: '127.0.0.1', port: 4002, path: '' })
})

test('ports of one name on two machines are two links', () => {
  const text = (hosts: readonly string[]): string =>
    `site: lab\ninstruments:\n${hosts.map((host, n) => `  - { id: gas${n}, model: meter, address: serial:/dev/ttyUSB0${host} }\n`).join('')}`
  const site = loadText(text([', host: pi-1', ', host: pi-2', ', host: pi-2']))
  assert.deepEqual(
    site.instruments.map(({ link }) => link),
    ['serial:pi-1:/dev/ttyUSB0', 'serial:pi-2:/dev/ttyUSB0', 'serial:pi-2:/dev/ttyUSB0'],
  )
  assert.throws(
    () => loadText(text(['', ', host: pi-2'])),
    /shares the link serial:\/dev\/ttyUSB0 with "gas0"/,
  )
})

test('a password comes from a file in the instance folder, without the line break at its end', () => {
  inFolder((folder) => {
    mkdirSync(join(folder, 'secrets'))
    writeFileSync(join(folder, 'secrets', 'oven'), ' pass word\n')
    const file = join(folder, 'site.yaml')
    writeFileSync(
      file,
      `site: lab
instruments:
  - { id: oven, model: heater, address: http://oven, auth: { user: lab, passwordFile: secrets/oven } }
  - { id: kiln, model: heater, address: http://kiln, auth: { user: lab, passwordEnv: KILN_PASSWORD } }
`,
    )
    const [oven, kiln] = loadSite(file, { env: { KILN_PASSWORD: 'hot' } }).instruments
    assert.deepEqual(oven?.auth, { user: 'lab', password: ' pass word' })
    assert.deepEqual(kiln?.auth, { user: 'lab', password: 'hot' })
  })
})

test('all faults come at once, in the order of the lines, in one error with code CONFIG_INVALID', () => {
  const text = `site: My Lab
lease: 10
web: { listen: 0.0.0.0, prot: 80 }
redis: http://x
instruments:
  - { id: oven, model: heatr, address: http://a }
  - id: oven
    model: heater
    address: gopher://b
    parameters:
      pwer: { min: 1 }
      power: { max: 200 }
`
  inFolder((folder) => {
    const file = join(folder, 'site.yaml')
    writeFileSync(file, text)
    assert.throws(
      () => loadSite(file, { models, env: {} }),
      (error: unknown) => {
        assert.ok(error instanceof SiteFaults)
        assert.equal(error.code, 'CONFIG_INVALID')
        assert.deepEqual(
          error.faults.map(({ line, path }) => `${line} ${path}`),
          [
            '1 site',
            '2 lease',
            '3 web.listen',
            '3 web.prot',
            '4 redis',
            '6 instruments[0].model',
            '7 instruments[1].id',
            '9 instruments[1].address',
            '11 instruments[1].parameters.pwer',
            '12 instruments[1].parameters.power.max',
          ],
        )
        for (const fault of error.faults) {
          assert.equal(fault.file, file)
          assert.ok(error.message.includes(`${file}:${fault.line}:${fault.column} ${fault.path}: `))
        }
        return true
      },
    )
  })
})

test('a faulty environment is told together with a faulty file', () => {
  const faults = faultsOf('site: Lab\ninstruments: []\n', {
    env: { REDIS_URL: 'redis://:secret@a:b:c', GOLEM_LOG_LEVEL: 'loud' },
  })
  assert.deepEqual(faults.map(({ path }) => path).sort(), ['GOLEM_LOG_LEVEL', 'REDIS_URL', 'site'])
  assert.ok(!JSON.stringify(faults).includes('secret'))
})

test('without models a site loads whose models nobody here knows', () => {
  const text = 'site: lab\ninstruments: [{ id: a, model: martian, address: http://a, options: { x: 1 } }]\n'
  assert.equal(loadText(text).instruments[0]?.model, 'martian')
  assert.equal(
    faultsOf(text, {
      models: new Map([
        [heater.id, heater],
        [gauge.id, gauge],
      ]),
    }).length,
    1,
  )
})

test('a site file that is not there is a fault that says how to begin', () => {
  inFolder((folder) => {
    assert.throws(
      () => loadSite(join(folder, 'none.yaml'), { env: {} }),
      /no such file.*site\.example\.yaml/s,
    )
  })
})

test('anchors share a value between instruments', () => {
  const site = loadText(`site: lab
instruments:
  - { id: a, model: heater, address: http://a, parameters: &same { power: { max: 10 } } }
  - { id: b, model: heater, address: http://b, parameters: *same }
`)
  assert.deepEqual(site.instruments[1]?.parameters, { power: { max: 10 } })
})
