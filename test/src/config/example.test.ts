import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadSite } from '@golem/config'
import { inFolder } from '@golem/config/testing'
import { loadModels } from '@golem/drivers'
import { ROOT } from '../kit/root.ts'

/** site.example.yaml as it is when somebody takes every example of an address. */
function withAllExamples(): string {
  const text = readFileSync(join(ROOT, 'instance', 'site.example.yaml'), 'utf8')
  const [before = '', examples = ''] = text.split('# One of each kind of address.')
  const taken = examples
    .split('\n')
    .slice(1)
    // Keys and list items; what stands between them is prose.
    .map((line) => (/^ {2}# (- id:| {2})/.test(line) ? line.replace('# ', '') : ''))
  return `${before}\n${taken.join('\n')}`
}

/** site.example.yaml as it is when somebody takes away the "# " before one key and what belongs to it. */
function withTaken(key: string): string {
  const text = readFileSync(join(ROOT, 'instance', 'site.example.yaml'), 'utf8')
  const [before = '', rest = ''] = text.split(`# ${key}:\n`)
  const end = rest.indexOf('\n\n')
  return `${before}${key}:\n${rest.slice(0, end).replaceAll(/^# /gm, '')}${rest.slice(end)}`
}

test('each example of an address in site.example.yaml is one that golem takes', async () => {
  const loaded = await loadModels(join(ROOT, 'instance'))
  inFolder((folder) => {
    const file = join(folder, 'site.yaml')
    writeFileSync(file, withAllExamples())
    const { instruments } = loadSite(file, { models: loaded.models, env: { MQTT_PASSWORD: 'secret' } })
    assert.deepEqual(
      instruments.map(({ id, endpoint }) => `${id} ${endpoint.kind}`),
      [
        'chamber-relays http',
        'supply tcp',
        'meter tcp',
        'scope usbtmc',
        'cryostat serial',
        'oven-1 modbus',
        'oven-2 modbus',
        'stage serial',
        'pump-plug mqtt',
      ],
    )
    const [oven1, oven2] = instruments.filter(({ id }) => id.startsWith('oven'))
    assert.equal(oven1?.link, oven2?.link)
    assert.equal(instruments[1]?.gateway?.port, 5025)
  })
  await loaded.close()
})

test('the schedules of site.example.yaml are such that golem takes them', () => {
  inFolder((folder) => {
    const file = join(folder, 'site.yaml')
    writeFileSync(file, withTaken('schedules'))
    const { schedules } = loadSite(file, { env: {} })
    assert.deepEqual(
      schedules.map(({ id, when }) => `${id} ${when.kind}`),
      ['airing every', 'relay-test at'],
    )
  })
})

test('the interlocks of site.example.yaml are such that golem takes them', async () => {
  const loaded = await loadModels(join(ROOT, 'instance'))
  inFolder((folder) => {
    const file = join(folder, 'site.yaml')
    writeFileSync(file, withTaken('interlocks'))
    const { interlocks } = loadSite(file, { models: loaded.models, env: {} })
    assert.deepEqual(
      interlocks.map(({ name, stale, latch }) => `${name} ${stale} ${latch ? 'latches' : 'ends by itself'}`),
      ['too-hot ignore latches', 'valve-needs-reading refuse ends by itself'],
    )
  })
  await loaded.close()
})

test('alarms and notifiers of site.example.yaml are such that golem takes them', async () => {
  const loaded = await loadModels(join(ROOT, 'instance'))
  inFolder((folder) => {
    const file = join(folder, 'site.yaml')
    writeFileSync(file, withTaken('notify'))
    const env = { SMTP_PASSWORD: 'a', TELEGRAM_TOKEN: 'b' }
    const { notify, instruments } = loadSite(file, { models: loaded.models, env })
    assert.deepEqual(
      notify.map(({ name, target }) => `${name} ${target.kind}`),
      ['mail email', 'on-call telegram'],
    )
    const { alarms } = instruments[0]?.parameters['internalTemperature'] ?? {}
    assert.deepEqual(
      alarms?.map(({ kind }) => kind),
      ['highHigh', 'high', 'stale'],
    )
  })
  await loaded.close()
})
