import { GolemError, messageOf } from '@golem/core'
import { Bench } from './bench.ts'
import { checkDescription, checkReading, checkWriting } from './bronze.ts'
import { FAULT_CASES, type FaultCase } from './fault-cases.ts'
import { runFaultCase } from './fault-scenario.ts'
import { checkIdentity, checkReboot, checkRefusal, checkStop } from './gold.ts'
import { learn, type State } from './manner.ts'
import { checkReadBack, checkSafeValues, soak, SOAK_EXCHANGES } from './platinum.ts'
import { type Finding, type Level, type Report, reportOf } from './report.ts'
import type { RigMaker } from './rig.ts'

export interface ConformanceOptions {
  /** Options of the model in place of those its rig has. */
  options?: Readonly<Record<string, unknown>>
  /** Exchanges of the last check (default 10 000; 0: it is left out). */
  exchanges?: number
  /** Instruments that are tested at the same time (default 6): most of the time is waiting for time-outs. */
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
  const start = (): Promise<Bench> => Bench.start(maker, options)
  const withBench = async <T>(use: (bench: Bench) => Promise<T>): Promise<T> => {
    const bench = await start()
    try {
      const found = await use(bench)
      const [broken] = bench.wire.errors
      if (broken !== undefined) throw new Error(`the simulated instrument failed: ${messageOf(broken)}`)
      return found
    } finally {
      await bench.close()
    }
  }
  const one = (level: Level, check: string, use: (bench: Bench) => Promise<Finding>): Job => ({
    level,
    check,
    run: async () => [await withBench(use)],
  })

  const bronze = await inTurn(bronzeJobs(maker, withBench), onFinding)
  const unfit = bronze.some(({ check, status }) => check !== 'description' && status === 'failed')
  const cases = [...FAULT_CASES, ...(maker.more ?? [])].map((faultCase) =>
    maker.deaf?.includes(faultCase.name) === true ? { ...faultCase, deaf: true } : faultCase,
  )
  const jobs: Job[] = [
    ...cases.map((faultCase) => absent(maker, 'silver', faultCase) ?? faultJob(maker, options, faultCase)),
    ...cases
      .filter(({ harmless = false, name }) => !harmless || name === 'slow drip')
      .map(
        (faultCase) =>
          absent(maker, 'gold', faultCase, `stop during ${faultCase.name}`) ??
          one('gold', `stop during ${faultCase.name}`, (bench) => checkStop(bench, faultCase)),
      ),
    one('gold', 'wrong identity', checkIdentity),
    one('gold', 'reboot', (bench) => checkReboot(bench, (first) => seenByAnother(first, maker))),
    one('gold', 'refusal', checkRefusal),
    one('platinum', 'read-back', checkReadBack),
    one('platinum', 'safe values', async (bench) => checkSafeValues(bench)),
    one('platinum', 'nothing mixed up', async (bench) =>
      exchanges === 0
        ? { level: 'platinum', check: 'nothing mixed up', status: 'not run', reason: 'it was left out' }
        : soak(bench, exchanges, signal),
    ),
  ]
  const rest = unfit
    ? jobs.flatMap(({ level, check }): Finding[] => [
        { level, check, status: 'not run', reason: 'it does not even work when all is well' },
      ])
    : await inParallel(jobs, concurrency, onFinding, signal)
  return reportOf(maker.model.id, [...bronze, ...rest], performance.now() - startedAt)
}

function bronzeJobs(maker: RigMaker, withBench: <T>(use: (bench: Bench) => Promise<T>) => Promise<T>): Job[] {
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
function absent(maker: RigMaker, level: Level, { name }: FaultCase, check = name): Job | undefined {
  const reason = maker.without?.[name]
  if (reason === undefined) return undefined
  return { level, check, run: async () => [{ level, check, status: 'does not apply', reason }] }
}

function faultJob(
  maker: RigMaker,
  options: Readonly<Record<string, unknown>> | undefined,
  faultCase: FaultCase,
): Job {
  return {
    level: 'silver',
    check: faultCase.name,
    run: async () => {
      const { silver, gold } = await runFaultCase(maker, options, faultCase)
      return [
        judged('silver', faultCase.name, silver, 'honest, in time, nothing wrong, nothing twice'),
        judged('gold', `recovery from ${faultCase.name}`, gold, 'good again by itself, and writes work'),
      ]
    },
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
  const another = new Bench(
    { ...rig, endpoint, close: async () => undefined },
    maker.model.create(rig.options),
  )
  try {
    return (await learnStateOnly(another)) ?? {}
  } finally {
    await another.close()
  }
}

async function learnStateOnly(bench: Bench): Promise<State | undefined> {
  return (await learn(bench, 0)).states[0]
}

async function inTurn(jobs: readonly Job[], onFinding: ConformanceOptions['onFinding']): Promise<Finding[]> {
  return inParallel(jobs, 1, onFinding)
}

async function inParallel(
  jobs: readonly Job[],
  concurrency: number,
  onFinding: ConformanceOptions['onFinding'],
  signal?: AbortSignal,
): Promise<Finding[]> {
  const results: (readonly Finding[])[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let index = next++; index < jobs.length; index = next++) {
      const job = jobs[index]
      if (!job) return
      const found = signal?.aborted === true ? [notRun(job)] : await outcomeOf(job)
      for (const finding of found) onFinding?.(finding)
      results[index] = found
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, jobs.length) }, work))
  return results.flat()
}

async function outcomeOf(job: Job): Promise<readonly Finding[]> {
  try {
    return await job.run()
  } catch (error) {
    if (error instanceof GolemError && error.code === 'CONFIG_INVALID') throw error
    return [{ level: job.level, check: job.check, status: 'failed', reason: messageOf(error) }]
  }
}

function notRun({ level, check }: Job): Finding {
  return { level, check, status: 'not run', reason: 'it was ended early' }
}
