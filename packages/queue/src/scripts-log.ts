import { EVENTS_MAX, EVENTS_MAX_BYTES } from './keys.ts'

/** How long a writer's last number is remembered, in s: far longer than it repeats a batch. */
const WRITER_TTL_S = 86_400

/** The script of log lines. */
export const LOG_SCRIPTS = {
  /**
   * Writes a batch of log lines, once however often it is sent: its number is higher than that of the writer's last one. The
   * entries are bounded by their size, too: tracebacks are long. ARGV: writer, number, then of each line: time (ms), instrument,
   * by, message, details (JSON)
   */
  golemLog: `
local writer, events = R .. ':log-writer:' .. ARGV[1], R .. ':events'
if tonumber(redis.call('GET', writer) or '0') >= tonumber(ARGV[2]) then return 0 end
redis.call('SET', writer, ARGV[2], 'EX', ${WRITER_TTL_S})
for n = 3, #ARGV, 5 do
  redis.call('XADD', events, 'MAXLEN', '~', ${EVENTS_MAX}, '*', 'at', ARGV[n], 'kind', 'log',
    'instrument', ARGV[n + 1], 'by', ARGV[n + 2], 'message', ARGV[n + 3], 'details', ARGV[n + 4])
end
local bytes = redis.pcall('MEMORY', 'USAGE', events)
if type(bytes) == 'number' and bytes > ${EVENTS_MAX_BYTES} then
  redis.call('XTRIM', events, 'MAXLEN', '~', math.floor(redis.call('XLEN', events) * 0.9))
end
return 1`,
} as const
