import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Site } from './site.ts'

/** What of a site's configuration is compared, by name: `instrument lamp-1`, `schedules`, `recipes/dry.yaml`. */
export type Digests = Readonly<Record<string, string>>

/** How a configuration differs from the one before. */
export interface ConfigurationChange {
  added: readonly string[]
  removed: readonly string[]
  changed: readonly string[]
  /** All of it, as a part of a sentence. */
  words: string
}

/** Parts of site.yaml. Those that may hold passwords are left out: Redis is to hold no digest that could be guessed. */
const PARTS = ['leaseMs', 'maxWaiting', 'clock', 'schedules', 'derived', 'interlocks'] as const
/** Folders beside it whose files say how instruments are driven. */
const FOLDERS = ['models', 'drivers', 'recipes', 'calibrations'] as const
/** So many names are said in a sentence. */
const MOST_NAMES = 10

/** What a site's configuration is made of, each part as a digest. */
export function configurationDigests(site: Site): Digests {
  const digests: Record<string, string> = {}
  for (const part of PARTS) digests[part] = digestOf(JSON.stringify(site[part]))
  for (const instrument of site.instruments) {
    digests[`instrument ${instrument.id}`] = digestOf(JSON.stringify(instrument))
  }
  for (const folder of FOLDERS) {
    for (const name of filesIn(join(site.instanceDir, folder))) {
      digests[`${folder}/${name}`] = digestOf(readFileSync(join(site.instanceDir, folder, name)))
    }
  }
  return digests
}

/** What has changed; null: nothing. */
export function configurationChange(before: Digests, now: Digests): ConfigurationChange | null {
  const added = Object.keys(now).filter((name) => before[name] === undefined)
  const removed = Object.keys(before).filter((name) => now[name] === undefined)
  const changed = Object.keys(now).filter((name) => before[name] !== undefined && before[name] !== now[name])
  const parts = Object.entries({ added, removed, changed })
    .filter(([, names]) => names.length > 0)
    .map(([what, names]) => `${what}: ${inWords(names)}`)
  return parts.length === 0 ? null : { added, removed, changed, words: parts.join('; ') }
}

function inWords(names: readonly string[]): string {
  const left = names.length - MOST_NAMES
  const said = names.slice(0, MOST_NAMES).join(', ')
  return left > 0 ? `${said} and ${left} more` : said
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .toSorted()
}

function digestOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('base64url').slice(0, 22)
}
