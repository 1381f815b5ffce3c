// @ts-check
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { ROOT, readJson, run, SetupError, sha256, step } from './steps.mjs'

/**
 * Installs the npm packages unless those of the lock file are there.
 *
 * @param {'run' | 'all'} mode - all: also what only tests and checks need
 */
export async function installPackages(mode) {
  const modules = path.join(ROOT, 'node_modules')
  const stampFile = path.join(modules, '.golem-install.json')
  const wanted = sha256(fs.readFileSync(path.join(ROOT, 'package-lock.json')))
  const stamp = readJson(stampFile)
  if (stamp?.lock === wanted && (stamp.mode === 'all' || stamp.mode === mode)) return
  const isThere = fs.existsSync(path.join(modules, '.package-lock.json'))
  if (isThere && mode === 'run' && stamp === null && !isOlder(modules)) return
  if (spawnSync('npm', ['--version'], { stdio: 'ignore' }).status !== 0) {
    throw new SetupError('npm is not installed. Type: sudo apt-get install npm')
  }
  // NODE_ENV=production must not decide: what golem needs to be built stands among its dependencies.
  const which =
    mode === 'all' ? ['--include=dev'] : stamp?.mode === 'all' ? ['--include=dev'] : ['--omit=dev']
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
  // `npm ci` removes everything first; where a golem may be running from it, only what differs is changed.
  const ways = isThere ? [['install', '--no-save'], ['ci']] : [['ci'], ['install', '--no-save']]
  await step('installing npm packages', async () => {
    let failure = ''
    for (const way of ways) {
      const result = await run('npm', [...way, ...which, ...quiet])
      if (result.code === 0) {
        fs.writeFileSync(
          stampFile,
          JSON.stringify({ lock: wanted, mode: which[0] === '--include=dev' ? 'all' : 'run' }),
        )
        return
      }
      failure = result.output
    }
    throw new SetupError(
      `The npm packages could not be installed. Is the network there, and may you write in ${ROOT}? npm said:\n${failure}`,
    )
  })
}

/** @param {string} modules - is what npm noted there older than the lock file? */
function isOlder(modules) {
  const noted = fs.statSync(path.join(modules, '.package-lock.json')).mtimeMs
  return noted < fs.statSync(path.join(ROOT, 'package-lock.json')).mtimeMs
}
