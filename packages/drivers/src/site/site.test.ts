import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '@golem/config'
import {
  type Driver,
  GolemError,
  type HttpDriver,
  type LineDriver,
  type LineIo,
  type Readings,
} from '@golem/core'
import { loadSiteDrivers, type SiteDrivers } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'golem-drivers-'))
const open: SiteDrivers[] = []
after(async () => {
  for (const each of open) await each.close()
  rmSync(folder, { recursive: true })
})
let count = 0

/** Loads files, each with what its model has beside the usual. @param createMs - how long `create` may take */
async function load(
  files: Record<string, string>,
  createMs?: number,
): Promise<SiteDrivers & { told: string[] }> {
  const place = join(folder, String((count += 1)))
  mkdirSync(place)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(place, name), text)
  const told: string[] = []
  const onFault = (fault: Fault): void => void told.push(`${fault.line}: ${fault.message}`)
  const drivers = await loadSiteDrivers(place, onFault, createMs)
  open.push(drivers)
  return { ...drivers, told }
}

/** A driver file for a line. @param parts - of the driver @param before - code at the top of the file */
function lineFile(parts: string, before = ''): string {
  return `import { defineModel, fault, GolemError } from '@golem/core'
${before}
export default defineModel({
  id: 'oven', label: 'Oven', kind: 'oven', source: 'its manual', transport: 'line',
  optionsSchema: { type: 'object', properties: { zone: { type: 'number' } }, additionalProperties: false },
  create: (options) => ({
    transport: 'line',
    link: { sendTerminator: '\\n', receiveTerminator: '\\n', replyTimeoutMs: 500, quietMs: 50 },
    parameters: { heat: { label: 'Heat', type: 'number', unit: '°C', safe: 0, write: async (io, value) => {
      await io.send('HEAT ' + String(value))
    }, timed: { minMs: 1000, maxMs: 9000, write: async (io, value, ms) => io.send('HEAT ' + String(value) + ' FOR ' + String(ms)) } } },
    actions: {},
    identify: async (io): Promise<void> => { await io.ask('*IDN?') },
    readAll: async (io) => ({ heat: Number(await io.ask('HEAT?')) }),
    ${parts}
  }),
})
`
}

async function made(parts: string, before?: string): Promise<LineDriver> {
  const { models, faults } = await load({ 'oven.ts': lineFile(parts, before) })
  assert.deepEqual(faults, [])
  return models[0]!.create({}) as LineDriver
}

/** An io that answers each question as it is told and keeps what was sent. */
function ioOf(answers: Record<string, string>): LineIo & { sent: string[]; next: string[] } {
  const sent: string[] = []
  const next: string[] = []
  const take = (): Promise<string> => {
    const line = next.shift()
    return line === undefined
      ? Promise.reject(new GolemError('REPLY_TIMEOUT', 'no answer'))
      : Promise.resolve(line)
  }
  return {
    sent,
    next,
    send: async (line) => void sent.push(line),
    ask: async (line) => {
      sent.push(line)
      next.push(...(answers[line]?.split('|') ?? []))
      return take()
    },
    expect: () => take(),
    askBytes: async (bytes, { complete }) => {
      sent.push(Buffer.from(bytes).toString('latin1'))
      const all = Buffer.from('#15HELLOrest')
      for (let length = 1; length <= all.length; length += 1) {
        const done = complete(all.subarray(0, length))
        if (done !== undefined) return all.subarray(0, done)
      }
      throw new GolemError('REPLY_TIMEOUT', 'incomplete')
    },
    sendBytes: async (bytes) => void sent.push(Buffer.from(bytes).toString('latin1')),
    sleep: (ms) => sleep(ms),
  }
}

const all = new Set(['heat'])
const oven = { '*IDN?': 'OVEN', 'HEAT?': '21.5' }

test('a driver in TypeScript is loaded without a build step, and its functions run on the io they are given', async () => {
  const driver = await made('')
  const io = ioOf(oven)
  await driver.identify(io)
  assert.deepEqual(await driver.readAll(io, all), { heat: 21.5 })
  await driver.parameters['heat']!.write!(io, 40)
  const { timed } = driver.parameters['heat']!
  assert.deepEqual([timed?.minMs, timed?.maxMs], [1000, 9000])
  await timed!.write(io, 40, 5000)
  assert.deepEqual(io.sent, ['*IDN?', 'HEAT?', 'HEAT 40', 'HEAT 40 FOR 5000'])
  assert.equal(driver.parameters['heat']!.unit, '°C')
})

test('a folder that is not there has no drivers', async () => {
  assert.deepEqual((await loadSiteDrivers(join(folder, 'none'))).models, [])
})

test('faults of a file have its line: syntax, imports, an exception at import, no model, another id', async () => {
  const { faults, models } = await load({
    'syntax.ts': 'export const a = 1\nconst b: = 2\n',
    'enum.ts': 'enum A { B }\nexport default A\n',
    'other.mjs': "\nimport x from 'left-pad'\nexport default x\n",
    'relative.ts': "import {\n  x,\n} from './x.ts'\nexport default x\n",
    'throws.ts': "const a: number = 1\n\nthrow new Error('no ' + a)\n",
    'nothing.mjs': 'export const a = 1\n',
    'exits.mjs': '\n\nprocess.exit(3)\n',
    'kiln.ts': lineFile(''),
    'oven.ts': lineFile(''),
  })
  const told = Object.fromEntries(
    faults.map(({ file, line, message }) => [file.split('/').at(-1), [line, message]]),
  )
  assert.deepEqual(told, {
    'syntax.ts': [2, told['syntax.ts']?.[1]],
    'enum.ts': [1, 'TypeScript enum is not supported in strip-only mode.'],
    'other.mjs': [
      2,
      'It imports "left-pad". A driver is one file and imports from @golem/core and node: only.',
    ],
    'relative.ts': [
      3,
      'It imports "./x.ts". A driver is one file and imports from @golem/core and node: only.',
    ],
    'throws.ts': [3, 'loading it failed: no 1 (line 3).'],
    'nothing.mjs': [1, told['nothing.mjs']?.[1]],
    'exits.mjs': [3, told['exits.mjs']?.[1]],
    'kiln.ts': [1, told['kiln.ts']?.[1]],
  })
  assert.match(String(told['syntax.ts']?.[1]), /^Unexpected token/)
  assert.match(String(told['nothing.mjs']?.[1]), /no model as its default export/)
  assert.match(String(told['exits.mjs']?.[1]), /called process\.exit\(3\) \(line 3\)/)
  assert.match(String(told['kiln.ts']?.[1]), /has the id "oven"\. Call it "kiln"/)
  // Each file has a model all the same, which says why it can't be used.
  assert.deepEqual(models.map(({ id }) => id).sort(), [
    'enum',
    'exits',
    'kiln',
    'nothing',
    'other',
    'oven',
    'relative',
    'syntax',
    'throws',
  ])
  const throws = models.find(({ id }) => id === 'throws')!
  assert.throws(() => throws.create({}), { code: 'INTERNAL', message: /drivers\/throws\.ts:3: .*no 1/ })
})

test('an error with a code keeps it; any other names file, function and line', async () => {
  const driver = await made(`
    initialise: async () => { throw new GolemError('INSTRUMENT_REFUSED', 'It said no.') },
    makeSafe: async (io) => { await io.expect() },
    readAll: async () => { (undefined as never as string[]).join('') },
  `)
  const io = ioOf(oven)
  await assert.rejects(driver.initialise!(io), { code: 'INSTRUMENT_REFUSED', message: 'It said no.' })
  await assert.rejects(driver.makeSafe!(io), { code: 'REPLY_TIMEOUT', message: 'no answer' })
  await assert.rejects(driver.readAll(io, all), {
    code: 'INTERNAL',
    message: /^drivers\/oven\.ts: readAll failed: TypeError: .*join.* \(line \d+\)\.$/,
  })
  // An ordinary error does not end the thread.
  await driver.identify(io)
})

for (const [title, before, parts, message, createMs] of [
  ['throws', '', "create: () => { throw new Error('no oven') },", /create failed: no oven \(line \d+\)/],
  ['loops', '', 'create: () => { for (;;); },', /create did not come back within 700 ms/, 700],
  ['exits', '', 'create: () => { process.exit(1) },', /called process\.exit\(1\)/],
  ['returns nothing', '', 'create: () => undefined as never,', /returned no driver/],
] as const) {
  test(`create that ${title} is a fault of the file, and INTERNAL to whoever calls it, without delay the second time`, async () => {
    const text = lineFile('', before).replace('create: (options) =>', `${parts}\n  unused: (options) =>`)
    const { models, faults, told } = await load({ 'oven.ts': text.replace('defineModel({', '({') }, createMs)
    assert.deepEqual(faults, [])
    assert.throws(() => models[0]!.create({}), { code: 'INTERNAL', message })
    const at = performance.now()
    assert.throws(() => models[0]!.create({}), { code: 'INTERNAL', message })
    assert.ok(performance.now() - at < 100)
    assert.equal(told.length, 1)
    assert.match(told[0]!, message)
  })
}

test('options that the driver does not take stay a fault of the site', async () => {
  const text = lineFile('').replace(
    'create: (options) => ({',
    "create: (options) => { if (options.zone) throw new GolemError('CONFIG_INVALID', 'no such zone'); return ({",
  )
  const { models, told } = await load({ 'oven.ts': text.replace('  }),\n})', '  })},\n})') })
  assert.throws(() => models[0]!.create({ zone: 9 }), { code: 'CONFIG_INVALID', message: 'no such zone' })
  assert.equal((models[0]!.create({}) as HttpDriver | LineDriver).transport, 'line')
  assert.deepEqual(told, [])
})

test('a misspelt key of a parameter is a fault', async () => {
  const { models } = await load({
    'oven.ts': lineFile("parameters: { heat: { label: 'Heat', type: 'number', unitt: '%' } },"),
  })
  assert.throws(() => models[0]!.create({}), { message: /unitt.*Did you mean "unit"/ })
})

test('what does not fit into a driver is said by name', async () => {
  const { models } = await load({
    'oven.mjs': lineFile("link: { replyTimeoutMs: 'soon' },").replace(': Promise<void>', ''),
  })
  assert.throws(() => models[0]!.create({}), { code: 'INTERNAL', message: /link\.replyTimeoutMs.*"soon"/ })
})

/** Fails the way `what` says, then works again. */
async function failsOnce(driver: LineDriver, what: RegExp): Promise<void> {
  const io = ioOf(oven)
  await driver.identify(io)
  await assert.rejects(driver.readAll(io, all), { code: 'INTERNAL', message: what })
  await comesBack(driver)
}

async function comesBack(driver: Driver): Promise<void> {
  const io = ioOf(oven)
  for (let tries = 0; tries < 100; tries += 1) {
    try {
      await (driver as LineDriver).identify(io)
      return
    } catch (error) {
      assert.equal((error as GolemError).code, 'LINK_DOWN')
      await sleep(100)
    }
  }
  assert.fail('it did not come back')
}

for (const [title, code, message] of [
  ['an endless loop', 'for (;;);', /readAll does not come back: an endless loop\?/],
  ['process.exit', 'process.exit(2)', /called process\.exit\(2\) \(line \d+\)/],
  [
    'an exception in a timer',
    "setTimeout(() => { throw new Error('late') }, 10); await io.sleep(5000)",
    /failed: late \(line \d+\)/,
  ],
  [
    'a promise nobody awaits',
    "void Promise.reject(new Error('lost')); await io.sleep(5000)",
    /a promise that nobody awaits failed: lost \(line \d+\)/,
  ],
  ['a memory bomb', 'const a = []; for (;;) a.push({ x: Math.random() })', /readAll used more than 64 MB/],
] as const) {
  test(`${title} in readAll is reported, leaves this thread alone, and the driver is started again`, async () => {
    let ticks = 0
    let longest = 0
    let last = performance.now()
    const timer = setInterval(() => {
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
      ticks += 1
    }, 20)
    try {
      await failsOnce(await made(`readAll: async (io) => { ${code}; return {} },`), message)
    } finally {
      clearInterval(timer)
    }
    assert.ok(ticks > 5)
    assert.ok(longest < 1000, `this thread stood still for ${longest} ms`)
  })
}

test('what happens while nobody waits is told to whoever comes next, who is not served before', async () => {
  const driver = await made(
    "readAll: async () => { setTimeout(() => { throw new Error('later') }, 50); return {} },",
  )
  const io = ioOf(oven)
  await driver.identify(io)
  assert.deepEqual(await driver.readAll(io, all), {})
  await sleep(300)
  await assert.rejects(driver.parameters['heat']!.write!(io, 40), { code: 'LINK_DOWN', message: /later/ })
  assert.deepEqual(io.sent, ['*IDN?'])
  // A safe value goes at once.
  await driver.parameters['heat']!.write!(io, 0)
  assert.deepEqual(io.sent, ['*IDN?', 'HEAT 0'])
})

test('an action has the time it says', async () => {
  const driver = await made(
    "actions: { home: { label: 'Home', timeLimitMs: 300, run: async () => { await new Promise(() => undefined) } } },",
  )
  await assert.rejects(driver.actions['home']!.run(ioOf(oven), {}), {
    code: 'INTERNAL',
    message: 'drivers/oven.ts: the action home did not end within 0.3 s.',
  })
})

test('io of a conversation that is over is dead, and more than 64 calls at once are refused', async () => {
  const driver = await made(
    `readAll: async (io) => {
      if (kept) { try { await kept.send('LATE') } catch (error) { return { heat: fault(error.message) } } }
      kept = io
      const results = await Promise.allSettled(Array.from({ length: 100 }, () => io.sleep(10)))
      return { heat: results.filter(({ status }) => status === 'rejected').length }
    },`,
    'let kept: any',
  )
  const io = ioOf(oven)
  assert.deepEqual(await driver.readAll(io, all), { heat: 36 })
  assert.match(JSON.stringify(await driver.readAll(io, all)), /conversation was over/)
  assert.deepEqual(io.sent, [])
})

test('accept and complete work across the threads; lines it does not take go to unsolicited', async () => {
  const driver = await made(`
    unsolicited: (line) => line.startsWith('!') ? { heat: Number(line.slice(1)) } : undefined,
    readAll: async (io) => {
      const line = await io.ask('HEAT?', { accept: (text) => text.startsWith('=') })
      const bytes = await io.askBytes(new Uint8Array([67]), { complete: (got) => got.length >= 8 ? 8 : undefined })
      return { heat: Number(line.slice(1)), text: new TextDecoder().decode(bytes) }
    },`)
  const late: Readings[] = []
  driver.onLateReadings!((readings) => void late.push(readings))
  const io = ioOf({ 'HEAT?': 'noise|!7|=21' })
  assert.deepEqual(await driver.readAll(io, all), { heat: 21, text: '#15HELLO' })
  assert.deepEqual(late, [{ heat: 7 }])
  assert.equal(driver.unsolicited!('!8'), undefined)
  while (late.length < 2) await sleep(10)
  assert.deepEqual(late[1], { heat: 8 })
})

test('matches is asked in the thread; what is no value becomes a bad reading', async () => {
  const driver = await made(`
    parameters: { heat: { label: 'Heat', type: 'number', unit: '%', matches: (wanted, got) => Math.abs(wanted - got) < 5 } },
    readAll: async () => ({ heat: NaN }),
  `)
  const io = ioOf(oven)
  assert.equal(driver.parameters['heat']!.matches!(40, 42), false, 'not started yet: equal or not')
  await driver.identify(io)
  assert.equal(driver.parameters['heat']!.matches!(40, 42), true)
  assert.deepEqual(await driver.readAll(io, all), {
    heat: { fault: 'drivers/oven.ts: readAll gave NaN, which is no value.' },
  })
})
