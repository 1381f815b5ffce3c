import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf } from '@golem/core'
import { CliError } from './exit-codes.ts'
import { ApiClient } from './client.ts'

/** The clone this program runs from: apps/cli/dist is three levels below it. */
export const GOLEM_ROOT = fileURLToPath(new URL('../../..', import.meta.url))

export type Environment = Readonly<Record<string, string | undefined>>

/** What a command has of the world: tests give it another one. */
export interface Context {
  env: Environment
  /** The folder in which the user typed the command; relative names start there. */
  cwd: string
  /** Writes a line to stdout. */
  out: (line: string) => void
  /** Writes a line to stderr. */
  err: (line: string) => void
  /** Is there a person at the terminal who can be asked? */
  interactive: boolean
  /** Asks a question that is answered with y or n. */
  confirm: (question: string) => Promise<boolean>
  /** Asks a question that is answered with a line. */
  ask: (question: string) => Promise<string>
  /** Ends when the command is to end early (Ctrl-C). */
  signal: AbortSignal
}

/** Options that every command has. */
export interface CommonOptions {
  json?: boolean
  url?: string
  tokenFile?: string
  site?: string
}

/**
 * The site file to work with: `--site`, else GOLEM_SITE, else site.yaml in the instance folder.
 *
 * @returns an absolute path; the file need not exist
 */
export function siteFileOf(context: Context, options: CommonOptions): string {
  const chosen = options.site ?? context.env['GOLEM_SITE']
  if (chosen) return path.resolve(context.cwd, chosen)
  return path.join(instanceFolder(context), 'site.yaml')
}

/** The instance folder where no site file was named: GOLEM_INSTANCE, else the one of this clone. */
export function instanceFolder(context: Context): string {
  const chosen = context.env['GOLEM_INSTANCE']
  return chosen ? path.resolve(context.cwd, chosen) : path.join(GOLEM_ROOT, 'instance')
}

/** Where a site keeps its data: GOLEM_INSTANCE, else the folder of its site file. */
export function instanceDirOf(context: Context, siteFile: string): string {
  return context.env['GOLEM_INSTANCE'] ? instanceFolder(context) : path.dirname(siteFile)
}

/** What a running `golem up` leaves in `instance/run/web.json`. */
export interface RunningRecord {
  /** Address of the page. */
  url: string
  /** Process id of `golem up`. */
  pid: number
}

/** The record of a running `golem up`, or null when none runs. A record of a dead process counts as none. */
export function readRunning(instanceDir: string): RunningRecord | null {
  let text: string
  try {
    text = readFileSync(path.join(instanceDir, 'run', 'web.json'), 'utf8')
  } catch (error) {
    // No file, or none that we may read: then nobody told us of a running golem.
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
  let record: Partial<RunningRecord>
  try {
    record = JSON.parse(text) as Partial<RunningRecord>
  } catch {
    // Cut short by a full disk or a crash in mid-write: as good as none.
    return null
  }
  if (typeof record?.url !== 'string' || typeof record.pid !== 'number') return null
  return isAlive(record.pid) ? { url: record.url, pid: record.pid } : null
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** The address of the web process: `--url`, GOLEM_URL, the running `golem up`, else http://127.0.0.1:8000. */
export function urlOf(context: Context, options: CommonOptions): string {
  const chosen = options.url ?? context.env['GOLEM_URL']
  if (chosen) {
    if (!URL.canParse(chosen) || !/^https?:$/.test(new URL(chosen).protocol)) {
      throw new CliError(
        'usage',
        `"${chosen}" is no address: write for instance http://pi-1.lab.example:8000.`,
      )
    }
    return chosen.replace(/\/+$/, '')
  }
  const running = readRunning(instanceDirOf(context, siteFileOf(context, options)))
  return running?.url.replace(/\/+$/, '') ?? 'http://127.0.0.1:8000'
}

/** The token: the file named by `--token-file`, else GOLEM_TOKEN, else none. */
export function tokenOf(context: Context, options: CommonOptions): string | null {
  if (options.tokenFile !== undefined) {
    const file = path.resolve(context.cwd, options.tokenFile)
    let token: string
    try {
      token = readFileSync(file, 'utf8').trim()
    } catch (error) {
      throw new CliError('usage', `The token file ${file} cannot be read: ${messageOf(error)}`, {
        cause: error,
      })
    }
    if (!token) throw new CliError('usage', `The token file ${file} is empty.`)
    return token
  }
  return context.env['GOLEM_TOKEN']?.trim() || null
}

/** A client of the site's HTTP API. */
export function openApi(context: Context, options: CommonOptions): ApiClient {
  return new ApiClient({
    url: urlOf(context, options),
    token: tokenOf(context, options),
    user: context.env['GOLEM_USER']?.trim() || null,
    signal: context.signal,
  })
}
