import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ERRORS } from '@golem/core'
import { readText } from './tree.ts'

interface Row {
  code: string
  status: number
  effect: string
}

/** The rows `| CODE | status | effect | ... |` of ARCHITECTURE.md. */
function documented(): Row[] {
  return [
    ...readText('ARCHITECTURE.md').matchAll(/^\|\s*`?([A-Z][A-Z_]+)`?\s*\|\s*(\d{3})\s*\|\s*(\w+)\s*\|/gm),
  ].map(([, code = '', status, effect = '']) => ({ code, status: Number(status), effect }))
}

const byCode = (a: Row, b: Row): number => a.code.localeCompare(b.code)

test('ARCHITECTURE.md lists each error code once, with the status and effect it has', () => {
  const defined = Object.entries(ERRORS).map(([code, { status, effect }]) => ({ code, status, effect }))
  assert.deepEqual(documented().sort(byCode), defined.sort(byCode))
})

test('codes that are written in the documents exist', () => {
  for (const path of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md']) {
    const named = [...readText(path).matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, code = '']) => code)
    const unknown = named.filter(
      (code) => !Object.hasOwn(ERRORS, code) && !/^(GOLEM|REDIS|NODE|LISTEN|NOTIFY|WATCHDOG)_/.test(code),
    )
    assert.deepEqual(unknown, [], `${path} names codes that do not exist`)
  }
})
