import { DEFAULT_RESERVATION_MS, RESERVATION_IDLE_MS } from '@golem/core'

/** How many may wait for one instrument, and how many times of it may be booked. */
const MAX_LINE = 50

/**
 * What every script knows of reservations; it follows the prelude of scripts.ts. All there is to one instrument is
 * one JSON text (reservations.ts has its form), so that a change is one write. Times are ms since 1970.
 */
export const RESERVATION_PRELUDE = `
local function rsv_load(instrument)
  local json = redis.call('HGET', R .. ':reservations', instrument)
  if not json then return { v = 0, fence = 0, waiting = {}, bookings = {} }, '' end
  return cjson.decode(json), json
end
-- Writes it and tells the followers and the workers.
local function rsv_save(instrument, s)
  s.v = math.max(s.v + 1, now_ms())
  local json = cjson.encode(s)
  redis.call('HSET', R .. ':reservations', instrument, json)
  change('k', 'reservation', 'i', instrument, 'v', json)
  redis.call('PUBLISH', R .. ':control', cjson.encode({ type = 'reservation', instrument = instrument, state = json }))
  return json
end
local function rsv_name(h)
  if h.kind == 'run' then return 'run ' .. h.name end
  return h.name
end
local function rsv_note(note)
  if note ~= '' then return note end
end
local function rsv_same(a, b) return a.kind == b.kind and a.name == b.name end
local function rsv_span(ms)
  local s = math.max(1, math.floor(ms / 1000 + 0.5))
  local d, h, m = math.floor(s / 86400), math.floor(s % 86400 / 3600), math.floor(s % 3600 / 60)
  if d > 0 then return d .. ' d' .. (h > 0 and ' ' .. h .. ' h' or '') end
  if h > 0 then return h .. ' h' .. (m > 0 and ' ' .. m .. ' min' or '') end
  if m > 0 then return m .. ' min' .. (s % 60 > 0 and ' ' .. s % 60 .. ' s' or '') end
  return s .. ' s'
end
local function rsv_tell(instrument, by, message)
  local run = string.match(by, '^run (%S+)$')
  event('reservation', instrument, by, message, run and cjson.encode({run = run}))
end
local function rsv_entitled(c, by)
  local host = string.match(by, '^(gateway .+):%d+$')
  if rsv_name(c) == by then return true end
  for _, name in ipairs(c.shared) do
    if name == by or name == host then return true end
  end
  return false
end
-- The first booking of somebody else that is not over.
local function rsv_next_booking(s, holder, at)
  for _, b in ipairs(s.bookings) do
    if b['until'] > at and not rsv_same(b, holder) then return b end
  end
end
local function rsv_leave_line(s, holder)
  local left = false
  for n = #s.waiting, 1, -1 do
    if rsv_same(s.waiting[n], holder) then
      table.remove(s.waiting, n)
      left = true
    end
  end
  return left
end
-- A new reservation. The number never goes backwards, also not when Redis has lost what it knew: time has gone on.
local function rsv_grant(s, holder, till, at, onExpiry, note)
  s.fence = math.max(s.fence + 1, at)
  s.current = { kind = holder.kind, name = holder.name, fence = s.fence, since = at, ['until'] = till,
    shared = {}, onExpiry = onExpiry or 'hold', note = note }
  rsv_leave_line(s, holder)
  return s.current
end
local function rsv_end(s, how, by, reason, at)
  local c = s.current
  s.ended = { kind = c.kind, name = c.name, fence = c.fence, at = at, how = how, by = by, reason = reason }
  if (how == 'expired' or how == 'forced') and c.onExpiry == 'safe' then
    s.safe = { fence = c.fence, name = rsv_name(c) }
  end
  s.current = nil
end
-- Does what time has brought about: ends, beginnings of bookings, the next in line. Returns whether anything changed.
local function rsv_settle(instrument, s, at)
  local changed = false
  local c = s.current
  if c and c['until'] <= at then
    rsv_end(s, 'expired', nil, nil, at)
    rsv_tell(instrument, rsv_name(c), 'the reservation of ' .. rsv_name(c) .. ' has ended: its time is over and it was not given back'
      .. (c.onExpiry == 'safe' and '; outputs go to their safe state' or '; outputs hold'))
    changed = true
  end
  for n = #s.bookings, 1, -1 do
    local b = s.bookings[n]
    if b['until'] <= at then
      table.remove(s.bookings, n)
      rsv_tell(instrument, rsv_name(b), 'the booking of ' .. rsv_name(b) .. ' is over and was not used')
      changed = true
    end
  end
  local b = s.bookings[1]
  if b and b.from <= at and (not s.current or rsv_same(s.current, b)) then
    table.remove(s.bookings, 1)
    if s.current then
      s.current['until'] = math.max(s.current['until'], b['until'])
    else
      rsv_grant(s, b, b['until'], at, b.onExpiry, b.note)
    end
    rsv_tell(instrument, rsv_name(b), 'reserved by ' .. rsv_name(b) .. ' for ' .. rsv_span(b['until'] - at) .. ', as booked')
    changed = true
  end
  local w = s.waiting[1]
  if w and not s.current then
    local till, limit = at + w.forMs, rsv_next_booking(s, w, at)
    if limit then till = math.min(till, limit.from) end
    if till > at then
      rsv_grant(s, w, till, at, w.onExpiry, w.note)
      rsv_tell(instrument, rsv_name(w), 'reserved by ' .. rsv_name(w) .. ' for ' .. rsv_span(till - at) .. ': was next in line')
      changed = true
    end
  end
  c = s.current
  if c and c.kind == 'person' and not c.idleSince then
    local used = tonumber(redis.call('HGET', R .. ':reservations-used', instrument) or '0')
    local last = math.max(c.since, used, c.quietUntil or 0)
    if at - last >= ${RESERVATION_IDLE_MS} then
      c.idleSince = last
      rsv_tell(instrument, rsv_name(c), 'reserved by ' .. rsv_name(c) .. ', who has sent no command for ' .. rsv_span(at - last) .. ' and declared no quiet period')
      changed = true
    end
  end
  return changed
end
-- As it is now. Returns the state and its JSON ('': never reserved).
local function rsv_now(instrument, at)
  local s, json = rsv_load(instrument)
  if json ~= '' and rsv_settle(instrument, s, at) then json = rsv_save(instrument, s) end
  return s, json
end
-- May a command of this name, given under this number ('': under none), be carried out now?
-- Returns nil, 'fence' or 'reserved'; then state and JSON.
local function rsv_check(instrument, by, given, at)
  local s, json = rsv_now(instrument, at)
  local c = s.current
  if given ~= '' and (not c or text(c.fence) ~= given) then return 'fence', s, json end
  if c and not rsv_entitled(c, by) then return 'reserved', s, json end
  return nil, s, json
end
-- A command was given by one who may: nobody takes the reservation for abandoned.
local function rsv_used(instrument, s, at)
  redis.call('HSET', R .. ':reservations-used', instrument, text(at))
  if s.current.idleSince then
    s.current.idleSince = nil
    rsv_save(instrument, s)
  end
end
`

export const RESERVATION_SCRIPTS = {
  /** What is known of an instrument, brought up to date. ARGV: instrument -> JSON or '' */
  golemReservation: `
local _, json = rsv_now(ARGV[1], now_ms())
return json`,

  /**
   * Does what time has brought about. ARGV: instruments... -> how many changed
   */
  golemReservationsSettle: `
local done = 0
for _, instrument in ipairs(ARGV) do
  local s, json = rsv_load(instrument)
  if json ~= '' and rsv_settle(instrument, s, now_ms()) then
    rsv_save(instrument, s)
    done = done + 1
  end
end
return done`,

  /**
   * Reserves, renews, changes, or waits in line. ARGV: instrument, request (JSON): kind, name of the holder; forMs or
   * until; note, onExpiry, quietUntil (0: none), shared, wait
   * -> ok JSON | waiting JSON | reserved JSON | booked JSON booking | past | full
   */
  golemReserve: `
local instrument, q, at = ARGV[1], cjson.decode(ARGV[2]), now_ms()
local s = rsv_now(instrument, at)
local c = s.current
local mine = c and rsv_same(c, q)
if c and not mine then
  if not q.wait then return {'reserved', cjson.encode(s)} end
  local w
  for _, each in ipairs(s.waiting) do if rsv_same(each, q) then w = each end end
  if not w then
    if #s.waiting >= ${MAX_LINE} then return {'full'} end
    w = { kind = q.kind, name = q.name, since = at }
    s.waiting[#s.waiting + 1] = w
    rsv_tell(instrument, rsv_name(q), rsv_name(q) .. ' waits in line for it, as number ' .. #s.waiting)
  end
  w.forMs = q.forMs or q['until'] and math.max(1000, q['until'] - at) or w.forMs or ${DEFAULT_RESERVATION_MS}
  w.note = rsv_note(q.note) or w.note
  w.onExpiry = q.onExpiry or w.onExpiry
  return {'waiting', rsv_save(instrument, s)}
end
local till = q['until'] or q.forMs and at + q.forMs or mine and c['until'] or at + ${DEFAULT_RESERVATION_MS}
if till <= at then return {'past'} end
local limit = rsv_next_booking(s, q, at)
if limit and till > limit.from and not (mine and till <= c['until']) then
  if mine or not q.wait or limit.from <= at then return {'booked', cjson.encode(s), cjson.encode(limit)} end
  till = limit.from
end
if mine then
  local span = till ~= c['until'] and ', for ' .. rsv_span(till - at) .. ' from now' or ''
  c['until'] = till
  if q.note then c.note = rsv_note(q.note) end
  if q.onExpiry then c.onExpiry = q.onExpiry end
  c.idleSince = nil
  redis.call('HSET', R .. ':reservations-used', instrument, text(at))
  rsv_tell(instrument, rsv_name(q), 'reservation of ' .. rsv_name(q) .. ' changed' .. span)
else
  c = rsv_grant(s, q, till, at, q.onExpiry, rsv_note(q.note))
  rsv_tell(instrument, rsv_name(q), 'reserved by ' .. rsv_name(q) .. ' for ' .. rsv_span(till - at))
end
if q.shared then c.shared = q.shared end
if q.quietUntil then
  if q.quietUntil > at then c.quietUntil = math.min(q.quietUntil, till) else c.quietUntil = nil end
end
return {'ok', rsv_save(instrument, s)}`,

  /**
   * Its holder gives a reservation to somebody else. ARGV: instrument, request (JSON): kind, name; to: kind and name;
   * note -> ok JSON | free JSON | notyours JSON
   */
  golemHandOver: `
local instrument, q, at = ARGV[1], cjson.decode(ARGV[2]), now_ms()
local s, json = rsv_now(instrument, at)
local c = s.current
if not c then return {'free', json} end
if not rsv_same(c, q) then return {'notyours', json} end
local limit = rsv_next_booking(s, q.to, at)
local till = c['until']
if limit then till = math.min(till, limit.from) end
rsv_end(s, 'handed over', rsv_name(q), nil, at)
local new = rsv_grant(s, q.to, till, at, c.onExpiry, rsv_note(q.note) or c.note)
new.shared = c.shared
rsv_tell(instrument, rsv_name(q), 'reservation handed over from ' .. rsv_name(c) .. ' to ' .. rsv_name(new))
return {'ok', rsv_save(instrument, s)}`,

  /**
   * Books a time to come. ARGV: instrument, request (JSON): id, kind, name, from, until, note, onExpiry
   * -> ok JSON | booked JSON booking | reserved JSON | past | full
   */
  golemBook: `
local instrument, q, at = ARGV[1], cjson.decode(ARGV[2]), now_ms()
local s, json = rsv_now(instrument, at)
for _, b in ipairs(s.bookings) do
  if b.id == q.id then return {'ok', json} end
end
if q.from <= at or q['until'] <= q.from then return {'past'} end
local place = #s.bookings + 1
if place > ${MAX_LINE} then return {'full'} end
for n, b in ipairs(s.bookings) do
  if q.from < b['until'] and q['until'] > b.from then return {'booked', json, cjson.encode(b)} end
  if q.from < b.from then place = math.min(place, n) end
end
local c = s.current
if c and c['until'] > q.from and not rsv_same(c, q) then return {'reserved', json} end
table.insert(s.bookings, place, { id = q.id, kind = q.kind, name = q.name, from = q.from, ['until'] = q['until'],
  note = rsv_note(q.note), onExpiry = q.onExpiry })
rsv_tell(instrument, rsv_name(q), 'booked by ' .. rsv_name(q) .. ' for ' .. rsv_span(q['until'] - q.from) .. ', beginning in ' .. rsv_span(q.from - at))
return {'ok', rsv_save(instrument, s)}`,

  /**
   * Gives back; leaves the line; cancels a booking. Not one's own: takes the right of an admin, and a reason.
   * ARGV: instrument, request (JSON): kind, name; booking or waiting; fence; admin, reason
   * -> ok JSON | notyours JSON | noreason JSON | changed JSON | nobooking
   */
  golemGiveBack: `
local instrument, q, at = ARGV[1], cjson.decode(ARGV[2]), now_ms()
local s, json = rsv_now(instrument, at)
local who = rsv_name(q)
local function may(owner)
  if rsv_same(owner, q) then return nil end
  if not q.admin then return 'notyours' end
  if not q.reason then return 'noreason' end
end
if q.booking then
  for n, b in ipairs(s.bookings) do
    if b.id == q.booking then
      local no = may(b)
      if no then return {no, json, cjson.encode(b)} end
      table.remove(s.bookings, n)
      rsv_tell(instrument, who, 'booking of ' .. rsv_name(b) .. ' cancelled by ' .. who .. (q.reason and ': ' .. q.reason or ''))
      return {'ok', rsv_save(instrument, s)}
    end
  end
  return {'nobooking'}
end
if q.waiting then
  if not rsv_leave_line(s, q) then return {'ok', json} end
  rsv_tell(instrument, who, who .. ' waits in line no longer')
  return {'ok', rsv_save(instrument, s)}
end
local c = s.current
if q.fence and not (c and c.fence == q.fence) then return {'changed', json} end
if not c then return {'ok', json} end
local no = may(c)
if no then return {no, json} end
if rsv_same(c, q) then
  rsv_end(s, 'released', who, nil, at)
  rsv_tell(instrument, who, 'given back by ' .. who)
else
  rsv_end(s, 'forced', who, q.reason, at)
  rsv_tell(instrument, who, 'reservation of ' .. rsv_name(c) .. ' ended by ' .. who .. ': ' .. q.reason
    .. (c.onExpiry == 'safe' and '; outputs go to their safe state' or '; outputs hold'))
end
rsv_settle(instrument, s, at)
return {'ok', rsv_save(instrument, s)}`,

  /**
   * Reserves several instruments, all or none. Those the holder has already are renewed.
   * ARGV: request (JSON): kind, name, forMs, note, onExpiry; then instruments...
   * -> ok instrument JSON instrument JSON... | reserved instrument JSON | booked instrument JSON booking
   */
  golemReserveTogether: `
local q, at = cjson.decode(ARGV[1]), now_ms()
local till, states = at + q.forMs, {}
for n = 2, #ARGV do
  local s, json = rsv_now(ARGV[n], at)
  if s.current and not rsv_same(s.current, q) then return {'reserved', ARGV[n], json} end
  local limit = rsv_next_booking(s, q, at)
  if limit and limit.from < till then return {'booked', ARGV[n], json, cjson.encode(limit)} end
  states[n] = s
end
local answer = {'ok'}
for n = 2, #ARGV do
  local s = states[n]
  if s.current then
    s.current['until'] = math.max(s.current['until'], till)
  else
    rsv_grant(s, q, till, at, q.onExpiry, q.note)
    rsv_tell(ARGV[n], rsv_name(q), 'reserved by ' .. rsv_name(q) .. ' for ' .. rsv_span(q.forMs))
  end
  answer[#answer + 1] = ARGV[n]
  answer[#answer + 1] = rsv_save(ARGV[n], s)
end
return answer`,

  /**
   * Renews what a holder has, up to the next booking of somebody else.
   * ARGV: request (JSON): kind, name, forMs; then instrument and fence in pairs -> instrument, JSON... (as they are now)
   */
  golemRenewTogether: `
local q, at, answer = cjson.decode(ARGV[1]), now_ms(), {}
for n = 2, #ARGV, 2 do
  local instrument = ARGV[n]
  local s, json = rsv_now(instrument, at)
  local c = s.current
  if c and rsv_same(c, q) and text(c.fence) == ARGV[n + 1] then
    local limit, till = rsv_next_booking(s, q, at), at + q.forMs
    if limit then till = math.min(till, limit.from) end
    if till > c['until'] then
      c['until'] = till
      json = rsv_save(instrument, s)
    end
  end
  answer[#answer + 1] = instrument
  answer[#answer + 1] = json
end
return answer`,

  /** Gives several back. ARGV: request (JSON): kind, name; then instrument and fence in pairs -> how many */
  golemReleaseTogether: `
local q, at, done = cjson.decode(ARGV[1]), now_ms(), 0
for n = 2, #ARGV, 2 do
  local instrument = ARGV[n]
  local s = rsv_now(instrument, at)
  local c = s.current
  if c and rsv_same(c, q) and text(c.fence) == ARGV[n + 1] then
    rsv_end(s, 'released', rsv_name(q), nil, at)
    rsv_tell(instrument, rsv_name(q), 'given back by ' .. rsv_name(q))
    rsv_settle(instrument, s, at)
    rsv_save(instrument, s)
    done = done + 1
  end
end
return done`,

  /** The outputs are safe after the end of the reservation with this number. ARGV: instrument, fence -> 1 | 0 */
  golemReservationSafe: `
local s = rsv_load(ARGV[1])
if not s.safe or text(s.safe.fence) ~= ARGV[2] then return 0 end
s.safe = nil
rsv_save(ARGV[1], s)
return 1`,
} as const
