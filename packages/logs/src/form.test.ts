import fc from 'fast-check'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readForm } from './form.ts'

/**
 * What `HTTPHandler` of each Python puts on the wire, as captured on a socket, by version: a POST with Basic authentication, a
 * GET with a dict as argument, a GET with an exception.
 */
const CAPTURED = JSON.parse(
  readFileSync(new URL('../fixtures/http-handler.json', import.meta.url), 'utf8'),
) as Record<string, [string, string, string]>

const bodyOf = (request: string): string => request.split('\r\n\r\n')[1] ?? ''
const queryOf = (request: string): string => /^GET [^?]*\?(\S*) HTTP/.exec(request)?.[1] ?? ''

test('there are captures of Python 3.6 to 3.13', () => {
  const versions = Object.keys(CAPTURED).map((version) => version.replace(/\.\d+$/, ''))
  assert.deepEqual(versions, ['3.6', '3.7', '3.8', '3.9', '3.10', '3.11', '3.12', '3.13'])
})

for (const [version, [post, get, failed]] of Object.entries(CAPTURED)) {
  test(`what Python ${version} sends is read as its writer would read it`, () => {
    const { time, ...first } = readForm(bodyOf(post))
    assert.ok(time !== undefined && Math.abs(time - 1_795_291_345_000) < 10_000)
    assert.deepEqual(first, {
      level: 'warning',
      message: 'temp A&B is 21.6',
      logger: 'lab',
      place: '<stdin>:6',
      run: 'r1',
    })
    const second = readForm(queryOf(get))
    assert.deepEqual([second.level, second.message], ['notice', 'leak: café 50%'])
    assert.deepEqual(second.extra, { from: 'get' })
    const third = readForm(queryOf(failed))
    assert.deepEqual(
      [third.level, third.message, third.exception],
      ['error', 'no value of None', 'ZeroDivisionError: division by zero'],
    )
  })
}

const form = (fields: Record<string, string>): string => new URLSearchParams(fields).toString()

test('a message that was formatted already is taken as it is', () => {
  const record = readForm(form({ msg: 'temp %s', args: "('x',)", message: 'temp 100 %s', asctime: '2026' }))
  assert.deepEqual(record, { level: 'info', message: 'temp 100 %s' })
})

test('an exception: the traceback where there is one, else class and text', () => {
  const info =
    "(<class 'ZeroDivisionError'>, ZeroDivisionError('division by zero'), <traceback object at 0x7f1>)"
  const { exception } = readForm(form({ msg: 'x', exc_info: info, exc_text: 'None' }))
  assert.equal(exception, 'ZeroDivisionError: division by zero')
  const text = 'Traceback (most recent call last):\n  File "x"\nZeroDivisionError: division by zero'
  assert.equal(readForm(form({ msg: 'x', exc_info: info, exc_text: text })).exception, text)
  assert.equal(readForm(form({ msg: 'x', exc_info: 'odd', stack_info: 'Stack:' })).exception, 'odd\nStack:')
})

test('a traceback below the message, as QueueHandler leaves it, is the exception', () => {
  const text = 'Traceback (most recent call last):\n  File "x"\nValueError: y'
  const record = readForm(
    form({ msg: `it failed\n${text}`, args: 'None', exc_info: 'None', exc_text: 'None' }),
  )
  assert.deepEqual([record.message, record.exception], ['it failed', text])
})

test("extra keys are kept apart, under whatever name, and a token isn't", () => {
  const record = readForm(
    form({
      msg: 'x',
      colour: 'red',
      __proto__x: '1',
      level: 'mine',
      token: 'secret',
      run: 'no run!',
      reservation: '12',
    }),
  )
  assert.deepEqual(record.extra, { colour: 'red', __proto__x: '1', level: 'mine', run: 'no run!' })
  assert.equal(record.reservation, 12)
  const proto = readForm('msg=x&__proto__=1').extra ?? {}
  assert.ok(Object.hasOwn(proto, '__proto__'))
})

test('levels by name and number, also those that somebody has made up', () => {
  const level = (levelname: string, levelno: string): unknown[] => {
    const record = readForm(form({ msg: 'x', levelname, levelno }))
    return [record.level, record.extra]
  }
  assert.deepEqual(level('CRITICAL', '50'), ['critical', undefined])
  assert.deepEqual(level('Level 25', '25'), ['notice', undefined])
  assert.deepEqual(level('TRACE', '5'), ['debug', undefined])
  assert.deepEqual(level('FROST', '35'), ['warning', { levelname: 'FROST' }])
  assert.deepEqual(level('FROST', 'cold'), ['info', { levelname: 'FROST' }])
})

test('broken escapes and bytes that are no text never keep a record out', () => {
  const { message } = readForm('msg=50%+%ZZ+%FF%FE+caf%C3%A9&args=()')
  assert.equal(message, '50% %ZZ \uFFFD\uFFFD café')
})

test('without a message it is refused', () => {
  for (const text of ['', 'name=lab', '&&&', '=']) {
    assert.throws(() => readForm(text), { code: 'INVALID_REQUEST', field: 'msg' })
  }
})

test('everything is of bounded length', () => {
  const long = 'x'.repeat(300_000)
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`k${n}`, 'v'.repeat(100)]))
  const record = readForm(form({ msg: long, name: long, exc_text: `begin ${long} end`, ...many, args: long }))
  assert.ok(JSON.stringify(record).length < 40_000)
  assert.match(record.message, /characters more\)$/)
  assert.match(record.exception ?? '', /^begin x[^]*characters left out[^]* end$/)
  assert.match(String(record.extra?.['…']), /more left out/)
})

test('no form breaks it', () => {
  const name = fc.constantFrom('msg', 'args', 'levelno', 'created', 'exc_info', 'run', 'x', 'message')
  const pair = fc.tuple(name, fc.string()).map(([key, value]) => `${key}=${value}`)
  fc.assert(
    fc.property(fc.array(pair), (pairs) => {
      const record = readForm(['msg=m', ...pairs].join('&'))
      assert.equal(typeof record.message, 'string')
      assert.doesNotThrow(() => new Date(record.time ?? 0).toISOString())
    }),
    { numRuns: 2_000 },
  )
})
