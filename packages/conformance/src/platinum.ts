import { type AnyParameterSpec, valueInWords } from '@golem/core'
import { seededFaults } from './soak-faults.ts'
import type { Bench } from './bench.ts'
import { learn, outcomeInWords, pause, settle, wrongReading } from './manner.ts'
import type { Finding } from './report.ts'
import type { RigMaker } from './rig.ts'

/** So many exchanges are the proof that nothing is mixed up. */
export const SOAK_EXCHANGES = 10_000
/** After so many failures in a row, over at least so long, nothing more is to be learned. */
const MOST_FAILURES = 20
const FAILING_MS = 5000
/** Between a failure and the next try, in ms: a port that has been pulled out needs a moment to be there again. */
const PAUSE_MS = 20

/** Is a write called done only when the instrument shows the value? Here it acknowledges and does nothing. */
export async function checkReadBack(bench: Bench): Promise<Finding> {
  const { target, values, writes } = await learn(bench)
  const [first, second] = values
  if (target === null || first === undefined || second === undefined) {
    return finding('read-back', 'does not apply', 'nothing can be written')
  }
  if (writes.some((keys) => keys.size === 0)) {
    return finding('read-back', 'does not apply', 'its writes look like its reads on the wire')
  }
  const ofWrites = new Set(writes.flatMap((keys) => [...keys.keys()]))
  const { wire } = bench
  const before = await bench.write(target, first)
  if (before.error) return finding('read-back', 'failed', outcomeInWords(before))
  await wire.setFaults([{ kind: 'stuck', match: (request) => ofWrites.has(wire.keyOf(request)) }])
  const outcome = await bench.write(target, second)
  return outcome.error
    ? finding(
        'read-back',
        'passed',
        `a write that is acknowledged and not done ends as ${outcome.error.code}`,
      )
    : finding('read-back', 'failed', `${target} = ${valueInWords(second)} was called done when it was not`)
}

/** Is every output brought to a safe value, or made safe otherwise? */
export function checkSafeValues(bench: Bench): Finding {
  const without = Object.entries<AnyParameterSpec>(bench.driver.parameters).flatMap(([name, spec]) =>
    spec.write && spec.safe === undefined ? [name] : [],
  )
  if (without.length === 0) return finding('safe values', 'passed', 'everything that can be written has one')
  if (bench.driver.makeSafe) {
    return finding('safe values', 'passed', 'makeSafe brings it to rest')
  }
  return finding('safe values', 'failed', `no safe value: ${without.join(', ')}; and there is no makeSafe`)
}

/** Many exchanges with faults at random: no reading may ever be another question's, or of another time. */
export async function soak(
  bench: Bench,
  exchanges: number,
  { signal, without }: { signal?: AbortSignal | undefined; without?: RigMaker['without'] } = {},
): Promise<Finding> {
  const check = 'nothing mixed up'
  const manner = await learn(bench, 20)
  const { target, values, good } = manner
  const startedWith = bench.wire.counters.requests
  let possible = new Set([Math.max(0, manner.states.length - 1)])
  let failures = 0
  let goodAt = performance.now()
  let conversations = 0
  await bench.wire.setFaults(seededFaults(bench.driver.link.replyTimeoutMs, without), 7)
  const done = (): number => bench.wire.counters.requests - startedWith
  let before = -1
  while (done() < exchanges && signal?.aborted !== true) {
    // A device that only tells is not asked: then there is nothing to wait for, and nothing else would get to run.
    if (done() === before) await pause(10)
    before = done()
    conversations += 1
    const index = conversations % Math.max(1, values.length)
    const value = values[index]
    if (conversations % 2 === 0 && target !== null && value !== undefined) {
      const outcome = await bench.write(target, value)
      if (outcome.hung) return finding(check, 'failed', `a write never ended, after ${done()} exchanges`)
      if (outcome.error === null) possible = new Set([index])
      else if (outcome.sentAt !== null) possible.add(index)
      failures = outcome.error ? failures + 1 : 0
    } else {
      const poll = await bench.poll()
      if (poll.hung) return finding(check, 'failed', `a poll never ended, after ${done()} exchanges`)
      const wrong = wrongReading(bench, manner, possible, poll.readings)
      if (wrong !== null) return finding(check, 'failed', `after ${done()} exchanges ${wrong}`)
      failures = poll.error ? failures + 1 : 0
    }
    if (failures === 0) goodAt = performance.now()
    else await pause(PAUSE_MS)
    if (failures >= MOST_FAILURES && performance.now() - goodAt > FAILING_MS) {
      return finding(check, 'failed', `after ${done()} exchanges ${failures} in a row had failed`)
    }
  }
  await bench.wire.setFaults([])
  const { why, readings } = await settle(bench, good, 3)
  const wrong = why ?? wrongReading(bench, manner, possible, readings)
  if (wrong !== null) return finding(check, 'failed', `after ${done()} exchanges: ${wrong}`)
  const reason = `${done()} exchanges with faults at random, ${conversations} conversations`
  return done() >= SOAK_EXCHANGES
    ? finding(check, 'passed', reason)
    : finding(check, 'not run', `${reason}; it takes ${SOAK_EXCHANGES}`)
}

function finding(check: string, status: Finding['status'], reason: string): Finding {
  return { level: 'platinum', check, status, reason }
}
