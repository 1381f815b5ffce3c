import { GolemError, messageOf } from '@golem/core'
import { Bench } from './bench.ts'
import { checkDescription, checkReading, checkWriting } from './bronze.ts'
import { FAULT_CASES, type FaultCase } from './fault-cases.ts'
import { runFaultCase } from './fault-scenario.ts'
import { checkIdentity, checkReboot, checkRefusal, checkStop } from './gold.ts'
import { learn, type State } from './manner.ts'
import { Pace } from './pace.ts'
import { checkReadBack, checkSafeValues, soak, SOAK_EXCHANGES } from './platinum.ts'
import { type Finding, type Level, type Report, reportOf } from './report.ts'
import type { RigMaker } from './rig.ts'

export interface ConformanceOptions {
  /** Options of the model in place of those its rig has. */
  options?: Readonly<Record<string, unknown>>
  /** Exchanges of the last check (default 10 000; 0: it is left out). */
  exchanges?: number
  /**
   * Instruments that are tested at the same time, at most (default 6): most of the time is waiting for time-outs. On a
   * busy machine they are fewer.
   */
  concurrency?: number
  /** Told of each finding as it is made. */
  onFinding?: (finding: Finding) => void
  signal?: AbortSignal
}

/** A check: an instrument of its own, and what comes of it. */
interface Job {
  level: Level
  check: string
  run: () => Promise<readonly Finding[]>
}

/** Makes an instrument of its own for one check. */
type WithBench = <T>(use: (bench: Bench) => Promise<T>) => Promise<T>

/** So often a check is made whose outcome a busy machine has spoilt. */
const TRIES = 4
/** A process that stood still for this part of a reply's time-out has disturbed the check. */
const STALL_PART = 4
/** A reason has at most so many sentences. */
const MOST_PROBLEMS = 3

/**
 * Takes a driver through all checks, each with a simulated instrument of its own behind a wire with faults.
 *
 * @throws CONFIG_INVALID when its driver can't be made with these options
 */
export async function runConformance(maker: RigMaker, given: ConformanceOptions = {}): Promise<Report> {
  const startedAt = performance.now()
  const { options, exchanges = SOAK_EXCHANGES, concurrency = 6, onFinding, signal } = given
  const running = new Set<Bench>()
  const pace = new Pace()
  const endEarly = (): void => running.forEach((bench) => bench.endEarly())
  const withBench: WithBench = async (use) => {
    const bench = await Bench.start(maker, options)
    running.add(bench)
    if (signal?.aborted === true) bench.endEarly()
    try {
      const found = await use(bench)
      const [broken] = bench.wire.errors
      if (broken !== undefined) throw new Error(`the simulated instrument failed: ${messageOf(broken)}`)
      return found
    } finally {
      running.delete(bench)
      await bench.close()
    }
  }
  signal?.addEventListener('abort', endEarly)
  try {
    const bronze = await inParallel(bronzeJobs(maker, withBench), 1, pace, onFinding, signal)
    const unfit = bronze.some(({ check, status }) => check !== 'description' && status === 'failed')
    const jobs = furtherJobs(maker, { withBench, pace, exchanges, signal })
    const rest = unfit
      ? jobs.map(({ level, check }): Finding => {
          return { level, check, status: 'not run', reason: 'it does not even work when all is well' }
        })
      : await inParallel(jobs, concurrency, pace, onFinding, signal)
    return reportOf(maker.model.id, [...bronze, ...rest], performance.now() - startedAt)
  } finally {
    signal?.removeEventListener('abort', endEarly)
    pace.close()
  }
}

/** What checks from silver on are made with. */
interface Means {
  withBench: WithBench
  pace: Pace
  exchanges: number
  signal: AbortSignal | undefined
}

/** All checks from silver on. */
function furtherJobs(maker: RigMaker, means: Means): Job[] {
  const { exchanges, signal } = means
  const one = (level: Level, check: string, use: (bench: Bench) => Promise<Finding>): Job => ({
    level,
    check,
    run: async () => [
      await undisturbed(means, async (bench) => {
        const found = await use(bench)
        return { found, isCertain: found.status !== 'failed' || level === 'platinum' }
      }),
    ],
  })

  const cases = [...FAULT_CASES, ...(maker.more ?? [])].map((faultCase) =>
    maker.deaf?.includes(faultCase.name) === true ? { ...faultCase, deaf: true } : faultCase,
  )
  return [
    ...cases.map((faultCase) => absent(maker, 'silver', faultCase) ?? faultJob(means, faultCase)),
    ...cases
      .filter(({ harmless = false, name }) => !harmless || name === 'slow drip')
      .map(
        (faultCase) =>
          absent(maker, 'gold', faultCase, `stop during ${faultCase.name}`) ??
          one('gold', `stop during ${faultCase.name}`, (bench) => checkStop(bench, faultCase)),
      ),
    absent(maker, 'gold', { name: 'wrong identity' }) ?? one('gold', 'wrong identity', checkIdentity),
    one('gold', 'reboot', (bench) => checkReboot(bench, (first) => seenByAnother(first, maker))),
    one('gold', 'refusal', checkRefusal),
    one('platinum', 'read-back', checkReadBack),
    one('platinum', 'safe values', async (bench) => checkSafeValues(bench)),
    one('platinum', 'nothing mixed up', async (bench) =>
      exchanges === 0
        ? { level: 'platinum', check: 'nothing mixed up', status: 'not run', reason: 'it was left out' }
        : soak(bench, exchanges, { signal, without: maker.without }),
    ),
  ]
}

function bronzeJobs(maker: RigMaker, withBench: WithBench): Job[] {
  return [
    {
      level: 'bronze',
      check: 'description',
      run: () => withBench(async (bench) => [checkDescription(maker.model, bench.driver)]),
    },
    { level: 'bronze', check: 'reads everything', run: () => withBench(checkReading) },
    {
      level: 'bronze',
      check: 'writes everything',
      run: () => withBench(async (bench) => [await checkWriting(bench)]),
    },
  ]
}

/** The job for a fault that has no meaning on this transport. @returns undefined: it has one */
function absent(
  maker: RigMaker,
  level: Level,
  { name }: Pick<FaultCase, 'name'>,
  check = name,
): Job | undefined {
  const reason = maker.without?.[name]
  if (reason === undefined) return undefined
  return { level, check, run: async () => [{ level, check, status: 'does not apply', reason }] }
}

function faultJob(means: Means, faultCase: FaultCase): Job {
  return {
    level: 'silver',
    check: faultCase.name,
    run: async () => {
      const problems = await undisturbed(means, async (bench) => {
        const found = await runFaultCase(bench, faultCase)
        const { silver, gold } = found
        // What is wrong, or done twice, is so on any machine; what is late is not.
        const isCertain = faultCase.harmless === true ? false : silver.length > 0
        return { found, isCertain: isCertain || silver.length + gold.length === 0 }
      })
      const { silver, gold } = problems
      return [
        judged('silver', faultCase.name, silver, 'honest, in time, nothing wrong, nothing twice'),
        judged('gold', `recovery from ${faultCase.name}`, gold, 'good again by itself, and writes work'),
      ]
    },
  }
}

/**
 * Makes a check, and makes it again where it went wrong while this process stood still: then nobody knows whether the
 * driver was late or the machine.
 */
async function undisturbed<T>(
  { withBench, pace }: Means,
  check: (bench: Bench) => Promise<{ found: T; isCertain: boolean }>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    const once = (): Promise<{ found: T; isCertain: boolean }> =>
      withBench(async (bench) => {
        const made = await check(bench)
        const { replyTimeoutMs } = bench.driver.link
        const stoodStill = bench.stalls.mostWithin(replyTimeoutMs) > replyTimeoutMs / STALL_PART
        return { ...made, isCertain: made.isCertain || bench.hasHung || !stoodStill }
      })
    const { found, isCertain } = await (tries === 1 ? once() : pace.runAlone(once))
    if (isCertain || tries === TRIES) return found
  }
}

function judged(level: Level, check: string, problems: readonly string[], good: string): Finding {
  if (problems.length === 0) return { level, check, status: 'passed', reason: good }
  const more = problems.length > MOST_PROBLEMS ? `; and ${problems.length - MOST_PROBLEMS} more` : ''
  return { level, check, status: 'failed', reason: problems.slice(0, MOST_PROBLEMS).join('; ') + more }
}

/** What a driver that has seen nothing before reads from the same instrument. */
async function seenByAnother({ rig }: Bench, maker: RigMaker): Promise<State> {
  const endpoint = rig.another ?? rig.endpoint
  const close = (): Promise<void> => Promise.resolve()
  const another = new Bench({ ...rig, endpoint, close }, maker.model.create(rig.options))
  try {
    return (await learnStateOnly(another)) ?? {}
  } finally {
    await another.close()
  }
}

async function learnStateOnly(bench: Bench): Promise<State | undefined> {
  return (await learn(bench, 0)).states[0]
}

async function inParallel(
  jobs: readonly Job[],
  concurrency: number,
  pace: Pace,
  onFinding: ConformanceOptions['onFinding'],
  signal?: AbortSignal,
): Promise<Finding[]> {
  const results: (readonly Finding[])[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let index = next++; index < jobs.length; index = next++) {
      const job = jobs[index]
      if (!job) return
      const found = await pace.run(() => outcomeOf(job, signal))
      for (const finding of found) onFinding?.(finding)
      results[index] = found
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, jobs.length) }, work))
  return results.flat()
}

async function outcomeOf(job: Job, signal: AbortSignal | undefined): Promise<readonly Finding[]> {
  try {
    signal?.throwIfAborted()
    const found = await job.run()
    return signal?.aborted === true ? [notRun(job)] : found
  } catch (error) {
    if (signal?.aborted === true) return [notRun(job)]
    if (error instanceof GolemError && error.code === 'CONFIG_INVALID') throw error
    return [{ level: job.level, check: job.check, status: 'failed', reason: messageOf(error) }]
  }
}

function notRun({ level, check }: Job): Finding {
  return { level, check, status: 'not run', reason: 'it was ended early' }
}
