/**
 * Every key golem has in Redis. All stand under `{golem:<site>}`: the braces keep them in one slot, so that
 * scripts work on a Redis Cluster, and `init-db` and `clear-queue` touch nothing else.
 *
 * | key | type | written by | read by | life time |
 * |---|---|---|---|---|
 * | `bull:<instrument>:*` | BullMQ | web (add), worker (consume) | worker | until the job has ended |
 * | `command:<id>` | hash | scripts: submit, begin, finish, refuse, settle | web, worker | 7 days after its end, and while it is among the newest 20,000 |
 * | `result:<id>` | string: numbers as 64-bit floats, little-endian | worker, before the command's end | web | an hour |
 * | `commands` | sorted set id by submission | submit, finish | web | newest 20,000 |
 * | `commands:<instrument>` | sorted set | submit, finish | web | newest 2,000 |
 * | `waiting:<instrument>` | sorted set id by submission | submit, begin, finish, refuse | submit, sweeper | while it waits |
 * | `queue:<instrument>` | hash: waiting, oldestAt, running, runningId, last | the same scripts | follower | for ever |
 * | `descriptions` | hash by instrument | worker that owns it; leading scheduler (derived ones) | follower | until init-db |
 * | `snapshots` | hash by instrument | worker that owns it; leading scheduler (derived ones) | follower | until init-db |
 * | `changes` | stream, capped | every script that changes what a page shows | follower | newest 5,000 |
 * | `events` | stream, capped | scripts, worker, web | web | newest 50,000; fewer when log lines would make it larger than 64 MiB |
 * | `stop` | hash: `*` or instrument | stop, release | submit, begin, follower, worker | until released |
 * | `reservations` | hash by instrument: JSON, see reservations.ts | reservation scripts; submit, begin (what time has brought about) | follower, worker | until init-db |
 * | `reservations-used` | hash by instrument: when its holder last gave a command | submit | reservation scripts | until init-db |
 * | `lease:<link>` | string `worker fence` | lease scripts | begin, web | lease time, renewed |
 * | `fences` | hash by link | lease scripts | lease scripts | for ever |
 * | `workers` | hash by worker | each worker, once a second | follower, workers | removed at its end, or after a day |
 * | `runs`, `recipes`, `alarms`, `schedules` | hashes by id: the records that pages show | leading scheduler; web (a run it asks for) | follower | the scheduler removes them |
 * | `calibrations` | hash by `name version`: those of files, and those made since | leading scheduler; web (one that is made) | follower, workers | of files: as long as those; others until init-db |
 * | `drafts` | hash by name of a calibration: points that were measured for it | leading scheduler | follower | until it is made, or they are thrown away |
 * | `configurations` | hash by host: digests of the parts of its last configuration, JSON | workers | workers | until init-db |
 * | `interlocks` | hash by name: its trip, or its last reset | workers that own its outputs (trip), web (reset) | follower, those workers | until init-db |
 * | `requests` | stream: what people and programs ask of runs, schedules and alarms | web | leading scheduler | until it is done; newest 5,000 |
 * | `scheduler` | hash: what the leading scheduler remembers, by its own names; `program:RUN` what a run carries out | leading scheduler | the next leader; archiver: programs | for ever |
 * | `rows:<run>` | stream: what a run has measured | leading scheduler | web | as long as the run; newest 100,000 |
 * | `samples` | stream, capped: readings on their way to the archive; `c` a running number, `s` worker, its life, and its own number | worker, with its snapshots; leading scheduler (derived ones) | archiver, which removes what it has committed | newest 500,000, or as the site says |
 * | `samples-count` | string: the last `c` | worker, leading scheduler | archiver | until init-db |
 * | `archivers` | hash by archiver | each archiver, once a second | follower | removed at its end, or after a day |
 * | `lease:archiver` | string `archiver fence` | lease scripts | the archiver that writes | lease time, renewed |
 * | `starts` | stream: planned starts and what became of them | leading scheduler | web | newest 20,000 |
 * | `lease:scheduler` | string `scheduler fence` | lease scripts | leading scheduler, web | lease time, renewed |
 * | `ticket:<hash>` | string: who it lets in, as JSON | web | web, which removes it | 30 s, used once |
 * | `log-writer:<writer>` | string: number of its last batch of log lines | web | web (its script) | a day |
 * | `epoch` | string | whoever comes first after init-db | follower | until init-db |
 * | `control` | channel | web, worker, leading scheduler | worker | - |
 * | `outcomes` | channel: `id record` | scripts that end a command | web | - |
 */
export interface Keys {
  /** `{golem:<site>}` */
  readonly root: string
  readonly bullPrefix: string
  readonly descriptions: string
  readonly snapshots: string
  readonly changes: string
  readonly events: string
  readonly stop: string
  readonly fences: string
  readonly workers: string
  readonly epoch: string
  readonly control: string
  readonly outcomes: string
  readonly reservations: string
  readonly requests: string
  readonly scheduler: string
  readonly starts: string
  readonly samples: string
  readonly samplesCount: string
  readonly archivers: string
  command(id: string): string
  result(id: string): string
  records(table: RecordTable): string
  rows(run: string): string
  commands(instrument?: string): string
  waiting(instrument: string): string
  queue(instrument: string): string
  lease(link: string): string
  ticket(hash: string): string
}

/** The keys of a site. @param site - its name, a-z, 0-9 and - */
export function keysOf(site: string): Keys {
  const root = `{golem:${site}}`
  return {
    root,
    bullPrefix: `${root}:bull`,
    descriptions: `${root}:descriptions`,
    snapshots: `${root}:snapshots`,
    changes: `${root}:changes`,
    events: `${root}:events`,
    stop: `${root}:stop`,
    fences: `${root}:fences`,
    workers: `${root}:workers`,
    epoch: `${root}:epoch`,
    control: `${root}:control`,
    outcomes: `${root}:outcomes`,
    reservations: `${root}:reservations`,
    requests: `${root}:requests`,
    scheduler: `${root}:scheduler`,
    starts: `${root}:starts`,
    samples: `${root}:samples`,
    samplesCount: `${root}:samples-count`,
    archivers: `${root}:archivers`,
    command: (id) => `${root}:command:${id}`,
    result: (id) => `${root}:result:${id}`,
    records: (table) => `${root}:${table}s`,
    rows: (run) => `${root}:rows:${run}`,
    commands: (instrument) =>
      instrument === undefined ? `${root}:commands` : `${root}:commands:${instrument}`,
    waiting: (instrument) => `${root}:waiting:${instrument}`,
    queue: (instrument) => `${root}:queue:${instrument}`,
    lease: (link) => `${root}:lease:${link}`,
    ticket: (hash) => `${root}:ticket:${hash}`,
  }
}

/** Records that pages show, of the scheduler and of interlocks. A table's key is its name with an s. */
export const RECORD_TABLES = [
  'run',
  'recipe',
  'alarm',
  'schedule',
  'interlock',
  'calibration',
  'draft',
] as const
export type RecordTable = (typeof RECORD_TABLES)[number]

/** How long the ledger keeps a command after its end, in ms. */
export const LEDGER_TTL_MS = 7 * 24 * 3_600_000
/** How long a result that is too long for the ledger is kept, in s. */
export const RESULT_TTL_S = 3_600
/** How long a ticket lets somebody in, in s. */
export const TICKET_TTL_S = 30
export const LEDGER_MAX = 20_000
export const LEDGER_MAX_PER_INSTRUMENT = 2_000
export const CHANGES_MAX = 5_000
export const EVENTS_MAX = 50_000
/** What the log may take up before log lines push out older entries, in bytes. */
export const EVENTS_MAX_BYTES = 64 * 1_048_576
export const REQUESTS_MAX = 5_000
export const ROWS_MAX = 100_000
export const STARTS_MAX = 20_000
