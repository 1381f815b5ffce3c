import { linkProperties, type RawLineAction, type RawLink, steps, writeSchema } from './line-schema.ts'
import type { RawStep, RawWrite } from './line-schema.ts'
import type { LanguageSchema, RawModel, RawParameter } from './model-file.ts'
import { duration, integer, list, table, text } from './schema.ts'
import { type RawSimulation, simulationSchema } from './simulation-schema.ts'

export interface RawChecksum {
  kind: 'sum' | 'xor' | 'complement'
  from: number
  to: number
  at: number
}

export interface RawStream {
  format: 'pattern' | 'nmea' | 'csv' | 'keyValue' | 'frame'
  patterns?: string[]
  separator?: string
  columns?: number
  assign?: string
  header?: string
  length?: number
  checksum?: RawChecksum
}

/** Where in a line or frame a parameter stands. */
export interface RawFrom {
  sentence?: string
  field?: number
  hemisphere?: number
  name?: string
  valid?: { field: number; is: string[] }
  column?: number
  key?: string
  byte?: number
  as?: 'uint8' | 'int8' | 'uint16' | 'int16' | 'uint32' | 'int32' | 'float32'
  endian?: 'big' | 'little'
}

export interface RawStreamParameter extends RawParameter {
  from?: RawFrom
  write?: string | RawWrite
}

export interface RawStreamModel extends RawModel {
  link?: RawLink
  stream: RawStream
  silence: string
  start?: (string | RawStep)[]
  shutDown?: (string | RawStep)[]
  makeSafe?: (string | RawStep)[]
  parameters?: Record<string, RawStreamParameter>
  actions?: Record<string, RawLineAction>
  simulation?: RawSimulation
}

const position = (description: string): object => integer(0, 4095, description)

export const streamSchema: LanguageSchema = {
  top: {
    link: table('The line', linkProperties),
    stream: table(
      'What comes by itself',
      {
        format: {
          enum: ['pattern', 'nmea', 'csv', 'keyValue', 'frame'],
          description: 'pattern, nmea, csv, keyValue or frame',
        },
        patterns: list(
          'pattern: patterns of the lines; their named groups are the parameters',
          text('a pattern'),
          1,
        ),
        separator: {
          type: 'string',
          minLength: 1,
          maxLength: 4,
          description: 'csv: between columns, default a comma; keyValue: between pairs, default a space',
        },
        columns: integer(1, 1000, 'csv: how many columns a line has; others are thrown away'),
        assign: {
          type: 'string',
          minLength: 1,
          maxLength: 4,
          description: 'keyValue: between key and value, default =',
        },
        header: {
          type: 'string',
          pattern: '^[0-9A-Fa-f]{2}( ?[0-9A-Fa-f]{2}){0,7}$',
          description: 'frame: its first bytes, hexadecimal, e.g. FF 86',
        },
        length: integer(2, 4096, 'frame: its length in bytes'),
        checksum: table(
          'frame: how it is checked',
          {
            kind: {
              enum: ['sum', 'xor', 'complement'],
              description: 'sum of the bytes, their xor, or what completes their sum to 256',
            },
            from: position('first byte that is summed up, from 0'),
            to: position('last byte that is summed up'),
            at: position('where the checksum is'),
          },
          ['kind', 'from', 'to', 'at'],
        ),
      },
      ['format'],
    ),
    silence: duration('how long it may be silent before it counts as lost; three of its periods'),
    start: steps('what is sent after it was recognised'),
    shutDown: steps('what is sent when its worker is stopped and the site says onStop: safe'),
    makeSafe: steps('what the emergency stop sends before the safe values'),
    simulation: simulationSchema,
  },
  required: ['stream', 'silence'],
  parameter: {
    from: table('Where in a line or frame it stands', {
      sentence: {
        type: 'string',
        pattern: '^[A-Z]{3}$',
        description: 'nmea: three letters, e.g. GGA; any talker',
      },
      field: integer(1, 100, 'nmea: which field after the type, from 1'),
      hemisphere: integer(1, 100, 'nmea: the field with N, S, E or W; the value is then in degrees'),
      name: text('nmea, sentence XDR: name of the transducer'),
      valid: table(
        'nmea: it is a value only when another field says so',
        {
          field: integer(1, 100, 'the other field, from 1'),
          is: list('what it has to be, one of these', { type: 'string', description: 'a text' }, 1),
        },
        ['field', 'is'],
      ),
      column: integer(1, 1000, 'csv: which column, from 1'),
      key: text('keyValue: its key'),
      byte: position('frame: its first byte, from 0'),
      as: {
        enum: ['uint8', 'int8', 'uint16', 'int16', 'uint32', 'int32', 'float32'],
        description: 'frame: uint8 (default), int8, uint16, int16, uint32, int32 or float32',
      },
      endian: { enum: ['big', 'little'], description: 'frame: big (default) or little' },
    }),
    write: writeSchema,
  },
  action: { steps: steps('what is sent, one after the other') },
  actionRequired: ['steps'],
}
