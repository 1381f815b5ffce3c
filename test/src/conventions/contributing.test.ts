import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { runCli } from '@golem/cli'
import { ROOT } from '../kit/root.ts'
import { makeTempDir } from '../kit/temp.ts'
import { readText } from './tree.ts'

/** A fenced block: a file to write, a change to make, or commands to type with what they print. */
interface Block {
  language: string
  text: string
}

/** The walk-throughs of CONTRIBUTING.md: the sections below "Add an instrument" that have blocks. */
function walkThroughs(): { title: string; blocks: Block[] }[] {
  const [, chapter = ''] =
    /^## Add an instrument\n([\s\S]*?)(?=^## )/m.exec(readText('CONTRIBUTING.md')) ?? []
  return chapter
    .split(/^### /m)
    .slice(1)
    .map((section) => ({
      title: section.split('\n', 1)[0] ?? '',
      blocks: [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
        language,
        text,
      })),
    }))
}

/** A file whose first line names it, in a comment. */
function writeNamed(folder: string, { text }: Block): void {
  const [, name = ''] = /^(?:#|\/\/) (\S+)\n/.exec(text) ?? []
  assert.match(
    name,
    /^(?:instance|packages)\//,
    `the first line of a block names its file: ${text.slice(0, 60)}`,
  )
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  writeFileSync(join(folder, name), text)
}

/** Replaces lines that begin as the `-` lines do by the `+` lines; what follows that beginning stays. */
function change(folder: string, { text }: Block): void {
  const [head = '', ...lines] = text.trimEnd().split('\n')
  const file = join(folder, head.replace(/^--- /, ''))
  let content = readFileSync(file, 'utf8')
  for (let n = 0; n < lines.length;) {
    const removed = (lines[n] ?? '').slice(1)
    const added: string[] = []
    for (n += 1; lines[n]?.startsWith('+'); n += 1) added.push((lines[n] ?? '').slice(1))
    const at = `\n${content}`.indexOf(`\n${removed}`)
    assert.ok(at >= 0, `${head} has no line that begins with "${removed}"`)
    content = content.slice(0, at) + added.join('\n') + content.slice(at + removed.length)
  }
  writeFileSync(file, content)
}

/** Types the lines after `$` one after the other, and compares what is printed. */
async function type(folder: string, { text }: Block): Promise<void> {
  for (const [, command = '', printed = ''] of text.matchAll(/^\$ (.+)\n((?:(?!\$ ).*\n)*)/gm)) {
    assert.equal(comparable(await run(folder, command)), comparable(printed), `$ ${command}`)
  }
}

/** What is printed, but for how long something took. */
function comparable(printed: string): string {
  return printed.trim().replaceAll(/\d+ ms\b/g, 'some ms')
}

async function run(folder: string, command: string): Promise<string> {
  const [program = '', ...args] = command.split(' ')
  if (program === 'golem') {
    const lines: string[] = []
    const print = (line: string): void => void lines.push(line)
    await runCli(args, { env: {}, cwd: folder, out: print, err: print })
    return lines.join('\n')
  }
  const [file, rest] =
    program === 'npx'
      ? [join(ROOT, 'node_modules', '.bin', args[0] ?? ''), args.slice(1)]
      : [process.execPath, args]
  return new Promise((resolve) => {
    const env = { ...process.env }
    // Otherwise the tests that are typed report to this one.
    delete env['NODE_TEST_CONTEXT']
    execFile(file, rest, { cwd: folder, env }, (error, stdout, stderr) =>
      resolve(stdout + (error ? stderr : '')),
    )
  })
}

/** So much of the project that a built-in driver can be compiled and tested there. */
function copyProject(folder: string): void {
  cpSync(join(ROOT, 'tsconfig.base.json'), join(folder, 'tsconfig.base.json'))
  mkdirSync(join(folder, 'test'))
  for (const name of readdirSync(join(ROOT, 'test')).filter((each) => each.endsWith('.mjs'))) {
    cpSync(join(ROOT, 'test', name), join(folder, 'test', name))
  }
  mkdirSync(join(folder, 'apps'))
  for (const name of readdirSync(join(ROOT, 'packages'))) {
    const place = join(ROOT, 'packages', name)
    if (existsSync(join(place, 'dist'))) {
      cpSync(place, join(folder, 'packages', name), { recursive: true, preserveTimestamps: true })
    }
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
}

function folderFor(t: TestContext, blocks: readonly Block[]): string {
  const dir = makeTempDir('golem-walk')
  t.after(() => dir.remove())
  if (blocks.some(({ text }) => text.startsWith('// packages/'))) copyProject(dir.path)
  return dir.path
}

for (const { title, blocks } of walkThroughs()) {
  test(`CONTRIBUTING, "${title}": what it says works word for word`, { timeout: 120_000 }, async (t) => {
    const folder = folderFor(t, blocks)
    assert.ok(
      blocks.some(({ language }) => language === 'console'),
      'it ends with commands to type',
    )
    for (const block of blocks) {
      if (block.language === 'console') await type(folder, block)
      else if (block.language === 'diff') change(folder, block)
      else writeNamed(folder, block)
    }
  })
}

test('CONTRIBUTING walks through each kind of instrument', () => {
  const titles = walkThroughs().map(({ title }) => title)
  for (const kind of [/^Lines/, /^Modbus/, /^MQTT/, /stream/, /TypeScript/, /built-in/]) {
    assert.ok(
      titles.some((title) => kind.test(title)),
      `${String(kind)} is not there`,
    )
  }
})
