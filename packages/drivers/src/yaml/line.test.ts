import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '@golem/core'
import { type LineScript, withScript } from '@golem/transports/testing'
import { act, code, readAll, write } from './line-testing.ts'
import { lineDriver } from './testing.ts'

test('identification takes the right instrument and no other', async () => {
  const driver = lineDriver(`identify: { ask: '*IDN?', pattern: '^ACME,X1,' }
parameters:
  a: { label: A, type: number, read: 'A?' }
`)
  await withScript(driver, [['*IDN?', ' ACME,X1,5,1.0\r']], (io) => driver.identify(io))
  await assert.rejects(
    withScript(driver, [['*IDN?', 'ACME,X2,5,1.0']], (io) => driver.identify(io)),
    code('WRONG_INSTRUMENT', /ACME,X2/),
  )
})

test('the line has the settings of the model', () => {
  const driver = lineDriver(`link:
  send: "\\r"
  receive: "\\r\\n"
  replyTimeout: 1.5 s
  quiet: 50 ms
  gap: 20 ms
  maxLine: 8000
  baudRate: 57600
  dataBits: 7
  parity: odd
  rts: false
  replies: always
parameters:
  a: { label: A, type: number, read: 'A?' }
`)
  assert.deepEqual(driver.link, {
    sendTerminator: '\r',
    receiveTerminator: '\r\n',
    replyTimeoutMs: 1500,
    quietMs: 50,
    gapMs: 20,
    maxLineLength: 8000,
    baudRate: 57600,
    dataBits: 7,
    parity: 'odd',
    rts: false,
  })
  assert.equal(driver.replies, 'always')
})

test('a timed write has the value and the seconds in it, and is acknowledged and read back as a write', async () => {
  const driver = lineDriver(`parameters:
  heat:
    label: Heat
    type: boolean
    map: { on: 'ON', off: 'OFF' }
    safe: false
    read: 'H?'
    readBack: true
    write: { send: 'H {value}', expect: '^ok$' }
    timed: { send: 'H {value} FOR {seconds}', expect: '^ok$', min: 500 ms, max: 10 min }
`)
  const { timed } = driver.parameters['heat'] ?? {}
  assert.ok(timed)
  assert.deepEqual([timed.minMs, timed.maxMs], [500, 600_000])
  const script: LineScript = [
    ['H ON FOR 2.5', 'ok'],
    ['H?', 'ON'],
  ]
  await withScript(driver, script, (io) => timed.write(io, true, 2_500))
  await assert.rejects(
    withScript(
      driver,
      [
        ['H ON FOR 60', 'ok'],
        ['H?', 'OFF'],
      ],
      (io) => timed.write(io, true, 60_000),
    ),
    code('READBACK_MISMATCH'),
  )
})

const READS = `reads:
  measured: { ask: 'MEAS?', separator: ',', fields: [volts, null, amps] }
  status: { ask: 'STAT?', fields: [on, mode] }
  both: { ask: 'APPL?', pattern: '^(?<setVolts>[^,]+),(?<setAmps>[^,]+)$' }
  joined: { join: [x, y] }
parameters:
  volts: { label: Volts, type: number }
  amps: { label: Amps, type: number, scale: 0.001 }
  on: { label: On, type: boolean, bit: 4 }
  mode: { label: Mode, type: choice, bits: [0, 2], map: { cv: 0, cc: 1 } }
  setVolts: { label: Set volts, type: number }
  setAmps: { label: Set amps, type: number }
  x: { label: X, type: number, read: 'X?' }
  y: { label: Y, type: text, read: { ask: 'Y?', separator: ',', field: 2 } }
  one: { label: One, type: number, read: { ask: 'ONE?', pattern: '^ONE=(.*) V$', timeout: 5 s } }
  trace: { label: Trace, type: array, read: 'TRACE?' }
  word: { label: Word, type: choice, choices: [high, low], read: 'WORD?' }
`

test('one exchange fills many parameters: fields, bits, named groups, joined questions', async () => {
  const found = await readAll(lineDriver(READS), [
    ['MEAS?', '1.5,7,250'],
    ['STAT?', '0x0011'],
    ['APPL?', '5.000,1.0'],
    ['X?;Y?', '3;"a;b","c;d"'],
    ['ONE?', 'ONE=4.5 V'],
    ['TRACE?\n', '1,2,-3E0\n'],
    ['WORD?', 'LOW'],
  ])
  assert.deepEqual(found, {
    volts: 1.5,
    amps: 0.25,
    on: true,
    mode: 'cc',
    setVolts: 5,
    setAmps: 1,
    x: 3,
    y: 'c;d',
    one: 4.5,
    trace: [1, 2, -3],
    word: 'low',
  })
})

test('only what is due is asked for', async () => {
  const found = await readAll(
    lineDriver(READS),
    [
      ['MEAS?', '1,2,3'],
      ['ONE?', 'ONE=1 V'],
    ],
    ['amps', 'one'],
  )
  assert.deepEqual(Object.keys(found), ['volts', 'amps', 'one'])
})

for (const [what, asked, answer, due] of [
  ['too few fields', 'MEAS?', '1,2', 'volts'],
  ['too many fields', 'MEAS?', '1,2,3,4', 'volts'],
  ['no number', 'MEAS?', 'x,2,3', 'volts'],
  ['another form', 'ONE?', 'TWO=1 V', 'one'],
  ['an answer too few', 'X?;Y?', '3', 'x'],
  ['a state nobody knows, which is none of a word', 'WORD?', '\u00ff', 'word'],
] as const) {
  test(`an answer with ${what} is REPLY_MALFORMED: it may be the answer to something else`, async () => {
    await assert.rejects(readAll(lineDriver(READS), [[asked, answer]], [due]), code('REPLY_MALFORMED'))
  })
}

test('a word the model does not know, answered twice, is no value of that parameter; the others have theirs', async () => {
  const found = await readAll(
    lineDriver(READS),
    [
      ['MEAS?', '1,2,3'],
      // Of both it does not know: one after the other.
      ['STAT?', '0x13'],
      ['STAT?', '0x13'],
      ['ONE?', 'ONE=1 V'],
      ['WORD?', 'DIOD'],
      ['WORD?', 'DIOD'],
    ],
    ['volts', 'mode', 'one', 'word'],
  )
  const { mode, word, ...others } = found
  assert.deepEqual(others, { volts: 1, amps: 0.003, on: true, one: 1 })
  assert.ok(isFault(mode ?? 0) && isFault(word ?? 0))
  assert.match(JSON.stringify(word), /DIOD/)
})

test('a word the model does not know that is another one when asked again is REPLY_MALFORMED', async () => {
  for (const second of ['HIGH?', '3.5']) {
    const script: LineScript = [
      ['WORD?', 'DIOD'],
      ['WORD?', second],
    ]
    await assert.rejects(readAll(lineDriver(READS), script, ['word']), code('REPLY_MALFORMED', /DIOD/))
  }
  // A disturbed line.
  const found = await readAll(
    lineDriver(READS),
    [
      ['WORD?', 'HIG~'],
      ['WORD?', 'HIGH'],
    ],
    ['word'],
  )
  assert.deepEqual(found, { word: 'high' })
})

const WRITES = `parameters:
  volts: { label: V, type: number, max: 30, format: fixed 2, read: 'V?', write: 'V {value}', readBack: { after: 1 ms }, safe: 0 }
  amps: { label: A, type: number, read: 'A?', write: { send: 'A {value}', settle: 5 ms }, readBack: true, tolerance: 0.1 }
  state: { label: S, type: boolean, write: { send: '{value}', expect: '^ok$', refused: '^error:(?<text>.*)$' }, map: { on: M3, off: M5 } }
  two: { label: T, type: integer, write: { send: ['INST 2', 'T {value}'] } }
`

test('a write is read back, within what its decimals lose', async () => {
  const driver = lineDriver(WRITES)
  await write(driver, 'volts', 1.234, [
    ['V 1.23', null],
    ['V?', '1.230'],
  ])
  await write(driver, 'amps', 1, [
    ['A 1', null],
    ['A?', '1.05'],
  ])
  // Seven digits, as an instrument with single precision has them.
  await write(driver, 'amps', 37_082_039.3, [
    ['A 37082039.3', null],
    ['A?', '3.708204E+07'],
  ])
  assert.equal(driver.parameters['volts']?.safe, 0)
  await assert.rejects(
    write(driver, 'volts', 5, [
      ['V 5.00', null],
      ['V?', '4.99'],
    ]),
    code('READBACK_MISMATCH', /set to 5, but reads back: 4.99/),
  )
  await assert.rejects(
    write(driver, 'amps', 1, [
      ['A 1', null],
      ['A?', '9.91E37'],
    ]),
    code('READBACK_MISMATCH', /no value/),
  )
  await assert.rejects(
    write(driver, 'amps', 1, [
      ['A 1', null],
      ['A?', null],
    ]),
    code('REPLY_TIMEOUT'),
  )
})

test('a write may be acknowledged, or refused, or be several lines', async () => {
  const driver = lineDriver(WRITES)
  await write(driver, 'state', true, [['M3', ['', 'ok']]])
  await assert.rejects(
    write(driver, 'state', false, [['M5', 'error:9 locked']]),
    code('INSTRUMENT_REFUSED', /9 locked/),
  )
  await assert.rejects(write(driver, 'state', true, [['M3', 'what?']]), code('REPLY_TIMEOUT'))
  await write(driver, 'two', 7, [
    ['INST 2', null],
    ['T 7', null],
  ])
  assert.equal(driver.parameters['two']?.readable, false)
})

const ERRORS = `errors: { ask: 'SYST:ERR?', most: 3, parameter: lastError }
start: ['INIT']
parameters:
  v: { label: V, type: number, write: 'V {value}' }
  lastError: { label: Last error, type: text }
actions:
  go: { label: Go, steps: ['GO', { wait: 1 ms }, { check: true }, 'GO ON'] }
  look: { label: Look, result: { type: number, ask: 'LOOK?' } }
`
const NONE = '+0,"No error"'

test('the error queue is emptied after a write; an error is INSTRUMENT_REFUSED with its text', async () => {
  const driver = lineDriver(ERRORS)
  await write(driver, 'v', 1, [
    ['V 1', null],
    ['SYST:ERR?', NONE],
  ])
  await write(driver, 'v', 1, [
    ['V 1', null],
    ['SYST:ERR?', '0  No Error'],
  ])
  await assert.rejects(
    write(driver, 'v', 99, [
      ['V 99', null],
      ['SYST:ERR?', '-222,"Data out of range; 99"'],
      ['SYST:ERR?', '-100,"Command ""error"""'],
      ['SYST:ERR?', NONE],
    ]),
    code('INSTRUMENT_REFUSED', /v = 99: -222 Data out of range; 99; -100 Command "error"\./),
  )
})

test('an error queue without end ends all the same', async () => {
  const endless = Array.from({ length: 3 }, () => ['SYST:ERR?', '-113,"Undefined header"'] as const)
  await assert.rejects(
    write(lineDriver(ERRORS), 'v', 1, [['V 1', null], ...endless]),
    code('INSTRUMENT_REFUSED'),
  )
})

test('a late answer to something else is not taken for an error', async () => {
  await write(lineDriver(ERRORS), 'v', 1, [
    ['V 1', null],
    ['SYST:ERR?', ['5.000,1.000,5.000', NONE]],
  ])
})

test('errors from before the connection are not charged to anybody; those of the start are', async () => {
  const driver = lineDriver(ERRORS)
  const begin = (script: LineScript) => withScript(driver, script, async (io) => driver.initialise?.(io))
  await begin([
    ['SYST:ERR?', '-410,"Query INTERRUPTED"'],
    ['SYST:ERR?', NONE],
    ['INIT', null],
    ['SYST:ERR?', NONE],
  ])
  await assert.rejects(
    begin([
      ['SYST:ERR?', NONE],
      ['INIT', null],
      ['SYST:ERR?', '-113,"Undefined header"'],
      ['SYST:ERR?', NONE],
    ]),
    code('INSTRUMENT_REFUSED', /started with/),
  )
})

test('errors without a command are shown as a reading', async () => {
  const found = await readAll(lineDriver(ERRORS), [
    ['SYST:ERR?', '-222,"Data out of range"'],
    ['SYST:ERR?', NONE],
  ])
  assert.deepEqual(found, { lastError: '-222 Data out of range' })
})

test('an action goes through its steps and looks into the error queue; a mere question does not', async () => {
  const driver = lineDriver(ERRORS)
  await act(driver, 'go', {}, [
    ['GO', null],
    ['SYST:ERR?', NONE],
    ['GO ON', null],
    ['SYST:ERR?', NONE],
  ])
  assert.equal(await act(driver, 'look', {}, [['LOOK?', '4.5']]), 4.5)
  assert.match(String(await act(driver, 'look', {}, [['LOOK?', '9.91E37']])), /no value/)
})

test('what an action does at the end it does after an error too', async () => {
  const driver = lineDriver(`errors: { ask: 'SYST:ERR?' }
parameters:
  v: { label: V, type: number, read: 'V?' }
actions:
  burst:
    label: Burst
    arguments: { count: { label: Count, type: integer, min: 1, max: 9 } }
    steps: ['COUN {count}', { check: true }]
    result: { type: array, ask: 'READ?' }
    finally: ['COUN 1']
`)
  const begin = [
    ['COUN 3', null],
    ['SYST:ERR?', NONE],
    ['SYST:ERR?', NONE],
  ] as const
  const end = [['COUN 1', null]] as const
  const burst = (script: LineScript): Promise<unknown> => act(driver, 'burst', { count: 3 }, script)
  assert.deepEqual(await burst([...begin, ['READ?\n', '1,2,3\n'], ...end, ['SYST:ERR?', NONE]]), [1, 2, 3])
  await assert.rejects(burst([...begin, ['READ?\n', '1,x,3\n'], ...end]), code('REPLY_MALFORMED'))
  await assert.rejects(
    burst([['COUN 3', null], ['SYST:ERR?', '-222,"Data out of range"'], ['SYST:ERR?', NONE], ...end]),
    code('INSTRUMENT_REFUSED', /-222/),
  )
  // What it does at the end is refused.
  await assert.rejects(
    burst([
      ...begin,
      ['READ?\n', '1,2,3\n'],
      ...end,
      ['SYST:ERR?', '-221,"Settings conflict"'],
      ['SYST:ERR?', NONE],
    ]),
    code('INSTRUMENT_REFUSED', /-221/),
  )
})

const STAGE = `pushed:
  - '^<(?<state>\\w+)[|](?:MPos:(?<x>[^,]+),.*)?>$'
  - '^ALARM:(?<alarm>\\d+)$'
reads:
  status: { bytes: '?', pattern: '^<(?<state>\\w+)[|](?:MPos:(?<x>[^,]+),.*)?>$', timeout: 1 s }
makeSafe: [{ bytes: '!' }, { bytes: "\\x18" }]
shutDown: ['M5']
parameters:
  state: { label: State, type: text }
  x: { label: X, type: number }
  alarm: { label: Alarm, type: integer }
actions:
  hold: { label: Hold, steps: [{ bytes: '!' }] }
  home: { label: Home, steps: [{ send: '$H', expect: '^ok$', refused: '^error:', timeout: 2 min }] }
  version: { label: Version, result: { type: text, ask: '$I', pattern: '^\\[VER:(.*)\\]$' } }
`

test('real-time bytes, lines that come between, and what a stop sends first', async () => {
  const driver = lineDriver(STAGE)
  const polled = await withScript(driver, [['?', ['ok', '<Idle|MPos:1.5,0,0>']]], (io) =>
    driver.readAll(io, new Set(['x'])),
  )
  assert.deepEqual(polled.result, { state: 'Idle', x: 1.5 })
  const asked = await withScript(driver, [['$I', ['ALARM:1', '[VER:1.1h]']]], async (io) =>
    driver.actions['version']?.run(io, {}),
  )
  assert.equal(asked.result, '1.1h')
  assert.deepEqual(asked.strays, [{ alarm: 1 }])
  assert.deepEqual(driver.unsolicited?.('<Run|MPos:x,0>'), undefined)
  assert.equal(driver.unsolicited?.('ok'), undefined)
  await withScript(
    driver,
    [
      ['!', null],
      ['\u0018', null],
    ],
    async (io) => driver.makeSafe?.(io),
  )
  await withScript(driver, [['M5', null]], async (io) => driver.shutDown?.(io))
  await act(driver, 'hold', {}, [['!', null]])
})

test('a text with a line end in it is refused before anything is sent', async () => {
  const driver = lineDriver(`parameters:
  name: { label: Name, type: text, quote: double, write: { send: ['SEL 1', 'NAME {value}'] } }
`)
  await write(driver, 'name', 'a "b"', [
    ['SEL 1', null],
    ['NAME "a ""b"""', null],
  ])
  await assert.rejects(write(driver, 'name', 'a\n*RST', []), code('OUT_OF_RANGE'))
})

test('a reading that is none is a fault of that parameter only', async () => {
  const driver = lineDriver(`parameters:
  a: { label: A, type: number, read: 'A?', faults: { '-255': 'There is no sensor.' } }
  b: { label: B, type: number, read: 'B?' }
`)
  const found = await readAll(driver, [
    ['A?', '-255'],
    ['B?', '1'],
  ])
  assert.ok(isFault(found['a'] ?? 0))
  assert.equal(found['b'], 1)
})
