import { type Database, type DocumentRow, newestDigests } from '@golem/archive'
import type { SiteView } from '@golem/queue'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'

/** Under which the description of an instrument is kept. */
const DESCRIPTION = 'description'
const SITE = 'site'

/** Keeps each version of what the meaning of readings depends on: descriptions of instruments, and the site file. */
export class Documents {
  readonly #view: SiteView
  readonly #known: Map<string, string>
  #changed: Set<string>
  #site: { name: string; body: string } | undefined
  readonly #end: () => void

  private constructor(view: SiteView, siteFile: string, known: Map<string, string>) {
    this.#view = view
    this.#known = known
    this.#changed = new Set(view.descriptions.keys())
    this.#site = { name: basename(siteFile), body: readFileSync(siteFile, 'utf8') }
    this.#end = view.onChange((change) => {
      if (change.kind === 'description') this.#changed.add(change.instrument)
      else if (change.kind === 'everything') this.#changed = new Set(view.descriptions.keys())
    })
  }

  /** @throws Error when the site file can't be read */
  static async load(database: Database, view: SiteView, siteFile: string): Promise<Documents> {
    const known = new Map<string, string>()
    for (const kind of [DESCRIPTION, SITE]) {
      for (const [name, digest] of await newestDigests(database, kind)) known.set(`${kind} ${name}`, digest)
    }
    return new Documents(view, siteFile, known)
  }

  /** Instruments whose description has changed, and the versions that the archive does not have. */
  take(): { instruments: ReadonlySet<string>; documents: DocumentRow[] } {
    const instruments = this.#changed
    this.#changed = new Set()
    const found = [...instruments].flatMap((name) => {
      const description = this.#view.descriptions.get(name)
      return description ? [{ kind: DESCRIPTION, name, body: JSON.stringify(description) }] : []
    })
    const all = this.#site ? [{ kind: SITE, ...this.#site }, ...found] : found
    this.#site = undefined
    const documents = all.flatMap((one) => {
      const digest = createHash('sha256').update(one.body).digest('hex')
      if (this.#known.get(`${one.kind} ${one.name}`) === digest) return []
      this.#known.set(`${one.kind} ${one.name}`, digest)
      return [{ ...one, digest, at: this.#view.now() }]
    })
    return { instruments, documents }
  }

  close(): void {
    this.#end()
  }
}
