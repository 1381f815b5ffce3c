import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GolemError, isFault, type LineDriver, type Readings } from '@golem/core'
import { type LineScript, withScript } from '@golem/transports/testing'
import { grbl } from './grbl.ts'
import { parseStatus } from './grbl-lines.ts'

const OPTIONS = { travel: { x: [0, 200], y: [0, 200], z: [-50, 0] }, maxSpindle: 10_000 }
const create = (options: Record<string, unknown> = OPTIONS): LineDriver => grbl.create(options) as LineDriver

const status = (state: string, x: number, more = ''): string =>
  `<${state}|MPos:${x.toFixed(3)},0.000,-5.000|FS:0,0${more}>`
const IDLE = status('Idle', 0)
const INITIALISE: LineScript = [
  ['$', ['[HLP:$$ $# $G]', 'ok']],
  ['$I', ['[VER:1.1h.20190830:]', '[OPT:V,15,128]', 'ok']],
  ['$$', ['$10=1', '$13=0', '$130=200.000', 'ok']],
]
const START: LineScript = [['?', IDLE], ...INITIALISE]

async function started(script: LineScript = START, options = OPTIONS): Promise<LineDriver> {
  const driver = create(options)
  await withScript(driver, script, async (io) => {
    await driver.identify(io)
    await driver.initialise?.(io)
  })
  return driver
}

/** Connected, and it has found its home. */
async function homed(): Promise<LineDriver> {
  const driver = await started()
  await act(driver, 'home', {}, [['$H', 'ok']])
  return driver
}

const poll = async (driver: LineDriver, script: LineScript): Promise<Readings> =>
  (await withScript(driver, script, (io) => driver.readAll(io, new Set()))).result

const act = (
  driver: LineDriver,
  action: string,
  args: Record<string, string | number | boolean>,
  script: LineScript,
): Promise<{ strays: Readings[] }> =>
  withScript(driver, script, async (io) => driver.actions[action]?.run(io, args))

const write = (
  driver: LineDriver,
  name: string,
  value: number,
  script: LineScript,
): Promise<{ strays: Readings[] }> =>
  withScript(driver, script, async (io) => driver.parameters[name]?.write?.(io, value))

const code =
  (wanted: string, message = /./) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof GolemError, String(error))
    assert.equal(error.code, wanted, error.message)
    assert.match(error.message, message)
    return true
  }

test('a report gives state, speed and positions; nobody knows the position before home or an operator', async () => {
  const driver = await started()
  const found = await poll(driver, [['?', status('Idle', 12.5, '|WCO:2.500,0.000,0.000')]])
  assert.ok(isFault(found['x'] ?? 0) && isFault(found['workX'] ?? 0))
  assert.deepEqual([found['state'], found['positionKnown'], found['alarm']], ['Idle', false, ''])
  await act(driver, 'acceptPosition', {}, [['?', status('Idle', 12.5)]])
  const known = await poll(driver, [['?', status('Idle', 12.5, '|Ov:100,100,100')]])
  assert.deepEqual([known['x'], known['workX'], known['z']], [12.5, 10, -5])
  assert.deepEqual([known['positionKnown'], known['feedOverride']], [true, 100])
})

test('a report that is missing is asked for again; five missing ones are a time-out', async () => {
  const driver = await started()
  const found = await poll(driver, [
    ['?', null],
    ['?', null],
    ['?', IDLE],
  ])
  assert.equal(found['state'], 'Idle')
  const missing: LineScript = Array.from({ length: 5 }, () => ['?', null] as const)
  await assert.rejects(poll(driver, missing), code('REPLY_TIMEOUT'))
})

test('a board that boots says welcome, one that is something else is refused', async () => {
  await started([['?', null], ['?', ['', "Grbl 1.1h ['$' for help]"]], ...INITIALISE])
  await assert.rejects(
    started([['?', 'RIGOL TECHNOLOGIES,DP832,DP8,00.01']]),
    code('WRONG_INSTRUMENT', /RIGOL/),
  )
})

test('an ok that was owed for something older is not taken for an answer', async () => {
  await started([
    ['?', IDLE],
    ['$', ['ok', '[HLP:]', 'ok']],
    ['$I', ['ok', '[VER:1.1h:]', 'ok']],
    ['$$', ['$13=0', 'ok']],
  ])
})

test('a controller that reports in inches is read in millimetres', async () => {
  const driver = await started([
    ['?', IDLE],
    ['$', 'ok'],
    ['$I', ['[VER:1.1h:]', 'ok']],
    ['$$', ['$13=1', 'ok']],
  ])
  await act(driver, 'home', {}, [['$H', 'ok']])
  const found = await poll(driver, [['?', '<Idle|MPos:1.000,0.000,0.000|FS:10,0>']])
  assert.deepEqual([found['x'], found['feed']], [25.4, 254])
})

test('a movement is waited for; what is reported on the way becomes readings', async () => {
  const driver = await homed()
  const { strays } = await write(driver, 'x', 50, [
    ['G21G90G53G1X50.000F500', 'ok'],
    ['?', status('Run', 20)],
    ['?', null],
    ['?', status('Run', 40)],
    ['?', status('Idle', 50)],
  ])
  assert.deepEqual(
    strays.map(({ state, x }) => [state, x]),
    [
      ['Run', 20],
      ['Run', 40],
    ],
  )
})

test('a movement that ends elsewhere, in an alarm or in a reset is no success', async () => {
  const driver = await homed()
  const line = 'G21G90G53G1X50.000F500'
  const elsewhere: LineScript = [
    [line, 'ok'],
    ...Array.from({ length: 3 }, () => ['?', status('Idle', 20)] as const),
  ]
  await assert.rejects(write(driver, 'x', 50, elsewhere), code('INTERRUPTED', /Idle at 20/))
  await assert.rejects(
    write(driver, 'x', 50, [
      [line, 'ok'],
      ['?', status('Hold:0', 30)],
    ]),
    code('INTERRUPTED', /Hold/),
  )
  await assert.rejects(
    write(driver, 'x', 50, [
      [line, 'ok'],
      ['?', ['ALARM:1', '[MSG:Reset to continue]']],
    ]),
    code('INTERRUPTED', /limit switch/),
  )
  assert.equal((await poll(driver, [['?', IDLE]]))['positionKnown'], false)
  await act(driver, 'home', {}, [['$H', 'ok']])
  await assert.rejects(
    write(driver, 'x', 50, [[line, ['', "Grbl 1.1h ['$' for help]"]]]),
    code('INTERRUPTED', /reset/),
  )
})

test('errors are told with their meaning; nothing moves while the position is not known', async () => {
  const driver = await started()
  await assert.rejects(write(driver, 'x', 50, []), code('INSTRUMENT_REFUSED', /not known/))
  await assert.rejects(
    act(driver, 'home', {}, [['$H', 'error:5']]),
    code('INSTRUMENT_REFUSED', /limit switches/),
  )
  await assert.rejects(
    act(driver, 'unlock', {}, [['$X', 'error:79']]),
    code('INSTRUMENT_REFUSED', /error:79/),
  )
  await assert.rejects(act(driver, 'home', {}, [['$H', 'ALARM:9']]), code('INTERRUPTED', /no limit switch/))
})

test('a stop is a hold and a reset in one go, and it counts only when the welcome has come', async () => {
  const driver = await homed()
  const stop = (script: LineScript): Promise<unknown> =>
    withScript(driver, script, async (io) => driver.makeSafe?.(io))
  await assert.rejects(stop([['!\x18', null]]), code('REPLY_TIMEOUT'))
  await stop([['!\x18', ['ALARM:3', '', "Grbl 1.1h ['$' for help]"]]])
  const found = await poll(driver, [['?', status('Alarm', 20)]])
  assert.deepEqual([found['positionKnown'], found['state']], [false, 'Alarm'])
  const x = found['x'] ?? 0
  assert.ok(isFault(x))
  assert.match(x.fault, /not known/)
})

test('alarms and messages that come by themselves become readings', async () => {
  const driver = await homed()
  const found = driver.unsolicited?.('ALARM:1')
  assert.equal(found?.['state'], 'Alarm')
  assert.equal(found?.['alarm'], 'ALARM:1: a limit switch was hit')
  assert.equal(found?.['positionKnown'], false)
  assert.equal((await poll(driver, [['?', status('Idle', 20)]]))['message'], '', 'none yet is none')
  assert.deepEqual(driver.unsolicited?.('[MSG:Reset to continue]'), { message: 'Reset to continue' })
  assert.equal((await poll(driver, [['?', status('Alarm', 20)]]))['message'], 'Reset to continue')
  assert.equal(driver.unsolicited?.('ok'), undefined)
})

test('a jog stays within the travel; one that begins while it moves is refused', async () => {
  const driver = await homed()
  const jog = (distance: number, script: LineScript): Promise<unknown> =>
    act(driver, 'jog', { axis: 'x', distance, feed: 300 }, script)
  await jog(-10, [
    ['?', status('Idle', 20)],
    ['$J=G21G91X-10.000F300', 'ok'],
  ])
  await assert.rejects(
    jog(-30, [['?', status('Idle', 20)]]),
    code('INSTRUMENT_REFUSED', /-10.000 mm, outside/),
  )
  await assert.rejects(jog(5, [['?', status('Jog', 20)]]), code('INSTRUMENT_REFUSED', /state Jog/))
})

test('an override goes there in steps, and is read back', async () => {
  const driver = await homed()
  const steps: LineScript = ['\x90', '\x92', '\x92', '\x94'].map((byte) => [byte, null])
  await write(driver, 'feedOverride', 79, [...steps, ['?', IDLE], ['?', status('Idle', 0, '|Ov:79,100,100')]])
  // Of two steps that arrived at once one was taken; the first report is older than what it has taken.
  const shows = (percent: number): LineScript[number] => ['?', status('Idle', 0, `|Ov:${percent},100,100`)]
  await write(driver, 'feedOverride', 130, [
    ...['\x90', '\x91', '\x91', '\x91'].map((byte): LineScript[number] => [byte, null]),
    shows(110),
    shows(120),
    ['\x91', null],
    shows(120),
    shows(130),
  ])
  const stays: LineScript = ['?', '?'].map((ask) => [ask, status('Idle', 0, '|Ov:79,100,100')])
  const again: LineScript = [['\x9a', null], ...stays]
  await assert.rejects(
    write(driver, 'spindleOverride', 110, [['\x99', null], ...again, ...again, ...again, ...again]),
    code('READBACK_MISMATCH', /100 %/),
  )
})

test('spoilt reports are none; a whole one behind the half of another counts', () => {
  assert.equal(parseStatus(`<Idle|MPos:9.000,0.0${status('Run', 3)}`)?.state, 'Run')
  for (const line of [
    '<Idle|MPos:0.0,0.0',
    '<Idle>',
    '<Idle|MPos:0.0,x,0.0|FS:0,0>',
    '<Nope|MPos:0,0,0>',
    'ok',
  ]) {
    assert.equal(parseStatus(line), undefined, line)
  }
  assert.deepEqual(parseStatus('<Hold:1|WPos:1.000,2.000,3.000|F:5|Pn:XYZ>'), {
    state: 'Hold',
    work: [1, 2, 3],
    feed: 5,
  })
})
