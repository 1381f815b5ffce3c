/**
 * BullMQ options that make a job run at most once: one attempt, no second start after a stall, nothing repeated.
 * See ARCHITECTURE.md, "at most once". The job carries nothing but its id; the command is in the ledger.
 */
export const JOB_OPTIONS = {
  attempts: 1,
  removeOnComplete: true,
  removeOnFail: { age: 3600, count: 100 },
} as const

export const WORKER_OPTIONS = {
  concurrency: 1,
  maxStalledCount: 0,
  maxStartedAttempts: 1,
  lockDuration: 30_000,
  stalledInterval: 30_000,
  runRetryDelay: 500,
  drainDelay: 5,
} as const
