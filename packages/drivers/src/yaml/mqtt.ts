import { parseDuration, type Path } from '@golem/config'
import {
  type ActionSpec,
  type Fault,
  isFault,
  type MqttDriver,
  type MqttIo,
  type ParameterSpec,
  type Value,
} from '@golem/core'
import { describeActionOf, describeParameterOf } from './compile.ts'
import type { Language, RawAction, RawModel, RawParameter, Report } from './model-file.ts'
import { agrees, confirmation, notAsWanted } from './mqtt-confirm.ts'
import { checkEcho, Echo, echoSchema, type RawEcho } from './mqtt-echo.ts'
import { readMqttSimulation } from './mqtt-simulation.ts'
import { mqttSimulationSchema, type RawMqttSimulation } from './mqtt-simulation-schema.ts'
import {
  checkTopic,
  Message,
  type RawSource,
  readSource,
  type Source,
  sourceSchema,
  sourcesSchema,
  valueIn,
} from './mqtt-source.ts'
import { duration, flag, integer, list, table, text, textOr } from './schema.ts'
import { readTemplate, type Template, type Values } from './template.ts'
import type { ValueForm } from './values.ts'

/** How long the broker has to take a message, and the device to confirm it, unless the model says otherwise, in ms. */
const REPLY_TIMEOUT_MS = 3000

/** What is published. A text is the topic alone, and the value the whole message. */
type RawPublish =
  | string
  | {
      topic: string
      payload?: string
      qos?: 0 | 1
      confirm?: true | RawSource
      within?: string
      onlyChanges?: boolean
    }

interface MqttParameter extends RawParameter {
  read?: RawSource | RawSource[]
  write?: RawPublish
}

interface MqttAction extends RawAction {
  publish: RawPublish
}

interface MqttModel extends RawModel {
  availability?: { topic: string; online: string; offline: string }
  silence?: string
  replyTimeout?: string
  ask?: { topic: string; payload?: string }[]
  askEvery?: string
  echo?: RawEcho
  simulation?: RawMqttSimulation
  parameters?: Record<string, MqttParameter>
  actions?: Record<string, MqttAction>
}

const publishSchema = (confirm: Readonly<Record<string, object>>): object =>
  textOr(
    'what is published: the topic alone (the message is the value), or topic and payload',
    table(
      'What is published',
      {
        topic: text(
          'the topic, relative to that of the address; {topic} stands for that, e.g. cmnd/{topic}/POWER',
        ),
        payload: {
          type: 'string',
          maxLength: 1000,
          description:
            'the message, with placeholders: {value}, or the arguments of an action; default {value}',
        },
        qos: integer(0, 1, '1 (default): the broker acknowledges it; 0: it does not'),
        ...confirm,
      },
      ['topic'],
    ),
  )

/** The part of the model language for devices behind an MQTT broker. */
export const mqttLanguage: Language = {
  transport: 'mqtt',
  schema: {
    top: {
      availability: table(
        'The topic that tells whether the device is there (its last will)',
        {
          topic: text('its topic, as everywhere'),
          online: text('what it says when the device is there, as the whole message or as "state" in JSON'),
          offline: text('what it says when the device is not there'),
        },
        ['topic', 'online', 'offline'],
      ),
      silence: duration('after so long without a message the device is taken to be lost'),
      replyTimeout: duration('how long the broker and a confirmation may take; default 3 s'),
      ask: list(
        'What makes the device tell its values: published when golem begins to listen',
        table('One message', { topic: text('its topic'), payload: { type: 'string', maxLength: 1000 } }, [
          'topic',
        ]),
      ),
      askEvery: duration(
        'how often that is published again, and at the poll after a command besides; without it once',
      ),
      echo: echoSchema,
      simulation: mqttSimulationSchema,
    },
    parameter: {
      read: sourcesSchema,
      write: publishSchema({
        confirm: {
          description:
            'where the device tells the new value after a command: true for its own "read", or a topic of its own. Without it a command is done when the broker has taken it',
          if: { type: 'boolean' },
          // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
          then: flag('true: where it is read'),
          else: sourceSchema,
        },
        within: duration('how long the confirmation may take; default: replyTimeout'),
        onlyChanges: flag(
          'true: the device tells its value only when it changes, so a command for the value it told last is confirmed by "echo", or not at all',
        ),
      }),
    },
    action: { publish: publishSchema({}) },
    actionRequired: ['publish'],
  },
  compile: (raw, report) => compileMqtt(raw as MqttModel, report),
}

function compileMqtt(raw: MqttModel, report: Report): () => MqttDriver {
  const replyTimeoutMs = ms(raw.replyTimeout) ?? REPLY_TIMEOUT_MS
  const silenceMs = ms(raw.silence)
  const askEveryMs = ms(raw.askEvery)
  const asks = (raw.ask ?? []).map(({ topic, payload = '' }, index) => {
    checkTopic(topic, ['ask', index, 'topic'], report)
    return { topic, payload }
  })
  if (raw.availability) checkTopic(raw.availability.topic, ['availability', 'topic'], report)
  if (askEveryMs !== undefined && asks.length === 0) report(['askEvery'], 'There is nothing to "ask".', 'key')
  if (raw.echo) checkEcho(raw.echo, report)
  readMqttSimulation(raw, report)
  const readers: { name: string; form: ValueForm; source: Source }[] = []
  const makers: Record<string, MakeParameter> = {}
  for (const [name, parameter] of Object.entries(raw.parameters ?? {})) {
    const path: Path = ['parameters', name]
    const sources = readSources(parameter.read, [...path, 'read'], report)
    for (const source of sources) readers.push({ name, form: parameter, source })
    const around = { sources, replyTimeoutMs, echoes: raw.echo !== undefined }
    makers[name] = parameterOf(name, parameter, around, path, report)
  }
  const actions = Object.fromEntries(
    Object.entries(raw.actions ?? {}).map(([name, action]) => [name, actionOf(name, action, report)]),
  )
  const confirmTopics = Object.values(raw.parameters ?? {}).flatMap(({ write }) => {
    const confirm = typeof write === 'object' ? write.confirm : undefined
    if (confirm === undefined || confirm === true) return []
    return [typeof confirm === 'string' ? confirm : confirm.topic]
  })
  const subscriptions = [
    ...new Set([
      ...readers.map(({ source }) => source.topic),
      ...confirmTopics,
      ...(raw.echo ? [raw.echo.answer] : []),
    ]),
  ]
  return () => {
    const echo = raw.echo && new Echo(raw.echo, replyTimeoutMs)
    // A command that changes nothing shows what it is at, although the device has not said so (or not understandably).
    const inferred = new Map<string, Value>()
    let askedAt = -Infinity
    // What it measures may follow from what it was told: the next poll asks again.
    const changed = (): void => void (askedAt = -Infinity)
    const parameters = Object.fromEntries(
      Object.entries(makers).map(([name, make]) => [
        name,
        asksAgain(
          make(echo, (value) => void inferred.set(name, value)),
          changed,
        ),
      ]),
    )
    const ask = async (io: MqttIo): Promise<void> => {
      askedAt = performance.now()
      for (const { topic, payload } of asks) await io.publish(topic, payload, { qos: 0 })
    }
    return {
      transport: 'mqtt',
      link: { replyTimeoutMs },
      ...(silenceMs === undefined ? {} : { silenceMs }),
      ...(raw.availability ? { availability: raw.availability } : {}),
      ...(raw.uptime === undefined ? {} : { uptime: raw.uptime }),
      parameters,
      actions,
      subscriptions,
      // A device says who it is by its topic; whether it is there the link knows.
      identify: async () => undefined,
      initialise: ask,
      readAll: async (io) => {
        if (askEveryMs !== undefined && performance.now() - askedAt >= askEveryMs) await ask(io)
        const found = Object.fromEntries(inferred)
        inferred.clear()
        return found
      },
      onMessage: (topic, payload, retained) => {
        const message = new Message(payload)
        const readings: Record<string, Value | Fault> = {}
        for (const { name, form, source } of readers) {
          if (source.topic !== topic || (retained && !source.retained)) continue
          const value = valueIn(message, source, form)
          if (value === undefined) continue
          readings[name] = value
          inferred.delete(name)
        }
        // Also one without values shows that the device is there; what the broker has kept shows nothing.
        return retained && Object.keys(readings).length === 0 ? undefined : readings
      },
    }
  }
}

/** The same parameter; `changed` is called when it has been written, whatever came of it. */
function asksAgain(spec: ParameterSpec<MqttIo>, changed: () => void): ParameterSpec<MqttIo> {
  const { write } = spec
  if (!write) return spec
  return { ...spec, write: (io, value) => write(io, value).finally(changed) }
}

function readSources(raw: MqttParameter['read'], at: Path, report: Report): Source[] {
  if (raw === undefined) return []
  if (!Array.isArray(raw)) return [readSource(raw, at, report)]
  return raw.map((one, index) => readSource(one, [...at, index], report))
}

/** What a parameter has from the rest of its model. */
interface Around {
  /** Where it is read. */
  sources: readonly Source[]
  replyTimeoutMs: number
  /** The model has an `echo`. */
  echoes: boolean
}

/** What a parameter has of one instrument: `onInferred` is told a value that is known without having been told. */
type Known = [echo: Echo | undefined, onInferred: (value: Value) => void]
type MakeParameter = (...known: Known) => ParameterSpec<MqttIo>
type MakeWrite = (...known: Known) => NonNullable<ParameterSpec<MqttIo>['write']>

function parameterOf(
  name: string,
  parameter: MqttParameter,
  { sources, replyTimeoutMs, echoes }: Around,
  path: Path,
  report: Report,
): MakeParameter {
  const spec: ParameterSpec<MqttIo> = { ...describeParameterOf(parameter), readable: sources.length > 0 }
  const { write: raw } = parameter
  if (raw === undefined) {
    if (sources.length === 0) report(path, 'It needs "read", "write", or both.')
    if (parameter.safe !== undefined)
      report([...path, 'safe'], 'What has no "write" has no safe value.', 'key')
    return () => spec
  }
  const publish = readPublish(raw, { value: parameter }, [...path, 'write'], report)
  const given = typeof raw === 'object' ? raw : undefined
  for (const key of ['within', 'onlyChanges'] as const) {
    if (given?.[key] === undefined || given.confirm !== undefined) continue
    report([...path, 'write', key], 'This is about "confirm", which is not there.', 'key')
  }
  const confirmed = confirmationsOf(given?.confirm, sources, [...path, 'write', 'confirm'], report)
  const withinMs = ms(given?.within) ?? replyTimeoutMs
  if (confirmed.length === 0) spec.note = withNote(spec.note, UNCONFIRMED)
  else if (given?.onlyChanges === true && !echoes) spec.note = withNote(spec.note, UNCHANGED)
  const told = (io: MqttIo): (Value | Fault)[] =>
    confirmed.flatMap((source) => {
      const message = io.latest(source.topic)
      if (!message || (message.retained && !source.retained)) return []
      const value = valueIn(new Message(message.payload), source, parameter)
      return value === undefined || isFault(value) ? [] : [value]
    })
  const asTold = (io: MqttIo, value: Value): boolean =>
    told(io).some((each) => agrees(parameter, value, each))
  const write: MakeWrite = (echo, onInferred) => async (io, value) => {
    // Where it is not known what it is at, it may be at this value, and then would tell nothing.
    const quiet =
      given?.onlyChanges === true && (asTold(io, value) || (echo !== undefined && told(io).length === 0))
    await publish(io, { value })
    if (confirmed.length === 0) return
    if (!quiet) return confirmation(io, name, parameter, value, confirmed, withinMs)
    if (!echo) return
    await echo.ask(io)
    // What it has told meanwhile is what it is at.
    if (told(io).length === 0) onInferred(value)
    else if (!asTold(io, value)) throw notAsWanted(name, value, 'something else', withinMs)
  }
  return (...known) => ({ ...spec, write: write(...known) })
}

function confirmationsOf(
  raw: true | RawSource | undefined,
  sources: readonly Source[],
  at: Path,
  report: Report,
): readonly Source[] {
  if (raw === undefined) return []
  if (raw !== true) return [readSource(raw, at, report)]
  if (sources.length === 0) report(at, 'It has no "read": name the topic that confirms it.')
  return sources
}

function actionOf(name: string, action: MqttAction, report: Report): ActionSpec<MqttIo> {
  const forms = action.arguments ?? {}
  const publish = readPublish(action.publish, forms, ['actions', name, 'publish'], report)
  const spec = describeActionOf(action)
  return {
    ...spec,
    note: withNote(spec.note, UNCONFIRMED),
    run: (io, args) => publish(io, args),
  }
}

const UNCONFIRMED = 'Done means here that the broker has taken it: the device does not confirm.'
const UNCHANGED =
  'The device confirms changes only: for the value it told last, done means that the broker has taken it.'

function withNote(note: string | undefined, more: string): string {
  return note === undefined ? more : `${note} ${more}`
}

/** Makes what publishes. What is wrong is reported. */
function readPublish(
  raw: RawPublish,
  forms: Readonly<Record<string, ValueForm>>,
  at: Path,
  report: Report,
): (io: MqttIo, values: Values) => Promise<void> {
  const { topic, payload, qos = 1 } = typeof raw === 'string' ? { topic: raw } : raw
  checkTopic(topic, typeof raw === 'string' ? at : [...at, 'topic'], report)
  const whole = payload ?? (Object.hasOwn(forms, 'value') ? '{value}' : '')
  const template: Template = readTemplate(whole, forms, [...at, 'payload'], report)
  const isJson = /^\s*(?:\{\{|\[)/.test(whole)
  return (io, values) => io.publish(topic, template(isJson ? escaped(forms, values) : values), { qos })
}

/** Texts as they stand between the quotes of JSON. */
function escaped(forms: Readonly<Record<string, ValueForm>>, values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      forms[name]?.type === 'text' ? JSON.stringify(value).slice(1, -1) : value,
    ]),
  )
}

function ms(text: string | undefined): number | undefined {
  return text === undefined ? undefined : (parseDuration(text) ?? undefined)
}
