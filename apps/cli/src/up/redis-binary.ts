import { accessSync, constants } from 'node:fs'
import path from 'node:path'
import type { Environment } from '../context.ts'

/**
 * Names under which the server is found. Debian's redis-tools and valkey-tools hold the server under the
 * name of its checking tool: the same binary is a server when it is started under a server's name.
 */
const NAMES = ['redis-server', 'valkey-server', 'redis-check-rdb', 'valkey-check-rdb']
const FURTHER_FOLDERS = ['/usr/local/bin', '/usr/bin', '/usr/local/sbin', '/usr/sbin']

/** A Redis or Valkey server on this machine. */
export interface RedisBinary {
  file: string
  /** The name it has to be started under. */
  startAs: 'redis-server' | 'valkey-server'
}

/** The Redis (or Valkey) server of this machine, or null when none is installed. */
export function findRedisBinary(env: Environment): RedisBinary | null {
  const folders = [...(env['PATH'] ?? '').split(path.delimiter).filter(Boolean), ...FURTHER_FOLDERS]
  for (const name of NAMES) {
    for (const folder of folders) {
      const file = path.join(folder, name)
      if (isExecutable(file)) {
        return { file, startAs: name.startsWith('valkey') ? 'valkey-server' : 'redis-server' }
      }
    }
  }
  return null
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    // Not there or not ours to run: look further.
    return false
  }
}
