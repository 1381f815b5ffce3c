import type { JsonSchema } from '@golem/core'
import {
  byName,
  duration,
  flag,
  inhibitAlarms,
  list,
  NAME_PATTERN,
  number,
  plainNumber,
  ref,
  REF_PATTERN,
  table,
  text,
  value,
} from './parts.ts'

const ID_PATTERN = '^[a-z0-9][a-z0-9-]{0,62}$'
const NAME = 'a name: a letter, then letters, digits and _, at most 63'

const steps = { $ref: '#/definitions/steps' }
const condition = { $ref: '#/definitions/condition' }
const policy = (what: string): object => ({
  enum: ['resume', 'hold', 'safe', 'ask'],
  description: `${what}: resume, hold (pause), safe (abort) or ask`,
})

const CONDITION: Readonly<Record<string, object>> = {
  reading: ref('a reading'),
  above: number('it is above this'),
  below: number('it is below this'),
  between: list('it is between these two, both included', number('a limit'), 2, 2),
  equals: value('it is this'),
  notEquals: value('it is anything but this'),
  for: duration('for how long it has to have been so'),
  all: list('all of these are so', condition, 1, 20),
  any: list('one of these is so', condition, 1, 20),
}

/** A short form, or a table. */
const either = (description: string, type: string, short: object, full: object): object => ({
  description,
  if: { type },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: short,
  else: full,
})

const END: Readonly<Record<string, object>> = {
  forever: { const: true, description: 'true: until it is stopped or skipped' },
  for: duration('for how long'),
  until: condition,
}

/** The verbs: what a step can be. */
export const VERBS: Readonly<Record<string, object>> = {
  set: byName(
    'Parameters to write, one after the other',
    value('what is written'),
    REF_PATTERN,
    'a parameter, as instrument.name',
  ),
  do: table(
    'An action to run',
    {
      action: ref('an action'),
      arguments: byName('What it takes', value('an argument'), '^[A-Za-z][A-Za-z0-9_-]{0,62}$', NAME),
    },
    ['action'],
  ),
  wait: either(
    'How long to wait',
    'string',
    duration('how long to wait'),
    table(
      'Wait for a mark of the clock',
      {
        aligned: duration('the next mark of this period, from the top of the hour, UTC'),
        offset: duration('how much later than the mark'),
      },
      ['aligned'],
    ),
  ),
  until: table('What has to be so before it goes on', {
    ...CONDITION,
    timeout: {
      type: 'string',
      description: 'how long to wait for it: a time with its unit, a $name, or none',
    },
    onTimeout: { enum: ['fail', 'continue'], description: 'then: fail (default) or continue' },
  }),
  repeat: table(
    'Steps to do again and again',
    {
      times: number('how often'),
      ...END,
      every: duration('from the beginning of one round to that of the next'),
      steps,
    },
    ['steps'],
  ),
  forEach: table(
    'Steps to do for each of some values',
    {
      name: { type: 'string', pattern: NAME_PATTERN, description: `${NAME}; the steps write $name` },
      in: either(
        'The values',
        'array',
        list('the values', value('one of them'), 1, 1000),
        table(
          'Numbers in equal steps',
          { from: number('the first'), to: number('the last'), step: number('from one to the next') },
          ['from', 'to', 'step'],
        ),
      ),
      steps,
    },
    ['name', 'in', 'steps'],
  ),
  ramp: table(
    'A parameter to bring somewhere slowly',
    {
      parameter: ref('a parameter'),
      from: number('where it begins; without it: what is read then'),
      to: number('where it ends'),
      over: duration('how long it takes'),
      every: duration('how often it is written'),
    },
    ['parameter', 'to', 'over', 'every'],
  ),
  measure: table(
    "Readings for a row of the run's table",
    {
      readings: list('what is read', ref('a reading'), 1, 50),
      samples: number('of how many readings the mean is taken; default 1'),
      every: duration('how far apart; default: each new reading'),
    },
    ['readings'],
  ),
  parallel: list('Lists of steps to do at the same time', table('One of them', { steps }, ['steps']), 1, 16),
  // oxlint-disable-next-line unicorn/no-thenable -- a word of the recipes
  if: table('Steps that depend on something', { condition, then: steps, else: steps }, ['condition', 'then']),
  control: table(
    'A reading to keep where it should be',
    {
      kind: { enum: ['hysteresis', 'pid'], description: 'hysteresis or pid' },
      reading: ref('the reading'),
      output: ref('the parameter that is written'),
      ...END,
      plausible: list('readings outside count as bad', plainNumber('a limit'), 2, 2),
      blind: table(
        'What happens without good readings',
        {
          after: duration('after how long; default 1 min'),
          value: value('what is written then; default: off, or the least output'),
        },
        [],
      ),
      low: number('hysteresis: on below this'),
      high: number('hysteresis: off above this'),
      cooling: flag('hysteresis, true: on above high, off below low'),
      on: value('hysteresis: what is on; default true'),
      off: value('hysteresis: what is off; default false'),
      setpoint: number('pid: where the reading should be'),
      kp: number('pid: output per unit of deviation'),
      ki: number('pid: output per unit of deviation and second; default 0'),
      kd: number('pid: output per unit of deviation per second; default 0'),
      min: number('pid: the least output'),
      max: number('pid: the greatest output'),
      reverse: flag('pid, true: more output lowers the reading'),
      every: duration('pid: how often it acts'),
      deadband: number('pid: changes of the output smaller than this are not written; default 0'),
    },
    ['kind', 'reading', 'output'],
  ),
  note: text('a text for the log, or a $name'),
  call: table(
    'Another recipe to carry out here',
    {
      recipe: { type: 'string', pattern: ID_PATTERN, description: 'its id' },
      with: byName('Values of its parameters', value('a value'), NAME_PATTERN, NAME),
      instruments: byName(
        'Instruments for its roles',
        { type: 'string', pattern: ID_PATTERN, description: 'an instrument, or a role of this recipe' },
        ID_PATTERN,
        'a role of it',
      ),
    },
    ['recipe'],
  ),
}

const COMMON: Readonly<Record<string, object>> = {
  name: text('what the page and the log call it'),
  onRestart: policy('what happens here when golem was interrupted'),
  onFailure: { enum: ['fail', 'continue'], description: 'when it goes wrong: fail (default) or continue' },
  timeout: duration('it fails when it is not over by then'),
  patience: duration('set and do: how long an instrument that is away is waited for; default 1 min'),
}

const parameter = table(
  'A parameter of the recipe',
  {
    type: {
      enum: ['number', 'integer', 'boolean', 'choice', 'text', 'duration'],
      description: 'number, integer, boolean, choice, text or duration',
    },
    label: text('what the page calls it'),
    note: text('what one should know about it, as a sentence'),
    unit: { type: 'string', maxLength: 20, description: 'unit as it is shown, e.g. ppm' },
    min: {
      type: ['number', 'string'],
      description: 'the lowest value, as number or (of a duration) as time',
    },
    max: {
      type: ['number', 'string'],
      description: 'the highest value, as number or (of a duration) as time',
    },
    choices: { ...list('the values of a choice', text('one of them'), 1, 100), uniqueItems: true },
    default: {
      type: ['number', 'boolean', 'string'],
      description: 'used when a run does not give it; without it, it has to be given',
    },
  },
  ['type', 'label'],
)

const STEP = table('A step: one verb, and what holds for each step', { ...COMMON, ...VERBS })

const top = (step: object): JsonSchema => ({
  ...(table(
    'A recipe',
    {
      label: text('what the page calls it'),
      note: text('what it is for, as sentences'),
      parameters: byName('What a run can be given', parameter, NAME_PATTERN, NAME),
      instruments: byName(
        'Instruments by the part they play',
        table(
          'A role',
          {
            default: {
              type: 'string',
              pattern: ID_PATTERN,
              description: 'the instrument, when a run binds no other',
            },
            label: text('what the page calls it'),
          },
          ['default'],
        ),
        ID_PATTERN,
        'a role: a-z, 0-9 and -, at most 63',
      ),
      onRestart: policy('for steps that say nothing of their own; default resume'),
      inhibitAlarms: inhibitAlarms('while a run of it goes on'),
      stages: list(
        'Its stages',
        table(
          'A stage',
          {
            name: text('what the page calls it'),
            inhibitAlarms: inhibitAlarms('while it goes on'),
            steps,
          },
          ['name', 'steps'],
        ),
        1,
        100,
      ),
      finally: steps,
    },
    ['label', 'stages'],
  ) as JsonSchema),
  definitions: {
    steps: list('steps', step, 1, 500),
    condition: table('a condition', CONDITION),
  },
})

/** The form of a recipe, for checking; that a step has one verb is checked by hand, with a better message. */
export const RECIPE_SCHEMA: JsonSchema = top(STEP)

/** The form of a recipe, for editors: instance/recipe.schema.json. */
export function recipeSchema(): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'golem recipe',
    ...top({ ...STEP, oneOf: Object.keys(VERBS).map((verb) => ({ required: [verb] })) }),
  }
}
