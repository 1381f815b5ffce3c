import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { recipeOf, stage } from '../engine/testing.ts'
import { describeRecipe, link, loadRecipes, readRecipeText, recipeSchema, SHIPPED_RECIPES } from './index.ts'

const INSTANCE = new URL('../../../../instance/', import.meta.url)

test('the schema for editors is up to date (npm run schema --workspace @golem/recipes)', () => {
  assert.deepEqual(
    JSON.parse(readFileSync(new URL('recipe.schema.json', INSTANCE), 'utf8')),
    JSON.parse(JSON.stringify(recipeSchema())),
  )
})

test('every recipe that ships is without fault and names its schema for editors', () => {
  const { recipes, faults } = loadRecipes([SHIPPED_RECIPES])
  assert.deepEqual(faults, [])
  for (const recipe of recipes.values()) assert.deepEqual(link(recipe, { recipes }).faults, [])
  const without = [...recipes.values()].filter(
    ({ file }) =>
      readFileSync(file, 'utf8').split('\n')[0] !==
      '# yaml-language-server: $schema=../../../instance/recipe.schema.json',
  )
  assert.deepEqual(without, [])
})

test("a site's recipe replaces one that ships, and a faulty one is shown with its faults", () => {
  const folder = mkdtempSync(join(tmpdir(), 'golem-recipes-'))
  try {
    const [shipped, own] = ['a', 'b'].map((name) => mkdtempSync(join(folder, name)))
    writeFileSync(join(shipped ?? '', 'one.yaml'), stage('- wait: 1 s'))
    writeFileSync(join(shipped ?? '', 'two.yaml'), stage('- wait: 1 s'))
    writeFileSync(join(own ?? '', 'one.yaml'), stage('- wait: 2 s').replace('Test', 'Mine'))
    writeFileSync(join(own ?? '', 'bad.yaml'), stage('- wait: soon'))
    const { recipes, read, faults } = loadRecipes([shipped ?? '', own ?? '', join(folder, 'none')])
    assert.deepEqual([...recipes.keys()], ['one', 'two'])
    assert.equal(recipes.get('one')?.label, 'Mine')
    assert.equal(faults.length, 1)
    const bad = read.find(({ id }) => id === 'bad')
    assert.ok(bad)
    assert.match(describeRecipe(bad, recipes).faults[0] ?? '', /bad\.yaml:6:15 .*a time with its unit/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a description has what pages and programs need', () => {
  const text = stage(
    '- set: { pump.on: true }\n- until: { reading: co2.co2, below: 5, timeout: 1 s }',
    'note: For tests.\nparameters: { t: { type: duration, label: T, default: 5 s, max: 1 min } }',
  )
  assert.deepEqual(describeRecipe(readRecipeText('air.yaml', text), new Map()), {
    id: 'air',
    label: 'Test',
    note: 'For tests.',
    parameters: { t: { type: 'duration', label: 'T', default: 5000, max: 60_000 } },
    roles: {},
    stages: ['all'],
    commands: ['pump'],
    reads: ['co2'],
    kind: 'yaml',
    faults: [],
  })
  const recipe = recipeOf(stage('- call: { recipe: gone }'))
  const faulty = describeRecipe({ id: 'x', recipe, faults: [] }, new Map())
  assert.match(faulty.faults[0] ?? '', /no recipe without faults "gone"/)
})
