import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { test } from 'node:test'
import { type ImportLine, importsOf, packageOf, withoutComments } from './imports.ts'
import { type SourceFile, sourceFiles } from './tree.ts'

/** Which packages of ours a workspace may import; `lazy`: only by `import()`; `tests`: also in its tests. */
const ALLOWED: Record<string, { always: string[]; lazy?: string[]; tests?: string[] }> = {
  'packages/core': { always: [] },
  'packages/calibration': { always: ['core'] },
  'packages/config': { always: ['core', 'calibration'] },
  'packages/transports': { always: ['core'] },
  'packages/logs': { always: ['core'] },
  'packages/queue': { always: ['core'] },
  'packages/recipes': { always: ['core', 'config'] },
  'packages/backup': { always: ['core', 'archive', 'config', 'queue'] },
  'packages/alarms': { always: ['core'] },
  'packages/archive': { always: ['core'] },
  'packages/discovery': { always: ['core', 'transports'] },
  'packages/gateway': { always: ['core', 'config', 'transports'] },
  'packages/drivers': { always: ['core', 'config'], tests: ['transports'] },
  'packages/conformance': { always: ['core', 'config', 'drivers', 'transports', 'simulator'] },
  'apps/web': { always: ['core', 'archive', 'calibration', 'config', 'logs', 'queue', 'recipes'] },
  'apps/archiver': { always: ['core', 'archive', 'backup', 'config', 'queue'] },
  'apps/worker': {
    always: ['core', 'calibration', 'config', 'queue', 'drivers', 'transports', 'gateway'],
    lazy: ['discovery'],
  },
  'apps/scheduler': {
    always: ['core', 'calibration', 'config', 'queue', 'recipes', 'alarms'],
    lazy: ['drivers'],
  },
  'apps/cli': {
    always: ['core', 'config'],
    lazy: [
      'backup',
      'archive',
      'conformance',
      'discovery',
      'queue',
      'drivers',
      'gateway',
      'recipes',
      'scheduler',
    ],
  },
  'apps/dashboard': { always: ['core'] },
  'apps/simulator': { always: ['core'], lazy: ['drivers'] },
}

/** Packages of others that have one home. */
const HOMES: Record<string, string[]> = {
  bullmq: ['packages/queue'],
  ioredis: ['packages/queue'],
  serialport: ['packages/transports'],
  mqtt: ['packages/transports', 'apps/simulator'],
  aedes: ['apps/simulator'],
  'eventsource-parser': ['packages/transports'],
  '@photostructure/sqlite': ['packages/archive'],
  pg: ['packages/archive'],
  'temporal-polyfill': ['packages/recipes'],
  fastify: ['apps/web'],
  ws: ['apps/web'],
  preact: ['apps/dashboard'],
}

/** The measurements compare golem with what lies under it. */
const isMeasurement = (file: SourceFile): boolean => file.path.startsWith('test/src/bench/')

const imports = (file: SourceFile): (ImportLine & { pkg: string | null })[] =>
  importsOf(file.text).map((line) => ({ ...line, pkg: packageOf(line.from) }))

function faultsIn(check: (file: SourceFile) => string[]): string[] {
  return sourceFiles().flatMap((file) => check(file).map((fault) => `${file.path}: ${fault}`))
}

test('packages of ours are imported in the permitted direction only', () => {
  const faults = faultsIn((file) => {
    const rule = ALLOWED[file.workspace]
    if (!rule) return file.workspace === 'test' ? [] : [`${file.workspace} has no import rule`]
    return imports(file).flatMap(({ from, pkg, kind }) => {
      if (!pkg?.startsWith('@golem/')) return []
      const name = pkg.slice('@golem/'.length)
      const allowed =
        rule.always.includes(name) ||
        (kind !== 'static' && rule.lazy?.includes(name)) ||
        (file.isTest && (rule.lazy?.includes(name) || rule.tests?.includes(name)))
      return allowed ? [] : [`imports ${from} (${kind})`]
    })
  })
  assert.deepEqual(faults, [])
})

test('packages of ours are imported by their front door (tests also by /testing), and files by their place in the same package', () => {
  const faults = faultsIn((file) =>
    imports(file).flatMap(({ from, pkg }) => {
      // `@golem/x/testing` is the second front door of some packages: what tests of others need of them.
      const isDoor = from === pkg || (file.isTest && from === `${pkg}/testing`)
      if (pkg?.startsWith('@golem/')) return isDoor ? [] : [`imports ${from}, a file inside ${pkg}`]
      if (pkg !== null) return []
      const place = posix.join(posix.dirname(file.path), from)
      return place.startsWith(`${file.workspace}/`) ? [] : [`imports ${from}, outside its package`]
    }),
  )
  assert.deepEqual(faults, [])
})

test('core has no I/O: it imports nothing of Node', () => {
  const faults = faultsIn((file) =>
    file.workspace !== 'packages/core' || file.isTest
      ? []
      : imports(file).flatMap(({ from, pkg }) => (pkg === null ? [] : [`imports ${from}`])),
  )
  assert.deepEqual(faults, [])
})

test('only packages/queue imports BullMQ and Redis, only transports the serial port, only web its server', () => {
  const faults = faultsIn((file) =>
    imports(file).flatMap(({ pkg }) => {
      const homes = pkg === null ? undefined : HOMES[pkg]
      return !homes || homes.includes(file.workspace) || isMeasurement(file) ? [] : [`imports ${pkg}`]
    }),
  )
  assert.deepEqual(faults, [])
})

test('Redis scripts and key names are written in packages/queue only', () => {
  const faults = faultsIn((file) =>
    file.workspace === 'packages/queue' || file.isTest
      ? []
      : [
          ...withoutComments(file.text).matchAll(
            /\b(?:KEYS|ARGV)\[\d\]|\.defineCommand\(|\.eval(?:sha)?\(|`\{golem:/g,
          ),
        ].map(([what]) => `has ${what}`),
  )
  assert.deepEqual(faults, [])
})

test('the environment is read in packages/config and the mains only', () => {
  const faults = faultsIn((file) =>
    file.workspace === 'packages/config' || file.path.endsWith('/main.ts') || file.isTest
      ? []
      : /\bprocess\s*\.\s*env\b/.test(withoutComments(file.text))
        ? ['reads process.env']
        : [],
  )
  assert.deepEqual(faults, [])
})
