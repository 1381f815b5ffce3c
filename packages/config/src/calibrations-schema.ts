import { NAME_PATTERN, table, text } from './schema-parts.ts'

const number = (description: string): object => ({ type: 'number', description })
const numbers = (description: string, minItems: number, maxItems: number): object => ({
  type: 'array',
  minItems,
  maxItems,
  items: number('a number'),
  description,
})

/** Twice not, so that it is one fault and not one for each way. */
const oneCurve = {
  not: { not: { anyOf: ['linear', 'polynomial', 'table', 'surface'].map((key) => ({ required: [key] })) } },
}

const version = {
  ...table(
    'One version: its date, who made it, and a curve as linear, polynomial, table or surface',
    {
      at: {
        type: 'string',
        pattern: '^\\d{4}-\\d{2}-\\d{2}([ T]([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d(\\.\\d{1,3})?)?Z)?$',
        description: 'when it was made: a day, or a moment in UTC, e.g. 2026-11-21 or 2026-11-21T10:00Z',
      },
      by: text('who made it'),
      note: text('what one should know about it, as a sentence'),
      linear: table(
        'a straight line: slope · x + offset',
        { slope: number('its slope'), offset: number('its value at x = 0') },
        ['slope', 'offset'],
      ),
      polynomial: numbers('coefficients of 1, x, x², …', 1, 7),
      table: {
        type: 'array',
        minItems: 2,
        maxItems: 200,
        items: numbers('a point: x and the value there', 2, 2),
        description: 'points [x, value], with straight lines between them',
      },
      surface: numbers('coefficients of 1, x, y, x², xy, y² of two inputs', 6, 6),
      range: {
        type: 'array',
        minItems: 1,
        maxItems: 2,
        items: numbers('lowest and highest value of an input', 2, 2),
        description: 'for each input from where to where it holds, e.g. [[0, 100]]; default: everywhere',
      },
      rSquared: number('R² of the fit'),
      points: {
        type: 'array',
        maxItems: 500,
        items: numbers('a point: the inputs, then what the reference showed', 2, 3),
        description: 'what was measured: [x, value] or [x, y, value]',
      },
    },
    ['at', 'by'],
  ),
  ...oneCurve,
}

/** The form of a file in instance/calibrations. */
export const calibrationSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'golem calibration',
  ...table(
    'A calibration by its file name, with its history; the newest version by date counts',
    {
      unit: { type: 'string', maxLength: 20, description: 'unit of its result' },
      of: text('what was calibrated, as INSTRUMENT.PARAMETER'),
      versions: { type: 'array', minItems: 1, items: version, description: 'its versions, a list' },
    },
    ['versions'],
  ),
}

/** `calibrations` of an instrument. */
export const useCalibrations = {
  type: 'object',
  description: 'Further parameters that calibrations make of raw ones, by name',
  propertyNames: { pattern: NAME_PATTERN, description: 'a name that the model has not' },
  additionalProperties: table(
    'A parameter made of raw ones',
    {
      from: {
        type: 'array',
        minItems: 1,
        maxItems: 2,
        uniqueItems: true,
        items: text('name of a parameter of the model'),
        description: 'the raw parameters, one or two, in the order of the calibration, e.g. [red, white]',
      },
      use: {
        type: 'string',
        pattern: '^[a-z0-9][a-z0-9-]{0,62}$',
        description: 'name of the calibration: a-z, 0-9 and -, at most 63',
      },
      writable: {
        type: 'boolean',
        description: 'true: it can be set, and the calibration is turned back; default false',
      },
    },
    ['from', 'use'],
  ),
}

/** A calibration file as it is written. */
export interface RawCalibration {
  unit?: string
  of?: string
  versions?: (RawVersion | undefined)[]
}

export interface RawVersion {
  at?: string
  by?: string
  note?: string
  linear?: { slope?: number; offset?: number }
  polynomial?: (number | undefined)[]
  table?: (number[] | undefined)[]
  surface?: (number | undefined)[]
  range?: (number[] | undefined)[]
  rSquared?: number
  points?: (number[] | undefined)[]
}

export interface RawUse {
  from?: (string | undefined)[]
  use?: string
  writable?: boolean
}
