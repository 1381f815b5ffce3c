import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { GolemError, type LineDriver, type LineIo, type Value } from '@golem/core'
import { runConformance } from './conformance.ts'
import { FAULT_CASES } from './fault-cases.ts'
import type { Finding, Level, Report } from './report.ts'
import { goodOven, oven } from './testing.ts'

type Write = (io: LineIo, value: Value) => Promise<void>

/** The checks of a driver, without the long one. */
function tried(driver: () => LineDriver, place: 'tcp' | 'serial' = 'tcp'): Promise<Report> {
  return runConformance(oven(driver, place), { exchanges: 0, concurrency: 24 })
}

/** An oven that is written in another way. */
function writing(make: (good: Write) => Write): () => LineDriver {
  return () => {
    const driver = goodOven()
    const { heat } = driver.parameters
    assert.ok(heat?.write)
    return { ...driver, parameters: { heat: { ...heat, write: make(heat.write as Write) } } }
  }
}

function failures({ findings }: Report, level: Level): Finding[] {
  return findings.filter((finding) => finding.level === level && finding.status === 'failed')
}

/** The driver fails at this level, for a reason like this one, and reaches only what is below. */
function assertFailsAt(report: Report, level: Level, reached: Level | null, reason: RegExp): void {
  assert.equal(report.level, reached, JSON.stringify(report.next))
  const failed = failures(report, level)
  assert.ok(
    failed.some((finding) => reason.test(finding.reason)),
    failed.map((finding) => `${finding.check}: ${finding.reason}`).join('\n'),
  )
}

describe('a driver as it should be is gold, and each fault was met', { concurrency: true }, () => {
  for (const place of ['tcp', 'serial'] as const) {
    test(place, async () => {
      const report = await tried(goodOven, place)
      assert.equal(report.level, 'gold', JSON.stringify(report.next))
      for (const { name } of FAULT_CASES) {
        const found = report.findings.find(({ check, level }) => check === name && level === 'silver')
        const none = place === 'serial' && name === 'half-open connection'
        assert.equal(found?.status, none ? 'does not apply' : 'passed', `${name}: ${found?.reason}`)
      }
      assert.deepEqual(
        report.next?.missing.map(({ check }) => check),
        ['nothing mixed up'],
      )
    })
  }
})

describe('a driver that is not gets no further than below its fault', { concurrency: 3 }, () => {
  test('writes again after a time-out', async () => {
    const again = writing((write) => async (io, value) => {
      await write(io, value).catch(() => write(io, value))
    })
    assertFailsAt(await tried(again), 'silver', 'bronze', /"HEAT \d+" was sent 2 times/)
  })

  test('calls a write done whose answer did not come', async () => {
    const careless = writing((write) => async (io, value) => {
      await write(io, value).catch((error: unknown) => {
        if (!(error instanceof GolemError && error.code === 'REPLY_TIMEOUT')) throw error
      })
    })
    assertFailsAt(await tried(careless), 'silver', 'bronze', /called done, but "HEAT \d+" has not reached/)
  })

  test('takes what came late for an answer, whatever it was asked', async () => {
    const confused = (): LineDriver => {
      // What it was told last; and it does not look at what it is told it is about.
      let last = 20
      return {
        ...goodOven(),
        readAll: async (io) => {
          const said = await io.ask('HEAT?').catch(() => `HEAT ${last}`)
          const digits = /\d+/.exec(said)?.[0]
          last = Number(digits ?? last)
          return { heat: last }
        },
      }
    }
    assertFailsAt(await tried(confused), 'silver', 'bronze', /heat was read as \d+, which it is not/)
  })

  test('hangs', async () => {
    const hanging = writing((write) => async (io, value) => {
      await write(io, value).catch(() => new Promise<void>(() => undefined))
    })
    assertFailsAt(await tried(hanging), 'silver', 'bronze', /it never ended/)
  })

  test('believes another instrument', async () => {
    const trusting = (): LineDriver => ({
      ...goodOven(),
      identify: async (io) => void (await io.ask('*IDN?')),
    })
    assertFailsAt(await tried(trusting), 'gold', 'silver', /"?HEAT|heat was sent to another instrument/)
  })

  test('does not look whether a write has had its effect', async () => {
    const blind = writing(() => async (io, value) => void (await io.ask(`HEAT ${String(value)}`)))
    const report = await tried(blind)
    const [readBack] = failures(report, 'platinum')
    assert.equal(readBack?.check, 'read-back')
    assert.match(readBack.reason, /was called done when it was not/)
  })

  test('does not say what its outputs do at a stop, and has no limits', async () => {
    const bare = (): LineDriver => {
      const driver = goodOven()
      const { heat } = driver.parameters
      assert.ok(heat)
      const { label, type, unit = '', write } = heat
      assert.ok(write)
      return { ...driver, parameters: { heat: { label, type, unit, write } } }
    }
    const report = await tried(bare)
    assertFailsAt(report, 'bronze', null, /heat has no limits; heat has neither a safe value nor a note/)
  })
})

test('one that does not work at all is not tried further, and says why', async () => {
  const mute = (): LineDriver => ({
    ...goodOven(),
    identify: () => Promise.reject(new GolemError('WRONG_INSTRUMENT', 'This is no oven.')),
  })
  // Reading is tried until an instrument should long have been ready.
  const report = await runConformance(oven(mute), { exchanges: 0, signal: AbortSignal.timeout(1500) })
  assert.equal(report.level, null)
  const passed = report.findings.filter(({ status }) => status === 'passed').map(({ check }) => check)
  assert.deepEqual(passed, ['description'])
  assert.ok(report.findings.some(({ check, status }) => check === 'refuse' && status === 'not run'))
})

test('an end in the middle is an end at once; what was not finished is not run', async () => {
  const ending = new AbortController()
  const startedAt = performance.now()
  const report = await runConformance(oven(goodOven), {
    signal: ending.signal,
    concurrency: 24,
    onFinding: ({ level }) => {
      if (level === 'silver') ending.abort()
    },
  })
  assert.equal(report.level, 'bronze')
  const cut = report.findings.find(({ check }) => check === 'nothing mixed up')
  assert.deepEqual([cut?.status, cut?.reason], ['not run', 'it was ended early'])
  assert.ok(performance.now() - startedAt < 60_000)
})
