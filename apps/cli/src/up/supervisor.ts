import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Site } from '@golem/config'
import { messageOf } from '@golem/core'
import { type Environment, GOLEM_ROOT } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { choosePort } from './free-port.ts'
import { preparePrivateRedis } from './private-redis.ts'
import { Program, type ProgramListener } from './program.ts'
import { checkRedis } from './check-redis.ts'

/** A file: address, because `--import` takes one whatever characters the path has. */
const END_WITH_PARENT = new URL('end-with-parent.js', import.meta.url).href
/** When each part has to be gone after the stop began, in ms; all of it within 5 s. */
const GONE_BY_MS = { web: 1000, scheduler: 1700, worker: 3500, archiver: 4000, simulator: 4400, redis: 4850 }
/** How long a part may take to start, in ms: a Raspberry Pi with a slow card is slow. */
const READY_WITHIN_MS = 45_000
/**
 * Up to where V8 lets the young part of a program's heap grow, in MB, instead of 16: while a program starts it is filled with
 * what nobody needs any more, three times over, and given back only a minute later. 4 cost nothing that could be told
 * apart from noise in CPU time per command; what carries out no commands gets less.
 */
const YOUNG_MB = { web: 4, scheduler: 2, archiver: 2, worker: 4, simulator: 2 }

export interface SupervisorOptions {
  /** The site, loaded without knowing where simulated devices are. */
  site: Site
  env: Environment
  workers: number
  /** `--port`, or undefined. */
  port: number | undefined
  listener: ProgramListener
}

/** Everything that `golem up` runs: Redis, simulator, workers, scheduler, archiver, web. */
export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #runDir: string
  #redis: Program<true> | null = null
  #simulator: Program<SimulatorReady> | null = null
  #workers: Program<true>[] = []
  #scheduler: Program<true> | null = null
  #archiver: Program<true> | null = null
  #web: Program<string> | null = null
  #stopping = false

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#runDir = path.join(options.site.instanceDir, 'run')
    mkdirSync(this.#runDir, { recursive: true })
  }

  /**
   * Starts everything, each part as soon as what it needs is there.
   *
   * @returns the address of the page
   * @throws Error or CliError when a part does not start; `stop` then ends the others
   */
  async start(): Promise<string> {
    const { site } = this.#options
    const { listen } = site.web
    const [redisUrl, simulated, port] = await allOrFirstFailure([
      this.#startRedis(),
      this.#startSimulator(),
      choosePort(
        listen,
        this.#options.port ?? site.web.port,
        this.#options.port !== undefined || site.web.portFixed,
      ),
    ])
    const env = {
      ...this.#options.env,
      GOLEM_SITE: site.file,
      REDIS_URL: redisUrl,
      ...(simulated === null ? {} : { GOLEM_SIMULATED: JSON.stringify(simulated.addresses) }),
    }
    this.#workers = Array.from({ length: this.#options.workers }, (_, index) =>
      this.#appProgram<true>({
        name: `worker-${index + 1}`,
        app: 'worker',
        args: () => ['--site', site.file, '--id', `worker-${index + 1}`],
        env,
        onMessage: (message) => (isReady(message) ? true : null),
      }),
    )
    const scheduler = this.#appProgram<true>({
      name: 'scheduler',
      app: 'scheduler',
      args: () => ['--site', site.file, '--id', 'scheduler-1'],
      env,
      onMessage: (message) => (isReady(message) ? true : null),
    })
    this.#scheduler = scheduler
    if (site.archive !== null) {
      this.#archiver = this.#appProgram<true>({
        name: 'archiver',
        app: 'archiver',
        args: () => ['--site', site.file, '--id', 'archiver-1'],
        env,
        onMessage: (message) => (isReady(message) ? true : null),
      })
    }
    const web = this.#appProgram<string>({
      name: 'web',
      app: 'web',
      // The same port after a crash, so that pages and scripts find it again.
      args: (url) => ['--site', site.file, '--listen', listen, '--port', portOf(url) ?? String(port)],
      env,
      onMessage: (message) => (isReady(message) ? (message.url ?? `http://${listen}:${port}`) : null),
    })
    this.#web = web
    const [url] = await allOrFirstFailure([
      this.#begin(web),
      this.#begin(scheduler),
      this.#archiver && this.#begin(this.#archiver),
      Promise.all(this.#workers.map((worker) => this.#begin(worker))),
    ])
    writeFileSync(path.join(this.#runDir, 'web.json'), `${JSON.stringify({ url, pid: process.pid })}\n`)
    return url
  }

  /** Ends web, scheduler, workers, archiver, simulator and Redis in this order; everything is gone within 5 s. */
  async stop(): Promise<void> {
    this.#stopping = true
    rmSync(path.join(this.#runDir, 'web.json'), { force: true })
    const began = performance.now()
    const left = (goneByMs: number): number => Math.max(200, goneByMs - (performance.now() - began))
    await this.#web?.stop(left(GONE_BY_MS.web))
    await this.#scheduler?.stop(left(GONE_BY_MS.scheduler))
    await Promise.all(this.#workers.map((worker) => worker.stop(left(GONE_BY_MS.worker))))
    // After the workers: what they said last is archived, too.
    await this.#archiver?.stop(left(GONE_BY_MS.archiver))
    await this.#simulator?.stop(left(GONE_BY_MS.simulator))
    await this.#redis?.stop(left(GONE_BY_MS.redis))
  }

  /** Ends everything at once. */
  kill(): void {
    this.#stopping = true
    for (const program of this.#programs().reverse()) program.kill()
    rmSync(path.join(this.#runDir, 'web.json'), { force: true })
  }

  /** Process ids by name, for tests and `--json`. */
  pids(): Record<string, number> {
    return Object.fromEntries(
      this.#programs().flatMap(({ pid, spec }) => (pid === undefined ? [] : [[spec.name, pid]])),
    )
  }

  /** In the order in which they are started. */
  #programs(): Program<unknown>[] {
    const all = [this.#redis, this.#simulator, ...this.#workers, this.#archiver, this.#scheduler, this.#web]
    return all.filter((program) => program !== null) as Program<unknown>[]
  }

  /** Starts a program, unless the end has been asked for meanwhile. */
  async #begin<Ready>(program: Program<Ready>): Promise<Ready> {
    if (this.#stopping) throw new CliError('failed', 'golem was ended before it was ready.')
    return program.start()
  }

  async #startRedis(): Promise<string> {
    const { site, env, listener } = this.#options
    if (site.redisUrl !== null) {
      await checkRedis(site.redisUrl)
      return site.redisUrl
    }
    const { program, url } = await preparePrivateRedis(site.instanceDir, env, listener)
    this.#redis = program
    await this.#begin(program)
    return url
  }

  async #startSimulator(): Promise<SimulatorReady | null> {
    const { site } = this.#options
    if (!site.instruments.some((instrument) => instrument.endpoint.kind === 'sim')) return null
    const ptyDir = path.join(this.#runDir, 'pty')
    mkdirSync(ptyDir, { recursive: true })
    this.#simulator = this.#appProgram<SimulatorReady>({
      name: 'simulator',
      app: 'simulator',
      args: (last) => ['--pty-dir', ptyDir, '--with-parent', ...samePorts(last)],
      env: this.#options.env,
      onMessage: () => null,
      onLine: simulatorReady,
    })
    return this.#begin(this.#simulator)
  }

  #appProgram<Ready>(part: {
    name: string
    app: keyof typeof YOUNG_MB
    args: (last: Ready | null) => readonly string[]
    env: Environment
    onMessage: (message: unknown) => Ready | null
    onLine?: (line: string) => Ready | null
  }): Program<Ready> {
    const main = fileURLToPath(new URL(`../../../${part.app}/dist/main.js`, import.meta.url))
    return new Program<Ready>(
      {
        name: part.name,
        command: (last) => ({
          file: process.execPath,
          args: [
            `--max-semi-space-size=${YOUNG_MB[part.app]}`,
            '--import',
            END_WITH_PARENT,
            main,
            ...part.args(last),
          ],
        }),
        env: part.env,
        cwd: GOLEM_ROOT,
        logFile: path.join(this.#runDir, `${part.name}.log`),
        readiness: { onMessage: part.onMessage, ...(part.onLine ? { onLine: part.onLine } : {}) },
        readyWithinMs: READY_WITHIN_MS,
        endBy: 'SIGTERM',
      },
      this.#options.listener,
    )
  }
}

/** What the simulator prints when it is ready. */
interface SimulatorReady {
  addresses: Record<string, string>
  control: string
}

function simulatorReady(line: string): SimulatorReady | null {
  if (!line.startsWith('{"ready":true')) return null
  const { addresses, control } = JSON.parse(line) as SimulatorReady
  return { addresses, control }
}

/** Options that give a restarted simulator the ports it had: the other processes know those addresses. */
function samePorts(last: SimulatorReady | null): string[] {
  if (last === null) return []
  const ports = Object.entries(last.addresses).flatMap(([name, address]) => {
    const port = portOf(address)
    return port === null ? [] : [`${name}=${port}`]
  })
  return ports.length === 0 ? [] : ['--ports', ports.join(',')]
}

function portOf(url: string | null): string | null {
  return url !== null && URL.canParse(url) && new URL(url).port ? new URL(url).port : null
}

function isReady(message: unknown): message is { ready: true; url?: string } {
  return typeof message === 'object' && message !== null && (message as { ready?: unknown }).ready === true
}

/** Waits for all, also when one fails: what the others started has to be known before it can be ended. */
async function allOrFirstFailure<T extends readonly unknown[] | []>(
  parts: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const settled: readonly PromiseSettledResult<unknown>[] = await Promise.allSettled(parts)
  const failure = settled.find((result) => result.status === 'rejected')
  if (!failure) return Promise.all(parts)
  const reason: unknown = failure.reason
  throw reason instanceof CliError ? reason : new CliError('failed', messageOf(reason), { cause: reason })
}
