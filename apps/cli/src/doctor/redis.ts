import { messageOf } from '@golem/core'
import type { Connection } from '@golem/queue'
import type { Environment } from '../context.ts'
import { readPrivateRedisUrl } from '../up/private-redis.ts'
import { withRedis } from '../up/check-redis.ts'
import { findRedisBinary } from '../up/redis-binary.ts'
import { type Finding, fault, ok, warning } from './finding.ts'

/** The oldest Redis that BullMQ and the client work with. */
const OLDEST_REDIS = [6, 2] as const
/** From this offset on times in the ledger mislead, in ms. */
const LARGEST_OFFSET_MS = 1000

/** The settings that golem's promises rest on, as Redis gives them. */
export interface RedisSettings {
  version: string
  appendonly: string | undefined
  policy: string | undefined
  hz: string | undefined
  /** Clock of Redis minus clock of this machine, in ms. */
  offsetMs: number
}

/**
 * Looks at the Redis of a site.
 *
 * @param url - the configured one; null: a private one
 */
export async function examineRedis(
  url: string | null,
  instanceDir: string,
  env: Environment,
): Promise<Finding[]> {
  const present = url ?? (await readPrivateRedisUrl(instanceDir))
  if (present === null) {
    const binary = findRedisBinary(env)
    return binary
      ? [ok('Redis', `${binary.file}; \`golem up\` starts it for itself.`)]
      : [
          fault(
            'Redis',
            'no Redis is configured and none is installed.',
            'Type `sudo apt-get install redis-tools`, or name an existing one in REDIS_URL.',
          ),
        ]
  }
  try {
    return judgeRedis(await withRedis(present, readSettings))
  } catch (error) {
    return [fault('Redis', messageOf(error), '')]
  }
}

async function readSettings(redis: Connection): Promise<RedisSettings> {
  const before = Date.now()
  const [seconds, microseconds] = (await redis.call('TIME')) as [string, string]
  const here = (before + Date.now()) / 2
  const info = String(await redis.call('INFO', 'server'))
  return {
    version: /^(?:valkey|redis)_version:(\S+)/m.exec(info)?.[1] ?? '?',
    appendonly: await setting(redis, 'appendonly'),
    policy: await setting(redis, 'maxmemory-policy'),
    hz: await setting(redis, 'hz'),
    offsetMs: Number(seconds) * 1000 + Number(microseconds) / 1000 - here,
  }
}

/** One setting, or undefined where the server does not let us see it (managed services). */
async function setting(redis: Connection, name: string): Promise<string | undefined> {
  try {
    const answer: unknown = await redis.call('CONFIG', 'GET', name)
    const value: unknown = Array.isArray(answer)
      ? answer[1]
      : (answer as Record<string, unknown> | null)?.[name]
    return typeof value === 'string' ? value : undefined
  } catch {
    // CONFIG is switched off there; judgeRedis says that the setting is not known.
    return undefined
  }
}

/** Judges what was read. */
export function judgeRedis(settings: RedisSettings): Finding[] {
  const { version, appendonly, policy, hz, offsetMs } = settings
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isOld = major < OLDEST_REDIS[0] || (major === OLDEST_REDIS[0] && minor < OLDEST_REDIS[1])
  const hidden = (name: string): Finding =>
    warning(
      'Redis',
      `its ${name} cannot be seen.`,
      'Ask whoever runs it: appendonly yes, maxmemory-policy noeviction, hz 100.',
    )
  return [
    isOld
      ? fault('Redis', `version ${version} is too old.`, `golem needs ${OLDEST_REDIS.join('.')} or newer.`)
      : ok('Redis', `answers, version ${version}.`),
    appendonly === undefined
      ? hidden('appendonly')
      : appendonly === 'yes'
        ? ok('Redis', 'keeps its data (appendonly yes).')
        : fault(
            'Redis',
            `appendonly is ${appendonly}: a restart loses the ledger.`,
            'Set `appendonly yes` in its configuration.',
          ),
    policy === undefined
      ? hidden('maxmemory-policy')
      : policy === 'noeviction'
        ? ok('Redis', 'throws nothing away (maxmemory-policy noeviction).')
        : fault(
            'Redis',
            `maxmemory-policy is ${policy}: it may throw commands away.`,
            'Set `maxmemory-policy noeviction` in its configuration.',
          ),
    hz === undefined
      ? hidden('hz')
      : Number(hz) >= 50
        ? ok('Redis', `hz is ${hz}.`)
        : warning(
            'Redis',
            `hz is ${hz}: what is delayed may come up to 0.2 s late.`,
            'Set `hz 100` in its configuration.',
          ),
    Math.abs(offsetMs) < LARGEST_OFFSET_MS
      ? ok('clock', `agrees with that of Redis (${offsetMs.toFixed(0)} ms).`)
      : fault(
          'clock',
          `differs from that of Redis by ${(offsetMs / 1000).toFixed(1)} s.`,
          'Set both machines by NTP: `timedatectl set-ntp true`.',
        ),
  ]
}
