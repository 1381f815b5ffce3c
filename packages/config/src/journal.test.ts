import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const MODULE = JSON.stringify(new URL('journal.js', import.meta.url).href)
/** As pino does it: the level first, then the line. */
const PROGRAM = `
import { writeSync } from 'node:fs'
import { withPriorities } from ${MODULE}
const log = withPriorities({ write: (line) => writeSync(1, line) })
for (const level of [20, 30, 40, 50, 60]) {
  log.lastLevel = level
  log.write(JSON.stringify({ level }) + '\\n')
}
`

/** What a process writes whose output is the file that JOURNAL_STREAM names, or another. */
function written(isJournal: boolean): string {
  const dir = mkdtempSync(join(tmpdir(), 'golem-journal-'))
  const file = openSync(join(dir, 'out'), 'w')
  try {
    const { dev, ino } = fstatSync(file)
    execFileSync(process.execPath, ['--input-type=module', '-e', PROGRAM], {
      env: { ...process.env, JOURNAL_STREAM: isJournal ? `${dev}:${ino}` : `${dev}:1` },
      stdio: ['ignore', file, 'inherit'],
    })
    return readFileSync(join(dir, 'out'), 'utf8')
  } finally {
    closeSync(file)
    rmSync(dir, { recursive: true })
  }
}

test('where the journal reads, each line has its priority in front', () => {
  assert.equal(
    written(true),
    '<7>{"level":20}\n<6>{"level":30}\n<4>{"level":40}\n<3>{"level":50}\n<2>{"level":60}\n',
  )
})

test('everywhere else lines are plain JSON, also when the variable was inherited', () => {
  assert.equal(written(false), '{"level":20}\n{"level":30}\n{"level":40}\n{"level":50}\n{"level":60}\n')
})
