// @ts-check
import fs from 'node:fs'
import path from 'node:path'
import { fingerprint, ROOT, readJson, run, SetupError, step } from './steps.mjs'

/**
 * Builds what has changed since the last build.
 *
 * @param {boolean} withTests
 */
export async function build(withTests) {
  const stampFile = path.join(ROOT, 'node_modules', '.golem-build.json')
  const before = readJson(stampFile) ?? {}
  const projects = ['packages', 'apps'].flatMap((group) =>
    fs.readdirSync(path.join(ROOT, group)).map((name) => path.join(ROOT, group, name)),
  )
  const common = ['package-lock.json', 'tsconfig.base.json', 'tsconfig.json'].map((file) =>
    path.join(ROOT, file),
  )
  const code = fingerprint([...common, ...projects])
  const test = withTests ? fingerprint([path.join(ROOT, 'test')]) : before.test
  const dashboard = path.join(ROOT, 'apps', 'dashboard')
  const page = fingerprint([...common, dashboard, path.join(ROOT, 'packages', 'core')])
  const now = { ...before }
  const compiled = ['cli', 'web', 'worker', 'scheduler', 'archiver', 'simulator'].map((app) =>
    path.join(ROOT, 'apps', app, 'dist', 'main.js'),
  )
  const node = process.execPath

  if (before.code !== code || !compiled.every((file) => fs.existsSync(file))) {
    await compile('compiling', [node, path.join('node_modules', 'typescript', 'bin', 'tsc'), '-b'])
    now.code = code
  }
  if (withTests && (before.test !== test || now.code !== before.code)) {
    await compile('compiling the tests', [
      node,
      path.join('node_modules', 'typescript', 'bin', 'tsc'),
      '-b',
      'test',
    ])
    now.test = test
  }
  if (before.page !== page || !fs.existsSync(path.join(dashboard, 'dist', 'index.html'))) {
    const vite = path.join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js')
    await compile('building the page', [node, vite, 'build', '--logLevel', 'warn'], dashboard)
    now.page = page
  }
  if (JSON.stringify(now) !== JSON.stringify(before)) fs.writeFileSync(stampFile, JSON.stringify(now))
}

/**
 * @param {string} what
 * @param {string[]} command
 * @param {string} [cwd]
 */
async function compile(what, [file = '', ...args], cwd = ROOT) {
  await step(what, async () => {
    const { code, output } = await run(file, args, cwd)
    if (code !== 0) throw new SetupError(`${what} failed:\n${output}`)
  })
}
