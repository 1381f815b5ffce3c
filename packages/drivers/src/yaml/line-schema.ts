import type { LineDriver, SerialSettings } from '@golem/core'
import type { LanguageSchema, RawAction, RawModel, RawParameter } from './model-file.ts'
import {
  byName,
  duration,
  flag,
  integer,
  list,
  number,
  table,
  text,
  textOr,
  valueProperties,
} from './schema.ts'
import { type RawSimulation, simulationSchema } from './simulation-schema.ts'
import type { ValueForm } from './values.ts'

/** A question and what its answer looks like. */
export interface RawQuestion {
  ask?: string
  /** Sent as it is, without terminator; the answer is the first line that matches `pattern`. */
  bytes?: string
  pattern?: string
  refused?: string
  timeout?: string
}

/** Binary numbers in a definite-length block. */
export interface RawBlock {
  type: 'uint8' | 'int8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'float32' | 'float64'
  endian?: 'big' | 'little'
  terminated?: boolean
  most?: number
}

export interface RawRead extends RawQuestion {
  separator?: string
  field?: number
  block?: RawBlock
}

export interface RawWrite {
  send: string | string[]
  expect?: string
  refused?: string
  timeout?: string
  settle?: string
}

export interface RawStep extends RawQuestion {
  send?: string
  expect?: string
  fields?: (string | null)[]
  separator?: string
  wait?: string
  check?: boolean
}

export interface RawResult extends ValueForm, RawQuestion {
  block?: RawBlock
  minus?: (string | number)[]
  times?: string | number
  plus?: (string | number)[]
}

export interface RawGroup extends RawQuestion {
  separator?: string
  fields?: (string | null)[]
  join?: string[]
  joiner?: string
}

export interface RawLineParameter extends RawParameter {
  read?: string | RawRead
  write?: string | RawWrite
  timed?: RawWrite & { min: string; max: string }
  readBack?: boolean | { after?: string }
  tolerance?: number
}

export interface RawLineAction extends RawAction {
  steps?: (string | RawStep)[]
  result?: RawResult
  finally?: (string | RawStep)[]
}

export interface RawLink extends SerialSettings {
  send?: string
  receive?: string
  replyTimeout?: string
  quiet?: string
  gap?: string
  maxLine?: number
  replies?: NonNullable<LineDriver['replies']>
}

export interface RawErrorQueue {
  ask: string
  pattern?: string
  timeout?: string
  most?: number
  parameter?: string
}

export interface RawLineModel extends RawModel {
  link?: RawLink
  identify?: RawQuestion & { ask: string; pattern: string }
  start?: (string | RawStep)[]
  shutDown?: (string | RawStep)[]
  makeSafe?: (string | RawStep)[]
  errors?: RawErrorQueue
  reads?: Record<string, RawGroup>
  pushed?: string[]
  parameters?: Record<string, RawLineParameter>
  actions?: Record<string, RawLineAction>
  simulation?: RawSimulation
}

const timeout = duration('how long the answer may take; default: replyTimeout of the link')
const refused = text('pattern of an answer that says no; a group "text" in it says why')
const separator = {
  type: 'string',
  minLength: 1,
  maxLength: 10,
  description: 'what stands between the fields',
}

const question = {
  ask: text('line that is sent; placeholders like {value} are filled'),
  bytes: text('bytes that are sent as they are, without line end, e.g. "?" or "\\x18"'),
  pattern: text('pattern of the answer; its named groups, or its first group, are what is taken'),
  refused,
  timeout,
}

const block = table(
  'The answer is a definite-length block (#…) of binary numbers',
  {
    type: {
      enum: ['uint8', 'int8', 'int16', 'uint16', 'int32', 'uint32', 'float32', 'float64'],
      description: 'uint8, int8, int16, uint16, int32, uint32, float32 or float64',
    },
    endian: { enum: ['big', 'little'], description: 'byte order: big (default) or little' },
    terminated: flag('false: no line end follows the block; default true'),
    most: integer(1, 256 * 1024 * 1024, 'the most bytes it may have; default 32 MiB'),
  },
  ['type'],
)

/** Terminators and settings of a line, common to instruments that answer and those that talk by themselves. */
export const linkProperties: Readonly<Record<string, object>> = {
  send: { type: 'string', maxLength: 8, description: 'added to each line that is sent; default "\\n"' },
  receive: {
    type: 'string',
    minLength: 1,
    maxLength: 8,
    description: 'what ends a line that is received; default "\\n"',
  },
  replyTimeout: duration('how long an answer may take; default 2 s'),
  quiet: duration('how long the line has to be quiet to be in step again after a time-out; default 200 ms'),
  gap: duration('least time between the end of one exchange and the next; default none'),
  maxLine: integer(80, 1_048_576, 'the longest line that is received, in characters; default 4096'),
  baudRate: integer(50, 4_000_000, 'speed of a serial line; default 9600'),
  dataBits: { enum: [5, 6, 7, 8], description: 'data bits: 5 to 8' },
  parity: { enum: ['none', 'even', 'odd', 'mark', 'space'], description: 'none, even, odd, mark or space' },
  stopBits: { enum: [1, 1.5, 2], description: 'stop bits: 1, 1.5 or 2' },
  flowControl: { enum: ['none', 'rtscts', 'xonxoff'], description: 'none, rtscts or xonxoff' },
  dtr: flag('what the DTR wire is set to after opening'),
  rts: flag('what the RTS wire is set to after opening'),
}

const step = textOr(
  'a line that is sent, or a table with send, ask, bytes, wait or check',
  table('One step', {
    send: text('line that is sent'),
    expect: text('pattern of the line that acknowledges what was sent'),
    ...question,
    fields: list('names for the fields of the answer; null: not needed', {
      type: ['string', 'null'],
      maxLength: 63,
      description: 'a name, or null',
    }),
    separator,
    wait: duration('wait so long'),
    check: flag('true: look into the error queue'),
  }),
)

export const steps = (description: string): object => list(description, step)

const factor = {
  type: ['string', 'number'],
  description: 'a number, or a name from an answer in the steps before',
}

const writing = {
  send: {
    description: 'line that is sent, or a list of lines',
    type: ['string', 'array'],
    minLength: 1,
    minItems: 1,
    items: text('line that is sent'),
  },
  expect: text('pattern of the line that acknowledges it'),
  refused,
  timeout,
  settle: duration('what it needs before the next exchange'),
}

export const writeSchema = textOr(
  'line that writes it, with {value}; or a table with send',
  table('How it is written', writing, ['send']),
)

const timedSchema = table(
  'How it is written for a time: with {value} and {seconds}, after which the instrument itself goes back to its safe value',
  {
    ...writing,
    min: duration('the shortest time it takes'),
    max: duration('the longest time it takes'),
  },
  ['send', 'min', 'max'],
)

export const lineSchema: LanguageSchema = {
  top: {
    link: table('The line', {
      ...linkProperties,
      replies: {
        enum: ['query', 'always', 'quiet'],
        description:
          'how exchanges of others pass: query (default): lines with ? are answered; always: each line is; quiet: the answer is what comes until it is quiet',
      },
    }),
    identify: table('How it is told that this is the instrument; without it nothing is checked', question, [
      'ask',
      'pattern',
    ]),
    start: steps('what is sent after identification'),
    shutDown: steps('what is sent when its worker is stopped and the site says onStop: safe'),
    makeSafe: steps('what the emergency stop sends before the safe values'),
    errors: table(
      'The error queue, looked into after each write and action until it says that there is none',
      {
        ask: text('the question, e.g. SYST:ERR?'),
        pattern: text('pattern of its answers, with the groups code and text; code 0 is none'),
        timeout,
        most: integer(1, 100, 'how many errors are fetched at most; default 20'),
        parameter: text('a parameter of type text that shows the newest error that came without a command'),
      },
      ['ask'],
    ),
    reads: byName(
      'Exchanges that fill several parameters each',
      table('One exchange', {
        ...question,
        separator,
        fields: list(
          'the parameters in the order of the answer (null: not needed); without "separator" each gets the whole answer',
          { type: ['string', 'null'], maxLength: 63, description: 'a parameter, or null' },
          1,
        ),
        join: list(
          'parameters whose own questions are sent as one line, joined by ;',
          { type: 'string', maxLength: 63, description: 'a parameter' },
          2,
        ),
        joiner: { type: 'string', minLength: 1, maxLength: 10, description: 'joins them; default ;' },
      }),
      'name of the exchange',
    ),
    pushed: list('patterns of lines that come by themselves; their groups are parameters', text('a pattern')),
    simulation: simulationSchema,
  },
  parameter: {
    read: textOr(
      'line that asks for it, or a table with ask',
      table('How it is read', {
        ...question,
        separator,
        field: integer(1, 1000, 'which field of the answer it is, from 1'),
        block,
      }),
    ),
    write: writeSchema,
    timed: timedSchema,
    readBack: {
      description: 'true: it is read after each write and has to agree; or a table with "after"',
      type: ['boolean', 'object'],
      additionalProperties: false,
      properties: { after: duration('how long after the write it is read') },
    },
    tolerance: number('how far a number read back may be from the one written, in the unit shown'),
  },
  action: {
    steps: steps('what is sent, one after the other'),
    result: table(
      'What it brings: the answer to a last question',
      {
        ...question,
        ...valueProperties,
        maxItems: integer(1, 100_000_000, 'the most numbers of an array; default 10000000'),
        block,
        minus: list('subtracted from each number of the answer', factor),
        times: { ...factor, description: 'each number is multiplied by this then' },
        plus: list('added then', factor),
      },
      ['type'],
    ),
    finally: steps(
      'what is sent at the end, also when something went wrong before: restores what the reads of parameters need',
    ),
  },
}
