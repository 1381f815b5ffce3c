import { messageOf } from '@golem/core'
import { createHash } from 'node:crypto'
import { closeSync, createReadStream, mkdirSync, openSync, writeSync } from 'node:fs'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { Parser, type ReadEntry } from 'tar'
import { decrypted, isEncrypted } from './encryption.ts'
import { BackupError, MANIFEST, type Manifest, manifestFrom } from './manifest.ts'

/** The longest manifest that is read, in bytes. */
const MANIFEST_MAX = 64 * 1_048_576

/**
 * Reads a backup to its end and compares every byte with what its manifest says.
 *
 * @param passphrase - of an encrypted one
 * @throws BackupError when anything is missing, altered or too much
 */
export function checkBackup(file: string, passphrase: string | null): Promise<Manifest> {
  return readBackup(file, passphrase, null)
}

/**
 * Unpacks a backup into an empty folder, checked as by `checkBackup`.
 *
 * @throws BackupError; what is in the folder then is not to be trusted
 */
export function unpackBackup(file: string, passphrase: string | null, folder: string): Promise<Manifest> {
  return readBackup(file, passphrase, folder)
}

async function readBackup(file: string, passphrase: string | null, folder: string | null): Promise<Manifest> {
  const found = new Map<string, string>()
  let manifest: Manifest | undefined
  const read = (entry: ReadEntry): void => {
    const name = entry.path
    if (!manifest) {
      if (name !== MANIFEST || entry.size > MANIFEST_MAX) {
        throw new BackupError('This is no backup of golem: it does not begin with a manifest.')
      }
      const parts: Buffer[] = []
      entry.on('data', (part: Buffer) => parts.push(part))
      entry.on('end', () => (manifest = manifestFrom(Buffer.concat(parts).toString('utf8'))))
      return
    }
    const expected = Object.hasOwn(manifest.files, name) ? manifest.files[name] : undefined
    if (
      !expected ||
      entry.type !== 'File' ||
      path.posix.normalize(name) !== name ||
      /^(\/|\.\.)/.test(name)
    ) {
      throw new BackupError(`The backup has something that its manifest does not know: ${name}.`)
    }
    const hash = createHash('sha256')
    const handle = folder === null ? null : openNew(path.join(folder, name))
    entry.on('data', (part: Buffer) => {
      hash.update(part)
      if (handle !== null) writeSync(handle, part)
    })
    entry.on('end', () => {
      if (handle !== null) closeSync(handle)
      found.set(name, hash.digest('hex'))
    })
  }
  try {
    await pipeline(
      await contentOf(file, passphrase),
      createGunzip(),
      async (bytes: AsyncIterable<Buffer>) => {
        await parse(bytes, read)
      },
    )
  } catch (error) {
    if (error instanceof BackupError) throw error
    throw new BackupError(`${file} is damaged: ${messageOf(error)}. It was not used.`)
  }
  if (!manifest) throw new BackupError(`${file} is no backup of golem, or is cut short.`)
  const wrong = Object.entries((manifest as Manifest).files).filter(
    ([name, { sha256 }]) => found.get(name) !== sha256,
  )
  if (wrong.length > 0) {
    throw new BackupError(
      `${file} is damaged: ${wrong.length} of its files are missing or altered, e.g. ${wrong[0]?.[0] ?? ''}. It was not used.`,
    )
  }
  return manifest
}

async function contentOf(file: string, passphrase: string | null): Promise<Readable> {
  const stream = createReadStream(file)
  if (!isEncrypted(file)) return stream
  if (passphrase === null) throw new BackupError(`${file} is encrypted: give its passphrase.`)
  return decrypted(stream, passphrase)
}

/** What `read` throws ends it. */
async function parse(bytes: AsyncIterable<Buffer>, read: (entry: ReadEntry) => void): Promise<void> {
  let trouble: Error | undefined
  const parser = new Parser({
    strict: true,
    onReadEntry: (entry) => {
      try {
        read(entry)
      } catch (error) {
        trouble ??= error instanceof Error ? error : new Error(messageOf(error))
        entry.resume()
      }
    },
  })
  const ended = new Promise<void>((resolve, reject) => {
    parser.on('end', resolve)
    parser.on('error', reject)
  })
  // Looked at below; until then its failure is known.
  ended.catch(() => undefined)
  for await (const part of bytes) {
    if (trouble) throw trouble
    if (!parser.write(part))
      await Promise.race([new Promise((resolve) => parser.once('drain', resolve)), ended])
  }
  parser.end()
  await ended
  if (trouble) throw trouble
}

function openNew(file: string): number {
  mkdirSync(path.dirname(file), { recursive: true })
  return openSync(file, 'wx', 0o600)
}
