/** The Lua scripts of interlocks; their prelude is in scripts.ts. */
export const INTERLOCK_SCRIPTS = {
  /**
   * Notes a trip. The first one stays until it is reset; one that was reset already is not noted again.
   * ARGV: record (JSON), its name, id of the trip, event message, its instrument, its details (JSON) -> the record as it now stands (JSON)
   */
  golemTrip: `
local known = redis.call('HGET', R .. ':interlocks', ARGV[2])
if known then
  local record = cjson.decode(known)
  if record.tripped ~= cjson.null then return known end
  if record.reset ~= cjson.null and record.reset.trip == ARGV[3] then return known end
end
redis.call('HSET', R .. ':interlocks', ARGV[2], ARGV[1])
change('k', 'interlock', 'i', ARGV[2], 'v', ARGV[1])
event('interlock', ARGV[5], '', ARGV[4], ARGV[6])
return ARGV[1]`,

  /**
   * A person resets a trip. One that was reset before stays as it is.
   * ARGV: name, at, by, note (JSON strings) -> the record as it now stands (JSON) | false it has never tripped
   */
  golemResetInterlock: `
local known = redis.call('HGET', R .. ':interlocks', ARGV[1])
if not known then return false end
local record = cjson.decode(known)
if record.tripped == cjson.null then return known end
local guidance = record.guidance and ',"guidance":' .. cjson.encode(record.guidance) or ''
local json = '{"name":' .. cjson.encode(record.name) .. ',"tripped":null,"reset":{"trip":' .. cjson.encode(record.tripped.id) ..
  ',"at":' .. ARGV[2] .. ',"by":' .. ARGV[3] .. ',"note":' .. ARGV[4] .. '}' .. guidance .. '}'
redis.call('HSET', R .. ':interlocks', ARGV[1], json)
change('k', 'interlock', 'i', ARGV[1], 'v', json)
local note = cjson.decode(ARGV[4])
event('interlock', '', cjson.decode(ARGV[3]), 'interlock ' .. ARGV[1] .. ' reset' .. (note ~= '' and ': ' .. note or ''),
  cjson.encode({data = {interlock = ARGV[1]}}))
return json`,
} as const
