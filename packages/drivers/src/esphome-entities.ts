import { GolemError, type HttpIo, type HttpReply } from '@golem/core'
import { jsonObject, shown, textOf } from './http-reply.ts'

export type Domain = 'switch' | 'sensor' | 'number' | 'binary_sensor' | 'button'

/** One entity of a board, as the options of the model have it. */
export interface Entity {
  parameter: string
  domain: Domain
  /** Its name on the board. */
  name: string
  label?: string
  unit?: string
  min?: number
  max?: number
  step?: number
  safe?: boolean | number
}

/** How a board wants its entities to be called: by name (2026.1 and newer) or by object id (older). */
type UrlForm = 'name' | 'objectId'

/** Entities of one board, whichever of the two forms its firmware knows. */
export class EspHomeEntities {
  #form: UrlForm = 'name'
  /** Entities by the ids the board gave them in its answers. */
  readonly #byId = new Map<string, Entity>()

  /**
   * Reads an entity.
   *
   * @returns its state document; undefined when the board does not have it
   * @throws REPLY_MALFORMED, also when the answer is about another entity; LINK_DOWN for a wrong password
   */
  async get(io: HttpIo, entity: Entity): Promise<Readonly<Record<string, unknown>> | undefined> {
    const reply = await this.#inEitherForm(entity, (path) => io.get(path))
    const what = `${entity.domain} "${entity.name}"`
    if (reply.status === 404) return undefined
    const state = jsonObject(textOf(reply, what), what)
    if (!isAbout(state, entity)) {
      throw new GolemError(
        'REPLY_MALFORMED',
        `${what}: the answer ${shown(reply.text)} is about something else.`,
      )
    }
    for (const id of idsOf(state)) this.#byId.set(id, entity)
    return state
  }

  /**
   * The entity a state document of the event stream is about. An id that no answer had yet has to be just as the board
   * would make it of the entity's name: one that only ends like it may be another's.
   *
   * @param entities - those that are looked for
   */
  about(state: Readonly<Record<string, unknown>>, entities: readonly Entity[]): Entity | undefined {
    const ids = idsOf(state)
    const known = ids.map((id) => this.#byId.get(id)).find((entity) => entity !== undefined)
    return (
      known ??
      entities.find(({ domain, name }) =>
        ids.some((id) => id === `${domain}/${name}` || id === `${domain}-${objectId(name)}`),
      )
    )
  }

  /**
   * Makes an entity do something. The board acknowledges at once and acts after that.
   *
   * @param method - e.g. `turn_on`, `set?value=5`
   * @throws INSTRUMENT_REFUSED when it does not know that; REPLY_MALFORMED; LINK_DOWN for a wrong password
   */
  async post(io: HttpIo, entity: Entity, method: string): Promise<void> {
    // An unknown address does nothing, so trying the other form after a 404 is harmless.
    const reply = await this.#inEitherForm(entity, (path) => io.post(`${path}/${method}`))
    if ([400, 404, 405, 409].includes(reply.status)) {
      throw new GolemError(
        'INSTRUMENT_REFUSED',
        `The board refused ${method} for the ${entity.domain} "${entity.name}": HTTP ${reply.status} ${shown(reply.text)}.`,
      )
    }
    textOf(reply, `${method} for the ${entity.domain} "${entity.name}"`)
  }

  async #inEitherForm(entity: Entity, send: (path: string) => Promise<HttpReply>): Promise<HttpReply> {
    const first = await send(pathOf(entity, this.#form))
    const other: UrlForm = this.#form === 'name' ? 'objectId' : 'name'
    if (first.status !== 404 || pathOf(entity, other) === pathOf(entity, this.#form)) return first
    const second = await send(pathOf(entity, other))
    if (second.status < 400) this.#form = other
    return second
  }
}

function pathOf({ domain, name }: Entity, form: UrlForm): string {
  return `/${domain}/${form === 'name' ? encodeURIComponent(name) : objectId(name)}`
}

/** The old id of an entity: lower case, everything but letters, digits, - and _ becomes _. */
function objectId(name: string): string {
  return name.toLowerCase().replace(/[^-_a-z0-9]/gu, '_')
}

/** `name_id` and `id`, as far as they are there. */
function idsOf(state: Readonly<Record<string, unknown>>): string[] {
  return [state['name_id'], state['id']].filter((id) => typeof id === 'string')
}

/**
 * Is a state document about this entity? `name_id`, or an `id` with a slash, holds the name, maybe behind
 * that of a sub-device; an `id` without one holds the object id, which old firmware puts the node's name before.
 */
function isAbout(state: Readonly<Record<string, unknown>>, { domain, name }: Entity): boolean {
  const id = state['name_id'] ?? state['id']
  if (typeof id !== 'string') return false
  if (id.includes('/')) return id.startsWith(`${domain}/`) && `/${id}`.endsWith(`/${name}`)
  return id.startsWith(`${domain}-`) && id.endsWith(objectId(name))
}
