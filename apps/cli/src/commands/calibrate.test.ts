import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Context } from '../context.ts'
import { type CliRun, runForTest, StandInServer } from '../testing.ts'

const LAMP = {
  id: 'lamp',
  label: 'Lamp',
  parameters: {
    white: { label: 'White', type: 'integer', min: 0, max: 100, readable: true, writable: true, safe: 0 },
    flux: {
      label: 'Flux',
      type: 'number',
      unit: 'µmol',
      readable: true,
      writable: false,
      calibration: { name: 'white-flux', from: ['white'] },
    },
  },
  actions: {},
}
const FIT = { rSquared: 0.9991, rmsd: 1.25, residuals: [0.5, -1, 0.5] }
const SAVED = { name: 'white-flux', version: 'abcd1234' }

async function site(
  t: TestContext,
  { answers = [], drafts = [] }: { answers?: string[]; drafts?: unknown[] } = {},
): Promise<{ server: StandInServer; golem: (...argv: string[]) => Promise<CliRun>; folder: string }> {
  const server = await new StandInServer({
    'GET /api/instruments': [LAMP],
    'GET /api/state': {
      at: '',
      instruments: { lamp: { readings: { white: { value: 7, quality: 'good' } } } },
    },
    'GET /api/calibrations': { calibrations: [], drafts },
    'POST /api/calibrations/fit': FIT,
    'POST /api/calibrations': SAVED,
    'POST /api/calibrations/white-flux/points': {},
    'PUT /api/instruments/lamp/reservation': {},
    'DELETE /api/instruments/lamp/reservation': {},
    'POST /api/instruments/lamp/commands': { id: 'c1', state: 'ended', outcome: 'done' },
  }).listen()
  const folder = mkdtempSync(path.join(tmpdir(), 'golem-calibrate-'))
  t.after(() => {
    rmSync(folder, { recursive: true })
    return server.close()
  })
  const person: Partial<Context> =
    answers.length === 0 ? {} : { interactive: true, ask: () => Promise.resolve(answers.shift() ?? 'end') }
  const golem = (...argv: string[]): Promise<CliRun> =>
    runForTest(argv, { env: { GOLEM_URL: server.url }, cwd: folder, ...person })
  return { server, golem, folder }
}

const sent = ({ seen }: StandInServer): unknown[] =>
  seen.flatMap(({ method, path: where, body }) => {
    if (method === 'GET') return []
    const last = where.split('/').at(-1)
    const { value, parameter, inputs } = (body ?? {}) as Record<string, unknown>
    return [
      [
        method,
        last,
        ...(parameter ? [parameter] : []),
        ...(inputs ? [inputs] : []),
        ...(value === undefined ? [] : [value]),
      ],
    ]
  })

test('a sweep: each point is set under a reservation and kept, then the outputs are safe and given back', async (t) => {
  const { server, golem } = await site(t, { answers: ['6', 'much', '281,5', ''] })
  const { code, out, err } = await golem(
    'calibrate',
    'lamp.flux',
    '--sweep',
    'white=0..100/50',
    '--settle',
    '0',
  )
  assert.equal(code, 0, err)
  assert.match(err, /"much" is no number/)
  assert.match(out, /R² 0\.99910, root mean square 1\.25\nsaved: white-flux, version abcd1234/)
  const reserve = ['PUT', 'reservation']
  assert.deepEqual(sent(server), [
    reserve,
    ['POST', 'commands', 'white', 0],
    ['POST', 'points', [0], 6],
    reserve,
    ['POST', 'commands', 'white', 50],
    ['POST', 'points', [50], 281.5],
    reserve,
    ['POST', 'commands', 'white', 100],
    ['POST', 'commands', 'white', 0],
    ['DELETE', 'reservation'],
    ['POST', 'fit'],
    ['POST', 'calibrations'],
  ])
})

test('after a break what was measured is not asked again', async (t) => {
  const drafts = [
    {
      name: 'white-flux',
      of: 'lamp.flux',
      points: [
        { inputs: [0], value: 6 },
        { inputs: [50], value: 281 },
      ],
    },
  ]
  const { server, golem } = await site(t, { answers: ['556'], drafts })
  const { err } = await golem(
    'calibrate',
    'lamp.flux',
    '--sweep',
    'white=0..100/50',
    '--settle',
    '0',
    '--dry-run',
  )
  assert.match(err, /2 points were measured before/)
  assert.deepEqual(sent(server).slice(0, 3), [
    ['PUT', 'reservation'],
    ['POST', 'commands', 'white', 100],
    ['POST', 'points', [100], 556],
  ])
  assert.ok(
    !server.seen.some(({ method, path: where }) => method === 'POST' && where === '/api/calibrations'),
  )
})

test('a table of points, in the ways spreadsheets write them', async (t) => {
  for (const text of [
    'white,flux\n0,6\n50,281\n100,556.5\n',
    '# meter 3\nwhite;flux\r\n0;6\r\n50;281\r\n\r\n100;556,5',
    '0\t6\n50\t281\n100\t556,5',
  ]) {
    const { server, golem, folder } = await site(t)
    writeFileSync(path.join(folder, 'p.csv'), text)
    const { code, err } = await golem('calibrate', 'lamp.flux', '--points', 'p.csv', '--note', 'meter 3')
    assert.equal(code, 0, err)
    const { body } = server.seen.at(-1) ?? {}
    assert.deepEqual(body, {
      name: 'white-flux',
      of: 'lamp.flux',
      kind: 'linear',
      points: [
        { inputs: [0], value: 6 },
        { inputs: [50], value: 281 },
        { inputs: [100], value: 556.5 },
      ],
      unit: 'µmol',
      note: 'meter 3',
    })
  }
})

test('what can not be calibrated is said, and nothing is done', async (t) => {
  const faulty: [string[], RegExp][] = [
    [['lamp.white'], /No calibration makes lamp.white. Of lamp they make: flux/],
    [['lamp.flux'], /Nobody is at the terminal/],
    [['lamp.flux', '--points', 'none.csv'], /can't be read/],
    [['lamp.flux', '--points', 'p.csv'], /Line 2 is no point: "1,2,3"/],
    [['lamp.flux', '--kind', 'spline'], /spline/],
  ]
  for (const [argv, words] of faulty) {
    const { server, golem, folder } = await site(t)
    writeFileSync(path.join(folder, 'p.csv'), '0,1\n1,2,3\n')
    const { code, err } = await golem('calibrate', ...argv)
    assert.notEqual(code, 0)
    assert.match(err, words)
    assert.deepEqual(sent(server), [])
  }
  for (const [sweep, words] of [
    ['white=0-100', /is no sweep/],
    ['red=0..100/10', /not made of "red"/],
    ['white=0..100/0.01', /at most 200/],
  ] as const) {
    const { server, golem } = await site(t, { answers: ['1'] })
    const { err } = await golem('calibrate', 'lamp.flux', '--sweep', sweep)
    assert.match(err, words)
    assert.deepEqual(sent(server), [])
  }
})
