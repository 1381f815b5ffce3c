import type { SerialSettings } from '@golem/core'
import { linkProperties } from './line-schema.ts'
import type { LanguageSchema, RawAction, RawModel, RawParameter } from './model-file.ts'
import { duration, flag, integer, list, number, table } from './schema.ts'

export const TABLES = ['coil', 'discrete', 'input', 'holding'] as const
export type Table = (typeof TABLES)[number]

export const WORD_TYPES = [
  'uint16',
  'int16',
  'uint32',
  'int32',
  'float32',
  'float64',
  'bcd16',
  'bcd32',
  'text',
] as const
export type WordType = (typeof WORD_TYPES)[number]

export const ORDERS = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const
export type ByteOrder = (typeof ORDERS)[number]

/** Where something is: one of these. */
export interface RawPlace {
  coil?: number
  discrete?: number
  input?: number
  holding?: number
  /** The old notation: 1 to 9999 coils, 1xxxx, 3xxxx and 4xxxx; counts from 1. */
  modicon?: number
}

/** How it stands in registers. */
export interface RawLayout {
  as?: WordType
  order?: ByteOrder
  /** Registers of a text. */
  length?: number
  /** Numbers of an array. */
  count?: number
}

export interface RawModbusWrite extends RawPlace {
  function?: 5 | 6 | 15 | 16
  settle?: string
}

export interface RawModbusParameter extends RawParameter, RawPlace, RawLayout {
  read?: boolean
  write?: boolean | RawModbusWrite
  readBack?: boolean | { after?: string }
  tolerance?: number
}

export interface RawModbusStep extends RawPlace, RawLayout {
  /** A number, or {argument}. */
  value?: number | boolean | string
  function?: 5 | 6 | 15 | 16
  /** Name of a parameter that is written. */
  set?: string
  wait?: string
}

export interface RawModbusAction extends RawAction {
  steps?: RawModbusStep[]
}

export interface RawIdentify extends RawPlace, RawLayout {
  equals: number | string | (number | string)[]
}

type Cells = Record<string, number | boolean | (number | boolean)[]>

export interface RawModbusSimulation {
  coil?: Cells
  discrete?: Cells
  input?: Cells
  holding?: Cells
  follow?: { input?: number; holding?: number; words?: number; to: number }[]
}

export interface RawModbusModel extends RawModel {
  link?: SerialSettings & { replyTimeout?: string; gap?: string }
  order?: ByteOrder
  maxGap?: number
  maxRead?: number
  holes?: (RawPlace & { count?: number })[]
  identify?: RawIdentify
  start?: RawModbusStep[]
  shutDown?: RawModbusStep[]
  makeSafe?: RawModbusStep[]
  parameters?: Record<string, RawModbusParameter>
  actions?: Record<string, RawModbusAction>
  simulation?: RawModbusSimulation
}

const address = (what: string): object => integer(0, 65_535, `address of ${what} as it is sent, 0 to 65535`)
const place = {
  coil: address('a coil (read and written bit)'),
  discrete: address('a discrete input (read-only bit)'),
  input: address('an input register (read-only word)'),
  holding: address('a holding register (read and written word)'),
  modicon: integer(
    1,
    465_536,
    'a number of the old notation, from 1: 1 to 9999 coils, 10001 discrete inputs, 30001 input and 40001 holding registers; also with six digits (400001)',
  ),
}
const layout = {
  as: {
    enum: WORD_TYPES,
    description: `how it stands in registers: ${WORD_TYPES.join(', ')}; default uint16`,
  },
  order: {
    enum: ORDERS,
    description:
      'order of the bytes over several registers: ABCD (high first, default), CDAB (low register first), BADC or DCBA',
  },
  length: integer(1, 123, 'how many registers a text has, two characters each'),
  count: integer(1, 123, 'how many numbers an array has'),
}
const functionCode = {
  enum: [5, 6, 15, 16],
  description:
    'function that writes: 5 one coil, 6 one register, 15 several coils, 16 several registers; default 5 or 6, and 16 for what has several registers',
}
const after = duration('how long after the write it is read')

const steps = (description: string): object =>
  list(
    description,
    table('One step', {
      ...place,
      ...layout,
      value: {
        type: ['number', 'boolean', 'string'],
        description: 'what is written: a number, true or false, or {name} for an argument',
      },
      function: functionCode,
      set: { type: 'string', maxLength: 63, description: 'a parameter that is written, as by a command' },
      wait: duration('wait so long'),
    }),
  )

const SERIAL = ['baudRate', 'dataBits', 'parity', 'stopBits', 'flowControl', 'dtr', 'rts']
const serial = Object.fromEntries(Object.entries(linkProperties).filter(([key]) => SERIAL.includes(key)))

const cells = (what: string): object => ({
  type: 'object',
  description: `${what} by address; a list fills those after it too`,
  propertyNames: { pattern: '^\\d{1,5}$', description: 'an address: 0 to 65535' },
  additionalProperties: {
    type: ['number', 'boolean', 'array'],
    items: { type: ['number', 'boolean'], description: 'a word or a bit' },
    description: 'a word (-32768 to 65535) or a bit, or a list of them',
  },
})

export const modbusSchema: LanguageSchema = {
  top: {
    link: table('The line', {
      ...serial,
      replyTimeout: duration('how long an answer may take; default 1 s'),
      gap: duration('least time between an answer and the next request; default 5 ms'),
    }),
    order: layout.order,
    maxGap: integer(
      0,
      120,
      'registers (or bits) nobody asked for that one read may run over, to save requests; default 0',
    ),
    maxRead: integer(1, 125, 'the most registers of one read; default 125'),
    holes: list(
      'What must not be read, not even in passing',
      table('The first of them, and how many', {
        ...place,
        count: integer(1, 65_536, 'how many; default 1'),
      }),
    ),
    identify: table(
      'What says that this is the instrument; without it nothing is checked',
      {
        ...place,
        ...layout,
        equals: {
          description: 'what has to be there: a number or text, or a list of those that fit',
          type: ['number', 'string', 'array'],
          minItems: 1,
          items: { type: ['number', 'string'] },
        },
      },
      ['equals'],
    ),
    start: steps('what is written after identification'),
    shutDown: steps('what is written when its worker is stopped and the site says onStop: safe'),
    makeSafe: steps('what the emergency stop writes before the safe values'),
    simulation: table('A simulated unit: what its registers begin with. All others do not exist', {
      ...Object.fromEntries(TABLES.map((name) => [name, cells(`What the ${name} table begins with`)])),
      follow: list(
        'registers that take on what is written to a holding register, e.g. a temperature its set-point',
        table(
          'One of them',
          {
            input: address('the input register that follows'),
            holding: address('the holding register that follows'),
            words: integer(1, 8, 'how many registers; default 1'),
            to: address('the holding register that is followed'),
          },
          ['to'],
        ),
      ),
    }),
  },
  parameter: {
    ...place,
    ...layout,
    read: flag('false: it is only written'),
    write: {
      description: 'true: it is written where it is read; or a table with another place or function',
      type: ['boolean', 'object'],
      additionalProperties: false,
      properties: {
        ...place,
        function: functionCode,
        settle: duration('what it needs before the next request'),
      },
    },
    readBack: {
      description:
        'it is read after each write and has to agree: true (default where it is written where it is read), false, or a table with "after"',
      type: ['boolean', 'object'],
      additionalProperties: false,
      properties: { after },
    },
    tolerance: number('how far a number read back may be from the one written, in the unit shown'),
  },
  action: { steps: steps('what is written, one after the other') },
  actionRequired: ['steps'],
}
