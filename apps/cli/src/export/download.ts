import { messageOf } from '@golem/core'
import { existsSync } from 'node:fs'
import { open, rename, truncate } from 'node:fs/promises'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiClient } from '../client.ts'
import type { Context } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { DownloadProgress } from './progress.ts'
import { readPartial } from './whole-rows.ts'

/** Pauses before a download that broke off goes on, in ms. */
const RETRY_AFTER_MS = [500, 2_000, 5_000]

export type FileFormat = 'csv' | 'ndjson' | 'parquet'

export interface Download {
  /** Path and query. */
  query: string
  /** Where it is to be. Until it is whole it is called `FILE.part`. */
  file: string
  format: FileFormat
  /** Go on with what is there of it. */
  resume?: boolean
}

/**
 * Fetches an export into a file, and goes on by itself where the connection broke (Parquet begins anew).
 *
 * @returns the bytes of the file
 * @throws CliError: FILE.part is left, for `resume`
 */
export async function download(context: Context, api: ApiClient, what: Download): Promise<number> {
  const progress = new DownloadProgress(basename(what.file), context.interactive)
  try {
    let resume = what.resume ?? false
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await attemptOne(api, { ...what, resume }, progress)
      } catch (error) {
        const pauseMs = RETRY_AFTER_MS[attempt]
        // Who is not there at first is not waited for; who was there may be being started anew.
        const isNo = error instanceof CliError && attempt === 0
        if (isNo || context.signal.aborted || pauseMs === undefined) throw asCutOff(error, what)
        resume = what.format !== 'parquet'
        await sleep(pauseMs, undefined, { signal: context.signal }).catch(() => undefined)
      }
    }
  } finally {
    progress.end()
  }
}

async function attemptOne(api: ApiClient, what: Download, progress: DownloadProgress): Promise<number> {
  const part = partOf(what.file)
  let { query } = what
  let before = 0
  let begin = 0
  if (what.resume && what.format !== 'parquet' && existsSync(part)) {
    const left = await readPartial(part, what.format)
    if (left.isWhole) return finished(what)
    if (left.query !== null && left.after !== null) {
      query = `${left.query}&${String(new URLSearchParams({ after: left.after, rows: String(left.rows) }))}`
      before = left.rows
      begin = left.end
    } else if (left.query !== null) query = left.query
  }
  const response = await api.open(query)
  const estimate = response.headers.get('golem-rows-estimate')
  progress.expect(estimate === null || what.format === 'parquet' ? null : Number(estimate), before)
  if (begin > 0) await truncate(part, begin)
  const file = await open(part, begin > 0 ? 'a' : 'w')
  try {
    for await (const piece of piecesOf(response)) {
      await file.write(piece)
      progress.took(piece)
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return finished(what)
}

/** Gives the file its name. @returns its bytes */
async function finished({ file }: Download): Promise<number> {
  const handle = await open(partOf(file), 'r')
  const { size } = await handle.stat()
  await handle.close()
  await rename(partOf(file), file)
  return size
}

/** The name of a file that is not whole yet. */
export function partOf(file: string): string {
  return `${file}.part`
}

/** What an answer consists of, as it comes. */
export function piecesOf(response: Response): AsyncIterable<Uint8Array> {
  if (response.body === null) throw new Error('The answer has no body.')
  return response.body
}

function asCutOff(error: unknown, { file, format }: Download): CliError {
  if (error instanceof CliError && !existsSync(partOf(file))) return error
  const hint = format === 'parquet' ? 'Start it again.' : 'Go on with it by the same command with --resume.'
  return new CliError(
    'refused',
    `The export broke off: ${messageOf(error).replace(/\.$/, '')}. ${partOf(file)} has what came. ${hint}`,
    { cause: error },
  )
}
