import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { runCli } from '@golem/cli'
import { ROOT } from '../kit/root.ts'
import { filesBelow, readText } from './tree.ts'

/** What people are told to read and to type. */
const DOCUMENTS = [...filesBelow('.', /^[^/]+\.md$/), 'deploy/README.md']

/** npm's own commands that run a script of that name. */
const SHORT_SCRIPTS = ['start', 'test']

/** The lines of all shell blocks of a document. */
function shellLines(path: string): string[] {
  return [...readText(path).matchAll(/```(?:sh|bash|console)\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block.split('\n'),
  )
}

test('commands of golem that the documents show exist', async () => {
  const shown = DOCUMENTS.flatMap((path) =>
    [
      ...shellLines(path)
        .join('\n')
        .matchAll(/^\s*(?:\$ )?(?:sudo )?(?:\.\/)?golem ([a-z][a-z-]*)/gm),
      ...readText(path).matchAll(/`(?:\.\/)?golem ([a-z][a-z-]*)[^`]*`/g),
    ].map(([, command = '']) => ({ path, command })),
  )
  for (const { path, command } of shown) {
    const errors: string[] = []
    const code = await runCli([command, '--help'], {
      env: {},
      out: () => undefined,
      err: (text) => errors.push(text),
    })
    assert.equal(code, 0, `${path} shows "golem ${command}": ${errors.join(' ')}`)
  }
})

test('npm scripts that the documents show exist', () => {
  const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> }
  for (const path of DOCUMENTS) {
    const text = [
      ...shellLines(path),
      ...[...readText(path).matchAll(/`(npm [^`]+)`/g)].map(([, line = '']) => line),
    ].join('\n')
    const named = [...text.matchAll(/\bnpm (?:run )?([a-z][a-z-]*)/g)]
      .filter(([all, name = '']) => all.startsWith('npm run ') || SHORT_SCRIPTS.includes(name))
      .map(([, name = '']) => name)
    for (const name of named)
      assert.ok(Object.hasOwn(scripts, name), `${path} shows npm script "${name}", which is not there`)
  }
})

test('files that the documents link to exist', () => {
  const missing = DOCUMENTS.flatMap((path) =>
    [...readText(path).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
      .map(([, target = '']) => join(dirname(path), target))
      .filter((target) => !existsSync(join(ROOT, target)))
      .map((target) => `${path}: ${target}`),
  )
  assert.deepEqual(missing, [])
})
