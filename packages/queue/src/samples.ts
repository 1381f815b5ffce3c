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
export interface ReceivedSample extends NumberedSample {
  /** In the stream: `<ms>-<n>`, grows. */
  id: string
  /** Counted by Redis over all workers, without a gap. */
  count: number
  worker: string
}

/** One entry as Redis gives it. */
export function sampleFrom([id, [, count = '', , sender = '', , json = '{}']]: [
  string,
  string[],
]): ReceivedSample {
  const [worker = '', life = '', n = ''] = sender.split(' ')
  return { id, count: Number(count), worker, life, n: Number(n), entry: JSON.parse(json) as SampleEntry }
}
