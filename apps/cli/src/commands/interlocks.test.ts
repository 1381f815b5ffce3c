import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runForTest, StandInServer } from '../testing.ts'

const AT = '2026-05-01T08:00:00.000Z'
const RULES = [
  {
    name: 'door',
    guidance: 'Shut the door.',
    at: {
      oven: {
        condition: 'latched',
        since: AT,
        message: 'door.relay0 is false.',
        refused: [],
        held: { heater: 0 },
      },
    },
    tripped: { id: 't1', at: AT, message: 'door.relay0 is \u001B[31mtrue', worker: 'w' },
  },
  { name: 'idle', at: {}, tripped: null },
]

test('interlocks are shown with their trips, and reset with a note', async (t) => {
  const server = await new StandInServer({
    'GET /api/interlocks': RULES,
    'POST /api/interlocks/door/reset': { name: 'door', tripped: null, reset: null },
  }).listen()
  t.after(() => server.close())
  const golem = (...argv: string[]) => runForTest([...argv, '--url', server.url], { env: {} })
  const shown = await golem('interlocks')
  assert.match(
    shown.out,
    /door\n {2}TRIPPED at 2026.*\n {2}Shut the door\.\n {2}oven: latched: door\.relay0 is false\./,
  )
  assert.match(shown.out, /idle\n {2}no worker keeps it/)
  assert.ok(!shown.out.includes('\u001B'))
  assert.doesNotMatch((await golem('interlocks', 'idle')).out, /door/)
  assert.match((await golem('interlocks', 'dor')).err, /no interlock "dor"/)
  assert.match((await golem('interlocks', '--reset')).err, /Which one/)
  assert.match((await golem('interlocks', 'door', '--reset', '--note', 'hinge')).out, /door is reset/)
  const asked = server.seen.find(({ method }) => method === 'POST')
  assert.deepEqual(asked?.body, { note: 'hinge' })
})
