// @ts-check
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { ROOT, readLines, run, say, SetupError, step } from './steps.mjs'

/** Debian packages that hold a server, the smallest first; the first two start no service. */
const REDIS_PACKAGES = ['redis-tools', 'valkey-tools', 'redis-server', 'valkey-server']
const REDIS_PROGRAMS = ['redis-server', 'valkey-server', 'redis-check-rdb', 'valkey-check-rdb']

/**
 * Makes sure of Redis, of socat, and for tests of what test/apt-packages.txt names.
 *
 * @param {string} what - up or test
 * @param {string[]} options - of `golem up`
 */
export async function installPrograms(what, options) {
  if (what === 'test') {
    const wanted = readLines(path.join(ROOT, 'test', 'apt-packages.txt'))
    const missing = missingPackages(['socat', ...wanted])
    const optional = missing.filter((name) => !['socat', ...REDIS_PACKAGES].includes(name))
    if (!hasRedis()) await installRedis(true)
    if (missing.includes('socat') && !onPath(['socat'])) await installSocat(true)
    if (optional.length > 0) await installOptional(optional)
    return
  }
  const site = siteText(options)
  const redisIsNamed = Boolean(process.env.REDIS_URL) || /^redis:/m.test(site)
  if (!redisIsNamed && !hasRedis()) await installRedis(true)
  if (/sim:/.test(site) && !onPath(['socat'])) await installSocat(false)
}

/** @param {boolean} needed */
async function installRedis(needed) {
  for (const name of REDIS_PACKAGES) {
    if ((await aptInstall([name])) === null && hasRedis()) return
  }
  if (needed && !hasRedis()) {
    throw new SetupError(
      'There is no Redis on this machine. Type: sudo apt-get install redis-tools   (or name an existing one: REDIS_URL=redis://host:6379 npm start)',
    )
  }
}

/** @param {boolean} needed */
async function installSocat(needed) {
  if ((await aptInstall(['socat'])) === null) return
  const sentence = 'socat is missing: simulated serial instruments need it. Type: sudo apt-get install socat'
  if (needed) throw new SetupError(sentence)
  say(sentence)
}

/**
 * What single tests need, and are skipped without.
 *
 * @param {string[]} names
 */
async function installOptional(names) {
  const failure = await aptInstall(names)
  if (failure !== null) {
    say(
      `tests that need them will be skipped; to run them all, type: sudo apt-get install ${names.join(' ')}`,
    )
  }
}

/**
 * Installs Debian packages, as root or by sudo when that asks no password.
 *
 * @param {string[]} names
 * @returns {Promise<string | null>} null, or why not
 */
async function aptInstall(names) {
  if (!onPath(['apt-get'])) return 'this is not Debian'
  const isRoot = process.getuid?.() === 0
  if (!isRoot && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status !== 0) return 'not root'
  const apt = ['apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=120']
  const prefix = isRoot ? ['env'] : ['sudo', '-n', 'env']
  const env = ['DEBIAN_FRONTEND=noninteractive']
  const install = [...prefix, ...env, ...apt, 'install', '-y', '--no-install-recommends', ...names]
  let result = { code: 1, output: '' }
  await step(`installing ${names.join(', ')} (apt)`, async () => {
    result = await run(install[0] ?? '', install.slice(1))
    if (result.code === 0) return
    // A fresh machine has no lists yet, an old one has lists of packages that are gone.
    const update = [...prefix, ...env, ...apt, 'update']
    await run(update[0] ?? '', update.slice(1))
    result = await run(install[0] ?? '', install.slice(1))
  })
  return result.code === 0 ? null : result.output
}

/** @param {string[]} names @returns {string[]} those that dpkg does not have installed */
function missingPackages(names) {
  const { stdout, error } = spawnSync('dpkg-query', ['-W', '-f=${Package} ${db:Status-Status}\n', ...names], {
    encoding: 'utf8',
  })
  if (error) return []
  const installed = new Set(
    stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  )
  return [...new Set(names)].filter((name) => !installed.has(name))
}

/** The text of the site file that `up` will use, or what makes it behave like the demo. @param {string[]} options */
function siteText(options) {
  const at = options.indexOf('--site')
  const named = at === -1 ? process.env.GOLEM_SITE : options[at + 1]
  const file = path.resolve(
    named ?? path.join(process.env.GOLEM_INSTANCE ?? path.join(ROOT, 'instance'), 'site.yaml'),
  )
  const isDemo = options.includes('--demo') || !fs.existsSync(file)
  return isDemo ? 'sim:' : fs.readFileSync(file, 'utf8')
}

function hasRedis() {
  return onPath(REDIS_PROGRAMS)
}

/** @param {string[]} programs - is one of them there? */
function onPath(programs) {
  const folders = [
    ...(process.env.PATH ?? '').split(path.delimiter),
    '/usr/local/bin',
    '/usr/bin',
    '/usr/sbin',
  ]
  return programs.some((program) =>
    folders.some((folder) => folder && fs.existsSync(path.join(folder, program))),
  )
}
