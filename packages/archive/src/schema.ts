import type { Database, Table } from './database.ts'

/** Of the tables below. A database with a lower one is brought up to date, one with a higher one is refused. */
export const SCHEMA_VERSION = 1

/**
 * The tables, as statements that both databases understand. What stands in braces is where they differ: SQLite keeps
 * a table whose rows are found by their key within the key's own tree, which saves a third of the disk.
 *
 * - `meta`: what the archiver remembers: schema, positions in the streams
 * - `series`: one for each parameter of each instrument that ever was; `last_at` is its last reading, stored or not;
 *   `kept_*` the last one that was stored
 * - `sample`: readings that were stored: `v` of numbers and truth values (0, 1), `x` of texts
 * - `minute`, `hour`: all readings of a number, stored singly or not, gathered by the minute and hour of their time
 * - `gap`: times without readings; `until` is null while it lasts
 * - `event`: the site's log. `t` is where it belongs in the timeline: of a note on a past time, that time
 * - `command`, `run`, `run_row`: records as the API shows them, as JSON, with what is searched for
 * - `document`: descriptions of instruments and other texts that an experiment depends on, each version once
 */
export const TABLES = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) {compact};
CREATE TABLE series (
  id {id}, instrument TEXT NOT NULL, parameter TEXT NOT NULL, type TEXT NOT NULL, label TEXT NOT NULL, unit TEXT,
  first_at BIGINT, last_at BIGINT, kept_at BIGINT, kept_v {real}, kept_x TEXT, UNIQUE (instrument, parameter));
CREATE TABLE sample (series INTEGER NOT NULL, t BIGINT NOT NULL, v {real}, x TEXT, PRIMARY KEY (series, t)) {compact};
CREATE TABLE minute (
  series INTEGER NOT NULL, t BIGINT NOT NULL, lo {real} NOT NULL, hi {real} NOT NULL, total {real} NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (series, t)) {compact};
CREATE TABLE hour (
  series INTEGER NOT NULL, t BIGINT NOT NULL, lo {real} NOT NULL, hi {real} NOT NULL, total {real} NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (series, t)) {compact};
CREATE TABLE gap (
  series INTEGER NOT NULL, t BIGINT NOT NULL, until BIGINT, reason TEXT NOT NULL, message TEXT NOT NULL, PRIMARY KEY (series, t)) {compact};
CREATE INDEX gap_open ON gap (series) WHERE until IS NULL;
CREATE TABLE event (
  id TEXT PRIMARY KEY, t BIGINT NOT NULL, written BIGINT NOT NULL, kind TEXT NOT NULL, level TEXT NOT NULL, instrument TEXT, by_whom TEXT,
  command TEXT, run TEXT, stage TEXT, message TEXT NOT NULL, data TEXT);
CREATE INDEX event_t ON event (t, id);
CREATE INDEX event_instrument ON event (instrument, t);
CREATE INDEX event_run ON event (run, t);
CREATE TABLE command (
  id TEXT PRIMARY KEY, t BIGINT NOT NULL, ended BIGINT, instrument TEXT NOT NULL, outcome TEXT, by_whom TEXT NOT NULL, run TEXT,
  record TEXT NOT NULL);
CREATE INDEX command_t ON command (t, id);
CREATE INDEX command_run ON command (run, t);
CREATE TABLE run (id TEXT PRIMARY KEY, t BIGINT NOT NULL, ended BIGINT, recipe TEXT NOT NULL, record TEXT NOT NULL);
CREATE INDEX run_t ON run (t, id);
CREATE TABLE run_row (run TEXT NOT NULL, id TEXT NOT NULL, t BIGINT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (run, id)) {compact};
CREATE TABLE document (
  kind TEXT NOT NULL, name TEXT NOT NULL, t BIGINT NOT NULL, digest TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, name, t)) {compact}
`

export const META: Table = {
  name: 'meta',
  columns: { name: 'text', value: 'text' },
  conflict: 'ON CONFLICT (name) DO UPDATE SET value = excluded.value',
}

/** Those that are there already are brought up to date. */
export const SERIES: Table = {
  name: 'series',
  columns: {
    id: 'integer',
    instrument: 'text',
    parameter: 'text',
    type: 'text',
    label: 'text',
    unit: 'text',
    first_at: 'integer',
    last_at: 'integer',
    kept_at: 'integer',
    kept_v: 'real',
    kept_x: 'text',
  },
  conflict: `ON CONFLICT (id) DO UPDATE SET type = excluded.type, label = excluded.label, unit = excluded.unit, first_at = excluded.first_at,
    last_at = excluded.last_at, kept_at = excluded.kept_at, kept_v = excluded.kept_v, kept_x = excluded.kept_x`,
}

/** Into which batches are written. What is there already stays as it was: the same batch twice does no harm. */
export const SAMPLE: Table = {
  name: 'sample',
  columns: { series: 'integer', t: 'integer', v: 'real', x: 'text' },
  conflict: 'ON CONFLICT (series, t) DO NOTHING',
}

export const EVENT: Table = {
  name: 'event',
  columns: {
    id: 'text',
    t: 'integer',
    written: 'integer',
    kind: 'text',
    level: 'text',
    instrument: 'text',
    by_whom: 'text',
    command: 'text',
    run: 'text',
    stage: 'text',
    message: 'text',
    data: 'text',
  },
  conflict: 'ON CONFLICT (id) DO NOTHING',
}

export const COMMAND: Table = {
  name: 'command',
  columns: {
    id: 'text',
    t: 'integer',
    ended: 'integer',
    instrument: 'text',
    outcome: 'text',
    by_whom: 'text',
    run: 'text',
    record: 'text',
  },
  conflict:
    'ON CONFLICT (id) DO UPDATE SET ended = excluded.ended, outcome = excluded.outcome, record = excluded.record',
}

export const RUN: Table = {
  name: 'run',
  columns: { id: 'text', t: 'integer', ended: 'integer', recipe: 'text', record: 'text' },
  conflict: 'ON CONFLICT (id) DO UPDATE SET ended = excluded.ended, record = excluded.record',
}

export const RUN_ROW: Table = {
  name: 'run_row',
  columns: { run: 'text', id: 'text', t: 'integer', record: 'text' },
  conflict: 'ON CONFLICT (run, id) DO NOTHING',
}

export const DOCUMENT: Table = {
  name: 'document',
  columns: { kind: 'text', name: 'text', t: 'integer', digest: 'text', body: 'text' },
  conflict: 'ON CONFLICT (kind, name, t) DO NOTHING',
}

export const GAP: Table = {
  name: 'gap',
  columns: { series: 'integer', t: 'integer', until: 'integer', reason: 'text', message: 'text' },
  conflict:
    'ON CONFLICT (series, t) DO UPDATE SET until = excluded.until, reason = excluded.reason, message = excluded.message',
}

/** `minute` or `hour`: what a batch adds to what is there. */
export function rollupTable(name: 'minute' | 'hour', database: Database): Table {
  const least = database.kind === 'postgres' ? 'LEAST' : 'min'
  const greatest = database.kind === 'postgres' ? 'GREATEST' : 'max'
  return {
    name,
    columns: { series: 'integer', t: 'integer', lo: 'real', hi: 'real', total: 'real', n: 'integer' },
    conflict: `ON CONFLICT (series, t) DO UPDATE SET lo = ${least}(${name}.lo, excluded.lo), hi = ${greatest}(${name}.hi, excluded.hi), total = ${name}.total + excluded.total, n = ${name}.n + excluded.n`,
  }
}
