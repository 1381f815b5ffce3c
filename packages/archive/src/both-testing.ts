import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, after, test } from 'node:test'
import { PostgresServer } from './testing.ts'

let server: Promise<PostgresServer> | undefined

/** The server that all tests of a file share. */
export function sharedPostgres(): Promise<PostgresServer> {
  server ??= PostgresServer.start()
  return server
}

// Here and not where it is started: within a test it would be removed at the end of that test.
after(async () => (await server)?.remove())

/**
 * A test that has to pass with both databases.
 *
 * @param work - is given the place of an archive that does not exist yet
 */
export function testBoth(name: string, work: (t: TestContext, place: string) => Promise<void>): void {
  test(`${name} (SQLite)`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'golem-archive-'))
    t.after(() => rmSync(folder, { recursive: true }))
    await work(t, join(folder, 'data', 'archive.sqlite'))
  })
  test(`${name} (PostgreSQL)`, async (t) => {
    await work(t, await (await sharedPostgres()).database())
  })
}
