/** JSON Schemas of the routes of calibrations. */

const text = (maxLength: number): object => ({ type: 'string', minLength: 1, maxLength })
const number = { type: 'number' } as const
const numbers = (minItems: number, maxItems: number): object => ({
  type: 'array',
  minItems,
  maxItems,
  items: number,
})
const pairs = (minItems: number, maxItems: number): object => ({
  type: 'array',
  minItems,
  maxItems,
  items: numbers(2, 2),
})
const name = {
  type: 'string',
  pattern: '^[a-z0-9][a-z0-9-]{0,62}$',
  description: 'Name of a calibration: a-z, 0-9 and -',
} as const

const point = {
  type: 'object',
  additionalProperties: false,
  required: ['inputs', 'value'],
  properties: {
    inputs: { ...numbers(1, 2), description: 'The raw values' },
    value: { type: 'number', description: 'What the reference showed' },
    at: { type: 'string', maxLength: 40, description: 'When, ISO 8601 UTC' },
    by: text(100),
  },
} as const

const points = { type: 'array', minItems: 1, maxItems: 500, items: point } as const
const kind = { type: 'string', enum: ['linear', 'polynomial', 'table', 'surface'] } as const
const degree = { type: 'integer', minimum: 1, maximum: 6, description: 'Of a polynomial; default 2' } as const

const curve = {
  type: 'object',
  additionalProperties: false,
  required: ['kind'],
  description:
    'linear: slope and offset; polynomial: coefficients of 1, x, x², …; table: points [x, value]; ' +
    'surface: coefficients of 1, x, y, x², xy, y²',
  properties: {
    kind,
    slope: number,
    offset: number,
    coefficients: numbers(1, 7),
    points: pairs(2, 500),
  },
} as const

export const nameParams = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string', description: 'Name of a calibration' } },
} as const

export const fitBody = {
  type: 'object',
  additionalProperties: false,
  required: ['kind', 'points'],
  properties: { kind, degree, points },
} as const

export const calibrationBody = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: {
    name,
    kind: { ...kind, description: 'Fitted to the points, where no curve is given' },
    degree,
    points,
    curve,
    range: { ...pairs(1, 2), description: 'For each input from where to where it holds' },
    rSquared: number,
    note: text(500),
    unit: { type: 'string', maxLength: 20 },
    of: { ...text(130), description: 'What was calibrated, as INSTRUMENT.PARAMETER' },
    by: { ...text(100), description: 'Who measured; default: who asks' },
    at: { type: 'string', maxLength: 40, description: 'When it was made, ISO 8601 UTC; default: now' },
  },
} as const

export const pointBody = {
  type: 'object',
  additionalProperties: false,
  required: ['of', 'inputs', 'value'],
  properties: {
    of: { ...text(130), description: 'What is calibrated, as INSTRUMENT.PARAMETER' },
    inputs: point.properties.inputs,
    value: point.properties.value,
  },
} as const

/** A version of a calibration. */
export const calibrationAnswer = (description: string): object => ({
  description,
  type: 'object',
  additionalProperties: true,
  properties: {
    name: { type: 'string' },
    version: { type: 'string' },
    at: { type: 'string' },
    by: { type: 'string' },
    curve: { type: 'object', additionalProperties: true },
  },
})

export const fitAnswer = {
  description: 'The curve, and how well it fits',
  type: 'object',
  additionalProperties: true,
  properties: {
    curve: { type: 'object', additionalProperties: true },
    rSquared: { type: ['number', 'null'] },
    rmsd: { type: 'number' },
    residuals: { type: 'array', items: number },
    range: { type: 'array', items: { type: 'array', items: number } },
  },
} as const
