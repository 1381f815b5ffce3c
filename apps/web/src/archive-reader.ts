import { type Database, openArchiveReader } from '@golem/archive'
import { GolemError, messageOf } from '@golem/core'
import { statSync } from 'node:fs'

/** An archive that is open, until the last who asks it has ended. */
interface OpenArchive {
  database: Database
  /** Which file it is; empty: it is none. */
  identity: string
  users: number
  /** It is not asked any more. */
  isPast: boolean
  isClosed: boolean
}

/**
 * The archive as the web process reads it: opened when somebody asks for it, and anew after it failed, or when another
 * file stands in its place (a restored backup, an archiver that began afresh).
 */
export class ArchiveReader {
  readonly #place: string | null
  #open: Promise<OpenArchive> | null = null

  /** @param place - a file or a URL; null: the site keeps no archive */
  constructor(place: string | null) {
    this.#place = place
  }

  /**
   * Asks the archive. Many may do so at once.
   *
   * @throws GolemError ARCHIVE_DOWN, as a sentence
   */
  async use<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const opened = this.#current()
    let archive: OpenArchive | undefined
    try {
      archive = await opened
      archive.users += 1
      return await work(archive.database)
    } catch (error) {
      if (!isOfDatabase(error)) throw error
      if (this.#open === opened) this.#open = null
      if (archive) archive.isPast = true
      if (error instanceof GolemError) throw error
      throw new GolemError('ARCHIVE_DOWN', `The archive can't be read: ${messageOf(error)}.`, {
        cause: error,
      })
    } finally {
      if (archive) {
        archive.users -= 1
        await closeIfDone(archive)
      }
    }
  }

  async close(): Promise<void> {
    const opened = this.#open
    this.#open = null
    const archive = await opened?.catch(() => null)
    if (archive) await retire(archive)
  }

  #current(): Promise<OpenArchive> {
    if (this.#place === null) {
      throw new GolemError('ARCHIVE_DOWN', 'This site keeps no archive: site.yaml says "archive: false".')
    }
    const place = this.#place
    const identity = identityOf(place)
    const before = this.#open
    const anew = (): Promise<OpenArchive> => openAt(place, identity)
    const current = before
      ? before.then(async (archive) => {
          if (archive.identity === identity && !archive.isPast) return archive
          await retire(archive)
          return anew()
        }, anew)
      : anew()
    this.#open = current
    return current
  }
}

async function openAt(place: string, identity: string): Promise<OpenArchive> {
  if (identity === 'none') {
    throw new GolemError(
      'ARCHIVE_DOWN',
      'There is no archive yet. An archiver process makes it: golem up starts one.',
    )
  }
  return { database: await openArchiveReader(place), identity, users: 0, isPast: false, isClosed: false }
}

/** Whether two questions met the same file. */
function identityOf(place: string): string {
  if (place.includes('://')) return ''
  const stat = statSync(place, { throwIfNoEntry: false })
  return stat ? `${stat.dev}:${stat.ino}` : 'none'
}

async function retire(archive: OpenArchive): Promise<void> {
  archive.isPast = true
  await closeIfDone(archive)
}

async function closeIfDone(archive: OpenArchive): Promise<void> {
  if (!archive.isPast || archive.users > 0 || archive.isClosed) return
  archive.isClosed = true
  await archive.database.close()
}

/** What the database says, and what is not a bug of the one who asked. */
function isOfDatabase(error: unknown): boolean {
  if (error instanceof GolemError) return error.code === 'ARCHIVE_DOWN'
  return error instanceof Error && 'code' in error && /SQLITE|INVALID_STATE/.test(String(error.code))
}
