import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_RECORDS, readJson } from './json.ts'

test('what python-json-logger, structlog and pino write is read by its names', () => {
  const python = {
    message: 'valve open',
    levelname: 'ERROR',
    name: 'lab.gas',
    asctime: '2026-05-01 08:30:00,123',
    exc_info: 'Traceback (most recent call last):\nValueError: x',
    pathname: '/lab/gas.py',
    lineno: 12,
    funcName: 'open',
    run: 'run-7',
    co2: 412.5,
  }
  assert.deepEqual(readJson(JSON.stringify(python)), [
    {
      level: 'error',
      message: 'valve open',
      logger: 'lab.gas',
      exception: python.exc_info,
      place: '/lab/gas.py:12 in open',
      run: 'run-7',
      // Without its zone it is no time that could be told.
      extra: { asctime: python.asctime, co2: 412.5 },
    },
  ])
  const structlog = {
    event: 'e',
    msg: 'aired',
    level: 'warning',
    timestamp: '2026-05-01T08:30:00.123456+02:00',
  }
  assert.deepEqual(readJson(JSON.stringify(structlog)), [
    {
      level: 'warning',
      message: 'aired',
      time: Date.parse('2026-05-01T06:30:00.123Z'),
      extra: { event: 'e' },
    },
  ])
  const pino = { level: 30, time: 1_777_624_200_123, pid: 7, hostname: 'pi-1', msg: 'ready' }
  const [record] = readJson(JSON.stringify(pino))
  assert.deepEqual([record?.level, record?.time], ['info', pino.time])
  assert.equal(readJson('{"message":"x","levelno":30}')[0]?.level, 'warning')
})

test('arrays and lines; what is no record stands for itself', () => {
  const messages = (text: string): string[] => readJson(text).map(({ message }) => message)
  assert.deepEqual(messages('[{"message":"a"},"b",3,{"no":"message"},null]'), [
    'a',
    'b',
    '3',
    '{"no":"message"}',
    'null',
  ])
  assert.deepEqual(messages('{"msg":"a"}\r\n\n{"msg":"b"}\nTraceback, no JSON\n'), [
    'a',
    'b',
    'Traceback, no JSON',
  ])
  assert.deepEqual(messages('[]'), [])
})

test('NaN and Infinity, as Python writes them into JSON, are kept as texts', () => {
  const [record] = readJson('{"message":"a NaN b","ratio":NaN,"low":-Infinity}')
  assert.deepEqual([record?.message, record?.extra], ['a NaN b', { ratio: 'NaN', low: '-Infinity' }])
})

test('no JSON, no message and too many records are refused', () => {
  const wrong = { code: 'INVALID_REQUEST' }
  for (const text of ['', 'hello', '{"level":"info"}', '{"message":""}', '"text"', '7', 'a\nb']) {
    assert.throws(() => readJson(text), wrong, text)
  }
  assert.throws(() => readJson(`[${'1,'.repeat(MAX_RECORDS)}1]`), wrong)
})

test('deep and hostile objects are cut, not followed', () => {
  const deep = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`
  assert.deepEqual(readJson(`{"message":"x","__proto__":{"polluted":1},"deep":${deep}}`)[0]?.message, 'x')
  assert.equal(({} as { polluted?: number }).polluted, undefined)
  assert.equal(readJson(`{"message":${deep}}`)[0]?.message, '…')
})

test('no text breaks it otherwise than by a refusal', () => {
  const value = fc.oneof(
    fc.json(),
    fc.string(),
    fc.json().map((json) => `{"message":"m","x":${json}}`),
  )
  fc.assert(
    fc.property(fc.array(value, { maxLength: 4 }), (lines) => {
      try {
        for (const record of readJson(lines.join('\n'))) assert.equal(typeof record.message, 'string')
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'INVALID_REQUEST')
      }
    }),
    { numRuns: 2_000 },
  )
})
