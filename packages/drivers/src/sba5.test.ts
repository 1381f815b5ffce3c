import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GolemError, type LineDriver, type LineIo, type Readings } from '@golem/core'
import { type LineScript, withScript } from '@golem/transports/testing'
import { sba5 } from './sba5.ts'

const create = (options: Record<string, unknown> = {}): LineDriver => sba5.create(options) as LineDriver

const M = 'M 50885 48094 500.96 55.0 0.0 0.0 829 55.0 55.0 00'

/** A command, its echo and OK. */
const ok = (text: string): LineScript[number] => [text, [text, 'OK']]
const CONFIGURE: LineScript = [ok('F252'), ok('C2'), ok('P1')]
/** Identified while it measures, then initialised. */
const START: LineScript = [['M', M], ['!', null], ...CONFIGURE]

async function start(driver: LineDriver, script: LineScript = START): Promise<void> {
  await withScript(driver, script, async (io) => {
    await driver.identify(io)
    await driver.initialise?.(io)
  })
}

const poll = async (driver: LineDriver, script: LineScript): Promise<Readings> =>
  (await withScript(driver, script, (io) => driver.readAll(io, new Set()))).result

const code =
  (wanted: string) =>
  (error: unknown): boolean =>
    error instanceof GolemError && error.code === wanted

test('initialising sets mask, decimals and pump, in this order, after ending the continuous display', async () => {
  await start(create())
})

test('the options of the site are set too, the length of a zero before the time between zeros', async () => {
  await start(create({ zeroEveryMinutes: 30, zeroLength: 'M', decimals: 0 }), [
    ['M', M],
    ['!', null],
    ok('F252'),
    ok('C0'),
    ok('P1'),
    ok('EM'),
    ok('A30'),
  ])
})

test('a measurement gives values by name; a humidity sensor that is not fitted gives none', async () => {
  const driver = create()
  await start(driver)
  assert.deepEqual(await poll(driver, [['M', M]]), {
    co2: 500.96,
    state: 'measuring',
    status: 'no fault',
    temperature: 55,
    pressure: 829,
    detectorTemperature: 55,
    sourceTemperature: 55,
    pump: true,
  })
  const fitted = await poll(driver, [['M', 'M 1 2 400.00 55.0 12.5 24.50 1001 55.1 54.9 0']])
  assert.deepEqual([fitted['humidity'], fitted['humiditySensorTemperature']], [12.5, 24.5])
  const gone = await poll(driver, [['M', M]])
  assert.equal(typeof gone['humidity'], 'object')
})

test('echoes of single characters are passed over', async () => {
  const driver = create()
  await start(driver, [['M', ['M', M]], ['!', ['!', 'OK']], ...CONFIGURE])
  assert.equal((await poll(driver, [['M', ['M', 'OK', M]]]))['co2'], 500.96)
})

test('a status that tells of a fault makes CO2 no value; the low CO2 alarm does not', async () => {
  const driver = create()
  await start(driver)
  const hot = await poll(driver, [['M', M.replace(/00$/, '03')]])
  assert.equal(hot['state'], 'fault')
  assert.match(JSON.stringify(hot['co2']), /above its set point/)
  const low = await poll(driver, [['M', M.replace(/00$/, '4')]])
  assert.deepEqual([low['state'], low['co2']], ['measuring', 500.96])
  const unknown = await poll(driver, [['M', M.replace(/00$/, '17')]])
  assert.deepEqual([unknown['state'], unknown['status']], ['fault', 'unknown status 17'])
})

for (const line of [
  'M 50885 48094 500.96',
  'M 50885 48094 5x0.96 55.0 0.0 0.0 829 55.0 55.0 00',
  `${M} 1 2`,
  'M 50885 48094 500.96 55.0 0.0 0.0 829 55.0 55.0 ??',
  'Z,nonsense',
]) {
  test(`the line "${line}" is REPLY_MALFORMED`, async () => {
    const driver = create()
    await start(driver)
    await assert.rejects(poll(driver, [['M', line]]), code('REPLY_MALFORMED'))
    assert.equal(driver.unsolicited?.(line), undefined)
  })
}

test('a checksum behind the line and the extra value of J1 are understood', async () => {
  const driver = create()
  await start(driver)
  assert.equal((await poll(driver, [['M', `${M},043C`]]))['co2'], 500.96)
  assert.equal((await poll(driver, [['M', M.replace(/00$/, '812.5 00')]]))['co2'], 500.96)
})

test('while it warms up it is not asked; its lines tell the state; then it is configured and measures', async () => {
  const driver = create()
  await start(driver, [
    ['M', 'W,43.1'],
    ['!', null],
  ])
  assert.deepEqual(await poll(driver, [[null, 'W,44.0']]), {
    state: 'warming',
    status: 'warming up',
    warmupTemperature: 44,
  })
  // A line that came by itself has been handed over already, at its own time.
  assert.deepEqual(driver.unsolicited?.('W,54.9'), {
    state: 'warming',
    status: 'warming up',
    warmupTemperature: 54.9,
  })
  assert.deepEqual(await poll(driver, []), {})
  const first = await poll(driver, [[null, null], ['M', M], ...CONFIGURE, ['M', M]])
  assert.deepEqual([first['co2'], first['pump']], [500.96, true])
})

test('while it zeroes it is not asked; after the last step it is', async () => {
  const driver = create()
  await start(driver)
  assert.deepEqual(driver.unsolicited?.('Z,1 of 25'), {
    state: 'zeroing',
    status: 'zero: 1 of 25',
    zeroProgress: 4,
  })
  assert.deepEqual(await poll(driver, []), { pump: true })
  assert.equal((await poll(driver, [[null, 'Z,2 of 25']]))['state'], 'zeroing')
  assert.equal((await poll(driver, [[null, 'Z,25 of 25']]))['state'], 'measuring')
  assert.equal((await poll(driver, [['M', M]]))['co2'], 500.96)
})

test('a zero that begins between question and answer is no error', async () => {
  const driver = create()
  await start(driver)
  assert.equal((await poll(driver, [['M', 'Z,1 of 25']]))['state'], 'zeroing')
})

test('an analyser that was switched off meanwhile is configured again after its warm-up', async () => {
  const driver = create({ zeroEveryMinutes: 0 })
  const all: LineScript = [...CONFIGURE, ok('A0')]
  await start(driver, [['M', M], ['!', null], ...all])
  driver.unsolicited?.('W,30.0')
  assert.deepEqual(await poll(driver, []), {})
  assert.equal((await poll(driver, [[null, null], ['M', M], ...all, ['M', M]]))['zeroEvery'], 0)
})

for (const [name, value, text] of [
  ['pump', false, 'P0'],
  ['pumpPower', 80, 'S,9,80'],
  ['zeroEvery', 0, 'A0'],
  ['zeroLength', 'L', 'EL'],
  ['averagingLimit', 6.5, 'B6.5'],
] as const) {
  test(`${name} is sent as ${text}, shown once acknowledged, and set again with the next initialisation`, async (t) => {
    const driver = create()
    await start(driver)
    const { strays } = await withScript(driver, [[text, ['Z,1 of 2', text, 'Z,2 of 2', 'OK']]], async (io) =>
      driver.parameters[name]?.write?.(io, value),
    )
    assert.equal(strays.length, 2)
    assert.equal((await poll(driver, [['M', M]]))[name], value)
    const again = name === 'pump' ? [ok('F252'), ok('C2'), ok('P0')] : [...CONFIGURE, ok(text)]
    const now = performance.now()
    t.mock.method(performance, 'now', () => now + 10_001)
    await start(driver, [['M', M], ['!', null], ...again])
  })
}

test('the time between zeros is not set again after a short silence: that would start a zero', async () => {
  const driver = create({ zeroEveryMinutes: 30 })
  await start(driver, [...START, ok('A30')])
  await poll(driver, [[null, 'Z,25 of 25']])
  await start(driver)
  assert.equal((await poll(driver, [['M', M]]))['zeroEvery'], 30)
})

test('a command without its echo, or without OK, is a time-out, and its value is not known then', async () => {
  const driver = create()
  await start(driver)
  const stopPump = (io: LineIo): Promise<void> | undefined => driver.parameters['pump']?.write?.(io, false)
  await assert.rejects(
    withScript(driver, [['P0', 'OK']], async (io) => stopPump(io)),
    code('REPLY_TIMEOUT'),
  )
  await assert.rejects(
    withScript(driver, [['P0', 'P0']], async (io) => stopPump(io)),
    code('REPLY_TIMEOUT'),
  )
  assert.equal((await poll(driver, [['M', M]]))['pump'], undefined)
})

test('zero is done when its first line or its echo comes', async () => {
  for (const answer of ['Z,1 of 25', 'Z']) {
    const driver = create()
    await start(driver)
    await withScript(driver, [['Z', answer]], async (io) => driver.actions['zero']?.run(io, {}))
    assert.equal((await poll(driver, [[null, 'Z,2 of 25']]))['state'], 'zeroing')
  }
  const silent = create()
  await assert.rejects(
    withScript(silent, [['Z', null]], async (io) => silent.actions['zero']?.run(io, {})),
    code('REPLY_TIMEOUT'),
  )
})

test('any SBA-5 line identifies it; something else is WRONG_INSTRUMENT; silence is a time-out', async () => {
  for (const line of [M, 'W,43.1', 'Z,3 of 25', 'M 1 2 3']) {
    await withScript(create(), [['M', ['half a li', line]]], (io) => create().identify(io))
  }
  await assert.rejects(
    withScript(create(), [['M', '+1.234E+00']], (io) => create().identify(io)),
    code('WRONG_INSTRUMENT'),
  )
  await assert.rejects(
    withScript(create(), [['M', ['M', 'OK']]], (io) => create().identify(io)),
    code('REPLY_TIMEOUT'),
  )
})

test('streamed: it is told to send by itself; a poll waits only if nothing has come since the last', async () => {
  const driver = create({ mode: 'streamed' })
  await start(driver, [...START, ['@', null]])
  const inWords = M.replace(/00$/, 'None')
  assert.equal(driver.unsolicited?.(inWords)?.['co2'], 500.96)
  assert.deepEqual(await poll(driver, []), { pump: true })
  const waited = await poll(driver, [[null, inWords]])
  assert.deepEqual([waited['co2'], waited['status']], [500.96, 'None'])
  const bad = driver.unsolicited?.(M.replace(/00$/, 'Zero counts low'))
  assert.equal(bad?.['state'], 'fault')
  await poll(driver, [])
  await assert.rejects(poll(driver, [[null, null]]), code('REPLY_TIMEOUT'))
})
