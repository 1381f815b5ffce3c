// @ts-check
/**
 * From a bare clone to a running golem: installs what is missing, builds what has changed, then goes on in this same
 * process, so that signals reach golem itself.
 *
 *   node deploy/setup.mjs up [options of `golem up`]     npm start
 *   node deploy/setup.mjs test [options of test/run.mjs]  npm test
 *   node deploy/setup.mjs build                           installs and builds only
 *
 * Needs nothing but Node. May be run any number of times, and twice at once: the second waits for the first.
 */
import path from 'node:path'
import { build } from './setup/build.mjs'
import { lock } from './setup/lock.mjs'
import { installPackages } from './setup/packages.mjs'
import { installPrograms } from './setup/programs.mjs'
import { ROOT, SetupError } from './setup/steps.mjs'

const OLDEST_NODE = [20, 19]

/**
 * @param {string[]} argv - words after the file's name
 */
async function main(argv) {
  const [what = 'up', ...rest] = argv
  if (!['up', 'test', 'build'].includes(what)) {
    throw new SetupError(`"${what}" is not known here. Write up, test or build; all else is done by ./golem.`)
  }
  checkNode()
  const unlock = await lock()
  try {
    await installPackages(what === 'test' ? 'all' : 'run')
    await build(what === 'test')
    if (what !== 'build') await installPrograms(what, rest)
  } finally {
    unlock()
  }
  if (what === 'up') {
    const main = path.join(ROOT, 'apps', 'cli', 'dist', 'main.js')
    process.argv = [process.argv[0] ?? 'node', main, 'up', ...rest]
    await import(pathToUrl(main))
  } else if (what === 'test') {
    const { runTests } = await import(pathToUrl(path.join(ROOT, 'test', 'run.mjs')))
    process.exitCode = await runTests(rest)
  }
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return
  throw new SetupError(
    `golem needs Node ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}. Debian 13 has it (apt-get install nodejs npm), for older systems see https://nodejs.org/en/download.`,
  )
}

/** @param {string} file */
function pathToUrl(file) {
  return new URL(`file://${file.split('/').map(encodeURIComponent).join('/')}`).href
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  process.stderr.write(`golem: ${error.message}\n`)
  process.exitCode = 1
}
