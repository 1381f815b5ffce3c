import { messageOf } from '@golem/core'
import { Decrypter, Encrypter } from 'age-encryption'
import { openSync, closeSync, readSync } from 'node:fs'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { BackupError } from './manifest.ts'

/** How a file of age (age-encryption.org) begins: `age --decrypt` opens an encrypted backup, too. */
const AGE = Buffer.from('age-encryption.org/v1\n')

/** Is this file encrypted? */
export function isEncrypted(file: string): boolean {
  const handle = openSync(file, 'r')
  try {
    const begin = Buffer.alloc(AGE.length)
    readSync(handle, begin, 0, AGE.length, 0)
    return begin.equals(AGE)
  } finally {
    closeSync(handle)
  }
}

/** Encrypts a stream with a passphrase. */
export async function encrypted(plain: Readable, passphrase: string): Promise<Readable> {
  const encrypter = new Encrypter()
  encrypter.setPassphrase(passphrase)
  return fromWeb(await encrypter.encrypt(toWeb(plain)))
}

/**
 * Decrypts a stream. What is altered anywhere ends it with an error.
 *
 * @throws BackupError when the passphrase is not the one
 */
export async function decrypted(secret: Readable, passphrase: string): Promise<Readable> {
  const decrypter = new Decrypter()
  decrypter.addPassphrase(passphrase)
  try {
    return fromWeb(await decrypter.decrypt(toWeb(secret)))
  } catch (error) {
    throw new BackupError(
      `It can't be decrypted: another passphrase, or a damaged file (${messageOf(error)}).`,
    )
  }
}

type WebStream = globalThis.ReadableStream<Uint8Array>

function toWeb(stream: Readable): WebStream {
  return Readable.toWeb(stream) as unknown as WebStream
}

function fromWeb(stream: WebStream): Readable {
  return Readable.fromWeb(stream as unknown as ReadableStream)
}
