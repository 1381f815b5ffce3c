import { REQUESTS_MAX } from './keys.ts'

/** The Lua scripts of runs, schedules and alarms; their prelude is in scripts.ts. */
export const SCHEDULER_SCRIPTS = {
  /**
   * Everything the leading scheduler writes goes through here: all of it or nothing, and only while it leads.
   * ARGV: "scheduler fence", then operations, each by its name and its arguments:
   *   once name revision: it was written before when this revision is there already: then nothing more happens
   *   put table id json | drop table id | remember field json | forget field | row key maxlen json |
   *   event kind instrument by message | unlink key | tell json |
   *   sample max sender json
   * `key` is what follows the site's root, e.g. `rows:r-17`.
   * -> 1 | 0 it does not lead any more, nothing was written
   */
  golemLead: `
if redis.call('GET', R .. ':lease:scheduler') ~= ARGV[1] then return 0 end
local n = 2
while n <= #ARGV do
  local op = ARGV[n]
  if op == 'once' then
    if redis.call('HGET', R .. ':scheduler', ARGV[n + 1]) == ARGV[n + 2] then return 1 end
    redis.call('HSET', R .. ':scheduler', ARGV[n + 1], ARGV[n + 2])
    n = n + 3
  elseif op == 'put' then
    redis.call('HSET', R .. ':' .. ARGV[n + 1] .. 's', ARGV[n + 2], ARGV[n + 3])
    change('k', ARGV[n + 1], 'i', ARGV[n + 2], 'v', ARGV[n + 3])
    n = n + 4
  elseif op == 'drop' then
    redis.call('HDEL', R .. ':' .. ARGV[n + 1] .. 's', ARGV[n + 2])
    change('k', ARGV[n + 1], 'i', ARGV[n + 2], 'v', '')
    n = n + 3
  elseif op == 'remember' then
    redis.call('HSET', R .. ':scheduler', ARGV[n + 1], ARGV[n + 2])
    n = n + 3
  elseif op == 'forget' then
    redis.call('HDEL', R .. ':scheduler', ARGV[n + 1])
    n = n + 2
  elseif op == 'row' then
    redis.call('XADD', R .. ':' .. ARGV[n + 1], 'MAXLEN', '~', ARGV[n + 2], '*', 'v', ARGV[n + 3])
    n = n + 4
  elseif op == 'event' then
    event(ARGV[n + 1], ARGV[n + 2], ARGV[n + 3], ARGV[n + 4], ARGV[n + 5])
    n = n + 6
  elseif op == 'sample' then
    local count = redis.call('INCR', R .. ':samples-count')
    redis.call('XADD', R .. ':samples', 'MAXLEN', '~', ARGV[n + 1], '*', 'c', text(count), 's', ARGV[n + 2], 'v', ARGV[n + 3])
    n = n + 4
  elseif op == 'tell' then
    redis.call('PUBLISH', R .. ':control', ARGV[n + 1])
    n = n + 2
  elseif op == 'unlink' then
    redis.call('UNLINK', R .. ':' .. ARGV[n + 1])
    n = n + 2
  else
    return redis.error_reply('unknown operation ' .. op)
  end
end
return 1`,

  /**
   * Hands something to the leading scheduler; with a record (table, id, JSON) when it is to be seen from now on.
   * late: Redis was frozen and comes to this only now, when the client has been told that it does not answer.
   * ARGV: request (JSON), not after (ms), table or '', id, record (JSON)
   * -> ok | exists record | nobody | late
   */
  golemRequest: `
if not redis.call('GET', R .. ':lease:scheduler') then return {'nobody'} end
if ARGV[3] ~= '' then
  local known = redis.call('HGET', R .. ':' .. ARGV[3] .. 's', ARGV[4])
  if known then return {'exists', known} end
end
if now_ms() > tonumber(ARGV[2]) then return {'late'} end
if ARGV[3] ~= '' then
  redis.call('HSET', R .. ':' .. ARGV[3] .. 's', ARGV[4], ARGV[5])
  change('k', ARGV[3], 'i', ARGV[4], 'v', ARGV[5])
end
redis.call('XADD', R .. ':requests', 'MAXLEN', '~', ${REQUESTS_MAX}, '*', 'at', text(now_ms()), 'v', ARGV[1])
return {'ok'}`,
} as const
