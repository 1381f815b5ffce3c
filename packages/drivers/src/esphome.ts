import {
  type ActionSpec,
  type Fault,
  fault,
  isFault,
  GolemError,
  type HttpDriver,
  type HttpIo,
  type Model,
  type ParameterSpec,
  type Value,
} from '@golem/core'
import { type Domain, type Entity, EspHomeEntities } from './esphome-entities.ts'
import { identifyBy, jsonObject, shown } from './http-reply.ts'

interface EspHomeOptions {
  entities: readonly Entity[]
  events?: boolean
}

/** An action is carried out after its answer; how often and how long it is looked for, in ms. */
const LOOK_EVERY_MS = 100
const LOOKS = 10

const NOTHING: ReadonlySet<string> = new Set()

/** A board pings every 10 s; after so much silence its entities are asked by themselves again, in ms. */
const FRESH_MS = 12_000
/** After so much silence the event stream is dead, in ms. */
const SILENCE_MS = 30_000

const DOMAINS: readonly Domain[] = ['switch', 'sensor', 'number', 'binary_sensor', 'button']

/** Any board with ESPHome firmware and its web server, up to 2025.12 and from 2026.1 on. */
export const esphome: Model = {
  id: 'esphome',
  label: 'ESPHome board',
  kind: 'ESPHome board',
  source:
    'github.com/esphome/esphome 2024.11.0-dev, web_server.cpp; esphome-docs web-api; pull requests 12627, 17113 and 17586 for the addresses of 2026',
  transport: 'http',
  optionsSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['entities'],
    properties: {
      events: {
        type: 'boolean',
        default: true,
        description: 'false: it is only polled; for boards without memory for one more connection',
      },
      entities: {
        type: 'array',
        minItems: 1,
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['parameter', 'domain', 'name'],
          properties: {
            parameter: {
              type: 'string',
              pattern: '^[a-z][A-Za-z0-9]{0,63}$',
              description: 'Its name in golem; of a button: the name of the action',
            },
            domain: { type: 'string', enum: DOMAINS },
            name: {
              type: 'string',
              minLength: 1,
              maxLength: 120,
              description: 'Its name on the board (name:, not id:)',
            },
            label: { type: 'string', maxLength: 120 },
            unit: { type: 'string', maxLength: 20, description: 'Of a sensor or number' },
            min: { type: 'number', description: 'Of a number' },
            max: { type: 'number', description: 'Of a number' },
            step: { type: 'number', exclusiveMinimum: 0, description: 'Of a number' },
            safe: {
              anyOf: [{ type: 'boolean' }, { type: 'number' }],
              description: 'Value for the emergency stop; of a switch: false unless given here',
            },
          },
        },
      },
    },
  },
  create: (options) => createEspHome(options as unknown as EspHomeOptions),
}

function createEspHome({ entities, events = true }: EspHomeOptions): HttpDriver {
  checkEntities(entities)
  const board = new EspHomeEntities()
  const read = entities.filter(({ domain }) => domain !== 'button')
  const buttons = entities.filter(({ domain }) => domain === 'button')
  /** What the event stream has told since it was opened, and when it last told anything. */
  const told = new Map<string, Value | Fault>()
  let heardAt = -Infinity
  return {
    transport: 'http',
    link: { connectTimeoutMs: 3000, replyTimeoutMs: 3000 },
    silenceMs: FRESH_MS,
    parameters: Object.fromEntries(read.map((entity) => [entity.parameter, parameterOf(board, entity)])),
    actions: Object.fromEntries(buttons.map((entity) => [entity.parameter, press(board, entity)])),
    identify: async (io) => {
      const [first = entities[0]] = read
      if (!first) return
      await identifyBy('the ESPHome board of the configuration', async () => {
        if (await board.get(io, first)) return
        throw new GolemError(
          'REPLY_MALFORMED',
          `it has no ${first.domain} "${first.name}". Names have to be as in the board's own configuration.`,
        )
      })
    },
    readAll: async (io, due, anew = NOTHING) => {
      const readings: Record<string, Value | Fault> = {}
      for (const entity of read) {
        const { parameter } = entity
        const isTold = told.has(parameter) && performance.now() - heardAt < FRESH_MS
        const isWanted = due.has(parameter) && (!isTold || anew.has(parameter))
        if (isWanted) readings[parameter] = await readEntity(io, board, entity)
      }
      return readings
    },
    ...(events
      ? {
          events: {
            path: '/events',
            silenceMs: SILENCE_MS,
            onEvent: ({ type, data }) => {
              heardAt = performance.now()
              // Whatever changes is told at once, so at a ping all is as it was told.
              if (type === 'ping') return Object.fromEntries(told)
              if (type !== 'state') return undefined
              try {
                const state = jsonObject(data, 'an event of the board')
                const entity = board.about(state, read)
                if (!entity) return undefined
                const value = valueOf(entity, state)
                told.set(entity.parameter, value)
                return { [entity.parameter]: value }
              } catch (error) {
                // What it was about is not known, so all is asked for again.
                told.clear()
                throw error
              }
            },
            onEnd: () => told.clear(),
          },
        }
      : {}),
  }
}

/** @throws CONFIG_INVALID */
function checkEntities(entities: readonly Entity[]): void {
  const seen = new Set<string>()
  for (const { parameter, domain, safe, min, max } of entities) {
    const wrong = (why: string): GolemError =>
      new GolemError('CONFIG_INVALID', `The ESPHome entity "${parameter}" ${why}.`)
    if (seen.has(parameter)) throw wrong('is there twice: each parameter needs a name of its own')
    seen.add(parameter)
    const wanted = { switch: 'boolean', number: 'number' }[domain as string]
    if (safe !== undefined && typeof safe !== wanted) {
      throw wrong(
        wanted === undefined
          ? `can't be written, so it has no safe value: leave "safe" out`
          : `is a ${domain}: its safe value has to be a ${wanted}, not ${String(safe)}`,
      )
    }
    if (domain !== 'number' && (min !== undefined || max !== undefined)) {
      throw wrong('is no number: leave "min" and "max" out')
    }
    if (min !== undefined && max !== undefined && min > max) throw wrong('has a min above its max')
    if (typeof safe === 'number' && (safe < (min ?? safe) || safe > (max ?? safe))) {
      throw wrong('has a safe value outside its limits')
    }
  }
}

function parameterOf(board: EspHomeEntities, entity: Entity): ParameterSpec<HttpIo> {
  const { domain, name, label = name, unit, min, max, step, safe } = entity
  switch (domain) {
    case 'switch':
      return {
        label,
        type: 'boolean',
        group: 'Relays',
        safe: safe ?? false,
        write: (io, value) => writeSwitch(io, board, entity, value === true),
      }
    case 'number':
      return {
        label,
        type: 'number',
        group: 'Relays',
        ...(unit === undefined ? {} : { unit }),
        ...(min === undefined ? {} : { min }),
        ...(max === undefined ? {} : { max }),
        ...(step === undefined ? {} : { step }),
        ...(safe === undefined ? {} : { safe }),
        matches: (wanted, got) => agrees(wanted, got, step),
        write: (io, value) => writeNumber(io, board, entity, Number(value)),
      }
    case 'binary_sensor':
      return { label, type: 'boolean', group: 'Sensors' }
    default:
      return { label, type: 'number', group: 'Sensors', ...(unit === undefined ? {} : { unit }) }
  }
}

function press(board: EspHomeEntities, entity: Entity): ActionSpec<HttpIo> {
  return {
    label: entity.label ?? entity.name,
    group: 'Relays',
    confirm: true,
    note: 'The board only says that it has got this, not what came of it.',
    run: (io) => board.post(io, entity, 'press'),
  }
}

async function readEntity(io: HttpIo, board: EspHomeEntities, entity: Entity): Promise<Value | Fault> {
  const state = await board.get(io, entity)
  if (!state) return fault(`The board has no ${entity.domain} "${entity.name}" (any more).`)
  return valueOf(entity, state)
}

/**
 * The value in a state document. Numbers come as numbers (sensor) or as text (number).
 *
 * @throws REPLY_MALFORMED
 */
function valueOf({ domain, name }: Entity, state: Readonly<Record<string, unknown>>): Value | Fault {
  const { value, state: inWords } = state
  const none = fault(`The board has no value of "${name}" (it reports ${shown(String(inWords ?? value))}).`)
  if (value === null || (value === undefined && inWords === 'NA')) return none
  if (domain === 'switch' || domain === 'binary_sensor') {
    if (typeof value === 'boolean') return value
    if (inWords === 'ON' || inWords === 'OFF') return inWords === 'ON'
  } else {
    const text = typeof value === 'string' ? value.replace(/^"(.*)"$/, '$1').trim() : value
    if (text === 'NaN' || text === 'NA' || text === 'nan') return none
    const number = typeof text === 'string' && text !== '' ? Number(text) : text
    if (typeof number === 'number' && Number.isFinite(number)) return number
  }
  throw new GolemError(
    'REPLY_MALFORMED',
    `The board answered ${shown(JSON.stringify(state))} for the ${domain} "${name}".`,
  )
}

/** Switches, and waits until the board shows it. Repeating it is harmless. @throws READBACK_MISMATCH */
async function writeSwitch(io: HttpIo, board: EspHomeEntities, entity: Entity, on: boolean): Promise<void> {
  await board.post(io, entity, on ? 'turn_on' : 'turn_off')
  await untilItShows(io, board, entity, on, (got) => got === on)
}

/** Sets a number, and waits until the board shows it: one out of its range it ignores without a word. */
async function writeNumber(io: HttpIo, board: EspHomeEntities, entity: Entity, value: number): Promise<void> {
  await board.post(io, entity, `set?value=${encodeURIComponent(String(value))}`)
  await untilItShows(io, board, entity, value, (got) => agrees(value, got, entity.step))
}

async function untilItShows(
  io: HttpIo,
  board: EspHomeEntities,
  entity: Entity,
  wanted: Value,
  isIt: (got: Value) => boolean,
): Promise<void> {
  let got: Value | Fault = fault('not read')
  for (let look = 0; look < LOOKS; look += 1) {
    if (look > 0) await io.sleep(LOOK_EVERY_MS)
    got = await readEntity(io, board, entity)
    if (!isFault(got) && isIt(got)) return
  }
  const shows = isFault(got) ? `"${got.fault}"` : String(got)
  throw new GolemError(
    'READBACK_MISMATCH',
    `The board took ${String(wanted)} for "${entity.name}" but still shows ${shows} after 1 s.${entity.domain === 'number' ? ' A board ignores numbers outside its own limits.' : ''}`,
  )
}

/** Boards keep 32-bit floats: about seven digits are right. */
function agrees(wanted: Value, got: Value, step = 0): boolean {
  if (typeof wanted !== 'number' || typeof got !== 'number') return false
  return Math.abs(wanted - got) <= Math.max(step / 2, Math.abs(wanted) * 1e-6, 1e-9)
}
