import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PostgresDatabase } from './postgres.ts'

/** Where Debian puts the programs of the server, by version. */
const DEBIAN = '/usr/lib/postgresql'
const USER = 'golem'
/** A server whose own order of texts is not that of their bytes, as on most machines. */
const COLLATION = ['--locale', 'C.UTF-8', '--locale-provider', 'icu', '--icu-locale', 'en']
/** How long the server may take to come up or to go, in ms. */
const PATIENCE_MS = 60_000

/** A PostgreSQL server of a test's own, on a unix socket in its own folder. */
export class PostgresServer {
  readonly #folder: string
  readonly #bin: string
  readonly #as: { uid?: number; gid?: number }
  #process: ChildProcess | undefined
  #databases = 0

  private constructor(folder: string, bin: string, as: { uid?: number; gid?: number }) {
    this.#folder = folder
    this.#bin = bin
    this.#as = as
  }

  /** Makes an empty server and starts it. As root it runs under the system's user `postgres`: it refuses root. */
  static async start(): Promise<PostgresServer> {
    const version = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort().at(-1) : undefined
    if (version === undefined) throw new Error('These tests need the Debian package postgresql.')
    const folder = mkdtempSync(join(tmpdir(), 'golem-pg-'))
    const bin = join(DEBIAN, version, 'bin')
    let as = {}
    if (process.getuid?.() === 0) {
      const id = (flag: string): number =>
        Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }).trim())
      as = { uid: id('-u'), gid: id('-g') }
      chownSync(folder, id('-u'), id('-g'))
    }
    const server = new PostgresServer(folder, bin, as)
    execFileSync(
      join(bin, 'initdb'),
      ['-D', join(folder, 'data'), '-U', USER, '-A', 'trust', '-E', 'UTF8', '--no-sync', ...COLLATION],
      { ...as, cwd: folder, stdio: 'ignore' },
    )
    await server.resume()
    return server
  }

  /** Starts it again after `kill`, and waits until it answers. */
  async resume(): Promise<void> {
    const until = performance.now() + PATIENCE_MS
    for (;;) {
      // It refuses to start while a child of the one that was killed has not noticed yet.
      if (!this.#runs) {
        this.#process = spawn(
          join(this.#bin, 'postgres'),
          ['-D', join(this.#folder, 'data'), '-k', this.#folder, '-h', '', '-c', 'max_connections=40'],
          { ...this.#as, cwd: this.#folder, stdio: 'ignore' },
        )
      }
      const database = new PostgresDatabase(this.#url('postgres'))
      try {
        await database.query('SELECT 1 AS one')
        return
      } catch (error) {
        if (performance.now() > until) throw error
        await sleep(50)
      } finally {
        await database.close()
      }
    }
  }

  /** An empty database. @returns its URL */
  async database(): Promise<string> {
    const name = `test${(this.#databases += 1)}`
    const database = new PostgresDatabase(this.#url('postgres'))
    await database.query(`CREATE DATABASE ${name}`)
    await database.close()
    return this.#url(name)
  }

  /** kill -9, then `resume`. */
  async restart(): Promise<void> {
    await this.kill()
    await this.resume()
  }

  /** As a power failure of the server's machine would: none of its processes ends in order. */
  async kill(signal: 'SIGKILL' | 'SIGQUIT' = 'SIGKILL'): Promise<void> {
    const child = this.#process
    if (!child || !this.#runs) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await ended
  }

  /** Ends it and removes its folder. */
  async remove(): Promise<void> {
    await this.kill('SIGQUIT')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #runs(): boolean {
    return this.#process?.exitCode === null && this.#process.signalCode === null
  }

  #url(name: string): string {
    return `postgres://${USER}@localhost/${name}?host=${encodeURIComponent(this.#folder)}`
  }
}
