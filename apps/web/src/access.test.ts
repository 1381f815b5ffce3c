import { type AuthConfig, hashToken } from '@golem/config'
import { GolemError } from '@golem/core'
import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import { test } from 'node:test'
import { Access, checkListen } from './access.ts'
import { siteOf } from './in-memory-site.ts'

const TOKENS: AuthConfig = {
  kind: 'tokens',
  tokens: [
    { name: 'ann', role: 'operator', hash: hashToken('ann-secret') },
    { name: 'screen', role: 'viewer', hash: hashToken('screen-secret') },
  ],
}

function admit(
  access: Access,
  headers: IncomingHttpHeaders,
  { method = 'POST', url = '/api/stop', open = false } = {},
): string {
  try {
    return access.admit({ method, url, headers: { host: 'localhost:8000', ...headers } }, open).name
  } catch (error) {
    assert.ok(error instanceof GolemError)
    return error.code
  }
}

test('without auth only loopback addresses may be listened on, and the error says what to write', () => {
  for (const address of ['127.0.0.1', '127.0.1.1', '::1', 'localhost', '::ffff:127.0.0.1']) {
    checkListen(address, { kind: 'loopback' })
  }
  for (const address of ['0.0.0.0', '::', '192.0.2.7', 'stand.lab.example']) {
    assert.throws(() => checkListen(address, { kind: 'loopback' }), /auth: none.*tokens/)
    checkListen(address, { kind: 'none' })
    checkListen(address, TOKENS)
  }
})

test('requests to the own page and from scripts are let in', () => {
  const access = new Access(siteOf([]))
  assert.equal(admit(access, {}), 'local')
  assert.equal(admit(access, { origin: 'http://localhost:8000', 'sec-fetch-site': 'same-origin' }), 'local')
  assert.equal(admit(access, { host: '[::1]:8000' }), 'local')
  assert.equal(admit(access, { host: '127.0.0.1' }), 'local')
})

test('a foreign Host is refused, with and without addresses', () => {
  const access = new Access(siteOf([]))
  for (const host of ['evil.example', 'localhost.evil.example', '192.0.2.1', '', 'evil.example:8000']) {
    assert.equal(admit(access, { host }), 'NOT_ALLOWED', host)
  }
  const named = new Access(siteOf([], { hosts: ['Stand.Lab.Example'], auth: { kind: 'none' } }))
  assert.equal(admit(named, { host: 'stand.lab.example:8000' }), 'anybody')
  assert.equal(admit(named, { host: '192.0.2.1:8000' }), 'anybody')
  assert.equal(admit(named, { host: '[2001:db8::1]' }), 'anybody')
  assert.equal(admit(named, { host: 'evil.example' }), 'NOT_ALLOWED')
})

test('a page elsewhere can not command through a browser', () => {
  const access = new Access(siteOf([]))
  const foreign: IncomingHttpHeaders[] = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost:3000' },
    { origin: 'http://localhost:8000', 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ]
  for (const headers of foreign) assert.equal(admit(access, headers), 'NOT_ALLOWED', JSON.stringify(headers))
  const reading = { method: 'GET', url: '/api/state' }
  assert.equal(admit(access, { 'sec-fetch-site': 'cross-site' }, reading), 'NOT_ALLOWED')
  assert.equal(admit(access, { origin: 'https://evil.example' }, reading), 'NOT_ALLOWED')
})

test('a link elsewhere may open the page', () => {
  const access = new Access(siteOf([]))
  const navigation = {
    'sec-fetch-site': 'cross-site',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
  }
  assert.equal(admit(access, navigation, { method: 'GET', url: '/' }), 'local')
  assert.equal(admit(access, navigation, { method: 'POST', url: '/' }), 'NOT_ALLOWED')
  assert.equal(admit(access, navigation, { method: 'GET', url: '/api/state' }), 'NOT_ALLOWED')
  assert.equal(
    admit(access, { ...navigation, 'sec-fetch-dest': 'iframe' }, { method: 'GET', url: '/' }),
    'NOT_ALLOWED',
  )
})

test('behind a proxy the names of the site file are its own origins', () => {
  const access = new Access(siteOf([], { hosts: ['stand.lab.example'] }))
  assert.equal(admit(access, { origin: 'https://stand.lab.example' }), 'local')
})

test('tokens decide who one is and what one may', () => {
  const access = new Access(siteOf([], { auth: TOKENS }))
  assert.equal(admit(access, {}), 'NOT_AUTHENTICATED')
  assert.equal(admit(access, { authorization: 'Bearer wrong' }), 'NOT_AUTHENTICATED')
  assert.equal(admit(access, { authorization: 'Basic YTpi' }), 'NOT_AUTHENTICATED')
  assert.equal(admit(access, { authorization: 'Bearer ann-secret' }), 'ann')
  assert.equal(admit(access, { authorization: 'Bearer screen-secret' }), 'NOT_ALLOWED')
  assert.equal(admit(access, { authorization: 'Bearer screen-secret' }, { method: 'GET' }), 'screen')
  assert.equal(admit(access, {}, { method: 'GET', url: '/', open: true }), 'nobody')
  assert.equal(admit(access, { 'x-golem-user': 'Eve', authorization: 'Bearer ann-secret' }), 'ann')
})

test('where nobody proves who they are, people may sign, within bounds', () => {
  const access = new Access(siteOf([]))
  assert.equal(admit(access, { 'x-golem-user': 'Ann Lee' }), 'Ann Lee (local)')
  assert.equal(admit(access, { 'x-golem-user': encodeURIComponent('Анна') }), 'Анна (local)')
  for (const bad of ['', ' ', 'x'.repeat(65), 'a%00b', '%zz', 'a%0Ab', 'a\u0007']) {
    assert.equal(admit(access, { 'x-golem-user': bad }), 'INVALID_REQUEST', JSON.stringify(bad))
  }
})
