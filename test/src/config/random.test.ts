import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { loadSite, SiteFaults, siteSchema } from '@golem/config'
import { faultsOf, inFolder, models } from '@golem/config/testing'

/** Loads many contents; whatever is thrown has to be SiteFaults with places inside a file. */
function neverThrowsAnythingElse(contents: fc.Arbitrary<string | Uint8Array>, numRuns: number): void {
  inFolder((folder) => {
    const file = join(folder, 'site.yaml')
    const loads = (content: string | Uint8Array): void => {
      writeFileSync(file, content)
      try {
        loadSite(file, { models, simulated: {}, env: {} })
      } catch (error) {
        assert.ok(error instanceof SiteFaults, String(error))
        assert.ok(error.faults.length > 0)
        assert.ok(error.faults.every(({ line, column }) => line >= 1 && column >= 1))
      }
    }
    fc.assert(fc.property(contents, loads), { numRuns })
  })
}

/** Every key the schema knows, so that random tables get past the first check. */
const KEYS: string[] = []
JSON.stringify(siteSchema, (key, value: unknown) => {
  if (key === 'properties') KEYS.push(...Object.keys(value as object))
  return value
})

const key = fc.oneof(
  fc.constantFrom(...KEYS, 'power', 'fan', '__proto__', 'constructor', 'a/b', 'a~b'),
  fc.string({ maxLength: 5 }),
)
const leaf = fc.oneof(
  fc.constantFrom(
    'heater',
    'http://a',
    'serial:/dev/%zz',
    'sim:x',
    'none',
    '1 s',
    'redis://a',
    'safe',
    'lab',
  ),
  fc.string({ maxLength: 8 }),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
)
const tree = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5 },
    leaf,
    fc.array(tie('node'), { maxLength: 4 }),
    fc.dictionary(key, tie('node'), { maxKeys: 6, noNullPrototype: true }),
  ),
})).node

test('random text never throws anything but SiteFaults', () => {
  neverThrowsAnythingElse(fc.string({ unit: 'binary', maxLength: 200 }), 300)
})

test('random bytes never throw anything but SiteFaults', () => {
  neverThrowsAnythingElse(fc.uint8Array({ maxLength: 200 }), 200)
})

test('random YAML punctuation never throws anything but SiteFaults', () => {
  const piece = fc.constantFrom(
    '- ',
    ': ',
    '? ',
    '\n',
    '  ',
    '&a ',
    '*a',
    '!t ',
    '"',
    "'",
    '{',
    '}',
    '[',
    ']',
    ', ',
    '|',
    '>',
    '#',
    '---',
    '<<',
    'site',
    'instruments',
    '%',
  )
  neverThrowsAnythingElse(
    fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
    500,
  )
})

test('random tables with the right keys never throw anything but SiteFaults', () => {
  const document = fc.record({
    site: tree,
    instruments: fc.array(tree, { maxLength: 3 }),
    auth: tree,
    web: tree,
  })
  neverThrowsAnythingElse(
    document.map((data) => stringify(data)),
    500,
  )
})

test('random instruments never throw anything but SiteFaults', () => {
  const instrument = fc.record(
    {
      id: fc.constantFrom('a', 'b'),
      model: fc.constantFrom('heater', 'gauge', 'x'),
      address: fc.constantFrom('http://a', 'tcp://a:1', 'serial:/dev/x', 'sim:x', 'nonsense'),
      options: fc.dictionary(fc.constantFrom('channels', 'unlucky', '__proto__'), leaf),
      parameters: fc.dictionary(
        fc.constantFrom('power', 'fan', 'mode', 'temperature', 'target', 'constructor'),
        fc.dictionary(fc.constantFrom('min', 'max', 'safe', 'decimals', 'pollEvery', 'hidden'), leaf),
      ),
      auth: tree,
    },
    { requiredKeys: ['id', 'model', 'address'] },
  )
  neverThrowsAnythingElse(
    fc.array(instrument, { maxLength: 4 }).map((instruments) => stringify({ site: 'lab', instruments })),
    500,
  )
})

test('limits within the model load, limits outside it do not', () => {
  const limit = fc.integer({ min: -50, max: 150 })
  fc.assert(
    fc.property(limit, limit, (min, max) => {
      const text = `site: lab
instruments:
  - { id: a, model: heater, address: http://a, parameters: { power: { min: ${min}, max: ${max}, safe: null } } }
`
      const right = min >= 0 && max <= 100 && min <= max
      assert.equal(faultsOf(text, { models }).length === 0, right)
    }),
  )
})
