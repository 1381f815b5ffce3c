import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redisUrlFault } from './redis-url.ts'

test('the forms of a Redis address', () => {
  for (const url of [
    'redis://127.0.0.1:6379',
    'redis://redis.lab.example',
    'redis://user:pass@host:6379/3',
    'redis://[::1]:6379',
    'rediss://host:6380',
    'unix:///run/golem/redis.sock',
    'sentinel://a:26379,b:26379/mymaster',
    'sentinel://:pass@a,b',
    'cluster://a:6379,b:6379,c:6379',
  ]) {
    assert.equal(redisUrlFault(url), null, url)
  }
})

test('what is no Redis address is told, and its password is not', () => {
  for (const url of [
    '',
    'localhost:6379',
    'http://a',
    'redis://',
    'redis://a:secret@b:port',
    'redis://a/notanumber',
    'redis://a?x=1',
    'redis://a b',
    'redis://a:1,redis://b:1',
    'unix://run/redis.sock',
    'unix:///run/redis.sock?db=1',
    'sentinel://',
    'sentinel://a:port/x',
    'cluster://a:1/0',
    'cluster://a:secret@b:x',
  ]) {
    const fault = redisUrlFault(url)
    assert.match(fault ?? '', /^This is no address of a Redis: .* Write redis:\/\//, url)
    assert.doesNotMatch(fault ?? '', /secret/)
  }
})
