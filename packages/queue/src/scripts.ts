import type { Connection } from './connection.ts'
import { CHANGES_MAX, EVENTS_MAX, LEDGER_MAX, LEDGER_MAX_PER_INSTRUMENT, LEDGER_TTL_MS } from './keys.ts'
import { RESERVATION_PRELUDE, RESERVATION_SCRIPTS } from './scripts-reservations.ts'
import { INTERLOCK_SCRIPTS } from './scripts-interlocks.ts'
import { LOG_SCRIPTS } from './scripts-log.ts'
import { SCHEDULER_SCRIPTS } from './scripts-scheduler.ts'
import { WORKER_SCRIPTS } from './scripts-worker.ts'

/**
 * The Lua scripts: each changes several keys of a site at once. KEYS[1] is the site's root `{golem:<site>}`, from
 * which a script makes the names of keys.ts; they all lie in its slot.
 */
const PRELUDE = `
local R = KEYS[1]
local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function text(n) return string.format('%.0f', n) end
local function change(...)
  return redis.call('XADD', R .. ':changes', 'MAXLEN', '~', ${CHANGES_MAX}, '*', ...)
end
-- details: JSON of EventDetails, or nil
local function event(kind, instrument, by, message, details)
  return redis.call('XADD', R .. ':events', 'MAXLEN', '~', ${EVENTS_MAX}, '*',
    'at', text(now_ms()), 'kind', kind, 'instrument', instrument, 'by', by, 'message', message, 'details', details or '')
end
local function run_of(by) return by and string.match(by, '^run (%S+)$') end
-- The stage that a run is at, by number and name; nil: none, or it is not known.
local function stage_of(run)
  local json = run and redis.call('HGET', R .. ':runs', run)
  local ok, found = pcall(cjson.decode, json or '')
  local p = ok and type(found) == 'table' and found.progress
  if type(p) == 'table' and type(p.stage) == 'string' then return string.format('%d: %s', p.stageNumber, p.stage) end
end
-- The details of an entry about one command: by which run it was given, and at which of its stages.
local LEVELS = {refused = 'notice', failed = 'error', unknown = 'warning'}
local function about(id, by, ending)
  local outcome = ending and string.match(ending, '"outcome":"(%a+)"')
  return cjson.encode({command = id, run = run_of(by), stage = redis.call('HGET', R .. ':command:' .. id, 'stage') or nil,
    level = outcome and LEVELS[outcome]})
end
-- The same about several; with the run where all are of one.
local function about_all(ids, level)
  local run
  for n, id in ipairs(ids) do
    local its = run_of(redis.call('HGET', R .. ':command:' .. id, 'by') or nil)
    if n == 1 then run = its elseif run ~= its then run = nil end
  end
  return cjson.encode({run = run, level = level, data = {commands = ids}})
end
-- Counts what waits and tells the followers.
local function queue_changed(instrument)
  local waiting, queue = R .. ':waiting:' .. instrument, R .. ':queue:' .. instrument
  local n = redis.call('ZCARD', waiting)
  local first = redis.call('ZRANGE', waiting, 0, 0, 'WITHSCORES')
  local oldest = first[2] or ''
  redis.call('HSET', queue, 'waiting', n, 'oldestAt', oldest)
  local more = redis.call('HMGET', queue, 'running', 'last')
  change('k', 'queue', 'i', instrument, 'waiting', n, 'oldestAt', oldest,
    'running', more[1] or '', 'last', more[2] or '')
end
-- A record as JSON: the fixed part with what has come since put before it.
local function record(command)
  local h = redis.call('HMGET', command, 'request', 'submittedAt', 'validUntil', 'state', 'startedAt', 'worker', 'endedAt', 'ending', 'settled')
  local s = '{"submittedAt":' .. h[2] .. ',"validUntil":' .. h[3] .. ',"state":"' .. h[4] .. '"'
  if h[5] then s = s .. ',"startedAt":' .. h[5] end
  if h[6] then s = s .. ',"worker":' .. h[6] end
  if h[7] then s = s .. ',"endedAt":' .. h[7] end
  if h[8] then s = s .. ',"ending":' .. h[8] end
  if h[9] then s = s .. ',"settled":' .. h[9] end
  return s .. ',"request":' .. h[1] .. '}'
end
-- Adds a command to the lists, which keep the newest ones.
local function enlist(id, instrument, at)
  redis.call('ZADD', R .. ':commands', at, id)
  redis.call('ZADD', R .. ':commands:' .. instrument, at, id)
  redis.call('ZREMRANGEBYRANK', R .. ':commands:' .. instrument, 0, -${LEDGER_MAX_PER_INSTRUMENT} - 1)
  for _, old in ipairs(redis.call('ZRANGE', R .. ':commands', 0, -${LEDGER_MAX} - 1)) do
    local state = redis.call('HGET', R .. ':command:' .. old, 'state')
    if state ~= 'queued' and state ~= 'running' then
      redis.call('UNLINK', R .. ':command:' .. old)
      redis.call('ZREM', R .. ':commands', old)
    end
  end
end
-- Ends a command; the outcome is given as JSON.
local function finish(id, instrument, ending, at)
  local command, queue = R .. ':command:' .. id, R .. ':queue:' .. instrument
  redis.call('HSET', command, 'state', 'ended', 'endedAt', at, 'ending', ending)
  redis.call('PEXPIRE', command, ${LEDGER_TTL_MS})
  redis.call('ZREM', R .. ':waiting:' .. instrument, id)
  if redis.call('HGET', queue, 'runningId') == id then redis.call('HDEL', queue, 'runningId', 'running') end
  local json = record(command)
  redis.call('HSET', queue, 'last', json)
  redis.call('PUBLISH', R .. ':outcomes', id .. ' ' .. json)
end
-- Has the job of a waiting command been taken off the queue by a worker that then did not begin it, because it
-- died or had lost the link? Without a job it was never handed over: then nobody may begin it.
local function stranded(instrument, id)
  local bull = R .. ':bull:' .. instrument .. ':'
  return redis.call('EXISTS', bull .. id) == 1 and not redis.call('LPOS', bull .. 'wait', id)
end
local function stopped(instrument)
  return redis.call('HGET', R .. ':stop', '*') or redis.call('HGET', R .. ':stop', instrument)
end
`

const COMMAND_SCRIPTS = {
  /**
   * late: Redis was frozen and comes to this only now, when the client has been told that it does not answer.
   * ARGV: id, instrument, request (JSON), validForMs, maxWaiting, fingerprint, not after (ms), by, number of the
   *   reservation it is given under or ''
   * -> ok record | exists record | reused | stopped reason | reserved JSON | fence JSON | full n | late
   */
  golemSubmit: `
local id, instrument, request, validFor, max, fingerprint = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local command, waiting = R .. ':command:' .. id, R .. ':waiting:' .. instrument
if redis.call('EXISTS', command) == 1 then
  if redis.call('HGET', command, 'fingerprint') ~= fingerprint then return {'reused'} end
  return {'exists', record(command)}
end
if ARGV[10] ~= '' and redis.call('GET', R .. ':lease:scheduler') ~= ARGV[10] then return {'lead'} end
local why = stopped(instrument)
if why then return {'stopped', why} end
local at = now_ms()
if at > tonumber(ARGV[7]) then return {'late'} end
local reserved, s, json = rsv_check(instrument, ARGV[8], ARGV[9], at)
if reserved then return {reserved, json} end
local n = redis.call('ZCARD', waiting)
if n >= max then return {'full', n} end
redis.call('HSET', command, 'instrument', instrument, 'request', request, 'fingerprint', fingerprint,
  'submittedAt', text(at), 'validUntil', text(at + validFor), 'state', 'queued',
  'by', ARGV[8], 'fence', s.current and text(s.current.fence) or '')
local stage = stage_of(run_of(ARGV[8]))
if stage then redis.call('HSET', command, 'stage', stage) end
if s.current then rsv_used(instrument, s, at) end
redis.call('PEXPIRE', command, text(validFor + ${LEDGER_TTL_MS}))
redis.call('ZADD', waiting, text(at), id)
enlist(id, instrument, text(at))
queue_changed(instrument)
return {'ok', record(command)}`,

  /**
   * A worker asks to carry a command out. Only the owner of the link may, only what still waits, and not too late.
   * after: an older one was left behind by another worker and comes first. unsafe: the outputs have to be made safe
   * before, because a reservation has ended. reserved, fence: others hold the instrument now.
   * ARGV: id, instrument, worker, link, fence, number of the reservation after which the outputs were last made safe
   * -> ok record reservation fence | missing | ended record | running record | after record | notowner record owner |
   *   stopped record reason | expired record | unsafe record reservation | reserved record reservation | fence record reservation
   */
  golemBegin: `
local id, instrument, worker, link, fence = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local command, queue = R .. ':command:' .. id, R .. ':queue:' .. instrument
local state = redis.call('HGET', command, 'state')
if not state then return {'missing'} end
if state == 'ended' then return {state, record(command)} end
local owner = redis.call('GET', R .. ':lease:' .. link)
if owner ~= worker .. ' ' .. fence then return {'notowner', record(command), owner or ''} end
if state ~= 'queued' then return {state, record(command)} end
for _, older in ipairs(redis.call('ZRANGE', R .. ':waiting:' .. instrument, 0, -1)) do
  if older == id then break end
  if redis.call('HGET', R .. ':command:' .. older, 'state') == 'queued' and stranded(instrument, older) then
    return {'after', record(R .. ':command:' .. older)}
  end
end
local why = stopped(instrument)
if why then return {'stopped', record(command), why} end
local at = now_ms()
local given = redis.call('HMGET', command, 'validUntil', 'by', 'fence', 'request')
if at > tonumber(given[1]) then return {'expired', record(command)} end
local under = given[3] or ''
local reserved, s, json = rsv_check(instrument, given[2] or cjson.decode(given[4]).by, under, at)
if reserved then return {reserved, record(command), json, under} end
if s.safe then
  if text(s.safe.fence) ~= ARGV[6] then return {'unsafe', record(command), json} end
  -- They could not be reached; now somebody who may takes them over.
  s.safe = nil
  json = rsv_save(instrument, s)
end
redis.call('HSET', command, 'state', 'running', 'startedAt', text(at), 'worker', '"' .. worker .. '"')
redis.call('ZREM', R .. ':waiting:' .. instrument, id)
local started = record(command)
redis.call('HSET', queue, 'runningId', id, 'running', started)
queue_changed(instrument)
return {'ok', started, json, under}`,

  /**
   * Writes an outcome. The worker gives the whole record, so that it can be written anew when Redis has lost it.
   * ARGV: id, instrument, request, submittedAt, validUntil, startedAt or '', worker or '', endedAt, ending (JSON), event message, by, fingerprint
   * -> 1 written | 0 it had ended before
   */
  golemFinish: `
local id, instrument = ARGV[1], ARGV[2]
local command = R .. ':command:' .. id
local state = redis.call('HGET', command, 'state')
if state == 'ended' then return 0 end
if not state then
  redis.call('HSET', command, 'instrument', instrument, 'request', ARGV[3], 'fingerprint', ARGV[12], 'submittedAt', ARGV[4], 'validUntil', ARGV[5])
  enlist(id, instrument, ARGV[4])
end
if ARGV[6] ~= '' then redis.call('HSET', command, 'startedAt', ARGV[6]) end
if ARGV[7] ~= '' then redis.call('HSET', command, 'worker', '"' .. ARGV[7] .. '"') end
finish(id, instrument, ARGV[9], ARGV[8])
queue_changed(instrument)
event('command', instrument, ARGV[11], ARGV[10], about(id, ARGV[11], ARGV[9]))
return 1`,

  /**
   * Ends commands that still wait. ARGV: instrument, ending (JSON), kind of event, by, message, ids... ; without ids: all that wait
   * -> the ids that were ended
   */
  golemRefuse: `
local instrument, ending = ARGV[1], ARGV[2]
local ids = {}
for n = 6, #ARGV do ids[#ids + 1] = ARGV[n] end
if #ids == 0 then ids = redis.call('ZRANGE', R .. ':waiting:' .. instrument, 0, -1) end
local at, done = text(now_ms()), {}
for _, id in ipairs(ids) do
  if redis.call('HGET', R .. ':command:' .. id, 'state') == 'queued' then
    finish(id, instrument, ending, at)
    done[#done + 1] = id
  else
    redis.call('ZREM', R .. ':waiting:' .. instrument, id)
  end
end
if #done > 0 then
  queue_changed(instrument)
  event(ARGV[3], instrument, ARGV[4], #done .. ' ' .. ARGV[5], about_all(done, 'notice'))
end
return done`,

  /** Ends what has waited past its valid-until. ARGV: ending (JSON), instruments... -> how many */
  golemExpire: `
local at, done = now_ms(), 0
for n = 2, #ARGV do
  local instrument, ended = ARGV[n], {}
  for _, id in ipairs(redis.call('ZRANGE', R .. ':waiting:' .. instrument, 0, -1)) do
    local h = redis.call('HMGET', R .. ':command:' .. id, 'state', 'validUntil')
    if h[1] ~= 'queued' then
      redis.call('ZREM', R .. ':waiting:' .. instrument, id)
    elseif at > tonumber(h[2]) then
      finish(id, instrument, ARGV[1], text(at))
      ended[#ended + 1] = id
    end
  end
  if #ended > 0 then
    queue_changed(instrument)
    event('command', instrument, '', #ended .. ' refused: waited past their valid-until', about_all(ended, 'notice'))
  end
  done = done + #ended
end
return done`,

  /** Waiting commands that another worker took off the queue and left. ARGV: instruments... -> instrument, id, instrument, id... */
  golemStranded: `
local found = {}
for _, instrument in ipairs(ARGV) do
  for _, id in ipairs(redis.call('ZRANGE', R .. ':waiting:' .. instrument, 0, -1)) do
    if stranded(instrument, id) then
      found[#found + 1] = instrument
      found[#found + 1] = id
    end
  end
end
return found`,

  /** Adds what reading back showed. ARGV: id, instrument, settled (JSON), message -> 1 | 0 no such ended command */
  golemSettle: `
local command = R .. ':command:' .. ARGV[1]
if redis.call('HGET', command, 'state') ~= 'ended' then return 0 end
redis.call('HSET', command, 'settled', ARGV[3])
local queue = R .. ':queue:' .. ARGV[2]
local last = redis.call('HGET', queue, 'last')
if last and string.find(last, '"id":"' .. ARGV[1] .. '"', 1, true) then redis.call('HSET', queue, 'last', record(command)) end
queue_changed(ARGV[2])
event('settled', ARGV[2], '', ARGV[4], about(ARGV[1], ''))
return 1`,

  /** The ledger record. ARGV: ids... -> records (JSON) or false */
  golemRecords: `
local found = {}
for n, id in ipairs(ARGV) do
  local command = R .. ':command:' .. id
  found[n] = redis.call('HEXISTS', command, 'state') == 1 and record(command) or false
end
return found`,

  /**
   * Emergency stop, first half: from here on nothing begins. Quick, whatever waits.
   * ARGV: '*' or instrument, by, reason (JSON strings), control message -> the stop table
   */
  golemStop: `
local field = ARGV[1]
if redis.call('HEXISTS', R .. ':stop', field) == 0 then
  redis.call('HSET', R .. ':stop', field, '{"sinceMs":' .. text(now_ms()) .. ',"by":' .. ARGV[2] .. ',"reason":' .. ARGV[3] .. '}')
end
redis.call('PUBLISH', R .. ':control', ARGV[4])
local all = redis.call('HGETALL', R .. ':stop')
change('k', 'stop')
event('stop', field == '*' and '' or field, cjson.decode(ARGV[2]), 'emergency stop: ' .. cjson.decode(ARGV[3]),
  cjson.encode({level = 'warning'}))
return all`,

  /** ARGV: '*' for all or instrument, by, control message -> the stop table */
  golemRelease: `
if ARGV[1] == '*' then redis.call('DEL', R .. ':stop') else redis.call('HDEL', R .. ':stop', ARGV[1]) end
redis.call('PUBLISH', R .. ':control', ARGV[3])
change('k', 'stop')
event('release', ARGV[1] == '*' and '' or ARGV[1], ARGV[2], 'emergency stop released')
return redis.call('HGETALL', R .. ':stop')`,

  /**
   * Takes a link that nobody owns. ARGV: link, worker, leaseMs, highest fence this worker knows of
   * -> 1 fence | 0 owner
   */
  golemAcquire: `
local lease = R .. ':lease:' .. ARGV[1]
local owner = redis.call('GET', lease)
if owner then return {0, owner} end
local known = tonumber(redis.call('HGET', R .. ':fences', ARGV[1]) or '0')
local fence = text(math.max(known, tonumber(ARGV[4])) + 1)
redis.call('HSET', R .. ':fences', ARGV[1], fence)
redis.call('SET', lease, ARGV[2] .. ' ' .. fence, 'PX', ARGV[3])
return {1, fence}`,

  /** ARGV: leaseMs, then link and "worker fence" in pairs -> 1 or 0 for each */
  golemRenew: `
local kept = {}
for n = 2, #ARGV, 2 do
  local lease = R .. ':lease:' .. ARGV[n]
  if redis.call('GET', lease) == ARGV[n + 1] then
    redis.call('PEXPIRE', lease, ARGV[1])
    kept[#kept + 1] = 1
  else
    kept[#kept + 1] = 0
  end
end
return kept`,

  /** ARGV: link, "worker fence", control message -> 1 released | 0 was not ours */
  golemYield: `
local lease = R .. ':lease:' .. ARGV[1]
if redis.call('GET', lease) ~= ARGV[2] then return 0 end
redis.call('DEL', lease)
redis.call('PUBLISH', R .. ':control', ARGV[3])
return 1`,

  /** ARGV: kind, instrument, by, message, details (JSON) or '' -> its id */
  golemEvent: `return event(ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5])`,
} as const

const SCRIPTS = {
  ...COMMAND_SCRIPTS,
  ...RESERVATION_SCRIPTS,
  ...SCHEDULER_SCRIPTS,
  ...INTERLOCK_SCRIPTS,
  ...LOG_SCRIPTS,
  ...WORKER_SCRIPTS,
}

export type ScriptName = keyof typeof SCRIPTS

/** Makes the scripts known to a connection; ioredis sends them once and then by their digest. */
export function withScripts(connection: Connection): Connection {
  for (const [name, lua] of Object.entries(SCRIPTS)) {
    connection.defineCommand(name, { numberOfKeys: 1, lua: PRELUDE + RESERVATION_PRELUDE + lua })
  }
  return connection
}

/** Runs a script. @param root - of the keys of the site */
export function runScript(
  connection: Connection,
  name: ScriptName,
  root: string,
  ...args: readonly (string | number)[]
): Promise<unknown> {
  const table = connection as unknown as Record<
    ScriptName,
    (...args: (string | number)[]) => Promise<unknown>
  >
  return table[name](root, ...args)
}
