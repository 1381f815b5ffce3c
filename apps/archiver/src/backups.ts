import { BackupError, backupName, isDue, orderBackup, runProgram, timeOfName, toRemove } from '@golem/backup'
import { type BackupConfig, type Site, readSecretFile } from '@golem/config'
import { type BackupState, isoTime, messageOf } from '@golem/core'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import type { Logger } from 'pino'

/** How often it is looked whether one is due, in ms. */
const LOOK_EVERY_MS = 30_000
/** After a failure it is tried again so much later, in ms. */
const AGAIN_AFTER_MS = 600_000
/** The longest that carrying one on may take, in ms. */
const CARRY_MAX_MS = 12 * 3_600_000

/** Makes backups when they are due. One process of a site does: the archiver that writes. */
export class Backups {
  readonly #site: Site
  readonly #config: BackupConfig
  readonly #redisUrl: string
  readonly #version: string
  readonly #log: Logger
  readonly #ending = new AbortController()
  readonly #timer: NodeJS.Timeout
  #running: Promise<void> | undefined
  #notBefore = 0
  #trouble: string | undefined
  /** A backup that is still to be carried on. */
  #toCarry: string | undefined

  constructor(config: BackupConfig, options: { site: Site; redisUrl: string; version: string; log: Logger }) {
    this.#config = config
    this.#site = options.site
    this.#redisUrl = options.redisUrl
    this.#version = options.version
    this.#log = options.log
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS)
    this.#look()
  }

  /** For the archiver's record. */
  get state(): BackupState {
    let lastAt: number | null = null
    try {
      lastAt = this.#lastAt()
    } catch (error) {
      this.#trouble ??= messageOf(error)
    }
    return {
      lastAt: lastAt === null ? null : isoTime(lastAt),
      ...(this.#trouble === undefined ? {} : { trouble: this.#trouble }),
    }
  }

  /** One that is being made is given up. */
  async end(): Promise<void> {
    clearInterval(this.#timer)
    this.#ending.abort()
    await this.#running
  }

  #look(): void {
    if (this.#running || performance.now() < this.#notBefore) return
    this.#running = this.#makeWhenDue()
      .then(() => (this.#trouble = undefined))
      .catch((error: unknown) => {
        if (this.#ending.signal.aborted) return
        this.#trouble = messageOf(error)
        this.#notBefore = performance.now() + AGAIN_AFTER_MS
        this.#log.error({ err: error }, 'backup')
      })
      .finally(() => (this.#running = undefined))
      .then(() => undefined)
  }

  async #makeWhenDue(): Promise<void> {
    const { folder, keep, passphraseFile, atMinutes } = this.#config
    if (!isDue(this.#lastAt(), Date.now(), atMinutes)) return this.#carryOn()
    const passphrase = passphraseFile === null ? null : this.#secret(passphraseFile)
    const file = path.join(folder, backupName(this.#site.name, new Date(), passphrase !== null))
    const { signal } = this.#ending
    await orderBackup(
      { siteFile: this.#site.file, redisUrl: this.#redisUrl, file, passphrase, version: this.#version },
      signal,
    )
    this.#log.info({ file }, 'backup written and checked')
    // Only now: while new ones fail, the old ones stay.
    for (const name of toRemove(readdirSync(folder), this.#site.name, keep)) rmSync(path.join(folder, name))
    this.#toCarry = file
    await this.#carryOn()
  }

  /** What could not be carried on is tried again until the next backup takes its place. */
  async #carryOn(): Promise<void> {
    const { afterwards } = this.#config
    const file = this.#toCarry
    if (afterwards === null || file === undefined) return
    const [program = '', ...args] = afterwards.map((word) => word.replaceAll('{file}', file))
    await runProgram(program, args, AbortSignal.any([this.#ending.signal, AbortSignal.timeout(CARRY_MAX_MS)]))
    this.#toCarry = undefined
    this.#log.info({ file, program }, 'backup carried on')
  }

  #secret(file: string): string {
    const read = readSecretFile(file, this.#site.instanceDir)
    if ('fault' in read) throw new BackupError(read.fault)
    return read.secret
  }

  #lastAt(): number | null {
    mkdirSync(this.#config.folder, { recursive: true })
    const times = readdirSync(this.#config.folder).flatMap((name) => timeOfName(name, this.#site.name) ?? [])
    return times.length === 0 ? null : Math.max(...times)
  }
}
