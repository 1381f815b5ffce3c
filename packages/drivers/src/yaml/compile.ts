import type { Path } from '@golem/config'
import { checkValue, messageOf, type Model } from '@golem/core'
import type { Language, RawArgument, RawModel, RawParameter, Report } from './model-file.ts'
import { readPattern } from './patterns.ts'
import type { ValueForm } from './values.ts'

/**
 * Turns a model file into a model: checks what all transports have in common, and hands the rest to the transport's
 * own compiler.
 *
 * @param raw - has passed the schema of this language
 * @param file - absolute
 */
export function compile(raw: RawModel, file: string, language: Language, report: Report): Model {
  for (const [name, parameter] of Object.entries(raw.parameters ?? {})) {
    checkParameter(name, parameter, ['parameters', name], report)
  }
  for (const [name, { arguments: args }] of Object.entries(raw.actions ?? {})) {
    for (const [argument, spec] of Object.entries(args ?? {})) {
      checkArgument(argument, spec, ['actions', name, 'arguments', argument], report)
    }
  }
  if (Object.keys(raw.parameters ?? {}).length + Object.keys(raw.actions ?? {}).length === 0) {
    report([], 'The model has neither parameters nor actions: there is nothing one could do with it.')
  }
  if (raw.uptime !== undefined && !Object.hasOwn(raw.parameters ?? {}, raw.uptime)) {
    report(['uptime'], `There is no parameter "${raw.uptime}".`)
  }
  const create = language.compile(raw, report)
  return {
    id: raw.model,
    label: raw.label,
    kind: raw.kind,
    source: raw.source,
    file,
    transport: language.transport,
    optionsSchema: { type: 'object', additionalProperties: false, properties: {} },
    create,
  }
}

function checkParameter(name: string, parameter: RawParameter, path: Path, report: Report): void {
  if (!checkForm(parameter, path, report)) return
  const { safe } = parameter
  if (safe !== undefined) checkDefault(name, parameter, safe, [...path, 'safe'], report)
  const numeric = ['number', 'integer', 'array'].includes(parameter.type)
  for (const key of ['decimals', 'step'] as const) {
    if (parameter[key] !== undefined && !numeric)
      report([...path, key], `A ${parameter.type} has no "${key}".`, 'key')
  }
}

function checkArgument(name: string, argument: RawArgument, path: Path, report: Report): void {
  if (!checkForm(argument, path, report)) return
  if (argument.default !== undefined) {
    checkDefault(name, argument, argument.default, [...path, 'default'], report)
  }
}

function checkDefault(
  name: string,
  form: ValueForm,
  value: number | boolean | string,
  path: Path,
  report: Report,
): void {
  try {
    checkValue(name, describeForm(form), value, '')
  } catch (error) {
    report(path, messageOf(error))
  }
}

/** The keys that only some types have. */
const KEYS_OF: readonly (readonly [key: keyof ValueForm, types: readonly ValueForm['type'][]])[] = [
  ['min', ['number', 'integer', 'array']],
  ['max', ['number', 'integer', 'array']],
  ['scale', ['number', 'integer', 'array']],
  ['offset', ['number', 'integer', 'array']],
  ['format', ['number', 'integer', 'array']],
  ['choices', ['choice']],
  ['map', ['choice', 'boolean']],
  ['bit', ['boolean']],
  ['bits', ['choice', 'number', 'integer']],
  ['maxLength', ['text']],
  ['quote', ['text']],
  ['allowed', ['text']],
  ['maxItems', ['array']],
]

/**
 * Checks how a value is said to look.
 *
 * @returns whether it is sound
 */
export function checkForm(form: ValueForm, path: Path, report: Report): boolean {
  let sound = true
  const wrong = (at: Path, message: string, place?: 'key'): void => {
    sound = false
    report(at, message, place)
  }
  for (const [key, types] of KEYS_OF) {
    if (form[key] !== undefined && !types.includes(form.type)) {
      wrong(
        [...path, key],
        `A value of type ${form.type} has no "${key}"; only ${types.join(', ')} has.`,
        'key',
      )
    }
  }
  if (form.min !== undefined && form.max !== undefined && form.min > form.max) {
    wrong([...path, 'min'], `min (${form.min}) is above max (${form.max}).`)
  }
  if (form.scale === 0) wrong([...path, 'scale'], "scale can't be 0.")
  if (form.type === 'choice' && choicesOf(form).length === 0) {
    wrong(path, 'A choice needs "choices", or a "map" from its choices to what stands on the wire.')
  }
  if (form.map !== undefined) checkMap(form, form.map, path, wrong)
  if (form.allowed !== undefined && !readPattern(form.allowed, [...path, 'allowed'], report)) sound = false
  return sound
}

function checkMap(
  form: ValueForm,
  map: NonNullable<ValueForm['map']>,
  path: Path,
  wrong: (at: Path, message: string, place?: 'key') => void,
): void {
  const keys = form.type === 'boolean' ? ['on', 'off'] : (form.choices ?? Object.keys(map))
  for (const key of Object.keys(map)) {
    if (!keys.includes(key)) {
      wrong([...path, 'map', key], `"${key}" is none of the values: ${keys.join(', ')}.`, 'key')
    }
  }
  if (form.type === 'boolean') {
    for (const key of keys) {
      if (!Object.hasOwn(map, key)) wrong([...path, 'map'], `The map of a boolean needs "${key}".`)
    }
  }
  const seen = new Map<string, string>()
  for (const [key, texts] of Object.entries(map)) {
    if (Array.isArray(texts) && texts.length === 0) wrong([...path, 'map', key], 'The list is empty.')
    for (const each of typeof texts === 'object' ? texts : [texts]) {
      const word = String(each).toLowerCase()
      const other = seen.get(word)
      if (other !== undefined) {
        wrong([...path, 'map', key], `"${each}" stands for "${other}" already.`)
      }
      seen.set(word, key)
    }
  }
}

/** The values of a choice: as written, else the keys of its map. */
export function choicesOf(form: ValueForm): readonly string[] {
  return form.choices ?? Object.keys(form.map ?? {})
}

/**
 * The part of a parameter's or argument's description that says what values it takes, for specs in a driver.
 * Nothing in it is undefined.
 */
export function describeForm(
  form: ValueForm,
): Pick<ValueForm, 'type' | 'unit' | 'min' | 'max' | 'choices' | 'maxLength' | 'maxItems'> {
  const { type, unit, min, max, maxLength, maxItems } = form
  return {
    type,
    ...(unit === undefined ? {} : { unit }),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(type === 'choice' ? { choices: choicesOf(form) } : {}),
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(maxItems === undefined ? {} : { maxItems }),
  }
}

/** What a driver's spec of a parameter has apart from its functions. */
export function describeParameterOf(
  parameter: RawParameter,
): ReturnType<typeof describeForm> &
  Pick<RawParameter, 'label' | 'group' | 'note' | 'step' | 'decimals' | 'safe'> {
  const { label, group, note, step, decimals, safe } = parameter
  return {
    label,
    ...describeForm(parameter),
    ...(group === undefined ? {} : { group }),
    ...(note === undefined ? {} : { note }),
    ...(step === undefined ? {} : { step }),
    ...(decimals === undefined ? {} : { decimals }),
    ...(safe === undefined ? {} : { safe }),
  }
}

/** What a driver's spec of an action has apart from `run`. */
export function describeActionOf(action: NonNullable<RawModel['actions']>[string]): {
  label: string
  group?: string
  note?: string
  confirm?: boolean
  arguments: Record<string, ReturnType<typeof describeForm> & Pick<RawArgument, 'label' | 'step' | 'default'>>
} {
  const { label, group, note, confirm } = action
  return {
    label,
    ...(group === undefined ? {} : { group }),
    ...(note === undefined ? {} : { note }),
    ...(confirm === undefined ? {} : { confirm }),
    arguments: Object.fromEntries(
      Object.entries(action.arguments ?? {}).map(([name, argument]) => [
        name,
        {
          label: argument.label,
          ...describeForm(argument),
          ...(argument.step === undefined ? {} : { step: argument.step }),
          ...(argument.default === undefined ? {} : { default: argument.default }),
        },
      ]),
    ),
  }
}
