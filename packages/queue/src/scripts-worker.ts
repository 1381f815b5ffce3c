/** The Lua scripts of what workers tell; their prelude is in scripts.ts. */
export const WORKER_SCRIPTS = {
  /** Keeps of what a host's configuration is made. ARGV: host, digests (JSON) -> those of before, or '' */
  golemConfigured: `
local before = redis.call('HGET', R .. ':configurations', ARGV[1])
redis.call('HSET', R .. ':configurations', ARGV[1], ARGV[2])
return before or ''`,

  /**
   * Writes tables and tells the followers, and hands readings to the archiver, in one transaction.
   * ARGV: how many samples, how many may wait; samples: sender, JSON; then triples table, instrument, JSON
   */
  golemPublish: `
local samples = tonumber(ARGV[1])
local first = 3 + 2 * samples
for n = first, #ARGV, 3 do
  redis.call('HSET', R .. ':' .. ARGV[n] .. 's', ARGV[n + 1], ARGV[n + 2])
  change('k', ARGV[n], 'i', ARGV[n + 1], 'v', ARGV[n + 2])
end
if samples > 0 then
  local count = redis.call('INCRBY', R .. ':samples-count', samples) - samples
  for n = 3, first - 1, 2 do
    count = count + 1
    redis.call('XADD', R .. ':samples', 'MAXLEN', '~', ARGV[2], '*', 'c', text(count), 's', ARGV[n], 'v', ARGV[n + 1])
  end
end
return 1`,
} as const
