import type { Clock } from '@golem/core'
import {
  type BoardReply,
  type BoardRequest,
  type Circumstances,
  type Firmware,
  misread,
} from './board-reply.ts'
import type { EsphomeSpec } from './device.ts'
import type { Stand } from './stand.ts'

/** How long after its answer the device loop gets round to an action, ms. */
const LOOP_MS = 16
/** How often the event stream looks for changes, ms. */
const EVENTS_EVERY_MS = 100
/** How often it shows that it is alive, s. */
const PING_SECONDS = 10

type Domain = 'switch' | 'sensor' | 'number' | 'binary_sensor'

interface Entity {
  domain: Domain
  name: string
  /** Fields after `id`, and those that `detail=all` adds. */
  read: (how: Circumstances) => { fields: Fields; detail: Fields }
  /**
   * Prepares an action; what it returns is run later in the loop.
   *
   * @returns null: the entity has no such method; 409: parameters are missing
   */
  act?: (method: string, query: URLSearchParams) => (() => void) | 409 | null
}

type Fields = Record<string, number | boolean | string | null>

/** Firmware of an ESPHome node with its REST server. */
export class EsphomeBoard implements Firmware {
  readonly eventsPath = '/events'
  readonly #spec: EsphomeSpec
  readonly #stand: Stand
  readonly #clock: Clock
  readonly #entities: readonly Entity[]
  readonly #switches = new Map<string, boolean>()
  readonly #numbers = new Map<string, number>()
  readonly #pending = new Set<NodeJS.Timeout>()
  #bootedAt: number

  constructor(spec: EsphomeSpec, stand: Stand, clock: Clock) {
    this.#spec = spec
    this.#stand = stand
    this.#clock = clock
    this.#bootedAt = clock.now()
    for (const { name } of spec.switches ?? []) this.#switches.set(name, false)
    for (const { name, initial } of spec.numbers ?? []) this.#numbers.set(name, initial)
    this.#entities = [
      ...(spec.switches ?? []).map((each) => this.#switchEntity(each)),
      ...(spec.sensors ?? []).map((each) => this.#sensorEntity(each)),
      ...(spec.numbers ?? []).map((each) => this.#numberEntity(each)),
      ...(spec.binarySensors ?? []).map((each) => this.#binaryEntity(each)),
      this.#uptimeEntity(),
    ]
  }

  respond(request: BoardRequest, how: Circumstances): BoardReply {
    // The web server of ESPHome closes after every answer, and says so.
    const answer = (status: number, contentType: string, body: string, more: Partial<BoardReply> = {}) => ({
      status,
      contentType,
      body,
      close: true,
      ...more,
      headers: [['Connection', 'close'] as const, ...(more.headers ?? [])],
    })
    if (!this.admits(request.authorization)) {
      return answer(401, 'text/plain', '', {
        headers: [['WWW-Authenticate', 'Basic realm="Login Required"']],
        clientFault: true,
      })
    }
    const found = this.#find(request.path)
    const notFound = answer(404, 'text/plain', 'Not Found', { clientFault: true })
    if (!found) return notFound
    if (request.method === 'GET' && found.method === '') {
      const { fields, detail } = found.entity.read(how)
      const all = request.query.get('detail') === 'all' ? detail : {}
      return answer(
        200,
        'application/json',
        JSON.stringify({ ...this.#identity(found.entity), ...fields, ...all }),
      )
    }
    if (request.method !== 'POST') return notFound
    const action = found.entity.act?.(found.method, request.query) ?? null
    if (action === null) return notFound
    if (action === 409) return answer(409, 'text/plain', '', { clientFault: true })
    if (how.act) this.#later(action)
    return answer(200, 'text/plain', '', { acted: how.act })
  }

  /** Source: web_server.cpp at 2024.11.0-dev: a ping with the title, all states, then changes, log lines and pings. */
  stream(send: (text: string) => void, how: () => Circumstances): () => void {
    const told = new Map<Entity, string>()
    const event = (type: string, data: string, more = ''): void => {
      send(`event: ${type}\nid: ${Math.round(this.#clock.now() - this.#bootedAt)}\n${more}data: ${data}\n\n`)
    }
    const tellChanges = (): void => {
      for (const entity of this.#entities) {
        const { fields, detail } = entity.read(how())
        const state = JSON.stringify({ ...this.#identity(entity), ...fields, ...detail })
        const before = told.get(entity)
        if (state === before) continue
        told.set(entity, state)
        if (before !== undefined)
          event('log', `\u001b[0;36m[D][${entity.domain}:012]: '${entity.name}' changed`)
        event('state', state)
      }
    }
    const title = { title: this.#spec.name, comment: '', ota: true, log: true, lang: 'en' }
    event('ping', JSON.stringify(title), 'retry: 30000\n')
    tellChanges()
    const changes = setInterval(tellChanges, EVENTS_EVERY_MS)
    const pings = setInterval(() => event('ping', ''), (this.#spec.pingSeconds ?? PING_SECONDS) * 1000)
    return () => {
      clearInterval(changes)
      clearInterval(pings)
    }
  }

  admits(authorization: string | undefined): boolean {
    const { auth } = this.#spec
    if (!auth) return true
    return authorization === `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString('base64')}`
  }

  powerOff(): void {
    for (const timer of this.#pending) clearTimeout(timer)
    this.#pending.clear()
    for (const each of this.#spec.switches ?? []) this.#setSwitch(each.name, false)
    for (const { name, initial } of this.#spec.numbers ?? []) this.#numbers.set(name, initial)
  }

  boot(): void {
    this.#bootedAt = this.#clock.now()
  }

  state(): Record<string, unknown> {
    return {
      switches: Object.fromEntries(this.#switches),
      numbers: Object.fromEntries(this.#numbers),
      uptime: this.#uptime(),
    }
  }

  #later(action: () => void): void {
    const timer = setTimeout(() => {
      this.#pending.delete(timer)
      action()
    }, LOOP_MS)
    this.#pending.add(timer)
  }

  /** The entity and method a path names, in the URL form of this firmware. */
  #find(path: string): { entity: Entity; method: string } | null {
    const [domain, given, method = '', ...more] = path.slice(1).split('/').map(decode)
    if (domain === undefined || given === undefined || more.length > 0) return null
    const form = this.#spec.urlForm ?? 'object-id'
    const entity = this.#entities.find(
      (each) =>
        each.domain === domain &&
        ((form !== 'object-id' && each.name === given) || (form !== 'name' && objectId(each.name) === given)),
    )
    return entity ? { entity, method } : null
  }

  #identity({ domain, name }: Entity): Fields {
    switch (this.#spec.urlForm ?? 'object-id') {
      case 'object-id':
        return { id: `${domain}-${objectId(name)}` }
      case 'both':
        return { name_id: `${domain}/${name}`, id: `${domain}-${objectId(name)}` }
      case 'name':
        return { id: `${domain}/${name}` }
    }
  }

  #switchEntity({ name }: { name: string }): Entity {
    const actions: Readonly<Record<string, () => boolean>> = {
      turn_on: () => true,
      turn_off: () => false,
      toggle: () => !(this.#switches.get(name) ?? false),
    }
    return {
      domain: 'switch',
      name,
      read: (how) => ({
        fields: onOff((this.#switches.get(name) ?? false) !== namedWrong(how, name)),
        detail: { name, icon: '', entity_category: 0, assumed_state: false },
      }),
      act: (method) => {
        const wanted = Object.hasOwn(actions, method) ? actions[method] : undefined
        return wanted ? () => this.#setSwitch(name, wanted()) : null
      },
    }
  }

  #sensorEntity(sensor: NonNullable<EsphomeSpec['sensors']>[number]): Entity {
    const { name, unit, probe, decimals = 1 } = sensor
    return {
      domain: 'sensor',
      name,
      read: (how) => measured(name, this.#stand.measure(probe), unit, decimals, how),
    }
  }

  #uptimeEntity(): Entity {
    return {
      domain: 'sensor',
      name: 'Uptime',
      read: (how) => measured('Uptime', this.#uptime(), 's', 0, { ...how, wrong: named(how) }),
    }
  }

  #numberEntity(number: NonNullable<EsphomeSpec['numbers']>[number]): Entity {
    const { name, unit = '', min, max, step } = number
    return {
      domain: 'number',
      name,
      read: (how) => {
        const value = String(misread(name, this.#numbers.get(name) ?? NaN, { ...how, wrong: named(how) }))
        return {
          fields: { value, state: unit ? `${value} ${unit}` : value },
          detail: {
            name,
            icon: '',
            entity_category: 0,
            min_value: min,
            max_value: max,
            step,
            mode: 0,
            uom: unit,
          },
        }
      },
      act: (method, query) => {
        if (method !== 'set') return null
        const text = query.get('value')
        if (text === null) return 409
        const value = text.trim() === '' ? NaN : Number(text)
        return () => {
          // Out of range is ignored without a word.
          if (value >= min && value <= max) this.#numbers.set(name, value)
        }
      },
    }
  }

  #binaryEntity({ name, follows }: { name: string; follows: string }): Entity {
    return {
      domain: 'binary_sensor',
      name,
      read: (how) => ({
        fields: onOff((this.#switches.get(follows) ?? false) !== namedWrong(how, name)),
        detail: { name, icon: '', entity_category: 0 },
      }),
    }
  }

  #setSwitch(name: string, on: boolean): void {
    this.#switches.set(name, on)
    const output = this.#spec.switches?.find((each) => each.name === name)?.output
    if (output) this.#stand.switch(output, on)
  }

  #uptime(): number {
    return Math.floor((this.#clock.now() - this.#bootedAt) / 1000)
  }
}

/** The id ESPHome derives from a name: lower case, `_` for everything that is not a letter, digit, - or _. */
function objectId(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9_-]/g, '_')
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch (error) {
    // A broken escape names nothing; taken as it is, it is not found.
    if (error instanceof URIError) return part
    throw error
  }
}

function onOff(on: boolean): Fields {
  return { value: on, state: on ? 'ON' : 'OFF' }
}

function measured(name: string, value: number, unit: string, decimals: number, how: Circumstances) {
  const shown = how.sensorMissing ? NaN : misread(name, value, how)
  const text = Number.isNaN(shown) ? 'NA' : `${shown.toFixed(decimals)} ${unit}`
  return {
    fields: { value: Number.isNaN(shown) ? null : Number(shown.toFixed(decimals)), state: text },
    detail: { name, icon: '', entity_category: 0, uom: unit },
  }
}

/** What is set, not measured, is wrong only where the fault names it. */
function named(how: Circumstances): Circumstances['wrong'] {
  return how.wrong?.fields ? how.wrong : null
}

function namedWrong(how: Circumstances, name: string): boolean {
  return named(how)?.fields?.includes(name) ?? false
}
