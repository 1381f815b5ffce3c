import { type OutputState, messageOf } from '@golem/core'
import fs from 'node:fs'
import path from 'node:path'
import { bootId } from './journal.ts'
import type { OutputMemory } from './output-watch.ts'

interface Written {
  /** Of the machine: while it is the same, its monotonic clock goes on. */
  boot: string
  /** When it was written, by the monotonic and the site's clock, in ms. */
  mono: number
  at: number
  outputs: Record<string, OutputMemory>
}

/** The site's clock may be set back so far without anybody wondering, in ms. */
const CLOCK_TOLERANCE_MS = 60_000
/** Longer than any rule, in ms. */
const FOR_EVER_MS = 400 * 24 * 3_600_000

/** The machine's monotonic clock in ms: unlike performance.now() the same for each process until the machine restarts. */
export function monotonic(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000
}

/**
 * What the worker knows of the outputs of one link, on its own disk beside the journal: written anew at each change,
 * directly before the write goes out that makes it, and once a minute.
 */
export class OutputStore {
  readonly #file: string

  /** @param folder - of the journals */
  constructor(folder: string, link: string) {
    this.#file = path.join(folder, `${encodeURIComponent(link)}.outputs.json`)
  }

  /**
   * What was known when it was last written, in this machine's monotonic time of today.
   *
   * @param now - site clock, in ms
   * @returns when that was written (site clock), and what; undefined: there is nothing that can be read
   */
  read(now: number): { at: number; outputs: Record<string, OutputMemory> } | undefined {
    let written: Written
    try {
      written = JSON.parse(fs.readFileSync(this.#file, 'utf8')) as Written
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return undefined
      throw error
    }
    const { boot, mono, at, outputs } = written
    const shift = boot === bootId() ? 0 : monotonic() - (now - at) - mono
    const set = boot !== bootId() && now < at - CLOCK_TOLERANCE_MS
    return {
      at,
      outputs: Object.fromEntries(
        Object.entries(outputs).map(([name, memory]) => [name, shifted(memory, shift, set)]),
      ),
    }
  }

  /** @param now - site clock, in ms @throws with what the disk says */
  write(outputs: Record<string, OutputMemory>, now: number): void {
    const written: Written = { boot: bootId(), mono: monotonic(), at: now, outputs }
    const next = `${this.#file}.new`
    try {
      fs.writeFileSync(next, JSON.stringify(written))
      fs.renameSync(next, this.#file)
    } catch (error) {
      throw new Error(`${this.#file} can't be written (${messageOf(error)})`, { cause: error })
    }
  }
}

/** What the last owner has published, which may have been on another machine. @param siteNow - site clock, in ms */
export function memoryFrom(state: OutputState, siteNow: number): OutputMemory {
  const { on, since, countedFrom, seenAt, count, kept } = state
  const seen = Date.parse(seenAt)
  const memory: OutputMemory = { on, since: Date.parse(since), before: Date.parse(countedFrom), seen }
  if (kept !== undefined) memory.kept = kept
  if (count) {
    const { onTimeS, cycles, level } = count
    memory.count = { onMs: onTimeS * 1000, cycles, countedTo: seen, since: count.since, told: level }
  }
  return shifted(memory, monotonic() - siteNow, siteNow < memory.seen - CLOCK_TOLERANCE_MS)
}

/**
 * @param set - the clock has been set back since: nobody can say how long ago that was, so an output that was on may have
 *   been on for ever
 */
function shifted(
  { on, since, before, seen, count, kept }: OutputMemory,
  shift: number,
  set: boolean,
): OutputMemory {
  const now = monotonic()
  const past = (at: number): number => (set ? now : Math.min(at + shift, now))
  return {
    on,
    since: past(since),
    before: set && on !== false ? now - FOR_EVER_MS : past(before),
    seen: past(seen),
    ...(count ? { count: { ...count, countedTo: past(count.countedTo) } } : {}),
    ...(kept === undefined ? {} : { kept }),
  }
}
