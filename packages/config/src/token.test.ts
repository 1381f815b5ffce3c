import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashToken, newToken, TOKEN_HASH_PATTERN, tokenMatches } from './token.ts'

test('a token has 256 random bits, a prefix to be found by, and only letters that URLs and headers take', () => {
  const token = newToken()
  assert.match(token, /^golem_[A-Za-z0-9_-]{43}$/)
  assert.notEqual(newToken(), token)
})

test('the hash of a token is SHA-256 in the form of site.yaml', () => {
  // Source: FIPS 180-4, example "abc".
  assert.equal(hashToken('abc'), 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  assert.match(hashToken(newToken()), new RegExp(TOKEN_HASH_PATTERN))
})

test('a token matches its own hash and no other', () => {
  const token = newToken()
  assert.ok(tokenMatches(token, hashToken(token)))
  assert.ok(!tokenMatches(`${token} `, hashToken(token)))
  assert.ok(!tokenMatches(token, hashToken('')))
  assert.ok(!tokenMatches(token, 'sha256:'))
  assert.ok(!tokenMatches('', ''))
})
