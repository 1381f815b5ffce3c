import type { SampleEntry } from '@golem/core'

/** Readings as a worker hands them over. */
export interface NumberedSample {
  /** Of the worker process: differs from that of its predecessor of the same id. */
  life: string
  /** Counted by the worker from 1 on, without a gap. */
  n: number
  entry: SampleEntry
}

/** Readings as they stand in the stream. */
export interface ReceivedSample extends Omit<NumberedSample, 'entry'> {
  /** In the stream: `<ms>-<n>`, grows. */
  id: string
  /** Counted by Redis over all workers, without a gap. */
  count: number
  worker: string
  /** null: nobody can read it. */
  entry: SampleEntry | null
}

/** One entry as Redis gives it. */
export function sampleFrom([id, [, count = '', , sender = '', , json = '']]: [
  string,
  string[],
]): ReceivedSample {
  const [worker = '', life = '', n = ''] = sender.split(' ')
  return { id, count: Number(count), worker, life, n: Number(n), entry: entryFrom(json) }
}

function entryFrom(json: string): SampleEntry | null {
  try {
    const entry = JSON.parse(json) as Partial<SampleEntry> | null
    const isOne = typeof entry?.instrument === 'string' && typeof entry.readings === 'object'
    return isOne && entry.readings !== null ? (entry as SampleEntry) : null
  } catch {
    // Not of golem: the ones after it are to be read nevertheless.
    return null
  }
}
