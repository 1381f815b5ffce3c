import { byName, duration, flag, integer, list, number, table, text } from './schema.ts'

/** A variable of the simulated instrument. */
export interface RawVariable {
  value: string | number
  min?: number
  max?: number
  format?: string
  /** What it may be set to, by what stands for it on the wire (lower or upper case). */
  words?: Record<string, (string | number)[]>
}

/** Made-up numbers: a wave around a middle. */
export interface RawWave {
  points: number | string
  shape?: 'sine' | 'ramp' | 'square' | 'flat'
  amplitude?: number
  middle?: number
  periods?: number
  as?: 'list' | 'uint8' | 'int8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'float32' | 'float64'
  endian?: 'big' | 'little'
  digits?: number
}

export interface RawRule {
  scpi?: string
  pattern?: string
  bytes?: string
  when?: Record<string, string | number>
  set?: Record<string, string | number>
  reply?: string
  wave?: RawWave
  error?: number
  refusal?: string
}

export interface RawSimulation {
  identity?: string
  scpi?: boolean
  errors?: { ask?: string; none?: string; one?: string }
  state?: Record<string, string | number | RawVariable>
  rules?: RawRule[]
  unknown?: string
  greeting?: string
  every?: string
  lines?: string[]
  frames?: string[]
}

const word = { type: ['string', 'number'], description: 'a text or number' }

/** The variables of a simulated instrument. */
export const stateSchema = byName(
  'What it remembers, with the values after power-up',
  {
    description: 'a text or number, or a table with "value"',
    if: { type: 'object' },
    // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
    then: table(
      'One variable',
      {
        value: { ...word, description: 'its value after power-up' },
        min: number('lowest number it takes; below it is an error -222'),
        max: number('highest number it takes; above it is an error -222'),
        format: {
          type: 'string',
          pattern: '^(plain|integer|hex|fixed \\d|exponent \\d)$',
          description: 'how a number is answered: plain (default), integer, hex, fixed N or exponent N',
        },
        words: {
          type: 'object',
          description: 'the values it takes, each with the words that stand for it; others are an error -224',
          additionalProperties: { type: 'array', items: word, description: 'a list of words' },
        },
      },
      ['value'],
    ),
    else: word,
  },
  'name of a variable',
)

/** The part of a model file that answers in the instrument's place, for tests and for trying a site without it. */
export const simulationSchema = table('Answers of a simulated instrument', {
  scpi: flag(
    'true: it has *IDN?, *RST, *CLS, *OPC?, *ESR? and an error queue, and takes several commands joined by ;',
  ),
  identity: text('what it answers to *IDN?'),
  errors: table('Its error queue, where it differs', {
    ask: text('the question; default SYSTem:ERRor[:NEXT]?'),
    none: text('the answer when there is none; default 0,"No error"'),
    one: text('the answer for one, with {code} and {text}; default {code},"{text}"'),
  }),
  state: stateSchema,
  rules: list(
    'What it does on which command; the first one that fits',
    table('One rule', {
      scpi: text(
        'a SCPI command with its short form in capitals, optional parts in [ ], variables as {name}; a query ends with ?',
      ),
      pattern: text(
        'or a pattern of the whole line; its named groups are taken as variables of the same name',
      ),
      bytes: text('or one character that acts at once, in the middle of a line too'),
      when: {
        type: 'object',
        description: 'only while these variables have these values',
        additionalProperties: word,
      },
      set: {
        type: 'object',
        description:
          'variables that get a value; a {name} in it is what stood in the command, or another variable',
        additionalProperties: word,
      },
      reply: { type: 'string', maxLength: 4000, description: 'what it answers, with variables as {name}' },
      wave: table(
        'It answers made-up numbers',
        {
          points: {
            type: ['integer', 'string'],
            minimum: 0,
            maximum: 10_000_000,
            description: 'how many, or a variable',
          },
          shape: {
            enum: ['sine', 'ramp', 'square', 'flat'],
            description: 'sine (default), ramp, square or flat',
          },
          amplitude: number('default 1'),
          middle: number('default 0'),
          periods: number('how often the shape is repeated; default 1'),
          as: {
            enum: ['list', 'uint8', 'int8', 'int16', 'uint16', 'int32', 'uint32', 'float32', 'float64'],
            description: 'list (default: a comma list), or the type of the numbers in a block',
          },
          endian: { enum: ['big', 'little'], description: 'byte order in a block: big (default) or little' },
          digits: integer(1, 9, "digits of a block's length; default: as few as it takes"),
        },
        ['points'],
      ),
      refusal: text('what it answers instead when a value is not taken'),
      error: { type: 'integer', description: 'an error it puts into its queue' },
    }),
  ),
  unknown: text('what it answers to a line that it does not know (without scpi: nothing)'),
  greeting: text('line that it sends when the connection is made'),
  every: duration('how often it sends the next of "lines"'),
  lines: list(
    'lines that it sends by itself, in turn, with variables as {name}; {checksum} is that of NMEA',
    text('a line'),
    1,
  ),
  frames: list('frames that it sends by itself, in turn, as hexadecimal bytes', text('hexadecimal bytes'), 1),
})
