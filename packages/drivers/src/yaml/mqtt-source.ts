import type { Path } from '@golem/config'
import { asGolemError, type Fault, fault, type Value } from '@golem/core'
import { shown } from '../http-reply.ts'
import type { Report } from './model-file.ts'
import { atPath, type JsonPath, readJsonPath } from './mqtt-path.ts'
import { list, table, text, flag, textOr } from './schema.ts'
import { fromWire, type ValueForm } from './values.ts'

/** Where a value comes from, as a model file has it. A text is the topic alone. */
export type RawSource = string | { topic: string; path?: string; retained?: boolean }

/** Where a value comes from. */
export interface Source {
  topic: string
  /** In a message of JSON; undefined: the message is the value. */
  path: JsonPath | undefined
  /** What the broker has kept counts. */
  retained: boolean
}

const RETAINED =
  'true: what the broker has kept of it counts too, while the device is there. For states the device tells only when they change; never for measurements, whose age would not be known'

/** The form of a source, and of a list of them. */
export const sourceSchema = textOr(
  'the topic with the value: the topic alone, or topic and path',
  table(
    'Where the value is',
    {
      topic: text(
        'the topic, relative to that of the address; {topic} stands for that, e.g. tele/{topic}/SENSOR',
      ),
      path: text(
        'where it is in a message of JSON, e.g. ENERGY.Power or list[0]; without it the message is the value',
      ),
      retained: flag(RETAINED),
    },
    ['topic'],
  ),
)
export const sourcesSchema = {
  description: 'where its value comes from: one topic, or a list of them',
  if: { type: 'array' },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: list('where its value comes from', sourceSchema, 1),
  else: sourceSchema,
}

/** Reads a source. What is wrong is reported. */
export function readSource(raw: RawSource, at: Path, report: Report): Source {
  const { topic, path, retained = false } = typeof raw === 'string' ? { topic: raw } : raw
  checkTopic(topic, typeof raw === 'string' ? at : [...at, 'topic'], report)
  return {
    topic,
    path: path === undefined ? undefined : readJsonPath(path, [...at, 'path'], report),
    retained,
  }
}

/** Reports what is no topic. */
export function checkTopic(topic: string, at: Path, report: Report): void {
  if (/[+#]/.test(topic)) report(at, 'A topic here has no wildcards (+, #).')
  if (/[{}]/.test(topic.replaceAll('{topic}', ''))) {
    report(at, 'The only placeholder of a topic is {topic}, for the topic of the address.')
  }
}

/**
 * The value in a message. JSON is read once for all who ask for the same message.
 *
 * @returns undefined when the message does not have that place
 */
export function valueIn(message: Message, { path }: Source, form: ValueForm): Value | Fault | undefined {
  let word = message.payload
  if (path !== undefined) {
    if (message.document === NO_JSON) return fault(`The message ${shown(message.payload)} is not JSON.`)
    const found = atPath(message.document, path)
    if (found === undefined) return undefined
    if (found === null) return fault('The device has no value of this (null).')
    if (Array.isArray(found) && form.type === 'array') word = found.join(',')
    else if (typeof found === 'object')
      return fault(`There is ${shown(JSON.stringify(found))} in place of a value.`)
    else word = String(found as string | number | boolean)
  }
  try {
    return fromWire(form, word)
  } catch (error) {
    return fault(asGolemError(error).message)
  }
}

const NO_JSON = Symbol('no JSON')

/** A message, and what it is as JSON. */
export class Message {
  readonly payload: string
  #document: unknown

  constructor(payload: string) {
    this.payload = payload
  }

  get document(): unknown {
    if (this.#document !== undefined) return this.#document
    try {
      this.#document = JSON.parse(this.payload)
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      this.#document = NO_JSON
    }
    return this.#document
  }
}
