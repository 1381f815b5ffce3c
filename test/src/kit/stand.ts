import { join } from 'node:path'
import type { CommandRecord, InstrumentState, StateDocument } from '@golem/core'
import { type DeviceSpec, type SimulatedDevice, startSimulator } from '@golem/simulator'
import { eventually } from './eventually.ts'
import { type NodeProcess, spawnNode } from './process.ts'
import { type TestRedis, startRedis } from './redis.ts'
import { type InstrumentEntry, writeSite } from './site.ts'
import { makeTempDir } from './temp.ts'
import { ROOT } from './root.ts'

export interface StandOptions {
  /** Worker processes at the start (default 1). */
  workers?: number
  /** Scheduler processes (default none). */
  schedulers?: number
  /** Archiver processes (default none). */
  archivers?: number
  /** Web processes at the start (default 1). */
  webs?: number
  /** Simulated devices (default: a relay board `relays` and a lamp `lamp`). */
  devices?: readonly DeviceSpec[]
  /**
   * The instruments, when they are not just one for each device with the device's name as id.
   *
   * @param address - of a device by its name
   */
  instruments?: (address: (device: string) => string) => InstrumentEntry[]
  /** How often instruments are polled, in ms (default 200). */
  pollEveryMs?: number
  /** default 2000 */
  leaseMs?: number
  /** Further keys of site.yaml, e.g. `{ maxWaiting: 4 }`. */
  site?: Record<string, unknown>
  /** How many times faster than life the simulated chambers go (default 1). */
  timeScale?: number
  /** Settings of Redis. */
  redis?: Record<string, string>
  /** false: come back as soon as the processes are ready, without waiting for the instruments to be read (default true). */
  settled?: boolean
}

/** An answer of the API. */
export interface Answer<T> {
  status: number
  headers: Headers
  body: T
}

export interface ApiOptions {
  method?: string
  /** Sent as JSON. */
  body?: unknown
  headers?: Record<string, string>
  /** Which web process is asked (default 0). */
  web?: number
  /** default 15000 */
  timeoutMs?: number
}

export interface CommandOptions {
  /** Seconds to wait for the outcome (default 10; 0: do not wait). */
  wait?: number
  /** Idempotency-Key */
  key?: string
  web?: number
}

export interface WorkerPlace {
  /** Name by which site.yaml calls its machine. */
  host?: string
  /** true: it has a disk, and so a journal, of its own, as on another machine (default false). */
  ownDisk?: boolean
}

/** Worker, web and Redis as real processes, before simulated devices that count what they receive. */
export interface Stand {
  readonly redis: TestRedis
  readonly sim: { device(name: string): SimulatedDevice }
  readonly workers: NodeProcess[]
  readonly webs: NodeProcess[]
  readonly schedulers: NodeProcess[]
  readonly archivers: NodeProcess[]
  readonly siteFile: string
  /** The folder of the site: journals, run files. */
  readonly dir: string
  /** Starts one more worker and waits until it is ready; its id is `worker-N`, N its place in `workers`. */
  addWorker(place?: WorkerPlace): Promise<NodeProcess>
  addWeb(): Promise<NodeProcess>
  /** Starts one more scheduler; its id is `scheduler-N`. The first one leads. */
  addScheduler(): Promise<NodeProcess>
  /** Starts one more archiver, or anew in the place of one that has ended; its id is `archiver-N`. */
  addArchiver(place?: number): Promise<NodeProcess>
  /** Kills a web process in an orderly way and starts another on a port of its own, in its place. */
  restartWeb(index: number, signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Address of a web process. */
  url(web?: number): string
  /** A request to the API. Any status is an answer; only a connection that fails rejects. */
  api<T = unknown>(path: string, options?: ApiOptions): Promise<Answer<T>>
  /** Gives a command: `{ parameter, value }` or `{ action, arguments }`. @returns the ledger record, or the problem document */
  command(
    instrument: string,
    body: Record<string, unknown>,
    options?: CommandOptions,
  ): Promise<Answer<CommandRecord>>
  /** The ledger record of a command. */
  record(id: string): Promise<CommandRecord>
  /** Waits until a command has ended. */
  ended(id: string, timeoutMs?: number): Promise<CommandRecord>
  state(web?: number): Promise<StateDocument>
  /** Waits until an instrument's state is as `wanted` says. @param what - for the message, as a sentence */
  until(
    instrument: string,
    wanted: (state: InstrumentState) => unknown,
    what: string,
    timeoutMs?: number,
  ): Promise<InstrumentState>
  /** What all processes have printed, for the message of a failed test. */
  log(): string
  close(): Promise<void>
}

const MODELS: Record<Exclude<DeviceSpec['kind'], 'model'>, string> = {
  'esp32-relay': 'esp32-relay',
  'pwm-lamp': 'pwm-lamp',
  sba5: 'sba5',
  esphome: 'esphome',
  modbus: 'modbus-temperature-controller',
  grbl: 'grbl',
  stream: 'nmea',
}

/** A relay board with all its sensors, so that it is `ok`, which it is at once and not after a round of 3 s. */
export function relayBoard(name: string): DeviceSpec {
  return {
    name,
    kind: 'esp32-relay',
    sensorCycleSeconds: 0.1,
    sensors: {
      ext_temp: 'room.temperature',
      ext_hum: 'room.humidity',
      int_temp: 'experiment.temperature',
      int_hum: 'experiment.humidity',
      roots_temp: 'experiment.rootsTemperature',
    },
  }
}

/** Some of them: `board-0`, `board-1`, ... */
export function relayBoards(count: number): DeviceSpec[] {
  return Array.from({ length: count }, (_, n) => relayBoard(`board-${n}`))
}

const DEFAULT_DEVICES: readonly DeviceSpec[] = [relayBoard('relays'), { name: 'lamp', kind: 'pwm-lamp' }]

/**
 * Starts a stand.
 *
 *     const stand = await startStand({ workers: 2 })
 *     try {
 *       const { body } = await stand.command('relays', { parameter: 'relay0', value: true })
 *       assert.equal(body.outcome, 'done')
 *     } finally {
 *       await stand.close()
 *     }
 */
export async function startStand(options: StandOptions = {}): Promise<Stand> {
  const {
    workers = 1,
    webs = 1,
    schedulers = 0,
    archivers = 0,
    devices = DEFAULT_DEVICES,
    pollEveryMs = 200,
    settled = true,
  } = options
  const dir = makeTempDir('golem-stand')
  // What was started, to be ended in the other order.
  const closers: (() => void | Promise<void>)[] = [() => dir.remove()]
  const close = async (): Promise<void> => {
    for (let end = closers.pop(); end; end = closers.pop()) await end()
  }
  try {
    const redis = await startRedis(options.redis)
    closers.push(() => redis.close())
    const simulator = await startSimulator({ devices, timeScale: options.timeScale ?? 1 })
    closers.push(() => simulator.close())

    const address = (name: string): string => simulator.device(name).address
    const instruments =
      options.instruments?.(address) ??
      devices.map((spec) => ({
        id: spec.name,
        model: spec.kind === 'model' ? spec.model : MODELS[spec.kind],
        address: address(spec.name),
      }))
    const siteFile = writeSite(dir.path, {
      redisUrl: redis.url,
      instruments: instruments.map((entry) => ({ pollEvery: `${pollEveryMs} ms`, ...entry })),
      ...(options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs }),
      ...(options.site === undefined ? {} : { more: options.site }),
    })
    const stand = new RunningStand({ redis, sim: simulator, siteFile, dir: dir.path, close })
    closers.push(() => stand.endProcesses())
    await Promise.all([
      ...Array.from({ length: workers }, () => stand.addWorker()),
      ...Array.from({ length: webs }, () => stand.addWeb()),
      ...Array.from({ length: schedulers }, () => stand.addScheduler()),
      ...Array.from({ length: archivers }, () => stand.addArchiver()),
    ])
    if (settled && workers > 0 && webs > 0) await stand.settled(instruments.map(({ id }) => id))
    return stand
  } catch (error) {
    await close()
    throw error
  }
}

type Parts = Pick<Stand, 'redis' | 'sim' | 'siteFile' | 'dir' | 'close'>

class RunningStand implements Stand {
  readonly redis: TestRedis
  readonly sim: Stand['sim']
  readonly siteFile: string
  readonly dir: string
  readonly close: () => Promise<void>
  readonly workers: NodeProcess[] = []
  readonly webs: NodeProcess[] = []
  readonly schedulers: NodeProcess[] = []
  readonly archivers: NodeProcess[] = []
  readonly #urls: string[] = []
  /** Also those that were replaced. */
  readonly #processes: NodeProcess[] = []

  constructor({ redis, sim, siteFile, dir, close }: Parts) {
    this.redis = redis
    this.sim = sim
    this.siteFile = siteFile
    this.dir = dir
    this.close = close
  }

  async addWorker({ host, ownDisk = false }: WorkerPlace = {}): Promise<NodeProcess> {
    const id = `worker-${this.workers.length}`
    const args = ['--site', this.siteFile, '--id', id, ...(host === undefined ? [] : ['--host', host])]
    const env = ownDisk ? { GOLEM_INSTANCE: join(this.dir, id) } : {}
    const worker = this.#spawn('worker', id, args, env)
    this.workers.push(worker)
    await worker.ready
    return worker
  }

  async addWeb(): Promise<NodeProcess> {
    const index = this.webs.length
    const web = this.#spawn('web', `web-${index}`, ['--site', this.siteFile, '--port', '0'])
    this.webs.push(web)
    const { url = '' } = await web.ready
    this.#urls[index] = url
    return web
  }

  async addScheduler(): Promise<NodeProcess> {
    const id = `scheduler-${this.schedulers.length}`
    const scheduler = this.#spawn('scheduler', id, ['--site', this.siteFile, '--id', id])
    this.schedulers.push(scheduler)
    await scheduler.ready
    return scheduler
  }

  async addArchiver(place = this.archivers.length): Promise<NodeProcess> {
    const id = `archiver-${place}`
    const archiver = this.#spawn('archiver', id, ['--site', this.siteFile, '--id', id])
    this.archivers[place] = archiver
    await archiver.ready
    return archiver
  }

  async restartWeb(index: number, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await this.webs[index]?.kill(signal)
    const web = this.#spawn('web', `web-${index}`, ['--site', this.siteFile, '--port', '0'])
    this.webs[index] = web
    const { url = '' } = await web.ready
    this.#urls[index] = url
  }

  url(web = 0): string {
    const url = this.#urls[web]
    if (url === undefined) throw new Error(`There is no web process ${web}.`)
    return url
  }

  async api<T = unknown>(path: string, options: ApiOptions = {}): Promise<Answer<T>> {
    const { method = 'GET', body, headers = {}, web = 0, timeoutMs = 15_000 } = options
    const response = await fetch(new URL(path, this.url(web)), {
      method,
      headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '')
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson && text !== '' ? JSON.parse(text) : text) as T,
    }
  }

  command(
    instrument: string,
    body: Record<string, unknown>,
    { wait = 10, key, web }: CommandOptions = {},
  ): Promise<Answer<CommandRecord>> {
    return this.api<CommandRecord>(`/api/instruments/${instrument}/commands`, {
      method: 'POST',
      body,
      headers: {
        ...(wait > 0 ? { prefer: `wait=${wait}` } : {}),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      timeoutMs: wait * 1000 + 15_000,
      ...(web === undefined ? {} : { web }),
    })
  }

  async record(id: string): Promise<CommandRecord> {
    const { status, body } = await this.api<CommandRecord>(`/api/commands/${id}`)
    if (status !== 200) throw new Error(`GET /api/commands/${id} gave ${status}: ${JSON.stringify(body)}`)
    return body
  }

  async ended(id: string, timeoutMs = 15_000): Promise<CommandRecord> {
    return eventually(
      async () => {
        const record = await this.record(id)
        if (record.state !== 'ended') throw new Error(`it is ${record.state}`)
        return record
      },
      { what: `command ${id} has ended`, timeoutMs },
    )
  }

  async state(web = 0): Promise<StateDocument> {
    const { status, body } = await this.api<StateDocument>('/api/state', { web })
    if (status !== 200) throw new Error(`GET /api/state gave ${status}: ${JSON.stringify(body)}`)
    return body
  }

  async until(
    instrument: string,
    wanted: (state: InstrumentState) => unknown,
    what: string,
    timeoutMs = 15_000,
  ): Promise<InstrumentState> {
    return eventually(
      async () => {
        const state = (await this.state()).instruments[instrument]
        if (!state) throw new Error(`the state has no ${instrument}`)
        if (!wanted(state)) throw new Error(JSON.stringify(state))
        return state
      },
      { what, timeoutMs },
    )
  }

  /** Every web process shows every instrument as answering. */
  async settled(instruments: readonly string[]): Promise<void> {
    await eventually(
      async () => {
        const states = await Promise.all(this.webs.map((_, web) => this.state(web)))
        const missing = states.flatMap((state, web) =>
          instruments
            .filter((id) => state.instruments[id]?.condition !== 'ok')
            .map((id) => `${id} is ${state.instruments[id]?.condition ?? 'unknown'} to web ${web}`),
        )
        if (missing.length > 0) throw new Error(`${missing.join(', ')}\n${this.log()}`)
        return true
      },
      { what: 'all instruments answer', timeoutMs: 30_000 },
    )
  }

  log(): string {
    return this.#processes.map((each) => `--- ${each.name} (pid ${each.pid})\n${each.log()}`).join('\n')
  }

  /** Ends all processes at once: what they do in an orderly end is not the matter here. */
  async endProcesses(): Promise<void> {
    await Promise.all(this.#processes.map((each) => each.kill('SIGKILL')))
  }

  #spawn(
    app: 'worker' | 'web' | 'scheduler' | 'archiver',
    name: string,
    args: string[],
    env: Record<string, string> = {},
  ): NodeProcess {
    const spawned = spawnNode(join(ROOT, 'apps', app, 'dist', 'main.js'), args, { name, env })
    this.#processes.push(spawned)
    return spawned
  }
}
