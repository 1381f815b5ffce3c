import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import type { ArgumentDescription, Driver, JsonSchema } from '@golem/core'
import { builtIn } from './registry.ts'

/** Options of the models that can't do without. */
const OPTIONS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  esphome: {
    entities: [
      { parameter: 'pump', domain: 'switch', name: 'Pump' },
      { parameter: 'heat', domain: 'number', name: 'Heat', unit: '%', min: 0, max: 100, safe: 0 },
      { parameter: 'temperature', domain: 'sensor', name: 'Temperature', unit: '°C' },
      { parameter: 'door', domain: 'binary_sensor', name: 'Door' },
      { parameter: 'restart', domain: 'button', name: 'Restart' },
    ],
  },
  grbl: { maxSpindle: 10_000 },
}

/** Outputs that the emergency stop leaves as they are, or reaches through another parameter; each says so in its note. */
const WITHOUT_SAFE_VALUE = new Set([
  'pwm-lamp.channel0',
  'pwm-lamp.channel1',
  'pwm-lamp.channel2',
  'pwm-lamp.channel3',
  'sba5.pump',
  'grbl.x',
  'grbl.y',
  'grbl.z',
  'grbl.spindle',
])
/** Settings: nothing moves or heats by them alone. */
const SETTINGS = new Set([
  'sba5.pumpPower',
  'sba5.zeroEvery',
  'sba5.averagingLimit',
  'grbl.feedOverride',
  'grbl.spindleOverride',
])

for (const model of builtIn) {
  const { id } = model
  const driver: Driver = model.create(OPTIONS[id] ?? {})
  const parameters = Object.entries(driver.parameters)

  test(`${id}: has its own name, a source, a test, and the transport it says`, () => {
    assert.equal(builtIn.filter((other) => other.id === id).length, 1)
    assert.ok(model.source.length > 20)
    assert.ok(model.label && model.kind)
    assert.equal(driver.transport, model.transport)
    assert.ok(existsSync(new URL(`./${id}.test.js`, import.meta.url)))
  })

  test(`${id}: every parameter has a name, a label in its own words, and a unit if it is a number`, () => {
    for (const [name, spec] of parameters) {
      assert.match(name, /^[a-z][A-Za-z0-9]*$/)
      assert.match(spec.label, /^[A-Z]/, name)
      if (spec.type === 'number' || spec.type === 'integer') assert.ok(spec.unit, `${name} has no unit`)
      if (spec.type === 'choice') assert.ok(spec.choices && spec.choices.length > 1, `${name} has no choices`)
    }
    if (driver.uptime !== undefined) assert.ok(driver.parameters[driver.uptime])
  })

  test(`${id}: every output has limits and a safe value, or says why not`, () => {
    for (const [name, spec] of parameters) {
      if (!spec.write) continue
      const full = `${id}.${name}`
      if (spec.type === 'number' || spec.type === 'integer') {
        assert.ok(spec.min !== undefined && spec.max !== undefined, `${full} has no limits`)
      }
      if (SETTINGS.has(full) || spec.type === 'choice') continue
      if (WITHOUT_SAFE_VALUE.has(full)) assert.match(spec.note ?? '', /emergency stop/, full)
      else assert.notEqual(spec.safe, undefined, `${full} has no safe value`)
    }
  })

  test(`${id}: every action has a label, and arguments with labels`, () => {
    for (const [name, action] of Object.entries(driver.actions)) {
      assert.match(action.label, /^[A-Z]/, name)
      const given: Readonly<Record<string, ArgumentDescription>> = action.arguments ?? {}
      for (const { label } of Object.values(given)) assert.match(label, /^[A-Z]/, name)
    }
  })

  test(`${id}: its options refuse unknown keys, on every level`, () => {
    assert.equal(model.optionsSchema['type'], 'object')
    assert.ok(refusesUnknown(model.optionsSchema))
  })

  test(`${id}: two instruments share no state`, () => {
    assert.notEqual(model.create(OPTIONS[id] ?? {}).parameters, driver.parameters)
  })
}

function refusesUnknown(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return true
  if (
    (schema as JsonSchema)['type'] === 'object' &&
    (schema as JsonSchema)['additionalProperties'] !== false
  ) {
    return false
  }
  return Object.values(schema).every(refusesUnknown)
}
