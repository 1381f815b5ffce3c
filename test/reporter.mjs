/**
 * A node:test reporter for run.mjs: one JSON line per ended test on file descriptor 3, nothing on stdout, so that
 * what the code under test prints can't be taken for a result.
 */
import { writeSync } from 'node:fs'
import { inspect } from 'node:util'

const RESULTS = 3

/** @param {AsyncIterable<{ type: string, data: any }>} events - as node:test gives them to a reporter */
export default async function* report(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const error = data.details?.error
    const result = {
      ok: type === 'test:pass',
      suite: data.details?.type === 'suite',
      name: data.name,
      nesting: data.nesting,
      ms: data.details?.duration_ms ?? 0,
      skip: data.skip ?? data.todo ?? false,
      // A parent fails because its child did: the child's line says why.
      inherited: error?.failureType === 'subtestsFailed',
      error: error === undefined ? '' : inspect(error.cause ?? error, { depth: 4, colors: false }),
    }
    writeSync(RESULTS, `${JSON.stringify(result)}\n`)
  }
  yield ''
}
