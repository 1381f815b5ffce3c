import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { rigFor } from '@golem/conformance'
import { loadModels } from '@golem/drivers'
import { ROOT } from '../kit/root.ts'
import { SHIPPED } from '../kit/shipped-models.ts'
import { makeTempDir } from '../kit/temp.ts'

const empty = makeTempDir()
after(() => empty.remove())

test('every model that golem ships is tried, and none is missing', async () => {
  const { models, faults } = await loadModels(empty.path)
  assert.deepEqual(faults, [])
  assert.deepEqual([...models.keys()].toSorted(), Object.values(SHIPPED).flat().toSorted())
  for (const model of models.values()) assert.equal(rigFor(model).model.id, model.id)
})

test('each group of models has its file', () => {
  const without = Object.keys(SHIPPED).filter(
    (group) => !existsSync(join(ROOT, 'test/src/e2e', `conformance-${group}.test.ts`)),
  )
  assert.deepEqual(without, [])
})
