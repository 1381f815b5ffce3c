import type { InjectOptions } from 'fastify'
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { COMMANDS, GOOD, fault, open, post } from './app-in-memory.ts'

/** One for all: what is refused leaves nothing behind. */
const { app, client } = await open({ after })

const nested = (depth: number): string =>
  `{"parameter":"relay0","value":${'['.repeat(depth)}${']'.repeat(depth)}}`

const BAD_COMMANDS: [string, InjectOptions, [number, string, string]][] = [
  [
    'an unknown instrument',
    { ...post(GOOD), url: '/api/instruments/relay-9/commands' },
    [404, 'UNKNOWN_INSTRUMENT', 'path.id'],
  ],
  [
    'an id of 101 characters',
    { ...post(GOOD), url: `/api/instruments/${'x'.repeat(101)}/commands` },
    [422, 'OUT_OF_RANGE', 'path.id'],
  ],
  [
    'an id of 10,000 characters',
    { ...post(GOOD), url: `/api/instruments/${'x'.repeat(10_000)}/commands` },
    [422, 'OUT_OF_RANGE', 'path.id'],
  ],
  [
    'an id named like a property of all objects',
    { ...post(GOOD), url: '/api/instruments/__proto__/commands' },
    [404, 'UNKNOWN_INSTRUMENT', 'path.id'],
  ],
  [
    'a broken % sequence in the path',
    { ...post(GOOD), url: '/api/instruments/%zz/commands' },
    [400, 'INVALID_REQUEST', 'path'],
  ],
  ['an unknown parameter', post({ parameter: 'relay7', value: true }), [404, 'UNKNOWN_NAME', '/parameter']],
  [
    'a parameter named constructor',
    post({ parameter: 'constructor', value: true }),
    [404, 'UNKNOWN_NAME', '/parameter'],
  ],
  ['an unknown action', post({ action: 'explode' }), [404, 'UNKNOWN_NAME', '/action']],
  [
    'an unknown argument',
    post({ action: 'reset', arguments: { hard: true } }),
    [404, 'UNKNOWN_NAME', '/arguments/hard'],
  ],
  ['a missing argument', post({ action: 'pulse' }), [400, 'INVALID_REQUEST', '/arguments/seconds']],
  [
    'an argument out of range',
    post({ action: 'pulse', arguments: { seconds: 61 } }),
    [422, 'OUT_OF_RANGE', '/arguments/seconds'],
  ],
  [
    'a parameter that can only be read',
    post({ parameter: 'temperature', value: 20 }),
    [422, 'NOT_WRITABLE', '/parameter'],
  ],
  ['a value of the wrong type', post({ parameter: 'relay0', value: 'true' }), [422, 'WRONG_TYPE', '/value']],
  ['a number as text', post({ parameter: 'level', value: '5' }), [422, 'WRONG_TYPE', '/value']],
  ['null as a value', post({ parameter: 'relay0', value: null }), [422, 'WRONG_TYPE', '/value']],
  ['an object as a value', post({ parameter: 'relay0', value: {} }), [422, 'WRONG_TYPE', '/value']],
  ['no value', post({ parameter: 'relay0' }), [422, 'WRONG_TYPE', '/value']],
  ['a value out of range', post({ parameter: 'level', value: 101 }), [422, 'OUT_OF_RANGE', '/value']],
  ['a number beyond all numbers', post('{"parameter":"level","value":1e999}'), [422, 'WRONG_TYPE', '/value']],
  ['parameter and action', post({ ...GOOD, action: 'reset' }), [400, 'INVALID_REQUEST', '/action']],
  ['neither', post({}), [400, 'INVALID_REQUEST', '/parameter']],
  ['an unknown key', post({ ...GOOD, force: true }), [400, 'INVALID_REQUEST', '/force']],
  [
    'a polluting key',
    post('{"parameter":"relay0","value":true,"__proto__":{"x":1}}'),
    [400, 'INVALID_REQUEST', '/__proto__'],
  ],
  [
    'a polluting constructor',
    post('{"constructor":{"prototype":{"x":1}}}'),
    [400, 'INVALID_REQUEST', '/constructor'],
  ],
  ['a list as the body', post('[]'), [400, 'INVALID_REQUEST', 'body']],
  ['no body', { method: 'POST', url: COMMANDS }, [400, 'INVALID_REQUEST', 'body']],
  ['an empty body', post(''), [400, 'INVALID_REQUEST', 'body']],
  ['broken JSON', post('{"parameter":'), [400, 'INVALID_REQUEST', 'body']],
  ['a body of 10 MB', post(`"${'x'.repeat(10_000_000)}"`), [413, 'BODY_TOO_LARGE', 'body']],
  ['deep nesting', post(nested(30_000)), [400, 'INVALID_REQUEST', 'body']],
  ['nesting within the bound', post(nested(10)), [422, 'WRONG_TYPE', '/value/0']],
  [
    'another content type',
    post('relay0=true', { 'content-type': 'application/x-www-form-urlencoded' }),
    [415, 'WRONG_MEDIA_TYPE', 'header.content-type'],
  ],
  ['text', post('on', { 'content-type': 'text/plain' }), [415, 'WRONG_MEDIA_TYPE', 'header.content-type']],
  [
    'a broken content type',
    post('on', { 'content-type': ';;' }),
    [415, 'WRONG_MEDIA_TYPE', 'header.content-type'],
  ],
  ['a broken Prefer', post(GOOD, { prefer: 'wait=soon' }), [400, 'INVALID_REQUEST', 'header.prefer']],
  [
    'a long Idempotency-Key',
    post(GOOD, { 'idempotency-key': 'x'.repeat(201) }),
    [400, 'INVALID_REQUEST', 'header.idempotency-key'],
  ],
  [
    'a signature that is none',
    post(GOOD, { 'x-golem-user': 'x'.repeat(65) }),
    [400, 'INVALID_REQUEST', 'header.x-golem-user'],
  ],
  ['validForMs of 0', post({ ...GOOD, validForMs: 0 }), [422, 'OUT_OF_RANGE', '/validForMs']],
  [
    'validForMs beyond an hour',
    post({ ...GOOD, validForMs: 3_600_001 }),
    [422, 'OUT_OF_RANGE', '/validForMs'],
  ],
  ['validForMs as text', post({ ...GOOD, validForMs: '30000' }), [422, 'WRONG_TYPE', '/validForMs']],
  [
    'an unknown query',
    { ...post(GOOD), url: `${COMMANDS}?force=1` },
    [400, 'INVALID_REQUEST', 'query.force'],
  ],
  [
    'an instrument without a worker',
    { ...post(GOOD), url: '/api/instruments/relay-2/commands' },
    [503, 'WORKER_AWAY', undefined as unknown as string],
  ],
]

for (const [what, request, expected] of BAD_COMMANDS) {
  test(`a command with ${what} is refused by name and reaches no queue`, async () => {
    assert.deepEqual(await fault(app, request), expected)
    assert.deepEqual(client.submitted, [])
  })
}

const BAD_QUESTIONS: [string, string, [number, string, string]][] = [
  ['GET', '/nothing', [404, 'NOT_FOUND', 'path']],
  ['GET', '/api/nothing', [404, 'NOT_FOUND', 'path']],
  ['GET', '/api/instruments/relay-9', [404, 'UNKNOWN_INSTRUMENT', 'path.id']],
  ['GET', '/api/commands/none', [404, 'UNKNOWN_COMMAND', 'path.id']],
  ['GET', '/api/commands/a%20b', [404, 'UNKNOWN_COMMAND', 'path.id']],
  ['GET', '/api/commands?limit=0', [422, 'OUT_OF_RANGE', 'query.limit']],
  ['GET', '/api/commands?limit=many', [422, 'WRONG_TYPE', 'query.limit']],
  ['GET', '/api/commands?since=yesterday', [400, 'INVALID_REQUEST', 'query.since']],
  ['GET', '/api/commands?since=2026-99-99T00:00:00Z', [400, 'INVALID_REQUEST', 'query.since']],
  ['GET', '/api/commands?instrument=relay-9', [404, 'UNKNOWN_INSTRUMENT', 'query.instrument']],
  ['GET', '/api/events?since=x', [400, 'INVALID_REQUEST', 'query.since']],
  ['GET', '/api/events?all=1', [400, 'INVALID_REQUEST', 'query.all']],
  ['GET', '/api/state?now=1', [400, 'INVALID_REQUEST', 'query.now']],
  ['DELETE', '/api/commands/none', [404, 'UNKNOWN_COMMAND', 'path.id']],
  ['POST', '/api/instruments/relay-9/stop', [404, 'UNKNOWN_INSTRUMENT', 'path.id']],
  ['PUT', '/api/stop', [405, 'METHOD_NOT_ALLOWED', 'method']],
  ['POST', '/api/state', [405, 'METHOD_NOT_ALLOWED', 'method']],
  ['PATCH', '/api/commands/x', [405, 'METHOD_NOT_ALLOWED', 'method']],
]

for (const [method, url, expected] of BAD_QUESTIONS) {
  test(`${method} ${url} gets ${expected[0]} ${expected[1]}`, async () => {
    assert.deepEqual(await fault(app, { method: method as 'GET', url }), expected)
  })
}
