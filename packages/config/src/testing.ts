/** For tests: a site file in a folder of its own, and models without a protocol. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HttpDriver, LineDriver, Model } from '@golem/core'
import { loadSite, type LoadSiteOptions } from './load-site.ts'
import { type Fault, SiteFaults } from './site-faults.ts'
import type { Site } from './site.ts'

const acknowledge = async (): Promise<void> => {}

const heaterDriver: HttpDriver = {
  transport: 'http',
  link: { connectTimeoutMs: 1000, replyTimeoutMs: 1000 },
  parameters: {
    power: {
      label: 'Power',
      type: 'number',
      unit: '%',
      min: 0,
      max: 100,
      safe: 0,
      step: 1,
      write: acknowledge,
      timed: { write: acknowledge, minMs: 1_000, maxMs: 60_000 },
    },
    fan: { label: 'Fan', type: 'boolean', safe: false, group: 'Relays', write: acknowledge },
    mode: { label: 'Mode', type: 'choice', choices: ['slow', 'fast'], write: acknowledge },
    temperature: { label: 'Temperature', type: 'number', unit: '°C', decimals: 1 },
    target: { label: 'Target', type: 'number', readable: false, write: acknowledge },
  },
  actions: {
    reset: { label: 'Reset', confirm: true, run: acknowledge },
    blink: {
      label: 'Blink',
      arguments: { times: { label: 'Times', type: 'integer', default: 3 } },
      run: acknowledge,
    },
  },
  identify: acknowledge,
  readAll: async () => ({}),
}

const gaugeDriver: LineDriver = {
  transport: 'line',
  link: { sendTerminator: '\r', receiveTerminator: '\r\n', replyTimeoutMs: 500, quietMs: 100 },
  parameters: { pressure: { label: 'Pressure', type: 'number', unit: 'mbar' } },
  actions: {},
  identify: acknowledge,
  readAll: async () => ({}),
}

/** A heater over HTTP; its option `unlucky: true` makes `create` throw. */
export const heater: Model = {
  id: 'heater',
  label: 'Heater',
  kind: 'heater',
  source: 'invented for tests',
  transport: 'http',
  optionsSchema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      channels: { type: 'integer', minimum: 1, description: 'how many channels it has' },
      unlucky: { type: 'boolean' },
    },
  },
  create: (options) => {
    if (options['unlucky'] === true) throw new Error('no luck.')
    return heaterDriver
  },
}

/** A gauge on a line. */
export const gauge: Model = {
  id: 'gauge',
  label: 'Gauge',
  kind: 'gauge',
  source: 'invented for tests',
  transport: 'line',
  optionsSchema: { type: 'object', additionalProperties: false },
  create: () => gaugeDriver,
}

export const models: ReadonlyMap<string, Model> = new Map([heater, gauge].map((model) => [model.id, model]))

/** Runs something in a new folder, which is removed afterwards. */
export function inFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'golem-config-'))
  try {
    return use(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Loads a site from text or bytes; the environment is empty unless `options` has one. */
export function loadText(content: string | Uint8Array, options: LoadSiteOptions = {}): Site {
  return inFolder((folder) => {
    const file = join(folder, 'site.yaml')
    writeFileSync(file, content)
    return loadSite(file, { env: {}, ...options })
  })
}

/** The faults of a site, in the order of its lines; none when it loads. */
export function faultsOf(content: string | Uint8Array, options: LoadSiteOptions = {}): readonly Fault[] {
  try {
    loadText(content, options)
    return []
  } catch (error) {
    if (error instanceof SiteFaults) return error.faults
    throw error
  }
}
