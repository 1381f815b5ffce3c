import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadSite, siteSchema } from '@golem/config'
import { builtIn, loadModels, modelSchema } from '@golem/drivers'
import { join } from 'node:path'
import { ROOT } from '../kit/root.ts'
import { filesBelow, readText } from './tree.ts'

for (const file of filesBelow('instance', /^(?!site\.yaml$)[^/]+\.yaml$/)) {
  test(`${file} loads with the models that ship`, async () => {
    const { models, faults } = await loadModels(join(ROOT, 'instance'))
    assert.deepEqual(faults, [])
    const site = loadSite(join(ROOT, file), { models, env: {} })
    assert.ok(site.instruments.length > 0)
  })
}

test('the schema that editors get is the one golem checks with', () => {
  assert.deepEqual(JSON.parse(readText('instance/site.schema.json')), JSON.parse(JSON.stringify(siteSchema)))
})

test('the schema that editors get for models is the one golem checks with', () => {
  assert.deepEqual(
    JSON.parse(readText('instance/model.schema.json')),
    JSON.parse(JSON.stringify(modelSchema())),
    'run: npm run build && npm run schema --workspace @golem/drivers',
  )
})

test('each shipped model names its schema for editors', () => {
  const without = filesBelow('packages/drivers/models', /\.yaml$/).filter(
    (file) =>
      readText(file).split('\n')[0] !== '# yaml-language-server: $schema=../../../instance/model.schema.json',
  )
  assert.deepEqual(without, [])
})

test('each model says where its protocol is written down', async () => {
  const { models } = await loadModels(join(ROOT, 'instance'))
  const without = [...models.values()].filter(({ source }) => source.trim() === '').map(({ id }) => id)
  assert.deepEqual(without, [])
})

test('each built-in model has a test beside its driver', () => {
  const tests = filesBelow('packages/drivers/src', /\.test\.ts$/)
  const without = builtIn.filter(({ id }) => !tests.some((file) => file.includes(`/${id}`)))
  assert.deepEqual(without, [])
})
