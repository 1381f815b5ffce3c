import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { GolemError, type HidDriver, type HidIo } from '@golem/core'
import {
  channelsPacket,
  checkAnswer,
  clockPacket,
  deleteAllPacket,
  endOfSessionPacket,
  endOfStepsPacket,
  parseSteps,
  playPacket,
  programPacket,
  stepPacket,
} from './tc420-packets.ts'
import { tc420 } from './tc420.ts'

const code = (wanted: string) => (error: unknown) => error instanceof GolemError && error.code === wanted

const ok = (): Buffer => {
  const answer = Buffer.alloc(64)
  answer.writeUInt16BE(1, 3)
  return answer
}

/** The whole packet: first bytes, zeros, and what stands at offset 61 to 63. */
function whole(first: string, last: string): string {
  const bytes = Buffer.alloc(64)
  Buffer.from(first.replaceAll(' ', ''), 'hex').copy(bytes)
  Buffer.from(last.replaceAll(' ', ''), 'hex').copy(bytes, 61)
  return bytes.toString('hex')
}

/** An io that gives these answers (null: no answer in time) and keeps what was sent. */
function scripted(answers: (Buffer | null)[]): HidIo & { sent: Buffer[] } {
  const sent: Buffer[] = []
  return {
    sent,
    send: async (report) => void sent.push(Buffer.from(report)),
    ask: async (report) => {
      sent.push(Buffer.from(report))
      const answer = answers.length > 0 ? answers.shift() : ok()
      if (!answer) throw new GolemError('REPLY_TIMEOUT', 'no answer')
      return answer
    },
    sleep: async () => undefined,
  }
}

const driver = (): HidDriver => tc420.create({}) as HidDriver
const commands = ({ sent }: { sent: Buffer[] }): string =>
  sent.map((packet) => packet.subarray(2, 3).toString('hex')).join(' ')
const all = new Set(['channel1', 'channel2', 'channel3', 'channel4', 'channel5', 'held'])

test('packets are byte for byte as the protocol has them', () => {
  const step = {
    hour: 6,
    minute: 30,
    channels: [100, 50, 0, 0, 10].map((percent, index) => ({ percent, jump: index === 1 })),
  }
  const vectors: [Buffer, string, string][] = [
    [clockPacket(new Date(2026, 10, 20, 19, 30, 5)), '55AA11000707EA0B14131E05', '5D0D0A'],
    [programPacket(0, 2, 'Sunrise'), '55AA120009000253756E72697365', '050D0A'],
    [stepPacket(step), '55AA130008061E643200000A02', 'E00D0A'],
    [endOfStepsPacket(), '55AA01', '000D0A'],
    [endOfSessionPacket(), '55AA02', '010D0A'],
    [deleteAllPacket(), '55AA03', '020D0A'],
    [playPacket('Demo'), '55AA15000644656D6F007F', '1E0D0A'],
    [channelsPacket([100, 50, 0, 0, 10]), '55AA160007F5643200000A00', 'B10D0A'],
  ]
  for (const [packet, first, last] of vectors) assert.equal(packet.toString('hex'), whole(first, last))
})

test('an answer is a success, a refusal, or nothing anybody can read', () => {
  const request = channelsPacket([1, 2, 3, 4, 5])
  checkAnswer(ok(), request, 'It')
  const shifted = Buffer.alloc(64)
  request.copy(shifted, 0, 2)
  for (const repeated of [request, shifted]) {
    assert.throws(() => checkAnswer(repeated, request, 'It'), code('INSTRUMENT_REFUSED'))
  }
  const failed = ok()
  failed[5] = 1
  for (const other of [failed, Buffer.alloc(64), Buffer.alloc(64, 0xff), channelsPacket([1, 2, 3, 4, 6])]) {
    assert.throws(() => checkAnswer(other, request, 'It'), code('REPLY_MALFORMED'))
  }
})

test('steps are read as people write them, and a wrong one is named', () => {
  assert.deepEqual(
    parseSteps('06:30 100 50j 0 0 10; 20:00 0,0,0,0,0;')
      .map(stepPacket)
      .map((packet) => packet.toString('hex', 5, 13)),
    ['061e643200000a02', '1400000000000000'],
  )
  for (const wrong of [
    '',
    '06:30 1 2 3 4 5',
    '24:00 0 0 0 0 0;1:00 0 0 0 0 0',
    '1:00 0 0 0 0 101;2:00 0 0 0 0 0',
  ]) {
    assert.throws(() => parseSteps(wrong), code('OUT_OF_RANGE'), wrong)
  }
  assert.throws(() => parseSteps('1:00 0 0 0 0;2:00 0 0 0 0 0'), /"1:00 0 0 0 0" is no step/)
  assert.throws(() => parseSteps(Array(256).fill('1:00 0 0 0 0 0').join(';')), code('OUT_OF_RANGE'))
})

describe('channels', () => {
  test('nothing is claimed and nothing is sent before somebody writes', async () => {
    const io = scripted([])
    assert.deepEqual(await driver().readAll(io, all), { held: false })
    assert.equal(io.sent.length, 0)
  })

  test('a value enters play mode; each poll sends all five again and shows what was acknowledged', async () => {
    const it = driver()
    const io = scripted([])
    await it.parameters['channel2']?.write?.(io, 40)
    await it.parameters['channel5']?.write?.(io, 7)
    const readings = await it.readAll(io, all)
    assert.equal(commands(io), '15 16 16 16')
    assert.deepEqual(io.sent.at(-1), channelsPacket([0, 40, 0, 0, 7]))
    assert.deepEqual(readings, {
      held: true,
      channel1: 0,
      channel2: 40,
      channel3: 0,
      channel4: 0,
      channel5: 7,
    })
  })

  test('a value of unknown outcome is not sent again: the poll restores what was acknowledged', async () => {
    const it = driver()
    const io = scripted([ok(), ok(), null])
    await it.parameters['channel1']?.write?.(io, 10)
    await assert.rejects(it.parameters['channel1']!.write!(io, 90), code('REPLY_TIMEOUT'))
    await it.identify(io)
    assert.equal((await it.readAll(io, all))['channel1'], 10)
    assert.deepEqual(io.sent.at(-1), channelsPacket([10, 0, 0, 0, 0]))
  })

  test('dark stays dark: an unacknowledged 0 and an unacknowledged stop are what polls go on with', async () => {
    const it = driver()
    const io = scripted([ok(), ok(), null, ok(), null])
    await it.parameters['channel1']?.write?.(io, 80)
    await assert.rejects(it.parameters['channel1']!.write!(io, 0), code('REPLY_TIMEOUT'))
    assert.equal((await it.readAll(scripted([]), all))['channel1'], 0)
    await it.parameters['channel3']?.write?.(scripted([]), 60)
    await assert.rejects(it.makeSafe!(scripted([null])), code('REPLY_TIMEOUT'))
    const later = scripted([])
    const readings = await it.readAll(later, all)
    assert.deepEqual([readings['channel1'], readings['channel3'], commands(later)], [0, 0, '15 16'])
  })

  test('a refusal changes nothing, and play mode is entered anew', async () => {
    const it = driver()
    await it.parameters['channel1']?.write?.(scripted([]), 5)
    const refusal = scripted([channelsPacket([6, 0, 0, 0, 0])])
    await assert.rejects(it.parameters['channel1']!.write!(refusal, 6), code('INSTRUMENT_REFUSED'))
    const io = scripted([])
    assert.equal((await it.readAll(io, all))['channel1'], 5)
    assert.equal(commands(io), '15 16')
  })

  test('what is no whole percentage is not sent', async () => {
    const io = scripted([])
    for (const value of [-1, 101, 1.5, NaN]) {
      await assert.rejects(driver().parameters['channel1']!.write!(io, value), code('OUT_OF_RANGE'))
    }
    assert.equal(io.sent.length, 0)
  })

  test('ending the session gives the channels back: polls send nothing more', async () => {
    const it = driver()
    await it.parameters['channel1']?.write?.(scripted([]), 5)
    await it.actions['endSession']?.run(scripted([]), {})
    const io = scripted([])
    assert.deepEqual(await it.readAll(io, all), { held: false })
    assert.equal(io.sent.length, 0)
  })
})

describe('programs', () => {
  const args = { bank: 3, name: 'Day', steps: '06:00 10 0 0 0 0; 20:00 0 0 0 0 0' }

  test('one is stored by its beginning, its steps, their end without an answer and the end of the session', async () => {
    const it = driver()
    const io = scripted([])
    await it.actions['uploadProgram']?.run(io, args)
    assert.equal(commands(io), '12 13 13 01 02')
  })

  test('refused at the beginning nothing has changed; refused later it says that half of it is there', async () => {
    const it = driver()
    const first = scripted([programPacket(3, 2, 'Day')])
    await assert.rejects(
      Promise.resolve(it.actions['uploadProgram']!.run(first, args)),
      code('INSTRUMENT_REFUSED'),
    )
    assert.equal(commands(first), '12')
    const step = stepPacket(parseSteps(args.steps)[1]!)
    await assert.rejects(
      Promise.resolve(it.actions['uploadProgram']!.run(scripted([ok(), ok(), step]), args)),
      (error) => code('READBACK_MISMATCH')(error) && /Step 2 of 2/.test(String(error)),
    )
  })

  test('wrong names and steps are refused before anything is sent', async () => {
    const io = scripted([])
    for (const wrong of [{ name: '' }, { name: 'ninechars' }, { name: 'dü' }, { steps: 'x' }]) {
      await assert.rejects(
        Promise.resolve(driver().actions['uploadProgram']!.run(io, { ...args, ...wrong })),
        code('OUT_OF_RANGE'),
      )
    }
    assert.equal(io.sent.length, 0)
  })

  test('the held channels survive storing a program', async () => {
    const it = driver()
    await it.parameters['channel1']?.write?.(scripted([]), 33)
    await it.actions['uploadProgram']?.run(scripted([]), args)
    const io = scripted([])
    assert.equal((await it.readAll(io, all))['channel1'], 33)
    assert.equal(commands(io), '15 16')
  })

  test('the clock gets the local time, all programs can be deleted', async () => {
    const io = scripted([])
    const it = driver()
    await it.actions['setClock']?.run(io, {})
    await it.actions['deletePrograms']?.run(io, {})
    assert.equal(commands(io), '11 03 02')
  })
})
