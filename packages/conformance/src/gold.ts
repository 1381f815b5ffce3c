import { type AnyParameterSpec, isFault, type Value, valueInWords } from '@golem/core'
import type { WireFault } from '@golem/simulator'
import type { Bench } from './bench.ts'
import type { FaultCase } from './fault-cases.ts'
import { learn, outcomeInWords, pause, settle, type State } from './manner.ts'
import type { Finding } from './report.ts'
import { agrees } from './test-values.ts'

/** How soon a stop's first byte has to be on the wire, in ms. */
const STOP_WITHIN_MS = 1000
/** A write that is to be interrupted has begun by then, in ms. */
const BEGUN_WITHIN_MS = 1000
const TRIES = 3
/** So often an instrument is looked at that is another one now. */
const LOOKS = 2
/** How long an instrument may take to come back from a reboot, in ms. */
const REBOOT_MS = 30_000

/** Another instrument at the same address: nothing of it may be taken for a reading, and nothing be written to it. */
export async function checkIdentity(bench: Bench): Promise<Finding> {
  const manner = await learn(bench)
  await bench.wire.setFaults([{ kind: 'wrongIdentity' }])
  bench.wire.hangUp()
  bench.forget()
  const wrong: string[] = []
  for (let look = 0; look < LOOKS; look += 1) {
    const poll = await bench.poll()
    const read = Object.keys(poll.readings)
    if (poll.hung) wrong.push('a poll never ended')
    if (read.length > 0) wrong.push(`${read.join(', ')} were read from another instrument`)
    if (poll.error?.code === 'INTERNAL') wrong.push(outcomeInWords(poll))
  }
  const { target, values, writes } = manner
  if (target !== null && values[0] !== undefined) {
    const write = await bench.write(target, values[0])
    const sent = bench.arrived(write.sentAt ?? Infinity).some(({ key }) => writes[0]?.has(key) === true)
    if (!write.error) wrong.push(`writing ${target} to another instrument was called done`)
    else if (sent) wrong.push(`${target} was sent to another instrument`)
  }
  return wrong.length === 0
    ? finding('wrong identity', 'passed', 'nothing was read from another instrument, nothing written to it')
    : finding('wrong identity', 'failed', wrong.join('; '))
}

/** After a reboot with lost settings: is what it shows then what the instrument is really set to? */
export async function checkReboot(bench: Bench, other: (bench: Bench) => Promise<State>): Promise<Finding> {
  const { reboot, truth } = bench.rig
  if (!reboot) return finding('reboot', 'does not apply', 'the instrument has no settings to lose')
  const manner = await learn(bench)
  await reboot()
  const giveUpAt = performance.now() + REBOOT_MS
  let wrong: string | null = 'it did not come back'
  while (wrong !== null && performance.now() < giveUpAt) {
    const { why, readings } = await settle(bench, manner.good, TRIES)
    wrong = why
    if (why === null) {
      // A driver that puts the settings back may do that between two looks: what counts is how it ends.
      const real: Readonly<Record<string, Value | null>> = truth?.() ?? (await other(bench))
      wrong = differences(bench, readings, real)
    }
    if (wrong !== null) await pause(100)
  }
  return wrong === null
    ? finding('reboot', 'passed', 'afterwards it shows what the instrument is really set to')
    : finding('reboot', 'failed', wrong)
}

function differences(
  bench: Bench,
  readings: Readonly<Record<string, unknown>>,
  real: Readonly<Record<string, Value | null>>,
): string | null {
  for (const [name, value] of Object.entries(real)) {
    const got = readings[name] as Value | undefined
    if (value === null || got === undefined || isFault(got)) continue
    if (!agrees(bench.spec(name), value, got)) {
      return `it shows ${name} as ${valueInWords(got)}, but the instrument is at ${valueInWords(value)}`
    }
  }
  return null
}

/** Does a stop get through while a fault lasts, or as soon as it is over? */
export async function checkStop(bench: Bench, { name, fault, deaf = false }: FaultCase): Promise<Finding> {
  const check = `stop during ${name}`
  if (bench.safeValues().length === 0 && !bench.driver.makeSafe) {
    return finding(check, 'does not apply', 'there are no safe values, and nothing to make safe')
  }
  const { target, values } = await learn(bench)
  const wrong: string[] = []
  if (target !== null && values[0] !== undefined) await bench.write(target, values[0])
  const script: WireFault = fault(bench.driver.link.replyTimeoutMs)
  await bench.wire.setFaults([script])
  const begunAt = performance.now()
  const running = target !== null && values[1] !== undefined ? bench.write(target, values[1]) : bench.poll()
  while (bench.arrived(begunAt).length === 0 && performance.now() - begunAt < BEGUN_WITHIN_MS) await pause(5)
  const askedAt = performance.now()
  const stop = await bench.stop()
  const interrupted = await running
  if (interrupted.hung) wrong.push('what it interrupted never ended')
  const wentOnFor = bench.stalls.ranBetween(askedAt, interrupted.endedAt)
  if (wentOnFor > STOP_WITHIN_MS && stop.sentAt !== null) {
    wrong.push(`what ran went on for ${Math.round(wentOnFor)} ms`)
  }
  const outAt = await outOf(bench, stop, askedAt)
  if (outAt === 'never ended') wrong.push('the stop never ended')
  else if (!deaf && !(outAt !== null && outAt < STOP_WITHIN_MS)) {
    wrong.push(`nothing of it was on the wire within ${STOP_WITHIN_MS} ms`)
  }
  await bench.wire.setFaults([])
  let again = stop
  for (let attempt = 0; attempt < TRIES && (attempt === 0 || notDone(again)); attempt += 1) {
    again = await bench.stop()
  }
  if (notDone(again)) {
    wrong.push(
      `after the fault it did not get through: ${[...again.missed, ...(again.error ? [outcomeInWords(again)] : [])].join('; ')}`,
    )
  } else wrong.push(...(await unsafe(bench)))
  return wrong.length === 0
    ? finding(check, 'passed', 'it goes out at once, and gets through as soon as anything does')
    : finding(check, 'failed', wrong.join('; '))
}

type Stop = Awaited<ReturnType<Bench['stop']>>

/**
 * How long it took until something of a stop was on the wire, in ms. One whose connection was just ending says that it
 * failed, and is made again, as the worker does.
 *
 * @returns null: nothing of it was
 */
async function outOf(
  bench: Bench,
  first: Stop,
  firstAskedAt: number,
): Promise<number | null | 'never ended'> {
  let stop = first
  let askedAt = firstAskedAt
  for (let tries = 1; ; tries += 1) {
    if (stop.hung) return 'never ended'
    const [seen] = bench.arrived(askedAt, stop.endedAt)
    if (seen) return bench.stalls.ranBetween(askedAt, seen.at)
    if (!notDone(stop) || tries === TRIES) return null
    askedAt = performance.now()
    stop = await bench.stop()
  }
}

function notDone(stop: Stop): boolean {
  return stop.error !== null || stop.missed.length > 0
}

async function unsafe(bench: Bench): Promise<string[]> {
  const safe = bench.safeValues().filter(([name]) => bench.spec(name).readable !== false)
  const { why, readings } = await settle(
    bench,
    safe.map(([name]) => name),
    TRIES,
  )
  if (why !== null) return [`after the stop it was not read: ${why}`]
  return safe.flatMap(([name, value]) => {
    const got = readings[name]
    return got !== undefined && !isFault(got) && !agrees(bench.spec(name), value, got)
      ? [`${name} is ${valueInWords(got)} after the stop`]
      : []
  })
}

/** Is a no of the instrument reported as failed, with its words? */
export async function checkRefusal(bench: Bench): Promise<Finding> {
  const manner = await learn(bench)
  const { target, values } = manner
  const { refusal } = bench.rig
  if (target === null || values[0] === undefined) {
    return finding('refusal', 'does not apply', 'nothing can be written')
  }
  if (refusal === null) {
    return finding('refusal', 'does not apply', 'the instrument has no way to say no')
  }
  if (refusal) {
    const { match, answer } = refusal
    const no: WireFault = Buffer.isBuffer(answer)
      ? { kind: 'garbage', where: 'instead', bytes: answer.toString('latin1') }
      : { kind: 'terminator', spoil: answer }
    await bench.wire.setFaults([{ ...no, match, times: 1 }])
    const outcome = await bench.write(target, values[0])
    await bench.wire.setFaults([])
    return judgeRefusal(outcome, refusal.words)
  }
  for (const [name, spec] of Object.entries<AnyParameterSpec>(bench.driver.parameters)) {
    if (!spec.write || typeof spec.max !== 'number') continue
    // Beyond what the instrument takes; golem itself would not let it pass, so only the driver is asked.
    const outcome = await bench.write(name, spec.max + 10 * (spec.max - (spec.min ?? 0)) + 1000)
    if (outcome.error && outcome.sentAt !== null) return judgeRefusal(outcome, '')
  }
  return finding('refusal', 'does not apply', 'the instrument has no way to say no that could be provoked')
}

function judgeRefusal({ error }: Awaited<ReturnType<Bench['write']>>, words: string): Finding {
  if (!error) return finding('refusal', 'failed', 'a write that the instrument refused was called done')
  if (error.code !== 'INSTRUMENT_REFUSED' && error.code !== 'READBACK_MISMATCH') {
    return finding('refusal', 'failed', `a refused write ended with ${error.code} (${error.message})`)
  }
  if (!error.message.includes(words)) {
    return finding('refusal', 'failed', `the instrument's words "${words}" are missing in "${error.message}"`)
  }
  return finding('refusal', 'passed', error.message)
}

function finding(check: string, status: Finding['status'], reason: string): Finding {
  return { level: 'gold', check, status, reason }
}
