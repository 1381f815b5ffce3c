import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startStand } from './stand.ts'

test('a command given over HTTP switches the relay of a simulated board, and the state shows it', async () => {
  const stand = await startStand()
  try {
    const { status, body } = await stand.command('relays', { parameter: 'relay0', value: true })
    assert.equal(status, 200, `${JSON.stringify(body)}\n${stand.log()}`)
    assert.equal(body.outcome, 'done')
    await stand.until(
      'relays',
      ({ readings }) => readings['relay0']?.value === true,
      'relay 0 is shown as on',
    )
  } finally {
    await stand.close()
  }
})
