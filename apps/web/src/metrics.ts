import type { Site } from '@golem/config'
import type { ArchiverRecord } from '@golem/core'
import type { SiteView } from '@golem/queue'
import type { PushHub } from './push/hub.ts'
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

/** How a poll was answered. */
export type StateKind = 'full' | 'delta' | 'unchanged'

/** The figures of one web process. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #states = { full: 0, delta: 0, unchanged: 0 }
  readonly #requests: Histogram<'method' | 'route' | 'status'>

  constructor(view: SiteView, { leaseMs }: Pick<Site, 'leaseMs'>, push: PushHub) {
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry })
    this.#requests = new Histogram({
      name: 'golem_http_request_seconds',
      help: 'Time to answer, /api/state excepted',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10, 60],
      registers,
    })
    const states = this.#states
    // Counted as plain numbers and handed over when asked: polls are many.
    new Counter({
      name: 'golem_state_answers_total',
      help: 'Answers of /api/state by kind',
      labelNames: ['kind'],
      registers,
      collect() {
        this.reset()
        for (const [kind, count] of Object.entries(states)) this.inc({ kind }, count)
      },
    })
    new Gauge({
      name: 'golem_bus_up',
      help: '1 while Redis answers this process',
      registers,
      collect() {
        this.set(view.bus.ok ? 1 : 0)
      },
    })
    new Gauge({
      name: 'golem_workers_alive',
      help: 'Workers heard of within the lease time',
      registers,
      collect() {
        const now = view.now()
        this.set([...view.workers.values()].filter((w) => now - Date.parse(w.lastSeen) <= leaseMs).length)
      },
    })
    new Gauge({
      name: 'golem_instruments',
      help: 'Instruments by the condition their workers report',
      labelNames: ['condition'],
      registers,
      collect() {
        this.reset()
        for (const { condition } of view.snapshots.values()) this.inc({ condition })
      },
    })
    new Gauge({
      name: 'golem_commands_waiting',
      help: 'Commands that wait',
      labelNames: ['instrument'],
      registers,
      collect() {
        this.reset()
        for (const [instrument, { waiting }] of view.queues) this.set({ instrument }, waiting)
      },
    })
    new Gauge({
      name: 'golem_stops',
      help: 'Emergency stops in force',
      registers,
      collect() {
        this.set((view.stop.site ? 1 : 0) + Object.keys(view.stop.instruments).length)
      },
    })
    watchArchive(view, registers)
    watchPush(push, registers)
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  countState(kind: StateKind): void {
    this.#states[kind] += 1
  }

  /** @param seconds - from the request's first byte to the answer's last */
  countRequest(method: string, route: string, status: number, seconds: number): void {
    this.#requests.observe({ method, route, status: `${Math.floor(status / 100)}xx` }, seconds)
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }
}

/** The figures of the archiver that writes. */
function watchArchive(view: SiteView, registers: Registry[]): void {
  const figures: readonly [name: string, help: string, of: (record: ArchiverRecord) => number | null][] = [
    ['golem_archive_behind_seconds', 'Age of the oldest of them', ({ behindMs }) => behindMs / 1_000],
    ['golem_archive_lost_entries', 'Entries lost since the archiver was started', ({ lost }) => lost],
    ['golem_archive_samples_per_second', 'Readings stored singly', (record) => record.samplesPerSecond],
    [
      'golem_archive_commit_seconds',
      'How long its last transaction took',
      ({ commitMs }) => commitMs / 1_000,
    ],
    ['golem_archive_bytes', 'What the archive takes on the disk', ({ sizeBytes }) => sizeBytes],
    ['golem_archive_free_bytes', 'What is left on its disk', ({ freeBytes }) => freeBytes],
    ['golem_archive_trouble', '1 while it can not be written well', ({ trouble }) => (trouble ? 1 : 0)],
  ]
  new Gauge({
    name: 'golem_archive_backlog_entries',
    help: 'Entries of workers that wait for the archiver',
    registers,
    collect() {
      this.set(view.samplesWaiting)
    },
  })
  for (const [name, help, of] of figures) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.reset()
        const writer = [...view.archivers.values()].find(({ writes }) => writes)
        const figure = writer && of(writer)
        if (figure !== undefined && figure !== null) this.set(figure)
      },
    })
  }
}

/** The figures of those who are shown the state as it comes. */
function watchPush(push: PushHub, registers: Registry[]): void {
  const { figures } = push
  new Gauge({
    name: 'golem_push_clients',
    help: 'Clients that follow the state now, by kind',
    labelNames: ['kind'],
    registers,
    collect() {
      for (const kind of ['socket', 'stream'] as const) this.set({ kind }, push.count(kind))
    },
  })
  new Counter({
    name: 'golem_push_messages_total',
    help: 'States sent to them, by kind',
    labelNames: ['kind'],
    registers,
    collect() {
      this.reset()
      for (const [kind, count] of Object.entries(figures.messages)) this.inc({ kind }, count)
    },
  })
  new Counter({
    name: 'golem_push_gaps_total',
    help: 'How often states were left out for more than a second, because a client read slowly',
    registers,
    collect() {
      this.reset()
      this.inc(figures.gaps)
    },
  })
  new Counter({
    name: 'golem_push_dropped_total',
    help: 'Clients that were sent away: too slow, or no sign of life',
    registers,
    collect() {
      this.reset()
      this.inc(figures.dropped)
    },
  })
}
