import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNetwork } from './network.ts'

test('addresses and networks are told from what is neither', () => {
  for (const text of [
    '10.0.0.7',
    '0.0.0.0/0',
    '10.0.0.0/24',
    '255.255.255.255/32',
    '::1',
    'fd00::/8',
    'FE80::1/128',
    '::ffff:10.0.0.1',
  ]) {
    assert.ok(isNetwork(text), text)
  }
  for (const text of [
    '',
    'lab-pc',
    '10.0.0',
    '10.0.0.256',
    '010.0.0.1',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    '10.0.0.0/8 ',
    'fd00::/129',
    'fe80::1%eth0',
    '1::2::3',
    ':',
    '[::1]',
    '1]/x[',
  ]) {
    assert.ok(!isNetwork(text), text)
  }
})
