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
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const OLDEST_NODE = [20, 19]
/** Debian packages that hold a server, the smallest first; the first two start no service. */
const REDIS_PACKAGES = ['redis-tools', 'valkey-tools', 'redis-server', 'valkey-server']
const REDIS_PROGRAMS = ['redis-server', 'valkey-server', 'redis-check-rdb', 'valkey-check-rdb']
const LAST_LINES = 40

/** Something went wrong that the user can do something about. */
class SetupError extends Error {}

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

/**
 * Holds the clone for this process; waits while another one does.
 *
 * The lock is a listening abstract socket (Linux): it goes when its process goes, however that ends.
 *
 * @returns {Promise<() => void>} lets it go
 */
async function lock() {
  if (process.platform !== 'linux') return () => undefined
  const name = `\0golem-setup-${sha256(fs.realpathSync(ROOT)).slice(0, 32)}`
  for (let told = false; ; told = true) {
    const release = await listen(name)
    if (release) return release
    if (!told) say('waiting for another setup of this clone to end')
    await untilClosed(name)
  }
}

/**
 * @param {string} name
 * @returns {Promise<(() => void) | null>} lets it go; null when another process has it
 */
function listen(name) {
  return new Promise((resolve, reject) => {
    /** @type {Set<import('node:net').Socket>} */
    const waiting = new Set()
    const server = net.createServer((socket) => {
      waiting.add(socket)
      // Whoever waits may be killed: no news.
      socket.on('error', () => undefined).on('close', () => waiting.delete(socket))
    })
    const release = () => {
      server.close()
      for (const socket of waiting) socket.destroy()
    }
    server.once('error', (/** @type {Error & { code?: string }} */ error) => {
      if (error.code === 'EADDRINUSE') resolve(null)
      else reject(error)
    })
    server.listen(name, () => {
      server.unref()
      resolve(release)
    })
  })
}

/** @param {string} name @returns {Promise<void>} */
function untilClosed(name) {
  return new Promise((resolve) => {
    const socket = net.connect(name)
    // Refused or reset: it is just being let go; the next try to listen tells.
    socket.on('error', () => undefined)
    socket.on('close', () => setTimeout(resolve, 50))
    socket.resume()
  })
}

/**
 * Installs the npm packages unless those of the lock file are there.
 *
 * @param {'run' | 'all'} mode - all: also what only tests and checks need
 */
async function installPackages(mode) {
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

/**
 * Builds what has changed since the last build.
 *
 * @param {boolean} withTests
 */
async function build(withTests) {
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

/**
 * Makes sure of Redis, of socat, and for tests of what test/apt-packages.txt names.
 *
 * @param {string} what - up or test
 * @param {string[]} options - of `golem up`
 */
async function installPrograms(what, options) {
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

/**
 * Runs a program and keeps its last lines.
 *
 * @param {string} file
 * @param {string[]} args
 * @param {string} [cwd]
 * @returns {Promise<{ code: number, output: string }>}
 */
function run(file, args, cwd = ROOT) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output = (output + text).slice(-100_000)
      })
    }
    child.once('error', (error) => resolve({ code: 1, output: error.message }))
    child.once('close', (code) => {
      resolve({ code: code ?? 1, output: output.trimEnd().split('\n').slice(-LAST_LINES).join('\n') })
    })
  })
}

/**
 * Does one long step and shows that it is going on: live on a terminal, by one line elsewhere.
 *
 * @param {string} what
 * @param {() => Promise<void>} work
 */
async function step(what, work) {
  const begun = performance.now()
  const elapsed = () => `${((performance.now() - begun) / 1000).toFixed(1)} s`
  const isTerminal = process.stdout.isTTY === true
  const draw = () => process.stdout.write(`\rgolem: ${what} … ${elapsed()} `)
  if (isTerminal) draw()
  const timer = setInterval(
    () => (isTerminal ? draw() : say(`${what} … ${elapsed()}`)),
    isTerminal ? 200 : 10_000,
  )
  let word = 'failed after'
  try {
    await work()
    word = 'done in'
  } finally {
    clearInterval(timer)
    if (isTerminal) process.stdout.write('\r\u001b[K')
    say(`${what}: ${word} ${elapsed()}`)
  }
}

/** @param {string} sentence */
function say(sentence) {
  process.stdout.write(`golem: ${sentence}\n`)
}

/**
 * One value for a set of files: changes when one of them changes in size or time, comes or goes.
 *
 * @param {string[]} places - files, or folders without what is built there
 */
function fingerprint(places) {
  const hash = createHash('sha256')
  /** @param {string} place */
  const take = (place) => {
    const stat = fs.statSync(place, { throwIfNoEntry: false })
    if (!stat) return
    if (stat.isDirectory()) {
      for (const name of fs.readdirSync(place).sort()) {
        if (!['dist', 'node_modules', 'results'].includes(name)) take(path.join(place, name))
      }
    } else hash.update(`${path.relative(ROOT, place)} ${stat.size} ${stat.mtimeMs}\n`)
  }
  for (const place of places) take(place)
  return hash.digest('hex')
}

/** @param {string} file @returns {string[]} its lines without comments */
function readLines(file) {
  if (!fs.existsSync(file)) return []
  return fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '')
}

/** @param {string} file @returns {any} its content, or null when it is not there or cut short */
function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'))
  } catch {
    // A stamp that cannot be read only means that the work is done once more.
    return null
  }
}

/** @param {import('node:crypto').BinaryLike} content */
function sha256(content) {
  return createHash('sha256').update(content).digest('hex')
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
